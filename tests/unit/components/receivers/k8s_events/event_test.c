#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "components/receivers/k8s_events/event.h"

static void times_are_read(void **state)
{
    static const struct {
        const char *text;
        uint64_t ns;
    } rows[] = {
        {"1970-01-01T00:00:01Z", UINT64_C(1000000000)},
        {"2024-02-29T12:34:56Z", UINT64_C(1709210096000000000)},
        {"2024-02-29T12:34:56.123456Z", UINT64_C(1709210096123456000)},
        {"2024-02-29T14:34:56+02:00", UINT64_C(1709210096000000000)},
        {"2000-12-31T23:59:59.5Z", UINT64_C(978307199500000000)},
    };
    static const char *const bad[] = {
        "",
        "2024-02-29",
        "2024-13-01T00:00:00Z",
        "2024-02-29T12:34:56",
        "2024-02-29T12:34:56+2:00",
        "aaaa-02-29T12:34:56Z",
        "2024-02-29T12:34:56Zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz"};
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint64_t ns = 0;
        assert_true(k8s_event_parse_time(hf_slice_text(rows[i].text), &ns));
        assert_int_equal(ns, rows[i].ns);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        uint64_t ns;
        assert_false(k8s_event_parse_time(hf_slice_text(bad[i]), &ns));
    }
}

static void the_first_time_that_is_there_counts(void **state)
{
    static const struct {
        const char *event;
        uint64_t ns;
    } rows[] = {
        {"{\"eventTime\": \"1970-01-01T00:00:01Z\", \"lastTimestamp\": \"1970-01-01T00:00:02Z\"}",
         UINT64_C(1000000000)},
        {"{\"eventTime\": null, \"lastTimestamp\": \"1970-01-01T00:00:02Z\"}",
         UINT64_C(2000000000)},
        {"{\"lastTimestamp\": null, \"firstTimestamp\": \"1970-01-01T00:00:03Z\"}",
         UINT64_C(3000000000)},
        {"{}", 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct hf_arena arena = {.limit = 1 << 16};
        const struct hf_json *event;
        char error[HF_JSON_ERROR_MAX];
        assert_int_equal(hf_json_read(hf_slice_text(rows[i].event), &arena, &event, error), HF_OK);
        assert_int_equal(k8s_event_time(event), rows[i].ns);
        hf_arena_release(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_are_read),
        cmocka_unit_test(the_first_time_that_is_there_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
