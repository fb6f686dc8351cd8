/*
 * exposition_protobuf: the family of a protobuf exposition that is being shown. For the files
 * that read protobuf only.
 */
#pragma once

#include "exposition.h"
#include "pdata/wire.h"

/* Fields of io.prometheus.client.Histogram. */
enum {
    HISTOGRAM_COUNT = 1,
    HISTOGRAM_SUM = 2,
    HISTOGRAM_BUCKET = 3,
    HISTOGRAM_COUNT_FLOAT = 4,
    HISTOGRAM_SCHEMA = 5,
    HISTOGRAM_ZERO_THRESHOLD = 6,
    HISTOGRAM_ZERO_COUNT = 7,
    HISTOGRAM_ZERO_COUNT_FLOAT = 8,
    HISTOGRAM_NEGATIVE_SPAN = 9,
    HISTOGRAM_NEGATIVE_DELTA = 10,
    HISTOGRAM_NEGATIVE_COUNT = 11,
    HISTOGRAM_POSITIVE_SPAN = 12,
    HISTOGRAM_POSITIVE_DELTA = 13,
    HISTOGRAM_POSITIVE_COUNT = 14,
    HISTOGRAM_CREATED = 15,
    HISTOGRAM_EXEMPLAR = 16,
};

/* What is shown of a metric, one after another. */
enum stage {
    SHOW_TYPE = 0,
    SHOW_HELP,
    SHOW_UNIT,
    SHOW_METRIC, /* the next one begins */
    SHOW_PARTS,  /* buckets or quantiles */
    SHOW_SUM,
    SHOW_COUNT,
    SHOW_NATIVE,
};

struct hf_expo_family {
    struct hf_slice name, help, unit;
    enum hf_expo_type type;
    enum stage stage;
    struct hf_wire metrics; /* the family's fields that are left */
    struct hf_slice metric; /* the one that is shown */
    struct hf_slice body;   /* its gauge, counter, summary or histogram */
    struct hf_wire parts;   /* of the body: what is left of its buckets or quantiles */
    bool has_infinite;      /* the bucket of all was among them */
    bool is_native, is_float;
    double sum, count;
    bool has_time, has_created;
    int64_t time_ms, created_ms;
};

/* A double by its bits; NaN is Prometheus' own, as the bits of a staleness marker are ours. */
double hf_expo_bits(uint64_t bits);

enum hf_expo_item hf_expo_malformed(struct hf_expo_reader *reader);

/* A Timestamp in milliseconds. False: it is malformed. */
HF_MUST_USE bool hf_expo_read_time(struct hf_slice bytes, int64_t *ret_ms);
/* Reads an exemplar behind those of the item. False: it is malformed. */
HF_MUST_USE bool hf_expo_read_exemplar(struct hf_expo_reader *reader, struct hf_slice bytes);
/* False: the series has it already, or too many. */
HF_MUST_USE bool hf_expo_add_label(struct hf_expo_reader *reader, struct hf_prom_label label);
/* The labels and times of the metric that is shown. False: they are malformed. */
HF_MUST_USE bool hf_expo_begin_series(struct hf_expo_reader *reader,
                                      const struct hf_expo_family *family);
/* The native histogram of the metric, as the item. False: it is malformed. */
HF_MUST_USE bool hf_expo_read_native(struct hf_expo_reader *reader,
                                     const struct hf_expo_family *family);
