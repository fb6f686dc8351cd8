/* A token that is fetched by a thread: kept, renewed when refused, and gone at its end. */
#include "support/tokens/token_keeper.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h> /* needs the three before it */

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "util/time/clock.h"

struct source {
    _Atomic int asked, failed;
    enum hf_status status;
    struct hf_token token;
};

static enum hf_status fetch(void *user, struct hf_token *ret_token, char *reterr)
{
    struct source *source = user;
    int number = atomic_fetch_add(&source->asked, 1) + 1;
    if (source->status != HF_OK) {
        snprintf(reterr, 512, "it is not there");
        return source->status;
    }
    *ret_token = source->token;
    snprintf(ret_token->header, sizeof(ret_token->header), "Bearer %d", number);
    return HF_OK;
}

static void wake(void *user)
{
    (void)user;
}

static void on_failed(void *user, const char *why)
{
    struct source *source = user;
    assert_string_equal(why, "it is not there");
    atomic_fetch_add(&source->failed, 1);
}

static struct hf_token_keeper *keeper_of(struct source *source)
{
    const struct hf_token_keeper_options options = {
        .fetch = fetch, .wake = wake, .on_failed = on_failed, .buffer_ns = 0, .user = source};
    struct hf_token_keeper *keeper = NULL;
    assert_int_equal(hf_token_keeper_new(&options, &keeper), HF_OK);
    return keeper;
}

static struct hf_slice last_name, last_value;
static char last_text[64];

static enum hf_status add(struct hf_header_sink *sink, struct hf_slice name, struct hf_slice value)
{
    (void)sink;
    last_name = name;
    snprintf(last_text, sizeof(last_text), "%.*s", (int)value.size, (const char *)value.data);
    last_value = hf_slice_text(last_text);
    return HF_OK;
}

static void the_token_is_there_after_the_start(void **state)
{
    static struct source source;
    struct hf_header_sink sink = {.add = add};
    char error[512], header[HF_TOKEN_MAX];
    (void)state;
    struct hf_token_keeper *keeper = keeper_of(&source);
    assert_false(hf_token_keeper_copy(keeper, header));
    assert_int_equal(hf_token_keeper_add(keeper, "authorization", &sink), HF_UNAUTHENTICATED);
    assert_int_equal(hf_token_keeper_start(keeper, error), HF_OK);
    hf_token_keeper_wait(keeper, hf_clock_monotonic_ns() + HF_TOKEN_START_WAIT_NS);
    assert_int_equal(hf_token_keeper_add(keeper, "authorization", &sink), HF_OK);
    assert_true(hf_slice_is(last_name, "authorization"));
    assert_true(hf_slice_is(last_value, "Bearer 1"));
    hf_token_keeper_stop(keeper);
    assert_true(hf_token_keeper_copy(keeper, header)); /* for what is still in flight */
    hf_token_keeper_free(keeper);
}

static void a_failure_is_told_and_leaves_no_token(void **state)
{
    static struct source source = {.status = HF_AGAIN};
    char error[512], header[HF_TOKEN_MAX];
    (void)state;
    struct hf_token_keeper *keeper = keeper_of(&source);
    hf_token_keeper_explain(keeper, error, sizeof(error));
    assert_string_equal(error, "");
    assert_int_equal(hf_token_keeper_start(keeper, error), HF_OK);
    hf_token_keeper_wait(keeper, hf_clock_monotonic_ns() + HF_TOKEN_START_WAIT_NS);
    assert_false(hf_token_keeper_copy(keeper, header));
    hf_token_keeper_stop(keeper);
    hf_token_keeper_stop(keeper); /* once more is nothing */
    assert_true(atomic_load(&source.failed) >= 1);
    hf_token_keeper_explain(keeper, error, sizeof("it is not"));
    assert_string_equal(error, "it is not"); /* cut */
    hf_token_keeper_free(keeper);
}

static void a_token_ends(void **state)
{
    static struct source source = {.token = {.has_end = true, .life_ns = 1}};
    char error[512], header[HF_TOKEN_MAX];
    (void)state;
    struct hf_token_keeper *keeper = keeper_of(&source);
    assert_int_equal(hf_token_keeper_start(keeper, error), HF_OK);
    hf_token_keeper_wait(keeper, hf_clock_monotonic_ns() + HF_TOKEN_START_WAIT_NS);
    hf_token_keeper_stop(keeper);
    assert_false(hf_token_keeper_copy(keeper, header));
    hf_token_keeper_free(keeper);
    hf_token_keeper_free(NULL);
}

static void refusals_have_it_renewed_once(void **state)
{
    static struct source source;
    char error[512], header[HF_TOKEN_MAX];
    (void)state;
    struct hf_token_keeper *keeper = keeper_of(&source);
    hf_token_keeper_refused(keeper); /* of what was never there */
    assert_int_equal(hf_token_keeper_start(keeper, error), HF_OK);
    hf_token_keeper_wait(keeper, hf_clock_monotonic_ns() + HF_TOKEN_START_WAIT_NS);
    for (int i = 0; i < 5; i++) {
        hf_token_keeper_refused(keeper);
    }
    do {
        assert_true(hf_token_keeper_copy(keeper, header));
    } while (strcmp(header, "Bearer 2") != 0);
    for (int i = 0; i < 5; i++) {
        hf_token_keeper_refused(keeper);
    }
    hf_token_keeper_stop(keeper);
    assert_int_equal(atomic_load(&source.asked), 2);
    hf_token_keeper_free(keeper);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_token_is_there_after_the_start),
        cmocka_unit_test(a_failure_is_told_and_leaves_no_token),
        cmocka_unit_test(a_token_ends),
        cmocka_unit_test(refusals_have_it_renewed_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
