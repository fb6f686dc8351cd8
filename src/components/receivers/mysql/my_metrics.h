/*
 * my_metrics: the metrics and resource attributes of mysql, as tables.
 */
#pragma once

#include "support/scrape/metric_table.h"

#define MY_METRICS(X)                                                                              \
    X(MY_DATA_PAGES, "mysql.buffer_pool.data_pages", "1", UPDOWN, on,                              \
      "Pages of the InnoDB buffer pool that hold data, dirty and clean.")                          \
    X(MY_POOL_LIMIT, "mysql.buffer_pool.limit", "By", UPDOWN, on,                                  \
      "The size that the InnoDB buffer pool is set to.")                                           \
    X(MY_POOL_OPERATIONS, "mysql.buffer_pool.operations", "1", COUNTER, on,                        \
      "Operations on the InnoDB buffer pool.")                                                     \
    X(MY_PAGE_FLUSHES, "mysql.buffer_pool.page_flushes", "1", COUNTER, on,                         \
      "Requests to flush pages of the InnoDB buffer pool.")                                        \
    X(MY_POOL_PAGES, "mysql.buffer_pool.pages", "1", UPDOWN, on,                                   \
      "Pages of the InnoDB buffer pool, by what they hold.")                                       \
    X(MY_POOL_USAGE, "mysql.buffer_pool.usage", "By", UPDOWN, on,                                  \
      "Bytes of the InnoDB buffer pool that hold data, dirty and clean.")                          \
    X(MY_NETWORK_IO, "mysql.client.network.io", "By", COUNTER, off, "Bytes from and to clients.")  \
    X(MY_COMMANDS, "mysql.commands", "1", COUNTER, off,                                            \
      "Statements that were executed, by their kind.")                                             \
    X(MY_CONNECTION_COUNT, "mysql.connection.count", "1", COUNTER, off,                            \
      "Attempts to connect, successful or not.")                                                   \
    X(MY_CONNECTION_ERRORS, "mysql.connection.errors", "1", COUNTER, off,                          \
      "Connections that failed or were broken off, by the reason.")                                \
    X(MY_DOUBLE_WRITES, "mysql.double_writes", "1", COUNTER, on,                                   \
      "Writes to InnoDB's doublewrite buffer.")                                                    \
    X(MY_FILES_OPEN, "mysql.file.open", "1", GAUGE, off, "Open files.")                            \
    X(MY_HANDLERS, "mysql.handlers", "1", COUNTER, on, "Requests to the storage engines.")         \
    X(MY_INDEX_IO_COUNT, "mysql.index.io.wait.count", "1", COUNTER, on,                            \
      "Waits for I/O of an index; needs performance_schema.")                                      \
    X(MY_INDEX_IO_TIME, "mysql.index.io.wait.time", "ns", COUNTER, on, "Time of these waits.")     \
    X(MY_DATA_FILE_IO, "mysql.innodb.data_file.io", "By", COUNTER, off,                            \
      "Bytes of InnoDB's data files.")                                                             \
    X(MY_HISTORY_LENGTH, "mysql.innodb.history_list.length", "{transactions}", GAUGE, off,         \
      "Length of InnoDB's history list.")                                                          \
    X(MY_PENDING, "mysql.innodb.operation.pending", "1", UPDOWN, off,                              \
      "InnoDB's operations on files that are not done yet.")                                       \
    X(MY_CHECKPOINT_AGE, "mysql.innodb.redo_log.checkpoint.age", "By", GAUGE, off,                 \
      "Bytes since the last checkpoint; MySQL since 8.0.11.")                                      \
    X(MY_LSN_CHECKPOINT, "mysql.innodb.redo_log.lsn.checkpoint", "By", GAUGE, off,                 \
      "Sequence number of the last checkpoint in InnoDB's redo log.")                              \
    X(MY_LSN, "mysql.innodb.redo_log.lsn.current", "By", GAUGE, off,                               \
      "Sequence number at the end of InnoDB's redo log.")                                          \
    X(MY_ROW_LOCK_WAITS, "mysql.innodb.row_lock.wait.count", "{wait}", GAUGE, off,                 \
      "Waits for locks of InnoDB's rows at the moment.")                                           \
    X(MY_ROW_LOCK_AVERAGE, "mysql.innodb.row_lock.wait.duration.avg", "s", GAUGE, off,             \
      "Their average.")                                                                            \
    X(MY_ROW_LOCK_LONGEST, "mysql.innodb.row_lock.wait.duration.max", "s", GAUGE, off,             \
      "The longest of them.")                                                                      \
    X(MY_TRANSACTIONS, "mysql.innodb.transaction.active.count", "{transaction}", GAUGE, off,       \
      "Active transactions of InnoDB.")                                                            \
    X(MY_TRANSACTION_LONGEST, "mysql.innodb.transaction.active.duration.max", "s", GAUGE, off,     \
      "Age of the oldest active transaction of InnoDB.")                                           \
    X(MY_JOINS, "mysql.joins", "1", COUNTER, off, "Joins that scan tables.")                       \
    X(MY_LOCKS, "mysql.locks", "1", COUNTER, on,                                                   \
      "Locks of tables, granted at once and waited for.")                                          \
    X(MY_LOG_OPERATIONS, "mysql.log_operations", "1", COUNTER, on, "Operations on InnoDB's log.")  \
    X(MY_CONNECTIONS_MAX, "mysql.max_used_connections", "1", UPDOWN, off,                          \
      "Most connections at once since the server started.")                                        \
    X(MY_KEY_BLOCKS_UNUSED, "mysql.myisam.key_cache.block.unused", "{block}", GAUGE, off,          \
      "Unused blocks of MyISAM's key cache.")                                                      \
    X(MY_KEY_BLOCKS_USED, "mysql.myisam.key_cache.block.used.max", "{block}", GAUGE, off,          \
      "Most blocks of it at once.")                                                                \
    X(MY_KEY_DISK, "mysql.myisam.key_cache.disk.operation", "{operation}", COUNTER, off,           \
      "Blocks that MyISAM's key cache read from and wrote to disk.")                               \
    X(MY_KEY_REQUESTS, "mysql.myisam.key_cache.request", "{request}", COUNTER, off,                \
      "Blocks that were read from and written to MyISAM's key cache.")                             \
    X(MY_MYSQLX_CONNECTIONS, "mysql.mysqlx_connections", "1", COUNTER, on,                         \
      "Connections of the X protocol of MySQL.")                                                   \
    X(MY_MYSQLX_THREADS, "mysql.mysqlx_worker_threads", "1", UPDOWN, off,                          \
      "Threads for the X protocol of MySQL.")                                                      \
    X(MY_OPENED, "mysql.opened_resources", "1", COUNTER, on,                                       \
      "Files, tables and definitions of tables that were opened.")                                 \
    X(MY_OPERATIONS, "mysql.operations", "1", COUNTER, on, "InnoDB's operations on files.")        \
    X(MY_PAGE_OPERATIONS, "mysql.page_operations", "1", COUNTER, on,                               \
      "InnoDB's operations on pages.")                                                             \
    X(MY_PAGE_SIZE, "mysql.page_size", "By", UPDOWN, off, "Size of a page of InnoDB.")             \
    X(MY_PREPARED, "mysql.prepared_statements", "1", COUNTER, on,                                  \
      "Commands on prepared statements.")                                                          \
    X(MY_CLIENT_QUERIES, "mysql.query.client.count", "1", COUNTER, off,                            \
      "Statements that clients sent.")                                                             \
    X(MY_QUERIES, "mysql.query.count", "1", COUNTER, off,                                          \
      "Statements that were executed, those of stored programs too.")                              \
    X(MY_EXECUTION_TIME, "mysql.query.execution.time", "s", COUNTER, off,                          \
      "Time of all statements; needs performance_schema.")                                         \
    X(MY_SLOW_QUERIES, "mysql.query.slow.count", "1", COUNTER, off, "Slow queries.")               \
    X(MY_SQL_DELAY, "mysql.replica.sql_delay", "s", UPDOWN, off,                                   \
      "Time that a replica is set to stay behind its source.")                                     \
    X(MY_REPLICA_TABLES, "mysql.replica.temp_table.open", "{table}", GAUGE, off,                   \
      "Temporary tables that a replica has open.")                                                 \
    X(MY_REPLICA_THREADS, "mysql.replica.thread.running", "1", GAUGE, off,                         \
      "1: this thread of a replica runs; 0: it does not, or is connecting.")                       \
    X(MY_BEHIND_SOURCE, "mysql.replica.time_behind_source", "s", UPDOWN, off,                      \
      "Time that a replica is behind its source.")                                                 \
    X(MY_ROW_LOCKS, "mysql.row_locks", "1", COUNTER, on,                                           \
      "Waits for locks of InnoDB's rows, and their time in milliseconds.")                         \
    X(MY_ROW_OPERATIONS, "mysql.row_operations", "1", COUNTER, on, "InnoDB's operations on rows.") \
    X(MY_HEALTHY, "mysql.server.healthy", "1", GAUGE, off,                                         \
      "1: the server answers; 0: it does not, or refuses the account.")                            \
    X(MY_SESSIONS, "mysql.session.active.count", "{session}", GAUGE, off,                          \
      "Other sessions that run a statement; needs performance_schema.")                            \
    X(MY_SORTS, "mysql.sorts", "1", COUNTER, on, "Sorts.")                                         \
    X(MY_STATEMENT_COUNT, "mysql.statement_event.count", "1", UPDOWN, off,                         \
      "What statements of one form have done; needs performance_schema.")                          \
    X(MY_STATEMENT_TIME, "mysql.statement_event.wait.time", "ns", UPDOWN, off,                     \
      "Time of these statements.")                                                                 \
    X(MY_ROW_LENGTH, "mysql.table.average_row_length", "By", UPDOWN, off,                          \
      "Average length of a table's rows.")                                                         \
    X(MY_TABLE_IO_COUNT, "mysql.table.io.wait.count", "1", COUNTER, on,                            \
      "Waits for I/O of a table; needs performance_schema.")                                       \
    X(MY_TABLE_IO_TIME, "mysql.table.io.wait.time", "ns", COUNTER, on, "Time of these waits.")     \
    X(MY_LOCK_READ_COUNT, "mysql.table.lock_wait.read.count", "1", UPDOWN, off,                    \
      "Waits for a table's locks to read; needs performance_schema.")                              \
    X(MY_LOCK_READ_TIME, "mysql.table.lock_wait.read.time", "ns", UPDOWN, off,                     \
      "Time of these waits.")                                                                      \
    X(MY_LOCK_WRITE_COUNT, "mysql.table.lock_wait.write.count", "1", UPDOWN, off,                  \
      "Waits for a table's locks to write; needs performance_schema.")                             \
    X(MY_LOCK_WRITE_TIME, "mysql.table.lock_wait.write.time", "ns", UPDOWN, off,                   \
      "Time of these waits.")                                                                      \
    X(MY_TABLES_OPEN, "mysql.table.open", "1", GAUGE, off, "Open tables.")                         \
    X(MY_TABLE_ROWS, "mysql.table.rows", "1", UPDOWN, off,                                         \
      "Rows of a table; an estimate with InnoDB.")                                                 \
    X(MY_TABLE_SIZE, "mysql.table.size", "By", UPDOWN, off,                                        \
      "Size of a table, its data and its indices.")                                                \
    X(MY_OPEN_CACHE, "mysql.table_open_cache", "1", COUNTER, off,                                  \
      "Look-ups in the cache of open tables.")                                                     \
    X(MY_SLOW_LAUNCHES, "mysql.thread.slow_launch", "1", COUNTER, off,                             \
      "Threads that started slowly.")                                                              \
    X(MY_THREADS, "mysql.threads", "1", UPDOWN, on, "Threads of the server.")                      \
    X(MY_TMP_RESOURCES, "mysql.tmp_resources", "1", COUNTER, on,                                   \
      "Temporary tables and files that were made.")                                                \
    X(MY_UPTIME, "mysql.uptime", "s", COUNTER, on, "Time since the server started.")

enum { MY_METRICS(HF_METRIC_ID) MY_METRIC_COUNT };

#define MY_RESOURCES(X)                                                                            \
    X(MY_SYSTEM, "db.system.name", off, "mysql or mariadb.")                                       \
    X(MY_VERSION, "db.system.version", off, "The server's version.")                               \
    X(MY_ENDPOINT, "mysql.instance.endpoint", on, "The endpoint.")                                 \
    X(MY_ADDRESS, "server.address", on,                                                            \
      "Host of the endpoint, or of this machine for localhost; or the socket.")                    \
    X(MY_PORT, "server.port", on, "Port of the endpoint, as a number.")                            \
    X(MY_INSTANCE, "service.instance.id", on, "A UUID made of server.address and server.port.")    \
    X(MY_SERVICE, "service.name", off, "unknown_service:mysql.")                                   \
    X(MY_NAMESPACE, "service.namespace", off, "Empty.")

enum { MY_RESOURCES(HF_RESOURCE_ID) MY_RESOURCE_COUNT };
