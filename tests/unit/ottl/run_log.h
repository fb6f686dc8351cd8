/*
 * run_log: cases of functions of OTTL that are about a log record. It is included, not linked.
 */
#pragma once

#include "run.h"

#define RUN_LOG                                                                                    \
    "{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":[{\"body\":{\"stringValue\":\"x\"}}]}]}]}"

static inline void run_log_cases(const struct run_case *cases, size_t count)
{
    struct hf_ottl_source source = {
        .context = HF_PATH_LOG, .functions = HF_OTTL_EDITORS, .name = "conditions"};
    struct run_request request = {0};
    char error[HF_JSON_ERROR_MAX] = "";
    assert_int_equal(
        hf_json_to_proto(HF_LOGS, hf_slice_text(RUN_LOG), 1 << 20, &request.bytes, error), HF_OK);
    request.document =
        hf_document_borrow(HF_LOGS, hf_slice_of(request.bytes.data, request.bytes.size));
    assert_non_null(request.document);
    request.place.document = request.document;
    assert_true(hf_place_next_item(&request.place));
    run_cases_in(&source, &request, cases, count);
    run_close(&request);
}

#undef RUN_CASES
#define RUN_CASES(cases) run_log_cases(cases, sizeof(cases) / sizeof((cases)[0]))
