#include "my_events.h"

#include <stdio.h>

#include <holdfast/component.h>

#include "my_host.h"
#include "support/sql_mask.h"
#include "support/statement_report.h"
#include "util/hash.h"

#define QUERY_MAX 2560
#define PICOSECONDS 1e12

struct run {
    struct my_events *events;
    struct my_server *server;
    struct hf_scrape *scrape;
    struct hf_patience patience;
    uint32_t written;
};

void my_events_release(struct my_events *events)
{
    hf_statements_release(&events->top);
    hf_bytes_release(&events->text);
    *events = (struct my_events){.top = {.rows = NULL}};
}

/* ---- records ---- */

static void put_text(const struct run *run, const char *key, struct hf_slice text)
{
    hf_build_attribute_string(run->scrape->builder, hf_slice_text(key), text);
}

static void put_int(const struct run *run, const char *key, struct hf_slice text)
{
    int64_t number = 0;
    (void)!hf_read_int(text, &number);
    hf_build_attribute_int(run->scrape->builder, hf_slice_text(key), number);
}

static void put_double(const struct run *run, const char *key, double number)
{
    hf_build_attribute_double(run->scrape->builder, hf_slice_text(key), number);
}

static void begin_record(struct run *run, const char *name)
{
    const struct hf_build_log_record record = {.time_ns = run->scrape->now_ns,
                                               .event_name = hf_slice_text(name)};
    hf_build_log_record(run->scrape->builder, &record);
    put_text(run, "db.system.name", hf_slice_text("mysql"));
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

/* ---- statements that run ---- */

/* Of what a thread waits for it is the last that counts. */
#define SAMPLES                                                                                    \
    "SELECT t.THREAD_ID, t.PROCESSLIST_USER, p.HOST, t.PROCESSLIST_DB, t.PROCESSLIST_COMMAND, "    \
    "t.PROCESSLIST_STATE, COALESCE(s.SQL_TEXT, t.PROCESSLIST_INFO), s.DIGEST, "                    \
    "COALESCE(w.EVENT_ID, s.EVENT_ID), "                                                           \
    "CASE WHEN w.THREAD_ID IS NULL THEN 'other' "                                                  \
    "WHEN t.PROCESSLIST_STATE = 'User sleep' THEN 'User sleep' "                                   \
    "WHEN w.EVENT_ID = w.END_EVENT_ID THEN 'CPU' ELSE COALESCE(w.EVENT_NAME, 'CPU') END, "         \
    "w.TIMER_WAIT FROM performance_schema.threads t "                                              \
    "LEFT JOIN performance_schema.events_statements_current s ON s.THREAD_ID = t.THREAD_ID "       \
    "AND s.NESTING_EVENT_ID IS NULL "                                                              \
    "LEFT JOIN performance_schema.events_waits_current w ON w.THREAD_ID = t.THREAD_ID "            \
    "AND w.EVENT_ID = (SELECT MAX(l.EVENT_ID) FROM performance_schema.events_waits_current l "     \
    "WHERE l.THREAD_ID = t.THREAD_ID) "                                                            \
    "LEFT JOIN information_schema.PROCESSLIST p ON p.ID = t.PROCESSLIST_ID "                       \
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
    WAIT_TIME
};

