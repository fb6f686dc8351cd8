/* Which records have what is asked for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <string.h>

#include <cmocka.h>

#include "components/extensions/console/match.h"

static const char record[] =
    "{\"resourceSpans\":[{\"resource\":{\"attributes\":["
    "{\"key\":\"service.name\",\"value\":{\"stringValue\":\"cart\"}}]},"
    "\"scopeSpans\":[{\"spans\":[{\"traceId\":\"00112233445566778899aabbccddeeff\",\"name\":\"x\","
    "\"attributes\":[{\"key\":\"n\",\"value\":{\"intValue\":\"7\"}},"
    "{\"key\":\"b\",\"value\":{\"boolValue\":true}},{\"key\":\"d\",\"value\":{\"doubleValue\":1.5}}"
    ","
    "{\"key\":\"l\",\"value\":{\"arrayValue\":{}}}]}]}]}]}";

static void finds_traces_services_and_attributes(void **state)
{
    static const struct {
        struct hf_console_filter filter;
        bool matches;
    } rows[] = {
        {{0}, true},
        {{.trace = "00112233445566778899AABBCCDDEEFF"}, true},
        {{.trace = "00112233445566778899aabbccddee00"}, false},
        {{.trace = ""}, false},
        {{.service = "cart"}, true},
        {{.service = "car"}, false},
        {{.key = "n"}, true},
        {{.key = "n", .value = "7"}, true},
        {{.key = "n", .value = "8"}, false},
        {{.key = "b", .value = "true"}, true},
        {{.key = "d", .value = "1.5"}, true},
        {{.key = "l", .value = "[\xe2\x80\xa6]"}, true},
        {{.key = "none"}, false},
        {{.service = "cart", .key = "n", .value = "8"}, false},
        {{.trace = "00112233445566778899aabbccddeeff", .service = "cart", .key = "b"}, true}};
    struct hf_arena arena = {.limit = 1 << 20};
    const struct hf_json *tree = NULL;
    char error[HF_JSON_ERROR_MAX];
    (void)state;
    assert_int_equal(hf_json_read(hf_slice_text(record), &arena, &tree, error), HF_OK);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (hf_console_matches(&rows[i].filter, tree) != rows[i].matches) {
            fail_msg("row %zu", i);
        }
        assert_int_equal(hf_console_filter_is_set(&rows[i].filter), i != 0);
    }
    hf_arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(finds_traces_services_and_attributes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
