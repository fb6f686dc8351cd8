/* Criteria hold where the Go collector's hold; what cannot be asked of a signal is said first. */
#include "support/items/match.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h> /* needs the three before it */

#include <holdfast/component.h>

#include "tests/support/attribute_text.c"

/* One item and what stands around it, as text. */
struct item {
    enum hf_signal signal;
    const char *resource, *attributes; /* as of attribute_text */
    const char *scope, *version;
    const char *name; /* span's or metric's; the severity text of a record */
    const char *body; /* a record's, when not NULL */
    uint64_t number;  /* kind, or severity */
};

struct place {
    struct hf_edit_place place;
    struct hf_bytes resource, scope, metric, owner;
};

static void put_name(struct hf_bytes *out, uint32_t number, const char *text)
{
    struct hf_wire_writer writer = {.out = out};
    if (text != NULL) {
        hf_wire_put_bytes(&writer, number, hf_slice_text(text));
    }
    assert_int_equal(hf_wire_status(&writer), HF_OK);
}

static void make_place(const struct item *item, struct place *place)
{
    *place = (struct place){.place = {.signal = item->signal,
                                      .element = 1,
                                      .group = 1,
                                      .number = item->signal == HF_TRACES    ? 9
                                                : item->signal == HF_METRICS ? 7
                                                                             : 6}};
    struct hf_wire_writer resource = {.out = &place->resource};
    struct hf_wire_writer owner = {.out = &place->owner};
    attribute_text_put(item->resource != NULL ? item->resource : "", 1, &resource);
    put_name(&place->scope, HF_NUMBER_SCOPE_NAME, item->scope);
    put_name(&place->scope, HF_NUMBER_SCOPE_VERSION, item->version);
    if (item->signal == HF_METRICS) {
        put_name(&place->metric, HF_NUMBER_METRIC_NAME, item->name);
    } else {
        bool is_span = item->signal == HF_TRACES;
        put_name(&place->owner, is_span ? HF_NUMBER_SPAN_NAME : HF_NUMBER_LOG_SEVERITY_TEXT,
                 item->name);
        hf_wire_put_varint(&owner, is_span ? HF_NUMBER_SPAN_KIND : HF_NUMBER_LOG_SEVERITY_NUMBER,
                           item->number);
    }
    if (item->body != NULL) {
        struct hf_wire_message body = hf_wire_open(&owner, HF_NUMBER_LOG_BODY, 50);
        hf_wire_put_bytes(&owner, 1, hf_slice_text(item->body));
        hf_wire_close(&owner, body);
    }
    attribute_text_put(item->attributes != NULL ? item->attributes : "", place->place.number,
                       &owner);
    assert_int_equal(hf_wire_status(&resource), HF_OK);
    assert_int_equal(hf_wire_status(&owner), HF_OK);
    place->place.resource = hf_slice_of(place->resource.data, place->resource.size);
    place->place.scope = hf_slice_of(place->scope.data, place->scope.size);
    place->place.metric = hf_slice_of(place->metric.data, place->metric.size);
    place->place.owner = hf_slice_of(place->owner.data, place->owner.size);
}

static void release_place(struct place *place)
{
    hf_bytes_release(&place->resource);
    hf_bytes_release(&place->scope);
    hf_bytes_release(&place->metric);
    hf_bytes_release(&place->owner);
}

static bool matches(const struct hf_match_config *config, const struct item *item)
{
    struct hf_match *match = NULL;
    struct hf_match_memory memory = {0};
    struct place place;
    char error[HF_ERROR_MAX] = "";
    if (hf_match_new("include", config, HF_SIGNAL_BIT(item->signal), &match, error) != HF_OK) {
        fail_msg("%s", error);
    }
    make_place(item, &place);
    bool is = hf_match_is(match, &place.place, &memory);
    assert_int_equal(hf_match_is(match, &place.place, &memory), is); /* by what it remembers */
    release_place(&place);
    hf_match_forget(&memory);
    hf_match_free(match);
    return is;
}

