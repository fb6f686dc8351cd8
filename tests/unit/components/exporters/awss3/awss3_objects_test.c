/* The objects of a request: one, or one for each pair of bucket and prefix. */
#include "components/exporters/awss3/awss3_objects.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h> /* needs those before it */

#include "pdata/build.h"
#include "tests/support/node_stub.c"

static const struct hf_export_range range = {
    .sequence = 7, .received_ns = UINT64_C(1700000000000000000), .count = 3};

/* A resource for each row, with a log record; NULL: without that attribute. */
static struct hf_batch *logs_of(const char *const rows[][2], size_t count)
{
    struct hf_builder builder;
    const struct hf_build_log_record record = {.time_ns = 1};
    hf_builder_init(&builder, HF_LOGS, SIZE_MAX);
    for (size_t i = 0; i < count; i++) {
        hf_build_resource(&builder, HF_EMPTY_SLICE);
        if (rows[i][0] != NULL) {
            hf_build_attribute_string(&builder, hf_slice_text("bucket"), hf_slice_text(rows[i][0]));
        }
        if (rows[i][1] != NULL) {
            hf_build_attribute_string(&builder, hf_slice_text("prefix"), hf_slice_text(rows[i][1]));
        }
        hf_build_scope(&builder, HF_EMPTY_SLICE, HF_EMPTY_SLICE);
        hf_build_log_record(&builder, &record);
        hf_build_body_string(&builder, hf_slice_text("line"));
        hf_build_end(&builder);
    }
    assert_int_equal(hf_build_finish(&builder), HF_OK);
    struct hf_batch *batch = hf_build_take(&builder);
    hf_builder_release(&builder);
    return batch;
}

static enum hf_status make(struct awss3_objects *objects, const struct awss3_config *config,
                           struct hf_batch *batch, char why[256])
{
    struct hf_node node = {.id = "awss3", .directory = "/data"};
    const struct hf_object_namer_options options = {
        .node = &node, .partition_format = "", .time_zone = "UTC", .extension = "txt"};
    const struct hf_export_body body = {
        .wire = batch->raw, .items = 3, .raw_size = batch->raw.size};
    const struct hf_export export = {.signal = HF_LOGS,
                                     .items = 3,
                                     .bodies = &body,
                                     .body_count = 1,
                                     .ranges = &range,
                                     .range_count = 1,
                                     .queue = "logs"};
    struct hf_object_namer *namer = NULL;
    char error[HF_ERROR_MAX];
    assert_int_equal(hf_object_namer_new(&options, &namer, error), HF_OK);
    enum hf_status status = awss3_objects_make(objects, config, namer, &export, why);
    hf_object_namer_free(namer);
    return status;
}

static void expect_content(const struct awss3_object *object, const char *text)
{
    char room[256] = "";
    size_t used = 0;
    for (size_t i = 0; i < object->piece_count; i++) {
        assert_true(used + object->pieces[i].size < sizeof(room));
        memcpy(room + used, object->pieces[i].data, object->pieces[i].size);
        used += object->pieces[i].size;
    }
    assert_string_equal(room, text);
}

static void a_request_is_one_object(void **state)
{
    static const char *const rows[][2] = {{"x", "y"}, {NULL, NULL}};
    const struct awss3_config config = {.s3 = {.bucket = "b", .prefix = "p"},
                                        .format = HF_OBJECT_BODY};
    struct awss3_objects objects = {.count = 0};
    struct hf_batch *batch = logs_of(rows, 2);
    char why[256];
    (void)state;
    assert_int_equal(make(&objects, &config, batch, why), HF_OK);
    assert_int_equal(objects.count, 1);
    assert_string_equal(objects.items[0].bucket, "b");
    assert_int_equal(strncmp(objects.items[0].key, "p/logs_00000000000000000007-0-", 30), 0);
    assert_false(objects.items[0].is_by_attribute);
    expect_content(&objects.items[0], "line\nline\n");
    awss3_objects_release(&objects);
    hf_ref_drop(&batch->ref);
}

static void attributes_tell_bucket_and_prefix(void **state)
{
    static const char *const rows[][2] = {
        {"one", NULL}, {NULL, "in"}, {"one", NULL}, {NULL, NULL}, {"b", "in"}};
    const struct awss3_config config = {.s3 = {.bucket = "b", .prefix = "p"},
                                        .format = HF_OBJECT_BODY,
                                        .attributes = {"bucket", "prefix"}};
    static const struct {
        const char *bucket, *key, *content;
        bool is_by_attribute;
    } wanted[] = {
        {"one", "p/logs_", "line\nline\n", true},
        {"b", "in/logs_", "line\nline\n", false},
        {"b", "p/logs_", "line\n", false},
    };
    struct awss3_objects objects = {.count = 0};
    struct hf_batch *batch = logs_of(rows, 5);
    char why[256];
    (void)state;
    assert_int_equal(make(&objects, &config, batch, why), HF_OK);
    assert_int_equal(objects.count, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_string_equal(objects.items[i].bucket, wanted[i].bucket);
        assert_int_equal(strncmp(objects.items[i].key, wanted[i].key, strlen(wanted[i].key)), 0);
        assert_int_equal(objects.items[i].is_by_attribute, wanted[i].is_by_attribute);
        expect_content(&objects.items[i], wanted[i].content);
    }
    awss3_objects_release(&objects);
    hf_ref_drop(&batch->ref);
}

static void a_key_that_is_too_long_is_refused(void **state)
{
    static char prefix[1200];
    static const char *const rows[][2] = {{NULL, NULL}};
    const struct awss3_config config = {.s3 = {.bucket = "b", .prefix = prefix},
                                        .format = HF_OBJECT_BODY};
    struct awss3_objects objects = {.count = 0};
    struct hf_batch *batch = logs_of(rows, 1);
    char why[256];
    (void)state;
    memset(prefix, 'x', sizeof(prefix) - 1);
    assert_int_equal(make(&objects, &config, batch, why), HF_INVALID);
    assert_non_null(strstr(why, "1024 bytes"));
    awss3_objects_release(&objects);
    hf_ref_drop(&batch->ref);
}

static void more_places_than_allowed_halve_the_request(void **state)
{
    static char names[AWSS3_OBJECTS_MAX + 1][16];
    static const char *rows[AWSS3_OBJECTS_MAX + 1][2];
    const struct awss3_config config = {
        .s3 = {.bucket = "b"}, .format = HF_OBJECT_BODY, .attributes = {"bucket", NULL}};
    struct awss3_objects objects = {.count = 0};
    char why[256];
    (void)state;
    for (size_t i = 0; i <= AWSS3_OBJECTS_MAX; i++) {
        snprintf(names[i], sizeof(names[i]), "b%zu", i);
        rows[i][0] = names[i];
        rows[i][1] = NULL;
    }
    struct hf_batch *batch = logs_of((const char *const(*)[2])rows, AWSS3_OBJECTS_MAX + 1);
    assert_int_equal(make(&objects, &config, batch, why), HF_TOO_LARGE);
    hf_ref_drop(&batch->ref);
    batch = logs_of((const char *const(*)[2])rows, AWSS3_OBJECTS_MAX);
    assert_int_equal(make(&objects, &config, batch, why), HF_OK);
    assert_int_equal(objects.count, AWSS3_OBJECTS_MAX);
    awss3_objects_release(&objects);
    hf_ref_drop(&batch->ref);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_is_one_object),
        cmocka_unit_test(attributes_tell_bucket_and_prefix),
        cmocka_unit_test(a_key_that_is_too_long_is_refused),
        cmocka_unit_test(more_places_than_allowed_halve_the_request),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
