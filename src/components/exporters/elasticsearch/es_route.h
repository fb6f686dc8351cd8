/*
 * es_route: the index or data stream of a document. Owned by one thread.
 *
 * A fixed index wins. Else the attribute elasticsearch.index of item, scope or resource; else the
 * data stream of data_stream.dataset and data_stream.namespace, where a scope named after a
 * receiver gives the dataset when none is set.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "es_config.h"
#include "util/compress/compress.h"

/* Attributes that say what becomes of a document; AnyValues, empty when not there. */
struct es_special {
    struct hf_slice index, dataset, namespace, type, id, pipeline, hints, mode;
};

struct es_special es_special_read(struct hf_slice owner, uint32_t number);
/* Is it one of those that no document shows? */
bool es_special_is_hidden(struct hf_slice key);

struct es_route_input {
    const char *fixed; /* index; NULL or "": none */
    const char *type;  /* "logs", "metrics", "traces" */
    enum es_mode mode;
    struct hf_slice scope_name;
    const struct es_special *item, *scope, *resource;
    const struct es_logstash *logstash;
    uint64_t received_ns; /* of the record, for the date of logstash_format */
};

#define ES_STREAM_PART_MAX 101u

struct es_route {
    struct hf_bytes index;
    bool is_stream;
    const char *type;
    char type_room[16];
    char dataset[ES_STREAM_PART_MAX], namespace[ES_STREAM_PART_MAX];
};

/* HF_INVALID: data_stream.type of mode bodymap is neither logs nor metrics. HF_NOMEM. */
HF_MUST_USE enum hf_status es_route_make(struct es_route *route,
                                         const struct es_route_input *input);
void es_route_release(struct es_route *route);
