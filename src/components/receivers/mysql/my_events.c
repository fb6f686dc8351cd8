#include "my_events.h"

#include <stdio.h>

#include <holdfast/component.h>

#include "my_host.h"
#include "my_plans.h"
#include "support/scrape/scraped_event.h"
#include "support/scrape/sql_mask.h"
#include "support/scrape/statement_report.h"
#include "util/hash.h"

#define QUERY_MAX 2560
#define PICOSECONDS 1e12
#define PLAN "mysql.query_plan"
#define PLAN_HASH "mysql.query_plan.hash"

struct run {
    struct my_events *events;
    struct my_server *server;
    struct hf_scrape *scrape;
    struct hf_patience patience;
    struct my_plans plans;
    struct hf_statements
        sampled; /* forms of the statements that run, when their plans are wanted */
    uint32_t written;
};

/* The texts of a form. */
enum { DIGEST_TEXT = 0, STATEMENT_TEXT, SCHEMA_TEXT, SAMPLE_TEXT, TEXTS };

void my_events_release(struct my_events *events)
{
    hf_statements_release(&events->top);
    hf_plans_release(&events->plans);
    hf_bytes_release(&events->text);
    *events = (struct my_events){.top = {.rows = NULL}};
}

/* ---- records ---- */

static void begin_record(struct run *run, const char *name, struct hf_slice parent)
{
    hf_event_begin_in(run->scrape, name, "mysql", parent);
    run->written++;
}

static void put_statement(const struct run *run, struct hf_slice text)
{
    hf_sql_attribute(run->scrape->builder, text, HF_SQL_MYSQL | HF_SQL_BARE, &run->events->text);
}

/* False: the connection is of no use, or the scrape is to end. */
static bool ask(struct run *run, const char *text,
                void (*take)(void *user, const struct hf_mysql_row *row))
{
    char why[HF_ERROR_MAX];
    enum hf_status status = hf_mysql_ask(run->server->mysql, text, &run->patience, take, run, why);
    if (status != HF_OK && status != HF_CLOSED) {
        hf_scrape_failed(run->scrape, 0, 1, "asking %.200s failed: %s",
                         run->server->config->net.endpoint, why);
    }
    return status == HF_OK || status == HF_INVALID;
}

/* ---- plans ---- */

static struct hf_slice plan_of(struct run *run, const struct hf_statement_row *row)
{
    const struct my_form form = {.schema = row->texts[SCHEMA_TEXT],
                                 .digest = row->texts[DIGEST_TEXT],
                                 .statement = row->texts[SAMPLE_TEXT]};
    return form.digest.size != 0 ? my_plans_get(&run->plans, &form) : HF_EMPTY_SLICE;
}

/* A record of its own. */
static void write_plan(struct run *run, const struct hf_statement_row *row, struct hf_slice plan,
                       const char *source)
{
    if (plan.size != 0) {
        begin_record(run, "db.server.query_plan", HF_EMPTY_SLICE);
        hf_event_text(run->scrape, PLAN_HASH, row->texts[DIGEST_TEXT]);
        hf_event_text(run->scrape, "db.namespace", row->texts[SCHEMA_TEXT]);
        hf_event_text(run->scrape, "mysql.query_plan.source", hf_slice_text(source));
        hf_event_text(run->scrape, PLAN, plan);
        hf_build_end(run->scrape->builder);
    }
}

/* ---- statements that run ---- */

