/*
 * my_queries: queries whose rows are points, each with the points that its columns are.
 *
 * Constant.
 */
#pragma once

#include <stddef.h>

#include "support/scrape/metric_points.h"

#define MY_LABELS_MAX 3u

/* A query whose first columns are attributes of the points that the others are. */
struct my_query {
    const char *text;
    const char *labels[MY_LABELS_MAX + 1]; /* up to a NULL */
    const struct hf_points_column *columns;
    size_t column_count;
};

extern const struct my_query my_pool_limit, my_transactions, my_table_io, my_index_io, my_sizes,
    my_lock_waits, my_execution_time, my_sessions;
/* It has no text: that is MY_STATEMENTS. */
extern const struct my_query my_statements;
/* MySQL from 8.0.11 to 8.0.29; a later one says it in its status, and so does MariaDB. */
extern const struct my_query my_log_status;

/* A format: characters of a statement (%lld), seconds since it was last seen (%llu), statements
 * (%lld). */
#define MY_STATEMENTS                                                                              \
    "SELECT SCHEMA_NAME, DIGEST, LEFT(DIGEST_TEXT, %lld), SUM_TIMER_WAIT DIV 1000, SUM_ERRORS, "   \
    "SUM_WARNINGS, SUM_ROWS_AFFECTED, SUM_ROWS_SENT, SUM_ROWS_EXAMINED, "                          \
    "SUM_CREATED_TMP_DISK_TABLES, SUM_CREATED_TMP_TABLES, SUM_SORT_MERGE_PASSES, SUM_SORT_ROWS, "  \
    "SUM_NO_INDEX_USED FROM performance_schema.events_statements_summary_by_digest "               \
    "WHERE SCHEMA_NAME NOT IN ('mysql', 'performance_schema', 'information_schema') "              \
    "AND LAST_SEEN > DATE_SUB(NOW(), INTERVAL %llu SECOND) "                                       \
    "ORDER BY SUM_TIMER_WAIT DESC LIMIT %lld"
