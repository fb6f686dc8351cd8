/* What a server answers, as points and log records: the functions that ask it are the test's own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <strings.h>

#include <cmocka.h>

#include <holdfast/component.h>

#include "components/receivers/mysql/my_events.h"
#include "components/receivers/mysql/my_look.h"
#include "components/receivers/mysql/my_status.h"
#include "tests/support/wanted_all.h"
#include "tests/unit/scrape_stub.h"

#define COLUMNS_MAX 12

/* ---- a server that answers by a part of the query; queries without an answer have no rows ---- */

struct answer {
    const char *part;
    enum hf_status status;
    const char *rows[3][COLUMNS_MAX]; /* up to one without a first column */
};

static struct {
    const struct answer *answers; /* up to one without a part */
    const char *const *columns;   /* names of the only answer that has them */
    enum hf_status connecting;
    unsigned long version;
    bool is_mariadb;
    unsigned open;
    char asked[8192]; /* all queries */
} server;

static char connection; /* stands for one */
static const struct hf_mysql_library library;

struct hf_slice hf_mysql_text(const struct hf_mysql_row *row, unsigned column)
{
    return column < row->count && row->texts[column] != NULL ? hf_slice_text(row->texts[column])
                                                             : HF_EMPTY_SLICE;
}

unsigned hf_mysql_find(const struct hf_mysql_row *row, const char *name)
{
    unsigned column = 0;
    while (column < row->count && strcasecmp(server.columns[column], name) != 0) {
        column++;
    }
    return column;
}

enum hf_status hf_mysql_ask(struct hf_mysql *mysql, const char *query,
                            const struct hf_patience *patience,
                            void (*take)(void *user, const struct hf_mysql_row *row), void *user,
                            char *reterr)
{
    const struct answer *answer = server.answers;
    size_t size = strlen(server.asked);
    (void)patience;
    assert_ptr_equal(mysql, &connection);
    snprintf(server.asked + size, sizeof(server.asked) - size, "%s\n", query);
    while (answer->part != NULL && strstr(query, answer->part) == NULL) {
        answer++;
    }
    for (size_t i = 0; answer->part != NULL && i < 3 && answer->rows[i][0] != NULL; i++) {
        struct hf_mysql_row row = {.count = 0};
        char *texts[COLUMNS_MAX];
        for (; row.count < COLUMNS_MAX; row.count++) {
            texts[row.count] = (char *)(uintptr_t)answer->rows[i][row.count];
        }
        row.texts = texts;
        take(user, &row);
    }
    snprintf(reterr, HF_ERROR_MAX, "refused");
    return answer->part != NULL ? answer->status : HF_OK;
}

enum hf_status hf_mysql_open(const struct hf_mysql_library *from,
                             const struct hf_mysql_settings *settings,
                             const struct hf_patience *patience, struct hf_mysql **ret_mysql,
                             char *reterr)
{
    (void)from;
    (void)patience;
    assert_string_equal(settings->host, "127.0.0.1");
    assert_int_equal(settings->port, 3306);
    assert_null(settings->socket);
    snprintf(reterr, HF_ERROR_MAX, "no access");
    if (server.connecting == HF_OK) {
        server.open++;
        *ret_mysql = (struct hf_mysql *)(void *)&connection;
    }
    return server.connecting;
}

void hf_mysql_close(struct hf_mysql *mysql)
{
    server.open -= mysql != NULL;
}

unsigned long hf_mysql_version(const struct hf_mysql *mysql)
{
    (void)mysql;
    return server.version;
}

bool hf_mysql_is_mariadb(const struct hf_mysql *mysql)
{
    (void)mysql;
    return server.is_mariadb;
}

const struct hf_mysql_library *hf_mysql_library(char *reterr)
{
    (void)reterr;
    return &library;
}

/* ---- tests ---- */

static void prepare(const struct answer *answers, struct my_config *config,
                    struct my_server *ret_server)
{
    char why[HF_ERROR_MAX];
    memset(&server, 0, sizeof(server));
    server.answers = answers;
    server.version = 80036;
    config->net.endpoint = "127.0.0.1:3306";
    config->statements.digest_text_limit = 120;
    config->statements.limit = 250;
    config->statements.time_limit_ns = UINT64_C(86400000000000);
    assert_int_equal(my_server_open(ret_server, config, why), HF_OK);
}

