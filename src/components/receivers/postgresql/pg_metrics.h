/*
 * pg_metrics: the metrics and resource attributes of postgresql, as tables.
 */
#pragma once

#include "support/scrape/metric_table.h"

#define PG_SERVER_METRICS(X)                                                                       \
    X(PG_BUFFERS_ALLOCATED, "postgresql.bgwriter.buffers.allocated", "{buffers}", COUNTER, on,     \
      "Buffers that were allocated.")                                                              \
    X(PG_BUFFERS_WRITTEN, "postgresql.bgwriter.buffers.writes", "{buffers}", COUNTER, on,          \
      "Buffers that were written, by what wrote them.")                                            \
    X(PG_CHECKPOINTS, "postgresql.bgwriter.checkpoint.count", "{checkpoints}", COUNTER, on,        \
      "Checkpoints, by what they were begun for.")                                                 \
    X(PG_CHECKPOINT_TIME, "postgresql.bgwriter.duration", "ms", COUNTER, on,                       \
      "Time that checkpoints wrote and synced files.")                                             \
    X(PG_MAXWRITTEN, "postgresql.bgwriter.maxwritten", "1", COUNTER, on,                           \
      "Rounds that the background writer ended because it had written too many buffers.")          \
    X(PG_CONNECTION_MAX, "postgresql.connection.max", "{connections}", GAUGE, on,                  \
      "The setting max_connections.")                                                              \
    X(PG_DATABASE_COUNT, "postgresql.database.count", "{databases}", UPDOWN, on,                   \
      "Databases that are looked at.")                                                             \
    X(PG_REPLICATION_DELAY, "postgresql.replication.data_delay", "By", GAUGE, on,                  \
      "WAL that a replica has not replayed yet.")                                                  \
    X(PG_WAL_AGE, "postgresql.wal.age", "s", GAUGE, on, "Time since a WAL file was archived.")     \
    X(PG_WAL_DELAY, "postgresql.wal.delay", "s", GAUGE, off,                                       \
      "How long after this server a replica has written, flushed and replayed.")                   \
    X(PG_WAL_LAG, "postgresql.wal.lag", "s", GAUGE, off,                                           \
      "postgresql.wal.delay in whole seconds, as it was before.")

#define PG_DATABASE_METRICS(X)                                                                     \
    X(PG_BACKENDS, "postgresql.backends", "1", UPDOWN, on, "Processes that serve a database.")     \
    X(PG_BLKS_HIT, "postgresql.blks_hit", "{blks_hit}", COUNTER, off,                              \
      "Blocks of a database that were found in the buffer cache.")                                 \
    X(PG_BLKS_READ, "postgresql.blks_read", "{blks_read}", COUNTER, off,                           \
      "Blocks of a database that were read from disk.")                                            \
    X(PG_COMMITS, "postgresql.commits", "1", COUNTER, on, "Transactions that were committed.")     \
    X(PG_LOCKS, "postgresql.database.locks", "{lock}", GAUGE, off,                                 \
      "Locks, by relation, mode and type.")                                                        \
    X(PG_DB_SIZE, "postgresql.db_size", "By", UPDOWN, on, "Disk space of a database.")             \
    X(PG_DEADLOCKS, "postgresql.deadlocks", "{deadlock}", COUNTER, off, "Deadlocks.")              \
    X(PG_FUNCTION_CALLS, "postgresql.function.calls", "{call}", COUNTER, off,                      \
      "Calls of a function; needs the setting track_functions.")                                   \
    X(PG_CONFLICTS, "postgresql.query.conflicts", "{query}", COUNTER, off,                         \
      "Queries of a replica that were ended because of the recovery, by the reason.")              \
    X(PG_EXECUTION_TIME, "postgresql.query.execution.time", "s", COUNTER, off,                     \
      "Time of the statements that pg_stat_statements, which must be installed, has.")             \
    X(PG_ROLLBACKS, "postgresql.rollbacks", "1", COUNTER, on,                                      \
      "Transactions that were rolled back.")                                                       \
    X(PG_TABLE_COUNT, "postgresql.table.count", "{table}", UPDOWN, on, "Tables of users.")         \
    X(PG_TEMP_BYTES, "postgresql.temp.io", "By", COUNTER, off,                                     \
      "Bytes that queries wrote to temporary files.")                                              \
    X(PG_TEMP_FILES, "postgresql.temp_files", "{temp_file}", COUNTER, off,                         \
      "Temporary files of queries.")                                                               \
    X(PG_TUP_DELETED, "postgresql.tup_deleted", "{tup_deleted}", COUNTER, off,                     \
      "Rows that were deleted.")                                                                   \
    X(PG_TUP_FETCHED, "postgresql.tup_fetched", "{tup_fetched}", COUNTER, off,                     \
      "Rows that were fetched.")                                                                   \
    X(PG_TUP_INSERTED, "postgresql.tup_inserted", "{tup_inserted}", COUNTER, off,                  \
      "Rows that were inserted.")                                                                  \
    X(PG_TUP_RETURNED, "postgresql.tup_returned", "{tup_returned}", COUNTER, off,                  \
      "Rows that were returned.")                                                                  \
    X(PG_TUP_UPDATED, "postgresql.tup_updated", "{tup_updated}", COUNTER, off,                     \
      "Rows that were updated.")

