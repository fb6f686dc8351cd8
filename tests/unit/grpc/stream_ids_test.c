#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "grpc/stream_ids.h"

static void remembers_what_the_client_closed(void **state)
{
    (void)state;
    struct stream_ids ids = {0};
    for (uint32_t id = 1; id < 2000; id += 2) {
        hf_grpc_ids_open(&ids, id);
        assert_false(hf_grpc_ids_is_finished(&ids, id));
        assert_false(hf_grpc_ids_was_skipped(&ids, id));
        if (id % 4 == 1) {
            hf_grpc_ids_finish(&ids, id);
        }
        for (uint32_t old = 1; old <= id; old += 2) {
            bool kept = id - old < 2 * STREAM_IDS_KEPT;
            assert_int_equal(hf_grpc_ids_is_finished(&ids, old), kept && old % 4 == 1);
            assert_false(hf_grpc_ids_was_skipped(&ids, old));
        }
    }
}

static void knows_numbers_that_were_passed_over(void **state)
{
    (void)state;
    struct stream_ids ids = {0};
    hf_grpc_ids_open(&ids, 5);
    hf_grpc_ids_open(&ids, 11);
    for (uint32_t id = 1; id <= 13; id += 2) {
        assert_int_equal(hf_grpc_ids_was_skipped(&ids, id), id != 5 && id < 11);
    }
    /* Far ahead, nothing old stays behind. */
    hf_grpc_ids_finish(&ids, 11);
    hf_grpc_ids_open(&ids, 11 + 2 * STREAM_IDS_KEPT);
    assert_false(hf_grpc_ids_is_finished(&ids, 11));
    assert_false(hf_grpc_ids_was_skipped(&ids, 11));
    assert_true(hf_grpc_ids_was_skipped(&ids, 13));
    hf_grpc_ids_open(&ids, INT32_MAX);
    assert_true(hf_grpc_ids_was_skipped(&ids, INT32_MAX - 2));
}

static void takes_only_numbers_of_clients(void **state)
{
    (void)state;
    struct stream_ids ids = {0};
    hf_grpc_ids_open(&ids, 3);
    hf_grpc_ids_finish(&ids, 2);
    hf_grpc_ids_finish(&ids, 5);
    assert_false(hf_grpc_ids_is_finished(&ids, 2));
    assert_false(hf_grpc_ids_is_finished(&ids, 5));
    assert_false(hf_grpc_ids_was_skipped(&ids, 2));
    assert_false(hf_grpc_ids_is_finished(&ids, 3));
}

static void finds_faults_however_the_bytes_are_cut(void **state)
{
    (void)state;
    static const uint8_t bytes[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" /* 24 */
                                   "\0\0\0\4\0\0\0\0\0"               /* 33: SETTINGS */
                                   "\0\0\1\1\4\0\0\0\5x"              /* 43: HEADERS */
                                   "\0\0\3\0\1\0\0\0\5abc"            /* 55: DATA, END_STREAM */
                                   "\0\0\4\10\0\0\0\0\5abcd"          /* 68: WINDOW_UPDATE */
                                   "\0\0\0\0\0\0\0\0\5"               /* DATA once more */
                                   "\0\0\0\4\0\0\0\0\0";
    for (size_t step = 1; step < sizeof(bytes); step++) {
        struct stream_ids ids = {0};
        struct stream_fault fault = {0};
        size_t at = 0;
        while (fault.code == 0) {
            assert_true(at + step <= sizeof(bytes) - 1 || at < sizeof(bytes) - 1);
            size_t left = sizeof(bytes) - 1 - at;
            size_t size = step < left ? step : left;
            size_t taken = hf_grpc_ids_walk(&ids, bytes + at, size, &fault);
            assert_int_equal(taken == size, fault.code == 0);
            at += taken;
        }
        assert_int_equal(fault.code, 5);
        assert_in_range(at, 68, 76);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(remembers_what_the_client_closed),
        cmocka_unit_test(knows_numbers_that_were_passed_over),
        cmocka_unit_test(finds_faults_however_the_bytes_are_cut),
        cmocka_unit_test(takes_only_numbers_of_clients),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
