#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "util/compress/compress.h"

static void keeps_what_was_appended(void **state)
{
    (void)state;
    struct hf_bytes bytes = {0};
    for (unsigned i = 0; i < 2000; i++) {
        uint8_t byte = (uint8_t)(i % 251);
        assert_int_equal(hf_bytes_append(&bytes, hf_slice_of(&byte, 1)), HF_OK);
    }
    assert_int_equal(bytes.size, 2000);
    for (unsigned i = 0; i < 2000; i++) {
        assert_int_equal(bytes.data[i], i % 251);
    }
    hf_bytes_release(&bytes);
    assert_null(bytes.data);
}

static void reserves_without_shrinking_or_losing(void **state)
{
    (void)state;
    struct hf_bytes bytes = {0};
    assert_int_equal(hf_bytes_append(&bytes, hf_slice_text("abc")), HF_OK);
    assert_int_equal(hf_bytes_reserve(&bytes, 100000), HF_OK);
    assert_true(bytes.capacity >= 100000);
    size_t capacity = bytes.capacity;
    assert_int_equal(hf_bytes_reserve(&bytes, 10), HF_OK);
    assert_int_equal(bytes.capacity, capacity);
    assert_memory_equal(bytes.data, "abc", 3);
    hf_bytes_release(&bytes);
}

static void refuses_sizes_that_no_memory_has(void **state)
{
    (void)state;
    struct hf_bytes bytes = {0};
    assert_int_equal(hf_bytes_reserve(&bytes, SIZE_MAX), HF_NOMEM);
    assert_int_equal(hf_bytes_append(&bytes, hf_slice_text("abc")), HF_OK);
    assert_int_equal(hf_bytes_append(&bytes, hf_slice_of("x", SIZE_MAX - 1)), HF_NOMEM);
    assert_int_equal(bytes.size, 3);
    hf_bytes_release(&bytes);
}

static void appends_nothing_and_releases_nothing(void **state)
{
    (void)state;
    struct hf_bytes bytes = {0};
    assert_int_equal(hf_bytes_append(&bytes, HF_EMPTY_SLICE), HF_OK);
    assert_int_equal(bytes.size, 0);
    hf_bytes_release(&bytes);
    hf_bytes_release(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_what_was_appended),
        cmocka_unit_test(reserves_without_shrinking_or_losing),
        cmocka_unit_test(refuses_sizes_that_no_memory_has),
        cmocka_unit_test(appends_nothing_and_releases_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
