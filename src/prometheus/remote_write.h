/*
 * remote_write: the requests of Prometheus' remote write, version 1 (prometheus.WriteRequest) and 2
 * (io.prometheus.write.v2.Request, with the start of a series in its samples as since rc.4, or in
 * the series as before), as OTLP metrics.
 *
 * `job` and `instance` become the resource's service.namespace, service.name and
 * service.instance.id, and the labels of target_info of the same two its other attributes;
 * otel_scope_ labels become the scope, all others attributes. A sample becomes a point of a gauge
 * or a sum, by the type that the metadata tell; so does each series of a classic histogram or
 * summary, because their parts may come in different requests. Native histograms become exponential
 * ones, those with buckets of their own explicit ones. A staleness marker is a point without a
 * value. Exemplars belong to the last point of their series in the request.
 *
 * Any thread; what is kept between requests is in struct hf_prom_remote_memory.
 */
#pragma once

#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "pdata/build.h"
#include "remote_memory.h"

#define HF_PROM_REMOTE_ERROR_MAX 256

/* Both are borrowed; NULL: what is told counts for its own request. */
struct hf_prom_remote_memory {
    struct hf_prom_memory *targets;  /* what target_info says */
    struct hf_prom_memory *families; /* version 1: metadata, which come in requests of their own */
};

struct hf_prom_remote_options {
    bool is_2;
    struct hf_prom_remote_memory memory;
};

struct hf_prom_remote_result {
    /* What has been written, as the protocol counts it; samples of target_info too. */
    uint32_t samples, histograms, exemplars;
    uint32_t refused;                   /* series and histograms that are not */
    char why[HF_PROM_REMOTE_ERROR_MAX]; /* of the first of them */
};

/*
 * Appends the points; the builder may have a part of them after a failure. HF_INVALID, with a
 * sentence in `reterr` (HF_PROM_REMOTE_ERROR_MAX): it is no such request; HF_TOO_LARGE likewise:
 * what becomes of it does not fit the builder's limit, or it has too many series for its size.
 * HF_NOMEM.
 */
HF_MUST_USE enum hf_status hf_prom_remote_read(struct hf_slice body,
                                               const struct hf_prom_remote_options *options,
                                               struct hf_builder *builder,
                                               struct hf_prom_remote_result *ret_result,
                                               char *reterr);
