/* Pieces are apart, aligned and stay where they are; the limit holds; reset makes room again. */
#include "util/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h> /* needs the three before it */

static void pieces_stay_whole(void **state)
{
    enum { PIECES = 300 };
    struct hf_arena arena = {.limit = 1 << 20};
    uint8_t *pieces[PIECES];
    (void)state;
    for (size_t round = 0; round < 3; round++) {
        for (size_t i = 0; i < PIECES; i++) {
            pieces[i] = hf_arena_take(&arena, i * 10);
            assert_non_null(pieces[i]);
            assert_int_equal((uintptr_t)pieces[i] % 16, 0);
            memset(pieces[i], (int)(i & 0xff), i * 10);
        }
        for (size_t i = 0; i < PIECES; i++) {
            for (size_t k = 0; k < i * 10; k++) {
                assert_int_equal(pieces[i][k], i & 0xff);
            }
        }
        hf_arena_reset(&arena);
    }
    hf_arena_release(&arena);
    hf_arena_release(&arena); /* again: nothing left to do */
}

static void never_passes_its_limit(void **state)
{
    struct hf_arena arena = {.limit = 10000};
    size_t taken = 0;
    (void)state;
    assert_null(hf_arena_take(&arena, 10001));
    assert_null(hf_arena_take(&arena, SIZE_MAX));
    while (hf_arena_take(&arena, 1000) != NULL) {
        taken += 1000;
        assert_true(taken <= 10000);
    }
    assert_true(taken >= 8000);
    assert_true(arena.size <= arena.limit);
    hf_arena_reset(&arena);
    assert_non_null(hf_arena_take(&arena, 1000));
    hf_arena_release(&arena);

    struct hf_arena none = {.limit = 0};
    assert_null(hf_arena_take(&none, 1));
}

static void rewinding_keeps_the_blocks(void **state)
{
    struct hf_arena arena = {.limit = 1 << 20};
    size_t size = 0;
    (void)state;
    for (size_t round = 0; round < 5; round++) {
        for (size_t i = 0; i < 200; i++) {
            uint8_t *piece = hf_arena_take(&arena, 1000);
            assert_non_null(piece);
            memset(piece, (int)round, 1000);
        }
        assert_true(round == 0 || arena.size == size);
        size = arena.size;
        hf_arena_rewind(&arena, size);
        assert_int_equal(arena.size, size);
    }
    assert_non_null(hf_arena_take(&arena, 500000)); /* larger than any spare block */
    hf_arena_rewind(&arena, size);                  /* too much to keep */
    assert_int_equal(arena.size, 0);
    assert_non_null(hf_arena_take(&arena, 1000));
    hf_arena_rewind(&arena, size);
    hf_arena_release(&arena);
}

static void the_end_of_the_last_piece_is_given_back(void **state)
{
    struct hf_arena arena = {.limit = 1 << 20};
    (void)state;
    uint8_t *piece = hf_arena_take(&arena, 1000);
    assert_non_null(piece);
    hf_arena_trim(&arena, piece, 100);
    uint8_t *next = hf_arena_take(&arena, 10);
    assert_ptr_equal(next, piece + 112); /* aligned */
    hf_arena_trim(&arena, next, 0);
    assert_ptr_equal(hf_arena_take(&arena, 10), next);
    hf_arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_stay_whole),
        cmocka_unit_test(never_passes_its_limit),
        cmocka_unit_test(rewinding_keeps_the_blocks),
        cmocka_unit_test(the_end_of_the_last_piece_is_given_back),
    };
    return cmocka_run_group_tests_name("arena", tests, NULL, NULL);
}
