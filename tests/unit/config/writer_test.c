/* What is printed for people steers no terminal, and is read again as it was. */
#include "config/writer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h> /* needs the three before it */

static void spells_out_what_steers_a_terminal(void **state)
{
    static const struct {
        bool json;
        const char *wants;
    } rows[] = {
        {false, "plain: \"\\xE9\"\n\"k\\e\": \"a\\x7F\\u202E\\N\\x9B\\L\\tb\\n\"\n"},
        {true, "{\n  \"plain\": \"\xc3\xa9\",\n  \"k\\u001b\": "
               "\"a\\u007f\\u202e\\u0085\\u009b\\u2028\\tb\\n\"\n}\n"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct hf_writer *writer = hf_writer_new(rows[i].json);
        assert_non_null(writer);
        hf_writer_map(writer);
        hf_writer_key(writer, "plain");
        hf_writer_scalar(writer, "\xc3\xa9", HF_SCALAR_STRING);
        hf_writer_key(writer, "k\x1b");
        hf_writer_scalar(writer, "a\x7f\xe2\x80\xae\xc2\x85\xc2\x9b\xe2\x80\xa8\tb\n",
                         HF_SCALAR_STRING);
        hf_writer_end(writer);
        char *text = hf_writer_take(writer);
        assert_non_null(text);
        assert_string_equal(text, rows[i].wants);
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spells_out_what_steers_a_terminal),
    };
    return cmocka_run_group_tests_name("writer", tests, NULL, NULL);
}
