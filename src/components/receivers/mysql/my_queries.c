#include "my_queries.h"

#include "my_metrics.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

#define NOT_OWN " WHERE OBJECT_SCHEMA NOT IN ('mysql', 'performance_schema')"
#define TABLE_LABELS                                                                               \
    {                                                                                              \
        "schema", "table"                                                                          \
    }

static const struct hf_points_column limit_columns[] = {{.id = MY_POOL_LIMIT}};

const struct my_query my_pool_limit = {
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
/* Times are in picoseconds. */
#define IO_VALUES                                                                                  \
    "COUNT_DELETE, COUNT_FETCH, COUNT_INSERT, COUNT_UPDATE, SUM_TIMER_DELETE DIV 1000, "           \
    "SUM_TIMER_FETCH DIV 1000, SUM_TIMER_INSERT DIV 1000, SUM_TIMER_UPDATE DIV 1000"

static const struct hf_points_column table_io_columns[] = {IO_COLUMNS(TABLE)};
static const struct hf_points_column index_io_columns[] = {IO_COLUMNS(INDEX)};

const struct my_query my_table_io = {
    .text = "SELECT OBJECT_SCHEMA, OBJECT_NAME, " IO_VALUES
            " FROM performance_schema.table_io_waits_summary_by_table" NOT_OWN,
    .labels = TABLE_LABELS,
    .columns = table_io_columns,
    .column_count = COUNT(table_io_columns),
};

const struct my_query my_index_io = {
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

const struct my_query my_sizes = {
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

const struct my_query my_statements = {
    .labels = {"schema", "digest", "digest_text"},
    .columns = statement_columns,
    .column_count = COUNT(statement_columns),
};

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

const struct my_query my_lock_waits = {
    .text = "SELECT OBJECT_SCHEMA, OBJECT_NAME, COUNT_READ_NORMAL, COUNT_READ_WITH_SHARED_LOCKS, "
            "COUNT_READ_HIGH_PRIORITY, COUNT_READ_NO_INSERT, COUNT_READ_EXTERNAL, "
            "COUNT_WRITE_ALLOW_WRITE, COUNT_WRITE_CONCURRENT_INSERT, COUNT_WRITE_LOW_PRIORITY, "
            "COUNT_WRITE_NORMAL, COUNT_WRITE_EXTERNAL, SUM_TIMER_READ_NORMAL DIV 1000, "
            "SUM_TIMER_READ_WITH_SHARED_LOCKS DIV 1000, SUM_TIMER_READ_HIGH_PRIORITY DIV 1000, "
            "SUM_TIMER_READ_NO_INSERT DIV 1000, SUM_TIMER_READ_EXTERNAL DIV 1000, "
            "SUM_TIMER_WRITE_ALLOW_WRITE DIV 1000, SUM_TIMER_WRITE_CONCURRENT_INSERT DIV 1000, "
            "SUM_TIMER_WRITE_LOW_PRIORITY DIV 1000, SUM_TIMER_WRITE_NORMAL DIV 1000, "
            "SUM_TIMER_WRITE_EXTERNAL DIV 1000 "
            "FROM performance_schema.table_lock_waits_summary_by_table "
            "WHERE OBJECT_SCHEMA NOT IN ('mysql', 'performance_schema', 'information_schema')",
    .labels = TABLE_LABELS,
    .columns = lock_columns,
    .column_count = COUNT(lock_columns),
};

static const struct hf_points_column transaction_columns[] = {
    {.id = MY_HISTORY_LENGTH}, {.id = MY_TRANSACTIONS}, {.id = MY_TRANSACTION_LONGEST}};

const struct my_query my_transactions = {
    .text = "SELECT (SELECT `COUNT` FROM information_schema.INNODB_METRICS "
            "WHERE NAME = 'trx_rseg_history_len'), COUNT(*), "
            "COALESCE(MAX(TIMESTAMPDIFF(SECOND, trx_started, NOW())), 0) "
            "FROM information_schema.INNODB_TRX",
    .columns = transaction_columns,
    .column_count = COUNT(transaction_columns),
};

static const struct hf_points_column execution_columns[] = {
    {.id = MY_EXECUTION_TIME, .is_double = true}};

const struct my_query my_execution_time = {
    .text = "SELECT SUM(SUM_TIMER_WAIT) / 1e12 "
            "FROM performance_schema.events_statements_summary_by_digest",
    .columns = execution_columns,
    .column_count = COUNT(execution_columns),
};

static const struct hf_points_column session_columns[] = {{.id = MY_SESSIONS}};

const struct my_query my_sessions = {
    .text = "SELECT COUNT(*) FROM performance_schema.threads "
            "WHERE PROCESSLIST_ID <> CONNECTION_ID() AND PROCESSLIST_STATE <> '' "
            "AND PROCESSLIST_INFO <> '' AND PROCESSLIST_COMMAND NOT IN ('Sleep', 'Daemon')",
    .columns = session_columns,
    .column_count = COUNT(session_columns),
};

static const struct hf_points_column log_columns[] = {
    {.id = MY_LSN}, {.id = MY_LSN_CHECKPOINT}, {.id = MY_CHECKPOINT_AGE}};

#define LSN(member) "CAST(STORAGE_ENGINES->>'$.InnoDB." member "' AS SIGNED)"

const struct my_query my_log_status = {
    .text = "SELECT " LSN("LSN") ", " LSN("LSN_checkpoint") ", " LSN("LSN") " - " LSN(
        "LSN_checkpoint") " FROM performance_schema.log_status",
    .columns = log_columns,
    .column_count = COUNT(log_columns),
};
