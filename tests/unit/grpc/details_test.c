/* RetryInfo in a Status, as others write it too. */
#include <grpc/details.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h> /* needs those before it */

#define INFO "\x0a\x28type.googleapis.com/google.rpc.RetryInfo"

static void reads_the_delay_that_it_writes(void **state)
{
    (void)state;
    static const uint64_t delays_ns[] = {0,          1,          999999999,
                                         1000000000, 1500000000, UINT64_C(86400) * 1000000000};
    for (size_t i = 0; i < sizeof(delays_ns) / sizeof(delays_ns[0]); i++) {
        uint8_t bytes[HF_GRPC_DETAILS_ROOM + 10];
        uint64_t delay_ns = 42;
        size_t size = hf_grpc_details_write(14, hf_slice_text("later, man"), delays_ns[i], bytes);
        assert_true(size <= sizeof(bytes));
        assert_true(hf_grpc_details_retry(hf_slice_of(bytes, size), &delay_ns));
        assert_true(delay_ns == delays_ns[i]);
        for (size_t cut = 0; cut < size; cut++) {
            assert_false(hf_grpc_details_retry(hf_slice_of(bytes, cut), &delay_ns));
        }
    }
}

static void finds_it_among_others_and_takes_no_nonsense(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
        bool found;
        uint64_t delay_ns;
    } rows[] = {
        {"\x08\x0e\x12\x01x\x1a\x30" INFO "\x12\x04\x0a\x02\x08\x02", 55, true, 2000000000},
        {"\x1a\x03\x0a\x01z\x1a\x30" INFO "\x12\x04\x0a\x02\x10\x05", 55, true, 5},
        {"\x1a\x2a" INFO, 44, true, 0}, /* no value at all */
        {"\x1a\x39" INFO "\x12\x0d\x0a\x0b\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 59, true,
         0}, /* a negative one */
        {"\x08\x0e\x12\x01x", 5, false, 0},
        {"", 0, false, 0},
        {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 11, false, 0},
        {"\x1a\x7fxx", 4, false, 0},
        {"\x0b", 1, false, 0}, /* groups are not of this age */
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint64_t delay_ns = 0;
        assert_int_equal(hf_grpc_details_retry(hf_slice_of(rows[i].bytes, rows[i].size), &delay_ns),
                         rows[i].found);
        assert_true(delay_ns == rows[i].delay_ns);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_the_delay_that_it_writes),
        cmocka_unit_test(finds_it_among_others_and_takes_no_nonsense),
    };
    return cmocka_run_group_tests_name("details", tests, NULL, NULL);
}
