/* Metrics of items: which are counted or summed, by which attributes, and what cannot be asked. */
#include "support/items/item_metrics.h"

#include "tests/unit/components/connectors/passing.h"

#include <stdio.h>
#include <stdlib.h>

#include "pdata/any.h"
#include "pdata/document.h"
#include "pdata/walk.h"
#include "tests/support/node_stub.c"

#define ATTRIBUTE(key, kind, value) "{\"key\":\"" key "\",\"value\":{\"" kind "\":" value "}}"

/* Two resources; spans with events, sizes as numbers and texts. */
static const char traces[] =
    "{\"resourceSpans\":[{\"resource\":{\"attributes\":[" ATTRIBUTE("env", "stringValue", "\"a\"") "]},\"scopeSpans\":[{\"scope\":{\"attributes\":[" ATTRIBUTE(
        "team", "stringValue",
        "\"red\"") "]},\"spans\":[{\"name\":\"x\",\"startTimeUnixNano\":\"50\",\"endTimeUnixNano\":"
                   "\"70\","
                   "\"attributes\":[" ATTRIBUTE("size", "intValue", "\"5\"") "," ATTRIBUTE(
                       "k", "stringValue",
                       "\"v\"") "],\"events\":[{\"name\":\"e\",\"timeUnixNano\":"
                                "\"55\"},{\"name\":\"f\"}]},{\"name\":\"y\","
                                "\"startTimeUnixNano\":\"40\",\"attributes\":"
                                "[" ATTRIBUTE("size", "stringValue", "\"2.5\"") "," ATTRIBUTE(
                                    "k", "intValue",
                                    "\"7\"") "]},{\"name\":\"x\",\"attributes\":"
                                             "[" ATTRIBUTE("size", "stringValue",
                                                           "\"big\"") "]}]}]},{"
                                                                      "\"scopeSpans"
                                                                      "\":[{"
                                                                      "\"spans\":[{"
                                                                      "\"name\":"
                                                                      "\"z\","
                                                                      "\"attributes"
                                                                      "\":"
                                                                      "[" ATTRIBUTE("size",
                                                                                    "doubleVal"
                                                                                    "ue",
                                                                                    "0.25") "]"
                                                                                            "}"
                                                                                            "]"
                                                                                            "}"
                                                                                            "]"
                                                                                            "}"
                                                                                            "]"
                                                                                            "}";

static const struct hf_item_metrics_rules counting = {
    .looks_outside = true,
    .scope = "s",
    .default_names = {[HF_ITEM_SPANS] = "spans"},
    .default_descriptions = {[HF_ITEM_SPANS] = "All."}};
static const struct hf_item_metrics_rules summing = {.are_sums = true, .scope = ""};

/* One metric of one level. */
struct asked {
    const struct hf_item_metrics_rules *rules;
    enum hf_item_level level;
    struct hf_item_metric_config metric;
};

static enum hf_status make(const struct asked *asked, const char *name,
                           struct hf_item_metrics **ret_metrics, char *reterr)
{
    struct hf_item_metrics_config config = {.levels = {{.count = 0}}};
    if (name != NULL) {
        config.levels[asked->level] = (struct hf_struct_map){&name, &asked->metric, 1};
    }
    return hf_item_metrics_new(asked->rules, &config, ret_metrics, reterr);
}

/* Number of a point and its attributes: "5{k=v}". */
static size_t write_point(char *out, size_t size, const struct hf_place *place)
{
    enum { START = 2, TIME = 3, AS_DOUBLE = 4, AS_INT = 6, ATTRIBUTES = 7 };
    struct hf_bytes text = {0};
    const struct hf_attributes *attributes = hf_message_attributes(place->item, ATTRIBUTES);
    double number = hf_message_has(place->item, AS_INT)
                        ? (double)hf_message_i64(place->item, AS_INT)
                        : hf_message_double(place->item, AS_DOUBLE);
    size_t at = (size_t)snprintf(out, size, " %g", number);
    for (size_t i = 0; i < attributes->count; i++) {
        text.size = 0;
        assert_int_equal(hf_any_text(attributes->items[i].value, &text), HF_OK);
        at +=
            (size_t)snprintf(out + at, size - at, ",%.*s=%.*s", (int)attributes->items[i].key.size,
                             attributes->items[i].key.data, (int)text.size, text.data);
    }
    if (hf_message_has(place->item, START)) {
        at += (size_t)snprintf(out + at, size - at, "@%u-%u",
                               (unsigned)hf_message_u64(place->item, START),
                               (unsigned)hf_message_u64(place->item, TIME));
    }
    hf_bytes_release(&text);
    return at;
}

