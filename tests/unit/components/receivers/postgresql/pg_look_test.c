/* What a server answers, as points and log records: the functions that ask it are the test's own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include <holdfast/component.h>

#include "components/receivers/postgresql/pg_events.h"
#include "components/receivers/postgresql/pg_look.h"
#include "tests/support/wanted_all.h"
#include "tests/unit/scrape_stub.h"

#define COLUMNS_MAX 24

/* ---- a server that answers by a part of the query; queries without an answer have no rows ---- */

struct answer {
    const char *part;
    enum hf_status status;
    const char *rows[3][COLUMNS_MAX]; /* up to one without a first column */
};

static struct {
    const struct answer *answers; /* up to one without a part */
    enum hf_status connecting;
    int version;
    unsigned open, asked;
} server;

static char connection; /* stands for one */
static const struct hf_pg_library library;

struct hf_slice hf_pg_text(const struct hf_pg_row *row, int column)
{
    const char *const *columns = (const char *const *)(const void *)row->result;
    assert_true(column < COLUMNS_MAX);
    return columns[column] != NULL ? hf_slice_text(columns[column]) : HF_EMPTY_SLICE;
}

enum hf_status hf_pg_ask(struct hf_pg *pg, const char *query, const struct hf_patience *patience,
                         void (*take)(void *user, const struct hf_pg_row *row), void *user,
                         char *reterr)
{
    const struct answer *answer = server.answers;
    (void)patience;
    assert_ptr_equal(pg, &connection);
    server.asked++;
    while (answer->part != NULL && strstr(query, answer->part) == NULL) {
        answer++;
    }
    for (size_t i = 0; answer->part != NULL && i < 3 && answer->rows[i][0] != NULL; i++) {
        const struct hf_pg_row row = {.result = (const PGresult *)(const void *)answer->rows[i]};
        take(user, &row);
    }
    snprintf(reterr, HF_ERROR_MAX, "refused");
    return answer->part != NULL ? answer->status : HF_OK;
}

enum hf_status hf_pg_open(const struct hf_pg_library *from, const struct hf_pg_settings *settings,
                          const struct hf_patience *patience, struct hf_pg **ret_pg, char *reterr)
{
    (void)from;
    (void)patience;
    assert_string_equal(settings->host, "127.0.0.1");
    snprintf(reterr, HF_ERROR_MAX, "no entry");
    if (server.connecting == HF_OK) {
        server.open++;
        *ret_pg = (struct hf_pg *)(void *)&connection;
    }
    return server.connecting;
}

void hf_pg_close(struct hf_pg *pg)
{
    server.open -= pg != NULL;
}

int hf_pg_version(const struct hf_pg *pg)
{
    (void)pg;
    return server.version;
}

const struct hf_pg_library *hf_pg_library(char *reterr)
{
    (void)reterr;
    return &library;
}

/* ---- tests ---- */

static void prepare(const struct answer *answers, struct pg_config *config,
                    struct pg_server *ret_server)
{
    char why[HF_ERROR_MAX];
    server.answers = answers;
    server.connecting = HF_OK;
    server.version = 150000;
    server.open = server.asked = 0;
    config->net.endpoint = "127.0.0.1:5432";
    config->main_database = "postgres";
    WANT_METRICS(config->wanted.metrics);
    WANT_RESOURCES(config->wanted.resources);
    assert_int_equal(pg_server_open(ret_server, config, why), HF_OK);
    assert_string_equal(ret_server->port, "5432");
}

static void look_at(struct pg_server *asked)
{
    struct hf_server_scraper scraper = {.begun_ns = 1};
    const struct hf_metric_set metrics = {pg_rows, asked->config->wanted.metrics, PG_METRIC_COUNT,
                                          0};
    assert_int_equal(hf_points_init(&scraper.points, &metrics), HF_OK);
    struct pg_look look = {.server = asked,
                           .scraper = &scraper,
                           .scrape = stub_begin(HF_METRICS),
                           .patience = {UINT64_MAX, -1}};
    pg_look_run(&look);
    pg_look_release(&look);
    hf_points_release(&scraper.points);
    stub_end();
}

