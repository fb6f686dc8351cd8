#include "pg_events.h"

#include <stdio.h>

#include <holdfast/component.h>

#include "pg_plans.h"
#include "pg_queries.h"
#include "support/scrape/scraped_event.h"
#include "support/scrape/sql_mask.h"
#include "support/scrape/statement_report.h"
#include "util/hash.h"
#include "util/time/clock.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))
#define QUERY_MAX 4096
#define NOT_ALLOWED "<insufficient privilege>"
#define PARTS 1000 /* of a millisecond, in which times are remembered */
#define VALUE_MAX 9e18
#define PLAN "postgresql.query_plan"

struct run {
    struct pg_events *events;
    struct pg_server *server;
    struct hf_scrape *scrape;
    struct hf_patience patience;
    uint32_t written, hidden;
    double newest;
};

void pg_events_release(struct pg_events *events)
{
    hf_statements_release(&events->top);
    hf_plans_release(&events->plans);
    hf_bytes_release(&events->text);
    *events = (struct pg_events){.top = {.rows = NULL}};
}

/* ---- records ---- */

/* The statement stands without the values in it. */
static void begin_record(struct run *run, const char *name, struct hf_slice parent,
                         struct hf_slice database, struct hf_slice statement)
{
    hf_event_begin_in(run->scrape, name, "postgresql", parent);
    hf_event_text(run->scrape, "db.namespace", database);
    hf_sql_attribute(run->scrape->builder, statement, HF_SQL_BARE, &run->events->text);
    run->written++;
}

/* False: the connection is of no use, or the scrape is to end. */
static bool ask(struct run *run, const char *text,
                void (*take)(void *user, const struct hf_pg_row *row))
{
    char why[HF_ERROR_MAX];
    enum hf_status status = hf_pg_ask(run->server->main, text, &run->patience, take, run, why);
    if (status != HF_OK && status != HF_CLOSED) {
        hf_scrape_failed(run->scrape, 0, 1, "asking %.200s failed: %s",
                         run->server->config->net.endpoint, why);
    }
    return status == HF_OK || status == HF_INVALID;
}

/* ---- sessions ---- */

enum { DATABASE = 0, USER, ADDRESS, PORT, STATEMENT, TIME, BEGUN, TEXTS_AT, APPLICATION };

static void take_sample(void *user, const struct hf_pg_row *row)
{
    static const char *const texts[] = {
        "postgresql.state",
        "postgresql.application_name",
        "postgresql.client_hostname",
        "postgresql.query_start",
        "postgresql.wait_event",
        "postgresql.wait_event_type",
        "postgresql.query_id",
        "postgresql.backend.connection.start",
        "postgresql.blocking.pids",
        "postgresql.blocking.start_time",
        "postgresql.blocking.lock.mode",
        "postgresql.blocking.lock.type",
        "postgresql.blocking.lock.relation",
        "postgresql.blocking.transaction.start_time",
    };
    const int numbers_at = TEXTS_AT + (int)COUNT(texts);
    struct run *run = user;
    double begun = 0, time = 0;
    if (hf_slice_is(hf_pg_text(row, STATEMENT), NOT_ALLOWED)) {
        run->hidden++;
        return;
    }
    (void)!hf_read_double(hf_pg_text(row, TIME), &time);
    (void)!hf_read_double(hf_pg_text(row, BEGUN), &begun);
    run->newest = begun > run->newest ? begun : run->newest;
    begin_record(run, "db.server.query_sample", hf_pg_text(row, APPLICATION),
                 hf_pg_text(row, DATABASE), hf_pg_text(row, STATEMENT));
    hf_event_text(run->scrape, "user.name", hf_pg_text(row, USER));
    hf_event_text(run->scrape, "network.peer.address", hf_pg_text(row, ADDRESS));
    hf_event_int(run->scrape, "network.peer.port", hf_pg_text(row, PORT));
    for (int i = 0; i < (int)COUNT(texts); i++) {
        hf_event_text(run->scrape, texts[i], hf_pg_text(row, TEXTS_AT + i));
    }
    hf_event_int(run->scrape, "postgresql.pid", hf_pg_text(row, numbers_at));
    hf_event_int(run->scrape, "postgresql.blocking.wait_duration", hf_pg_text(row, numbers_at + 1));
    hf_event_double(run->scrape, "postgresql.total_exec_time", time);
    hf_build_end(run->scrape->builder);
}

static bool look_at_samples(struct run *run)
{
    char text[QUERY_MAX];
    bool is_new = hf_pg_version(run->server->main) >= 140000;
    run->newest = run->events->newest;
    snprintf(text, sizeof(text), PG_SAMPLES, is_new ? "a.query_id" : "NULL",
             is_new ? "k.waitstart" : "a.state_change", run->events->newest,
             (long long)run->server->config->samples.rows_max);
    bool is_good = ask(run, text, take_sample);
    run->events->newest = run->newest;
    if (run->hidden != 0) {
        hf_scrape_failed(run->scrape, 0, run->hidden,
                         "statements of other roles are hidden: grant pg_read_all_stats");
    }
    return is_good;
}

/* ---- forms of statements ---- */

/* What is counted, in the order of the query's columns; the times are first. */
static const char *const counted[] = {
    "postgresql.total_exec_time",
    "postgresql.total_plan_time",
    "postgresql.calls",
    "postgresql.rows",
    "postgresql.shared_blks_dirtied",
    "postgresql.shared_blks_hit",
    "postgresql.shared_blks_read",
    "postgresql.shared_blks_written",
    "postgresql.temp_blks_read",
    "postgresql.temp_blks_written",
};
#define TIMES 2u

