#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "util/log/log_ring.h"

struct seen {
    size_t count;
    uint64_t first, last;
    char message[HF_LOG_RING_TEXT_MAX + 8], fields[HF_LOG_RING_TEXT_MAX + 8];
};

static void see(void *user, const struct hf_log_ring_line *line)
{
    struct seen *seen = user;
    seen->first = seen->count++ == 0 ? line->sequence : seen->first;
    seen->last = line->sequence;
    snprintf(seen->message, sizeof(seen->message), "%s", line->message);
    snprintf(seen->fields, sizeof(seen->fields), "%s", line->fields);
}

static struct seen look(const struct hf_log_ring *ring, uint64_t since, const char *component)
{
    struct seen seen = {.count = 0};
    hf_log_ring_each(ring, since, component, see, &seen);
    return seen;
}

static int setup(void **state)
{
    *state = calloc(1, sizeof(struct hf_log_ring));
    return *state == NULL;
}

static int teardown(void **state)
{
    hf_log_ring_release(*state);
    free(*state);
    return 0;
}

static void gives_what_came_since(void **state)
{
    struct hf_log_ring *ring = *state;
    assert_int_equal(look(ring, 0, NULL).count, 0);
    hf_log_ring_add(ring, HF_LOG_INFO, "otlp", "one", "");
    hf_log_ring_add(ring, HF_LOG_WARN, "debug", "two", "\"a\":1");
    struct seen seen = look(ring, 0, NULL);
    assert_int_equal(seen.count, 2);
    assert_int_equal(seen.first, 1);
    assert_string_equal(seen.message, "two");
    assert_string_equal(seen.fields, "{\"a\":1}");
    assert_int_equal(look(ring, 1, NULL).count, 1);
    assert_int_equal(look(ring, 2, NULL).count, 0);
    assert_int_equal(look(ring, 99, NULL).count, 0);
    seen = look(ring, 0, "otlp");
    assert_int_equal(seen.count, 1);
    assert_string_equal(seen.message, "one");
    assert_string_equal(seen.fields, "{}");
}

static void forgets_the_oldest(void **state)
{
    struct hf_log_ring *ring = *state;
    for (unsigned i = 0; i < HF_LOG_RING_LINES + 5; i++) {
        hf_log_ring_add(ring, HF_LOG_INFO, "otlp", "again", "");
    }
    const struct seen seen = look(ring, 0, NULL);
    assert_int_equal(seen.count, HF_LOG_RING_LINES);
    assert_int_equal(seen.first, 6);
    assert_int_equal(seen.last, HF_LOG_RING_LINES + 5);
}

static void cuts_long_messages_and_leaves_out_long_fields(void **state)
{
    struct hf_log_ring *ring = *state;
    char text[HF_LOG_RING_TEXT_MAX + 2];
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    hf_log_ring_add(ring, HF_LOG_INFO, "otlp", text, text);
    const struct seen seen = look(ring, 0, NULL);
    assert_int_equal(strlen(seen.message), HF_LOG_RING_TEXT_MAX);
    assert_string_equal(seen.fields, "{}");
}

int main(void)
{
#define WITH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        WITH(gives_what_came_since),
        WITH(forgets_the_oldest),
        WITH(cuts_long_messages_and_leaves_out_long_fields),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
