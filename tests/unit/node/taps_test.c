/* Those who look on get references, and what does not fit is counted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "node/taps.h"

static const struct hf_component receiver = {.type = "otlp", .kind = HF_RECEIVER};
static const struct hf_component exporter = {.type = "otlp", .kind = HF_EXPORTER};
static const struct hf_node in = {.id = "otlp", .component = &receiver};
static const struct hf_node out = {.id = "otlp", .component = &exporter};
static const struct hf_node other = {.id = "otlp/2", .component = &exporter};

static int setup(void **state)
{
    struct hf_host *host = calloc(1, sizeof(*host));
    *state = host;
    return host == NULL || hf_taps_new(host) != HF_OK;
}

static int teardown(void **state)
{
    hf_taps_free(*state);
    free(*state);
    return 0;
}

static struct hf_tap *open_tap(const struct hf_host *host, struct hf_tap_options options)
{
    struct hf_tap *tap = NULL;
    options.signals = options.signals != 0 ? options.signals : HF_ALL_SIGNALS;
    options.sample = options.sample != 0 ? options.sample : 1;
    assert_int_equal(hf_tap_open(host, &options, &tap), HF_OK);
    return tap;
}

static void offer(const struct hf_host *host, const struct hf_node *node, enum hf_signal signal,
                  size_t size)
{
    struct hf_batch *batch = hf_batch_new(signal, size, HF_EMPTY_SLICE);
    assert_non_null(batch);
    memset(hf_batch_room(batch), 0, size);
    hf_batch_seal(batch, size, 1);
    hf_taps_offer(host, node, batch);
    hf_ref_drop(&batch->ref);
}

/* How many are there; drops them. */
static size_t drain(struct hf_tap *tap)
{
    struct hf_tapped tapped;
    size_t count = 0;
    while (hf_tap_next(tap, 0, &tapped)) {
        hf_ref_drop(&tapped.batch->ref);
        count++;
    }
    return count;
}

static void lends_what_was_asked_for(void **state)
{
    const struct hf_host *host = *state;
    static const struct {
        struct hf_tap_options options;
        size_t wanted;
    } cases[] = {
        {{.kind = -1}, 2}, /* every receiver */
        {{.kind = -1, .component = "otlp"}, 4},
        {{.kind = HF_EXPORTER, .component = "otlp"}, 2},
        {{.kind = HF_EXPORTER}, 3},
        {{.kind = -1, .component = "otlp", .signals = HF_SIGNAL_BIT(HF_LOGS)}, 2},
        {{.kind = -1, .component = "otlp", .sample = 3}, 2},
        {{.kind = -1, .component = "none"}, 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct hf_tap *tap = open_tap(host, cases[i].options);
        assert_true(hf_taps_are_open(host));
        offer(host, &in, HF_LOGS, 10);
        offer(host, &in, HF_TRACES, 10);
        offer(host, &out, HF_LOGS, 10);
        offer(host, &out, HF_TRACES, 10);
        offer(host, &other, HF_METRICS, 10);
        assert_int_equal(drain(tap), cases[i].wanted);
        assert_int_equal(hf_tap_take_drops(tap), 0);
        hf_tap_close(tap);
        assert_false(hf_taps_are_open(host));
    }
}

static void counts_what_does_not_fit(void **state)
{
    const struct hf_host *host = *state;
    struct hf_tap *tap = open_tap(host, (struct hf_tap_options){.kind = -1});
    for (size_t i = 0; i < HF_TAP_BATCHES_MAX + 5; i++) {
        offer(host, &in, HF_LOGS, 10);
    }
    assert_int_equal(hf_tap_take_drops(tap), 5);
    assert_int_equal(hf_tap_take_drops(tap), 0);
    assert_int_equal(drain(tap), HF_TAP_BATCHES_MAX);
    offer(host, &in, HF_LOGS, HF_TAP_BYTES_MAX + 1); /* one always fits */
    offer(host, &in, HF_LOGS, 10);
    assert_int_equal(hf_tap_take_drops(tap), 1);
    hf_tap_close(tap); /* with one inside */
}

static void tells_whether_it_is_worth_making_a_batch(void **state)
{
    const struct hf_host *host = *state;
    assert_false(hf_taps_want(host, &out, HF_LOGS));
    struct hf_tap *tap = open_tap(host, (struct hf_tap_options){.kind = HF_EXPORTER});
    assert_true(hf_taps_want(host, &out, HF_LOGS));
    assert_false(hf_taps_want(host, &in, HF_LOGS));
    hf_tap_close(tap);
}

static void a_limited_number_is_open_at_once(void **state)
{
    const struct hf_host *host = *state;
    struct hf_tap *taps[HF_TAPS_MAX], *more = NULL;
    const struct hf_tap_options options = {.kind = -1, .signals = HF_ALL_SIGNALS, .sample = 1};
    for (size_t i = 0; i < HF_TAPS_MAX; i++) {
        taps[i] = open_tap(host, options);
    }
    assert_int_equal(hf_tap_open(host, &options, &more), HF_FULL);
    offer(host, &in, HF_LOGS, 10);
    assert_int_equal(drain(taps[3]), 1);
    hf_tap_close(taps[3]);
    taps[3] = open_tap(host, options);
    assert_int_equal(drain(taps[3]), 0);
    for (size_t i = 0; i < HF_TAPS_MAX; i++) {
        hf_tap_close(taps[i]);
    }
    assert_false(hf_taps_are_open(host));
}

int main(void)
{
#define WITH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        WITH(lends_what_was_asked_for),
        WITH(counts_what_does_not_fit),
        WITH(tells_whether_it_is_worth_making_a_batch),
        WITH(a_limited_number_is_open_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