static void look_at(struct my_server *asked)
{
    struct hf_server_scraper scraper = {.begun_ns = 1};
    const struct hf_metric_set metrics = {my_rows, asked->config->wanted.metrics, MY_METRIC_COUNT,
                                          0};
    assert_int_equal(hf_points_init(&scraper.points, &metrics), HF_OK);
    my_look_run(asked, &scraper, stub_begin(HF_METRICS));
    hf_points_release(&scraper.points);
    stub_end();
}

#define TEXT(key, value) "{\"key\":\"" key "\",\"value\":{\"stringValue\":\"" value "\"}}"
#define POINT(value, attributes) "\"asInt\":\"" value "\",\"attributes\":[" attributes "]"

static void rows_are_points_with_their_attributes(void **state)
{
    static const struct answer answers[] = {
        {"by_index_usage",
         HF_OK,
         {{"shop", "sold", "NONE", "1", "2", "3", "4", "5", "6", "7", "8"}, {NULL}}},
        {"by_digest", HF_OK, {{"shop", "d1", "SELECT ?", "9", "10", "oops"}, {NULL}}},
        {"SHOW GLOBAL STATUS", HF_OK, {{"Questions", "11"}, {"Uptime", "12"}, {NULL}}},
        {NULL}};
    struct my_config config = {.samples = {.rows_max = 1}};
    struct my_server asked;
    (void)state;
    WANT_METRICS(config.wanted.metrics);
    WANT_RESOURCES(config.wanted.resources);
    prepare(answers, &config, &asked);
    look_at(&asked);
    const char *where = TEXT("schema", "shop") "," TEXT("table", "sold") "," TEXT("index", "NONE");
    char text[512];
    snprintf(text, sizeof(text), POINT("2", TEXT("operation", "fetch") ",%s"), where);
    assert_true(stub_has(text));
    snprintf(text, sizeof(text), POINT("5", TEXT("operation", "delete") ",%s"), where);
    assert_true(stub_has(text));
    assert_true(stub_has(POINT("10", TEXT("kind", "errors") "," TEXT("schema", "shop") "," TEXT(
                                         "digest", "d1") "," TEXT("digest_text", "SELECT ?"))));
    assert_false(stub_has(TEXT("kind", "warnings"))); /* no number */
    assert_true(stub_has("\"asInt\":\"11\"") && stub_has("\"asInt\":\"12\""));
    assert_true(stub_has(TEXT("mysql.instance.endpoint", "127.0.0.1:3306")));
    assert_non_null(strstr(server.asked, "LEFT(DIGEST_TEXT, 120)"));
    assert_non_null(strstr(server.asked, "INTERVAL 86400 SECOND"));
    assert_int_equal(stub.failures, 0);
    hf_bytes_release(&stub.json);
    my_server_close(&asked);
    assert_int_equal(server.open, 0);
}

static void only_what_is_wanted_is_asked(void **state)
{
    static const struct answer answers[] = {{NULL}};
    struct my_config config = {.samples = {.rows_max = 1}};
    struct my_server asked;
    (void)state;
    config.wanted.metrics[MY_UPTIME].enabled = true;
    prepare(answers, &config, &asked);
    look_at(&asked);
    assert_string_equal(server.asked, "SHOW GLOBAL STATUS\n");
    hf_bytes_release(&stub.json);
    my_server_close(&asked);
}

static void replicas_are_asked_as_the_server_knows_it(void **state)
{
    static const char *const new_columns[COLUMNS_MAX] = {
        "a", "Seconds_Behind_Source", "SQL_Delay", "", "", "", "", "", "", "", "", ""};
    static const char *const old_columns[COLUMNS_MAX] = {
        "a", "SQL_Delay", "Seconds_Behind_Master", "", "", "", "", "", "", "", "", ""};
    static const struct answer new_answers[] = {{"SHOW REPLICA STATUS", HF_OK, {{"x", "7", "8"}}},
                                                {NULL}};
    static const struct answer old_answers[] = {{"SHOW SLAVE STATUS", HF_OK, {{"x", "8", NULL}}},
                                                {NULL}};
    static const struct {
        unsigned long version;
        bool is_mariadb, is_new;
    } cases[] = {{80022, false, true}, {80021, false, false}, {101119, true, false}};
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct my_config config = {.samples = {.rows_max = 1}};
        struct my_server asked;
        config.wanted.metrics[MY_SQL_DELAY].enabled =
            config.wanted.metrics[MY_BEHIND_SOURCE].enabled = true;
        prepare(cases[i].is_new ? new_answers : old_answers, &config, &asked);
        server.version = cases[i].version;
        server.is_mariadb = cases[i].is_mariadb;
        server.columns = cases[i].is_new ? new_columns : old_columns;
        look_at(&asked);
        assert_true(stub_has("\"asInt\":\"8\""));
        assert_true(stub_has("mysql.replica.sql_delay"));
        assert_int_equal(stub_has("mysql.replica.time_behind_source"), cases[i].is_new);
        hf_bytes_release(&stub.json);
        my_server_close(&asked);
    }
}