#define LIST(...)                                                                                  \
    {                                                                                              \
        .items = (const char *const[]){__VA_ARGS__},                                               \
        .count = sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *)                 \
    }
#define STRUCTS(type, ...)                                                                         \
    {                                                                                              \
        .items = (const type[]){__VA_ARGS__},                                                      \
        .count = sizeof((const type[]){__VA_ARGS__}) / sizeof(type)                                \
    }
#define PAIRS(...) STRUCTS(struct hf_match_attribute, __VA_ARGS__)
#define LIBRARIES(...) STRUCTS(struct hf_match_library, __VA_ARGS__)
#define ANY(key_)                                                                                  \
    {                                                                                              \
        .key = (key_)                                                                              \
    }
#define IS(key_, text)                                                                             \
    {                                                                                              \
        .key = (key_), .value = {.type = HF_VALUE_STRING, .string = (text) }                       \
    }
#define IS_INT(key_, number)                                                                       \
    {                                                                                              \
        .key = (key_), .value = {.type = HF_VALUE_INT, .integer = (number) }                       \
    }

#define IS_INTS(key_, first, second)                                                               \
    {                                                                                              \
        .key = (key_), .value = {                                                                  \
            .type = HF_VALUE_LIST,                                                                 \
            .items = (const struct hf_value[]){{.type = HF_VALUE_INT, .integer = (first)},         \
                                               {.type = HF_VALUE_INT, .integer = (second)}},       \
            .count = 2                                                                             \
        }                                                                                          \
    }

static const struct {
    struct hf_match_config config;
    bool expected;
} span_cases[] = {
    {{.services = LIST("cart", "shop")}, true},
    {{.services = LIST("sho")}, false}, /* strict is the whole text */
    {{.match_type = HF_MATCH_REGEXP, .services = LIST("^sh", "x")}, true},
    {{.match_type = HF_MATCH_REGEXP, .services = LIST("^op")}, false},
    {{.span_names = LIST("GET /cart")}, true},
    {{.span_names = LIST("GET")}, false},
    {{.match_type = HF_MATCH_REGEXP, .span_names = LIST("cart$")}, true},
    {{.span_kinds = LIST("SPAN_KIND_CLIENT", "SPAN_KIND_SERVER")}, true},
    {{.span_kinds = LIST("SPAN_KIND_CLIENT")}, false},
    {{.match_type = HF_MATCH_REGEXP, .span_kinds = LIST("SERVER")}, true},
    /* All kinds of criteria must hold. */
    {{.services = LIST("shop"), .span_names = LIST("GET /cart")}, true},
    {{.services = LIST("shop"), .span_names = LIST("other")}, false},
    {{.services = LIST("other"), .span_names = LIST("GET /cart")}, false},
    {{.attributes = PAIRS(ANY("code"))}, true},
    {{.attributes = PAIRS(ANY("none"))}, false},
    {{.attributes = PAIRS(ANY("code"), ANY("none"))}, false}, /* and all of these */
    {{.attributes = PAIRS(IS("http.method", "GET"), IS_INT("code", 200))}, true},
    {{.attributes = PAIRS(IS("code", "200"))}, false}, /* another type */
    {{.attributes = PAIRS(IS_INT("code", 201))}, false},
    {{.attributes = PAIRS(IS_INTS("ids", 1, 2))}, true},
    {{.attributes = PAIRS(IS_INTS("ids", 2, 1))}, false},
    {{.attributes = PAIRS(IS_INTS("code", 1, 2))}, false},
    {{.match_type = HF_MATCH_REGEXP, .attributes = PAIRS(IS("ids", "1"))}, false},
    {{.match_type = HF_MATCH_REGEXP, .attributes = PAIRS(IS("code", "^2.."))}, true},
    {{.match_type = HF_MATCH_REGEXP, .attributes = PAIRS(IS("ok", "^true$"))}, true},
    {{.match_type = HF_MATCH_REGEXP, .attributes = PAIRS(IS("ratio", "^0\\.5$"))}, true},
    {{.match_type = HF_MATCH_REGEXP, .attributes = PAIRS(IS("code", "^3"))}, false},
    {{.resources = PAIRS(IS("env", "prod"), IS_INT("zone", 3))}, true},
    {{.resources = PAIRS(IS("env", "prod"), IS_INT("zone", 4))}, false},
    {{.resources = PAIRS(ANY("http.method"))}, false}, /* not of the item */
    {{.libraries = LIBRARIES({"other", NULL}, {"my.library", NULL})}, true},
    {{.libraries = LIBRARIES({"my.library", "1.2"})}, true},
    {{.libraries = LIBRARIES({"my.library", "1"})}, false},
    {{.libraries = LIBRARIES({"my.library", ""})}, false},
    {{.match_type = HF_MATCH_REGEXP, .libraries = LIBRARIES({"^my", "^1"})}, true},
    {{.services = LIST("shop"), .metric_names = LIST("any")}, true}, /* no matter here */
};

