/*
 * prw_series: one request, a WriteRequest of version 1 or a Request of version 2: series by their
 * labels, what they hold by time. Owned by one thread: zeroed but for `version` at first,
 * prw_series_release() at last; its memory is kept between requests.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "pdata/wire.h"
#include "prw_labels.h"
#include "util/compress/compress.h"

/* In the order of version 1, whose fields of a TimeSeries they are. */
enum prw_piece_kind { PRW_SAMPLE = 2, PRW_EXEMPLAR = 3, PRW_HISTOGRAM = 4 };
enum prw_version { PRW_VERSION_1 = 0, PRW_VERSION_2 };

struct prw_piece {
    uint32_t series, order;
    enum prw_piece_kind kind;
    int64_t time_ms;
    int64_t start_ms; /* of a sample; 0: not known */
    double value;     /* likewise */
    size_t at, size;  /* of the others, in `texts` */
};

struct prw_one_series {
    size_t at, size; /* its labels and, in version 2, its metadata as they are sent, in `texts` */
    uint64_t hash;
};

struct prw_series {
    enum prw_version version;
    /* Of version 2: what is told of the series that are found next, and the start of the samples
     * that are added next; 0: not known. */
    struct prw_about {
        unsigned type;
        struct hf_slice help, unit;
    } about;
    int64_t start_ms;
    struct prw_symbols symbols;
    struct prw_piece *pieces;
    size_t piece_count, piece_capacity;
    struct prw_one_series *items;
    size_t count, capacity;
    uint32_t *table; /* of hashes: number of the series, plus 1 */
    size_t table_size;
    struct hf_bytes texts, metadata; /* whole fields of the request */
};

/* HF_NOMEM. */
HF_MUST_USE enum hf_status prw_series_begin(struct prw_series *series);

/* Labels as the version writes them, in a TimeSeries or an exemplar. */
void prw_series_put_labels(struct prw_series *series, struct prw_labels *labels,
                           struct hf_wire_writer *writer);

/* The series of these labels, which get sorted; made when it is not there. HF_NOMEM. */
HF_MUST_USE enum hf_status prw_series_find(struct prw_series *series, struct prw_labels *labels,
                                           uint32_t *ret_series);

HF_MUST_USE enum hf_status prw_series_sample(struct prw_series *series, uint32_t of,
                                             int64_t time_ms, double value);
/* An exemplar or histogram whose content was appended to `texts` from `at` on. */
HF_MUST_USE enum hf_status prw_series_made(struct prw_series *series, uint32_t of,
                                           enum prw_piece_kind kind, int64_t time_ms, size_t at);

/* Appends the request. HF_NOMEM. */
HF_MUST_USE enum hf_status prw_series_write(struct prw_series *series, struct hf_bytes *out);

void prw_series_release(struct prw_series *series);
