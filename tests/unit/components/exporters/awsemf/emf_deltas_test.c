/* What cumulative values rose by, and what is remembered of requests that fail. */
#include "components/exporters/awsemf/emf_deltas.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h> /* needs those before it */

#define S UINT64_C(1000000000)

static char directory[] = "/tmp/emf_deltas_XXXXXX";
static char path[64];

static int make_directory(void **state)
{
    (void)state;
    return mkdtemp(directory) == NULL || snprintf(path, sizeof(path), "%s/a.state", directory) < 0;
}

static int remove_directory(void **state)
{
    (void)state;
    (void)unlink(path);
    return rmdir(directory);
}

static struct emf_deltas opened(const char *at)
{
    struct emf_deltas deltas = {0};
    const struct hf_state_options options = {.path = at,
                                             .format = EMF_STATE_FORMAT,
                                             .keys_max = EMF_SERIES_MAX,
                                             .bytes_max = EMF_STATE_BYTES_MAX};
    uint64_t lost = 0;
    assert_int_equal(hf_state_new(&options, &deltas.state), HF_OK);
    assert_int_equal(hf_state_load(deltas.state, &lost), HF_OK);
    assert_int_equal(lost, 0);
    return deltas;
}

static const struct hf_hash key = {1, 2};

static enum emf_delta take(struct emf_deltas *deltas, uint32_t item, uint64_t time_ns, double sum,
                           uint64_t count, struct emf_value *ret_value)
{
    *ret_value = (struct emf_value){sum, count};
    return emf_deltas_take(deltas, key, item, time_ns, S, ret_value);
}

static bool none_is_again(void *user, uint32_t item)
{
    (void)user;
    (void)item;
    return false;
}

static bool is_again_from(void *user, uint32_t item)
{
    return item >= *(const uint32_t *)user;
}

static void values_rise_and_are_reset(void **state)
{
    struct emf_deltas deltas = opened(NULL);
    struct emf_value value;
    (void)state;
    assert_int_equal(take(&deltas, 0, 1 * S, 10, 0, &value), EMF_DELTA_FIRST);
    assert_true(value.sum == 10);
    assert_int_equal(take(&deltas, 1, 2 * S, 15, 0, &value), EMF_DELTA_FOUND);
    assert_true(value.sum == 5);
    assert_int_equal(take(&deltas, 2, 2 * S, 20, 0, &value), EMF_DELTA_OLD);
    assert_int_equal(take(&deltas, 2, 1 * S, 20, 0, &value), EMF_DELTA_OLD);
    assert_int_equal(take(&deltas, 2, 3 * S, 4, 0, &value), EMF_DELTA_FOUND);
    assert_true(value.sum == 4);
    assert_int_equal(take(&deltas, 3, 0, 6, 0, &value), EMF_DELTA_FOUND); /* it has no time */
    assert_true(value.sum == 2);
    emf_deltas_release(&deltas);
}

static void counts_of_summaries_are_reset_too(void **state)
{
    struct emf_deltas deltas = opened(NULL);
    struct emf_value value;
    (void)state;
    assert_int_equal(take(&deltas, 0, 1 * S, 10, 4, &value), EMF_DELTA_FIRST);
    assert_int_equal(take(&deltas, 1, 2 * S, 9, 6, &value), EMF_DELTA_FOUND);
    assert_true(value.sum == -1 && value.count == 2);
    assert_int_equal(take(&deltas, 2, 3 * S, 12, 3, &value), EMF_DELTA_FOUND);
    assert_true(value.sum == 12 && value.count == 3);
    emf_deltas_release(&deltas);
}

static void a_request_that_fails_leaves_nothing_behind(void **state)
{
    struct emf_deltas deltas = opened(NULL);
    struct emf_value value;
    (void)state;
    assert_int_equal(take(&deltas, 0, 1 * S, 10, 0, &value), EMF_DELTA_FIRST);
    assert_int_equal(emf_deltas_commit(&deltas, none_is_again, NULL), HF_OK);
    assert_int_equal(take(&deltas, 0, 2 * S, 15, 0, &value), EMF_DELTA_FOUND);
    emf_deltas_discard(&deltas);
    assert_int_equal(take(&deltas, 0, 2 * S, 15, 0, &value), EMF_DELTA_FOUND);
    assert_true(value.sum == 5);
    emf_deltas_release(&deltas);
}

static void only_what_is_delivered_counts(void **state)
{
    struct emf_deltas deltas = opened(NULL);
    struct emf_value value;
    uint32_t first_again = 2;
    (void)state;
    assert_int_equal(take(&deltas, 0, 1 * S, 10, 0, &value), EMF_DELTA_FIRST);
    assert_int_equal(take(&deltas, 1, 2 * S, 11, 0, &value), EMF_DELTA_FOUND);
    assert_int_equal(take(&deltas, 2, 3 * S, 20, 0, &value), EMF_DELTA_FOUND);
    assert_int_equal(emf_deltas_commit(&deltas, is_again_from, &first_again), HF_OK);
    assert_int_equal(take(&deltas, 0, 3 * S, 20, 0, &value), EMF_DELTA_FOUND);
    assert_true(value.sum == 9);
    emf_deltas_release(&deltas);
}

static void what_was_committed_is_there_after_a_kill(void **state)
{
    struct emf_deltas deltas = opened(path);
    struct emf_value value;
    (void)state;
    assert_int_equal(take(&deltas, 0, 1 * S, 10, 0, &value), EMF_DELTA_FIRST);
    assert_int_equal(emf_deltas_commit(&deltas, none_is_again, NULL), HF_OK);
    assert_int_equal(take(&deltas, 0, 2 * S, 30, 0, &value), EMF_DELTA_FOUND);
    emf_deltas_release(&deltas); /* without a commit */
    deltas = opened(path);
    assert_int_equal(take(&deltas, 0, 2 * S, 30, 0, &value), EMF_DELTA_FOUND);
    assert_true(value.sum == 20);
    emf_deltas_release(&deltas);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_rise_and_are_reset),
        cmocka_unit_test(counts_of_summaries_are_reset_too),
        cmocka_unit_test(a_request_that_fails_leaves_nothing_behind),
        cmocka_unit_test(only_what_is_delivered_counts),
        cmocka_unit_test(what_was_committed_is_there_after_a_kill),
    };
    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
