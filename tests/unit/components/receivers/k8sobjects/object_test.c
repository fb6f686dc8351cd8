/* Objects of a cluster as log records. */
#include "components/receivers/k8sobjects/object.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "pdata/json.h"

#define POD                                                                                        \
    "{\"metadata\":{\"namespace\":\"shop\",\"name\":\"web-1\",\"uid\":\"u\"},\"n\":1,\"d\":1.5,"   \
    "\"b\":true,\"l\":[\"x\",null]}"

static void objects_are_bodies(void **state)
{
    static const struct {
        const char *object, *change; /* object NULL: it vanished */
        const char *found[4];
    } cases[] = {
        {POD,
         NULL,
         {"\"k8s.namespace.name\",\"value\":{\"stringValue\":\"shop\"}",
          "\"k8s.resource.name\",\"value\":{\"stringValue\":\"pods\"}",
          "{\"key\":\"n\",\"value\":{\"intValue\":\"1\"}},{\"key\":\"d\",\"value\":{"
          "\"doubleValue\":1.5}},{\"key\":\"b\",\"value\":{\"boolValue\":true}}",
          "\"observedTimeUnixNano\":\"77\""}},
        {POD,
         "MODIFIED",
         {"{\"kvlistValue\":{\"values\":[{\"key\":\"type\",\"value\":{\"stringValue\":"
          "\"MODIFIED\"}},{\"key\":\"object\"",
          "\"event.name\",\"value\":{\"stringValue\":\"web-1\"}",
          "\"event.domain\",\"value\":{\"stringValue\":\"k8s\"}", ""}},
        {NULL,
         "DELETED",
         {"{\"key\":\"uid\",\"value\":{\"stringValue\":\"gone\"}}", "DELETED", "", ""}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct hf_arena arena = {.limit = 1 << 20};
        struct hf_builder builder;
        struct hf_bytes json = {0};
        char why[HF_JSON_ERROR_MAX];
        struct k8s_object what = {.resource = "pods",
                                  .change = cases[i].change,
                                  .uid = hf_slice_text("gone"),
                                  .observed_ns = 77};
        if (cases[i].object != NULL) {
            assert_int_equal(
                hf_json_read(hf_slice_text(cases[i].object), &arena, &what.object, why), HF_OK);
        }
        hf_builder_init(&builder, HF_LOGS, 1 << 20);
        k8s_object_build(&builder, &arena, &what);
        assert_int_equal(hf_build_finish(&builder), HF_OK);
        struct hf_batch *batch = hf_build_take(&builder);
        assert_non_null(batch);
        assert_int_equal(batch->items, 1);
        assert_int_equal(hf_json_from_proto(HF_LOGS, batch->raw, &json), HF_OK);
        assert_int_equal(hf_bytes_append(&json, hf_slice_of("", 1)), HF_OK);
        for (size_t k = 0; k < 4; k++) {
            if (strstr((const char *)json.data, cases[i].found[k]) == NULL) {
                fail_msg("case %zu: %s is not in %s", i, cases[i].found[k],
                         (const char *)json.data);
            }
        }
        hf_ref_drop(&batch->ref);
        hf_bytes_release(&json);
        hf_builder_release(&builder);
        hf_arena_release(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(objects_are_bodies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
