/*
 * count: an exporter that keeps nothing but the number of what it got.
 *
 * Its place in the queue, retries, dead letters, metrics and the keys `timeout`, `sending_queue`
 * and `retry_on_failure` come from the delivery: there is nothing of them here.
 */
#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>

#include <holdfast/component.h>

struct count_config {
    bool say;
};

/* Owned by the delivery's thread while that runs. */
struct count {
    struct hf_node *node;
    const struct count_config *config;
    uint64_t items;
};

static enum hf_status open_count(struct hf_node *node, const void *config, void **ret_self,
                                 char *reterr)
{
    (void)reterr;
    struct count *count = calloc(1, sizeof(*count));
    if (count == NULL) {
        return HF_NOMEM;
    }
    count->node = node;
    count->config = config;
    *ret_self = count;
    return HF_OK;
}

static void send_count(void *self, struct hf_export *export)
{
    struct count *count = self;
    count->items += export->items;
    if (count->config->say) {
        hf_node_log(count->node, HF_LOG_INFO, "%" PRIu64 " items so far", count->items);
    }
    hf_export_done(export, &(const struct hf_outcome){.status = HF_OK});
}

static const struct hf_field fields[] = {
    {.key = "say",
     .type = HF_FIELD_BOOL,
     .offset = offsetof(struct count_config, say),
     .default_text = "true",
     .help = "Log the sum with each request."},
    HF_FIELDS_END,
};

static const struct hf_exporter_ops exporter_ops = {
    .send = send_count,
};

const struct hf_component hf_exporter_count = {
    .type = "count",
    .help = "Counts what it gets.",
    .kind = HF_EXPORTER,
    .signals = HF_ALL_SIGNALS,
    .config_size = sizeof(struct count_config),
    .fields = fields,
    .open = open_count,
    .close = free,
    .exporter = &exporter_ops,
};
