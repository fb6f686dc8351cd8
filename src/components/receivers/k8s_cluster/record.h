/*
 * record: the resources and points that one object of the cluster stands for, kept as compact bytes
 * from one change to the next and written out at each scrape.
 *
 * Owned by one thread. When memory runs out the record notes it and ignores what follows.
 */
#pragma once

#include "cluster_metrics.h"
#include "cluster_resources.h"
#include "util/compress/compress.h"

struct endpoint_tally;

struct record {
    struct hf_bytes bytes;
    bool failed;
};

/* ---- making one: a resource, its attributes, its points; the next resource ---- */

void record_resource(struct record *record);
/* `id` of CLUSTER_RESOURCES; an empty text is an attribute, too. */
void record_name(struct record *record, unsigned id, struct hf_slice text);
void record_flag(struct record *record, unsigned id, bool flag);
/* `metric` of CLUSTER_METRICS, or of a name in the configuration. The points of a metric follow one
 * another. `space` and `part` are the attributes that such a metric has; empty: none. */
void record_int(struct record *record, unsigned metric, int64_t value, struct hf_slice space,
                struct hf_slice part);
void record_double(struct record *record, unsigned metric, double value);
/* Here the points of SERVICE_ENDPOINTS of that service, "NAMESPACE/NAME". */
void record_endpoints(struct record *record, struct hf_slice service);

/* Endpoints of a slice, which are written with their service. */
struct record_slice {
    struct hf_slice service, where; /* `where`: the address type, NUL, the zone */
    uint16_t ready, serving, terminating;
};

void record_slice(struct record *record, const struct record_slice *slice);
/* The next one at `at`, which is 0 at first. False: there is none. */
HF_MUST_USE bool record_next_slice(const struct record *record, size_t *at,
                                   struct record_slice *ret_slice);

/* ---- writing it ---- */

extern const struct hf_metric_row cluster_rows[];

struct record_writer {
    struct hf_builder *builder;
    const struct hf_metric_choice *metrics; /* what is wanted, by the tables */
    const struct hf_resource_choice *resources;
    const struct hf_metric_row *extra;  /* of metrics that the configuration names */
    const struct endpoint_tally *tally; /* NULL: the slices are not known */
    struct hf_build_point point;
    uint32_t points; /* written so far */
};

void record_write(const struct record *record, struct record_writer *writer);
