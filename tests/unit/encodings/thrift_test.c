/* Thrift's two protocols, value by value. */
#include "encodings/thrift.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <string.h>

#include <cmocka.h>

static void reads_a_struct_of_both_protocols(void **state)
{
    static const struct {
        struct hf_slice bytes;
        bool is_compact;
    } cases[] = {
        {{(const uint8_t *)"\x0a\0\1\xff\xff\xff\xff\xff\xff\xff\xfe"
                           "\x08\0\2\0\0\1\0"
                           "\x0b\0\3\0\0\0\2hi"
                           "\x02\0\4\1"
                           "\x04\0\5\x40\x04\0\0\0\0\0\0"
                           "\x06\0\x14\xff\xff"
                           "\0",
          11 + 7 + 9 + 4 + 11 + 5 + 1},
         false},
        {{(const uint8_t *)"\x16\3"
                           "\x15\x80\4"
                           "\x18\2hi"
                           "\x11"
                           "\x17\0\0\0\0\0\0\x04\x40"
                           "\x04\x28\1"
                           "\0",
          2 + 3 + 4 + 1 + 9 + 3 + 1},
         true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct hf_thrift thrift = hf_thrift_of(cases[i].bytes, cases[i].is_compact);
        int16_t last_id = 0;
        assert_int_equal(hf_thrift_field(&thrift, &last_id).type, HF_THRIFT_I64);
        assert_int_equal(hf_thrift_i64(&thrift), -2);
        assert_int_equal(hf_thrift_field(&thrift, &last_id).id, 2);
        assert_int_equal(hf_thrift_i32(&thrift), 256);
        assert_int_equal(hf_thrift_field(&thrift, &last_id).type, HF_THRIFT_BYTES);
        assert_true(hf_slice_is(hf_thrift_bytes(&thrift), "hi"));
        assert_int_equal(hf_thrift_field(&thrift, &last_id).type, HF_THRIFT_BOOL);
        assert_true(hf_thrift_bool(&thrift));
        assert_int_equal(hf_thrift_field(&thrift, &last_id).id, 5);
        assert_true(hf_thrift_double(&thrift) == 2.5);
        assert_int_equal(hf_thrift_field(&thrift, &last_id).id, 20);
        assert_int_equal(hf_thrift_i16(&thrift), -1);
        assert_int_equal(hf_thrift_field(&thrift, &last_id).type, HF_THRIFT_STOP);
        assert_false(thrift.failed);
        assert_ptr_equal(thrift.at, thrift.end);
    }
}

static void skips_what_it_does_not_know(void **state)
{
    static const struct {
        struct hf_slice bytes;
        enum hf_thrift_type type;
        bool is_compact;
    } cases[] = {
        {{(const uint8_t *)"\x0c\0\1\x0b\0\1\0\0\0\1x\0\0", 13}, HF_THRIFT_STRUCT, false},
        {{(const uint8_t *)"\x0a\0\0\0\1\0\0\0\0\0\0\0\0", 13}, HF_THRIFT_LIST, false},
        {{(const uint8_t *)"\x0b\x03\0\0\0\1\0\0\0\1k\7", 12}, HF_THRIFT_MAP, false},
        {{(const uint8_t *)"\x1c\x12\0\0", 4}, HF_THRIFT_STRUCT, true},
        {{(const uint8_t *)"\x36\2\4\6", 4}, HF_THRIFT_LIST, true},
        {{(const uint8_t *)"\xf6\2\2\4", 4}, HF_THRIFT_SET, true},
        {{(const uint8_t *)"\1\x83\1k\7", 5}, HF_THRIFT_MAP, true},
        {{(const uint8_t *)"\0", 1}, HF_THRIFT_MAP, true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct hf_thrift thrift = hf_thrift_of(cases[i].bytes, cases[i].is_compact);
        hf_thrift_skip(&thrift, cases[i].type);
        assert_false(thrift.failed);
        assert_ptr_equal(thrift.at, thrift.end);
    }
}

static void every_cut_is_a_fault(void **state)
{
    static const uint8_t bytes[] =
        "\x0c\0\1\x0b\0\1\0\0\0\1x\x0f\0\2\x0a\0\0\0\1\0\0\0\0\0\0\0\0\0";
    (void)state;
    for (size_t size = 0; size < sizeof(bytes) - 1; size++) {
        struct hf_thrift thrift = hf_thrift_of(hf_slice_of(bytes, size), false);
        hf_thrift_skip(&thrift, HF_THRIFT_STRUCT);
        assert_true(thrift.failed);
    }
}

static void bad_bytes_are_faults(void **state)
{
    uint8_t deep[256];
    static const struct {
        struct hf_slice bytes;
        enum hf_thrift_type type;
        bool is_compact;
    } cases[] = {
        {{(const uint8_t *)"\x05\0\1", 3}, HF_THRIFT_STRUCT, false},        /* no such type */
        {{(const uint8_t *)"\x7f\xff\xff\xff", 4}, HF_THRIFT_BYTES, false}, /* longer than all */
        {{(const uint8_t *)"\xff\xff\xff\xff", 4}, HF_THRIFT_BYTES, false}, /* negative */
        {{(const uint8_t *)"\x0a\0\0\0\x09xxxxxxxx", 13}, HF_THRIFT_LIST, false},
        {{(const uint8_t *)"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 11},
         HF_THRIFT_I64,
         true},
        {{(const uint8_t *)"\x1d", 1}, HF_THRIFT_STRUCT, true},
        {{(const uint8_t *)"\x00\0\0\0\1\0", 6}, HF_THRIFT_LIST, false}, /* of nothing */
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct hf_thrift thrift = hf_thrift_of(cases[i].bytes, cases[i].is_compact);
        hf_thrift_skip(&thrift, cases[i].type);
        assert_true(thrift.failed);
    }
    memset(deep, 0x1c, sizeof(deep)); /* a struct in a struct in a struct */
    struct hf_thrift thrift = hf_thrift_of(hf_slice_of(deep, sizeof(deep)), true);
    hf_thrift_skip(&thrift, HF_THRIFT_STRUCT);
    assert_true(thrift.failed);
}

static void reads_the_header_of_a_call(void **state)
{
    static const struct {
        struct hf_slice bytes;
        bool is_compact, is_good;
    } cases[] = {
        {{(const uint8_t *)"\x80\1\0\4\0\0\0\4emit\0\0\0\7", 16}, false, true},
        {{(const uint8_t *)"\0\0\0\4emit\4\0\0\0\7", 13}, false, true},
        {{(const uint8_t *)"\x82\x81\7\4emit", 8}, true, true},
        {{(const uint8_t *)"\x80\2\0\4\0\0\0\4emit\0\0\0\7", 16}, false, false},
        {{(const uint8_t *)"\x81\x81\7\4emit", 8}, true, false},
        {{(const uint8_t *)"\x82\x81\7\5emit", 8}, true, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct hf_thrift thrift = hf_thrift_of(cases[i].bytes, cases[i].is_compact);
        struct hf_thrift_message message = hf_thrift_message(&thrift);
        assert_int_equal(!thrift.failed, cases[i].is_good);
        if (cases[i].is_good) {
            assert_true(hf_slice_is(message.name, "emit"));
            assert_int_equal(message.kind, 4);
            assert_int_equal(message.sequence, 7);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_a_struct_of_both_protocols),
        cmocka_unit_test(skips_what_it_does_not_know),
        cmocka_unit_test(every_cut_is_a_fault),
        cmocka_unit_test(bad_bytes_are_faults),
        cmocka_unit_test(reads_the_header_of_a_call),
    };
    return cmocka_run_group_tests_name("thrift", tests, NULL, NULL);
}
