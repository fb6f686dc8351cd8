/*
 * influx_lines: an Export request as lines of InfluxDB: metrics by one of three schemas, spans with
 * their events and links, log records. Owned by one thread: the first members set, the others
 * zeroed at first, influx_lines_release() at last; its memory is kept between requests.
 */
#pragma once

#include <holdfast/batch.h>
#include <holdfast/field.h>
#include <holdfast/status.h>

#include "encodings/influx/influx_put.h"
#include "pdata/walk.h"

enum influx_schema { INFLUX_PROMETHEUS_1 = 0, INFLUX_PROMETHEUS_2, INFLUX_OTEL_1 };

/* A tag of the line, or an attribute that is told in a field of JSON: `value` is a text or the
 * bytes of an AnyValue. */
struct influx_pair {
    struct hf_slice key, value;
};

struct influx_pairs {
    struct influx_pair *items;
    size_t count, capacity;
};

struct influx_lines {
    enum influx_schema schema;
    const struct hf_string_list *span_dimensions, *record_dimensions;
    struct hf_influx_writer writer; /* all but `out` set at first */

    struct hf_document *document;
    struct influx_pairs tags, others;
    struct hf_bytes scratch;
    uint64_t received_ns; /* the time of what has none */
    bool failed;          /* memory has run out */
    /* Of the last request: items without a form, and why the first of them has none. */
    uint64_t left_out;
    const char *why;
};

/* Appends the lines to `out`. HF_CORRUPT, HF_NOMEM. */
HF_MUST_USE enum hf_status influx_lines_write(struct influx_lines *lines, enum hf_signal signal,
                                              struct hf_slice raw, struct hf_bytes *out);
void influx_lines_release(struct influx_lines *lines);

/* ---- for influx_*.c ---- */

/* influx_pairs.c */
void influx_leave_out(struct influx_lines *lines, const char *why);
/* One of the key that is there already is replaced. */
void influx_pairs_set(struct influx_lines *lines, struct influx_pairs *pairs, struct hf_slice key,
                      struct hf_slice value);
/* The attributes of a message, as texts. NULL has none. */
void influx_tags_add(struct influx_lines *lines, struct hf_message *owner);
/* Those that are dimensions become tags, the others stay as they are in `others`. */
void influx_attributes_sort(struct influx_lines *lines, struct hf_message *owner,
                            const struct hf_string_list *dimensions);
void influx_tag_hex(struct influx_lines *lines, const char *key, struct hf_slice id);
/* All tags in the order of their keys, but for `but`, which is written last with that value; NULL:
 * all of them. */
void influx_tags_write(struct influx_lines *lines, const char *but, struct hf_slice value);
/* The field "attributes" of `others`, when there are any. */
void influx_others_write(struct influx_lines *lines);
bool influx_has_tag(const struct influx_lines *lines, const char *key);

void influx_metric_write(struct influx_lines *lines, const struct hf_place *place);
void influx_span_write(struct influx_lines *lines, const struct hf_place *place);
void influx_record_write(struct influx_lines *lines, const struct hf_place *place);
