/*
 * redis_info: the answer to INFO, and to CLUSTER INFO, as points. Pure; any thread.
 */
#pragma once

#include "redis_metrics.h"
#include "support/scrape/metric_points.h"

#define REDIS_DATABASES 16u

extern const struct hf_metric_row redis_rows[];

/* What the answers say beside the points. */
struct redis_facts {
    bool is_info;    /* it has uptime_in_seconds, as every answer to INFO */
    bool is_cluster; /* CLUSTER INFO has more */
    int64_t uptime_s;
    struct hf_slice version; /* of the answer; empty: not told */
    struct hf_slice run_id;  /* likewise; another one after each start of the server */
    uint32_t wrong;          /* values that are no numbers */
    char first_wrong[64];    /* the key of the first one */
};

/* Reads either answer; of several values of a key the last one counts. */
void redis_info_read(struct hf_slice text, struct redis_facts *ret_facts, struct hf_points *points);