static void a_replica_tells_which_of_its_threads_run(void **state)
{
    static const char *const columns[COLUMNS_MAX] = {"Replica_IO_Running",
                                                     "Replica_SQL_Running",
                                                     "Channel_Name",
                                                     "",
                                                     "",
                                                     "",
                                                     "",
                                                     "",
                                                     "",
                                                     "",
                                                     "",
                                                     ""};
    static const struct answer answers[] = {
        {"SHOW REPLICA STATUS", HF_OK, {{"Connecting", "Yes", "far"}, {NULL}}}, {NULL}};
    struct my_config config = {.samples = {.rows_max = 1}};
    struct my_server asked;
    (void)state;
    config.wanted.metrics[MY_REPLICA_THREADS].enabled = true;
    prepare(answers, &config, &asked);
    server.columns = columns;
    look_at(&asked);
    assert_true(stub_has(POINT("0", TEXT("mysql.replica.thread.type",
                                         "io") "," TEXT("mysql.replica.channel.name", "far"))));
    assert_true(stub_has(POINT("1", TEXT("mysql.replica.thread.type",
                                         "sql") "," TEXT("mysql.replica.channel.name", "far"))));
    hf_bytes_release(&stub.json);
    my_server_close(&asked);
}

static void the_log_is_asked_of_releases_whose_status_is_without_it(void **state)
{
    static const struct answer answers[] = {{"log_status", HF_OK, {{"30", "10", "20"}, {NULL}}},
                                            {NULL}};
    static const struct {
        unsigned long version;
        bool is_mariadb, asks;
    } cases[] = {{80010, false, false},
                 {80011, false, true},
                 {80029, false, true},
                 {80030, false, false},
                 {101119, true, false}};
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct my_config config = {.samples = {.rows_max = 1}};
        struct my_server asked;
        config.wanted.metrics[MY_LSN].enabled = config.wanted.metrics[MY_CHECKPOINT_AGE].enabled =
            true;
        prepare(answers, &config, &asked);
        server.version = cases[i].version;
        server.is_mariadb = cases[i].is_mariadb;
        look_at(&asked);
        assert_int_equal(stub_has("\"asInt\":\"30\""), cases[i].asks);
        assert_int_equal(stub_has("\"asInt\":\"20\""), cases[i].asks);
        hf_bytes_release(&stub.json);
        my_server_close(&asked);
    }
}

static void a_server_that_refuses_is_not_healthy(void **state)
{
    static const struct answer answers[] = {{NULL}};
    struct my_config config = {.samples = {.rows_max = 1}};
    struct my_server asked;
    (void)state;
    config.wanted.metrics[MY_HEALTHY].enabled = config.wanted.resources[MY_VERSION].enabled = true;
    prepare(answers, &config, &asked);
    look_at(&asked);
    assert_true(stub_has("\"asInt\":\"1\"") && stub_has("8.0.36"));
    hf_bytes_release(&stub.json);
    my_server_close(&asked);
    server.connecting = HF_INVALID;
    look_at(&asked);
    assert_true(stub_has("\"asInt\":\"0\"") && !stub_has("8.0.36"));
    assert_int_equal(stub.failures, 1);
    hf_bytes_release(&stub.json);
}

