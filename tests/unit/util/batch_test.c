/* A batch keeps its bytes as long as somebody holds it. */
#include <holdfast/batch.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h> /* needs the three before it */

static void holds_its_own_room_and_a_copy_of_the_meta(void **state)
{
    char meta[] = "meta";
    struct hf_batch *batch = hf_batch_new(HF_LOGS, 10, hf_slice_text(meta));
    (void)state;
    assert_non_null(batch);
    meta[0] = 'X';
    memcpy(hf_batch_room(batch), "0123456789", 10);
    hf_batch_seal(batch, 7, 3);
    assert_true(hf_slice_is(batch->wire, "0123456"));
    assert_true(hf_slice_is(batch->raw, "0123456"));
    assert_true(hf_slice_is(batch->meta, "meta"));
    assert_int_equal(batch->items, 3);
    assert_int_equal(batch->coding, HF_IDENTITY);
    assert_true(batch->received_ns > UINT64_C(1600000000000000000));
    hf_ref_take(&batch->ref);
    hf_ref_drop(&batch->ref);
    hf_ref_drop(&batch->ref);
}

struct counted {
    struct hf_ref ref;
    int *freed;
};

static void count_free(struct hf_ref *ref)
{
    (*HF_CONTAINER(ref, struct counted, ref)->freed)++;
}

static void wraps_bytes_that_their_owner_keeps(void **state)
{
    int freed = 0;
    struct counted owner = {.freed = &freed};
    (void)state;
    hf_ref_init(&owner.ref, count_free);
    struct hf_batch *batch =
        hf_batch_wrap(HF_TRACES, HF_GZIP, hf_slice_text("coded"), &owner.ref, hf_slice_text("m"));
    assert_non_null(batch);
    assert_int_equal(batch->raw.size, 0);
    assert_true(hf_slice_is(batch->wire, "coded"));
    hf_ref_drop(&owner.ref);
    assert_int_equal(freed, 0);
    hf_ref_drop(&batch->ref);
    assert_int_equal(freed, 1);
}

static void refuses_sizes_that_cannot_be(void **state)
{
    (void)state;
    assert_null(hf_batch_new(HF_TRACES, SIZE_MAX - 8, HF_EMPTY_SLICE));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(holds_its_own_room_and_a_copy_of_the_meta),
        cmocka_unit_test(wraps_bytes_that_their_owner_keeps),
        cmocka_unit_test(refuses_sizes_that_cannot_be),
    };
    return cmocka_run_group_tests_name("batch", tests, NULL, NULL);
}
