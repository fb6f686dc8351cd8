/*
 * escaping: names that are not of Prometheus' classic form, as a scraper asks for them: quoted, or
 * escaped by one of the schemes of its content negotiation. Any thread; no state.
 */
#pragma once

#include <stdbool.h>

#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "util/compress/compress.h"

enum hf_prom_escaping {
    HF_PROM_UNDERSCORES = 0, /* each other character is `_` */
    HF_PROM_ALLOW_UTF8,      /* as they are, in quotes */
    HF_PROM_DOTS,            /* `.` is `_dot_`, `_` and each other character `__` */
    HF_PROM_VALUES,          /* `U__` and the code of each other character in hex between `_` */
};

enum hf_prom_name { HF_PROM_METRIC_NAME = 0, HF_PROM_LABEL_NAME };

/* Letters, digits and `_`, and `:` of a metric, without a digit at first. */
HF_MUST_USE bool hf_prom_is_classic(enum hf_prom_name type, struct hf_slice name);

/* Appends the name, escaped unless it is classic; with HF_PROM_ALLOW_UTF8 as it is, without quotes.
 * HF_NOMEM. */
HF_MUST_USE enum hf_status hf_prom_escape_name(enum hf_prom_name type, struct hf_slice name,
                                               enum hf_prom_escaping escaping,
                                               struct hf_bytes *out);

/* By the parameter `escaping` of a header. False: there is no such scheme. */
HF_MUST_USE bool hf_prom_escaping_of(struct hf_slice text, enum hf_prom_escaping *ret_escaping);
const char *hf_prom_escaping_name(enum hf_prom_escaping escaping);
