/*
 * pg_queries: what is asked. Each query's columns are read by their places in pg_look.c.
 */
#pragma once

#define PG_NOTHING "SELECT 1"

#define PG_LIST_DATABASES "SELECT datname FROM pg_database WHERE NOT datistemplate"

#define PG_STATS                                                                                   \
    "SELECT datname, xact_commit, xact_rollback, deadlocks, temp_files, temp_bytes, tup_updated, " \
    "tup_returned, tup_fetched, tup_inserted, tup_deleted, blks_hit, blks_read "                   \
    "FROM pg_stat_database WHERE datname IS NOT NULL"

#define PG_COUNT_BACKENDS                                                                          \
    "SELECT datname, count(*) FROM pg_stat_activity WHERE datname IS NOT NULL GROUP BY datname"

/* Of those that the role may connect to; the size of others is refused. */
#define PG_SIZES                                                                                   \
    "SELECT datname, pg_database_size(oid) FROM pg_database "                                      \
    "WHERE NOT datistemplate AND (has_database_privilege(oid, 'CONNECT') "                         \
    "OR pg_has_role('pg_read_all_stats', 'MEMBER'))"

#define PG_EXECUTION                                                                               \
    "SELECT d.datname, sum(s.total_exec_time) / 1000 FROM pg_stat_statements s "                   \
    "JOIN pg_database d ON d.oid = s.dbid GROUP BY d.datname"

#define PG_STATS_CONFLICTS                                                                         \
    "SELECT datname, confl_tablespace, confl_lock, confl_snapshot, confl_bufferpin, "              \
    "confl_deadlock FROM pg_stat_database_conflicts"

/* Relations under an exclusive lock are left out: asking for their size would wait for it. */
#define PG_UNLOCKED(oid)                                                                           \
    "NOT EXISTS (SELECT 1 FROM pg_locks l WHERE l.relation = " oid " AND l.locktype = 'relation' " \
    "AND l.mode = 'AccessExclusiveLock' AND l.granted "                                            \
    "AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()))"

#define PG_TABLES                                                                                  \
    "SELECT t.schemaname, t.relname, t.n_dead_tup, t.n_live_tup, t.n_tup_ins, t.n_tup_del, "       \
    "t.n_tup_upd, t.n_tup_hot_upd, pg_relation_size(t.relid), t.vacuum_count, t.seq_scan, "        \
    "coalesce(b.heap_blks_read, 0), coalesce(b.heap_blks_hit, 0), coalesce(b.idx_blks_read, 0), "  \
    "coalesce(b.idx_blks_hit, 0), coalesce(b.toast_blks_read, 0), coalesce(b.toast_blks_hit, 0), " \
    "coalesce(b.tidx_blks_read, 0), coalesce(b.tidx_blks_hit, 0) "                                 \
    "FROM pg_stat_user_tables t LEFT JOIN pg_statio_user_tables b ON b.relid = t.relid "           \
    "WHERE " PG_UNLOCKED("t.relid")

#define PG_INDICES                                                                                 \
    "SELECT i.relname, i.indexrelname, i.idx_scan, pg_relation_size(i.indexrelid) "                \
    "FROM pg_stat_user_indexes i WHERE " PG_UNLOCKED("i.indexrelid")

/* Functions that share a name are told apart by the names of their arguments. */
#define PG_FUNCTIONS                                                                               \
    "SELECT CASE WHEN count(*) OVER (PARTITION BY f.funcname) = 1 OR p.proargnames IS NULL "       \
    "THEN p.proname::text ELSE p.proname || '_' || array_to_string(p.proargnames, '_') END, "      \
    "f.calls FROM pg_stat_user_functions f JOIN pg_proc p ON p.oid = f.funcid"

#define PG_LOCK_COLUMNS                                                                            \
    "SELECT coalesce(c.relname, ''), l.mode, l.locktype, count(*) "                                \
    "FROM pg_locks l LEFT JOIN pg_class c ON c.oid = l.relation WHERE "

#define PG_DATABASE_LOCKS                                                                          \
    PG_LOCK_COLUMNS                                                                                \
    "l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) "               \
    "GROUP BY 1, 2, 3"

#define PG_SERVER_LOCKS                                                                            \
    PG_LOCK_COLUMNS                                                                                \
    "l.database IS NULL OR (l.database = 0 AND (l.relation IS NULL OR c.relisshared)) "            \
    "GROUP BY 1, 2, 3"