static void write_points(struct hf_batch *batch, char *out, size_t size)
{
    struct hf_document *document = hf_document_borrow(HF_METRICS, batch->raw);
    const struct hf_message *resource = NULL;
    struct hf_place place = {.document = document};
    uint32_t items = 0;
    size_t at = 0;
    while (hf_place_next_item(&place)) {
        if (resource != NULL && resource != place.resource_group) {
            at += (size_t)snprintf(out + at, size - at, " |");
        }
        resource = place.resource_group;
        at += write_point(out + at, size - at, &place);
        items++;
    }
    assert_int_equal(items, batch->items);
    hf_document_return(document);
}

/* What comes of the request above, received at 99. */
static void measure(const struct asked *asked, const char *name, char *out, size_t size)
{
    struct hf_node node = {.id = "count"};
    struct hf_item_metrics *metrics = NULL;
    char error[HF_ERROR_MAX] = "";
    struct hf_batch *batch = batch_of(HF_TRACES, traces, 4, hf_slice_text("meta"));
    node_stub_init(&node);
    out[0] = '\0';
    batch->received_ns = 99;
    if (make(asked, name, &metrics, error) != HF_OK) {
        fail_msg("%s", error);
    }
    assert_int_equal(hf_item_metrics_join(metrics, &node), HF_OK);
    assert_int_equal(hf_item_metrics_connect(metrics, batch, NULL), HF_OK);
    assert_true(passed_count <= 1);
    if (passed_count == 1) {
        assert_int_equal(passed[0].batch->signal, HF_METRICS);
        assert_int_equal(passed[0].batch->received_ns, 99);
        assert_true(hf_slice_is(passed[0].batch->meta, "meta"));
        write_points(passed[0].batch, out, size);
    }
    forget_passed();
    hf_item_metrics_free(metrics);
    hf_ref_drop(&batch->ref);
}

#define TEXTS(...)                                                                                 \
    {                                                                                              \
        (const char *const[]){__VA_ARGS__}, sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *) \
    }
#define KEYS(...)                                                                                  \
    {                                                                                              \
        (const struct hf_item_attribute_config[]){__VA_ARGS__},                                    \
            sizeof((struct hf_item_attribute_config[]){__VA_ARGS__}) /                             \
                sizeof(struct hf_item_attribute_config)                                            \
    }
#define INT(number)                                                                                \
    {                                                                                              \
        .type = HF_VALUE_INT, .integer = (number), .string = #number                               \
    }

