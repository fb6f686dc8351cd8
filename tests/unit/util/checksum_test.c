#include "util/checksum.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void gives_the_published_values(void **state)
{
    (void)state;
    assert_int_equal(hf_crc32c(0, "123456789", 9), 0xe3069283);
    assert_int_equal(hf_crc32("123456789", 9), 0xcbf43926);
    assert_int_equal(hf_crc32("", 0), 0);
    assert_true(hf_xxh64("", 0) == UINT64_C(0xef46db3751d8e999));
    assert_true(hf_xxh64("abc", 3) == UINT64_C(0x44bc2cf5ad770999));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(gives_the_published_values)};
    return cmocka_run_group_tests_name("checksum", tests, NULL, NULL);
}
