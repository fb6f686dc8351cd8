/*
 * stall: a made-up processor that blocks the thread of a request that has the text "stall:here" in
 * it, for as long as there is a file `stall` in the working directory.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <holdfast/component.h>

#define LOOK_NS 5000000

struct stall {
    struct hf_node *node;
};

static enum hf_status open_stall(struct hf_node *node, const void *config, void **ret_self,
                                 char *reterr)
{
    struct stall *stall = calloc(1, sizeof(*stall));
    (void)config;
    (void)reterr;
    if (stall == NULL) {
        return HF_NOMEM;
    }
    stall->node = node;
    *ret_self = stall;
    return HF_OK;
}

static enum hf_status process(void *self, struct hf_batch *batch, struct hf_batch **ret_batch)
{
    static const char word[] = "stall:here";
    const struct stall *stall = self;
    if (memmem(batch->raw.data, batch->raw.size, word, sizeof(word) - 1) != NULL) {
        hf_node_log(stall->node, HF_LOG_INFO, "stalls");
        while (access("stall", F_OK) == 0) {
            nanosleep(&(struct timespec){.tv_nsec = LOOK_NS}, NULL);
        }
        hf_node_log(stall->node, HF_LOG_INFO, "goes on");
    }
    hf_ref_take(&batch->ref);
    *ret_batch = batch;
    return HF_OK;
}

static const struct hf_field fields[] = {HF_FIELDS_END};

const struct hf_component hf_processor_stall = {
    .type = "stall",
    .help = "Blocks the thread of a request while a file is there.",
    .kind = HF_PROCESSOR,
    .signals = HF_ALL_SIGNALS,
    .config_size = 1,
    .fields = fields,
    .open = open_stall,
    .close = free,
    .processor = &(const struct hf_processor_ops){.process = process},
};