static void counts_and_sums_what_is_asked_for(void **state)
{
    const struct {
        struct asked asked;
        const char *name, *expected;
    } cases[] = {
        /* Without a metric of its own the default. */
        {{&counting, HF_ITEM_SPANS, {0}}, NULL, " 3@40-70 | 1@99-99"},
        {{&summing, HF_ITEM_SPANS, {0}}, NULL, ""},
        {{&counting, HF_ITEM_SPANS, {.conditions = TEXTS("name == \"x\"", "span.name == \"y\"")}},
         "m",
         " 3@40-70"},
        /* A condition that fails is not true. */
        {{&counting, HF_ITEM_SPANS, {.conditions = TEXTS("Int(attributes[\"k\"][\"z\"]) == 1")}},
         "m",
         ""},
        {{&counting, HF_ITEM_SPANS, {.attributes = KEYS({.key = "k"})}},
         "m",
         " 1,k=v@40-70 1,k=7@40-70"},
        {{&counting, HF_ITEM_SPANS, {.attributes = KEYS({.key = "k", .default_value = INT(4)})}},
         "m",
         " 1,k=v@40-70 1,k=7@40-70 1,k=4@40-70 | 1,k=4@99-99"},
        {{&counting, HF_ITEM_SPANS, {.attributes = KEYS({.key = "env"}, {.key = "team"})}},
         "m",
         " 3,env=a,team=red@40-70"},
        {{&summing, HF_ITEM_SPANS, {.source_attribute = "size"}}, "m", " 7.5 | 0.25"},
        {{&summing, HF_ITEM_SPANS, {.source_attribute = "none"}}, "m", " 0 | 0"},
        {{&summing, HF_ITEM_SPANS, {.source_attribute = "size", .attributes = KEYS({.key = "k"})}},
         "m",
         " 5,k=v 2.5,k=7"},
        /* A sum does not look outside of the item. */
        {{&summing,
          HF_ITEM_SPANS,
          {.source_attribute = "size", .attributes = KEYS({.key = "env"})}},
         "m",
         ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char found[400];
        measure(&cases[i].asked, cases[i].name, found, sizeof(found));
        if (strcmp(found, cases[i].expected) != 0) {
            fail_msg("case %zu:%s, expected%s", i, found, cases[i].expected);
        }
    }
}

static void counts_events_by_themselves(void **state)
{
    const struct asked asked = {
        &counting, HF_ITEM_SPANEVENTS, {.conditions = TEXTS("name != \"g\"")}};
    char found[400];
    (void)state;
    measure(&asked, "events", found, sizeof(found));
    /* The default of spans is there too, and comes first. */
    assert_string_equal(found, " 3@40-70 2@55-55 | 1@99-99");
}

static void keeps_many_series_apart(void **state)
{
    enum { COUNT = 3000 };
    const struct asked asked = {&counting, HF_ITEM_LOGS, {.attributes = KEYS({.key = "n"})}};
    const size_t size = COUNT * 100 + 200;
    char error[HF_ERROR_MAX] = "", *json = malloc(size);
    struct hf_node node = {.id = "count"};
    struct hf_item_metrics *metrics = NULL;
    size_t at =
        (size_t)snprintf(json, size, "{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":[");
    (void)state;
    node_stub_init(&node);
    for (int i = 0; i < COUNT; i++) {
        at += (size_t)snprintf(json + at, size - at,
                               "%s{\"attributes\":[" ATTRIBUTE("n", "intValue", "\"%d\"") "]}",
                               i > 0 ? "," : "", i / 2);
    }
    snprintf(json + at, size - at, "]}]}]}");
    struct hf_batch *batch = batch_of(HF_LOGS, json, COUNT, HF_EMPTY_SLICE);
    assert_int_equal(make(&asked, "m", &metrics, error), HF_OK);
    assert_int_equal(hf_item_metrics_join(metrics, &node), HF_OK);
    assert_int_equal(hf_item_metrics_connect(metrics, batch, NULL), HF_OK);
    assert_int_equal(passed_count, 1);
    assert_int_equal(passed[0].batch->items, COUNT / 2);
    forget_passed();
    hf_item_metrics_free(metrics);
    hf_ref_drop(&batch->ref);
    free(json);
}

static void tells_what_the_pipelines_behind_refuse(void **state)
{
    const struct asked asked = {&counting, HF_ITEM_SPANS, {0}};
    struct hf_node node = {.id = "count"};
    struct hf_item_metrics *metrics = NULL;
    char error[HF_ERROR_MAX] = "";
    struct hf_batch *batch = batch_of(HF_TRACES, traces, 4, HF_EMPTY_SLICE);
    (void)state;
    node_stub_init(&node);
    assert_int_equal(make(&asked, NULL, &metrics, error), HF_OK);
    assert_int_equal(hf_item_metrics_join(metrics, &node), HF_OK);
    passing_says = HF_FULL;
    assert_int_equal(hf_item_metrics_connect(metrics, batch, NULL), HF_FULL);
    passing_says = HF_OK;
    hf_item_metrics_free(metrics);
    hf_ref_drop(&batch->ref);
}

static void says_what_cannot_be_asked(void **state)
{
    const struct {
        struct asked asked;
        const char *name, *says;
    } cases[] = {
        {{&counting, HF_ITEM_SPANS, {0}}, "", "spans: metric \"\": give it a name"},
        {{&counting, HF_ITEM_SPANS, {.attributes = KEYS({.key = ""})}},
         "m",
         "attribute key missing"},
        {{&counting, HF_ITEM_METRICS, {.attributes = KEYS({.key = "k"})}},
         "m",
         "metrics: metric \"m\": attributes: metrics have none"},
        {{&summing, HF_ITEM_LOGS, {0}}, "m", "logs: metric \"m\": source_attribute"},
        {{&counting, HF_ITEM_LOGS, {.conditions = TEXTS("bdy == 1")}}, "m", "logs::m::conditions"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct hf_item_metrics *metrics = NULL;
        char error[HF_ERROR_MAX] = "";
        assert_int_equal(make(&cases[i].asked, cases[i].name, &metrics, error), HF_INVALID);
        if (strstr(error, cases[i].says) == NULL) {
            fail_msg("case %zu: %s", i, error);
        }
    }
}

int main(void)
{
    output_count = 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_and_sums_what_is_asked_for),
        cmocka_unit_test(counts_events_by_themselves),
        cmocka_unit_test(keeps_many_series_apart),
        cmocka_unit_test(tells_what_the_pipelines_behind_refuse),
        cmocka_unit_test(says_what_cannot_be_asked),
    };
    return cmocka_run_group_tests_name("item_metrics", tests, NULL, NULL);
}
