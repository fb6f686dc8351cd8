/*
 * prometheus_negotiation: the format of a page and the escaping of its names, by the Accept header
 * of the scraper. Any thread; no state.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <holdfast/slice.h>

#include "prometheus/escaping.h"

#define PROMETHEUS_CONTENT_TYPE_MAX 120

struct prometheus_format {
    bool open_metrics;
    bool is_text_1; /* the text format's version 1.0.0, which has quoted names; else 0.0.4 */
    enum hf_prom_escaping escaping;
    bool has_escaping; /* the scraper has asked for it */
};

/* What is preferred; of equal weights OpenMetrics, then the newer text format. */
struct prometheus_format prometheus_negotiate(struct hf_slice accept, bool may_open_metrics);

/* May a page be compressed for that Accept-Encoding header? */
bool prometheus_accepts_gzip(struct hf_slice accept_encoding);

/* The Content-Type of such a page. */
void prometheus_content_type(const struct prometheus_format *format,
                             char room[PROMETHEUS_CONTENT_TYPE_MAX]);
