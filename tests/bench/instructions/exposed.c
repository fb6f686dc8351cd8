/*
 * bench-exposed PART POINTS: folds requests of 100 points into the table of the exporter prometheus
 * (`fold`), or prints the table as often as that (`print`), so many points in all. For counting
 * instructions.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../../chaos/storm/body.h"
#include "components/exporters/prometheus/prometheus_fold.h"
#include "components/exporters/prometheus/prometheus_print.h"

#define POINTS 100u

static enum hf_status print_all(struct prometheus_table *table, struct hf_bytes *page)
{
    const struct prometheus_style style = {.constant = HF_EMPTY_SLICE};
    struct prometheus_cursor cursor = {.is_done = false};
    enum hf_status status = HF_OK;
    page->size = 0;
    while (status == HF_OK && !cursor.is_done) {
        status = prometheus_print(table, &style, &cursor, SIZE_MAX / 2, page);
    }
    prometheus_cursor_release(&cursor);
    return status;
}

int main(int argc, char **argv)
{
    const struct prometheus_config config = {.add_metric_suffixes = true};
    struct prometheus_table table;
    prometheus_table_init(&table, POINTS + 1);
    struct prometheus_fold fold;
    struct storm_body body;
    struct hf_bytes page = {0};
    bool prints = argc == 3 && strcmp(argv[1], "print") == 0;
    if (argc != 3 || (!prints && strcmp(argv[1], "fold") != 0)) {
        fputs("usage: bench-exposed fold|print POINTS\n", stderr);
        return 2;
    }
    if (!storm_body_make(&body, HF_METRICS, POINTS, 1) ||
        prometheus_fold_init(&fold, &config, &table) != HF_OK) {
        return 1;
    }
    struct hf_slice request = hf_slice_of(body.bytes.data, body.bytes.size);
    enum hf_status status = HF_OK;
    for (unsigned long left = strtoul(argv[2], NULL, 10); left >= POINTS; left -= POINTS) {
        fold.now_ns = left;
        if (!prints || table.by_labels.count == 0) {
            status = prometheus_fold_request(&fold, request);
        }
        status = status == HF_OK && prints ? print_all(&table, &page) : status;
        if (status != HF_OK || table.by_labels.count < POINTS || fold.rejected != 0) {
            fputs("the points were not folded\n", stderr);
            return 1;
        }
    }
    hf_bytes_release(&page);
    prometheus_table_clear(&table);
    prometheus_fold_release(&fold);
    storm_body_release(&body);
    return 0;
}
