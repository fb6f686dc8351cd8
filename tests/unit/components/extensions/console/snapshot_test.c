/* The tree of a status, and the rates of its numbers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "components/extensions/console/snapshot.h"

static struct hf_console_snapshot *take(const char *text, const struct hf_console_sample *before,
                                        struct hf_console_sample *sample)
{
    struct hf_console_snapshot *snapshot = NULL;
    char *copy = strdup(text);
    assert_int_equal(hf_console_snapshot_new(copy, strlen(text), before, sample, &snapshot), HF_OK);
    return snapshot;
}

static const struct hf_json *items_of(const struct hf_console_snapshot *snapshot, const char *id)
{
    const struct hf_json *at = hf_json_first(hf_json_get(snapshot->root, "queues"));
    while (at != NULL && !hf_slice_is(hf_json_text_of(at, "id"), id)) {
        at = at->next;
    }
    return hf_json_get(at, "items");
}

static void finds_numbers_by_what_they_belong_to(void **state)
{
    struct hf_console_sample first = {0}, second = {0};
    double rate = -1;
    (void)state;
    struct hf_console_snapshot *one =
        take("{\"queues\":[{\"id\":\"a\",\"items\":10},{\"id\":\"b\",\"items\":5}]}", NULL, &first);
    assert_false(hf_console_rate(one, items_of(one, "a"), &rate));
    first.taken_ns = one->taken_ns - 2000000000; /* as if it were two seconds old */
    struct hf_console_snapshot *two =
        take("{\"queues\":[{\"id\":\"c\",\"items\":1},{\"id\":\"b\",\"items\":3},"
             "{\"id\":\"a\",\"items\":50}]}",
             &first, &second);
    assert_true(hf_console_rate(two, items_of(two, "a"), &rate));
    assert_true(rate > 18 && rate <= 20);
    assert_true(hf_console_rate(two, items_of(two, "b"), &rate)); /* it shrank */
    assert_true(rate >= 0 && rate <= 0);
    assert_false(hf_console_rate(two, items_of(two, "c"), &rate)); /* it is new */
    assert_false(hf_console_rate(two, NULL, &rate));
    hf_ref_drop(&one->ref);
    hf_ref_drop(&two->ref);
    hf_console_sample_release(&first);
    hf_console_sample_release(&second);
}

static void refuses_what_is_no_tree(void **state)
{
    static const char *const texts[] = {"", "{", "[1,", "nothing"};
    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct hf_console_snapshot *snapshot = NULL;
        struct hf_console_sample sample;
        assert_int_not_equal(
            hf_console_snapshot_new(strdup(texts[i]), strlen(texts[i]), NULL, &sample, &snapshot),
            HF_OK);
        assert_null(snapshot);
        assert_int_equal(sample.count, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_numbers_by_what_they_belong_to),
        cmocka_unit_test(refuses_what_is_no_tree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
