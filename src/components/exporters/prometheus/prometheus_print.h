/*
 * prometheus_print: the table as a page of Prometheus's text format 0.0.4, or of OpenMetrics 1.0.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "prometheus/escaping.h"
#include "prometheus_table.h"
#include "util/compress/compress.h"

struct prometheus_style {
    bool open_metrics, timestamps;
    enum hf_prom_escaping escaping; /* of names that are not classic */
    struct hf_slice constant;       /* labels of every series but target_info, as printed */
    uint64_t since_ns;              /* Unix time: series without a later update are not shown */
};

/* Appends the page; sorts the families. HF_NOMEM. */
HF_MUST_USE enum hf_status prometheus_print(struct prometheus_table *table,
                                            const struct prometheus_style *style,
                                            struct hf_bytes *out);
