/*
 * run: compiles a text of OTTL and runs it over a request made from JSON, for tests of the engine.
 * It is included, not linked.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h> /* needs the three before it */

#include "ottl/ottl.h"
#include "pdata/json.h"

#define RUN_SPANS                                                                                  \
    "{\"resourceSpans\":[{\"resource\":{\"attributes\":[{\"key\":\"host\",\"value\":"              \
    "{\"stringValue\":\"h\"}}]},\"scopeSpans\":[{\"scope\":{\"name\":\"lib\"},\"spans\":[{"        \
    "\"traceId\":\"0102030405060708090a0b0c0d0e0f10\",\"spanId\":\"0102030405060708\","            \
    "\"name\":\"GET /\",\"kind\":2,\"startTimeUnixNano\":\"1000\",\"endTimeUnixNano\":\"3000\","   \
    "\"attributes\":[{\"key\":\"s\",\"value\":{\"stringValue\":\"text\"}},{\"key\":\"n\","         \
    "\"value\":{\"intValue\":\"5\"}},{\"key\":\"d\",\"value\":{\"doubleValue\":2.5}},"             \
    "{\"key\":\"l\",\"value\":{\"arrayValue\":{\"values\":[{\"intValue\":\"1\"},"                  \
    "{\"stringValue\":\"two\"}]}}}]}]}]}]}"

struct run_request {
    struct hf_bytes bytes;
    struct hf_document *document;
    struct hf_place place;
};

static inline void run_open(struct run_request *request, const char *json)
{
    char error[HF_JSON_ERROR_MAX] = "";
    *request = (struct run_request){0};
    if (hf_json_to_proto(HF_TRACES, hf_slice_text(json), 1 << 20, &request->bytes, error) !=
        HF_OK) {
        fail_msg("%s", error);
    }
    request->document =
        hf_document_borrow(HF_TRACES, hf_slice_of(request->bytes.data, request->bytes.size));
    assert_non_null(request->document);
    request->place.document = request->document;
    assert_true(hf_place_next_item(&request->place));
}

static inline void run_close(struct run_request *request)
{
    hf_document_return(request->document);
    hf_bytes_release(&request->bytes);
}

/* HF_INVALID: `error` has the sentence. */
static inline enum hf_status run_compile(const char *text, bool is_statement, struct hf_ottl **ottl,
                                         char *error)
{
    struct hf_ottl_source source = {
        .context = HF_PATH_SPAN, .functions = HF_OTTL_EDITORS, .name = "statements"};
    struct hf_string_list list = {&text, 1};
    if (is_statement) {
        source.statements = list;
    } else {
        source.conditions = list;
    }
    return hf_ottl_new(&source, ottl, error);
}

/* A condition over the first span of RUN_SPANS, and what it is. */
struct run_case {
    const char *text;
    enum hf_ottl_verdict verdict;
};

static inline void run_cases_in(const struct hf_ottl_source *like, struct run_request *request,
                                const struct run_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct hf_ottl_source source = *like;
        struct hf_ottl *ottl = NULL;
        struct hf_ottl_run run;
        char error[HF_ERROR_MAX] = "";
        source.conditions = (struct hf_string_list){&cases[i].text, 1};
        if (hf_ottl_new(&source, &ottl, error) != HF_OK) {
            fail_msg("%s", error);
        }
        hf_ottl_begin(&run, request->document);
        hf_ottl_enter(&run, &request->place);
        enum hf_ottl_verdict verdict = hf_ottl_test(ottl, 0, &run);
        if (verdict != cases[i].verdict) {
            fail_msg("%s is %d: %s", cases[i].text, verdict, run.error);
        }
        hf_ottl_end(&run);
        hf_ottl_free(ottl);
    }
}

static inline void run_cases(const struct run_case *cases, size_t count)
{
    struct hf_ottl_source source = {
        .context = HF_PATH_SPAN, .functions = HF_OTTL_EDITORS, .name = "conditions"};
    struct run_request request;
    run_open(&request, RUN_SPANS);
    run_cases_in(&source, &request, cases, count);
    run_close(&request);
}

/* A text that does not compile, and what the error says. */
struct run_refusal {
    const char *text, *says;
};

static inline void run_refusals(const struct run_refusal *cases, size_t count, bool are_statements)
{
    for (size_t i = 0; i < count; i++) {
        struct hf_ottl *ottl = NULL;
        char error[HF_ERROR_MAX] = "";
        if (run_compile(cases[i].text, are_statements, &ottl, error) != HF_INVALID) {
            fail_msg("%s compiles", cases[i].text);
        }
        if (strstr(error, cases[i].says) == NULL) {
            fail_msg("%s: %s", cases[i].text, error);
        }
    }
}

#define RUN_CASES(cases) run_cases(cases, sizeof(cases) / sizeof((cases)[0]))
#define RUN_REFUSALS(cases) run_refusals(cases, sizeof(cases) / sizeof((cases)[0]), false)