static void take_sample(void *user, const struct hf_mysql_row *row)
{
    struct run *run = user;
    struct hf_builder *builder = run->scrape->builder;
    struct hf_slice address;
    int64_t port;
    double waited = 0;
    my_host_split(hf_mysql_text(row, HOST), &address, &port);
    (void)!hf_read_double(hf_mysql_text(row, WAIT_TIME), &waited);
    begin_record(run, "db.server.query_sample");
    put_int(run, "mysql.threads.thread_id", hf_mysql_text(row, THREAD));
    put_text(run, "user.name", hf_mysql_text(row, USER));
    put_text(run, "db.namespace", hf_mysql_text(row, DATABASE));
    put_text(run, "mysql.threads.processlist_command", hf_mysql_text(row, COMMAND));
    put_text(run, "mysql.threads.processlist_state", hf_mysql_text(row, STATE));
    put_statement(run, hf_mysql_text(row, STATEMENT));
    put_text(run, "mysql.events_statements_current.digest", hf_mysql_text(row, DIGEST));
    put_int(run, "mysql.event_id", hf_mysql_text(row, EVENT));
    put_text(run, "mysql.wait_type", hf_mysql_text(row, WAIT));
    put_double(run, "mysql.events_waits_current.timer_wait", waited / PICOSECONDS);
    put_text(run, "client.address", address);
    hf_build_attribute_int(builder, hf_slice_text("client.port"), port);
    put_text(run, "network.peer.address", address);
    hf_build_attribute_int(builder, hf_slice_text("network.peer.port"), port);
    hf_build_end(builder);
}

static bool look_at_samples(struct run *run)
{
    char text[QUERY_MAX];
    int size =
        snprintf(text, sizeof(text), SAMPLES, (long long)run->server->config->samples.rows_max);
    if (size < 0 || (size_t)size >= sizeof(text)) {
        return true; /* the room is made for it */
    }
    return ask(run, text, take_sample);
}

/* ---- forms of statements ---- */

#define TOP                                                                                        \
    "SELECT SCHEMA_NAME, DIGEST, DIGEST_TEXT, COUNT_STAR, SUM_TIMER_WAIT "                         \
    "FROM performance_schema.events_statements_summary_by_digest "                                 \
    "WHERE LAST_SEEN >= NOW() - INTERVAL %lld SECOND "                                             \
    "AND (DIGEST_TEXT NOT LIKE 'EXPLAIN %%' OR DIGEST_TEXT IS NULL) "                              \
    "ORDER BY COUNT_STAR DESC LIMIT %lld"

static void take_top(void *user, const struct hf_mysql_row *row)
{
    struct run *run = user;
    const struct hf_slice texts[] = {hf_mysql_text(row, 1), hf_mysql_text(row, 2)};
    int64_t values[] = {0, 0}; /* time and count */
    if (hf_read_int(hf_mysql_text(row, 4), &values[0]) &&
        hf_read_int(hf_mysql_text(row, 3), &values[1])) {
        hf_statements_add(&run->events->top, hf_hash_pair(hf_mysql_text(row, 0), texts[0]).low,
                          texts, 2, values, 2);
    }
}

static bool ask_top(void *user)
{
    struct run *run = user;
    const struct my_config *config = run->server->config;
    char text[QUERY_MAX];
    snprintf(text, sizeof(text), TOP, (long long)config->top.lookback_s,
             (long long)config->top.rows_max);
    return ask(run, text, take_top);
}

static void write_top(void *user, const struct hf_statement_row *row)
{
    struct run *run = user;
    begin_record(run, "db.server.top_query");
    put_statement(run, row->texts[1]);
    put_text(run, "mysql.query_plan", HF_EMPTY_SLICE);
    put_text(run, "mysql.events_statements_summary_by_digest.digest", row->texts[0]);
    hf_build_attribute_int(run->scrape->builder,
                           hf_slice_text("mysql.events_statements_summary_by_digest.count_star"),
                           row->since[1]);
    put_double(run, "mysql.events_statements_summary_by_digest.sum_timer_wait",
               (double)row->since[0] / PICOSECONDS);
    hf_build_end(run->scrape->builder);
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
    return hf_statements_report(&run->events->top, run->scrape, &report);
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
    bool is_good = (!wanted[MY_QUERY_SAMPLE] || look_at_samples(&run)) &&
                   (!wanted[MY_TOP_QUERY] || look_at_top(&run));
    if (!is_good) {
        my_server_lost(server);
    }
    hf_scrape_count(scrape, 0, run.written);
}
