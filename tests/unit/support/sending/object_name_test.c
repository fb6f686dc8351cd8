/* Names of objects: their parts, and that another attempt makes the same one. */
#include "support/sending/object_name.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h> /* needs the three before it */

#include "tests/support/node_stub.c"

#define TIME_NS UINT64_C(1700000000123456789) /* 2023-11-14 22:13:20 UTC */

static const struct hf_export_range ranges[] = {
    {.sequence = 42, .received_ns = TIME_NS, .first = 7, .count = 3},
    {.sequence = 43, .received_ns = TIME_NS + 1, .count = 3},
};

static struct hf_export make_export(size_t range_count)
{
    return (struct hf_export){.signal = HF_TRACES,
                              .ranges = ranges,
                              .range_count = range_count,
                              .queue = "traces",
                              .attempt = 1};
}

static void make(const struct hf_object_namer_options *options, const struct hf_export *export,
                 const char *prefix, char *name, size_t size)
{
    char error[HF_ERROR_MAX] = "";
    struct hf_object_namer *namer = NULL;
    assert_int_equal(hf_object_namer_new(options, &namer, error), HF_OK);
    assert_int_equal(hf_object_name(namer, export, prefix, name, size), HF_OK);
    hf_object_namer_free(namer);
}

static void parts_stand_in_their_order(void **state)
{
    struct hf_node node = {.id = "awss3", .directory = "/data"};
    static const struct {
        const char *base, *prefix, *partition, *zone, *file, *extension;
        enum hf_coding coding;
        const char *before, *behind;
    } rows[] = {
        {"", "", "", "UTC", "", "", HF_IDENTITY, "traces_00000000000000000042-7-", ""},
        {NULL, NULL, "%Y/%m", "UTC", NULL, "json", HF_GZIP,
         "2023/11/traces_00000000000000000042-7-", ".json.gz"},
        {"base", "pre/", "h=%H", "Asia/Tokyo", "f-", "binpb", HF_ZSTD,
         "base/pre/h=07/f-traces_00000000000000000042-7-", ".binpb.zst"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct hf_object_namer_options options = {.node = &node,
                                                        .base_prefix = rows[i].base,
                                                        .partition_format = rows[i].partition,
                                                        .time_zone = rows[i].zone,
                                                        .file_prefix = rows[i].file,
                                                        .extension = rows[i].extension,
                                                        .coding = rows[i].coding};
        const struct hf_export export = make_export(1);
        char name[1025];
        make(&options, &export, rows[i].prefix, name, sizeof(name));
        size_t before = strlen(rows[i].before);
        assert_memory_equal(name, rows[i].before, before);
        assert_int_equal(strspn(name + before, "0123456789abcdef"), 16);
        assert_string_equal(name + before + 16, rows[i].behind);
    }
}

static void a_name_may_do_without_the_signal(void **state)
{
    struct hf_node node = {.id = "googlecloudstorage", .directory = "/data"};
    const struct hf_object_namer_options options = {.node = &node,
                                                    .partition_format = "%Y",
                                                    .time_zone = "UTC",
                                                    .file_prefix = "own_",
                                                    .extension = "json",
                                                    .is_uuid = true,
                                                    .has_no_signal = true};
    const struct hf_export export = make_export(1);
    char name[1025];
    (void)state;
    make(&options, &export, "pre", name, sizeof(name));
    assert_int_equal(strncmp(name, "pre/2023/own_018bcfe5-", 22), 0);
    assert_int_equal(strlen(name), strlen("pre/2023/own_") + 36 + strlen(".json"));
}

static void another_attempt_has_the_same_name(void **state)
{
    struct hf_node node = {.id = "awss3", .directory = "/data"};
    struct hf_node elsewhere = {.id = "awss3", .directory = "/other"};
    struct hf_object_namer_options options = {
        .node = &node, .partition_format = "%Y", .time_zone = "UTC", .extension = "json"};
    struct hf_export export = make_export(2);
    char first[1025], second[1025];
    (void)state;
    for (int is_uuid = 0; is_uuid < 2; is_uuid++) {
        options.is_uuid = is_uuid != 0;
        options.node = &node;
        export = make_export(2);
        make(&options, &export, "", first, sizeof(first));
        export.attempt = 9;
        export.range_count = 1; /* cut elsewhere */
        make(&options, &export, "", second, sizeof(second));
        assert_string_equal(first, second);
        export.queue = "traces/2";
        make(&options, &export, "", second, sizeof(second));
        assert_string_not_equal(first, second);
        export.queue = "traces";
        options.node = &elsewhere;
        make(&options, &export, "", second, sizeof(second));
        assert_string_not_equal(first, second);
    }
}

static void names_have_a_limit_and_zones_must_be_known(void **state)
{
    struct hf_node node = {.id = "awss3", .directory = "/data"};
    struct hf_object_namer_options options = {
        .node = &node, .partition_format = "%Y", .time_zone = "UTC", .extension = "json"};
    const struct hf_export export = make_export(1);
    struct hf_object_namer *namer = NULL;
    char error[HF_ERROR_MAX] = "", name[32];
    (void)state;
    assert_int_equal(hf_object_namer_new(&options, &namer, error), HF_OK);
    assert_int_equal(hf_object_name(namer, &export, "", name, sizeof(name)), HF_TOO_LARGE);
    hf_object_namer_free(namer);
    options.time_zone = "Mars/Olympus";
    assert_int_equal(hf_object_namer_new(&options, &namer, error), HF_NOT_FOUND);
    assert_non_null(strstr(error, "Mars/Olympus"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_stand_in_their_order),
        cmocka_unit_test(a_name_may_do_without_the_signal),
        cmocka_unit_test(another_attempt_has_the_same_name),
        cmocka_unit_test(names_have_a_limit_and_zones_must_be_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
