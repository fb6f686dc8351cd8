/*
 * hold and pass: made-up stages that only tests have, in a program of their own.
 *
 * The processor `hold` keeps every request until one comes that has the text "hold:release" or
 * "hold:drop" in it, and passes on or drops what it has; that request itself is dropped. The
 * connector `pass` passes everything on at once.
 */
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

/* A request on its way or kept. */
struct kept {
    struct kept *next;
    struct hf_output output;
    struct stage *stage;
    struct hf_input *input;
    struct hf_batch *batch;
};

struct stage {
    struct hf_node *node;
    bool holds;
    struct kept *first, **end;
};

static enum hf_status open_stage(struct hf_node *node, bool holds, void **ret_self)
{
    struct stage *stage = calloc(1, sizeof(*stage));
    if (stage == NULL) {
        return HF_NOMEM;
    }
    stage->node = node;
    stage->holds = holds;
    stage->end = &stage->first;
    *ret_self = stage;
    return HF_OK;
}

static enum hf_status open_hold(struct hf_node *node, const void *config, void **ret_self,
                                char *reterr)
{
    (void)config;
    (void)reterr;
    return open_stage(node, true, ret_self);
}

static enum hf_status open_pass(struct hf_node *node, const void *config, void **ret_self,
                                char *reterr)
{
    (void)config;
    (void)reterr;
    return open_stage(node, false, ret_self);
}

static void free_kept(struct kept *kept)
{
    hf_ref_drop(&kept->batch->ref);
    free(kept);
}

static void close_stage(void *self)
{
    struct stage *stage = self;
    while (stage->first != NULL) {
        struct kept *kept = stage->first;
        stage->first = kept->next;
        free_kept(kept);
    }
    free(stage);
}

static void passed(struct hf_output *output, enum hf_status status)
{
    struct kept *kept = HF_CONTAINER(output, struct kept, output);
    if (status != HF_CLOSED) { /* else it is given to the next one */
        hf_input_done(kept->input, status == HF_OK ? 0 : kept->batch->items);
    }
    free_kept(kept);
}

static void let_go(struct stage *stage, bool drop)
{
    struct kept *kept = stage->first;
    stage->first = NULL;
    stage->end = &stage->first;
    while (kept != NULL) {
        struct kept *next = kept->next;
        if (drop) {
            hf_input_done(kept->input, kept->batch->items);
            free_kept(kept);
        } else {
            hf_emit(stage->node, kept->batch, &kept->output);
        }
        kept = next;
    }
}

static bool says(const struct hf_batch *batch, const char *word)
{
    return memmem(batch->raw.data, batch->raw.size, word, strlen(word)) != NULL;
}

static enum hf_status take(void *self, struct hf_input *input)
{
    struct stage *stage = self;
    if (stage->holds && (says(input->batch, "hold:release") || says(input->batch, "hold:drop"))) {
        let_go(stage, says(input->batch, "hold:drop"));
        hf_input_done(input, input->batch->items);
        return HF_OK;
    }
    struct kept *kept = calloc(1, sizeof(*kept));
    if (kept == NULL) {
        return HF_NOMEM;
    }
    kept->output.done = passed;
    kept->stage = stage;
    kept->input = input;
    kept->batch = input->batch;
    hf_ref_take(&kept->batch->ref);
    *stage->end = kept;
    stage->end = &kept->next;
    if (!stage->holds) {
        let_go(stage, false);
    }
    return HF_OK;
}

static const struct hf_field fields[] = {HF_FIELDS_END};

static const struct hf_queued_ops queued_ops = {
    .process_queued = take,
};

const struct hf_component hf_processor_hold = {
    .type = "hold",
    .help = "Keeps everything until it is told what to do with it.",
    .kind = HF_PROCESSOR,
    .signals = HF_ALL_SIGNALS,
    .config_size = 1,
    .fields = fields,
    .open = open_hold,
    .close = close_stage,
    .queued = &queued_ops,
};

static const struct hf_connector_ops connector_ops = {
    .makes = {HF_SIGNAL_BIT(HF_TRACES), HF_SIGNAL_BIT(HF_METRICS), HF_SIGNAL_BIT(HF_LOGS)},
};

const struct hf_component hf_connector_pass = {
    .type = "pass",
    .help = "Passes everything on.",
    .kind = HF_CONNECTOR,
    .signals = HF_ALL_SIGNALS,
    .config_size = 1,
    .fields = fields,
    .open = open_pass,
    .close = close_stage,
    .queued = &queued_ops,
    .connector = &connector_ops,
};
