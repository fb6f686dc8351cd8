/* Spans are named after the conventions for what they are about. */
#include "run.h"

#include "pdata/message.h"

static void names_spans(void **state)
{
    static const struct {
        const char *statements[4], *name;
    } cases[] = {
        {{"set(attributes[\"http.route\"], \"/u\")", "set(attributes[\"http.method\"], \"GET\")"},
         "GET /u"},
        {{"set(attributes[\"rpc.system\"], \"grpc\")", "set(attributes[\"rpc.service\"], \"S\")"},
         "S/*"},
        {{"set(attributes[\"messaging.system\"], \"k\")",
          "set(attributes[\"messaging.destination.name\"], \"t\")"},
         "t"},
        {{"set(attributes[\"x\"], 1)"}, "GET /"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct run_request request;
        struct hf_ottl_run run;
        struct hf_ottl *kept[5] = {NULL}; /* attributes borrow keys from them */
        run_open(&request, RUN_SPANS);
        hf_ottl_begin(&run, request.document);
        for (size_t j = 0; j <= 4; j++) {
            struct hf_ottl **ottl = &kept[j];
            char error[HF_ERROR_MAX] = "";
            const char *text =
                j == 4 ? "set_semconv_span_name(\"1.40.0\", \"was\")" : cases[i].statements[j];
            if (text == NULL) {
                continue;
            }
            if (run_compile(text, true, ottl, error) != HF_OK) {
                fail_msg("%s", error);
            }
            hf_ottl_enter(&run, &request.place);
            assert_int_equal(hf_ottl_execute(*ottl, 0, &run, NULL), HF_OK);
        }
        hf_ottl_end(&run);
        struct hf_slice name = hf_message_bytes(request.place.item, 5), was;
        assert_true(hf_slice_is(name, cases[i].name));
        assert_int_equal(hf_message_attribute(request.place.item, 9, hf_slice_text("was"), &was),
                         strcmp(cases[i].name, "GET /") != 0);
        for (size_t j = 0; j < 5; j++) {
            hf_ottl_free(kept[j]);
        }
        run_close(&request);
    }
}

static void refuses_other_versions(void **state)
{
    static const struct run_refusal cases[] = {
        {"set_semconv_span_name(\"1.36.0\")", "must be between 1.37.0 and 1.43.0"},
        {"set_semconv_span_name(\"1.43.1\")", "must be between 1.37.0 and 1.43.0"},
        {"set_semconv_span_name(\"x\")", "must be between"},
        {"set_semconv_span_name(\"1.40.0\", \"\")", "cannot be empty"},
        {"set_semconv_span_name(name)", "must be a literal"},
    };
    (void)state;
    run_refusals(cases, sizeof(cases) / sizeof(cases[0]), true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_spans),
        cmocka_unit_test(refuses_other_versions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
