/* The escapes of Go's texts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <string.h>

#include <cmocka.h> /* needs the three before it */

#include "util/go_escape.h"

static void each_is_what_go_makes_of_it(void **state)
{
    static const struct {
        const char *text, *made; /* behind the backslash */
        size_t used;
    } rows[] = {
        {"nx", "\n", 1},
        {"\"", "\"", 1},
        {"'", "'", 1},
        {"\\", "\\", 1},
        {"x41z", "A", 3},
        {"xff", "\xff", 3},
        {"101", "A", 3},
        {"377", "\xff", 3},
        {"u00e4", "\xc3\xa4", 5},
        {"U0001F600", "\xf0\x9f\x98\x80", 9},
        {"q", "", 0},
        {"", "", 0},
        {"x4", "", 0},
        {"400", "", 0},
        {"18", "", 0},
        {"ud800", "", 0},
        {"U00110000", "", 0},
        {"u00g4", "", 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint8_t out[HF_RUNE_MAX];
        size_t size = 0;
        size_t used = hf_go_escape(hf_slice_text(rows[i].text), out, &size);
        if (used != rows[i].used ||
            (used != 0 && (size != strlen(rows[i].made) || memcmp(out, rows[i].made, size) != 0))) {
            fail_msg("\\%s: %zu bytes became %zu", rows[i].text, used, size);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_is_what_go_makes_of_it)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
