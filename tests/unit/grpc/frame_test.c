/* The prefix of a message, however it is split. */
#include <grpc/frame.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h> /* needs those before it */

static void reads_what_it_writes_at_every_split(void **state)
{
    (void)state;
    static const uint32_t sizes[] = {0, 1, 255, 256, 65536, 16777216, UINT32_MAX};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        for (size_t split = 0; split <= 7; split++) {
            uint8_t bytes[7] = {0, 0, 0, 0, 0, 'm', 'n'};
            hf_grpc_prefix_write(bytes, i % 2 == 1, sizes[i]);
            struct hf_grpc_prefix prefix = {.have = 0};
            struct hf_slice first = hf_slice_of(bytes, split);
            struct hf_slice second = hf_slice_of(bytes + split, 7 - split);
            enum hf_status status = hf_grpc_prefix_feed(&prefix, &first);
            assert_int_equal(status, split < 5 ? HF_AGAIN : HF_OK);
            assert_int_equal(first.size, split < 5 ? 0 : split - 5);
            if (split < 5) {
                assert_false(hf_grpc_prefix_is_whole(&prefix));
                assert_int_equal(hf_grpc_prefix_feed(&prefix, &second), HF_OK);
                assert_int_equal(second.size, 2);
                assert_int_equal(second.data[0], 'm');
            }
            assert_true(hf_grpc_prefix_is_whole(&prefix));
            assert_int_equal(prefix.size, sizes[i]);
            assert_int_equal(prefix.compressed, i % 2 == 1);
        }
    }
}

static void refuses_every_other_flag_at_its_first_byte(void **state)
{
    (void)state;
    for (unsigned flag = 2; flag < 256; flag++) {
        const uint8_t byte = (uint8_t)flag;
        struct hf_slice data = hf_slice_of(&byte, 1);
        struct hf_grpc_prefix prefix = {.have = 0};
        assert_int_equal(hf_grpc_prefix_feed(&prefix, &data), HF_INVALID);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_it_writes_at_every_split),
        cmocka_unit_test(refuses_every_other_flag_at_its_first_byte),
    };
    return cmocka_run_group_tests_name("frame", tests, NULL, NULL);
}
