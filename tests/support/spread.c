/*
 * spread: a connector that only tests have. It keeps no bytes of what waits in it: each request is
 * read again from the queue when its turn comes, a moment later, and its first half goes to the
 * first pipeline behind, the rest to the last one. It is done with each half by itself.
 */
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#include "pdata/split.h"
#include "util/loop.h"

#define PAUSE_NS UINT64_C(5000000)
#define TURNS_AT_ONCE 32

struct waiting {
    struct waiting *next;
    struct hf_input *input;
};

struct spread {
    struct hf_node *node;
    struct hf_timer timer;
    bool is_set;
    struct waiting *first, **end;
};

struct half {
    struct hf_output output;
    struct hf_input *input;
    uint32_t items;
};

static void half_done(struct hf_output *output, enum hf_status status)
{
    struct half *half = HF_CONTAINER(output, struct half, output);
    if (status != HF_CLOSED) {
        hf_input_done_items(half->input, half->items, status == HF_OK ? 0 : half->items);
    }
    free(half);
}

static struct hf_batch *cut(const struct hf_batch *whole, uint32_t first, uint32_t count)
{
    struct hf_bytes bytes = {0};
    struct hf_batch *batch = NULL;
    if (hf_split(whole->signal, whole->raw, first, count, &bytes) == HF_OK) {
        batch = hf_batch_new(whole->signal, bytes.size, whole->meta);
    }
    if (batch != NULL) {
        memcpy(hf_batch_room(batch), bytes.data, bytes.size);
        hf_batch_seal(batch, bytes.size, count);
    }
    hf_bytes_release(&bytes);
    return batch;
}

/* Some items to one of the pipelines. Out of memory: they stay in the queue until the next start.
 */
static void send_half(struct spread *spread, struct hf_input *input, const struct hf_batch *whole,
                      struct hf_pipeline *const *to, uint32_t first, uint32_t count)
{
    struct half *half = calloc(1, sizeof(*half));
    struct hf_batch *batch = half != NULL ? cut(whole, first, count) : NULL;
    if (batch == NULL) {
        free(half);
        return;
    }
    *half = (struct half){.output = {.done = half_done}, .input = input, .items = count};
    hf_emit_to(spread->node, to, 1, batch, &half->output);
    hf_ref_drop(&batch->ref);
}

/* False: not now. */
static bool spread_one(struct spread *spread, struct hf_input *input)
{
    struct hf_batch *batch = NULL;
    enum hf_status status = hf_input_load(input, &batch);
    if (status == HF_NOT_FOUND || status == HF_CORRUPT) {
        hf_input_done(input, UINT32_MAX);
        return true;
    }
    if (status != HF_OK) {
        return false;
    }
    size_t count = 0;
    struct hf_pipeline *const *outputs = hf_node_outputs(spread->node, batch->signal, &count);
    uint32_t items = batch->items, middle = items / 2;
    if (middle != 0) {
        send_half(spread, input, batch, &outputs[0], 0, middle);
    }
    send_half(spread, input, batch, &outputs[count - 1], middle, items - middle);
    hf_ref_drop(&batch->ref);
    return true;
}

static void set_timer(struct spread *spread)
{
    struct hf_loop *loop = hf_node_own_loop(spread->node);
    spread->is_set =
        hf_loop_timer_set(loop, &spread->timer, hf_loop_now_ns(loop) + PAUSE_NS) == HF_OK;
}

static void fire(struct hf_timer *timer, uint64_t now_ns)
{
    struct spread *spread = HF_CONTAINER(timer, struct spread, timer);
    (void)now_ns;
    spread->is_set = false;
    for (int i = 0; i < TURNS_AT_ONCE && spread->first != NULL; i++) {
        struct waiting *waiting = spread->first;
        if (!spread_one(spread, waiting->input)) {
            break;
        }
        spread->first = waiting->next;
        spread->end = spread->first == NULL ? &spread->first : spread->end;
        free(waiting);
    }
    if (spread->first != NULL) {
        set_timer(spread);
    }
}

static enum hf_status process_queued(void *self, struct hf_input *input)
{
    struct spread *spread = self;
    struct waiting *waiting = calloc(1, sizeof(*waiting));
    if (waiting == NULL) {
        return HF_NOMEM;
    }
    waiting->input = input;
    *spread->end = waiting;
    spread->end = &waiting->next;
    if (!spread->is_set) {
        set_timer(spread);
    }
    return HF_OK;
}

static enum hf_status open_spread(struct hf_node *node, const void *config, void **ret_self,
                                  char *reterr)
{
    struct spread *spread = calloc(1, sizeof(*spread));
    (void)config;
    (void)reterr;
    if (spread == NULL) {
        return HF_NOMEM;
    }
    spread->node = node;
    spread->timer.fire = fire;
    spread->end = &spread->first;
    *ret_self = spread;
    return HF_OK;
}

static void close_spread(void *self)
{
    struct spread *spread = self;
    while (spread->first != NULL) {
        struct waiting *waiting = spread->first;
        spread->first = waiting->next;
        free(waiting);
    }
    free(spread);
}

static const struct hf_queued_ops queued_ops = {
    .process_queued = process_queued,
};

static const struct hf_connector_ops connector_ops = {
    .makes = {HF_SIGNAL_BIT(HF_TRACES), HF_SIGNAL_BIT(HF_METRICS), HF_SIGNAL_BIT(HF_LOGS)},
};

const struct hf_component hf_connector_spread = {
    .type = "spread",
    .help = "Sends half of each request to one pipeline and half to another.",
    .kind = HF_CONNECTOR,
    .signals = HF_ALL_SIGNALS,
    .open = open_spread,
    .close = close_spread,
    .queued = &queued_ops,
    .connector = &connector_ops,
};
