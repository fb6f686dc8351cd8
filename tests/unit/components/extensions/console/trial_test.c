/* What a pasted configuration may not have. Trials themselves are made end to end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <string.h>

#include <cmocka.h>

#include "components/extensions/console/trial.h"

static void refuses_references_to_files(void **state)
{
    static const struct {
        const char *text;
        bool is_refused;
    } rows[] = {{"a: b", false},
                {"a: ${env:NAME}", false},
                {"a: ${env:NAME:-127.0.0.1:4317}", false},
                {"a: ${NAME}", false},
                {"a: replace(x, \"b\", \"$$1\")", false},
                {"a: $NAME", false},
                {"a: $", false},
                {"a: ${file:/etc/passwd}", true},
                {"a: ${FILE:/etc/passwd}", true},
                {"a: ${yaml:x}", true},
                {"a: ${http://x}", true},
                {"a: ${env:A:-${file:/etc/passwd}}", true},
                {"a: ${fi${env:B:-le}:/x}", true},
                {"a: $${file:/etc/passwd}", true},
                {"a: ${env:NAME", true},
                {"a: \"\\x24{file:/x}\"", true},
                {"a: \"\\u0024{file:/x}\"", true},
                {"a: \"$\\x7bfile:/x}\"", true},
                {"a: \"$\\\n  {file:/x}\"", true},
                {"a: $\n{file:/x}", true},
                {"a: ${env:NAME} ${file:x}", true}};
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if ((hf_console_trial_refusal(rows[i].text) != NULL) != rows[i].is_refused) {
            fail_msg("%s", rows[i].text);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(refuses_references_to_files)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
