/*
 * exemplar: an exemplar of Prometheus as one of OTLP, and its milliseconds as nanoseconds. Any
 * thread; no state.
 */
#pragma once

#include <stdint.h>

#include "exposition.h"
#include "pdata/build.h"

/* Times before 1970 are 0. */
uint64_t hf_prom_time_ns(int64_t time_ms);

/* Appends an exemplar to the point that is open. Labels trace_id and span_id become its ids when
 * they are hexadecimal, all others attributes. */
void hf_prom_put_exemplar(struct hf_builder *builder, const struct hf_expo_exemplar *exemplar);