static void take_top(void *user, const struct hf_pg_row *row)
{
    struct run *run = user;
    struct hf_slice texts[PG_TOP_TEXTS];
    int64_t values[COUNT(counted)] = {0};
    for (int i = 0; i < PG_TOP_TEXTS; i++) {
        texts[i] = hf_pg_text(row, i);
    }
    for (unsigned i = 0; i < COUNT(counted); i++) {
        double number = 0;
        (void)!hf_read_double(hf_pg_text(row, PG_TOP_TEXTS + (int)i), &number);
        number = i < TIMES ? number * PARTS : number;
        values[i] = number > 0 && number < VALUE_MAX ? (int64_t)number : 0;
    }
    struct hf_hash hash = hf_hash_mix(hf_hash_pair(texts[PG_TOP_DATABASE], texts[PG_TOP_ID]),
                                      hf_hash_of(texts[PG_TOP_ROLE]));
    hf_statements_add(&run->events->top, hash.low, texts, PG_TOP_TEXTS, values, COUNT(counted));
}

static bool ask_top(void *user)
{
    struct run *run = user;
    char text[QUERY_MAX];
    snprintf(text, sizeof(text), PG_TOP, (long long)run->server->config->top.rows_max);
    return ask(run, text, take_top);
}

static void ask_plans(void *user, const struct hf_statement_row *rows, size_t count)
{
    struct run *run = user;
    const struct pg_plans plans = {.server = run->server,
                                   .scrape = run->scrape,
                                   .patience = &run->patience,
                                   .known = &run->events->plans};
    pg_plans_ask(&plans, rows, count);
}

/* A record of its own for a plan. */
static void write_plan(struct run *run, const struct hf_statement_row *row, struct hf_slice plan)
{
    hf_event_begin(run->scrape, "db.server.query_plan", "postgresql");
    hf_event_text(run->scrape, "db.namespace", row->texts[PG_TOP_DATABASE]);
    hf_event_text(run->scrape, "postgresql.queryid", row->texts[PG_TOP_ID]);
    hf_event_text(run->scrape, "postgresql.rolname", row->texts[PG_TOP_ROLE]);
    hf_event_text(run->scrape, PLAN, plan);
    hf_build_end(run->scrape->builder);
    run->written++;
}

static void write_top(void *user, const struct hf_statement_row *row)
{
    struct run *run = user;
    bool is_apart = run->server->config->events[PG_QUERY_PLAN];
    struct hf_slice plan;
    (void)!hf_plans_find(&run->events->plans, pg_plans_hash(row), hf_clock_monotonic_ns(), &plan);
    begin_record(run, "db.server.top_query", HF_EMPTY_SLICE, row->texts[PG_TOP_DATABASE],
                 row->texts[PG_TOP_STATEMENT]);
    hf_event_text(run->scrape, "postgresql.queryid", row->texts[PG_TOP_ID]);
    hf_event_text(run->scrape, "postgresql.rolname", row->texts[PG_TOP_ROLE]);
    if (!is_apart) {
        hf_event_text(run->scrape, PLAN, plan);
    }
    for (unsigned k = 0; k < COUNT(counted); k++) {
        if (k < TIMES) {
            hf_event_double(run->scrape, counted[k], (double)row->since[k] / PARTS / 1000);
        } else {
            hf_build_attribute_int(run->scrape->builder, hf_slice_text(counted[k]), row->since[k]);
        }
    }
    hf_build_end(run->scrape->builder);
    if (is_apart && plan.size != 0) {
        write_plan(run, row, plan);
    }
}

static bool look_at_top(struct run *run)
{
    const struct pg_config *config = run->server->config;
    run->events->plans.most = (size_t)config->top.cache_max;
    run->events->plans.ttl_ns = config->top.cache_ttl_ns;
    const struct hf_statement_report report = {.interval_ns = config->top.interval_ns,
                                               .rows_max = (size_t)config->top.rows_max,
                                               .top_max = (size_t)config->top.top_max,
                                               .has_new = true,
                                               .ask = ask_top,
                                               .prepare = ask_plans,
                                               .write = write_top,
                                               .user = run};
    return hf_statements_report(&run->events->top, run->scrape, &report);
}

void pg_events_run(struct pg_events *events, struct pg_server *server,
                   struct hf_server_scraper *scraper, struct hf_scrape *scrape)
{
    const bool *wanted = server->config->events;
    struct run run = {.events = events,
                      .server = server,
                      .scrape = scrape,
                      .patience = hf_server_scraper_patience(scraper, scrape)};
    char why[HF_ERROR_MAX];
    struct hf_pg *pg;
    enum hf_status status = pg_server_ready(server, &run.patience, &pg, why);
    if (status != HF_OK) {
        if (status != HF_CLOSED) {
            hf_scrape_failed(scrape, 0, 1, "connecting to %.200s failed: %s",
                             server->config->net.endpoint, why);
        }
        return;
    }
    pg_server_name(server, &(struct pg_entity){.database = NULL}, scrape->builder);
    bool is_good = (!wanted[PG_QUERY_SAMPLE] || look_at_samples(&run)) &&
                   (!wanted[PG_TOP_QUERY] || look_at_top(&run));
    if (!is_good) {
        pg_server_lost(server);
    }
    hf_scrape_count(scrape, 0, run.written);
}