#define PG_TABLE_METRICS(X)                                                                        \
    X(PG_BLOCKS_READ, "postgresql.blocks_read", "1", COUNTER, on,                                  \
      "Blocks of a table that were read, by where they were.")                                     \
    X(PG_INDEX_SCANS, "postgresql.index.scans", "{scans}", COUNTER, on, "Scans of an index.")      \
    X(PG_INDEX_SIZE, "postgresql.index.size", "By", GAUGE, on, "Disk space of an index.")          \
    X(PG_OPERATIONS, "postgresql.operations", "1", COUNTER, on, "Operations on rows of a table.")  \
    X(PG_ROWS, "postgresql.rows", "1", UPDOWN, on, "Rows of a table, live and dead.")              \
    X(PG_SEQUENTIAL_SCANS, "postgresql.sequential_scans", "{sequential_scan}", COUNTER, off,       \
      "Sequential scans of a table.")                                                              \
    X(PG_TABLE_SIZE, "postgresql.table.size", "By", UPDOWN, on, "Disk space of a table.")          \
    X(PG_VACUUMS, "postgresql.table.vacuum.count", "{vacuum}", COUNTER, on,                        \
      "Times that a table was vacuumed by hand.")

#define PG_METRICS(X) PG_DATABASE_METRICS(X) PG_TABLE_METRICS(X) PG_SERVER_METRICS(X)

enum { PG_METRICS(HF_METRIC_ID) PG_METRIC_COUNT };

#define PG_RESOURCES(X)                                                                            \
    X(PG_DATABASE_NAME, "postgresql.database.name", on, "The database.")                           \
    X(PG_INDEX_NAME, "postgresql.index.name", on, "The index.")                                    \
    X(PG_SCHEMA_NAME, "postgresql.schema.name", on,                                                \
      "Never there: the schema is a part of postgresql.table.name.")                               \
    X(PG_TABLE_NAME, "postgresql.table.name", on, "The table.")                                    \
    X(PG_ADDRESS, "server.address", off, "Host of the endpoint.")                                  \
    X(PG_PORT, "server.port", off, "Port of the endpoint.")                                        \
    X(PG_INSTANCE, "service.instance.id", on,                                                      \
      "host:port of the endpoint, with the name of this machine for localhost.")                   \
    X(PG_SERVICE, "service.name", off, "unknown_service:postgresql.")                              \
    X(PG_NAMESPACE, "service.namespace", off, "Empty.")

enum { PG_RESOURCES(HF_RESOURCE_ID) PG_RESOURCE_COUNT };
