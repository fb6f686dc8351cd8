/* Texts compile or say where they are wrong; conditions and statements do what the language says.
 */
#include "run.h"

#include "ottl/function.h"

static void refuses_what_is_no_statement(void **state)
{
    static const struct {
        const char *text;
        unsigned column;
        const char *says;
    } cases[] = {
        {"", 1, "the text ends where the name of an editor is expected"},
        {"set", 4, "the text ends where an opening parenthesis is expected"},
        {"Set(name, 1)", 1, "whose name begins with a small letter"},
        {"set(name)", 1, "incorrect number of arguments of set: expected 2, received 1"},
        {"set(name, 1, 2)", 1, "incorrect number of arguments"},
        {"set(name, 1) where", 19, "the text ends where a value is expected"},
        {"set(name, 1) and", 14, "expected \"where\" or the end"},
        {"set(name, \"a)", 11, "without a closing quotation mark"},
        {"set(name, \"\\q\")", 11, "unknown escape"},
        {"set(name, 1) where attributes[\"a\"]", 35, "a comparison such as == true"},
        {"set(name, 1) where not not true", 24, "one \"not\" only"},
        {"set(name, 1) where a[", 22, "a value"},
        {"set(1, 2)", 5, "must be a path"},
        {"set(name, concat([\"a\"], \"\"))", 11, "begins with a capital letter"},
        {"set(name, Concat([\"a\"], delimeter=\"\"))", 35, "no such parameter: delimeter"},
        {"set(value=1, name)", 14, "a named argument behind a named one"},
        {"sett(name, 1)", 1, "did you mean \"set\"?"},
        {"set(names, 1)", 5, "did you mean \"name\"?"},
        {"set(kind, SPAN_KIND_SERVE)", 11, "did you mean SPAN_KIND_SERVER"},
        {"set(kind, SEVERITY_NUMBER_INFO)", 11, "unknown enum symbol"},
        {"set(log.body, 1)", 5, "is not there in the context span"},
        {"set(name[\"a\"], 1)", 5, "were not used"},
        {"replace_pattern(name, \"a++\", \"\")", 23, "invalid nested repetition operator"},
        {"limit(attributes, -1, [])", 1, "cannot be negative"},
        {"limit(attributes, 1, [\"a\", \"b\"])", 1, "cannot be less than"},
        {"merge_maps(attributes, {}, \"x\")", 28, "must be \"insert\", \"update\" or \"upsert\""},
        {"delete_key(attributes, 5)", 24, "expected string but got int64"},
        {"keep_keys(attributes, \"a\")", 23, "a list in brackets"},
        {"set(name, 0xabc)", 11, "an even number"},
        {"set(name, 99999999999999999999)", 11, "at most 64 bits"},
        {"set(cache, 1) where resource.cache[\"a\"] == 1", 21, "of the context span alone"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct hf_ottl *ottl = NULL;
        char error[HF_ERROR_MAX] = "", column[40];
        if (run_compile(cases[i].text, true, &ottl, error) != HF_INVALID) {
            fail_msg("%s compiles", cases[i].text);
        }
        snprintf(column, sizeof(column), "at column %u\n", cases[i].column);
        if (strstr(error, cases[i].says) == NULL || strstr(error, column) == NULL) {
            fail_msg("%s: %s", cases[i].text, error);
        }
        assert_int_equal(error[strlen(error) - 1], '^');
    }
}

static void judges_conditions(void **state)
{
    static const struct {
        const char *text;
        enum hf_ottl_verdict verdict;
    } cases[] = {
        {"true", HF_OTTL_TRUE},
        {"false or not false", HF_OTTL_TRUE},
        {"true or true and false", HF_OTTL_TRUE},
        {"(true or true) and false", HF_OTTL_FALSE},
        {"not (name == \"x\")", HF_OTTL_TRUE},
        {"not name == \"GET /\"", HF_OTTL_FALSE},
        {"name == \"GET /\" and kind == SPAN_KIND_SERVER", HF_OTTL_TRUE},
        {"attributes[\"n\"] + 1 == 6", HF_OTTL_TRUE},
        {"attributes[\"n\"] / 2 == 2", HF_OTTL_TRUE},
        {"-attributes[\"n\"] == -5", HF_OTTL_TRUE},
        {"(attributes[\"n\"] + 1) * 2 == 12", HF_OTTL_TRUE},
        {"attributes[\"n\"] == 5.0", HF_OTTL_TRUE},
        {"attributes[\"n\"] == \"5\"", HF_OTTL_FALSE},
        {"attributes[\"n\"] != \"5\"", HF_OTTL_TRUE},
        {"attributes[\"none\"] == nil", HF_OTTL_TRUE},
        {"attributes[\"none\"][\"a\"][0] == nil", HF_OTTL_TRUE},
        {"nil != attributes[\"n\"]", HF_OTTL_TRUE},
        {"attributes[\"none\"] < 5", HF_OTTL_FALSE},
        {"attributes[\"l\"] == [1, \"two\"]", HF_OTTL_TRUE},
        {"attributes[\"l\"][1] == \"two\"", HF_OTTL_TRUE},
        {"attributes[\"l\"][2] == \"two\"", HF_OTTL_ERROR},
        {"attributes[\"s\"][\"a\"] == 1", HF_OTTL_ERROR},
        {"attributes[\"s\"] + 1 == 1", HF_OTTL_ERROR},
        {"attributes[\"n\"] / 0 == 1", HF_OTTL_ERROR},
        {"true or attributes[\"n\"] / 0 == 1", HF_OTTL_TRUE},
        {"false and attributes[\"n\"] / 0 == 1", HF_OTTL_FALSE},
        {"resource.attributes[\"host\"] == \"h\" and scope.name == \"lib\"", HF_OTTL_TRUE},
        {"end_time - start_time == Duration(\"2us\")", HF_OTTL_TRUE},
        {"trace_id == TraceID(0x0102030405060708090a0b0c0d0e0f10)", HF_OTTL_TRUE},
        {"IsMatch(name, \"^GET\")", HF_OTTL_TRUE},
        {"Len(attributes) == 4", HF_OTTL_TRUE},
        {"String(attributes[\"n\"])", HF_OTTL_ERROR},
        {"{\"a\": [1]} == {\"a\": [1]}", HF_OTTL_TRUE},
        {"0x0a < 0x0b", HF_OTTL_TRUE},
    };
    struct run_request request;
    (void)state;
    run_open(&request, RUN_SPANS);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct hf_ottl *ottl = NULL;
        struct hf_ottl_run run;
        char error[HF_ERROR_MAX] = "";
        if (run_compile(cases[i].text, false, &ottl, error) != HF_OK) {
            fail_msg("%s", error);
        }
        hf_ottl_begin(&run, request.document);
        hf_ottl_enter(&run, &request.place);
        enum hf_ottl_verdict verdict = hf_ottl_test(ottl, 0, &run);
        if (verdict != cases[i].verdict) {
            fail_msg("%s is %d: %s", cases[i].text, verdict, run.error);
        }
        hf_ottl_end(&run);
        hf_ottl_free(ottl);
    }
    assert_false(hf_document_is_changed(request.document));
    run_close(&request);
}

