/*
 * prometheus_print: the table as a page of Prometheus's text format 0.0.4, or of OpenMetrics 1.0,
 * printed part by part: between two of them the table may change.
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

/* The series that was printed last. Zeroed at first, prometheus_cursor_release() at last. */
struct prometheus_cursor {
    struct hf_bytes family, labels; /* no family: none was */
    enum hf_prom_kind kind;         /* of the family */
    bool is_done;                   /* the page is whole */
};

/*
 * Appends the next part of the page: what stands behind the cursor, until there are `enough` bytes.
 * Series come in the order of their families and labels, so that none is printed twice, and none is
 * left out that is there all the time. Sorts the families. HF_NOMEM.
 */
HF_MUST_USE enum hf_status prometheus_print(struct prometheus_table *table,
                                            const struct prometheus_style *style,
                                            struct prometheus_cursor *cursor, size_t enough,
                                            struct hf_bytes *out);
void prometheus_cursor_release(struct prometheus_cursor *cursor);
