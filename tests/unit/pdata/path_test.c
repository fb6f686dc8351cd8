/* Every path of OTTL's tables reads what stands there and sets it. */
#include "pdata/path.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h> /* needs the three before it */

#include <holdfast/component.h>

#include "pdata/json.h"
#include "pdata/scan.h"

static const char *const requests[HF_SIGNAL_COUNT] = {
    [HF_TRACES] =
        "{\"resourceSpans\":[{\"resource\":{\"attributes\":["
        "{\"key\":\"service.name\",\"value\":{\"stringValue\":\"shop\"}}],"
        "\"droppedAttributesCount\":3},\"schemaUrl\":\"r-url\","
        "\"scopeSpans\":[{\"scope\":{\"name\":\"lib\",\"version\":\"1.0\",\"attributes\":["
        "{\"key\":\"s\",\"value\":{\"intValue\":\"1\"}}]},\"schemaUrl\":\"s-url\",\"spans\":[{"
        "\"traceId\":\"0102030405060708090a0b0c0d0e0f10\",\"spanId\":\"1112131415161718\","
        "\"traceState\":\"a=1,b=2\",\"name\":\"GET /\",\"kind\":2,"
        "\"startTimeUnixNano\":\"100\",\"endTimeUnixNano\":\"300\",\"flags\":257,"
        "\"droppedEventsCount\":5,"
        "\"attributes\":[{\"key\":\"m\",\"value\":{\"kvlistValue\":{\"values\":["
        "{\"key\":\"l\",\"value\":{\"arrayValue\":{\"values\":[{\"intValue\":\"4\"},"
        "{\"boolValue\":true}]}}}]}}},{\"key\":\"d\",\"value\":{\"doubleValue\":1.5}}],"
        "\"events\":[{\"timeUnixNano\":\"7\",\"name\":\"first\"},{\"name\":\"second\","
        "\"attributes\":[{\"key\":\"e\",\"value\":{\"stringValue\":\"v\"}}]}],"
        "\"links\":[{}],\"status\":{\"code\":2,\"message\":\"bad\"}}]}]}]}",
    [HF_METRICS] =
        "{\"resourceMetrics\":[{\"scopeMetrics\":[{\"metrics\":["
        "{\"name\":\"g\",\"description\":\"what\",\"unit\":\"ms\",\"gauge\":{\"dataPoints\":["
        "{\"asInt\":\"5\",\"timeUnixNano\":\"9\",\"exemplars\":[{\"asDouble\":2.5,"
        "\"timeUnixNano\":\"8\",\"filteredAttributes\":["
        "{\"key\":\"x\",\"value\":{\"intValue\":\"6\"}}]}]}]}},"
        "{\"name\":\"s\",\"metadata\":[{\"key\":\"k\",\"value\":{\"stringValue\":\"v\"}}],"
        "\"sum\":{\"isMonotonic\":true,\"aggregationTemporality\":2,\"dataPoints\":["
        "{\"asDouble\":0.5,\"flags\":1}]}},"
        "{\"name\":\"h\",\"histogram\":{\"aggregationTemporality\":1,\"dataPoints\":["
        "{\"count\":\"3\",\"sum\":4.5,\"bucketCounts\":[\"1\",\"2\"],"
        "\"explicitBounds\":[10.5]}]}},"
        "{\"name\":\"e\",\"exponentialHistogram\":{\"dataPoints\":[{\"count\":\"2\","
        "\"scale\":-1,\"zeroCount\":\"1\",\"positive\":{\"offset\":-4,"
        "\"bucketCounts\":[\"7\"]}}]}},"
        "{\"name\":\"y\",\"summary\":{\"dataPoints\":[{\"count\":\"4\",\"sum\":8,"
        "\"quantileValues\":[{\"quantile\":0.5,\"value\":1}]}]}}]}]}]}",
    [HF_LOGS] = "{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":[{\"timeUnixNano\":\"11\","
                "\"observedTimeUnixNano\":\"12\",\"severityNumber\":9,\"severityText\":\"INFO\","
                "\"body\":{\"kvlistValue\":{\"values\":[{\"key\":\"user\",\"value\":"
                "{\"stringValue\":\"ann\"}}]}},\"flags\":1,\"droppedAttributesCount\":2,"
                "\"traceId\":\"0102030405060708090a0b0c0d0e0f10\",\"eventName\":\"login\"}]}]}]}",
    [HF_PROFILES] =
        "{\"resourceProfiles\":[{\"resource\":{\"attributes\":["
        "{\"key\":\"service.name\",\"value\":{\"stringValue\":\"shop\"}}]},"
        "\"scopeProfiles\":[{\"scope\":{\"name\":\"lib\"},\"profiles\":[{"
        "\"sampleType\":{\"typeStrindex\":1,\"unitStrindex\":2},\"samples\":[{}],"
        "\"timeUnixNano\":\"13\",\"durationNano\":\"14\",\"period\":\"15\","
        "\"periodType\":{\"typeStrindex\":99},"
        "\"profileId\":\"0102030405060708090a0b0c0d0e0f10\",\"droppedAttributesCount\":6,"
        "\"originalPayloadFormat\":\"jfr\",\"attributeIndices\":[1,2,77]}]}]}],"
        "\"dictionary\":{\"stringTable\":[\"\",\"cpu\",\"ns\",\"host\",\"tags\"],"
        "\"attributeTable\":[{},{\"keyStrindex\":3,\"value\":{\"stringValue\":\"n1\"}},"
        "{\"keyStrindex\":4,\"value\":{\"arrayValue\":{\"values\":[{\"intValue\":\"4\"}]}}}]}}",
};

/* `item` counts data points; spans' events and points' exemplars are the last there are. */
static const struct {
    enum hf_signal signal;
    unsigned item;
    const char *path;
    enum hf_path_kind kind;
    enum hf_any_type type; /* of what is read */
    const char *text;      /* as text */
} reads[] = {
    {HF_TRACES, 0, "resource.attributes[\"service.name\"]", HF_PATH_VALUE, HF_ANY_STRING, "shop"},
    {HF_TRACES, 0, "resource.attributes[\"none\"][\"k\"][0]", HF_PATH_VALUE, HF_ANY_EMPTY, ""},
    {HF_TRACES, 0, "resource.attributes", HF_PATH_MAP, HF_ANY_MAP, "{\"service.name\":\"shop\"}"},
    {HF_TRACES, 0, "resource.dropped_attributes_count", HF_PATH_INT, HF_ANY_INT, "3"},
    {HF_TRACES, 0, "resource.schema_url", HF_PATH_STRING, HF_ANY_STRING, "r-url"},
    {HF_TRACES, 0, "scope.name", HF_PATH_STRING, HF_ANY_STRING, "lib"},
    {HF_TRACES, 0, "instrumentation_scope.version", HF_PATH_STRING, HF_ANY_STRING, "1.0"},
    {HF_TRACES, 0, "scope.attributes[\"s\"]", HF_PATH_VALUE, HF_ANY_INT, "1"},
    {HF_TRACES, 0, "scope.dropped_attributes_count", HF_PATH_INT, HF_ANY_INT, "0"},
    {HF_TRACES, 0, "scope.schema_url", HF_PATH_STRING, HF_ANY_STRING, "s-url"},
    {HF_TRACES, 0, "span.trace_id", HF_PATH_TRACE_ID, HF_ANY_BYTES, "AQIDBAUGBwgJCgsMDQ4PEA=="},
    {HF_TRACES, 0, "span.trace_id.string", HF_PATH_STRING, HF_ANY_STRING,
     "0102030405060708090a0b0c0d0e0f10"},
    {HF_TRACES, 0, "span.span_id", HF_PATH_SPAN_ID, HF_ANY_BYTES, "ERITFBUWFxg="},
    {HF_TRACES, 0, "span.span_id.string", HF_PATH_STRING, HF_ANY_STRING, "1112131415161718"},
    {HF_TRACES, 0, "span.parent_span_id", HF_PATH_SPAN_ID, HF_ANY_BYTES, "AAAAAAAAAAA="},
    {HF_TRACES, 0, "span.parent_span_id.string", HF_PATH_STRING, HF_ANY_STRING, "0000000000000000"},
    {HF_TRACES, 0, "span.trace_state", HF_PATH_STRING, HF_ANY_STRING, "a=1,b=2"},
    {HF_TRACES, 0, "span.trace_state[\"b\"]", HF_PATH_STRING, HF_ANY_STRING, "2"},
    {HF_TRACES, 0, "span.trace_state[\"c\"]", HF_PATH_STRING, HF_ANY_STRING, ""},
    {HF_TRACES, 0, "span.name", HF_PATH_STRING, HF_ANY_STRING, "GET /"},
    {HF_TRACES, 0, "span.kind", HF_PATH_INT, HF_ANY_INT, "2"},
    {HF_TRACES, 0, "span.kind.string", HF_PATH_STRING, HF_ANY_STRING, "Server"},
    {HF_TRACES, 0, "span.kind.deprecated_string", HF_PATH_STRING, HF_ANY_STRING,
     "SPAN_KIND_SERVER"},
    {HF_TRACES, 0, "span.status", HF_PATH_OBJECT, HF_ANY_EMPTY, ""},
    {HF_TRACES, 0, "span.status.code", HF_PATH_INT, HF_ANY_INT, "2"},
    {HF_TRACES, 0, "span.status.message", HF_PATH_STRING, HF_ANY_STRING, "bad"},
    {HF_TRACES, 0, "span.start_time", HF_PATH_TIME, HF_ANY_INT, "100"},
    {HF_TRACES, 0, "span.start_time_unix_nano", HF_PATH_INT, HF_ANY_INT, "100"},
    {HF_TRACES, 0, "span.end_time", HF_PATH_TIME, HF_ANY_INT, "300"},
    {HF_TRACES, 0, "span.end_time_unix_nano", HF_PATH_INT, HF_ANY_INT, "300"},
    {HF_TRACES, 0, "span.attributes", HF_PATH_MAP, HF_ANY_MAP,
     "{\"d\":1.5,\"m\":{\"l\":[4,true]}}"},
    {HF_TRACES, 0, "span.attributes[\"m\"][\"l\"][0]", HF_PATH_VALUE, HF_ANY_INT, "4"},
    {HF_TRACES, 0, "span.events", HF_PATH_OBJECTS, HF_ANY_EMPTY, ""},
    {HF_TRACES, 0, "span.links", HF_PATH_OBJECTS, HF_ANY_EMPTY, ""},
    {HF_TRACES, 0, "span.dropped_attributes_count", HF_PATH_INT, HF_ANY_INT, "0"},
    {HF_TRACES, 0, "span.dropped_events_count", HF_PATH_INT, HF_ANY_INT, "5"},
    {HF_TRACES, 0, "span.dropped_links_count", HF_PATH_INT, HF_ANY_INT, "0"},
    {HF_TRACES, 0, "span.flags", HF_PATH_INT, HF_ANY_INT, "257"},
    {HF_TRACES, 0, "spanevent.name", HF_PATH_STRING, HF_ANY_STRING, "second"},
    {HF_TRACES, 0, "spanevent.attributes", HF_PATH_MAP, HF_ANY_MAP, "{\"e\":\"v\"}"},
    {HF_TRACES, 0, "spanevent.time", HF_PATH_TIME, HF_ANY_INT, "0"},
    {HF_TRACES, 0, "spanevent.time_unix_nano", HF_PATH_INT, HF_ANY_INT, "0"},
    {HF_TRACES, 0, "spanevent.dropped_attributes_count", HF_PATH_INT, HF_ANY_INT, "0"},
    {HF_TRACES, 0, "spanevent.event_index", HF_PATH_INT, HF_ANY_INT, "1"},
    {HF_PROFILES, 0, "resource.attributes[\"service.name\"]", HF_PATH_VALUE, HF_ANY_STRING, "shop"},
    {HF_PROFILES, 0, "scope.name", HF_PATH_STRING, HF_ANY_STRING, "lib"},
    {HF_PROFILES, 0, "profile.sample_type", HF_PATH_OBJECT, HF_ANY_EMPTY, ""},
    {HF_PROFILES, 0, "profile.sample_type.type", HF_PATH_STRING, HF_ANY_STRING, "cpu"},
    {HF_PROFILES, 0, "profile.sample_type.unit", HF_PATH_STRING, HF_ANY_STRING, "ns"},
    {HF_PROFILES, 0, "profile.samples", HF_PATH_OBJECTS, HF_ANY_EMPTY, ""},
    {HF_PROFILES, 0, "profile.sample", HF_PATH_OBJECTS, HF_ANY_EMPTY, ""},
    {HF_PROFILES, 0, "profile.time", HF_PATH_TIME, HF_ANY_INT, "13"},
    {HF_PROFILES, 0, "profile.time_unix_nano", HF_PATH_INT, HF_ANY_INT, "13"},
    {HF_PROFILES, 0, "profile.duration", HF_PATH_INT, HF_ANY_INT, "14"},
    {HF_PROFILES, 0, "profile.duration_unix_nano", HF_PATH_INT, HF_ANY_INT, "14"},
    {HF_PROFILES, 0, "profile.period", HF_PATH_INT, HF_ANY_INT, "15"},
    {HF_PROFILES, 0, "profile.period_type", HF_PATH_OBJECT, HF_ANY_EMPTY, ""},
    {HF_PROFILES, 0, "profile.period_type.type", HF_PATH_STRING, HF_ANY_STRING, ""},
    {HF_PROFILES, 0, "profile.period_type.unit", HF_PATH_STRING, HF_ANY_STRING, ""},
    {HF_PROFILES, 0, "profile.profile_id", HF_PATH_TRACE_ID, HF_ANY_BYTES,
     "AQIDBAUGBwgJCgsMDQ4PEA=="},
    {HF_PROFILES, 0, "profile.profile_id.string", HF_PATH_STRING, HF_ANY_STRING,
     "0102030405060708090a0b0c0d0e0f10"},
    {HF_PROFILES, 0, "profile.attribute_indices", HF_PATH_LIST, HF_ANY_ARRAY, "[1,2,77]"},
    {HF_PROFILES, 0, "profile.dropped_attributes_count", HF_PATH_INT, HF_ANY_INT, "6"},
    {HF_PROFILES, 0, "profile.original_payload_format", HF_PATH_STRING, HF_ANY_STRING, "jfr"},
    {HF_PROFILES, 0, "profile.attributes", HF_PATH_MAP, HF_ANY_MAP,
     "{\"host\":\"n1\",\"tags\":[4]}"},
    {HF_PROFILES, 0, "profile.attributes[\"host\"]", HF_PATH_VALUE, HF_ANY_STRING, "n1"},
    {HF_PROFILES, 0, "profile.attributes[\"tags\"][0]", HF_PATH_VALUE, HF_ANY_INT, "4"},
    {HF_PROFILES, 0, "profile.attributes[\"none\"]", HF_PATH_VALUE, HF_ANY_EMPTY, ""},
    /* The resource and the scope were left out: they read as empty ones. */
    {HF_METRICS, 0, "resource.attributes", HF_PATH_MAP, HF_ANY_MAP, "{}"},
    {HF_METRICS, 0, "resource.attributes[\"k\"]", HF_PATH_VALUE, HF_ANY_EMPTY, ""},
    {HF_METRICS, 0, "scope.name", HF_PATH_STRING, HF_ANY_STRING, ""},
    {HF_METRICS, 0, "metric.name", HF_PATH_STRING, HF_ANY_STRING, "g"},
    {HF_METRICS, 0, "metric.description", HF_PATH_STRING, HF_ANY_STRING, "what"},
    {HF_METRICS, 0, "metric.unit", HF_PATH_STRING, HF_ANY_STRING, "ms"},
    {HF_METRICS, 0, "metric.type", HF_PATH_INT, HF_ANY_INT, "1"},
    {HF_METRICS, 1, "metric.type", HF_PATH_INT, HF_ANY_INT, "2"},
    {HF_METRICS, 2, "metric.type", HF_PATH_INT, HF_ANY_INT, "3"},
    {HF_METRICS, 3, "metric.type", HF_PATH_INT, HF_ANY_INT, "4"},
    {HF_METRICS, 4, "metric.type", HF_PATH_INT, HF_ANY_INT, "5"},
    {HF_METRICS, 0, "metric.aggregation_temporality", HF_PATH_INT, HF_ANY_EMPTY, ""},
    {HF_METRICS, 1, "metric.aggregation_temporality", HF_PATH_INT, HF_ANY_INT, "2"},
    {HF_METRICS, 1, "metric.is_monotonic", HF_PATH_BOOL, HF_ANY_BOOL, "true"},
    {HF_METRICS, 2, "metric.is_monotonic", HF_PATH_BOOL, HF_ANY_EMPTY, ""},
    {HF_METRICS, 0, "metric.data_points", HF_PATH_OBJECTS, HF_ANY_EMPTY, ""},
    {HF_METRICS, 1, "metric.metadata[\"k\"]", HF_PATH_VALUE, HF_ANY_STRING, "v"},
    {HF_METRICS, 0, "datapoint.attributes", HF_PATH_MAP, HF_ANY_MAP, "{}"},
    {HF_METRICS, 0, "datapoint.time", HF_PATH_TIME, HF_ANY_INT, "9"},
    {HF_METRICS, 0, "datapoint.time_unix_nano", HF_PATH_INT, HF_ANY_INT, "9"},
    {HF_METRICS, 0, "datapoint.start_time", HF_PATH_TIME, HF_ANY_INT, "0"},
    {HF_METRICS, 4, "datapoint.start_time_unix_nano", HF_PATH_INT, HF_ANY_INT, "0"},
    {HF_METRICS, 1, "datapoint.flags", HF_PATH_INT, HF_ANY_INT, "1"},
    {HF_METRICS, 0, "datapoint.exemplars", HF_PATH_OBJECTS, HF_ANY_EMPTY, ""},
    {HF_METRICS, 0, "datapoint.value_int", HF_PATH_INT, HF_ANY_INT, "5"},
    {HF_METRICS, 0, "datapoint.value_double", HF_PATH_DOUBLE, HF_ANY_DOUBLE, "0"},
    {HF_METRICS, 1, "datapoint.value_double", HF_PATH_DOUBLE, HF_ANY_DOUBLE, "0.5"},
    {HF_METRICS, 2, "datapoint.value_double", HF_PATH_DOUBLE, HF_ANY_EMPTY, ""},
    {HF_METRICS, 2, "datapoint.count", HF_PATH_INT, HF_ANY_INT, "3"},
    {HF_METRICS, 0, "datapoint.count", HF_PATH_INT, HF_ANY_EMPTY, ""},
    {HF_METRICS, 4, "datapoint.sum", HF_PATH_DOUBLE, HF_ANY_DOUBLE, "8"},
    {HF_METRICS, 2, "datapoint.bucket_counts", HF_PATH_LIST, HF_ANY_ARRAY, "[1,2]"},
    {HF_METRICS, 2, "datapoint.bucket_counts[1]", HF_PATH_VALUE, HF_ANY_INT, "2"},
    {HF_METRICS, 2, "datapoint.explicit_bounds", HF_PATH_LIST, HF_ANY_ARRAY, "[10.5]"},
    {HF_METRICS, 3, "datapoint.scale", HF_PATH_INT, HF_ANY_INT, "-1"},
    {HF_METRICS, 3, "datapoint.zero_count", HF_PATH_INT, HF_ANY_INT, "1"},
    {HF_METRICS, 3, "datapoint.positive", HF_PATH_OBJECT, HF_ANY_EMPTY, ""},
    {HF_METRICS, 3, "datapoint.positive.offset", HF_PATH_INT, HF_ANY_INT, "-4"},
    {HF_METRICS, 3, "datapoint.positive.bucket_counts", HF_PATH_LIST, HF_ANY_ARRAY, "[7]"},
    {HF_METRICS, 3, "datapoint.negative", HF_PATH_OBJECT, HF_ANY_EMPTY, ""},
    {HF_METRICS, 3, "datapoint.negative.offset", HF_PATH_INT, HF_ANY_INT, "0"},
    {HF_METRICS, 3, "datapoint.negative.bucket_counts", HF_PATH_LIST, HF_ANY_ARRAY, "[]"},
    {HF_METRICS, 2, "datapoint.positive.offset", HF_PATH_INT, HF_ANY_EMPTY, ""},
    {HF_METRICS, 4, "datapoint.quantile_values", HF_PATH_OBJECTS, HF_ANY_EMPTY, ""},
    {HF_METRICS, 0, "exemplar.time", HF_PATH_TIME, HF_ANY_INT, "8"},
    {HF_METRICS, 0, "exemplar.time_unix_nano", HF_PATH_INT, HF_ANY_INT, "8"},
    {HF_METRICS, 0, "exemplar.double_value", HF_PATH_DOUBLE, HF_ANY_DOUBLE, "2.5"},
    {HF_METRICS, 0, "exemplar.int_value", HF_PATH_INT, HF_ANY_INT, "0"},
    {HF_METRICS, 0, "exemplar.trace_id", HF_PATH_TRACE_ID, HF_ANY_BYTES,
     "AAAAAAAAAAAAAAAAAAAAAA=="},
    {HF_METRICS, 0, "exemplar.trace_id.string", HF_PATH_STRING, HF_ANY_STRING,
     "00000000000000000000000000000000"},
    {HF_METRICS, 0, "exemplar.span_id", HF_PATH_SPAN_ID, HF_ANY_BYTES, "AAAAAAAAAAA="},
    {HF_METRICS, 0, "exemplar.span_id.string", HF_PATH_STRING, HF_ANY_STRING, "0000000000000000"},
    {HF_METRICS, 0, "exemplar.filtered_attributes[\"x\"]", HF_PATH_VALUE, HF_ANY_INT, "6"},
    {HF_LOGS, 0, "log.body", HF_PATH_VALUE, HF_ANY_MAP, "{\"user\":\"ann\"}"},
    {HF_LOGS, 0, "log.body[\"user\"]", HF_PATH_VALUE, HF_ANY_STRING, "ann"},
    {HF_LOGS, 0, "log.body.string", HF_PATH_STRING, HF_ANY_STRING, "{\"user\":\"ann\"}"},
    {HF_LOGS, 0, "log.severity_number", HF_PATH_INT, HF_ANY_INT, "9"},
    {HF_LOGS, 0, "log.severity_text", HF_PATH_STRING, HF_ANY_STRING, "INFO"},
    {HF_LOGS, 0, "log.attributes", HF_PATH_MAP, HF_ANY_MAP, "{}"},
    {HF_LOGS, 0, "log.flags", HF_PATH_INT, HF_ANY_INT, "1"},
    {HF_LOGS, 0, "log.dropped_attributes_count", HF_PATH_INT, HF_ANY_INT, "2"},
    {HF_LOGS, 0, "log.time", HF_PATH_TIME, HF_ANY_INT, "11"},
    {HF_LOGS, 0, "log.time_unix_nano", HF_PATH_INT, HF_ANY_INT, "11"},
    {HF_LOGS, 0, "log.observed_time", HF_PATH_TIME, HF_ANY_INT, "12"},
    {HF_LOGS, 0, "log.observed_time_unix_nano", HF_PATH_INT, HF_ANY_INT, "12"},
    {HF_LOGS, 0, "log.trace_id", HF_PATH_TRACE_ID, HF_ANY_BYTES, "AQIDBAUGBwgJCgsMDQ4PEA=="},
    {HF_LOGS, 0, "log.trace_id.string", HF_PATH_STRING, HF_ANY_STRING,
     "0102030405060708090a0b0c0d0e0f10"},
    {HF_LOGS, 0, "log.span_id", HF_PATH_SPAN_ID, HF_ANY_BYTES, "AAAAAAAAAAA="},
    {HF_LOGS, 0, "log.span_id.string", HF_PATH_STRING, HF_ANY_STRING, "0000000000000000"},
    {HF_LOGS, 0, "log.event_name", HF_PATH_STRING, HF_ANY_STRING, "login"},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A request that is open, with the place of one of its items. */
struct scene {
    struct hf_bytes raw;
    struct hf_document *document;
    struct hf_place place;
};

static void scene_open(struct scene *scene, enum hf_signal signal, unsigned item)
{
    char error[HF_JSON_ERROR_MAX] = "";
    *scene = (struct scene){.document = NULL};
    if (hf_json_to_proto(signal, hf_slice_text(requests[signal]), 1 << 20, &scene->raw, error) !=
        HF_OK) {
        fail_msg("%s", error);
    }
    scene->document = hf_document_borrow(signal, hf_slice_of(scene->raw.data, scene->raw.size));
    assert_non_null(scene->document);
    scene->place.document = scene->document;
    for (unsigned i = 0; i <= item; i++) {
        assert_true(hf_place_next_item(&scene->place));
    }
    if (signal == HF_TRACES) {
        struct hf_place at = scene->place;
        while (hf_place_next_event(&at)) {
            scene->place = at;
        }
    } else if (signal == HF_METRICS && item == 0) {
        scene->place.exemplar = hf_message_first(scene->place.item, 5);
    }
}

static void scene_close(struct scene *scene)
{
    assert_int_equal(hf_document_status(scene->document), HF_OK);
    hf_document_return(scene->document);
    hf_bytes_release(&scene->raw);
}

static struct hf_path *path_of(const char *text)
{
    char error[HF_ERROR_MAX] = "";
    struct hf_path *path = NULL;
    if (hf_path_parse(hf_slice_text(text), &path, error) != HF_OK) {
        fail_msg("%s: %s", text, error);
    }
    return path;
}

static void assert_reads(const struct hf_path *path, const struct hf_place *place,
                         enum hf_any_type type, const char *expected, const char *name)
{
    struct hf_arena arena = {.limit = 1 << 20};
    struct hf_any_maker maker = {.arena = &arena};
    char error[HF_ERROR_MAX] = "";
    struct hf_bytes text = {0};
    struct hf_any value;
    if (hf_path_get(path, place, &value, error) != HF_OK) {
        fail_msg("%s: %s", name, error);
    }
    assert_int_equal(hf_any_text(hf_any_make(&maker, &value), &text), HF_OK);
    if (value.type != type || text.size != strlen(expected) ||
        memcmp(text.size > 0 ? text.data : (const void *)"", expected, text.size) != 0) {
        fail_msg("%s: type %d, %.*s", name, value.type, (int)text.size, (const char *)text.data);
    }
    hf_bytes_release(&text);
    hf_arena_release(&arena);
}

static void reads_every_path(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(reads); i++) {
        struct scene scene;
        struct hf_path *path = path_of(reads[i].path);
        scene_open(&scene, reads[i].signal, reads[i].item);
        assert_int_equal(hf_path_kind(path), reads[i].kind);
        assert_reads(path, &scene.place, reads[i].type, reads[i].text, reads[i].path);
        assert_false(hf_document_is_changed(scene.document));
        hf_path_free(path);
        scene_close(&scene);
    }
}

/* Is the name, without its keys, in the table above? */
static bool is_read(const struct hf_path_name *name)
{
    char text[100];
    snprintf(text, sizeof(text), "%s.%s", hf_path_context_name(name->context), name->name);
    for (size_t i = 0; i < COUNT(reads); i++) {
        const char *path = reads[i].path;
        if (strncmp(path, "instrumentation_", 16) == 0) {
            path += 16;
        }
        if (strncmp(path, text, strlen(text)) == 0 && strcspn(path, "[") == strlen(text)) {
            return true;
        }
    }
    return false;
}

static void the_table_has_every_path(void **state)
{
    struct hf_path_name room;
    (void)state;
    for (size_t i = 0; hf_path_each(i, &room) != NULL; i++) {
        if (!is_read(&room)) {
            fail_msg("%s.%s is not tested", hf_path_context_name(room.context), room.name);
        }
    }
}

/* A value of the kind, other than what stands there. */
static struct hf_any value_for(const struct hf_path *path, struct hf_slice list,
                               const char **ret_text)
{
    switch (hf_path_kind(path)) {
    case HF_PATH_STRING:
        *ret_text = "new";
        return (struct hf_any){.type = HF_ANY_STRING, .bytes = hf_slice_text("new")};
    case HF_PATH_DOUBLE:
        *ret_text = "6.25";
        return (struct hf_any){.type = HF_ANY_DOUBLE, .number = 6.25};
    case HF_PATH_BOOL:
        *ret_text = "false";
        return (struct hf_any){.type = HF_ANY_BOOL};
    case HF_PATH_TRACE_ID:
        *ret_text = "MDEyMzQ1Njc4OUFCQ0RFRg==";
        return (struct hf_any){.type = HF_ANY_BYTES, .bytes = hf_slice_text("0123456789ABCDEF")};
    case HF_PATH_SPAN_ID:
        *ret_text = "MDEyMzQ1Njc=";
        return (struct hf_any){.type = HF_ANY_BYTES, .bytes = hf_slice_text("01234567")};
    case HF_PATH_MAP:
        *ret_text = "{\"k\":\"v\"}";
        return (struct hf_any){.type = HF_ANY_MAP,
                               .bytes = hf_slice_text("\x0a\x08\x0a\x01k\x12\x03\x0a\x01v")};
    case HF_PATH_LIST:
        return hf_any_read(list);
    default:
        *ret_text = "2";
        return (struct hf_any){.type = HF_ANY_INT, .integer = 2};
    }
}

static const char *special_text(const char *path, struct hf_any *value)
{
    static const struct {
        const char *ending, *set, *read;
    } specials[] = {
        {"trace_id.string", "00112233445566778899AABBCCDDEEFF", "00112233445566778899aabbccddeeff"},
        {"profile_id.string", "00112233445566778899AABBCCDDEEFF",
         "00112233445566778899aabbccddeeff"},
        {"span_id.string", "0011223344556677", "0011223344556677"},
        {"kind.string", "Client", "Client"},
        {"kind.deprecated_string", "SPAN_KIND_CLIENT", "SPAN_KIND_CLIENT"},
    };
    for (size_t i = 0; i < COUNT(specials); i++) {
        size_t size = strlen(specials[i].ending);
        if (strlen(path) > size && strcmp(path + strlen(path) - size, specials[i].ending) == 0) {
            value->bytes = hf_slice_text(specials[i].set);
            return specials[i].read;
        }
    }
    return NULL;
}

/* The written request, opened again, must say so too. */
static void assert_written(struct scene *scene, unsigned item, const struct hf_path *path,
                           enum hf_any_type type, const char *expected, const char *name)
{
    struct hf_bytes out = {0};
    struct hf_scan scan;
    enum hf_signal signal = hf_document_signal(scene->document);
    assert_int_equal(hf_document_write(scene->document, &out), HF_OK);
    assert_int_equal(hf_scan(signal, hf_slice_of(out.data, out.size), &scan), HF_OK);
    struct scene again = {.raw = out};
    again.document = hf_document_borrow(signal, hf_slice_of(out.data, out.size));
    again.place.document = again.document;
    for (unsigned i = 0; i <= item; i++) {
        assert_true(hf_place_next_item(&again.place));
    }
    struct hf_place at = again.place;
    while (hf_place_next_event(&at)) {
        again.place = at;
    }
    if (scene->place.exemplar != NULL) {
        again.place.exemplar = hf_message_first(again.place.item, 5);
    }
    assert_reads(path, &again.place, type, expected, name);
    scene_close(&again);
}

static void sets_what_it_reads(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(reads); i++) {
        struct hf_arena arena = {.limit = 1 << 20};
        struct hf_any_maker maker = {.arena = &arena};
        struct hf_path *path = path_of(reads[i].path);
        bool is_bounds = strstr(reads[i].path, "bounds") != NULL;
        struct hf_slice number =
            is_bounds ? hf_any_make_double(&maker, 1.5) : hf_any_make_int(&maker, 3);
        const char *expected = is_bounds ? "[1.5]" : "[3]";
        char error[HF_ERROR_MAX] = "";
        struct scene scene;
        scene_open(&scene, reads[i].signal, reads[i].item);
        struct hf_any value = value_for(path, hf_any_make_list(&maker, &number, 1), &expected);
        const char *special = special_text(reads[i].path, &value);
        expected = special != NULL ? special : expected;
        bool is_object = reads[i].kind == HF_PATH_OBJECT || reads[i].kind == HF_PATH_OBJECTS;
        bool is_list_item = strstr(reads[i].path, "bucket_counts[") != NULL;
        /* What is nil is no field of such an item, unless it is missing from a map. */
        bool is_absent = reads[i].type == HF_ANY_EMPTY && strchr(reads[i].path, '[') == NULL;
        enum hf_status status = hf_path_set(path, &scene.place, &value, error);
        if (is_object || is_list_item ||
            (is_absent && hf_path_context(path) == HF_PATH_DATAPOINT) ||
            (hf_path_is_read_only(path) && strcmp(reads[i].path, "metric.type") != 0)) {
            assert_int_equal(status, HF_INVALID);
            assert_string_not_equal(error, "");
        } else if (strstr(reads[i].path, "[0]") != NULL &&
                   reads[i].type == HF_ANY_EMPTY) { /* made on the way */
            assert_int_equal(status, HF_OK);
        } else if (status != HF_OK) {
            fail_msg("%s: %s", reads[i].path, error);
        } else if (hf_path_is_read_only(path) || is_absent) {
            assert_false(hf_document_is_changed(scene.document));
        } else {
            assert_reads(path, &scene.place, value.type, expected, reads[i].path);
            assert_written(&scene, reads[i].item, path, value.type, expected, reads[i].path);
        }
        hf_path_free(path);
        scene_close(&scene);
        hf_arena_release(&arena);
    }
}

static void refuses_values_of_another_kind(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(reads); i++) {
        struct hf_path *path = path_of(reads[i].path);
        char error[HF_ERROR_MAX] = "";
        struct scene scene;
        /* A list fits nothing but a value and a list. */
        struct hf_any list = {.type = HF_ANY_ARRAY};
        scene_open(&scene, reads[i].signal, reads[i].item);
        bool fits = hf_path_kind(path) == HF_PATH_VALUE || hf_path_kind(path) == HF_PATH_LIST;
        if (!fits && !hf_path_is_read_only(path) && reads[i].type != HF_ANY_EMPTY) {
            assert_int_equal(hf_path_set(path, &scene.place, &list, error), HF_INVALID);
            assert_string_not_equal(error, "");
            assert_false(hf_document_is_changed(scene.document));
        }
        hf_path_free(path);
        scene_close(&scene);
    }
}

