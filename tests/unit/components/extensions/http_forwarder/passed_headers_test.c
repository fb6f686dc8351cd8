/* Which headers a proxy passes on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "components/extensions/http_forwarder/passed_headers.h"

/* Each line is looked at, then taken; what passes is "name=value;" of each. */
static void assert_passes(const char *const lines[][2], const char *expected)
{
    struct hf_passed_headers passed = {0};
    struct hf_http_answer_header header;
    char text[1024] = "";
    size_t at = 0;
    for (size_t i = 0; lines[i][0] != NULL; i++) {
        hf_passed_headers_look(&passed, hf_slice_text(lines[i][0]), hf_slice_text(lines[i][1]));
    }
    for (size_t i = 0; lines[i][0] != NULL; i++) {
        hf_passed_headers_take(&passed, hf_slice_text(lines[i][0]), hf_slice_text(lines[i][1]));
    }
    assert_int_equal(passed.status, HF_OK);
    while (hf_passed_headers_next(&passed, &at, &header)) {
        size_t used = strlen(text);
        snprintf(text + used, sizeof(text) - used, "%s=%s;", header.name, header.value);
    }
    assert_string_equal(text, expected);
    hf_passed_headers_release(&passed);
}

static void those_of_one_hop_stay_behind(void **state)
{
    (void)state;
    assert_passes((const char *const[][2]){{"Connection", "close"},
                                           {"Content-Length", "3"},
                                           {"Keep-Alive", "timeout=5"},
                                           {"Proxy-Authenticate", "Basic"},
                                           {"Proxy-Authorization", "Basic YQ=="},
                                           {"Proxy-Connection", "close"},
                                           {"TE", "trailers"},
                                           {"Trailer", "X-Sum"},
                                           {"Transfer-Encoding", "chunked"},
                                           {"Upgrade", "h2c"},
                                           {"X-Word", "a, b"},
                                           {NULL, NULL}},
                  "x-word=a, b;");
}

static void what_connection_names_stays_behind(void **state)
{
    (void)state;
    assert_passes((const char *const[][2]){{"X-One", "1"},
                                           {"X-Two", "2"},
                                           {"x-three", "3"},
                                           {"Connection", "close, x-one"},
                                           {"connection", "X-THREE"},
                                           {"X-On", "4"},
                                           {NULL, NULL}},
                  "x-two=2;x-on=4;");
}

static void repeated_and_empty_ones_pass_in_their_order(void **state)
{
    (void)state;
    assert_passes(
        (const char *const[][2]){
            {"Set-Cookie", "a=b"}, {"ETag", ""}, {"Set-Cookie", "c=d"}, {NULL, NULL}},
        "set-cookie=a=b;etag=;set-cookie=c=d;");
}

static void more_than_the_limit_is_told(void **state)
{
    static uint8_t large[HF_PASSED_BYTES_MAX];
    struct hf_passed_headers passed = {0};
    (void)state;
    memset(large, 'a', sizeof(large));
    hf_passed_headers_take(&passed, hf_slice_text("a"), hf_slice_text("b"));
    hf_passed_headers_take(&passed, hf_slice_text("c"), hf_slice_of(large, sizeof(large)));
    assert_int_equal(passed.status, HF_TOO_LARGE);
    assert_int_equal(passed.count, 1);
    assert_int_equal(passed.text.size, 4);
    hf_passed_headers_release(&passed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(those_of_one_hop_stay_behind),
        cmocka_unit_test(what_connection_names_stays_behind),
        cmocka_unit_test(repeated_and_empty_ones_pass_in_their_order),
        cmocka_unit_test(more_than_the_limit_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
