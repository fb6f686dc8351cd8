/*
 * exceptions: what the files of the connector `exceptions` share. All of it belongs to the
 * connector's thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <holdfast/component.h>

#include "exception_series.h"
#include "pdata/build.h"
#include "pdata/document.h"
#include "pdata/walk.h"

struct exception_dimension {
    const char *name, *preset;    /* NULL: no default */
    struct hf_slice preset_value; /* the bytes of an AnyValue */
};

struct exceptions_config {
    struct hf_struct_list dimensions; /* of struct exception_dimension_config */
    bool dimensions_given;
    struct {
        bool enabled;
    } exemplars;
    int64_t series_max;
};

struct exceptions {
    struct hf_node *node;
    struct exception_dimension *dimensions;
    size_t dimension_count;
    struct hf_arena arena; /* of the defaults */
    bool has_exemplars;
    struct exception_table table;
    uint64_t start_ns;
    bool has_overflowed; /* the log has said so */
    size_t in_flight_bytes;
};

/* One exception: an event of a span of a service. */
struct exception {
    struct hf_message *span, *event, *resource, *scope;
    struct hf_slice service;
};

/* Steps through the exceptions of a document: starts with `place` as {.document = document}. False:
 * no more. */
HF_MUST_USE bool exception_next(struct hf_place *place, struct exception *ret_exception);

/* "SPAN_KIND_SERVER", "STATUS_CODE_ERROR"; "" for a number that is none. */
const char *exception_kind(const struct exception *exception);
const char *exception_status(const struct exception *exception);

/* The dimension's value: of the span, else of the event, else of the resource, else the default.
 * False: there is none. */
HF_MUST_USE bool exception_value(const struct exception *exception,
                                 const struct exception_dimension *dimension,
                                 struct hf_slice *ret_value);

/* Counts the exceptions of the document as pending ones, and writes the points of their series.
 * HF_NOMEM. */
HF_MUST_USE enum hf_status exception_metrics(struct exceptions *exceptions,
                                             struct hf_document *document, uint64_t now_ns,
                                             struct hf_builder *builder);
/* Writes a log record for each exception. HF_NOMEM. */
HF_MUST_USE enum hf_status exception_logs(const struct exceptions *exceptions,
                                          struct hf_document *document, struct hf_builder *builder);
