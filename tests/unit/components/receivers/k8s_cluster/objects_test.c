#include "components/receivers/k8s_cluster/objects.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "pdata/wire.h"
#include "tests/support/wanted_all.h"

static void names_of_metrics_are_in_snake_case(void **state)
{
    static const struct {
        const char *text, *snake;
    } rows[] = {
        {"Ready", "ready"},
        {"DiskPressure", "disk_pressure"},
        {"PIDPressure", "pid_pressure"},
        {"ephemeral-storage", "ephemeral_storage"},
        {"hugepages-2Mi", "hugepages_2_mi"},
        {"nvidia.com/gpu", "nvidia_com_gpu"},
        {"A", "a"},
        {"", ""},
    };
    char snake[64];
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        cluster_snake(rows[i].text, snake, sizeof(snake));
        assert_string_equal(snake, rows[i].snake);
    }
    cluster_snake("LongerThanTheRoom", snake, 8);
    assert_true(strlen(snake) < 8);
}

/* The bytes of the request that an object becomes. */
static struct hf_batch *built(const char *kind, const char *text, uint32_t *ret_points)
{
    static const struct cluster_wanted wanted = {0};
    static struct hf_metric_choice all[CLUSTER_METRIC_COUNT];
    static struct hf_resource_choice resources[CLUSTER_RESOURCE_COUNT];
    struct hf_arena arena = {.limit = 1 << 20};
    const struct hf_json *json;
    char error[HF_JSON_ERROR_MAX];
    struct record record = {0};
    struct hf_builder builder;
    size_t k = 0;
    WANT_METRICS(all);
    WANT_RESOURCES(resources);
    while (strcmp(cluster_kinds[k].name, kind) != 0) {
        k++;
        assert_true(k < CLUSTER_KIND_COUNT);
    }
    assert_int_equal(hf_json_read(hf_slice_text(text), &arena, &json, error), HF_OK);
    cluster_kinds[k].describe(&record, &wanted, json);
    assert_false(record.failed);
    hf_builder_init(&builder, HF_METRICS, 1 << 20);
    struct record_writer writer = {.builder = &builder, .metrics = all, .resources = resources};
    record_write(&record, &writer);
    assert_int_equal(hf_build_finish(&builder), HF_OK);
    struct hf_batch *batch = hf_build_take(&builder);
    hf_builder_release(&builder);
    hf_bytes_release(&record.bytes);
    hf_arena_release(&arena);
    *ret_points = writer.points;
    return batch;
}

static bool has_text(const struct hf_batch *batch, const char *text)
{
    return memmem(batch->raw.data, batch->raw.size, text, strlen(text)) != NULL;
}

static void images_are_taken_apart(void **state)
{
    static const struct {
        const char *image, *name, *tag;
    } rows[] = {
        {"app", "app", "latest"},
        {"app:1.2", "app", "1.2"},
        {"registry:5000/team/app", "registry:5000/team/app", "latest"},
        {"registry:5000/team/app:2@sha256:abc", "registry:5000/team/app", "2"},
        {"a/b@sha256:abc", "a/b", "latest"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[512];
        uint32_t points;
        snprintf(text, sizeof(text),
                 "{\"spec\":{\"containers\":[{\"name\":\"c\"}]},\"status\":{\"containerStatuses\":["
                 "{\"name\":\"c\",\"image\":\"%s\"}]}}",
                 rows[i].image);
        struct hf_batch *batch = built("pods", text, &points);
        assert_int_equal(points, 4);
        assert_true(has_text(batch, rows[i].name) && has_text(batch, rows[i].tag));
        assert_false(has_text(batch, "sha256"));
        hf_ref_drop(&batch->ref);
    }
}

static void an_object_without_anything_is_no_fault(void **state)
{
    (void)state;
    for (size_t i = 0; i < CLUSTER_KIND_COUNT; i++) {
        static const char *const texts[] = {
            "{}", "[]", "null", "{\"spec\":[],\"status\":{\"conditions\":{},\"namespaces\":1}}"};
        for (size_t t = 0; t < sizeof(texts) / sizeof(texts[0]); t++) {
            uint32_t points;
            struct hf_batch *batch = built(cluster_kinds[i].name, texts[t], &points);
            assert_int_equal(points, batch != NULL ? batch->items : 0);
            if (batch != NULL) {
                hf_ref_drop(&batch->ref);
            }
        }
    }
}

static void what_is_off_is_not_written(void **state)
{
    static const struct hf_metric_choice none[CLUSTER_METRIC_COUNT] = {false};
    static const struct hf_resource_choice resources[CLUSTER_RESOURCE_COUNT];
    struct record record = {0};
    struct hf_builder builder;
    (void)state;
    record_resource(&record);
    record_name(&record, R_POD_NAME, hf_slice_text("p"));
    record_int(&record, POD_PHASE, 2, HF_EMPTY_SLICE, HF_EMPTY_SLICE);
    hf_builder_init(&builder, HF_METRICS, 1 << 20);
    struct record_writer writer = {.builder = &builder, .metrics = none, .resources = resources};
    record_write(&record, &writer);
    assert_int_equal(writer.points, 0);
    assert_int_equal(hf_build_finish(&builder), HF_OK);
    assert_null(hf_build_take(&builder));
    hf_builder_release(&builder);
    hf_bytes_release(&record.bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_of_metrics_are_in_snake_case),
        cmocka_unit_test(images_are_taken_apart),
        cmocka_unit_test(an_object_without_anything_is_no_fault),
        cmocka_unit_test(what_is_off_is_not_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