static void what_fails_is_told_and_the_rest_goes_on(void **state)
{
    static const struct answer refused[] = {{"by_index_usage", HF_INVALID, {{NULL}}},
                                            {"STATUS", HF_OK, {{"Uptime", "12"}, {NULL}}},
                                            {NULL}};
    static const struct answer lost[] = {{"STATUS", HF_AGAIN, {{NULL}}}, {NULL}};
    struct my_config config = {.samples = {.rows_max = 1}};
    struct my_server asked;
    (void)state;
    config.wanted.metrics[MY_UPTIME].enabled = config.wanted.metrics[MY_INDEX_IO_COUNT].enabled =
        true;
    prepare(refused, &config, &asked);
    look_at(&asked);
    assert_string_equal(stub.sentences, "asking 127.0.0.1:3306 failed: refused\n");
    assert_true(stub_has("\"asInt\":\"12\""));
    assert_int_equal(server.open, 1);
    hf_bytes_release(&stub.json);
    server.answers = lost;
    look_at(&asked);
    assert_int_equal(server.open, 0);
    hf_bytes_release(&stub.json);
    server.connecting = HF_INVALID;
    look_at(&asked);
    assert_string_equal(stub.sentences, "connecting to 127.0.0.1:3306 failed: no access\n");
    hf_bytes_release(&stub.json);
}

static void the_top_statements_are_told_since_the_last_report(void **state)
{
    static const struct answer first[] = {
        {"by_digest",
         HF_OK,
         {{"shop", "d1", "SELECT ?", "1000000000000", "3", "10", "20"}, {NULL}}},
        {NULL}};
    static const struct answer second[] = {
        {"by_digest",
         HF_OK,
         {{"shop", "d1", "SELECT ?", "3500000000000", "5", "17", "28"},
          {NULL, "d2", NULL, "9", "1", "0", "0"},
          {NULL}}},
        {NULL}};
    struct my_config config = {.top = {.rows_max = 10, .top_max = 10, .lookback_s = 60}};
    struct hf_server_scraper scraper = {.begun_ns = 1};
    struct my_events events = {.top = {.due_ns = 0}};
    struct my_server asked;
    (void)state;
    config.events[MY_TOP_QUERY] = true;
    prepare(first, &config, &asked);
    my_events_run(&events, &asked, &scraper, stub_begin(HF_LOGS));
    stub_end();
    assert_int_equal(stub.counted, 0);
    hf_bytes_release(&stub.json);
    server.answers = second;
    my_events_run(&events, &asked, &scraper, stub_begin(HF_LOGS));
    stub_end();
    assert_int_equal(stub.counted, 1);
    assert_true(stub_has("count_star\",\"value\":{\"intValue\":\"2\"}"));
    assert_true(stub_has("examined_rows\",\"value\":{\"intValue\":\"7\"}"));
    assert_true(stub_has("returned_rows\",\"value\":{\"intValue\":\"8\"}"));
    assert_true(stub_has("sum_timer_wait\",\"value\":{\"doubleValue\":2.5}"));
    assert_true(stub_has(TEXT("mysql.query_plan", "") "," TEXT("mysql.query_plan.hash", "")));
    assert_non_null(strstr(server.asked, "INTERVAL 60 SECOND"));
    hf_bytes_release(&stub.json);
    events.top.due_ns = UINT64_MAX;
    server.asked[0] = '\0';
    my_events_run(&events, &asked, &scraper, stub_begin(HF_LOGS));
    stub_end();
    assert_string_equal(server.asked, "DO 1\n"); /* it is not due */
    hf_bytes_release(&stub.json);
    my_events_release(&events);
    my_server_close(&asked);
}

/* ---- plans ---- */

#define PLAN_ANSWER                                                                                \
    {                                                                                              \
        "EXPLAIN FORMAT=JSON", HF_OK,                                                              \
        {                                                                                          \
            {"{\"query_block\": {\"cost\": 0.5, \"attached_condition\": \"`a` = 'hidden'\"}}"},    \
            {                                                                                      \
                NULL                                                                               \
            }                                                                                      \
        }                                                                                          \
    }
#define PLAN "{\\\"query_block\\\":{\\\"cost\\\":0.5,\\\"attached_condition\\\":\\\"`a` = ?\\\"}}"

static const struct my_config with_plans = {
    .samples = {.rows_max = 10},
    .top = {.rows_max = 10, .top_max = 10, .cache_max = 10, .cache_ttl_ns = UINT64_C(1) << 60}};

/* A report of forms that the one before knew with no time. */
static void run_twice(struct my_events *events, struct my_server *asked,
                      const struct answer *before, const struct answer *after)
{
    struct hf_server_scraper scraper = {.begun_ns = 1};
    server.answers = before;
    my_events_run(events, asked, &scraper, stub_begin(HF_LOGS));
    stub_end();
    hf_bytes_release(&stub.json);
    server.answers = after;
    server.asked[0] = '\0';
    my_events_run(events, asked, &scraper, stub_begin(HF_LOGS));
    stub_end();
}

