/* What a server's answer says: its headers, its message, and the code that follows from both. */
#include "client_internal.h"

#include <stdio.h>
#include <string.h>

#include "details.h"
#include "text.h"
#include "util/base64.h"

#define DETAILS_MAX (16u * 1024)

/* -1 when it is none. */
static int small_number(struct hf_slice text)
{
    int number = 0;
    if (text.size == 0 || text.size > 4) {
        return -1;
    }
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') {
            return -1;
        }
        number = number * 10 + (text.data[i] - '0');
    }
    return number;
}

static void take_details(struct client_call *call, struct hf_slice value)
{
    uint8_t bytes[HF_BASE64_DECODED_SIZE(DETAILS_MAX)];
    size_t size;
    if (value.size <= DETAILS_MAX && hf_base64_decode(value, HF_BASE64_ANY, bytes, &size)) {
        call->has_retry_info =
            hf_grpc_details_retry(hf_slice_of(bytes, size), &call->retry_delay_ns);
    }
}

void hf_grpc_client_call_header(struct client_call *call, struct hf_slice name,
                                struct hf_slice value)
{
    if (hf_slice_is(name, ":status")) {
        call->http_status = small_number(value);
    } else if (hf_slice_is(name, "grpc-status")) {
        int code = small_number(value);
        call->grpc_status = code >= 0 ? code : CODE_UNKNOWN;
    } else if (hf_slice_is(name, "grpc-message")) {
        hf_grpc_percent_decode(value, call->message, sizeof(call->message));
    } else if (hf_slice_is(name, "grpc-status-details-bin")) {
        take_details(call, value);
    } else if (hf_slice_is(name, "grpc-encoding")) {
        call->known_coding = hf_coding_by_name(value, &call->coding) == HF_OK;
        if (call->coding == HF_SNAPPY_BLOCK) {
            call->coding = HF_SNAPPY_FRAMED; /* gRPC's snappy is the framed one */
        }
    }
}

enum hf_status hf_grpc_client_call_data(struct client_call *call, struct hf_slice data)
{
    if (call->http_status != 200) {
        return HF_OK; /* a page for people: its status says what there is to know */
    }
    if (!hf_grpc_prefix_is_whole(&call->answer_prefix)) {
        enum hf_status status = hf_grpc_prefix_feed(&call->answer_prefix, &data);
        if (status != HF_OK) {
            return status == HF_AGAIN ? HF_OK : status;
        }
        if (call->answer_prefix.size > call->client->options.response_bytes_max) {
            return HF_TOO_LARGE;
        }
    }
    if (data.size > call->answer_prefix.size - call->answer.size) {
        return HF_INVALID;
    }
    return hf_bytes_append(&call->answer, data);
}

/* By the table for answers of proxies that know no gRPC; 408 and 413 as an OTLP sender needs them.
 */
static int code_of_http(int http_status)
{
    static const struct {
        int http, code;
    } rows[] = {{400, 13}, {401, 16}, {403, 7},  {404, 12}, {405, 12}, {408, 14}, {413, 8},
                {425, 14}, {429, 14}, {499, 14}, {500, 2},  {501, 12}, {505, 12}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].http == http_status) {
            return rows[i].code;
        }
    }
    return http_status >= 500 ? CODE_UNAVAILABLE : CODE_UNKNOWN;
}

static void judge_without_status(struct client_call *call, uint32_t error_code)
{
    if (call->http_status > 0 && call->http_status != 200) {
        call->foreign_status = call->http_status;
        call->code = code_of_http(call->http_status);
        snprintf(call->message, sizeof(call->message), "the server answered with HTTP status %d",
                 call->http_status);
    } else {
        /* A stream that was cut may well succeed the next time, whatever the reason was. */
        call->code = CODE_UNAVAILABLE;
        snprintf(call->message, sizeof(call->message), "the stream ended without grpc-status (%s)",
                 nghttp2_http2_strerror(error_code));
    }
}

/* The message of an answer that says OK. What cannot be read is not worth a repetition: the server
 * has taken the request. */
static void judge_message(struct client_call *call)
{
    struct hf_slice connection = hf_slice_of(call->answer.data, call->answer.size);
    if (!hf_grpc_prefix_is_whole(&call->answer_prefix) ||
        connection.size < call->answer_prefix.size) {
        call->answer.size = 0;
        return;
    }
    if (!call->answer_prefix.compressed) {
        return;
    }
    if (!call->known_coding || call->coding == HF_IDENTITY ||
        hf_decode(call->coding, connection, call->client->options.response_bytes_max,
                  &call->decoded) != HF_OK) {
        call->answer.size = 0;
        return;
    }
    struct hf_bytes coded = call->answer;
    call->answer = call->decoded;
    call->decoded = coded;
}

void hf_grpc_client_call_set_result(struct client_call *call, uint32_t error_code)
{
    if (call->grpc_status < 0) {
        judge_without_status(call, error_code);
        return;
    }
    call->code = call->grpc_status;
    if (call->code == CODE_OK) {
        judge_message(call);
    }
}