#define TEXT(key, value) "{\"key\":\"" key "\",\"value\":{\"stringValue\":\"" value "\"}}"
#define POINT(value) "\"asInt\":\"" value "\""

static void rows_are_points_of_their_resource(void **state)
{
    static const struct answer answers[] = {
        {"FROM pg_database WHERE NOT datistemplate", HF_OK, {{"shop"}, {"left"}, {NULL}}},
        {"FROM pg_stat_database WHERE",
         HF_OK,
         {{"shop", "11", "12", "many", NULL, "15"}, {"other", "99"}, {NULL}}},
        {"pg_stat_user_tables",
         HF_OK,
         {{"public", "sold", "1", "2", "3", "4", "5", "6", "8192"}, {NULL}}},
        {"pg_stat_user_indexes", HF_OK, {{"sold", "sold_pkey", "21", "22"}, {NULL}}},
        {"max_connections", HF_OK, {{"40"}, {NULL}}},
        {"pg_stat_replication", HF_OK, {{"10.0.0.1", "7", "0.5", "0", NULL, NULL}, {NULL}}},
        {NULL}};
    static const char *const excluded[] = {"left"};
    struct pg_config config = {.excluded = {excluded, 1}};
    struct pg_server asked;
    (void)state;
    prepare(answers, &config, &asked);
    look_at(&asked);
    assert_true(stub_has(POINT("11")) && stub_has(POINT("12")) && stub_has(POINT("15")));
    assert_false(stub_has(POINT("99")) || stub_has("postgresql.deadlocks")); /* no number */
    assert_true(stub_has(TEXT("postgresql.table.name", "public.sold")));
    assert_true(stub_has(POINT("8192")) && stub_has(TEXT("operation", "hot_upd")));
    assert_true(stub_has(
        TEXT("postgresql.table.name", "sold") "," TEXT("postgresql.index.name", "sold_pkey")));
    assert_true(stub_has(POINT("40")));
    assert_true(stub_has("\"asDouble\":0.5"));
    assert_false(stub_has(TEXT("operation", "flush"))); /* NULL */
    assert_false(stub_has("left"));
    assert_int_equal(stub.failures, 0);
    assert_int_equal(server.open, 1); /* that to the main database is kept */
    hf_bytes_release(&stub.json);
    pg_server_close(&asked);
    assert_int_equal(server.open, 0);
}

static void a_query_that_is_refused_costs_only_its_own_points(void **state)
{
    static const struct answer answers[] = {

        {"FROM pg_stat_archiver", HF_INVALID, {{NULL}}},
        {"max_connections", HF_OK, {{"40"}, {NULL}}},
        {NULL}};
    struct pg_config config = {.databases = {NULL, 0}};
    struct pg_server asked;
    (void)state;
    prepare(answers, &config, &asked);
    look_at(&asked);
    assert_string_equal(stub.sentences, "asking 127.0.0.1:5432 failed: refused\n");
    assert_true(stub_has(POINT("40")));
    assert_int_equal(server.open, 1);
    hf_bytes_release(&stub.json);
    pg_server_close(&asked);
}

static void a_lost_connection_ends_the_look_and_the_next_connects_again(void **state)
{
    static const struct answer lost[] = {{"pg_stat_archiver", HF_AGAIN, {{NULL}}}, {NULL}};
    struct pg_config config = {.databases = {NULL, 0}};
    struct pg_server asked;
    (void)state;
    prepare(lost, &config, &asked);
    look_at(&asked);
    assert_int_equal(server.open, 0);
    assert_int_equal(stub.failures, 1);
    hf_bytes_release(&stub.json);
    server.connecting = HF_INVALID;
    look_at(&asked);
    assert_string_equal(stub.sentences, "connecting to 127.0.0.1:5432 failed: no entry\n");
    assert_int_equal(stub.counted, 0);
    hf_bytes_release(&stub.json);
    server.connecting = HF_CLOSED; /* told to stop */
    look_at(&asked);
    assert_int_equal(stub.failures, 0);
    hf_bytes_release(&stub.json);
}