/* Of what a thread waits for it is the last that counts. */
#define SAMPLES                                                                                    \
    "SELECT t.THREAD_ID, t.PROCESSLIST_USER, p.HOST, t.PROCESSLIST_DB, t.PROCESSLIST_COMMAND, "    \
    "t.PROCESSLIST_STATE, COALESCE(s.SQL_TEXT, t.PROCESSLIST_INFO), s.DIGEST, "                    \
    "COALESCE(w.EVENT_ID, s.EVENT_ID), "                                                           \
    "CASE WHEN w.THREAD_ID IS NULL THEN 'other' "                                                  \
    "WHEN t.PROCESSLIST_STATE = 'User sleep' THEN 'User sleep' "                                   \
    "WHEN w.EVENT_ID = w.END_EVENT_ID THEN 'CPU' ELSE COALESCE(w.EVENT_NAME, 'CPU') END, "         \
    "w.TIMER_WAIT, t.PROCESSLIST_ID, CASE "                                                        \
    "WHEN w.THREAD_ID IS NOT NULL AND w.END_EVENT_ID IS NULL THEN 'waiting' "                      \
    "WHEN s.THREAD_ID IS NOT NULL THEN 'running' ELSE 'other' END, s.TIMER_WAIT, %s "              \
    "FROM performance_schema.threads t "                                                           \
    "LEFT JOIN performance_schema.events_statements_current s ON s.THREAD_ID = t.THREAD_ID "       \
    "AND s.NESTING_EVENT_ID IS NULL "                                                              \
    "LEFT JOIN performance_schema.events_waits_current w ON w.THREAD_ID = t.THREAD_ID "            \
    "AND w.EVENT_ID = (SELECT MAX(l.EVENT_ID) FROM performance_schema.events_waits_current l "     \
    "WHERE l.THREAD_ID = t.THREAD_ID) "                                                            \
    "%s LEFT JOIN information_schema.PROCESSLIST p ON p.ID = t.PROCESSLIST_ID "                    \
    "WHERE t.PROCESSLIST_STATE IS NOT NULL "                                                       \
    "AND t.PROCESSLIST_COMMAND NOT IN ('Sleep', 'Daemon') "                                        \
    "AND t.PROCESSLIST_ID <> CONNECTION_ID() "                                                     \
    "AND COALESCE(w.EVENT_NAME, '') <> 'idle' AND COALESCE(w.OPERATION, '') <> 'idle' "            \
    "AND COALESCE(s.SQL_TEXT, t.PROCESSLIST_INFO, '') <> '' LIMIT %lld"

enum {
    THREAD = 0,
    USER,
    HOST,
    DATABASE,
    COMMAND,
    STATE,
    STATEMENT,
    DIGEST,
    EVENT,
    WAIT,
    WAIT_TIME,
    SESSION,
    STATUS,
    STATEMENT_TIME,
    PARENT
};

/* A client may leave its traceparent in a variable of its session. */
#define PARENT_COLUMN "CONVERT(v.VARIABLE_VALUE USING utf8)"
#define PARENT_TABLE                                                                               \
    "LEFT JOIN performance_schema.user_variables_by_thread v ON v.THREAD_ID = t.THREAD_ID "        \
    "AND v.VARIABLE_NAME = 'traceparent' "

/* Servers before MySQL 5.7 and MariaDB 10.5 do not show variables. */
static bool shows_variables(const struct hf_mysql *mysql)
{
    unsigned long version = hf_mysql_version(mysql);
    return version >= 100500 || (version >= 50700 && version < 100000);
}

/* For its plan, which cannot be asked for in the middle of an answer. */
static void remember_form(struct run *run, const struct hf_mysql_row *row)
{
    struct hf_slice texts[TEXTS];
    texts[DIGEST_TEXT] = hf_mysql_text(row, DIGEST);
    texts[STATEMENT_TEXT] = HF_EMPTY_SLICE;
    texts[SCHEMA_TEXT] = hf_mysql_text(row, DATABASE);
    texts[SAMPLE_TEXT] = hf_mysql_text(row, STATEMENT);
    hf_statements_add(&run->sampled, 0, texts, TEXTS, NULL, 0);
}

