/*
 * pipeline_look: how what stands behind a pipeline fares, for a connector that chooses among
 * pipelines by that.
 */
#include <holdfast/component.h>

#include "delivery/delivery.h"
#include "node/node.h"
#include "shards.h"

/* The signals that a node makes of what the pipeline gives it. */
static unsigned made_of(const struct hf_node *node, enum hf_signal signal)
{
    const struct hf_connector_ops *ops = node->component->connector;
    return ops != NULL ? ops->makes[signal] : HF_SIGNAL_BIT(signal);
}

static void find_longest(void *user, const struct wal_consumer_stat *stat)
{
    struct hf_pipeline_state *state = user;
    if (stat->open && stat->accounting.queued.bytes > state->queued_bytes) {
        state->queued_bytes = stat->accounting.queued.bytes;
    }
}

/* The queue of the pipeline; of several the sum of the longest backlogs. */
static uint64_t queued_bytes(const struct hf_pipeline *pipeline)
{
    const struct hf_shards *shards = pipeline->shards;
    size_t count = shards != NULL ? shards->count : 1;
    uint64_t sum = 0;
    for (size_t i = 0; i < count; i++) {
        struct hf_pipeline_state longest = {.queued_bytes = 0};
        struct wal *wal = shards != NULL ? shards->queues[i]->wal : pipeline->wal;
        enum wal_status seen = wal_consumer_each(wal, find_longest, &longest);
        (void)seen; /* what cannot be read counts as empty */
        sum += longest.queued_bytes;
    }
    return sum;
}

static bool is_failing(const struct hf_delivery *delivery, const struct hf_pipeline *pipeline)
{
    const struct hf_shards *shards = pipeline->shards;
    bool is_found = hf_delivery_is_failing(delivery, pipeline);
    for (size_t i = 1; shards != NULL && i < shards->count; i++) {
        is_found = is_found || hf_delivery_is_failing(delivery, shards->queues[i]);
    }
    return is_found;
}

static void look(const struct hf_pipeline *pipeline, struct hf_pipeline_state *state)
{
    if (!pipeline->skips_queue) {
        uint64_t bytes = queued_bytes(pipeline);
        state->queued_bytes = bytes > state->queued_bytes ? bytes : state->queued_bytes;
    }
    for (size_t i = 0; i < pipeline->behind_count; i++) {
        const struct hf_node *node = pipeline->behind[i];
        if (node->delivery != NULL) {
            state->is_failing = state->is_failing || is_failing(node->delivery, pipeline);
            continue;
        }
        for (int signal = 0; signal < HF_SIGNAL_COUNT; signal++) {
            bool is_made = (made_of(node, pipeline->signal) & HF_SIGNAL_BIT(signal)) != 0;
            for (size_t k = 0; is_made && k < node->route_count[signal]; k++) {
                look(node->routes[signal][k], state);
            }
        }
    }
}

void hf_pipeline_look(const struct hf_pipeline *pipeline, struct hf_pipeline_state *ret_state)
{
    *ret_state = (struct hf_pipeline_state){.is_failing = false};
    look(pipeline, ret_state);
}