static void a_plan_is_that_of_the_statement_that_the_server_kept(void **state)
{
    static const struct answer before[] = {
        {"by_digest", HF_OK, {{"sh`op", "d1", "SELECT ?", "1", "1", "0", "0", NULL}, {NULL}}},
        {NULL}};
    static const struct answer after[] = {
        {"by_digest",
         HF_OK,
         {{"sh`op", "d1", "SELECT ?", "2", "2", "0", "0", "SELECT 'hidden'"}, {NULL}}},
        PLAN_ANSWER,
        {NULL}};
    struct my_config config = with_plans;
    struct my_events events = {.top = {.due_ns = 0}};
    struct my_server asked;
    (void)state;
    config.events[MY_TOP_QUERY] = true;
    prepare(before, &config, &asked);
    run_twice(&events, &asked, before, after);
    assert_true(stub_has(TEXT("mysql.query_plan", PLAN) "," TEXT("mysql.query_plan.hash", "d1")));
    assert_non_null(strstr(server.asked, "QUERY_SAMPLE_TEXT"));
    assert_non_null(strstr(server.asked, "USE `sh``op`\nEXPLAIN FORMAT=JSON SELECT 'hidden'\n"));
    assert_false(stub_has("hidden"));
    hf_bytes_release(&stub.json);

    config.events[MY_QUERY_PLAN] = true;
    run_twice(&events, &asked, before, after);
    assert_null(strstr(server.asked, "EXPLAIN FORMAT"));
    assert_true(stub_has("db.server.query_plan") && stub.counted == 2);
    assert_true(
        stub_has(TEXT("mysql.query_plan.hash", "d1") "," TEXT("db.namespace", "sh`op") "," TEXT(
            "mysql.query_plan.source", "db.server.top_query") "," TEXT("mysql.query_plan", PLAN)));
    hf_bytes_release(&stub.json);
    my_events_release(&events);
    my_server_close(&asked);
}

static void mariadb_is_asked_for_one_of_the_latest_statements(void **state)
{
    static const struct answer before[] = {
        {"by_digest", HF_OK, {{"shop", "d1", "SELECT ?", "1", "1", "0", "0", NULL}, {NULL}}},
        {NULL}};
    static const struct answer unknown[] = {
        {"by_digest", HF_OK, {{"shop", "d1", "SELECT ?", "2", "2", "0", "0", NULL}, {NULL}}},
        {"statements_history", HF_OK, {{"SELECT 1 FROM sold", "other"}, {NULL}}},
        {NULL}};
    static const struct answer known[] = {
        {"by_digest", HF_OK, {{"shop", "d1", "SELECT ?", "2", "2", "0", "0", NULL}, {NULL}}},
        {"statements_history", HF_OK, {{"SELECT 2 FROM sold", "shop"}, {NULL}}},
        PLAN_ANSWER,
        {NULL}};
    struct my_config config = with_plans;
    struct my_events events = {.top = {.due_ns = 0}};
    struct my_server asked;
    (void)state;
    config.events[MY_TOP_QUERY] = true;
    prepare(before, &config, &asked);
    server.version = 101119;
    server.is_mariadb = true;
    run_twice(&events, &asked, before, unknown);
    assert_true(stub_has(TEXT("mysql.query_plan", "")));
    assert_null(strstr(server.asked, "EXPLAIN FORMAT"));
    assert_int_equal(events.plans.count, 0); /* it is looked for again */
    hf_bytes_release(&stub.json);
    run_twice(&events, &asked, before, known);
    assert_non_null(strstr(server.asked, "WHERE DIGEST = 'd1'"));
    assert_non_null(strstr(server.asked, "USE `shop`\nEXPLAIN FORMAT=JSON SELECT 2 FROM sold\n"));
    assert_true(stub_has(TEXT("mysql.query_plan", PLAN)));
    hf_bytes_release(&stub.json);
    my_events_release(&events);
    my_server_close(&asked);
}

