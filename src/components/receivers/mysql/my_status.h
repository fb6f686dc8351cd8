/*
 * my_status: the answer to SHOW GLOBAL STATUS as points.
 *
 * Owned by one thread: zeroed, my_status_take() for each row, my_status_end() at last.
 */
#pragma once

#include "my_metrics.h"
#include "support/scrape/metric_points.h"

struct my_number {
    bool is_there;
    int64_t value;
};

struct my_share {
    struct my_number all, part;
};

struct my_status {
    struct hf_points *points;
    /* Of the InnoDB buffer pool, of which the clean rest is computed; of its log, of which the age
     * of the last checkpoint is. */
    struct my_share pages, bytes, log;
    struct my_number replica_tables; /* MySQL has it twice, by two names */
};

extern const struct hf_metric_row my_rows[];

/* A variable that no metric is made of is nothing, and so is a value that is no number. */
void my_status_take(struct my_status *status, struct hf_slice name, struct hf_slice value);
void my_status_end(struct my_status *status);
