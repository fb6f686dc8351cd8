/* What is gathered comes out in order, whatever is written at a time and whoever leaves early. */
#include <grpc/outbox.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h> /* needs those before it */

/* Takes `size` bytes from the front, as a socket would. */
static void drain(struct hf_grpc_outbox *outbox, size_t size, uint8_t *ret_bytes)
{
    size_t at = 0;
    for (int i = outbox->first; i < outbox->count && at < size; i++) {
        size_t taken =
            outbox->pieces[i].iov_len < size - at ? outbox->pieces[i].iov_len : size - at;
        memcpy(ret_bytes + at, outbox->pieces[i].iov_base, taken);
        at += taken;
    }
    assert_int_equal(at, size);
    hf_grpc_outbox_advance(outbox, size);
}

static struct hf_grpc_outbox *new_outbox(size_t flush_bytes)
{
    struct hf_grpc_outbox *outbox = malloc(sizeof(*outbox));
    assert_non_null(outbox);
    hf_grpc_outbox_init(outbox, flush_bytes);
    return outbox;
}

static void gives_out_what_came_in_at_every_step(void **state)
{
    (void)state;
    for (size_t step = 1; step < 30; step++) {
        struct hf_grpc_outbox *outbox = new_outbox(1000);
        int owner;
        uint8_t got[64] = {0};
        hf_grpc_outbox_copy(outbox, hf_slice_text("head"));
        hf_grpc_outbox_copy(outbox, hf_slice_text("er|"));
        assert_int_equal(outbox->count, 1); /* copies side by side are one piece */
        hf_grpc_outbox_lend(outbox, &owner, hf_slice_text("a lent body|"));
        hf_grpc_outbox_lend(outbox, &owner, HF_EMPTY_SLICE);
        hf_grpc_outbox_copy(outbox, hf_slice_text("end"));
        assert_int_equal(outbox->bytes, 22);
        for (size_t at = 0; at < 22; at += step) {
            drain(outbox, step < 22 - at ? step : 22 - at, got + at);
        }
        assert_string_equal((const char *)got, "header|a lent body|end");
        assert_true(hf_grpc_outbox_is_empty(outbox));
        assert_int_equal(outbox->count, 0);
        hf_grpc_outbox_release(outbox);
        free(outbox);
    }
}

static void keeps_the_bytes_of_owners_that_leave(void **state)
{
    (void)state;
    for (size_t written = 0; written < 17; written++) {
        struct hf_grpc_outbox *outbox = new_outbox(1000);
        char first[] = "first", second[] = "second", third[] = "third";
        uint8_t got[32] = {0};
        hf_grpc_outbox_lend(outbox, first, hf_slice_text(first));
        hf_grpc_outbox_lend(outbox, second, hf_slice_text(second));
        hf_grpc_outbox_lend(outbox, first, hf_slice_text(third));
        drain(outbox, written, got);
        assert_true(hf_grpc_outbox_rescue(outbox, first));
        memset(first, '-', 5);
        memset(third, '-', 5);
        assert_true(hf_grpc_outbox_rescue(outbox, second));
        memset(second, '-', 6);
        drain(outbox, 16 - (written < 16 ? written : 16), got + written);
        assert_string_equal((const char *)got, "firstsecondthird");
        hf_grpc_outbox_release(outbox);
        free(outbox);
        if (written == 16) {
            break;
        }
    }
}

static void is_full_before_any_of_its_limits(void **state)
{
    (void)state;
    int owner;
    struct hf_grpc_outbox *outbox = new_outbox(100);
    uint8_t bytes[100] = {0};
    hf_grpc_outbox_lend(outbox, &owner, hf_slice_of(bytes, 99));
    assert_false(hf_grpc_outbox_is_full(outbox));
    hf_grpc_outbox_copy(outbox, hf_slice_of(bytes, 1));
    assert_true(hf_grpc_outbox_is_full(outbox));
    hf_grpc_outbox_release(outbox);

    outbox->flush_bytes = 1u << 30;
    int pieces = 0;
    while (!hf_grpc_outbox_is_full(outbox)) {
        hf_grpc_outbox_lend(outbox, &owner, hf_slice_of(bytes, 1));
        pieces++;
    }
    assert_true(pieces + HF_GRPC_OUTBOX_FRAME_PIECES <= HF_GRPC_OUTBOX_PIECES);
    hf_grpc_outbox_release(outbox);

    while (!hf_grpc_outbox_is_full(outbox)) {
        hf_grpc_outbox_copy(outbox, hf_slice_of(bytes, 100));
    }
    assert_true(outbox->copied + HF_GRPC_OUTBOX_COPY_MAX > HF_GRPC_OUTBOX_COPIES);
    hf_grpc_outbox_release(outbox);
    free(outbox);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_out_what_came_in_at_every_step),
        cmocka_unit_test(keeps_the_bytes_of_owners_that_leave),
        cmocka_unit_test(is_full_before_any_of_its_limits),
    };
    return cmocka_run_group_tests_name("outbox", tests, NULL, NULL);
}
