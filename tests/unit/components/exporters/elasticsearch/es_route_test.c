/* Indices, endpoints and modes of the exporter elasticsearch. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h> /* needs those before it */

#include <holdfast/component.h>

#include "components/exporters/elasticsearch/es_endpoints.h"
#include "components/exporters/elasticsearch/es_route.h"
#include "pdata/any_make.h"
#include "tests/support/node_stub.c"

static struct hf_slice text_of(struct hf_any_maker *maker, const char *text)
{
    return text != NULL ? hf_any_make_string(maker, hf_slice_text(text)) : HF_EMPTY_SLICE;
}

#define LONG_NAME                                                                                  \
    "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890"  \
    "123456789"

static void an_index_is_chosen(void **state)
{
    (void)state;
    static const struct {
        const char *fixed, *index, *dataset, *namespace, *scope;
        enum es_mode mode;
        const char *wanted;
    } rows[] = {
        {NULL, NULL, NULL, NULL, NULL, ES_OTEL, "logs-generic.otel-default"},
        {"", NULL, NULL, NULL, NULL, ES_ECS, "logs-generic-default"},
        {"mine", "own", "d", "n", NULL, ES_OTEL, "mine"},
        {NULL, "own", "d", "n", NULL, ES_OTEL, "own"},
        {NULL, NULL, "A-b/C", "x:Y-z", NULL, ES_RAW, "logs-a_b_c-x_y-z"},
        {NULL, NULL, NULL, NULL, "a/receiver/fooreceiver/b", ES_ECS, "logs-fooreceiver-default"},
        {NULL, NULL, NULL, NULL, "a/receiver/foo", ES_ECS, "logs-generic-default"},
        {NULL, NULL, NULL, NULL, "a/receiver/", ES_ECS, "logs-generic-default"},
        {NULL, NULL, "own", NULL, "a/receiver/fooreceiver", ES_ECS, "logs-own-default"},
        {NULL, NULL, LONG_NAME "\xc3\xa9xx", NULL, NULL, ES_ECS, "logs-" LONG_NAME "-default"},
    };
    struct hf_arena arena = {.limit = 1 << 20};
    struct hf_any_maker maker = {.arena = &arena};
    static const struct es_special none;
    struct es_route route = {0};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct es_special item = {.index = text_of(&maker, rows[i].index),
                                        .dataset = text_of(&maker, rows[i].dataset)};
        const struct es_special resource = {
            .namespace = text_of(&maker, rows[i].namespace),
            .index = text_of(&maker, rows[i].index != NULL ? "r" : NULL)};
        const struct es_logstash logstash = {.enabled = false};
        const struct es_route_input input = {
            .fixed = rows[i].fixed,
            .type = "logs",
            .mode = rows[i].mode,
            .scope_name = rows[i].scope != NULL ? hf_slice_text(rows[i].scope) : HF_EMPTY_SLICE,
            .item = &item,
            .scope = &none,
            .resource = &resource,
            .logstash = &logstash,
        };
        assert_int_equal(es_route_make(&route, &input), HF_OK);
        if (!hf_slice_is(hf_slice_of(route.index.data, route.index.size), rows[i].wanted)) {
            fail_msg("row %zu: %.*s", i, (int)route.index.size, route.index.data);
        }
    }
    es_route_release(&route);
    hf_arena_release(&arena);
}

static void bodymap_may_choose_the_type(void **state)
{
    (void)state;
    static const struct {
        const char *type;
        enum hf_status status;
    } rows[] = {{"metrics", HF_OK}, {"logs", HF_OK}, {"traces", HF_INVALID}, {"", HF_INVALID}};
    struct hf_arena arena = {.limit = 1 << 20};
    struct hf_any_maker maker = {.arena = &arena};
    static const struct es_special none;
    const struct es_logstash logstash = {.enabled = false};
    struct es_route route = {0};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct es_special item = {.type = text_of(&maker, rows[i].type)};
        const struct es_route_input input = {.type = "logs",
                                             .mode = ES_BODYMAP,
                                             .item = &item,
                                             .scope = &none,
                                             .resource = &none,
                                             .logstash = &logstash};
        assert_int_equal(es_route_make(&route, &input), rows[i].status);
    }
    es_route_release(&route);
    hf_arena_release(&arena);
}

static void endpoints_are_urls_of_bulk(void **state)
{
    (void)state;
    char error[HF_ERROR_MAX];
    const char *const list[] = {"http://a:9200", "https://b/x/?k=v"};
    const struct es_config config = {.endpoints = {list, 2}};
    struct es_endpoints endpoints;
    assert_int_equal(es_endpoints_open(&config, "p=1", &endpoints, error), HF_OK);
    assert_int_equal(endpoints.count, 2);
    assert_string_equal(endpoints.urls[0], "http://a:9200/_bulk?p=1");
    assert_string_equal(endpoints.urls[1], "https://b/x/_bulk?k=v&p=1");
    assert_ptr_not_equal(es_endpoints_next(&endpoints), es_endpoints_next(&endpoints));
    es_endpoints_close(&endpoints);
    /* "host.example$abc$kibana" */
    const struct es_config cloud = {.cloudid = "name:aG9zdC5leGFtcGxlJGFiYyRraWJhbmE="};
    assert_null(es_endpoints_check(&cloud));
    assert_int_equal(es_endpoints_open(&cloud, "", &endpoints, error), HF_OK);
    assert_string_equal(endpoints.urls[0], "https://abc.host.example/_bulk");
    es_endpoints_close(&endpoints);
}

static void modes_have_names(void **state)
{
    (void)state;
    enum es_mode mode;
    assert_true(es_mode_of(hf_slice_text("OTel"), &mode));
    assert_int_equal(mode, ES_OTEL);
    assert_true(es_mode_of(hf_slice_text("no"), &mode));
    assert_int_equal(mode, ES_NONE);
    assert_false(es_mode_of(hf_slice_text("jaeger"), &mode));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_index_is_chosen),
        cmocka_unit_test(bodymap_may_choose_the_type),
        cmocka_unit_test(endpoints_are_urls_of_bulk),
        cmocka_unit_test(modes_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
