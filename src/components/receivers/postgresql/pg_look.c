#include "pg_look.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#include "pg_queries.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))
#define NAME_MAX_BYTES 256
#define LOCK_COLUMNS 3

const struct hf_metric_row pg_rows[] = {PG_METRICS(HF_METRIC_ROW)};

/* Points of a database that are asked for in queries about all of them. */
struct value {
    bool is_there;
    bool is_double;
    int64_t integer;
    double number;
};

static const struct hf_points_column database_columns[] = {
    {.id = PG_COMMITS},
    {.id = PG_ROLLBACKS},
    {.id = PG_DEADLOCKS},
    {.id = PG_TEMP_FILES},
    {.id = PG_TEMP_BYTES},
    {.id = PG_TUP_UPDATED},
    {.id = PG_TUP_RETURNED},
    {.id = PG_TUP_FETCHED},
    {.id = PG_TUP_INSERTED},
    {.id = PG_TUP_DELETED},
    {.id = PG_BLKS_HIT},
    {.id = PG_BLKS_READ},
    {.id = PG_BACKENDS},
    {.id = PG_DB_SIZE},
    {.id = PG_EXECUTION_TIME, .is_double = true},
    {.id = PG_CONFLICTS, .key = "postgresql.conflict.type", .value = "tablespace"},
    {.id = PG_CONFLICTS, .key = "postgresql.conflict.type", .value = "lock"},
    {.id = PG_CONFLICTS, .key = "postgresql.conflict.type", .value = "snapshot"},
    {.id = PG_CONFLICTS, .key = "postgresql.conflict.type", .value = "bufferpin"},
    {.id = PG_CONFLICTS, .key = "postgresql.conflict.type", .value = "deadlock"},
};

/* Where each query's columns begin in the table above. */
enum { STATS_AT = 0, BACKENDS_AT = 12, SIZE_AT = 13, EXECUTION_AT = 14, CONFLICTS_AT = 15 };

struct pg_database {
    char name[NAME_MAX_BYTES];
    struct value values[COUNT(database_columns)];
};

/* ---- writing ---- */

/* Writes what was collected, as one resource. */
static void emit(struct pg_look *look, struct pg_entity entity)
{
    entity.database = look->database;
    pg_server_name(look->server, &entity, look->scrape->builder);
    hf_server_scraper_write(look->scraper, look->scrape, look->scraper->begun_ns);
}

static const struct pg_entity no_entity;

/* ---- asking ---- */

static bool wants(const struct pg_look *look, unsigned id)
{
    return look->server->config->wanted.metrics[id].enabled;
}

/* False: the connection is of no use, or the scrape is to end. */
static bool ask(struct pg_look *look, struct hf_pg *pg, const char *query,
                void (*take)(void *user, const struct hf_pg_row *row))
{
    char why[HF_ERROR_MAX];
    enum hf_status status = hf_pg_ask(pg, query, &look->patience, take, look, why);
    if (status != HF_OK && status != HF_CLOSED) {
        hf_scrape_failed(look->scrape, 0, 1, "asking %.200s%s%.64s failed: %s",
                         look->server->config->net.endpoint,
                         look->database != NULL ? ", database " : "",
                         look->database != NULL ? look->database : "", why);
    }
    return status == HF_OK || status == HF_INVALID;
}

/* A column as a point; NULL and what is no number are left out. */
static void add_column(struct pg_look *look, const struct hf_pg_row *row, int at,
                       const struct hf_points_column *column,
                       const struct hf_points_attribute *more)
{
    hf_points_column(&look->scraper->points, column, hf_pg_text(row, at), more, more != NULL);
}

/* ---- databases ---- */

static void add_database(struct pg_look *look, struct hf_slice text)
{
    char copy[NAME_MAX_BYTES];
    if (text.size >= sizeof(copy)) {
        return; /* no name of a database is that long */
    }
    snprintf(copy, sizeof(copy), "%.*s", (int)text.size, (const char *)text.data);
    if (hf_string_list_has(&look->server->config->excluded, hf_slice_text(copy))) {
        return;
    }
    if (look->database_count == look->room) {
        size_t room = look->room != 0 ? 2 * look->room : 16;
        struct pg_database *grown = room <= PG_DATABASES_MAX * 2
                                        ? reallocarray(look->databases, room, sizeof(*grown))
                                        : NULL;
        if (grown == NULL || look->database_count >= PG_DATABASES_MAX) {
            look->databases = grown != NULL ? grown : look->databases;
            look->is_full = true;
            return;
        }
        look->databases = grown;
        look->room = room;
    }
    struct pg_database *database = &look->databases[look->database_count++];
    *database = (struct pg_database){.name = ""};
    memcpy(database->name, copy, sizeof(copy));
}

