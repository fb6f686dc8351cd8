/*
 * names: the names of OTLP metrics and attributes as Prometheus wants them, with the unit and the
 * kind as suffixes. Any thread; no state.
 */
#pragma once

#include <stdbool.h>

#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "util/compress/compress.h"

enum hf_prom_kind {
    HF_PROM_GAUGE = 0,
    HF_PROM_COUNTER,
    HF_PROM_HISTOGRAM,
    HF_PROM_SUMMARY, /* also of what has no suffix of its kind */
};

struct hf_prom_naming {
    const char *name_space; /* before each name, with `_`; NULL or "": none */
    bool suffixes;          /* the unit, `_total`, `_ratio` */
    bool is_utf8;           /* other characters stay as they are */
};

/*
 * Appends the metric's name. HF_INVALID: nothing is left of the name. HF_NOMEM. `out` is as before
 * then.
 */
HF_MUST_USE enum hf_status hf_prom_metric_name(const struct hf_prom_naming *naming,
                                               struct hf_slice name, struct hf_slice unit,
                                               enum hf_prom_kind kind, struct hf_bytes *out);

/* Appends the label's name: `http.method` is `http_method`. HF_NOMEM. */
HF_MUST_USE enum hf_status hf_prom_label_name(struct hf_slice name, struct hf_bytes *out);

/* The four values of the key `translation_strategy`. */
enum hf_prom_strategy {
    HF_PROM_UNDERSCORES_SUFFIXES = 0,
    HF_PROM_UNDERSCORES_PLAIN,
    HF_PROM_UTF8_SUFFIXES,
    HF_PROM_AS_IS,
};

/* For the table of fields; ends with NULL. */
extern const char *const hf_prom_strategies[];

static inline bool hf_prom_strategy_is_utf8(enum hf_prom_strategy strategy)
{
    return strategy == HF_PROM_UTF8_SUFFIXES || strategy == HF_PROM_AS_IS;
}

static inline bool hf_prom_strategy_has_suffixes(enum hf_prom_strategy strategy)
{
    return strategy == HF_PROM_UNDERSCORES_SUFFIXES || strategy == HF_PROM_UTF8_SUFFIXES;
}
