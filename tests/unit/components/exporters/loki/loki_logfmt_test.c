/* Which texts are pairs already. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h> /* needs those before it */

#include "components/exporters/loki/loki_logfmt.h"

static void only_texts_with_pairs_are_logfmt(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool is_logfmt;
    } cases[] = {
        {"a=b", true},         {"a=", true},          {"a=b  c=\"d \\\" e\" f", true},
        {" a=b ", true},       {"", false},           {"a plain sentence", false},
        {"a=\"open", false},   {"a=\"open\\", false}, {"a=b=c", false},
        {"=b", false},         {"a=\"b\"c", false},   {"a=b \"c\"", false},
        {"a=\"b\nc\"", false}, {"a=b\nc=d", false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (loki_is_logfmt(hf_slice_text(cases[i].text)) != cases[i].is_logfmt) {
            fail_msg("%s", cases[i].text);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_texts_with_pairs_are_logfmt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