static void take_database(void *user, const struct hf_pg_row *row)
{
    add_database(user, hf_pg_text(row, 0));
}

static bool list_databases(struct pg_look *look, struct hf_pg *pg)
{
    const struct hf_string_list *chosen = &look->server->config->databases;
    bool is_good = true;
    for (size_t i = 0; i < chosen->count; i++) {
        add_database(look, hf_slice_text(chosen->items[i]));
    }
    if (chosen->count == 0) {
        is_good = ask(look, pg, PG_LIST_DATABASES, take_database);
    }
    if (look->is_full) {
        hf_scrape_failed(look->scrape, 0, 1, "databases beyond the first %zu are left out",
                         look->database_count);
    }
    return is_good;
}

static void take_values(struct pg_look *look, const struct hf_pg_row *row, size_t first,
                        size_t count)
{
    struct hf_slice called = hf_pg_text(row, 0);
    for (size_t i = 0; i < look->database_count; i++) {
        struct pg_database *database = &look->databases[i];
        if (!hf_slice_is(called, database->name)) {
            continue;
        }
        for (size_t k = 0; k < count; k++) {
            struct value *value = &database->values[first + k];
            struct hf_slice text = hf_pg_text(row, (int)k + 1);
            value->is_double = database_columns[first + k].is_double;
            value->is_there = value->is_double ? hf_read_double(text, &value->number)
                                               : hf_read_int(text, &value->integer);
        }
        return;
    }
}

static void take_stats(void *user, const struct hf_pg_row *row)
{
    take_values(user, row, STATS_AT, BACKENDS_AT - STATS_AT);
}

static void take_backends(void *user, const struct hf_pg_row *row)
{
    take_values(user, row, BACKENDS_AT, 1);
}

static void take_size(void *user, const struct hf_pg_row *row)
{
    take_values(user, row, SIZE_AT, 1);
}

static void take_execution(void *user, const struct hf_pg_row *row)
{
    take_values(user, row, EXECUTION_AT, 1);
}

static void take_conflicts(void *user, const struct hf_pg_row *row)
{
    take_values(user, row, CONFLICTS_AT, COUNT(database_columns) - CONFLICTS_AT);
}

static bool wants_any(const struct pg_look *look, size_t first, size_t end)
{
    bool any = false;
    for (size_t i = first; i < end; i++) {
        any = any || wants(look, database_columns[i].id);
    }
    return any;
}

static bool ask_about_databases(struct pg_look *look, struct hf_pg *pg)
{
    static const struct {
        size_t first, end;
        const char *query;
        void (*take)(void *user, const struct hf_pg_row *row);
    } queries[] = {
        {STATS_AT, BACKENDS_AT, PG_STATS, take_stats},
        {BACKENDS_AT, SIZE_AT, PG_COUNT_BACKENDS, take_backends},
        {SIZE_AT, EXECUTION_AT, PG_SIZES, take_size},
        {EXECUTION_AT, CONFLICTS_AT, PG_EXECUTION, take_execution},
        {CONFLICTS_AT, COUNT(database_columns), PG_STATS_CONFLICTS, take_conflicts},
    };
    bool is_good = true;
    for (size_t i = 0; i < COUNT(queries) && is_good; i++) {
        if (wants_any(look, queries[i].first, queries[i].end)) {
            is_good = ask(look, pg, queries[i].query, queries[i].take);
        }
    }
    return is_good;
}

/* ---- one database ---- */

static void take_table(void *user, const struct hf_pg_row *row)
{
    static const struct hf_points_column columns[] = {
        {.id = PG_ROWS, .key = "state", .value = "dead"},
        {.id = PG_ROWS, .key = "state", .value = "live"},
        {.id = PG_OPERATIONS, .key = "operation", .value = "ins"},
        {.id = PG_OPERATIONS, .key = "operation", .value = "del"},
        {.id = PG_OPERATIONS, .key = "operation", .value = "upd"},
        {.id = PG_OPERATIONS, .key = "operation", .value = "hot_upd"},
        {.id = PG_TABLE_SIZE},
        {.id = PG_VACUUMS},
        {.id = PG_SEQUENTIAL_SCANS},
        {.id = PG_BLOCKS_READ, .key = "source", .value = "heap_read"},
        {.id = PG_BLOCKS_READ, .key = "source", .value = "heap_hit"},
        {.id = PG_BLOCKS_READ, .key = "source", .value = "idx_read"},
        {.id = PG_BLOCKS_READ, .key = "source", .value = "idx_hit"},
        {.id = PG_BLOCKS_READ, .key = "source", .value = "toast_read"},
        {.id = PG_BLOCKS_READ, .key = "source", .value = "toast_hit"},
        {.id = PG_BLOCKS_READ, .key = "source", .value = "tidx_read"},
        {.id = PG_BLOCKS_READ, .key = "source", .value = "tidx_hit"},
    };
    struct pg_look *look = user;
    const struct pg_entity entity = {.schema = hf_pg_text(row, 0), .table = hf_pg_text(row, 1)};
    for (size_t i = 0; i < COUNT(columns); i++) {
        add_column(look, row, (int)i + 2, &columns[i], NULL);
    }
    look->tables++;
    emit(look, entity);
}

