#include "my_status.h"

const struct hf_metric_row my_rows[] = {MY_METRICS(HF_METRIC_ROW)};

static const struct {
    const char *name;
    struct hf_points_column column;
} variables[] = {
    {"Bytes_received", {.id = MY_NETWORK_IO, .key = "kind", .value = "received"}},
    {"Bytes_sent", {.id = MY_NETWORK_IO, .key = "kind", .value = "sent"}},
    {"Innodb_buffer_pool_pages_data", {.id = MY_POOL_PAGES, .key = "kind", .value = "data"}},
    {"Innodb_buffer_pool_pages_free", {.id = MY_POOL_PAGES, .key = "kind", .value = "free"}},
    {"Innodb_buffer_pool_pages_misc", {.id = MY_POOL_PAGES, .key = "kind", .value = "misc"}},
    {"Innodb_buffer_pool_pages_total", {.id = MY_POOL_PAGES, .key = "kind", .value = "total"}},
    {"Innodb_buffer_pool_pages_dirty", {.id = MY_DATA_PAGES, .key = "status", .value = "dirty"}},
    {"Innodb_buffer_pool_bytes_dirty", {.id = MY_POOL_USAGE, .key = "status", .value = "dirty"}},
    {"Innodb_buffer_pool_pages_flushed", {.id = MY_PAGE_FLUSHES}},
    {"Innodb_buffer_pool_read_ahead_rnd",
     {.id = MY_POOL_OPERATIONS, .key = "operation", .value = "read_ahead_rnd"}},
    {"Innodb_buffer_pool_read_ahead",
     {.id = MY_POOL_OPERATIONS, .key = "operation", .value = "read_ahead"}},
    {"Innodb_buffer_pool_read_ahead_evicted",
     {.id = MY_POOL_OPERATIONS, .key = "operation", .value = "read_ahead_evicted"}},
    {"Innodb_buffer_pool_read_requests",
     {.id = MY_POOL_OPERATIONS, .key = "operation", .value = "read_requests"}},
    {"Innodb_buffer_pool_reads", {.id = MY_POOL_OPERATIONS, .key = "operation", .value = "reads"}},
    {"Innodb_buffer_pool_wait_free",
     {.id = MY_POOL_OPERATIONS, .key = "operation", .value = "wait_free"}},
    {"Innodb_buffer_pool_write_requests",
     {.id = MY_POOL_OPERATIONS, .key = "operation", .value = "write_requests"}},
    {"Connection_errors_accept", {.id = MY_CONNECTION_ERRORS, .key = "error", .value = "accept"}},
    {"Connection_errors_internal",
     {.id = MY_CONNECTION_ERRORS, .key = "error", .value = "internal"}},
    {"Connection_errors_max_connections",
     {.id = MY_CONNECTION_ERRORS, .key = "error", .value = "max_connections"}},
    {"Connection_errors_peer_address",
     {.id = MY_CONNECTION_ERRORS, .key = "error", .value = "peer_address"}},
    {"Connection_errors_select", {.id = MY_CONNECTION_ERRORS, .key = "error", .value = "select"}},
    {"Connection_errors_tcpwrap", {.id = MY_CONNECTION_ERRORS, .key = "error", .value = "tcpwrap"}},
    {"Aborted_clients", {.id = MY_CONNECTION_ERRORS, .key = "error", .value = "aborted_clients"}},
    {"Aborted_connects", {.id = MY_CONNECTION_ERRORS, .key = "error", .value = "aborted"}},
    {"Locked_connects", {.id = MY_CONNECTION_ERRORS, .key = "error", .value = "locked"}},
    {"Connections", {.id = MY_CONNECTION_COUNT}},
    {"Max_used_connections", {.id = MY_CONNECTIONS_MAX}},
    {"Com_stmt_execute", {.id = MY_PREPARED, .key = "command", .value = "execute"}},
    {"Com_stmt_close", {.id = MY_PREPARED, .key = "command", .value = "close"}},
    {"Com_stmt_fetch", {.id = MY_PREPARED, .key = "command", .value = "fetch"}},
    {"Com_stmt_prepare", {.id = MY_PREPARED, .key = "command", .value = "prepare"}},
    {"Com_stmt_reset", {.id = MY_PREPARED, .key = "command", .value = "reset"}},
    {"Com_stmt_send_long_data", {.id = MY_PREPARED, .key = "command", .value = "send_long_data"}},
    {"Com_alter_table", {.id = MY_COMMANDS, .key = "command", .value = "alter_table"}},
    {"Com_create_index", {.id = MY_COMMANDS, .key = "command", .value = "create_index"}},
    {"Com_create_table", {.id = MY_COMMANDS, .key = "command", .value = "create_table"}},
    {"Com_delete", {.id = MY_COMMANDS, .key = "command", .value = "delete"}},
    {"Com_delete_multi", {.id = MY_COMMANDS, .key = "command", .value = "delete_multi"}},
    {"Com_insert", {.id = MY_COMMANDS, .key = "command", .value = "insert"}},
    {"Com_optimize", {.id = MY_COMMANDS, .key = "command", .value = "optimize"}},
    {"Com_select", {.id = MY_COMMANDS, .key = "command", .value = "select"}},
    {"Com_update", {.id = MY_COMMANDS, .key = "command", .value = "update"}},
    {"Com_update_multi", {.id = MY_COMMANDS, .key = "command", .value = "update_multi"}},
    {"Created_tmp_disk_tables",
     {.id = MY_TMP_RESOURCES, .key = "resource", .value = "disk_tables"}},
    {"Created_tmp_files", {.id = MY_TMP_RESOURCES, .key = "resource", .value = "files"}},
    {"Created_tmp_tables", {.id = MY_TMP_RESOURCES, .key = "resource", .value = "tables"}},
    {"Handler_commit", {.id = MY_HANDLERS, .key = "kind", .value = "commit"}},
    {"Handler_delete", {.id = MY_HANDLERS, .key = "kind", .value = "delete"}},
    {"Handler_discover", {.id = MY_HANDLERS, .key = "kind", .value = "discover"}},
    {"Handler_external_lock", {.id = MY_HANDLERS, .key = "kind", .value = "external_lock"}},
    {"Handler_mrr_init", {.id = MY_HANDLERS, .key = "kind", .value = "mrr_init"}},
    {"Handler_prepare", {.id = MY_HANDLERS, .key = "kind", .value = "prepare"}},
    {"Handler_read_first", {.id = MY_HANDLERS, .key = "kind", .value = "read_first"}},
    {"Handler_read_key", {.id = MY_HANDLERS, .key = "kind", .value = "read_key"}},
    {"Handler_read_last", {.id = MY_HANDLERS, .key = "kind", .value = "read_last"}},
    {"Handler_read_next", {.id = MY_HANDLERS, .key = "kind", .value = "read_next"}},
    {"Handler_read_prev", {.id = MY_HANDLERS, .key = "kind", .value = "read_prev"}},
    {"Handler_read_rnd", {.id = MY_HANDLERS, .key = "kind", .value = "read_rnd"}},
    {"Handler_read_rnd_next", {.id = MY_HANDLERS, .key = "kind", .value = "read_rnd_next"}},
    {"Handler_rollback", {.id = MY_HANDLERS, .key = "kind", .value = "rollback"}},
    {"Handler_savepoint", {.id = MY_HANDLERS, .key = "kind", .value = "savepoint"}},
    {"Handler_savepoint_rollback",
     {.id = MY_HANDLERS, .key = "kind", .value = "savepoint_rollback"}},
    {"Handler_update", {.id = MY_HANDLERS, .key = "kind", .value = "update"}},
    {"Handler_write", {.id = MY_HANDLERS, .key = "kind", .value = "write"}},
    {"Innodb_dblwr_pages_written",
     {.id = MY_DOUBLE_WRITES, .key = "kind", .value = "pages_written"}},
    {"Innodb_dblwr_writes", {.id = MY_DOUBLE_WRITES, .key = "kind", .value = "writes"}},
    {"Innodb_log_waits", {.id = MY_LOG_OPERATIONS, .key = "operation", .value = "waits"}},
    {"Innodb_log_write_requests",
     {.id = MY_LOG_OPERATIONS, .key = "operation", .value = "write_requests"}},
    {"Innodb_log_writes", {.id = MY_LOG_OPERATIONS, .key = "operation", .value = "writes"}},
    {"Innodb_os_log_fsyncs", {.id = MY_LOG_OPERATIONS, .key = "operation", .value = "fsyncs"}},
    {"Innodb_data_fsyncs", {.id = MY_OPERATIONS, .key = "operation", .value = "fsyncs"}},
    {"Innodb_data_reads", {.id = MY_OPERATIONS, .key = "operation", .value = "reads"}},
    {"Innodb_data_writes", {.id = MY_OPERATIONS, .key = "operation", .value = "writes"}},
    {"Innodb_pages_created", {.id = MY_PAGE_OPERATIONS, .key = "operation", .value = "created"}},
    {"Innodb_pages_read", {.id = MY_PAGE_OPERATIONS, .key = "operation", .value = "read"}},
    {"Innodb_pages_written", {.id = MY_PAGE_OPERATIONS, .key = "operation", .value = "written"}},
    {"Innodb_row_lock_waits", {.id = MY_ROW_LOCKS, .key = "kind", .value = "waits"}},
    {"Innodb_row_lock_time", {.id = MY_ROW_LOCKS, .key = "kind", .value = "time"}},
    {"Innodb_rows_deleted", {.id = MY_ROW_OPERATIONS, .key = "operation", .value = "deleted"}},
    {"Innodb_rows_inserted", {.id = MY_ROW_OPERATIONS, .key = "operation", .value = "inserted"}},
    {"Innodb_rows_read", {.id = MY_ROW_OPERATIONS, .key = "operation", .value = "read"}},
    {"Innodb_rows_updated", {.id = MY_ROW_OPERATIONS, .key = "operation", .value = "updated"}},
    {"Table_locks_immediate", {.id = MY_LOCKS, .key = "kind", .value = "immediate"}},
    {"Table_locks_waited", {.id = MY_LOCKS, .key = "kind", .value = "waited"}},
    {"Select_full_join", {.id = MY_JOINS, .key = "kind", .value = "full"}},
    {"Select_full_range_join", {.id = MY_JOINS, .key = "kind", .value = "full_range"}},
    {"Select_range", {.id = MY_JOINS, .key = "kind", .value = "range"}},
    {"Select_range_check", {.id = MY_JOINS, .key = "kind", .value = "range_check"}},
    {"Select_scan", {.id = MY_JOINS, .key = "kind", .value = "scan"}},
    {"Table_open_cache_hits", {.id = MY_OPEN_CACHE, .key = "status", .value = "hit"}},
    {"Table_open_cache_misses", {.id = MY_OPEN_CACHE, .key = "status", .value = "miss"}},
    {"Table_open_cache_overflows", {.id = MY_OPEN_CACHE, .key = "status", .value = "overflow"}},
    {"Queries", {.id = MY_QUERIES}},
    {"Questions", {.id = MY_CLIENT_QUERIES}},
    {"Slow_queries", {.id = MY_SLOW_QUERIES}},
    {"Sort_merge_passes", {.id = MY_SORTS, .key = "kind", .value = "merge_passes"}},
    {"Sort_range", {.id = MY_SORTS, .key = "kind", .value = "range"}},
    {"Sort_rows", {.id = MY_SORTS, .key = "kind", .value = "rows"}},
    {"Sort_scan", {.id = MY_SORTS, .key = "kind", .value = "scan"}},
    {"Threads_cached", {.id = MY_THREADS, .key = "kind", .value = "cached"}},
    {"Threads_connected", {.id = MY_THREADS, .key = "kind", .value = "connected"}},
    {"Threads_created", {.id = MY_THREADS, .key = "kind", .value = "created"}},
    {"Threads_running", {.id = MY_THREADS, .key = "kind", .value = "running"}},
    {"Opened_files", {.id = MY_OPENED, .key = "kind", .value = "file"}},
    {"Opened_tables", {.id = MY_OPENED, .key = "kind", .value = "table"}},
    {"Opened_table_definitions", {.id = MY_OPENED, .key = "kind", .value = "table_definition"}},
    {"Mysqlx_worker_threads", {.id = MY_MYSQLX_THREADS, .key = "kind", .value = "available"}},
    {"Mysqlx_worker_threads_active", {.id = MY_MYSQLX_THREADS, .key = "kind", .value = "active"}},
    {"Mysqlx_connections_accepted",
     {.id = MY_MYSQLX_CONNECTIONS, .key = "status", .value = "accepted"}},
    {"Mysqlx_connections_closed",
     {.id = MY_MYSQLX_CONNECTIONS, .key = "status", .value = "closed"}},
    {"Mysqlx_connections_rejected",
     {.id = MY_MYSQLX_CONNECTIONS, .key = "status", .value = "rejected"}},
    {"Innodb_data_read", {.id = MY_DATA_FILE_IO, .key = "disk.io.direction", .value = "read"}},
    {"Innodb_data_written", {.id = MY_DATA_FILE_IO, .key = "disk.io.direction", .value = "write"}},
    {"Innodb_data_pending_fsyncs", {.id = MY_PENDING, .key = "operation", .value = "fsyncs"}},
    {"Innodb_data_pending_reads", {.id = MY_PENDING, .key = "operation", .value = "reads"}},
    {"Innodb_data_pending_writes", {.id = MY_PENDING, .key = "operation", .value = "writes"}},
    {"Innodb_row_lock_current_waits", {.id = MY_ROW_LOCK_WAITS}},
    {"Key_blocks_unused", {.id = MY_KEY_BLOCKS_UNUSED}},
    {"Key_blocks_used", {.id = MY_KEY_BLOCKS_USED}},
    {"Key_reads", {.id = MY_KEY_DISK, .key = "operation", .value = "read"}},
    {"Key_writes", {.id = MY_KEY_DISK, .key = "operation", .value = "write"}},
    {"Key_read_requests", {.id = MY_KEY_REQUESTS, .key = "operation", .value = "read"}},
    {"Key_write_requests", {.id = MY_KEY_REQUESTS, .key = "operation", .value = "write"}},
    {"Open_files", {.id = MY_FILES_OPEN}},
    {"Open_tables", {.id = MY_TABLES_OPEN}},
    {"Slow_launch_threads", {.id = MY_SLOW_LAUNCHES}},
    {"Uptime", {.id = MY_UPTIME}},
    {"Innodb_page_size", {.id = MY_PAGE_SIZE}},
};

