/*
 * edit: changes attributes of an Export request on its wire bytes and copies everything else byte
 * for byte: unknown fields, their order, and what the scan let pass.
 *
 * The editor is shown each owner of attributes in turn: the resource of every top-level element, or
 * every span, data point and log record. Runs on the caller's thread; no state is kept.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <holdfast/batch.h>
#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "attributes.h"
#include "util/compress/compress.h"

/* Where the attributes stand. Messages' bytes, empty when they are not there, valid as long as the
 * call. What is known of a resource or scope holds as long as its number is the same. */
struct hf_edit_place {
    enum hf_signal signal;
    uint32_t element; /* number of the top-level element, from 1 */
    uint32_t group;   /* number of the ScopeSpans and so on in the request, from 1 */
    struct hf_slice resource;
    struct hf_slice scope;  /* not set when resources are edited */
    struct hf_slice metric; /* the one that holds the data point */
    struct hf_slice owner;  /* resource, span, data point or log record */
    uint32_t number;        /* the owner's field of attributes */
};

/* The fields of attributes, and the names that are asked for most. */
enum {
    HF_NUMBER_RESOURCE_ATTRIBUTES = 1,
    HF_NUMBER_SCOPE_NAME = 1,
    HF_NUMBER_SCOPE_VERSION = 2,
    HF_NUMBER_METRIC_NAME = 1,
    HF_NUMBER_SPAN_NAME = 5,
    HF_NUMBER_SPAN_KIND = 6,
    HF_NUMBER_LOG_SEVERITY_NUMBER = 2,
    HF_NUMBER_LOG_SEVERITY_TEXT = 3,
    HF_NUMBER_LOG_BODY = 5,
};

/* Embed in what the functions need. */
struct hf_editor {
    bool of_resources; /* or else of items */
    /* Shall this owner be edited at all? NULL: every one. */
    bool (*wants)(struct hf_editor *editor, const struct hf_edit_place *place);
    void (*change)(struct hf_editor *editor, struct hf_attributes *attributes);
};

/*
 * Appends the edited request to `out`; nothing is appended when nothing changed (`ret_changed`).
 * HF_INVALID: `raw` would not pass hf_scan(). HF_TOO_LARGE: the result would be beyond what a
 * protobuf message can be. HF_NOMEM. `out` is as before then.
 */
HF_MUST_USE enum hf_status hf_edit(struct hf_editor *editor, enum hf_signal signal,
                                   struct hf_slice raw, struct hf_bytes *out, bool *ret_changed);

/*
 * The same for a batch, which must have its `raw`: a new batch with the old one's metadata and time
 * of receipt, or, when nothing changed, the old one with a reference taken.
 */
HF_MUST_USE enum hf_status hf_edit_batch(struct hf_editor *editor, struct hf_batch *batch,
                                         struct hf_batch **ret_batch);
