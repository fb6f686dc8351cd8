/* Headers are kept within bounds, and found again. */
#include <grpc/metadata.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h> /* needs those before it */

static void finds_what_was_added(void **state)
{
    (void)state;
    struct hf_grpc_metadata metadata;
    hf_grpc_metadata_init(&metadata);
    static const char *const rows[][2] = {
        {"a", "1"}, {"tenant", "blue"}, {"empty", ""}, {"tenant", "green"}, {"key-bin", "AAEC"}};
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(
            hf_grpc_metadata_add(&metadata, hf_slice_text(rows[i][0]), hf_slice_text(rows[i][1])),
            HF_OK);
    }
    assert_true(hf_slice_is(hf_grpc_metadata_find(&metadata, "tenant"), "blue"));
    assert_int_equal(hf_grpc_metadata_find(&metadata, "empty").size, 0);
    assert_int_equal(hf_grpc_metadata_find(&metadata, "ten").size, 0);
    struct hf_slice binary = hf_grpc_metadata_find(&metadata, "key-bin");
    assert_int_equal(binary.size, 3);
    assert_memory_equal(binary.data, "\0\1\2", 3);
    size_t cursor = 0, count = 0;
    struct hf_slice name, value;
    while (hf_grpc_metadata_next(&metadata, &cursor, &name, &value)) {
        assert_true(hf_slice_is(name, rows[count][0]));
        count++;
    }
    assert_int_equal(count, 5);
    hf_grpc_metadata_release(&metadata);
}

static void refuses_what_passes_a_bound_or_is_no_base64(void **state)
{
    (void)state;
    struct hf_grpc_metadata metadata;
    hf_grpc_metadata_init(&metadata);
    struct hf_slice name = hf_slice_text("n");
    char *large = calloc(1, HF_GRPC_METADATA_BYTES_MAX);
    assert_non_null(large);
    memset(large, 'v', HF_GRPC_METADATA_BYTES_MAX);
    assert_int_equal(hf_grpc_metadata_add(&metadata, hf_slice_text("x-bin"), hf_slice_text("!")),
                     HF_INVALID);
    assert_int_equal(metadata.count, 0);
    struct hf_slice most = hf_slice_of(large, HF_GRPC_METADATA_BYTES_MAX - 1);
    assert_int_equal(hf_grpc_metadata_add(&metadata, name, most), HF_OK);
    assert_true(hf_slice_equal(hf_grpc_metadata_find(&metadata, "n"), most));
    assert_int_equal(hf_grpc_metadata_add(&metadata, name, HF_EMPTY_SLICE), HF_TOO_LARGE);
    hf_grpc_metadata_release(&metadata);
    for (int i = 0; i < HF_GRPC_METADATA_MAX; i++) {
        assert_int_equal(hf_grpc_metadata_add(&metadata, name, name), HF_OK);
    }
    assert_int_equal(hf_grpc_metadata_add(&metadata, name, name), HF_TOO_LARGE);
    hf_grpc_metadata_release(&metadata);
    free(large);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_what_was_added),
        cmocka_unit_test(refuses_what_passes_a_bound_or_is_no_base64),
    };
    return cmocka_run_group_tests_name("metadata", tests, NULL, NULL);
}
