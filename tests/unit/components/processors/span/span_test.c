/* Names of attributes, attributes of names, and the status. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h> /* needs the three before it */

#include <holdfast/component.h>

#include "support/items/match.h"
#include "tests/support/node_stub.c"
#include "tests/support/process_json.c"

extern const struct hf_component hf_processor_span;

/* As the component's configuration. */
struct to_attributes {
    struct hf_string_list rules;
    bool break_after_match, keep_original_name;
};

struct status {
    int64_t code;
    const char *description;
};

struct config {
    struct {
        struct hf_string_list from_attributes;
        const char *separator;
        const struct to_attributes *to_attributes;
    } name;
    const struct status *status;
    const struct hf_match_config *include, *exclude;
};

static const char request[] =
    "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{\"name\":\"/v1/doc/12/x\",\"attributes\":["
    "{\"key\":\"op\",\"value\":{\"stringValue\":\"get\"}},"
    "{\"key\":\"n\",\"value\":{\"doubleValue\":1e21}},"
    "{\"key\":\"l\",\"value\":{\"arrayValue\":{}}}],"
    "\"status\":{\"code\":1,\"message\":\"m\"}}]}]}]}";

static void check(const struct config *config, const char *const *texts)
{
    struct hf_node node = {.id = "span", .signals = HF_SIGNAL_BIT(HF_TRACES)};
    char *json = process_json(&hf_processor_span, &node, config, HF_TRACES, request);
    assert_has(json, texts);
    free(json);
}

static void makes_a_name_of_attributes(void **state)
{
    static const char *const keys[] = {"op", "n", "l"}, *const missing[] = {"op", "none"};
    static const char *const wanted[] = {
        "\"name\":\"get-1000000000000000000000-<unknown-attribute-type>\"", NULL};
    static const char *const same[] = {"\"name\":\"/v1/doc/12/x\"", NULL};
    (void)state;
    check(&(struct config){.name = {.from_attributes = {keys, 3}, .separator = "-"}}, wanted);
    check(&(struct config){.name = {.from_attributes = {missing, 2}}}, same);
}

static void makes_attributes_of_the_name(void **state)
{
    static const char *const rules[] = {"doc/(?P<id>[0-9]+)/(?P<e>y*)", "^/(?P<v>v1)"};
    static const char *const named[] = {"\"name\":\"/{v}/doc/{id}/{e}x\"", "{\"key\":\"id\"",
                                        "{\"stringValue\":\"12\"}", "\"key\":\"v\"", NULL};
    static const char *const first[] = {"\"name\":\"/v1/doc/{id}/{e}x\"", "!\"key\":\"v\"", NULL};
    static const char *const kept[] = {"\"name\":\"/v1/doc/12/x\"", "\"key\":\"v\"", NULL};
    struct to_attributes to = {.rules = {rules, 2}};
    (void)state;
    check(&(struct config){.name = {.to_attributes = &to}}, named);
    to.break_after_match = true;
    check(&(struct config){.name = {.to_attributes = &to}}, first);
    to = (struct to_attributes){.rules = {rules, 2}, .keep_original_name = true};
    check(&(struct config){.name = {.to_attributes = &to}}, kept);
}

static void sets_the_status_of_those_that_are_meant(void **state)
{
    static const char *const names[] = {"other"};
    static const struct hf_match_config other = {.span_names = {names, 1}};
    static const char *const error[] = {"\"message\":\"why\"", "\"code\":2", NULL};
    static const char *const unset[] = {"!\"message\"", "!\"code\"", NULL};
    static const char *const same[] = {"\"message\":\"m\"", "\"code\":1", NULL};
    (void)state;
    check(&(struct config){.status = &(struct status){2, "why"}}, error);
    check(&(struct config){.status = &(struct status){0, NULL}}, unset);
    check(&(struct config){.status = &(struct status){2, "why"}, .include = &other}, same);
    check(&(struct config){.status = &(struct status){2, "why"}, .exclude = &other}, error);
}

static void refuses_what_does_nothing_or_cannot_be(void **state)
{
    static const char *const bad[] = {"("};
    const struct to_attributes to = {.rules = {bad, 1}};
    const struct config cases[] = {
        {.status = NULL},
        {.status = &(struct status){1, "why"}},
        {.name = {.to_attributes = &to}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_non_null(hf_processor_span.check(&cases[i]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(makes_a_name_of_attributes),
        cmocka_unit_test(makes_attributes_of_the_name),
        cmocka_unit_test(sets_the_status_of_those_that_are_meant),
        cmocka_unit_test(refuses_what_does_nothing_or_cannot_be),
    };
    return cmocka_run_group_tests_name("span", tests, NULL, NULL);
}
