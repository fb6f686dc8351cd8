/* What went wrong is said in the same words each time. */
#include "http/client_internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h> /* needs those before it */

static void times_are_left_out(void **state)
{
    static const struct {
        const char *said, *kept;
    } rows[] = {
        {"Failed to connect to h port 1 after 12 ms: no", "Failed to connect to h port 1: no"},
        {"Connection timeout after 3001 ms", "Connection timeout"},
        {"Operation timed out after 50 milliseconds with 0 bytes received",
         "Operation timed out with 0 bytes received"},
        {"closed after 12 bytes", "closed after 12 bytes"},
        {"failed after ", "failed after "},
        {"no time in it", "no time in it"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct http_transfer transfer = {.client = NULL};
        snprintf(transfer.error, sizeof(transfer.error), "%s", rows[i].said);
        assert_string_equal(hf_http_transfer_error(&transfer, CURLE_COULDNT_CONNECT), rows[i].kept);
    }
}

static void no_words_are_those_of_the_code(void **state)
{
    struct http_transfer transfer = {.client = NULL};
    (void)state;
    assert_string_equal(hf_http_transfer_error(&transfer, CURLE_COULDNT_CONNECT),
                        curl_easy_strerror(CURLE_COULDNT_CONNECT));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_are_left_out),
        cmocka_unit_test(no_words_are_those_of_the_code),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
