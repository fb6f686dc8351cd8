/*
 * gather: the samples of one scrape put together to OTLP metrics, by the rules of the Go
 * collector's receiver: series of a family become the points of one metric; buckets, sum and count
 * become one point of a histogram; target_info and otel_scope_info become attributes of resource
 * and scope.
 *
 * begin, then what was read in its order, then write. Names, labels and texts are borrowed until
 * write has returned. When memory runs out this is noted, what follows is ignored, and write says
 * HF_NOMEM. Owned by one thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "exposition.h"
#include "labels.h"
#include "pdata/build.h"
#include "table.h"
#include "util/arena.h"

/* What a staleness marker has for a value, as bits. */
#define HF_PROM_STALE_NAN UINT64_C(0x7ff0000000000002)

double hf_prom_stale_value(void);
bool hf_prom_is_stale(double value);

struct hf_prom_gather_options {
    struct hf_slice job, instance;          /* of the target, for series that have lost theirs */
    struct hf_slice scheme;                 /* "http", "https": of the resource */
    const struct hf_prom_label *attributes; /* of the resource, besides those made of the above */
    size_t attribute_count;
    struct hf_slice scope_name, scope_version; /* of metrics that name no scope */
    bool trim_suffixes;                        /* unit and _total leave the metrics' names */
    /* Not NULL: says whether the value of a series of that name is the start of the process in
     * seconds, from which cumulative points without a start of their own begin. */
    bool (*is_start_time)(void *user, struct hf_slice name);
    void *user;
};

struct hf_prom_sample {
    struct hf_slice name;
    const struct hf_prom_label *labels; /* without the name, each name once; copied */
    const uint64_t *label_hashes;       /* of each, by hf_prom_label_hash(); NULL: not known */
    size_t label_count;
    double value;
    uint32_t number;                     /* of the scrape's samples; for replay.h */
    const struct hf_expo_native *native; /* instead of a value */
    int64_t time_ms;
    bool has_created;
    int64_t created_ms;
    const struct hf_expo_exemplar *exemplars;
    size_t exemplar_count;
};

struct hf_prom_gather {
    struct hf_prom_gather_options options;
    struct hf_arena *arena; /* of what is gathered */
    struct hf_prom_table metas, families, groups;
    struct gather_resource *resources, *last_resource;
    struct gather_family *last_family;
    uint64_t last_name_hash;
    double start_time_s; /* of the process; 0: not known */
    unsigned generation; /* of metadata */
    uint64_t skipped;    /* samples that do not fit their metric */
    bool failed;
};

void hf_prom_gather_init(struct hf_prom_gather *gather, struct hf_arena *arena);
void hf_prom_gather_release(struct hf_prom_gather *gather);

/* Begins a scrape. `options` is copied; the arena has been rewound by the caller. */
void hf_prom_gather_begin(struct hf_prom_gather *gather,
                          const struct hf_prom_gather_options *options);
/* TYPE, HELP or UNIT that the reader has read. */
void hf_prom_gather_metadata(struct hf_prom_gather *gather, enum hf_expo_item item,
                             const struct hf_expo_reader *reader);
/* What is known of families by now stays as it is; others can still be told. */
void hf_prom_gather_keep_metadata(struct hf_prom_gather *gather);
void hf_prom_gather_sample(struct hf_prom_gather *gather, const struct hf_prom_sample *sample);
/* Writes all of it. The builder is finished by the caller. */
HF_MUST_USE enum hf_status hf_prom_gather_write(struct hf_prom_gather *gather,
                                                struct hf_builder *builder);