static void take_sample(void *user, const struct hf_mysql_row *row)
{
    struct run *run = user;
    struct hf_builder *builder = run->scrape->builder;
    struct hf_slice address;
    int64_t port;
    double waited = 0, ran = 0;
    my_host_split(hf_mysql_text(row, HOST), &address, &port);
    (void)!hf_read_double(hf_mysql_text(row, WAIT_TIME), &waited);
    (void)!hf_read_double(hf_mysql_text(row, STATEMENT_TIME), &ran);
    begin_record(run, "db.server.query_sample", hf_mysql_text(row, PARENT));
    hf_event_int(run->scrape, "mysql.threads.thread_id", hf_mysql_text(row, THREAD));
    hf_event_text(run->scrape, "user.name", hf_mysql_text(row, USER));
    hf_event_text(run->scrape, "db.namespace", hf_mysql_text(row, DATABASE));
    hf_event_text(run->scrape, "mysql.threads.processlist_command", hf_mysql_text(row, COMMAND));
    hf_event_text(run->scrape, "mysql.threads.processlist_state", hf_mysql_text(row, STATE));
    put_statement(run, hf_mysql_text(row, STATEMENT));
    hf_event_text(run->scrape, "mysql.events_statements_current.digest",
                  hf_mysql_text(row, DIGEST));
    hf_event_text(run->scrape, PLAN_HASH, hf_mysql_text(row, DIGEST));
    hf_event_int(run->scrape, "mysql.event_id", hf_mysql_text(row, EVENT));
    hf_event_text(run->scrape, "mysql.wait_type", hf_mysql_text(row, WAIT));
    hf_event_text(run->scrape, "mysql.session.status", hf_mysql_text(row, STATUS));
    hf_event_int(run->scrape, "mysql.session.id", hf_mysql_text(row, SESSION));
    hf_event_double(run->scrape, "mysql.events_statements_current.timer_wait", ran / PICOSECONDS);
    hf_event_double(run->scrape, "mysql.events_waits_current.timer_wait", waited / PICOSECONDS);
    hf_event_text(run->scrape, "client.address", address);
    hf_build_attribute_int(builder, hf_slice_text("client.port"), port);
    hf_event_text(run->scrape, "network.peer.address", address);
    hf_build_attribute_int(builder, hf_slice_text("network.peer.port"), port);
    hf_build_end(builder);
    if (run->sampled.rows != NULL) {
        remember_form(run, row);
    }
}

static void write_sampled_plans(struct run *run)
{
    for (size_t i = 0; i < run->sampled.count; i++) {
        const struct hf_statement_row *row = &run->sampled.rows[i];
        write_plan(run, row, plan_of(run, row), "db.server.query_sample");
    }
}

static bool look_at_samples(struct run *run)
{
    const struct my_config *config = run->server->config;
    char text[QUERY_MAX];
    bool has_variables = shows_variables(run->server->mysql);
    int size = snprintf(text, sizeof(text), SAMPLES, has_variables ? PARENT_COLUMN : "NULL",
                        has_variables ? PARENT_TABLE : "", (long long)config->samples.rows_max);
    if (size < 0 || (size_t)size >= sizeof(text)) {
        return true; /* the room is made for it */
    }
    if (config->events[MY_QUERY_PLAN] &&
        hf_statements_begin(&run->sampled, (size_t)config->samples.rows_max) != HF_OK) {
        hf_scrape_failed(run->scrape, 0, 1, "out of memory");
    }
    bool is_good = ask(run, text, take_sample);
    if (is_good) {
        write_sampled_plans(run);
    }
    hf_statements_release(&run->sampled);
    return is_good && !run->plans.is_lost;
}

/* ---- forms of statements ---- */

/* With the column of a statement as it was run, the seconds, and the most rows. */
#define TOP                                                                                        \
    "SELECT SCHEMA_NAME, DIGEST, DIGEST_TEXT, SUM_TIMER_WAIT, COUNT_STAR, SUM_ROWS_EXAMINED, "     \
    "SUM_ROWS_SENT, %s FROM performance_schema.events_statements_summary_by_digest "               \
    "WHERE LAST_SEEN >= NOW() - INTERVAL %lld SECOND "                                             \
    "AND (DIGEST_TEXT NOT LIKE 'EXPLAIN %%' OR DIGEST_TEXT IS NULL) "                              \
    "ORDER BY COUNT_STAR DESC LIMIT %lld"

enum { TOP_TIME = 0, TOP_COUNT, TOP_EXAMINED, TOP_SENT, TOP_VALUES, TOP_VALUES_AT = 3 };

static void take_top(void *user, const struct hf_mysql_row *row)
{
    struct run *run = user;
    struct hf_slice texts[TEXTS];
    int64_t values[TOP_VALUES] = {0};
    bool is_good = true;
    texts[SCHEMA_TEXT] = hf_mysql_text(row, 0);
    texts[DIGEST_TEXT] = hf_mysql_text(row, 1);
    texts[STATEMENT_TEXT] = hf_mysql_text(row, 2);
    texts[SAMPLE_TEXT] = hf_mysql_text(row, TOP_VALUES_AT + TOP_VALUES);
    for (unsigned i = 0; i < TOP_VALUES; i++) {
        is_good = hf_read_int(hf_mysql_text(row, TOP_VALUES_AT + i), &values[i]) && is_good;
    }
    if (is_good) {
        uint64_t hash = hf_hash_pair(texts[SCHEMA_TEXT], texts[DIGEST_TEXT]).low;
        hf_statements_add(&run->events->top, hash, texts, TEXTS, values, TOP_VALUES);
    }
}

