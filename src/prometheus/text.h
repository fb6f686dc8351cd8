/*
 * text: numbers and escaped texts of Prometheus's text format and of OpenMetrics, appended to a
 * buffer. Any thread; no state. Each is HF_OK or HF_NOMEM.
 */
#pragma once

#include <stdbool.h>

#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "util/compress/compress.h"

/* The fewest digits that give the same number, with an exponent below 1e-4 and from 1e6; with
 * `pointed` an integer gets ".0", as OpenMetrics wants the bounds. */
HF_MUST_USE enum hf_status hf_prom_number(double number, bool pointed, struct hf_bytes *out);

/* A text without its quotes: of a label, or of HELP, where a quote stays unless `quotes`. */
HF_MUST_USE enum hf_status hf_prom_escape(struct hf_slice text, bool quotes, struct hf_bytes *out);