#define PG_WRITER                                                                                  \
    "SELECT checkpoints_req, checkpoints_timed, checkpoint_write_time, checkpoint_sync_time, "     \
    "buffers_checkpoint, buffers_clean, buffers_alloc, maxwritten_clean, buffers_backend, "        \
    "buffers_backend_fsync FROM pg_stat_bgwriter"

#define PG_WRITER_17                                                                               \
    "SELECT c.num_requested, c.num_timed, c.write_time, c.sync_time, c.buffers_written, "          \
    "b.buffers_clean, b.buffers_alloc, b.maxwritten_clean "                                        \
    "FROM pg_stat_bgwriter b, pg_stat_checkpointer c"

/* NULL, which gives no point, when nothing was archived yet. */
#define PG_ARCHIVED                                                                                \
    "SELECT floor(extract(epoch FROM current_timestamp - last_archived_time))::bigint "            \
    "FROM pg_stat_archiver"

#define PG_LAG(column)                                                                             \
    "extract(epoch FROM " column ")::decimal, extract(epoch FROM " column ")::integer"

#define PG_REPLICAS                                                                                \
    "SELECT coalesce(host(client_addr), 'unix'), "                                                 \
    "pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn)::bigint, " PG_LAG("write_lag") ", " PG_LAG( \
        "flush_lag") ", " PG_LAG("replay_lag") " FROM pg_stat_replication"

#define PG_MAX "SHOW max_connections"

/* Statements of sessions, but those that were idle at the last scrape already. With the column of a
 * statement's id, the time of the newest statement of the last scrape, and the most rows. */
#define PG_UTC(time) "to_char(" time " AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"

/* clang-format off */
/* Names of relations are known in the database that is connected to alone. */
#define PG_SAMPLES                                                                                 \
    "SELECT a.datname, a.usename, host(a.client_addr), a.client_port, a.query, "                   \
    "CASE WHEN a.state = 'active' "                                                                \
    "THEN extract(epoch FROM clock_timestamp() - a.query_start) * 1000 "                           \
    "WHEN a.state LIKE 'idle%%' "                                                                  \
    "THEN extract(epoch FROM a.state_change - a.query_start) * 1000 END, "                         \
    "extract(epoch FROM a.query_start), a.state, a.application_name, a.client_hostname, "          \
    "a.query_start, a.wait_event, a.wait_event_type, %s, "                                         \
    PG_UTC("a.backend_start") ", "                                                                 \
    "CASE WHEN a.wait_event_type = 'Lock' THEN pg_blocking_pids(a.pid)::text ELSE '{}' END, "      \
    PG_UTC("l.since") ", l.mode, l.locktype, c.relname, " PG_UTC("a.xact_start") ", a.pid, "       \
    "floor(extract(epoch FROM clock_timestamp() - l.since))::bigint "                              \
    "FROM pg_stat_activity a LEFT JOIN LATERAL ("                                                  \
    "SELECT k.mode, k.locktype, k.relation, %s AS since, k.database FROM pg_locks k "              \
    "WHERE k.pid = a.pid AND NOT k.granted ORDER BY 4 NULLS LAST LIMIT 1) l ON true "              \
    "LEFT JOIN pg_database d ON d.datname = current_database() "                                   \
    "LEFT JOIN pg_class c ON c.oid = l.relation AND l.database = d.oid "                           \
    "WHERE trim(coalesce(a.query, '')) <> '' AND a.pid <> pg_backend_pid() "                       \
    "AND NOT (a.state = 'idle' AND a.query_start <= to_timestamp(%.6f)) LIMIT %lld"

/* clang-format on */

/* With the most rows. */
#define PG_TOP                                                                                     \
    "SELECT d.datname, s.query, s.queryid, r.rolname, s.total_exec_time, s.total_plan_time, "      \
    "s.calls, s.rows, s.shared_blks_dirtied, s.shared_blks_hit, s.shared_blks_read, "              \
    "s.shared_blks_written, s.temp_blks_read, s.temp_blks_written FROM pg_stat_statements s "      \
    "LEFT JOIN pg_roles r ON r.oid = s.userid LEFT JOIN pg_database d ON d.oid = s.dbid "          \
    "WHERE s.query <> '<insufficient privilege>' ORDER BY s.calls DESC LIMIT %lld"