static void take_number(struct my_number *number, struct hf_slice name, struct hf_slice value,
                        const char *wanted)
{
    int64_t read;
    if (hf_slice_is(name, wanted) && hf_read_int(value, &read)) {
        *number = (struct my_number){.is_there = true, .value = read};
    }
}

static void take_milliseconds(struct my_status *status, unsigned id, struct hf_slice name,
                              struct hf_slice value, const char *wanted)
{
    double read;
    if (hf_slice_is(name, wanted) && hf_read_double(value, &read)) {
        hf_points_double(status->points, id, read / 1000, NULL, 0);
    }
}

void my_status_take(struct my_status *status, struct hf_slice name, struct hf_slice value)
{
    for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++) {
        if (hf_slice_is(name, variables[i].name)) {
            hf_points_column(status->points, &variables[i].column, value, NULL, 0);
            break;
        }
    }
    take_milliseconds(status, MY_ROW_LOCK_AVERAGE, name, value, "Innodb_row_lock_time_avg");
    take_milliseconds(status, MY_ROW_LOCK_LONGEST, name, value, "Innodb_row_lock_time_max");
    take_number(&status->pages.all, name, value, "Innodb_buffer_pool_pages_data");
    take_number(&status->pages.part, name, value, "Innodb_buffer_pool_pages_dirty");
    take_number(&status->bytes.all, name, value, "Innodb_buffer_pool_bytes_data");
    take_number(&status->bytes.part, name, value, "Innodb_buffer_pool_bytes_dirty");
    /* MySQL's names since 8.0.30 and since 8.0.26, and MariaDB's and those before. */
    take_number(&status->log.all, name, value, "Innodb_redo_log_current_lsn");
    take_number(&status->log.all, name, value, "Innodb_lsn_current");
    take_number(&status->log.part, name, value, "Innodb_redo_log_checkpoint_lsn");
    take_number(&status->log.part, name, value, "Innodb_lsn_last_checkpoint");
    take_number(&status->replica_tables, name, value, "Replica_open_temp_tables");
    take_number(&status->replica_tables, name, value, "Slave_open_temp_tables");
}

/* What of the one is not the other. */
static void add_rest(struct my_status *status, unsigned id, const struct my_share *share,
                     const struct hf_points_attribute *attributes, size_t count)
{
    int64_t rest;
    if (share->all.is_there && share->part.is_there &&
        !__builtin_sub_overflow(share->all.value, share->part.value, &rest)) {
        hf_points_int(status->points, id, rest, attributes, count);
    }
}

static void add_number(struct my_status *status, unsigned id, const struct my_number *number)
{
    if (number->is_there) {
        hf_points_int(status->points, id, number->value, NULL, 0);
    }
}

void my_status_end(struct my_status *status)
{
    const struct hf_points_attribute clean = {.key = "status", .text = hf_slice_text("clean")};
    add_rest(status, MY_DATA_PAGES, &status->pages, &clean, 1);
    add_rest(status, MY_POOL_USAGE, &status->bytes, &clean, 1);
    add_number(status, MY_LSN, &status->log.all);
    add_number(status, MY_LSN_CHECKPOINT, &status->log.part);
    add_rest(status, MY_CHECKPOINT_AGE, &status->log, NULL, 0);
    add_number(status, MY_REPLICA_TABLES, &status->replica_tables);
}
