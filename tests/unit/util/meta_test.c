/* What is added is found again; what does not fit, or is malformed, changes nothing. */
#include <holdfast/meta.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h> /* needs the three before it */

static void finds_what_was_added(void **state)
{
    struct hf_meta_writer writer = {.size = 0};
    struct hf_slice value;
    char big[300];
    (void)state;
    memset(big, 'x', sizeof(big));
    assert_int_equal(
        hf_meta_add(&writer, HF_META_PEER, HF_EMPTY_SLICE, hf_slice_text("10.0.0.7:1")), HF_OK);
    assert_int_equal(
        hf_meta_add(&writer, HF_META_HEADER, hf_slice_text("x-tenant"), hf_slice_text("blue")),
        HF_OK);
    assert_int_equal(
        hf_meta_add(&writer, HF_META_HEADER, hf_slice_text("big"), hf_slice_of(big, sizeof(big))),
        HF_OK);
    struct hf_slice meta = hf_slice_of(writer.bytes, writer.size);
    assert_true(hf_meta_find(meta, HF_META_PEER, "", &value));
    assert_true(hf_slice_is(value, "10.0.0.7:1"));
    assert_true(hf_meta_find(meta, HF_META_HEADER, "X-Tenant", &value));
    assert_true(hf_slice_is(value, "blue"));
    assert_true(hf_meta_find(meta, HF_META_HEADER, "big", &value));
    assert_int_equal(value.size, sizeof(big));
    assert_false(hf_meta_find(meta, HF_META_AUTH, "x-tenant", &value));
}

static void refuses_what_does_not_fit_whole(void **state)
{
    struct hf_meta_writer writer = {.size = 0};
    uint8_t big[HF_META_BYTES_MAX] = {0};
    (void)state;
    assert_int_equal(
        hf_meta_add(&writer, HF_META_HEADER, hf_slice_text("k"), hf_slice_of(big, sizeof(big))),
        HF_TOO_LARGE);
    assert_int_equal(writer.size, 0);
    assert_int_equal(
        hf_meta_add(&writer, HF_META_HEADER, hf_slice_text("k"), hf_slice_of(big, sizeof(big) - 5)),
        HF_OK);
    assert_int_equal(writer.size, sizeof(big));
}

static void ends_at_malformed_entries(void **state)
{
    const struct {
        const char *bytes;
        size_t size;
    } cases[] = {{"h", 1},
                 {"h\x05"
                  "ab",
                  4},
                 {"h\x01"
                  "a",
                  3},
                 {"h\xff\xff\xff\xff\xff", 6}};
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        size_t cursor = 0;
        struct hf_meta_entry entry;
        assert_false(hf_meta_next(hf_slice_of(cases[i].bytes, cases[i].size), &cursor, &entry));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_what_was_added),
        cmocka_unit_test(refuses_what_does_not_fit_whole),
        cmocka_unit_test(ends_at_malformed_entries),
    };
    return cmocka_run_group_tests_name("meta", tests, NULL, NULL);
}
