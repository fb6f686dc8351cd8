/* Frames are read as far as they are whole, and what is behind them costs no memory. */
#include "support/state/frames.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h> /* needs the four before it */

static void put_frame(FILE *file, const char *first, const char *second)
{
    uint8_t head[HF_FRAME_HEAD_BYTES];
    hf_frame_head(head, hf_slice_text(first), hf_slice_text(second));
    assert_int_equal(fwrite(head, sizeof(head), 1, file), 1);
    fputs(first, file);
    fputs(second, file);
}

/* The two frames of the file are read, and nothing behind them. */
static void check_frames(FILE *file)
{
    struct hf_bytes frame = {0};
    rewind(file);
    assert_int_equal(hf_frame_next(file, &frame), HF_OK);
    assert_true(hf_slice_is(hf_slice_of(frame.data, frame.size), "one"));
    assert_int_equal(hf_frame_next(file, &frame), HF_OK);
    assert_true(hf_slice_is(hf_slice_of(frame.data, frame.size), "two"));
    long end = ftell(file);
    assert_int_equal(hf_frame_next(file, &frame), HF_NOT_FOUND);
    assert_int_equal(ftell(file), end);
    assert_true(frame.capacity < 4096);
    hf_bytes_release(&frame);
}

static void what_is_behind_the_last_whole_frame_is_none(void **state)
{
    (void)state;
    static const uint8_t tails[][16] = {
        {0},                      /* zeros, as after a power cut */
        {0, 0, 0, 1},             /* a size that the file does not have */
        {255, 255, 255, 255},     /* one that none has */
        {4, 0, 0, 0, 1, 2, 3, 4}, /* another checksum */
    };
    static const size_t sizes[] = {0, 1, 8, 16};
    for (size_t i = 0; i < sizeof(tails) / sizeof(tails[0]); i++) {
        for (size_t k = 0; k < sizeof(sizes) / sizeof(sizes[0]); k++) {
            FILE *file = tmpfile();
            put_frame(file, "one", "");
            put_frame(file, "t", "wo");
            assert_int_equal(fwrite(tails[i], 1, sizes[k], file), sizes[k]);
            check_frames(file);
            fclose(file);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_behind_the_last_whole_frame_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
