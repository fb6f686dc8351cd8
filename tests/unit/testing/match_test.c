/* What a test expects of an item, against items in OTLP/JSON. */
#include "testing/match.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h> /* needs the three before it */

#include "util/arena.h"

#define ITEMS_MAX 8

static const char request[] =
    "{\"resourceSpans\":[{\"resource\":{\"attributes\":[{\"key\":\"service.name\",\"value\":"
    "{\"stringValue\":\"shop\"}}]},\"scopeSpans\":[{\"scope\":{\"name\":\"lib\"},\"spans\":["
    "{\"traceId\":\"0a\",\"name\":\"GET\",\"kind\":2,\"startTimeUnixNano\":\"1544712660000000000\","
    "\"attributes\":[{\"key\":\"n\",\"value\":{\"intValue\":\"7\"}},{\"key\":\"b\",\"value\":"
    "{\"boolValue\":true}},{\"key\":\"d\",\"value\":{\"doubleValue\":1.5}},{\"key\":\"l\","
    "\"value\":"
    "{\"arrayValue\":{\"values\":[{\"stringValue\":\"x\"},{\"intValue\":\"2\"}]}}},{\"key\":\"m\","
    "\"value\":{\"kvlistValue\":{\"values\":[{\"key\":\"k\",\"value\":{\"stringValue\":\"v\"}}]}}}]"
    ","
    "\"events\":[{\"name\":\"one\"},{\"name\":\"two\"}]}]}]}],"
    "\"resourceMetrics\":[{\"scopeMetrics\":[{\"metrics\":[{\"name\":\"m\",\"gauge\":{"
    "\"dataPoints\":"
    "[{\"asInt\":\"5\"},{\"asDouble\":0.25}]}}]}]}],"
    "\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":[{\"body\":{\"stringValue\":\"hi\"}}]}]}]}";

struct items {
    struct hf_test_item items[ITEMS_MAX];
    size_t count;
};

static void collect(void *user, const struct hf_test_item *item)
{
    struct items *items = user;
    assert_true(items->count < ITEMS_MAX);
    items->items[items->count++] = *item;
}

/* A tiny notation for what is expected: text, or a map of one key. */
static struct hf_value text_of(const char *text)
{
    return (struct hf_value){.type = HF_VALUE_STRING, .string = text};
}

static struct hf_value map_of(const char *const *key, const struct hf_value *value)
{
    return (struct hf_value){.type = HF_VALUE_MAP, .keys = key, .items = value, .count = 1};
}

static void finds_every_kind_of_item(void **state)
{
    struct hf_arena arena = {.limit = 1 << 20};
    const struct hf_json *value = NULL;
    char error[HF_JSON_ERROR_MAX] = "";
    struct items items = {0};
    (void)state;
    assert_int_equal(hf_json_read(hf_slice_text(request), &arena, &value, error), HF_OK);
    hf_test_items(value, collect, &items);
    assert_int_equal(items.count, 4);
    assert_non_null(items.items[0].resource);
    assert_null(items.items[0].metric);
    assert_non_null(items.items[1].metric);
    assert_null(items.items[3].metric);
    hf_arena_release(&arena);
}

static void compares_a_part(void **state)
{
    static const struct {
        size_t item;
        const char *key, *inner; /* inner NULL: the value is the text itself */
        const char *text;        /* NULL: null */
        bool matches;
    } rows[] = {
        {0, "name", NULL, "GET", true},
        {0, "name", NULL, "get", false},
        {0, "trace_id", NULL, "0a", true},
        {0, "TraceID", NULL, "0a", true},
        {0, "kind", NULL, "2", true},
        {0, "kind", NULL, "3", false},
        {0, "start_time_unix_nano", NULL, "1544712660000000000", true},
        {0, "status", NULL, NULL, true},
        {0, "name", NULL, NULL, false},
        {0, "attributes", "n", "7", true},
        {0, "attributes", "N", "7", false}, /* names of attributes are compared as they are */
        {0, "attributes", "b", "true", true},
        {0, "attributes", "b", "false", false},
        {0, "attributes", "d", "1.5", true},
        {0, "attributes", "none", NULL, true},
        {0, "attributes", "n", NULL, false},
        {0, "resource", "service.name", "shop", true},
        {0, "resource", "service.name", "x", false},
        {0, "scope", "name", "lib", true},
        {1, "metric", "name", "m", true},
        {1, "as_int", NULL, "5", true},
        {2, "as_double", NULL, "0.25", true},
        {3, "body", NULL, "hi", true},
    };
    struct hf_arena arena = {.limit = 1 << 20};
    const struct hf_json *value = NULL;
    char error[HF_JSON_ERROR_MAX] = "";
    struct items items = {0};
    (void)state;
    assert_int_equal(hf_json_read(hf_slice_text(request), &arena, &value, error), HF_OK);
    hf_test_items(value, collect, &items);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct hf_value scalar =
            rows[i].text != NULL ? text_of(rows[i].text) : (struct hf_value){0};
        const struct hf_value inner = map_of(&rows[i].inner, &scalar);
        const struct hf_value wanted =
            map_of(&rows[i].key, rows[i].inner != NULL ? &inner : &scalar);
        if (hf_test_matches(&wanted, &items.items[rows[i].item]) != rows[i].matches) {
            fail_msg("row %zu: %s", i, rows[i].key);
        }
    }
    hf_arena_release(&arena);
}

static void compares_lists_and_maps(void **state)
{
    static const char *const attributes = "attributes", *const l = "l", *const m = "m",
                             *const k = "k", *const events = "events", *const name = "name";
    struct hf_arena arena = {.limit = 1 << 20};
    const struct hf_json *value = NULL;
    char error[HF_JSON_ERROR_MAX] = "";
    struct items items = {0};
    const struct hf_value elements[] = {text_of("2"), text_of("x")}, other = text_of("y"),
                          v = text_of("v"), two = text_of("two");
    const struct hf_value list = {.type = HF_VALUE_LIST, .items = elements, .count = 2};
    const struct hf_value wrong = {.type = HF_VALUE_LIST, .items = &other, .count = 1};
    const struct hf_value in_l = map_of(&l, &list), in_l_wrong = map_of(&l, &wrong);
    const struct hf_value in_k = map_of(&k, &v), in_m = map_of(&m, &in_k);
    const struct hf_value event = map_of(&name, &two);
    const struct hf_value event_list = {.type = HF_VALUE_LIST, .items = &event, .count = 1};
    const struct {
        struct hf_value wanted;
        bool matches;
    } rows[] = {
        {map_of(&attributes, &in_l), true}, {map_of(&attributes, &in_l_wrong), false},
        {map_of(&attributes, &in_m), true}, {map_of(&events, &event_list), true},
        {text_of("not a map"), false},
    };
    (void)state;
    assert_int_equal(hf_json_read(hf_slice_text(request), &arena, &value, error), HF_OK);
    hf_test_items(value, collect, &items);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(hf_test_matches(&rows[i].wanted, &items.items[0]), rows[i].matches);
    }
    hf_arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_every_kind_of_item),
        cmocka_unit_test(compares_a_part),
        cmocka_unit_test(compares_lists_and_maps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