static void matches_spans(void **state)
{
    const struct item span = {.signal = HF_TRACES,
                              .resource = "service.name=shop env=prod zone=#3",
                              .attributes =
                                  "http.method=GET code=#200 ratio=%0.5 ok=?true ids=[1,2]",
                              .scope = "my.library",
                              .version = "1.2",
                              .name = "GET /cart",
                              .number = 2};
    (void)state;
    for (size_t i = 0; i < sizeof(span_cases) / sizeof(span_cases[0]); i++) {
        if (matches(&span_cases[i].config, &span) != span_cases[i].expected) {
            fail_msg("case %zu", i);
        }
    }
    const struct item bare = {.signal = HF_TRACES};
    const struct hf_match_config service = {.match_type = HF_MATCH_REGEXP, .services = LIST(".")};
    const struct hf_match_config no_version = {.libraries = LIBRARIES({"", ""})};
    assert_true(matches(&service, &bare)); /* "<nil-service-name>" */
    assert_true(matches(&no_version, &bare));
}

static void matches_log_records(void **state)
{
    const struct item record = {.signal = HF_LOGS,
                                .resource = "env=prod",
                                .attributes = "k=v",
                                .name = "WARN",
                                .body = "disk is full",
                                .number = 13};
    static const struct hf_match_severity warn = {.min = 13}, error = {.min = 17};
    static const struct hf_match_severity undefined = {.min = 17, .match_undefined = true};
    const struct {
        struct hf_match_config config;
        bool expected;
    } cases[] = {
        {{.log_bodies = LIST("disk is full")}, true},
        {{.log_bodies = LIST("disk")}, false},
        {{.match_type = HF_MATCH_REGEXP, .log_bodies = LIST("full$")}, true},
        {{.log_severity_texts = LIST("INFO", "WARN")}, true},
        {{.log_severity_texts = LIST("INFO")}, false},
        {{.log_severity_number = &warn}, true},
        {{.log_severity_number = &error}, false},
        {{.log_severity_number = &undefined}, false},
        {{.log_severity_number = &warn, .attributes = PAIRS(IS("k", "v"))}, true},
        {{.log_severity_number = &warn, .attributes = PAIRS(IS("k", "w"))}, false},
        {{.resources = PAIRS(IS("env", "prod"))}, true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (matches(&cases[i].config, &record) != cases[i].expected) {
            fail_msg("case %zu", i);
        }
    }
    const struct item bare = {.signal = HF_LOGS};
    const struct hf_match_config with = {.log_severity_number = &undefined};
    const struct hf_match_config without = {.log_severity_number = &error};
    assert_true(matches(&with, &bare));
    assert_false(matches(&without, &bare));
}

static void matches_data_points(void **state)
{
    const struct item point = {.signal = HF_METRICS,
                               .resource = "env=prod",
                               .attributes = "host=a",
                               .name = "http.duration"};
    const struct {
        struct hf_match_config config;
        bool expected;
    } cases[] = {
        {{.metric_names = LIST("http.duration")}, true},
        {{.metric_names = LIST("http")}, false},
        {{.match_type = HF_MATCH_REGEXP, .metric_names = LIST("^http\\.")}, true},
        {{.metric_names = LIST("http.duration"), .resources = PAIRS(IS("env", "dev"))}, false},
        {{.attributes = PAIRS(IS("host", "a"))}, true},
        {{.span_names = LIST("nothing"), .log_bodies = LIST("nothing")}, true}, /* ignored */
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (matches(&cases[i].config, &point) != cases[i].expected) {
            fail_msg("case %zu", i);
        }
    }
}

static void forgets_with_the_next_resource(void **state)
{
    const struct hf_match_config config = {.resources = PAIRS(IS("env", "prod"))};
    const struct item items[] = {{.signal = HF_LOGS, .resource = "env=prod"},
                                 {.signal = HF_LOGS, .resource = "env=test"}};
    struct hf_match *match = NULL;
    struct hf_match_memory memory = {0};
    char error[HF_ERROR_MAX];
    (void)state;
    assert_int_equal(hf_match_new("include", &config, HF_SIGNAL_BIT(HF_LOGS), &match, error),
                     HF_OK);
    for (uint32_t i = 0; i < 4; i++) {
        struct place place;
        make_place(&items[i % 2], &place);
        place.place.element = i + 1;
        assert_int_equal(hf_match_is(match, &place.place, &memory), i % 2 == 0);
        release_place(&place);
    }
    hf_match_forget(&memory);
    hf_match_free(match);
}

static void says_what_cannot_be_asked(void **state)
{
    static const struct hf_match_severity warn = {.min = 13};
    const struct {
        struct hf_match_config config;
        unsigned signals;
        const char *says;
    } cases[] = {
        {{.span_names = LIST("x"), .log_bodies = LIST("x")}, 1u << HF_TRACES, "not for traces"},
        {{.span_names = LIST("x"), .log_severity_number = &warn},
         1u << HF_TRACES,
         "not for traces"},
        {{.metric_names = LIST("x")}, 1u << HF_TRACES, "include: one of services"},
        {{.services = LIST("x"), .attributes = PAIRS(ANY("a"))}, 1u << HF_LOGS, "not for logs"},
        {{.metric_names = LIST("x")}, 1u << HF_LOGS, "include: one of log_bodies"},
        {{.span_kinds = LIST("server")}, 0, "include::span_kinds: with match_type strict"},
        {{.match_type = HF_MATCH_REGEXP, .span_names = LIST("x", "(")}, 0, "include::span_names: "},
        {{.match_type = HF_MATCH_REGEXP, .attributes = PAIRS(IS_INT("a", 1))}, 0, "must be text"},
        {{.match_type = HF_MATCH_REGEXP, .attributes = PAIRS(IS_INTS("a", 1, 2))},
         0,
         "must be text"},
        {{.attributes = PAIRS(IS("a", "\xff"))}, 0, "include::attributes: the value is not UTF-8"},
        {{.match_type = HF_MATCH_REGEXP, .resources = PAIRS(IS("a", "["))}, 0, "resources: "},
        {{.match_type = HF_MATCH_REGEXP, .libraries = LIBRARIES({"a", "["})}, 0, "libraries: "},
        {{.attributes = PAIRS(ANY(""))}, 0, "include::attributes: the key"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct hf_match *match = NULL;
        char error[HF_ERROR_MAX] = "";
        assert_int_equal(hf_match_new("include", &cases[i].config, cases[i].signals, &match, error),
                         HF_INVALID);
        assert_null(match);
        if (strstr(error, cases[i].says) == NULL) {
            fail_msg("case %zu: %s", i, error);
        }
        if (cases[i].signals == 0) {
            assert_string_equal(hf_match_check("include", &cases[i].config), error);
        } else {
            assert_null(hf_match_check("include", &cases[i].config));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(matches_spans),
        cmocka_unit_test(matches_log_records),
        cmocka_unit_test(matches_data_points),
        cmocka_unit_test(forgets_with_the_next_resource),
        cmocka_unit_test(says_what_cannot_be_asked),
    };
    return cmocka_run_group_tests_name("match", tests, NULL, NULL);
}
