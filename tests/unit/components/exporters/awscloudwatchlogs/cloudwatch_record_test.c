/* Log records as events, and the names of groups and streams. */
#include "components/exporters/awscloudwatchlogs/cloudwatch_record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "pdata/json.h"

#define BYTES_MAX ((size_t)1 << 20)

/* The first record of an Export request. */
struct scene {
    struct hf_bytes request;
    struct hf_bulk_walk walk;
    struct hf_slice record;
    struct hf_bulk_log log;
};

static void open_scene(struct scene *scene, const char *resource, const char *record)
{
    char json[4096], error[HF_JSON_ERROR_MAX];
    snprintf(json, sizeof(json),
             "{\"resourceLogs\":[{\"resource\":{\"attributes\":[%s]},\"scopeLogs\":[{\"scope\":{"
             "\"name\":\"lib\",\"version\":\"1\"},\"logRecords\":[{%s}]}]}]}",
             resource, record);
    *scene = (struct scene){0};
    if (hf_json_to_proto(HF_LOGS, hf_slice_text(json), BYTES_MAX, &scene->request, error) !=
        HF_OK) {
        fail_msg("%s", error);
    }
    scene->walk = (struct hf_bulk_walk){
        .request = hf_wire_of(hf_slice_of(scene->request.data, scene->request.size)),
        .signal = HF_LOGS};
    assert_true(hf_bulk_walk_next(&scene->walk, &scene->record));
    scene->log = hf_bulk_log_read(scene->record);
}

static void assert_bytes(const struct hf_bytes *bytes, const char *expected)
{
    char text[4096];
    snprintf(text, sizeof(text), "%.*s", (int)bytes->size, (const char *)bytes->data);
    assert_string_equal(text, expected);
}

#define TEXT(key, value) "{\"key\":\"" key "\",\"value\":{\"stringValue\":\"" value "\"}}"

static void names_have_the_attributes_of_the_resource(void **state)
{
    static const struct {
        const char *configured, *name;
    } cases[] = {
        {"plain", "plain"},
        {"/a/{ServiceName}/b", "/a/shop/b"},
        {"{ServiceName}{InstanceId}", "shop7"},
        {"{TaskId}", "undefined"},
        {"{PodName}", "by its name"}, /* an attribute of the placeholder's own name */
        {"{{NodeName}}", "{n1}"},
        {"a}{ServiceName", "a}{ServiceName"},
    };
    struct scene scene;
    (void)state;
    open_scene(
        &scene,
        TEXT("service.name", "shop") "," TEXT("PodName", "by its name") "," TEXT(
            "pod",
            "other") "," TEXT("k8s.node.name",
                              "n1") ","
                                    "{\"key\":\"service.instance.id\",\"value\":{\"intValue\":7}}",
        "");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct hf_bytes name = {0};
        assert_true(cloudwatch_name_is_good(cases[i].configured));
        assert_int_equal(cloudwatch_name(cases[i].configured, scene.walk.resource, &name), HF_OK);
        assert_bytes(&name, cases[i].name);
        hf_bytes_release(&name);
    }
    hf_bytes_release(&scene.request);
}

static void unknown_placeholders_are_told(void **state)
{
    (void)state;
    assert_false(cloudwatch_name_is_good("{}"));
    assert_false(cloudwatch_name_is_good("{ServiceName}/{servicename}"));
    assert_false(cloudwatch_name_is_good("a}{b}"));
    assert_true(cloudwatch_name_is_good("{"));
}

static void a_record_is_an_object_of_what_it_has(void **state)
{
    static const struct {
        const char *resource, *record, *event;
    } cases[] = {
        {"", "", "{\"scope\":{\"name\":\"lib\",\"version\":\"1\"}}"},
        {TEXT("r", "x"),
         "\"body\":{\"kvlistValue\":{\"values\":[" TEXT(
             "a", "b\\\"") "]}},\"severityNumber\":9,\"severityText\":\"Info\",\"flags\":1,"
                           "\"droppedAttributesCount\":2,\"traceId\":"
                           "\"0102030405060708090a0b0c0d0e0f10\","
                           "\"spanId\":\"0102030405060708\",\"attributes\":[" TEXT("k", "v") "]",
         "{\"body\":{\"a\":\"b\\\"\"},\"severity_number\":9,\"severity_text\":\"Info\","
         "\"dropped_attributes_count\":2,\"flags\":1,"
         "\"trace_id\":\"0102030405060708090a0b0c0d0e0f10\",\"span_id\":\"0102030405060708\","
         "\"attributes\":{\"k\":\"v\"},\"scope\":{\"name\":\"lib\",\"version\":\"1\"},"
         "\"resource\":{\"r\":\"x\"}}"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct scene scene;
        struct hf_bytes event = {0};
        open_scene(&scene, cases[i].resource, cases[i].record);
        assert_int_equal(cloudwatch_record_json(&scene.log, scene.record, scene.walk.scope,
                                                scene.walk.resource, &event),
                         HF_OK);
        assert_bytes(&event, cases[i].event);
        hf_bytes_release(&event);
        hf_bytes_release(&scene.request);
    }
}

static void a_raw_body_may_name_its_place(void **state)
{
    static const struct {
        const char *body, *group, *stream;
    } cases[] = {
        {"plain", "g", "s"},
        {"", "g", "s"},
        {"{\\\"a\\\":", "g", "s"}, /* no JSON: it is a text like any */
        {"{\\\"a\\\":1}", "g", "s"},
        {"{\\\"_aws\\\":{\\\"logGroupName\\\":\\\"own\\\"}}", "own", "s"},
        {"{\\\"_aws\\\":{\\\"logStreamName\\\":\\\"own\\\"}}", "g", "s"},
        {"{\\\"_aws\\\":{\\\"logGroupName\\\":\\\"a\\\",\\\"logStreamName\\\":\\\"b\\\"}}", "a",
         "b"},
        {"{\\\"log_group_name\\\":\\\"a\\\",\\\"log_stream_name\\\":\\\"b\\\"}", "a", "b"},
        {"{\\\"_aws\\\":{\\\"logGroupName\\\":7}}", "g", "s"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char record[1024], place_text[256];
        struct scene scene;
        struct hf_bytes event = {0};
        struct hf_arena arena = {.limit = CLOUDWATCH_ARENA_BYTES};
        struct cloudwatch_place place = {hf_slice_text("g"), hf_slice_text("s")};
        snprintf(record, sizeof(record), "\"body\":{\"stringValue\":\"%s\"}", cases[i].body);
        open_scene(&scene, "", record);
        assert_int_equal(cloudwatch_record_raw(&scene.log, &event, &arena, &place), HF_OK);
        snprintf(place_text, sizeof(place_text), "%.*s %.*s", (int)place.group.size,
                 (const char *)place.group.data, (int)place.stream.size,
                 (const char *)place.stream.data);
        snprintf(record, sizeof(record), "%s %s", cases[i].group, cases[i].stream);
        assert_string_equal(place_text, record);
        hf_arena_release(&arena);
        hf_bytes_release(&event);
        hf_bytes_release(&scene.request);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_have_the_attributes_of_the_resource),
        cmocka_unit_test(unknown_placeholders_are_told),
        cmocka_unit_test(a_record_is_an_object_of_what_it_has),
        cmocka_unit_test(a_raw_body_may_name_its_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
