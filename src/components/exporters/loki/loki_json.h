/*
 * loki_json: a log record as one line of JSON, as the Go collector writes it: empty members are
 * left out, keys of maps are sorted, '<', '>' and '&' are escaped.
 *
 * What all records of a resource and of a scope have in common is written once and copied. Owned by
 * one thread: zeroed at first, loki_json_release() at last.
 */
#pragma once

#include <holdfast/status.h>

#include "loki_labels.h"
#include "loki_record.h"
#include "pdata/walk.h"
#include "util/compress/compress.h"

struct loki_json {
    /* Of which `of_resource` and `of_scope` are the members; NULL: not made yet. */
    const struct hf_message *resource_group, *scope_group;
    struct loki_hidden hidden; /* without which the resource's was made */
    struct hf_bytes of_resource, of_scope;
};

/* Before the first record of a document. */
void loki_json_begin(struct loki_json *json);

/* Appends the line of the record at `place`, without the attributes that are labels. HF_NOMEM. */
HF_MUST_USE enum hf_status loki_json_write(struct loki_json *json, const struct hf_place *place,
                                           const struct loki_record *record,
                                           const struct loki_labels *labels, struct hf_bytes *out);

void loki_json_release(struct loki_json *json);
