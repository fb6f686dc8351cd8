/*
 * loki_record: what a log record says, read from its bytes in one pass. Owned by one thread; the
 * slices live as long as the document.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/slice.h>

#include "pdata/any_make.h"
#include "pdata/message.h"

#define LOKI_RECORD_ATTRIBUTES_FEW 32u /* more than nearly all records have */

struct loki_pairs {
    const struct hf_any_pair *items;
    size_t count;
};

struct loki_record {
    uint64_t time_ns, observed_ns, flags;
    int64_t severity;
    struct hf_slice severity_text, body, trace_id, span_id;
    struct loki_pairs attributes;
    struct hf_any_pair few[LOKI_RECORD_ATTRIBUTES_FEW]; /* where they stand unless there are more */
};

/* The document notes when memory runs out; then there are no attributes. */
void loki_record_read(struct hf_message *message, struct loki_record *ret_record);

/* The attributes of a message in the document's memory; none when `owner` is NULL. */
struct loki_pairs loki_attributes_of(struct hf_message *owner, uint32_t number);
