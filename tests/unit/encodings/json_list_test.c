/* The elements of a JSON list as texts. */
#include "encodings/json_list.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define SEEN_MAX 256

/* The elements, each in brackets, then what ended the list. */
static void list_of(const char *text, char *ret_seen)
{
    struct hf_json_list list = {.rest = hf_slice_text(text)};
    struct hf_slice element;
    size_t size = 0;
    enum hf_json_list_step step = hf_json_list_next(&list, &element);
    while (step == HF_JSON_LIST_ELEMENT) {
        size += (size_t)snprintf(ret_seen + size, SEEN_MAX - size, "<%.*s>", (int)element.size,
                                 (const char *)element.data);
        step = hf_json_list_next(&list, &element);
    }
    snprintf(ret_seen + size, SEEN_MAX - size, step == HF_JSON_LIST_END ? "end" : "broken");
}

static void yields_each_element_as_it_stands(void **state)
{
    static const struct {
        const char *text, *seen;
    } cases[] = {
        {"[]", "end"},
        {" [ ] \n", "end"},
        {"[1]", "<1>end"},
        {"[1, 2]", "<1><2>end"},
        {"[{\"a\":[1,2]},[3,{}]]", "<{\"a\":[1,2]}><[3,{}]>end"},
        {"[\"a]\",\"b\\\"]\",\"c\\\\\"]", "<\"a]\"><\"b\\\"]\"><\"c\\\\\">end"},
        {"", "broken"},
        {"{}", "broken"},
        {"[", "broken"},
        {"[1", "broken"},
        {"[1,", "<1>broken"},
        {"[1,]", "<1>broken"},
        {"[,1]", "broken"},
        {"[1] x", "<1>broken"},
        {"[\"a", "broken"},
        {"[\"a\\\"]", "broken"},
        {"[[1]", "broken"},
        {"[1}", "<1>broken"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char seen[SEEN_MAX];
        list_of(cases[i].text, seen);
        assert_string_equal(seen, cases[i].seen);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(yields_each_element_as_it_stands),
    };
    return cmocka_run_group_tests_name("json_list", tests, NULL, NULL);
}