static void take_index(void *user, const struct hf_pg_row *row)
{
    static const struct hf_points_column scans = {.id = PG_INDEX_SCANS},
                                         size = {.id = PG_INDEX_SIZE};
    struct pg_look *look = user;
    const struct pg_entity entity = {.table = hf_pg_text(row, 0), .index = hf_pg_text(row, 1)};
    add_column(look, row, 2, &scans, NULL);
    add_column(look, row, 3, &size, NULL);
    emit(look, entity);
}

static void take_function(void *user, const struct hf_pg_row *row)
{
    static const struct hf_points_column calls = {.id = PG_FUNCTION_CALLS};
    struct pg_look *look = user;
    const struct hf_points_attribute function = {.key = "function", .text = hf_pg_text(row, 0)};
    add_column(look, row, 1, &calls, &function);
}

static void take_lock(void *user, const struct hf_pg_row *row)
{
    static const char *const keys[LOCK_COLUMNS] = {"relation", "mode", "lock_type"};
    struct pg_look *look = user;
    struct hf_points_attribute attributes[LOCK_COLUMNS];
    int64_t count;
    for (int i = 0; i < LOCK_COLUMNS; i++) {
        attributes[i] = (struct hf_points_attribute){.key = keys[i], .text = hf_pg_text(row, i)};
    }
    if (hf_read_int(hf_pg_text(row, LOCK_COLUMNS), &count)) {
        hf_points_int(&look->scraper->points, PG_LOCKS, count, attributes, LOCK_COLUMNS);
    }
}

static void add_values(struct pg_look *look, const struct pg_database *database)
{
    for (size_t i = 0; i < COUNT(database_columns); i++) {
        const struct hf_points_column *column = &database_columns[i];
        const struct value *value = &database->values[i];
        const struct hf_points_attribute attribute = {
            .key = column->key, .text = hf_slice_text(column->value != NULL ? column->value : "")};
        size_t count = column->key != NULL ? 1 : 0;
        if (value->is_there && value->is_double) {
            hf_points_double(&look->scraper->points, column->id, value->number, &attribute, count);
        } else if (value->is_there) {
            hf_points_int(&look->scraper->points, column->id, value->integer, &attribute, count);
        }
    }
}

static void look_at_database(struct pg_look *look, struct hf_pg *pg,
                             const struct pg_database *database)
{
    look->tables = 0;
    bool is_good = ask(look, pg, PG_TABLES, take_table);
    if (is_good) {
        hf_points_int(&look->scraper->points, PG_TABLE_COUNT, (int64_t)look->tables, NULL, 0);
    }
    if (is_good && wants(look, PG_FUNCTION_CALLS)) {
        is_good = ask(look, pg, PG_FUNCTIONS, take_function);
    }
    if (is_good && wants(look, PG_LOCKS)) {
        is_good = ask(look, pg, PG_DATABASE_LOCKS, take_lock);
    }
    add_values(look, database);
    emit(look, no_entity);
    if (is_good && (wants(look, PG_INDEX_SCANS) || wants(look, PG_INDEX_SIZE))) {
        (void)!ask(look, pg, PG_INDICES, take_index);
    }
}

static void visit(struct pg_look *look, const struct pg_database *database)
{
    char why[HF_ERROR_MAX];
    struct hf_pg *pg = NULL;
    enum hf_status status =
        pg_server_connect(look->server, database->name, &look->patience, &pg, why);
    look->database = database->name;
    if (status == HF_OK) {
        look_at_database(look, pg, database);
    } else if (status != HF_CLOSED) {
        hf_scrape_failed(look->scrape, 0, 1,
                         "connecting to the database %.64s of %.200s failed: %s", database->name,
                         look->server->config->net.endpoint, why);
    }
    hf_pg_close(pg);
    look->database = NULL;
}

/* ---- the server as a whole ---- */

