#include "moved.h"

#include <stdio.h>

static _Thread_local char sentence[HF_ERROR_MAX];

/* Appends what stands under another key, or nowhere, in the connector. */
static size_t put_keys(const struct hf_moved *moved, size_t size)
{
    for (size_t i = 0; i < moved->count && size < sizeof(sentence); i++) {
        if (moved->values[i].type == HF_VALUE_NONE || i == moved->exporter) {
            continue;
        }
        const struct hf_moved_key *key = &moved->keys[i];
        int more = key->now == NULL ? snprintf(sentence + size, sizeof(sentence) - size,
                                               ", leave out %s", key->key)
                                    : snprintf(sentence + size, sizeof(sentence) - size,
                                               ", its %s as %s", key->key, key->now);
        size += more > 0 ? (size_t)more : 0;
    }
    return size < sizeof(sentence) ? size : sizeof(sentence) - 1;
}

const char *hf_moved_sentence(const struct hf_moved *moved)
{
    const struct hf_value *exporter = &moved->values[moved->exporter];
    const char *name = exporter->type == HF_VALUE_STRING ? exporter->string : "EXPORTER";
    size_t size = (size_t)snprintf(sentence, sizeof(sentence),
                                   "the processor %s has become a connector: move it to "
                                   "`connectors:`",
                                   moved->type);
    size = put_keys(moved, size);
    snprintf(sentence + size, sizeof(sentence) - size,
             "; put %s among the exporters of the traces pipeline instead of its processors, and "
             "add a metrics pipeline with receivers [%s] and exporters [%.60s]",
             moved->type, moved->type, name);
    return sentence;
}

enum hf_status hf_moved_open(struct hf_node *node, const void *config, void **ret_self,
                             char *reterr)
{
    (void)node;
    (void)config;
    (void)ret_self;
    (void)reterr;
    return HF_UNSUPPORTED; /* no configuration of it passes its check */
}

const struct hf_processor_ops hf_moved_ops = {.process = NULL};