static bool ask_top(void *user)
{
    struct run *run = user;
    const struct my_config *config = run->server->config;
    char text[QUERY_MAX];
    const char *sample = my_plans_has_samples(run->server) ? "QUERY_SAMPLE_TEXT" : "NULL";
    snprintf(text, sizeof(text), TOP, sample, (long long)config->top.lookback_s,
             (long long)config->top.rows_max);
    return ask(run, text, take_top);
}

static void write_top(void *user, const struct hf_statement_row *row)
{
    static const char *const counted[TOP_VALUES] = {
        [TOP_COUNT] = "mysql.events_statements_summary_by_digest.count_star",
        [TOP_EXAMINED] = "mysql.events_statements_summary_by_digest.examined_rows",
        [TOP_SENT] = "mysql.events_statements_summary_by_digest.returned_rows"};
    struct run *run = user;
    bool is_apart = run->server->config->events[MY_QUERY_PLAN];
    struct hf_slice plan = plan_of(run, row);
    begin_record(run, "db.server.top_query", HF_EMPTY_SLICE);
    hf_event_text(run->scrape, "db.namespace", row->texts[SCHEMA_TEXT]);
    put_statement(run, row->texts[STATEMENT_TEXT]);
    if (!is_apart) {
        hf_event_text(run->scrape, PLAN, plan);
    }
    hf_event_text(run->scrape, PLAN_HASH,
                  plan.size != 0 ? row->texts[DIGEST_TEXT] : HF_EMPTY_SLICE);
    hf_event_text(run->scrape, "mysql.events_statements_summary_by_digest.digest",
                  row->texts[DIGEST_TEXT]);
    for (unsigned i = TOP_COUNT; i < TOP_VALUES; i++) {
        hf_build_attribute_int(run->scrape->builder, hf_slice_text(counted[i]), row->since[i]);
    }
    hf_event_double(run->scrape, "mysql.events_statements_summary_by_digest.sum_timer_wait",
                    (double)row->since[TOP_TIME] / PICOSECONDS);
    hf_build_end(run->scrape->builder);
    if (is_apart) {
        write_plan(run, row, plan, "db.server.top_query");
    }
}

static bool look_at_top(struct run *run)
{
    const struct my_config *config = run->server->config;
    const struct hf_statement_report report = {.interval_ns = config->top.interval_ns,
                                               .rows_max = (size_t)config->top.rows_max,
                                               .top_max = (size_t)config->top.top_max,
                                               .ask = ask_top,
                                               .write = write_top,
                                               .user = run};
    return hf_statements_report(&run->events->top, run->scrape, &report) && !run->plans.is_lost;
}

void my_events_run(struct my_events *events, struct my_server *server,
                   struct hf_server_scraper *scraper, struct hf_scrape *scrape)
{
    const bool *wanted = server->config->events;
    struct run run = {.events = events,
                      .server = server,
                      .scrape = scrape,
                      .patience = hf_server_scraper_patience(scraper, scrape)};
    char why[HF_ERROR_MAX];
    struct hf_mysql *mysql;
    enum hf_status status = my_server_ready(server, &run.patience, &mysql, why);
    if (status != HF_OK) {
        if (status != HF_CLOSED) {
            hf_scrape_failed(scrape, 0, 1, "connecting to %.200s failed: %s",
                             server->config->net.endpoint, why);
        }
        return;
    }
    my_server_name(server, scrape->builder);
    events->plans.most = (size_t)server->config->top.cache_max;
    events->plans.ttl_ns = server->config->top.cache_ttl_ns;
    run.plans = (struct my_plans){
        .server = server, .scrape = scrape, .patience = &run.patience, .known = &events->plans};
    bool is_good = (!wanted[MY_QUERY_SAMPLE] || look_at_samples(&run)) &&
                   (!wanted[MY_TOP_QUERY] || look_at_top(&run));
    if (!is_good) {
        my_server_lost(server);
    }
    hf_scrape_count(scrape, 0, run.written);
}
