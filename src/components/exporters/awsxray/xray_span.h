/*
 * xray_span: a span on its way to a segment document: its attributes, of which each part of the
 * document takes those that it tells of; the rest becomes annotations and metadata. Private to the
 * exporter; owned by the delivery's thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "bulk/walk.h"
#include "pdata/json_write.h"
#include "util/arena.h"
#include "xray_config.h"

enum xray_kind { XRAY_INTERNAL = 1, XRAY_SERVER, XRAY_CLIENT, XRAY_PRODUCER, XRAY_CONSUMER };

/* What the document is of a span; a local root that calls another service becomes two. */
enum xray_role {
    XRAY_PLAIN = 0,
    XRAY_LOCAL_ROOT, /* a segment whatever its parent is */
    XRAY_DEPENDENCY, /* the call, below the service's segment */
    XRAY_SERVICE     /* the service that made the call */
};

struct xray_attribute {
    struct hf_slice key, value; /* the bytes of its AnyValue */
    bool is_taken;
};

#define XRAY_ID_SIZE 16u /* hex digits */

struct xray_span {
    const struct xray_config *config;
    struct hf_arena *arena;
    struct hf_slice bytes, resource;
    struct hf_bulk_span span;
    struct xray_attribute *attributes;
    size_t count;
    enum xray_role role;
    char id[XRAY_ID_SIZE + 1], parent[XRAY_ID_SIZE + 1]; /* "": no parent */
    char service_id[XRAY_ID_SIZE + 1];                   /* of DEPENDENCY and SERVICE */
    unsigned made_ids;
};

/* Reads the attributes. HF_NOMEM. */
HF_MUST_USE enum hf_status xray_span_read(struct xray_span *span);

/* NULL: there is none. Taken ones too. */
struct xray_attribute *xray_find(const struct xray_span *span, const char *key);
/* The string of an attribute; without data: there is none; empty: it is no string. */
struct hf_slice xray_text(const struct xray_span *span, const char *key);
struct hf_slice xray_resource_text(const struct xray_span *span, const char *key);
struct hf_slice xray_string(struct hf_slice value);
bool xray_is_aws_sdk(const struct xray_span *span);

/* An id that is the same at every attempt. */
void xray_make_id(struct xray_span *span, char ret_id[XRAY_ID_SIZE + 1]);

/* A member, unless the text is empty. */
void xray_put_text(struct hf_json_writer *writer, const char *key, struct hf_slice text);
/* A member in any case; null when the text is empty. */
void xray_put_or_null(struct hf_json_writer *writer, const char *key, struct hf_slice text);
void xray_put_bool(struct hf_json_writer *writer, const char *key, bool value);
void xray_put_number(struct hf_json_writer *writer, const char *key, double value);

/* The parts: each writes a member, or nothing, and takes attributes. */
void xray_put_http(struct xray_span *span, struct hf_json_writer *writer);
void xray_put_cause(struct xray_span *span, struct hf_json_writer *writer);
void xray_put_aws(struct xray_span *span, struct hf_json_writer *writer);
void xray_put_sql(struct xray_span *span, struct hf_json_writer *writer);
/* user, annotations and metadata. */
void xray_put_attributes(struct xray_span *span, struct hf_json_writer *writer, bool has_resource);

/* The exception's stack, and exceptions behind it that caused it; `writer` is inside the list of
 * exceptions. */
struct xray_exception {
    char id[XRAY_ID_SIZE + 1];
    struct hf_slice type, message, stack;
    bool is_remote;
};
void xray_put_exception(struct xray_span *span, struct hf_json_writer *writer,
                        const struct xray_exception *exception, struct hf_slice language);
