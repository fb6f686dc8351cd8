/* The conditions for the bodies of answers, and those that cannot be made. */
#include "components/receivers/httpcheck/validations.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <holdfast/component.h>

static struct hf_struct_list list_of(const struct httpcheck_validation *item)
{
    return (struct hf_struct_list){.items = item, .count = 1};
}

static void conditions_pass_or_fail(void **state)
{
    static const struct {
        struct httpcheck_validation item;
        const char *body;
        enum httpcheck_kind kind;
        bool passes;
    } cases[] = {
        {{.contains = "ok"}, "all ok", HC_CONTAINS, true},
        {{.contains = "ok"}, "", HC_CONTAINS, false},
        {{.not_contains = "error"}, "fine", HC_NOT_CONTAINS, true},
        {{.not_contains = "error"}, "an error", HC_NOT_CONTAINS, false},
        {{.regex = "^a.c$"}, "abc", HC_REGEX, true},
        {{.regex = "^a.c$"}, "abcd", HC_REGEX, false},
        {{.max_size = 3, .has_max_size = true}, "abc", HC_SIZE_KIND, true},
        {{.max_size = 3, .has_max_size = true}, "abcd", HC_SIZE_KIND, false},
        {{.max_size = 0, .has_max_size = true}, "", HC_SIZE_KIND, true},
        {{.min_size = 3, .has_min_size = true}, "abc", HC_SIZE_KIND, true},
        {{.min_size = 3, .has_min_size = true}, "ab", HC_SIZE_KIND, false},
        {{.json_path = "a"}, "{\"a\":null}", HC_JSON_PATH, true},
        {{.json_path = "b"}, "{\"a\":1}", HC_JSON_PATH, false},
        {{.json_path = "a"}, "no JSON", HC_JSON_PATH, false},
        {{.json_path = "a.1.b", .equals = "x"}, "{\"a\":[0,{\"b\":\"x\"}]}", HC_JSON_PATH, true},
        {{.json_path = "$.a", .equals = "x"}, "{\"a\":\"x\"}", HC_JSON_PATH, true},
        {{.json_path = "a\\.b", .equals = "x"}, "{\"a.b\":\"x\"}", HC_JSON_PATH, true},
        {{.json_path = "a.9"}, "{\"a\":[0]}", HC_JSON_PATH, false},
        {{.json_path = "a.x"}, "{\"a\":[0]}", HC_JSON_PATH, false},
        {{.json_path = "a", .equals = "y"}, "{\"a\":\"x\"}", HC_JSON_PATH, false},
        {{.json_path = "a", .equals = "5"}, "{\"a\":5}", HC_JSON_PATH, true},
        {{.json_path = "a", .equals = "5.5"}, "{\"a\":5.50}", HC_JSON_PATH, true},
        {{.json_path = "a", .equals = "x"}, "{\"a\":5.5}", HC_JSON_PATH, false},
        {{.json_path = "a", .equals = "true"}, "{\"a\":true}", HC_JSON_PATH, true},
        {{.json_path = "a", .equals = "true"}, "{\"a\":{}}", HC_JSON_PATH, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct hf_struct_list list = list_of(&cases[i].item);
        struct httpcheck_validations *validations = NULL;
        struct httpcheck_verdict verdict;
        char why[HF_ERROR_MAX];
        assert_int_equal(httpcheck_validations_new(&list, &validations, why), HF_OK);
        httpcheck_validate(validations, hf_slice_text(cases[i].body), strlen(cases[i].body),
                           &verdict);
        if (verdict.passed[cases[i].kind] != (cases[i].passes ? 1 : 0) ||
            verdict.failed[cases[i].kind] != (cases[i].passes ? 0 : 1)) {
            fail_msg("case %zu: %s", i, cases[i].body);
        }
        httpcheck_validations_free(validations);
    }
}

static void conditions_that_mean_nothing_are_refused(void **state)
{
    static const struct {
        struct httpcheck_validation item;
        const char *sentence;
    } cases[] = {
        {{.contains = ""}, "an entry has none of contains"},
        {{.contains = "a", .equals = "b"}, "equals is for json_path"},
        {{.json_path = "a.#"}, "queries and modifiers are not supported"},
        {{.json_path = "a.*"}, "queries and modifiers are not supported"},
        {{.regex = "("}, "validations: regex: "},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct hf_struct_list list = list_of(&cases[i].item);
        struct httpcheck_validations *validations = NULL;
        char why[HF_ERROR_MAX];
        assert_int_equal(httpcheck_validations_new(&list, &validations, why), HF_INVALID);
        assert_non_null(strstr(why, cases[i].sentence));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conditions_pass_or_fail),
        cmocka_unit_test(conditions_that_mean_nothing_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
