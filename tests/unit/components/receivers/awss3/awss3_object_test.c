/* Archived objects as requests. */
#include "components/receivers/awss3/awss3_object.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h> /* needs the three before it */

#include "util/compress/compress.h"

static const char json[] = "{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":[{\"body\":"
                           "{\"stringValue\":\"a\"}},{}]}]}]}";

static void the_end_of_the_key_tells_the_form(void **state)
{
    static const struct {
        const char *key;
        enum hf_coding coding;
        enum hf_status status;
    } rows[] = {
        {"a/logs_1.json", HF_IDENTITY, HF_OK},
        {"a/logs_1.json.gz", HF_GZIP, HF_OK},
        {"a/logs_1.json.zst", HF_ZSTD, HF_OK},
        {"a/logs_1.json.gz", HF_IDENTITY, HF_INVALID},
        {"a/logs_1.binpb", HF_IDENTITY, HF_INVALID}, /* JSON is no protobuf */
        {"a/logs_1.txt", HF_IDENTITY, HF_UNSUPPORTED},
        {".gz", HF_IDENTITY, HF_UNSUPPORTED},
        {"", HF_IDENTITY, HF_UNSUPPORTED},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct hf_bytes content = {0};
        struct hf_slice plain = hf_slice_text(json);
        struct hf_batch *batch = NULL;
        char error[256] = "";
        assert_int_equal(rows[i].coding == HF_IDENTITY
                             ? hf_bytes_append(&content, plain)
                             : hf_encode(rows[i].coding, 0, &plain, 1, &content),
                         HF_OK);
        assert_int_equal(awss3_object_read(rows[i].key, HF_LOGS,
                                           hf_slice_of(content.data, content.size), &batch, error),
                         rows[i].status);
        if (rows[i].status == HF_OK) {
            assert_int_equal(batch->items, 2);
            assert_int_equal(batch->signal, HF_LOGS);
            hf_ref_drop(&batch->ref);
        } else {
            assert_null(batch);
        }
        hf_bytes_release(&content);
    }
}

static void an_empty_protobuf_is_an_empty_request(void **state)
{
    struct hf_batch *batch = NULL;
    char error[256] = "";
    (void)state;
    assert_int_equal(awss3_object_read("x.binpb", HF_TRACES, HF_EMPTY_SLICE, &batch, error), HF_OK);
    assert_int_equal(batch->items, 0);
    hf_ref_drop(&batch->ref);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_end_of_the_key_tells_the_form),
        cmocka_unit_test(an_empty_protobuf_is_an_empty_request),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
