#include "my_look.h"

#include <stdio.h>

#include <holdfast/component.h>

#include "my_status.h"
#include "util/time/clock.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))
#define LABELS_MAX 3u
#define QUERY_MAX 1024

struct look {
    struct my_server *server;
    struct hf_scrape *scrape;
    struct hf_patience patience;
    struct hf_points *points;
    struct my_status status;
    const struct query *query; /* whose rows come */
};

/* A query whose first columns are attributes of the points that the others are. */
struct query {
    const char *text;
    const char *labels[LABELS_MAX + 1]; /* up to a NULL */
    const struct hf_points_column *columns;
    size_t column_count;
};

/* ---- queries ---- */

#define NS(column) column " DIV 1000" /* of picoseconds */
#define NOT_OWN " WHERE OBJECT_SCHEMA NOT IN ('mysql', 'performance_schema')"
#define TABLE_LABELS                                                                               \
    {                                                                                              \
        "schema", "table"                                                                          \
    }

static const struct hf_points_column limit_columns[] = {{.id = MY_POOL_LIMIT}};

static const struct query pool_limit = {
    .text = "SELECT @@GLOBAL.innodb_buffer_pool_size", /* innodb_metrics of MariaDB has pages */
    .columns = limit_columns,
    .column_count = COUNT(limit_columns),
};