static void take_writer(void *user, const struct hf_pg_row *row)
{
    static const struct hf_points_column columns[] = {
        {.id = PG_CHECKPOINTS, .key = "type", .value = "requested"},
        {.id = PG_CHECKPOINTS, .key = "type", .value = "scheduled"},
        {.id = PG_CHECKPOINT_TIME, .key = "type", .value = "write", .is_double = true},
        {.id = PG_CHECKPOINT_TIME, .key = "type", .value = "sync", .is_double = true},
        {.id = PG_BUFFERS_WRITTEN, .key = "source", .value = "checkpoints"},
        {.id = PG_BUFFERS_WRITTEN, .key = "source", .value = "bgwriter"},
        {.id = PG_BUFFERS_ALLOCATED},
        {.id = PG_MAXWRITTEN},
        {.id = PG_BUFFERS_WRITTEN, .key = "source", .value = "backend"},
        {.id = PG_BUFFERS_WRITTEN, .key = "source", .value = "backend_fsync"},
    };
    for (size_t i = 0; i < COUNT(columns); i++) {
        add_column(user, row, (int)i, &columns[i], NULL);
    }
}

static void take_age(void *user, const struct hf_pg_row *row)
{
    static const struct hf_points_column age = {.id = PG_WAL_AGE};
    add_column(user, row, 0, &age, NULL);
}

static void take_max(void *user, const struct hf_pg_row *row)
{
    static const struct hf_points_column most = {.id = PG_CONNECTION_MAX};
    add_column(user, row, 0, &most, NULL);
}

/* A replica: its address, what it has not replayed, and how late it writes, flushes and replays. */
static void take_replica(void *user, const struct hf_pg_row *row)
{
    static const struct hf_points_column pending = {.id = PG_REPLICATION_DELAY};
    static const char *const steps[] = {"write", "flush", "replay"};
    struct pg_look *look = user;
    const struct hf_points_attribute client = {.key = "replication_client",
                                               .text = hf_pg_text(row, 0)};
    add_column(look, row, 1, &pending, &client);
    for (int i = 0; i < (int)COUNT(steps); i++) {
        const struct hf_points_column delay = {
            .id = PG_WAL_DELAY, .key = "operation", .value = steps[i], .is_double = true};
        const struct hf_points_column lag = {
            .id = PG_WAL_LAG, .key = "operation", .value = steps[i]};
        add_column(look, row, 2 + 2 * i, &delay, &client);
        add_column(look, row, 3 + 2 * i, &lag, &client);
    }
}

static bool look_at_server(struct pg_look *look, struct hf_pg *pg)
{
    const struct {
        const char *query;
        void (*take)(void *user, const struct hf_pg_row *row);
        bool is_wanted;
    } queries[] = {
        {hf_pg_version(pg) < 170000 ? PG_WRITER : PG_WRITER_17, take_writer,
         wants(look, PG_BUFFERS_ALLOCATED) || wants(look, PG_BUFFERS_WRITTEN) ||
             wants(look, PG_CHECKPOINTS) || wants(look, PG_CHECKPOINT_TIME) ||
             wants(look, PG_MAXWRITTEN)},
        {PG_ARCHIVED, take_age, wants(look, PG_WAL_AGE)},
        {PG_REPLICAS, take_replica,
         wants(look, PG_REPLICATION_DELAY) || wants(look, PG_WAL_DELAY) || wants(look, PG_WAL_LAG)},
        {PG_MAX, take_max, wants(look, PG_CONNECTION_MAX)},
        {PG_SERVER_LOCKS, take_lock, wants(look, PG_LOCKS)},
    };
    bool is_good = true;
    hf_points_int(&look->scraper->points, PG_DATABASE_COUNT, (int64_t)look->database_count, NULL,
                  0);
    for (size_t i = 0; i < COUNT(queries) && is_good; i++) {
        if (queries[i].is_wanted) {
            is_good = ask(look, pg, queries[i].query, queries[i].take);
        }
    }
    emit(look, no_entity);
    return is_good;
}

static bool connect_main(struct pg_look *look, struct hf_pg **ret_pg)
{
    char why[HF_ERROR_MAX];
    enum hf_status status = pg_server_ready(look->server, &look->patience, ret_pg, why);
    if (status != HF_OK && status != HF_CLOSED) {
        hf_scrape_failed(look->scrape, 0, 1, "connecting to %.200s failed: %s",
                         look->server->config->net.endpoint, why);
    }
    return status == HF_OK;
}

void pg_look_run(struct pg_look *look)
{
    struct hf_pg *pg = NULL;
    bool is_good = connect_main(look, &pg);
    if (is_good) {
        is_good = list_databases(look, pg) && ask_about_databases(look, pg);
        for (size_t i = 0; i < look->database_count && is_good; i++) {
            visit(look, &look->databases[i]);
        }
        is_good = is_good && look_at_server(look, pg);
    }
    hf_points_clear(&look->scraper->points);
    if (!is_good) {
        pg_server_lost(look->server);
    }
}

void pg_look_release(struct pg_look *look)
{
    free(look->databases);
    look->databases = NULL;
}
