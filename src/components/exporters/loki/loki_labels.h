/*
 * loki_labels: the labels of one log record, which name its stream, and the attributes that became
 * labels, which are left out of its line. Owned by one thread; everything lives in the document.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/field.h>
#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "pdata/walk.h"
#include "util/compress/compress.h"

/* What is beyond stays in the line: Loki's own limit is 15 labels by default. */
#define LOKI_LABELS_MAX 64u

struct loki_label_config {
    struct loki_label_maps {
        struct hf_string_map attributes, resource, record; /* name to label; "": the same */
    } maps;
    struct loki_default_labels {
        bool exporter, job, instance, level;
    } defaults;
};

struct loki_label {
    struct hf_slice name, value;
};

/* Keys of attributes that the line does not repeat. */
struct loki_hidden {
    struct hf_slice keys[LOKI_LABELS_MAX + 4];
    size_t count;
};

struct loki_labels {
    struct loki_label items[LOKI_LABELS_MAX]; /* by name once they are written */
    size_t count;
    struct loki_hidden attributes, resource;
    struct hf_bytes scratch; /* kept for the next record */
};

/* What `scratch` holds is freed. */
void loki_labels_release(struct loki_labels *labels);

/* The labels of the record at `place`. `tenant_key`: the attribute that named its tenant, which is
 * a label too; empty: none. HF_NOMEM. */
HF_MUST_USE enum hf_status loki_labels_read(const struct loki_label_config *config,
                                            const struct hf_place *place,
                                            struct hf_slice tenant_key, struct loki_labels *ret);

/* Appends them as LogQL has it: {a="b", c="d"}. HF_NOMEM. */
HF_MUST_USE enum hf_status loki_labels_write(struct loki_labels *labels, struct hf_bytes *out);

bool loki_is_hidden(const struct loki_hidden *hidden, struct hf_slice key);

/* The value of an attribute of that name, or of the maps inside of attributes at its dots; empty:
 * none. `ret_is_whole`: the name is the key of an attribute. */
struct hf_slice loki_attribute(struct hf_message *owner, struct hf_slice name, bool *ret_is_whole);

/* The resource and the record have the attributes in these fields. */
#define LOKI_RESOURCE_ATTRIBUTES 1u
#define LOKI_RECORD_ATTRIBUTES 6u
