/*
 * path: one field of a resource, scope, span, event, metric, data point, exemplar, log record or
 * profile by the name that OTTL has for it, compiled once to a get and a set.
 *
 *     names {"span", "attributes"}, keys {"http.method"}
 *     names {"log", "body"}, keys {"user", 0}
 *
 * `cache` and `otelcol` are no telemetry: their owner handles them. Immutable after compiling; any
 * thread. Getting a scalar allocates nothing; a list or map that is not there as bytes is made in
 * the document's memory.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "any.h"
#include "any_make.h"
#include "walk.h"

/* What a path is in. */
enum hf_path_context {
    HF_PATH_RESOURCE = 0,
    HF_PATH_SCOPE,
    HF_PATH_SPAN,
    HF_PATH_SPANEVENT,
    HF_PATH_METRIC,
    HF_PATH_DATAPOINT,
    HF_PATH_EXEMPLAR,
    HF_PATH_LOG,
    HF_PATH_PROFILE,
    HF_PATH_CONTEXT_COUNT
};

/* "resource", "scope", ...; and back, "instrumentation_scope" too. False: no such context. */
const char *hf_path_context_name(enum hf_path_context context);
HF_MUST_USE bool hf_path_context_find(struct hf_slice name, enum hf_path_context *ret_context);

/* The kinds of what a path yields, which decide what it can be compared with and set to. */
enum hf_path_kind {
    HF_PATH_VALUE = 0, /* any AnyValue: attributes["k"], body */
    HF_PATH_STRING,
    HF_PATH_INT, /* enums too */
    HF_PATH_DOUBLE,
    HF_PATH_BOOL,
    HF_PATH_TIME,     /* Unix nanoseconds as HF_ANY_INT, to be shown as a time */
    HF_PATH_TRACE_ID, /* 16 bytes as HF_ANY_BYTES */
    HF_PATH_SPAN_ID,  /* 8 */
    HF_PATH_MAP,      /* attributes */
    HF_PATH_LIST,     /* bucket_counts, explicit_bounds: HF_ANY_ARRAY of numbers */
    HF_PATH_OBJECT,   /* status, positive: one message */
    HF_PATH_OBJECTS   /* events, links, data_points, exemplars, quantile_values */
};

struct hf_path;

/* Every path that there is, by an index from 0 on, for messages and tests: `room` filled, or NULL
 * behind the last. */
struct hf_path_name {
    enum hf_path_context context;
    const char *name; /* "status.code" */
};

const struct hf_path_name *hf_path_each(size_t index, struct hf_path_name *room);

/*
 * Compiles the path of `names` behind its context: "attributes"; "status", "code". `keys` follow
 * the last name and are copied. HF_NOT_FOUND: no such path; HF_UNSUPPORTED: it takes no keys; with
 * one sentence in `reterr` (HF_ERROR_MAX). HF_NOMEM.
 */
HF_MUST_USE enum hf_status hf_path_new(enum hf_path_context context, const struct hf_slice *names,
                                       size_t name_count, const struct hf_any_key *keys,
                                       size_t key_count, struct hf_path **ret_path, char *reterr);

/* The same from a text: `resource.attributes["a"][0]`. HF_INVALID as well: not a path. */
HF_MUST_USE enum hf_status hf_path_parse(struct hf_slice text, struct hf_path **ret_path,
                                         char *reterr);
void hf_path_free(struct hf_path *path);

/* What it was compiled to. */
enum hf_path_kind hf_path_kind(const struct hf_path *path);
enum hf_path_context hf_path_context(const struct hf_path *path);
bool hf_path_takes_keys(const struct hf_path *path);
/* metric.type, spanevent.event_index and what a profile has in its dictionary. */
bool hf_path_is_read_only(const struct hf_path *path);

/*
 * What stands there now; HF_ANY_EMPTY: nothing. Of HF_PATH_OBJECT and _OBJECTS always empty, see
 * below. HF_INVALID with one sentence in `reterr`: a key that what is there does not take.
 * HF_NOMEM.
 */
HF_MUST_USE enum hf_status hf_path_get(const struct hf_path *path, const struct hf_place *place,
                                       struct hf_any *ret_value, char *reterr);

/*
 * Sets it. An empty value empties an AnyValue or a map. Where the item has no such field
 * (is_monotonic of a gauge) nothing happens, as in the Go collector. HF_INVALID with one sentence
 * in `reterr`: the value is of another kind, or a key does not fit. HF_NOMEM.
 */
HF_MUST_USE enum hf_status hf_path_set(const struct hf_path *path, const struct hf_place *place,
                                       const struct hf_any *value, char *reterr);

/* The same with keys that are known only now, in place of those compiled in. */
HF_MUST_USE enum hf_status hf_path_get_at(const struct hf_path *path, const struct hf_place *place,
                                          const struct hf_any_key *keys, size_t key_count,
                                          struct hf_any *ret_value, char *reterr);
HF_MUST_USE enum hf_status hf_path_set_at(const struct hf_path *path, const struct hf_place *place,
                                          const struct hf_any_key *keys, size_t key_count,
                                          const struct hf_any *value, char *reterr);

/* HF_PATH_MAP: the list of attributes, to be changed in place; `made`: also when its owner is not
 * there yet. NULL: another kind, nothing there, or out of memory. */
struct hf_attributes *hf_path_attributes(const struct hf_path *path, const struct hf_place *place,
                                         bool made);

/* HF_PATH_OBJECT and _OBJECTS: the owner and its field, whose children they are. False: the item
 * has no such field. */
HF_MUST_USE bool hf_path_objects(const struct hf_path *path, const struct hf_place *place,
                                 struct hf_message **ret_owner, uint32_t *ret_number);