static void refuses_what_is_no_path(void **state)
{
    static const struct {
        const char *text;
        enum hf_status status;
    } cases[] = {
        {"", HF_INVALID},
        {"name", HF_NOT_FOUND},
        {"span", HF_NOT_FOUND},
        {"span.", HF_INVALID},
        {"span.nothing", HF_NOT_FOUND},
        {"span.name.string", HF_NOT_FOUND},
        {"span.nam", HF_NOT_FOUND},
        {"span.name[\"x\"]", HF_UNSUPPORTED},
        {"span.attributes[", HF_INVALID},
        {"span.attributes[x]", HF_INVALID},
        {"span.attributes[\"x]", HF_INVALID},
        {"span.attributes[\"\\d\"]", HF_INVALID},
        {"span.attributes[99999999999999999999]", HF_INVALID},
        {"span.trace_state[\"a\"][\"b\"]", HF_UNSUPPORTED},
        {"log.cache[\"x\"]", HF_NOT_FOUND},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char error[HF_ERROR_MAX] = "";
        struct hf_path *path = NULL;
        assert_int_equal(hf_path_parse(hf_slice_text(cases[i].text), &path, error),
                         cases[i].status);
        assert_null(path);
        assert_string_not_equal(error, "");
    }
}

static void takes_keys_that_are_known_late(void **state)
{
    char error[HF_ERROR_MAX] = "";
    char name[] = "late";
    struct hf_any_key keys[] = {{.text = hf_slice_text(name)}, {.text = hf_slice_text("k")}};
    struct hf_path *path = path_of("log.attributes");
    struct hf_path *plain = path_of("log.severity_text");
    struct hf_any value = {.type = HF_ANY_INT, .integer = 5};
    struct scene scene;
    (void)state;
    scene_open(&scene, HF_LOGS, 0);
    assert_int_equal(hf_path_set_at(path, &scene.place, keys, 2, &value, error), HF_OK);
    memset(name, 'x', 4); /* the key was kept */
    keys[0].text = hf_slice_text("late");
    value.integer = 0;
    assert_int_equal(hf_path_get_at(path, &scene.place, keys, 2, &value, error), HF_OK);
    assert_int_equal(value.integer, 5);
    assert_reads(path, &scene.place, HF_ANY_MAP, "{\"late\":{\"k\":5}}", "log.attributes");
    assert_int_equal(hf_path_get_at(plain, &scene.place, keys, 1, &value, error), HF_INVALID);
    assert_non_null(hf_path_attributes(path, &scene.place, false));
    assert_null(hf_path_attributes(plain, &scene.place, false));
    hf_path_free(path);
    hf_path_free(plain);
    scene_close(&scene);
}