static const struct answer statements[] = {
    {"FROM pg_stat_activity",
     HF_OK,
     {{"shop",
       "joe",
       "10.0.0.1",
       "5000",
       "SELECT 7 /* x */",
       "1.5",
       "12.25",
       "active",
       "psql",
       NULL,
       "noon",
       "PgSleep",
       "Timeout",
       "77",
       "ten",
       "12,13",
       NULL,
       "ExclusiveLock",
       NULL,
       NULL,
       NULL,
       "4242",
       "250"},
      {"shop", "ann", NULL, NULL, "<insufficient privilege>"},
      {NULL}}},
    {"FROM pg_stat_statements",
     HF_OK,
     {{"shop", "SELECT $1", "77", "joe", "2000.5", "0", "3", "9", "0", "5", "0", "0", "0", "0"},
      {NULL}}},
    {NULL}};

static void statements_are_records_without_values(void **state)
{
    struct pg_config config = {.samples = {.rows_max = 10},
                               .top = {.rows_max = 10, .top_max = 10},
                               .events = {true, true}};
    struct hf_server_scraper scraper = {.begun_ns = 1};
    struct pg_events events = {.newest = 0};
    struct pg_server asked;
    (void)state;
    prepare(statements, &config, &asked);
    pg_events_run(&events, &asked, &scraper, stub_begin(HF_LOGS));
    stub_end();
    assert_true(stub_has(TEXT("db.query.text", "SELECT ?") "," TEXT("user.name", "joe")));
    assert_true(stub_has("\"postgresql.pid\",\"value\":{\"intValue\":\"4242\"}"));
    assert_true(stub_has(TEXT("postgresql.blocking.pids", "12,13")));
    assert_true(stub_has("\"postgresql.total_exec_time\",\"value\":{\"doubleValue\":1.5}"));
    assert_true(stub_has("\"postgresql.total_exec_time\",\"value\":{\"doubleValue\":2.0005}"));
    assert_true(stub_has("\"postgresql.calls\",\"value\":{\"intValue\":\"3\"}"));
    assert_false(stub_has("ann"));
    assert_true(events.newest == 12.25);
    assert_string_equal(stub.sentences,
                        "statements of other roles are hidden: grant pg_read_all_stats\n");
    assert_int_equal(stub.counted, 2);
    hf_bytes_release(&stub.json);
    pg_events_run(&events, &asked, &scraper, stub_begin(HF_LOGS));
    stub_end();
    assert_int_equal(stub.counted, 1); /* the form has not taken more since */
    hf_bytes_release(&stub.json);
    pg_events_release(&events);
    pg_server_close(&asked);
}

/* ---- plans ---- */

#define TOP_ROW(database, statement, id, time)                                                     \
    {                                                                                              \
        database, statement, id, "joe", time, "0", "3", "9", "0", "5", "0", "0", "0", "0"          \
    }

static void run_events(struct pg_events *events, struct pg_server *asked)
{
    struct hf_server_scraper scraper = {.begun_ns = 1};
    server.asked = 0;
    pg_events_run(events, asked, &scraper, stub_begin(HF_LOGS));
    stub_end();
}

