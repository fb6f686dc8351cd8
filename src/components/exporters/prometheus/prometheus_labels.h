/*
 * prometheus_labels: attributes as the labels of a series: names translated, sorted, values of
 * equal names joined by `;`, printed. Owned by one thread: zeroed at first, released at last.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "pdata/attributes.h"
#include "prometheus/escaping.h"
#include "util/compress/compress.h"

struct prometheus_label {
    size_t name, name_size, value, value_size; /* in `texts` */
    size_t order;
};

struct prometheus_labels {
    struct prometheus_label *items;
    size_t count, capacity;
    struct hf_bytes texts;
    struct hf_bytes printed;
    bool is_utf8; /* names stay as they are */
};

void prometheus_labels_reset(struct prometheus_labels *labels);
/* A label whose name is translated, unless `is_utf8`. An empty value is no label. HF_NOMEM. */
HF_MUST_USE enum hf_status prometheus_labels_add(struct prometheus_labels *labels,
                                                 struct hf_slice name, struct hf_slice value);
/* `value` is the bytes of an AnyValue. HF_NOMEM. */
HF_MUST_USE enum hf_status prometheus_labels_add_any(struct prometheus_labels *labels,
                                                     struct hf_slice name, struct hf_slice value);
/* Labels that were printed, their names escaped. HF_NOMEM. */
HF_MUST_USE enum hf_status prometheus_labels_add_printed(struct prometheus_labels *labels,
                                                         struct hf_slice printed,
                                                         enum hf_prom_escaping escaping);
/* Has one of these labels a name in quotes? */
bool prometheus_labels_are_quoted(struct hf_slice printed);
/* `a="b",c="d","e.f"="g"`, names that are not classic in quotes; valid until the next print.
 * HF_NOMEM. */
HF_MUST_USE enum hf_status prometheus_labels_print(struct prometheus_labels *labels,
                                                   struct hf_slice *ret_text);
void prometheus_labels_release(struct prometheus_labels *labels);