static void shows_objects(void **state)
{
    static const struct {
        enum hf_signal signal;
        unsigned item;
        const char *path;
        size_t count;
    } cases[] = {
        {HF_TRACES, 0, "span.events", 2},          {HF_TRACES, 0, "span.links", 1},
        {HF_TRACES, 0, "span.status", 1},          {HF_METRICS, 0, "metric.data_points", 1},
        {HF_METRICS, 0, "datapoint.exemplars", 1}, {HF_METRICS, 4, "datapoint.quantile_values", 1},
        {HF_METRICS, 3, "datapoint.positive", 1},  {HF_METRICS, 3, "datapoint.negative", 0},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct hf_path *path = path_of(cases[i].path);
        struct hf_message *owner;
        uint32_t number;
        struct scene scene;
        scene_open(&scene, cases[i].signal, cases[i].item);
        assert_true(hf_path_objects(path, &scene.place, &owner, &number));
        assert_int_equal(hf_message_count(owner, number), cases[i].count);
        hf_path_free(path);
        scene_close(&scene);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_every_path),        cmocka_unit_test(the_table_has_every_path),
        cmocka_unit_test(sets_what_it_reads),      cmocka_unit_test(refuses_values_of_another_kind),
        cmocka_unit_test(refuses_what_is_no_path), cmocka_unit_test(takes_keys_that_are_known_late),
        cmocka_unit_test(shows_objects),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
