/* Memory that only grows, up to its limit. */
#include "support.h"

#include "config/load_memory.h"

static void gives_zeroed_aligned_pieces(void **state)
{
    struct hf_config_memory *memory = hf_config_memory_new(1u << 20);
    static const size_t sizes[] = {0, 1, 15, 16, 17, 65536, 70000, 3};
    (void)state;

    for (size_t i = 0; i < COUNT(sizes); i++) {
        unsigned char *piece = hf_config_alloc(memory, sizes[i]);
        assert_non_null(piece);
        assert_int_equal((uintptr_t)piece % 16, 0);
        for (size_t j = 0; j < sizes[i]; j++) {
            assert_int_equal(piece[j], 0);
        }
        memset(piece, 0xff, sizes[i]);
    }
    assert_false(hf_config_memory_failed(memory));
    hf_config_memory_free(memory);
}

static void copies_and_formats_text(void **state)
{
    struct hf_config_memory *memory = hf_config_memory_new(1u << 20);
    (void)state;

    assert_string_equal(hf_config_text(memory, "abcdef", 3), "abc");
    assert_string_equal(hf_config_text(memory, "", 0), "");
    assert_string_equal(hf_config_format(memory, "%s-%d", "x", 12), "x-12");
    hf_config_memory_free(memory);
}

static void gives_up_at_the_limit_and_remembers(void **state)
{
    struct hf_config_memory *memory = hf_config_memory_new(100);
    (void)state;

    assert_non_null(hf_config_alloc(memory, 96));
    assert_false(hf_config_memory_failed(memory));
    assert_null(hf_config_alloc(memory, 1));
    assert_true(hf_config_memory_failed(memory));
    assert_null(hf_config_format(memory, "x"));
    hf_config_memory_free(memory);
}

static void refuses_sizes_that_overflow(void **state)
{
    (void)state;

    for (size_t size = SIZE_MAX - 20; size != 0 && size > 8; size++) {
        struct hf_config_memory *memory = hf_config_memory_new(1000);
        assert_null(hf_config_alloc(memory, size));
        assert_true(hf_config_memory_failed(memory));
        hf_config_memory_free(memory);
    }
    struct hf_config_memory *memory = hf_config_memory_new(1000);
    assert_null(hf_config_array(memory, SIZE_MAX / 2, 4));
    assert_true(hf_config_memory_failed(memory));
    hf_config_memory_free(memory);
    hf_config_memory_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_zeroed_aligned_pieces),
        cmocka_unit_test(copies_and_formats_text),
        cmocka_unit_test(gives_up_at_the_limit_and_remembers),
        cmocka_unit_test(refuses_sizes_that_overflow),
    };
    return cmocka_run_group_tests_name("memory", tests, NULL, NULL);
}