/* What stands in an attribute after a statement, as text. */
static void executes_statements(void **state)
{
    static const struct {
        const char *statement, *after;
    } cases[] = {
        {"set(attributes[\"x\"], 5 + 2 * 3)", "11"},
        {"set(attributes[\"x\"], Concat([name, attributes[\"n\"], nil], \"-\"))", "GET /-5-<nil>"},
        {"set(attributes[\"x\"], nil)", ""},
        {"set(attributes[\"x\"], 1) where false", ""},
        {"set(attributes[\"x\"], [1, {\"a\": nil}])", "[1,{\"a\":null}]"},
        {"set(attributes[\"x\"], ParseJSON(\"{\\\"b\\\":[1.5]}\")[\"b\"][0])", "1.5"},
        {"set(attributes[\"x\"], SHA256(\"a\"))",
         "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"},
        {"append(attributes[\"x\"], name)", "[\"GET /\"]"},
        {"merge_maps(attributes, {\"x\": 1}, \"upsert\")", "1"},
        {"merge_maps(attributes, {\"x\": 1}, \"update\")", ""},
        {"set(attributes[\"x\"], Substring(name, start=1, length=2))", "ET"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct run_request request;
        struct hf_ottl *ottl = NULL;
        struct hf_ottl_run run;
        struct hf_bytes text = {0};
        char error[HF_ERROR_MAX] = "";
        run_open(&request, RUN_SPANS);
        if (run_compile(cases[i].statement, true, &ottl, error) != HF_OK) {
            fail_msg("%s", error);
        }
        hf_ottl_begin(&run, request.document);
        hf_ottl_enter(&run, &request.place);
        if (hf_ottl_execute(ottl, 0, &run, NULL) != HF_OK) {
            fail_msg("%s: %s", cases[i].statement, run.error);
        }
        const struct hf_attribute *found =
            hf_attributes_find(hf_message_attributes(request.place.item, 9), hf_slice_text("x"));
        assert_int_equal(hf_any_text(found != NULL ? found->value : HF_EMPTY_SLICE, &text), HF_OK);
        assert_int_equal(hf_bytes_append(&text, hf_slice_of("", 1)), HF_OK);
        assert_string_equal((const char *)text.data, cases[i].after);
        hf_bytes_release(&text);
        hf_ottl_end(&run);
        hf_ottl_free(ottl);
        run_close(&request);
    }
}

static void finds_the_context_that_has_all_of_it(void **state)
{
    static const struct {
        const char *statement;
        int context; /* -1: there is none */
    } cases[] = {
        {"set(resource.attributes[\"a\"], 1)", HF_PATH_RESOURCE},
        {"set(scope.name, \"a\") where resource.attributes[\"a\"] == 1", HF_PATH_SCOPE},
        {"set(span.name, \"a\") where resource.attributes[\"a\"] == 1", HF_PATH_SPAN},
        {"set(span.name, spanevent.name)", HF_PATH_SPANEVENT},
        {"set(metric.name, \"a\") where datapoint.flags == 1", HF_PATH_DATAPOINT},
        {"set(resource.attributes[\"a\"], SEVERITY_NUMBER_INFO)", HF_PATH_LOG},
        {"copy_metric(\"a\") where resource.attributes[\"a\"] == 1", HF_PATH_METRIC},
        {"set(log.body, 1) where exemplar.time_unix_nano == 1", -1},
        {"copy_metric()", -1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct hf_ottl_source source = {.statements = {&cases[i].statement, 1},
                                              .infers = true,
                                              .functions = HF_OTTL_EDITORS | HF_OTTL_METRIC_EDITORS,
                                              .name = "statements"};
        struct hf_ottl *ottl = NULL;
        char error[HF_ERROR_MAX] = "";
        enum hf_status status = hf_ottl_new(&source, &ottl, error);
        assert_int_equal(status, cases[i].context < 0 ? HF_INVALID : HF_OK);
        if (status == HF_OK) {
            assert_int_equal(hf_ottl_context(ottl), cases[i].context);
        }
        hf_ottl_free(ottl);
    }
}

static void every_function_is_well_made(void **state)
{
    const struct hf_ottl_function *function;
    size_t count = 0;
    (void)state;
    for (size_t i = 0; (function = hf_ottl_functions(i)) != NULL; i++) {
        bool was_optional = false;
        assert_non_null(function->run);
        for (size_t j = 0; j < HF_OTTL_ARGUMENTS_MAX && function->arguments[j].name != NULL; j++) {
            bool is_optional = (function->arguments[j].kind & HF_ARG_OPTIONAL) != 0;
            assert_true(is_optional || !was_optional);
            was_optional = is_optional;
        }
        for (size_t j = 0; j < i; j++) {
            assert_string_not_equal(hf_ottl_functions(j)->name, function->name);
        }
        count++;
    }
    assert_true(count > 100);
}

static void keeps_the_cache_for_one_place(void **state)
{
    static const char *const texts[] = {"set(cache[\"a\"][\"b\"], name)",
                                        "set(attributes[\"x\"], cache[\"a\"][\"b\"])"};
    const struct hf_ottl_source source = {.statements = {texts, 2},
                                          .context = HF_PATH_SPAN,
                                          .functions = HF_OTTL_EDITORS,
                                          .name = "statements"};
    struct run_request request;
    struct hf_ottl *ottl = NULL;
    struct hf_ottl_run run;
    char error[HF_ERROR_MAX] = "";
    (void)state;
    run_open(&request, RUN_SPANS);
    assert_int_equal(hf_ottl_new(&source, &ottl, error), HF_OK);
    hf_ottl_begin(&run, request.document);
    hf_ottl_enter(&run, &request.place);
    assert_int_equal(hf_ottl_execute_all(ottl, &run, HF_OTTL_PROPAGATE, NULL), HF_OK);
    assert_true(run.cache.size > 0);
    hf_ottl_enter(&run, &request.place);
    assert_int_equal(run.cache.size, 0);
    hf_ottl_end(&run);
    hf_ottl_free(ottl);
    run_close(&request);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_what_is_no_statement),
        cmocka_unit_test(judges_conditions),
        cmocka_unit_test(executes_statements),
        cmocka_unit_test(finds_the_context_that_has_all_of_it),
        cmocka_unit_test(every_function_is_well_made),
        cmocka_unit_test(keeps_the_cache_for_one_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