static void statements_that_run_have_plans_too(void **state)
{
    static const struct answer answers[] = {
        {"events_statements_current",
         HF_OK,
         {{"5", "joe", "h:1", "shop", "Query", "x", "DELETE FROM sold WHERE id = 7", "d3", "8"},
          {"6", "joe", "h:1", "shop", "Query", "x", "SELECT 1 FROM ...", "d4", "8"},
          {"7", "joe", "h:1", NULL, "Query", "x", "COMMIT", NULL, "8"}}},
        PLAN_ANSWER,
        {NULL}};
    struct my_config config = with_plans;
    struct hf_server_scraper scraper = {.begun_ns = 1};
    struct my_events events = {.top = {.due_ns = 0}};
    struct my_server asked;
    (void)state;
    config.events[MY_QUERY_SAMPLE] = config.events[MY_QUERY_PLAN] = true;
    prepare(answers, &config, &asked);
    my_events_run(&events, &asked, &scraper, stub_begin(HF_LOGS));
    stub_end();
    assert_int_equal(stub.counted, 4);
    assert_true(
        stub_has(TEXT("mysql.query_plan.hash", "d3") "," TEXT("db.namespace", "shop") "," TEXT(
            "mysql.query_plan.source", "db.server.query_sample") "," TEXT("mysql.query_plan",
                                                                          PLAN)));
    assert_null(strstr(server.asked, "JSON SELECT")); /* a part of a statement */
    hf_bytes_release(&stub.json);
    my_events_release(&events);
    my_server_close(&asked);
}

static void that_a_statement_has_no_plan_is_said_and_kept(void **state)
{
    static const struct answer before[] = {
        {"by_digest", HF_OK, {{"shop", "d1", "SELECT ?", "1", "1", "0", "0", "SELECT 1"}, {NULL}}},
        {NULL}};
    static const struct answer refused[] = {
        {"by_digest", HF_OK, {{"shop", "d1", "SELECT ?", "2", "2", "0", "0", "SELECT 1"}, {NULL}}},
        {"EXPLAIN FORMAT=JSON", HF_INVALID, {{NULL}}},
        {NULL}};
    static const struct answer lost[] = {
        {"by_digest", HF_OK, {{"shop", "d1", "SELECT ?", "2", "2", "0", "0", "SELECT 1"}, {NULL}}},
        {"USE", HF_AGAIN, {{NULL}}},
        {NULL}};
    struct my_config config = with_plans;
    struct my_events events = {.top = {.due_ns = 0}};
    struct my_server asked;
    (void)state;
    config.events[MY_TOP_QUERY] = true;
    prepare(before, &config, &asked);
    run_twice(&events, &asked, before, refused);
    assert_string_equal(stub.sentences, "no plan of a statement of the schema shop: refused\n");
    assert_true(stub.missing == 0 && stub.counted == 1 && server.open == 1);
    assert_int_equal(events.plans.count, 1);
    hf_bytes_release(&stub.json);
    my_events_release(&events);
    run_twice(&events, &asked, before, lost);
    assert_true(events.plans.count == 0 && stub.counted == 1);
    assert_int_equal(server.open, 0);
    hf_bytes_release(&stub.json);
    my_events_release(&events);
}

static void plans_need_the_statements_that_have_them(void **state)
{
    struct my_config config = with_plans;
    (void)state;
    config.net.endpoint = "127.0.0.1:3306";
    config.events[MY_QUERY_PLAN] = true;
    assert_non_null(strstr(my_config_check(&config), "db.server.query_plan needs"));
    config.events[MY_QUERY_SAMPLE] = true;
    assert_null(my_config_check(&config));
    config.events[MY_QUERY_SAMPLE] = false;
    config.events[MY_TOP_QUERY] = true;
    assert_null(my_config_check(&config));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_points_with_their_attributes),
        cmocka_unit_test(only_what_is_wanted_is_asked),
        cmocka_unit_test(replicas_are_asked_as_the_server_knows_it),
        cmocka_unit_test(a_replica_tells_which_of_its_threads_run),
        cmocka_unit_test(the_log_is_asked_of_releases_whose_status_is_without_it),
        cmocka_unit_test(a_server_that_refuses_is_not_healthy),
        cmocka_unit_test(what_fails_is_told_and_the_rest_goes_on),
        cmocka_unit_test(the_top_statements_are_told_since_the_last_report),
        cmocka_unit_test(a_plan_is_that_of_the_statement_that_the_server_kept),
        cmocka_unit_test(mariadb_is_asked_for_one_of_the_latest_statements),
        cmocka_unit_test(statements_that_run_have_plans_too),
        cmocka_unit_test(that_a_statement_has_no_plan_is_said_and_kept),
        cmocka_unit_test(plans_need_the_statements_that_have_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