static void plans_are_asked_for_in_their_database_once(void **state)
{
    static const struct answer answers[] = {
        {"FROM pg_stat_statements",
         HF_OK,
         {TOP_ROW("shop", "SELECT $1", "77", "9"), TOP_ROW("other", "VALUES ($1)", "78", "8"),
          TOP_ROW("shop", "COMMIT", "79", "7")}},
        {"FROM pg_prepared_statements", HF_OK, {{"2"}, {NULL}}},
        {"EXECUTE holdfast_plan(NULL,NULL)",
         HF_OK,
         {{"[{\"Plan\": {\"Node Type\": \"Result\", \"Filter\": \"(a = 5)\"}}]"}, {NULL}}},
        {NULL}};
    struct pg_config config = {.top = {.rows_max = 10,
                                       .top_max = 10,
                                       .plans_max = 10,
                                       .cache_max = 10,
                                       .cache_ttl_ns = UINT64_C(1) << 60}};
    struct pg_events events = {.newest = 0};
    struct pg_server asked;
    (void)state;
    config.events[PG_TOP_QUERY] = true;
    prepare(answers, &config, &asked);
    run_events(&events, &asked);
    const char *plan = "[{\\\"Plan\\\":{\\\"Node Type\\\":\\\"Result\\\","
                       "\\\"Filter\\\":\\\"(a = ?)\\\"}}]";
    char text[256];
    snprintf(text, sizeof(text), TEXT("postgresql.query_plan", "%s"), plan);
    assert_true(stub_has(text) && stub_has(TEXT("postgresql.query_plan", "")));
    assert_int_equal(stub.counted, 3);
    /* The forms; and for each database two settings and the four steps of a plan. */
    assert_int_equal(server.asked, 1 + 2 * (2 + 4));
    assert_int_equal(server.open, 1);
    assert_int_equal(stub.failures, 0);
    hf_bytes_release(&stub.json);

    config.events[PG_QUERY_PLAN] = true;
    events.top.known_count = 0; /* as if nothing had been reported */
    run_events(&events, &asked);
    assert_int_equal(server.asked, 2); /* the connection is tried, the forms are asked for */
    assert_true(stub_has("db.server.query_plan"));
    assert_true(
        stub_has(TEXT("db.namespace", "other") "," TEXT("postgresql.queryid", "78") "," TEXT(
            "postgresql.rolname", "joe") ",{\"key\":\"postgresql.query_plan\""));
    assert_false(stub_has(TEXT("postgresql.query_plan", "")));
    assert_int_equal(stub.counted, 5);
    hf_bytes_release(&stub.json);
    pg_events_release(&events);
    pg_server_close(&asked);
}

static void that_a_form_has_no_plan_is_said_once_and_kept(void **state)
{
    static const struct answer answers[] = {
        {"FROM pg_stat_statements",
         HF_OK,
         {TOP_ROW("shop", "SELECT $1", "77", "9"), TOP_ROW("shop", "SELECT $1, $2", "78", "8"),
          TOP_ROW("left", "SELECT $1", "79", "8")}},
        {"PREPARE", HF_INVALID, {{NULL}}},
        {NULL}};
    static const char *const excluded[] = {"left"};
    struct pg_config config = {.excluded = {excluded, 1},
                               .top = {.rows_max = 10,
                                       .top_max = 10,
                                       .plans_max = 10,
                                       .cache_max = 10,
                                       .cache_ttl_ns = UINT64_C(1) << 60}};
    struct pg_events events = {.newest = 0};
    struct pg_server asked;
    (void)state;
    config.events[PG_TOP_QUERY] = true;
    prepare(answers, &config, &asked);
    run_events(&events, &asked);
    assert_string_equal(stub.sentences, "no plan of a statement of the database shop: refused\n");
    assert_int_equal(stub.missing, 0);
    assert_int_equal(stub.counted, 3);
    assert_int_equal(server.asked, 1 + 2 + 2); /* PREPARE for each form */
    assert_int_equal(events.plans.count, 2);
    hf_bytes_release(&stub.json);
    pg_events_release(&events);
    config.top.plans_max = 0; /* none is asked for */
    run_events(&events, &asked);
    assert_int_equal(server.asked, 2);
    hf_bytes_release(&stub.json);
    config.top.plans_max = 10;
    server.version = 110000; /* has no generic plans */
    pg_events_release(&events);
    run_events(&events, &asked);
    assert_int_equal(server.asked, 2);
    hf_bytes_release(&stub.json);
    pg_events_release(&events);
    pg_server_close(&asked);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_points_of_their_resource),
        cmocka_unit_test(a_query_that_is_refused_costs_only_its_own_points),
        cmocka_unit_test(a_lost_connection_ends_the_look_and_the_next_connects_again),
        cmocka_unit_test(statements_are_records_without_values),
        cmocka_unit_test(plans_are_asked_for_in_their_database_once),
        cmocka_unit_test(that_a_form_has_no_plan_is_said_once_and_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
