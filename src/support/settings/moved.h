/*
 * moved: processors of old configurations that have become connectors. They cannot be started as
 * they are: where they stood, spans passed through them. So they are refused with a sentence that
 * says what to write instead. Any thread.
 */
#pragma once

#include <stddef.h>

#include <holdfast/component.h>
#include <holdfast/field.h>

struct hf_moved_key {
    const char *key;
    const char *now; /* the connector's key; NULL: it has none */
};

struct hf_moved {
    const char *type;                /* of the processor and of the connector */
    const struct hf_moved_key *keys; /* `count` of them */
    const struct hf_value *values;   /* what the user wrote, in their order */
    size_t count;
    size_t exporter; /* the key that names the exporter of the metrics */
};

/* One sentence; the thread's, until the next call. */
const char *hf_moved_sentence(const struct hf_moved *moved);

/* `open` of such a processor, which no configuration reaches: HF_UNSUPPORTED. */
enum hf_status hf_moved_open(struct hf_node *node, const void *config, void **ret_self,
                             char *reterr);
extern const struct hf_processor_ops hf_moved_ops;

/* A key; the component's configuration is an array of struct hf_value, this one at `number`. */
#define HF_MOVED_FIELD(name, number)                                                               \
    {                                                                                              \
        .key = (name), .type = HF_FIELD_VALUE, .offset = (number) * sizeof(struct hf_value),       \
        .help = "Of the old processor; the message says where it belongs now."                     \
    }
