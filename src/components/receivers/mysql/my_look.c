#include "my_look.h"

#include <stdio.h>

#include <holdfast/component.h>

#include "my_queries.h"
#include "my_status.h"
#include "util/time/clock.h"

#define QUERY_MAX 1024

struct look {
    struct my_server *server;
    struct hf_scrape *scrape;
    struct hf_patience patience;
    struct hf_points *points;
    struct my_status status;
    const struct my_query *query; /* whose rows come */
};

static bool wants(const struct look *look, unsigned id)
{
    return look->server->config->wanted.metrics[id].enabled;
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
    const struct my_query *query = look->query;
    struct hf_points_attribute labels[MY_LABELS_MAX];
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

static bool ask_query(struct look *look, const struct my_query *query)
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
    struct my_query statements = my_statements;
    statements.text = text;
    snprintf(text, sizeof(text), MY_STATEMENTS, (long long)config->statements.digest_text_limit,
             (unsigned long long)(config->statements.time_limit_ns / HF_NS_PER_S),
             (long long)config->statements.limit);
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

/* The column, by its name since MySQL 8.0.22 or by the one before; empty: there is none. */
static struct hf_slice replica_text(const struct hf_mysql_row *row, const char *name,
                                    const char *older)
{
    unsigned at = hf_mysql_find(row, name);
    return hf_mysql_text(row, at != row->count ? at : hf_mysql_find(row, older));
}

static void add_replica_thread(struct look *look, const struct hf_mysql_row *row, const char *kind,
                               struct hf_slice state)
{
    const struct hf_points_attribute attributes[] = {
        {.key = "mysql.replica.thread.type", .text = hf_slice_text(kind)},
        {.key = "mysql.replica.channel.name",
         .text = hf_mysql_text(row, hf_mysql_find(row, "Channel_Name"))}};
    hf_points_int(look->points, MY_REPLICA_THREADS, hf_slice_is(state, "Yes"), attributes, 2);
}

/* A replica tells of each source in a row, whose columns differ between releases. */
static void take_replica(void *user, const struct hf_mysql_row *row)
{
    static const struct hf_points_column behind = {.id = MY_BEHIND_SOURCE},
                                         delay = {.id = MY_SQL_DELAY};
    struct look *look = user;
    hf_points_column(look->points, &behind,
                     replica_text(row, "Seconds_Behind_Source", "Seconds_Behind_Master"), NULL, 0);
    hf_points_column(look->points, &delay, hf_mysql_text(row, hf_mysql_find(row, "SQL_Delay")),
                     NULL, 0);
    add_replica_thread(look, row, "io",
                       replica_text(row, "Replica_IO_Running", "Slave_IO_Running"));
    add_replica_thread(look, row, "sql",
                       replica_text(row, "Replica_SQL_Running", "Slave_SQL_Running"));
}

static bool ask_replica(struct look *look)
{
    const struct hf_mysql *mysql = look->server->mysql;
    bool is_new = !hf_mysql_is_mariadb(mysql) && hf_mysql_version(mysql) >= 80022;
    bool is_wanted = wants(look, MY_BEHIND_SOURCE) || wants(look, MY_SQL_DELAY) ||
                     wants(look, MY_REPLICA_THREADS);
    return !is_wanted ||
           ask(look, is_new ? "SHOW REPLICA STATUS" : "SHOW SLAVE STATUS", take_replica);
}

/* Other releases say it in their status. */
static bool ask_log_status(struct look *look)
{
    unsigned long version = hf_mysql_version(look->server->mysql);
    bool has_table =
        !hf_mysql_is_mariadb(look->server->mysql) && version >= 80011 && version < 80030;
    return !has_table || ask_query(look, &my_log_status);
}

static bool ask_all(struct look *look)
{
    return ask_query(look, &my_pool_limit) && ask_query(look, &my_transactions) &&
           ask_query(look, &my_table_io) && ask_query(look, &my_index_io) &&
           ask_query(look, &my_sizes) && ask_statements(look) &&
           ask_query(look, &my_execution_time) && ask_query(look, &my_sessions) &&
           ask_query(look, &my_lock_waits) && ask_status(look) && ask_log_status(look) &&
           ask_replica(look);
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
    if (status == HF_CLOSED) {
        return;
    }
    hf_points_int(look.points, MY_HEALTHY, status == HF_OK, NULL, 0);
    if (status != HF_OK) {
        hf_scrape_failed(scrape, 0, 1, "connecting to %.200s failed: %s",
                         server->config->net.endpoint, why);
    } else if (!ask_all(&look)) {
        my_server_lost(server);
    }
    my_server_name(server, scrape->builder);
    hf_server_scraper_write(scraper, scrape, scraper->begun_ns);
}