#define IO_COLUMNS(kind)                                                                           \
    {.id = MY_##kind##_IO_COUNT, .key = "operation", .value = "delete"},                           \
        {.id = MY_##kind##_IO_COUNT, .key = "operation", .value = "fetch"},                        \
        {.id = MY_##kind##_IO_COUNT, .key = "operation", .value = "insert"},                       \
        {.id = MY_##kind##_IO_COUNT, .key = "operation", .value = "update"},                       \
        {.id = MY_##kind##_IO_TIME, .key = "operation", .value = "delete"},                        \
        {.id = MY_##kind##_IO_TIME, .key = "operation", .value = "fetch"},                         \
        {.id = MY_##kind##_IO_TIME, .key = "operation", .value = "insert"},                        \
        {.id = MY_##kind##_IO_TIME, .key = "operation", .value = "update"},
#define IO_VALUES                                                                                  \
    "COUNT_DELETE, COUNT_FETCH, COUNT_INSERT, COUNT_UPDATE, " NS("SUM_TIMER_DELETE") ", " NS(      \
        "SUM_TIMER_FETCH") ", " NS("SUM_TIMER_INSERT") ", " NS("SUM_TIMER_UPDATE")

static const struct hf_points_column table_io_columns[] = {IO_COLUMNS(TABLE)};
static const struct hf_points_column index_io_columns[] = {IO_COLUMNS(INDEX)};

static const struct query table_io = {
    .text = "SELECT OBJECT_SCHEMA, OBJECT_NAME, " IO_VALUES
            " FROM performance_schema.table_io_waits_summary_by_table" NOT_OWN,
    .labels = TABLE_LABELS,
    .columns = table_io_columns,
    .column_count = COUNT(table_io_columns),
};

static const struct query index_io = {
    .text = "SELECT OBJECT_SCHEMA, OBJECT_NAME, COALESCE(INDEX_NAME, 'NONE'), " IO_VALUES
            " FROM performance_schema.table_io_waits_summary_by_index_usage" NOT_OWN,
    .labels = {"schema", "table", "index"},
    .columns = index_io_columns,
    .column_count = COUNT(index_io_columns),
};

static const struct hf_points_column size_columns[] = {
    {.id = MY_TABLE_ROWS},
    {.id = MY_ROW_LENGTH},
    {.id = MY_TABLE_SIZE, .key = "kind", .value = "data"},
    {.id = MY_TABLE_SIZE, .key = "kind", .value = "index"},
};

static const struct query sizes = {
    .text = "SELECT TABLE_SCHEMA, TABLE_NAME, COALESCE(TABLE_ROWS, 0), "
            "COALESCE(AVG_ROW_LENGTH, 0), COALESCE(DATA_LENGTH, 0), COALESCE(INDEX_LENGTH, 0) "
            "FROM information_schema.TABLES "
            "WHERE TABLE_SCHEMA NOT IN ('information_schema', 'sys')",
    .labels = TABLE_LABELS,
    .columns = size_columns,
    .column_count = COUNT(size_columns),
};

static const struct hf_points_column statement_columns[] = {
    {.id = MY_STATEMENT_TIME},
    {.id = MY_STATEMENT_COUNT, .key = "kind", .value = "errors"},
    {.id = MY_STATEMENT_COUNT, .key = "kind", .value = "warnings"},
    {.id = MY_STATEMENT_COUNT, .key = "kind", .value = "rows_affected"},
    {.id = MY_STATEMENT_COUNT, .key = "kind", .value = "rows_sent"},
    {.id = MY_STATEMENT_COUNT, .key = "kind", .value = "rows_examined"},
    {.id = MY_STATEMENT_COUNT, .key = "kind", .value = "created_tmp_disk_tables"},
    {.id = MY_STATEMENT_COUNT, .key = "kind", .value = "created_tmp_tables"},
    {.id = MY_STATEMENT_COUNT, .key = "kind", .value = "sort_merge_passes"},
    {.id = MY_STATEMENT_COUNT, .key = "kind", .value = "sort_rows"},
    {.id = MY_STATEMENT_COUNT, .key = "kind", .value = "no_index_used"},
};

/* With three numbers of the configuration. */
#define STATEMENTS                                                                                 \
    "SELECT SCHEMA_NAME, DIGEST, LEFT(DIGEST_TEXT, %lld), " NS(                                    \
        "SUM_TIMER_WAIT") ", "                                                                     \
                          "SUM_ERRORS, SUM_WARNINGS, SUM_ROWS_AFFECTED, SUM_ROWS_SENT, "           \
                          "SUM_ROWS_EXAMINED, "                                                    \
                          "SUM_CREATED_TMP_DISK_TABLES, SUM_CREATED_TMP_TABLES, "                  \
                          "SUM_SORT_MERGE_PASSES, SUM_SORT_ROWS, "                                 \
                          "SUM_NO_INDEX_USED FROM "                                                \
                          "performance_schema.events_statements_summary_by_digest "                \
                          "WHERE SCHEMA_NAME NOT IN ('mysql', 'performance_schema', "              \
                          "'information_schema') "                                                 \
                          "AND LAST_SEEN > DATE_SUB(NOW(), INTERVAL %llu SECOND) "                 \
                          "ORDER BY SUM_TIMER_WAIT DESC LIMIT %lld"

#define LOCK_COLUMNS(kind)                                                                         \
    {.id = MY_LOCK_READ_##kind, .key = "kind", .value = "normal"},                                 \
        {.id = MY_LOCK_READ_##kind, .key = "kind", .value = "with_shared_locks"},                  \
        {.id = MY_LOCK_READ_##kind, .key = "kind", .value = "high_priority"},                      \
        {.id = MY_LOCK_READ_##kind, .key = "kind", .value = "no_insert"},                          \
        {.id = MY_LOCK_READ_##kind, .key = "kind", .value = "external"},                           \
        {.id = MY_LOCK_WRITE_##kind, .key = "kind", .value = "allow_write"},                       \
        {.id = MY_LOCK_WRITE_##kind, .key = "kind", .value = "concurrent_insert"},                 \
        {.id = MY_LOCK_WRITE_##kind, .key = "kind", .value = "low_priority"},                      \
        {.id = MY_LOCK_WRITE_##kind, .key = "kind", .value = "normal"},                            \
        {.id = MY_LOCK_WRITE_##kind, .key = "kind", .value = "external"},

static const struct hf_points_column lock_columns[] = {LOCK_COLUMNS(COUNT) LOCK_COLUMNS(TIME)};

static const struct query lock_waits = {
    .text =
        "SELECT OBJECT_SCHEMA, OBJECT_NAME, COUNT_READ_NORMAL, "
        "COUNT_READ_WITH_SHARED_LOCKS, "
        "COUNT_READ_HIGH_PRIORITY, COUNT_READ_NO_INSERT, COUNT_READ_EXTERNAL, "
        "COUNT_WRITE_ALLOW_WRITE, COUNT_WRITE_CONCURRENT_INSERT, COUNT_WRITE_LOW_PRIORITY, "
        "COUNT_WRITE_NORMAL, COUNT_WRITE_EXTERNAL, " NS("SUM_TIMER_READ_NORMAL") ", " NS(
            "SUM_"
            "TIMER_"
            "READ_"
            "WITH_"
            "SHARED_"
            "LOCKS") ", " NS("SUM_TIMER_READ_HIGH_PRIORITY") ", " NS("SUM_TIMER_READ_NO_"
                                                                     "INSERT") ", " NS("SUM"
                                                                                       "_TI"
                                                                                       "MER"
                                                                                       "_RE"
                                                                                       "AD_"
                                                                                       "EXT"
                                                                                       "ERN"
                                                                                       "AL") ","
                                                                                             " " NS("SUM_TIMER_WRITE_ALLOW_WRITE") ", " NS(
                                                                                                 "S"
                                                                                                 "U"
                                                                                                 "M"
                                                                                                 "_"
                                                                                                 "T"
                                                                                                 "I"
                                                                                                 "M"
                                                                                                 "E"
                                                                                                 "R"
                                                                                                 "_"
                                                                                                 "W"
                                                                                                 "R"
                                                                                                 "I"
                                                                                                 "T"
                                                                                                 "E"
                                                                                                 "_"
                                                                                                 "C"
                                                                                                 "O"
                                                                                                 "N"
                                                                                                 "C"
                                                                                                 "U"
                                                                                                 "R"
                                                                                                 "R"
                                                                                                 "E"
                                                                                                 "N"
                                                                                                 "T"
                                                                                                 "_"
                                                                                                 "I"
                                                                                                 "N"
                                                                                                 "S"
                                                                                                 "E"
                                                                                                 "R"
                                                                                                 "T") ","
                                                                                                      " " NS("SUM_TIMER_WRITE_LOW_PRIORITY") ", " NS(
                                                                                                          "SUM_TIMER_WRITE_NORMAL") ", " NS("SUM_TIMER_WRITE_EXTERNAL") " FROM performance_schema.table_lock_waits_summary_by_table"
                                                                                                                                                                        " WHERE OBJECT_SCHEMA NOT IN ('mysql', 'performance_schema', 'information_schema')",
    .labels = TABLE_LABELS,
    .columns = lock_columns,
    .column_count = COUNT(lock_columns),
};

/* ---- asking ---- */

static bool wants(const struct look *look, unsigned id)
{
    return look->server->config->wanted.metrics[id];
}

/* False: the connection is of no use, or the scrape is to end. */
static bool ask(struct look *look, const char *text,
                void (*take)(void *user, const struct hf_mysql_row *row))
{
    char why[HF_ERROR_MAX];
    enum hf_status status =
        hf_mysql_ask(look->server->mysql, text, &look->patience, take, look, why);
    if (status != HF_OK && status != HF_CLOSED) {
        hf_scrape_failed(look->scrape, 0, 1, "asking %.200s failed: %s",
                         look->server->config->net.endpoint, why);
    }
    return status == HF_OK || status == HF_INVALID;
}

static void take_row(void *user, const struct hf_mysql_row *row)
{
    struct look *look = user;
    const struct query *query = look->query;
    struct hf_points_attribute labels[LABELS_MAX];
    unsigned count = 0;
    for (; query->labels[count] != NULL; count++) {
        labels[count] = (struct hf_points_attribute){.key = query->labels[count],
                                                     .text = hf_mysql_text(row, count)};
    }
    for (unsigned i = 0; i < query->column_count; i++) {
        hf_points_column(look->points, &query->columns[i], hf_mysql_text(row, count + i), labels,
                         count);
    }
}

static bool ask_query(struct look *look, const struct query *query)
{
    bool is_wanted = false;
    for (size_t i = 0; i < query->column_count; i++) {
        is_wanted = is_wanted || wants(look, query->columns[i].id);
    }
    look->query = query;
    return !is_wanted || ask(look, query->text, take_row);
}

static bool ask_statements(struct look *look)
{
    const struct my_config *config = look->server->config;
    char text[QUERY_MAX];
    snprintf(text, sizeof(text), STATEMENTS, (long long)config->statements.digest_text_limit,
             (unsigned long long)(config->statements.time_limit_ns / HF_NS_PER_S),
             (long long)config->statements.limit);
    const struct query statements = {.text = text,
                                     .labels = {"schema", "digest", "digest_text"},
                                     .columns = statement_columns,
                                     .column_count = COUNT(statement_columns)};
    return ask_query(look, &statements);
}

static void take_status(void *user, const struct hf_mysql_row *row)
{
    struct look *look = user;
    my_status_take(&look->status, hf_mysql_text(row, 0), hf_mysql_text(row, 1));
}

static bool ask_status(struct look *look)
{
    look->status = (struct my_status){.points = look->points};
    bool is_good = ask(look, "SHOW GLOBAL STATUS", take_status);
    my_status_end(&look->status);
    return is_good;
}

/* A replica tells of each source in a row, whose columns differ between releases. */
static void take_replica(void *user, const struct hf_mysql_row *row)
{
    static const struct hf_points_column behind = {.id = MY_BEHIND_SOURCE},
                                         delay = {.id = MY_SQL_DELAY};
    struct look *look = user;
    unsigned at = hf_mysql_find(row, "Seconds_Behind_Source");
    if (at == row->count) {
        at = hf_mysql_find(row, "Seconds_Behind_Master");
    }
    hf_points_column(look->points, &behind, hf_mysql_text(row, at), NULL, 0);
    hf_points_column(look->points, &delay, hf_mysql_text(row, hf_mysql_find(row, "SQL_Delay")),
                     NULL, 0);
}

static bool ask_replica(struct look *look)
{
    const struct hf_mysql *mysql = look->server->mysql;
    bool is_new = !hf_mysql_is_mariadb(mysql) && hf_mysql_version(mysql) >= 80022;
    bool is_wanted = wants(look, MY_BEHIND_SOURCE) || wants(look, MY_SQL_DELAY);
    return !is_wanted ||
           ask(look, is_new ? "SHOW REPLICA STATUS" : "SHOW SLAVE STATUS", take_replica);
}

void my_look_run(struct my_server *server, struct hf_server_scraper *scraper,
                 struct hf_scrape *scrape)
{
    struct look look = {.server = server,
                        .scrape = scrape,
                        .patience = hf_server_scraper_patience(scraper, scrape),
                        .points = &scraper->points};
    char why[HF_ERROR_MAX];
    struct hf_mysql *mysql;
    enum hf_status status = my_server_ready(server, &look.patience, &mysql, why);
    if (status != HF_OK) {
        if (status != HF_CLOSED) {
            hf_scrape_failed(scrape, 0, 1, "connecting to %.200s failed: %s",
                             server->config->net.endpoint, why);
        }
        return;
    }
    bool is_good = ask_query(&look, &pool_limit) && ask_query(&look, &table_io) &&
                   ask_query(&look, &index_io) && ask_query(&look, &sizes) &&
                   ask_statements(&look) && ask_query(&look, &lock_waits) && ask_status(&look) &&
                   ask_replica(&look);
    if (!is_good) {
        my_server_lost(server);
    }
    my_server_name(server, scrape->builder);
    hf_server_scraper_write(scraper, scrape, scraper->begun_ns);
}
