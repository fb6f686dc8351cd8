/* What a server's answer says: its headers, its message, and the code that follows from both. */
#include "client_internal.h"

#include <stdio.h>
#include <string.h>

#include "details.h"
#include "text.h"

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

static void take_details(struct transit *transit, struct hf_slice value)
{
    uint8_t bytes[HF_GRPC_BASE64_DECODED_ROOM(DETAILS_MAX)];
    size_t size;
    if (value.size <= DETAILS_MAX && hf_grpc_base64_decode(value, bytes, &size)) {
        transit->has_retry_info =
            hf_grpc_details_retry(hf_slice_of(bytes, size), &transit->retry_delay_ns);
    }
}

void hf_grpc_transit_header(struct transit *transit, struct hf_slice name, struct hf_slice value)
{
    if (hf_slice_is(name, ":status")) {
        transit->http_status = small_number(value);
    } else if (hf_slice_is(name, "grpc-status")) {
        int code = small_number(value);
        transit->grpc_status = code >= 0 ? code : CODE_UNKNOWN;
    } else if (hf_slice_is(name, "grpc-message")) {
        hf_grpc_percent_decode(value, transit->message, sizeof(transit->message));
    } else if (hf_slice_is(name, "grpc-status-details-bin")) {
        take_details(transit, value);
    } else if (hf_slice_is(name, "grpc-encoding")) {
        transit->known_coding = hf_coding_by_name(value, &transit->coding) == HF_OK;
        if (transit->coding == HF_SNAPPY_BLOCK) {
            transit->coding = HF_SNAPPY_FRAMED; /* gRPC's snappy is the framed one */
        }
    }
}

enum hf_status hf_grpc_transit_data(struct transit *transit, struct hf_slice data)
{
    if (transit->http_status != 200) {
        return HF_OK; /* a page for people: its status says what there is to know */
    }
    if (!hf_grpc_prefix_is_whole(&transit->answer_prefix)) {
        enum hf_status status = hf_grpc_prefix_feed(&transit->answer_prefix, &data);
        if (status != HF_OK) {
            return status == HF_AGAIN ? HF_OK : status;
        }
        if (transit->answer_prefix.size > transit->client->options.response_bytes_max) {
            return HF_TOO_LARGE;
        }
    }
    if (data.size > transit->answer_prefix.size - transit->answer.size) {
        return HF_INVALID;
    }
    return hf_bytes_append(&transit->answer, data);
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

static void judge_without_status(struct transit *transit, uint32_t error_code)
{
    if (transit->http_status > 0 && transit->http_status != 200) {
        transit->foreign_status = transit->http_status;
        transit->code = code_of_http(transit->http_status);
        snprintf(transit->message, sizeof(transit->message),
                 "the server answered with HTTP status %d", transit->http_status);
    } else {
        /* A stream that was cut may well succeed the next time, whatever the reason was. */
        transit->code = CODE_UNAVAILABLE;
        snprintf(transit->message, sizeof(transit->message),
                 "the stream ended without grpc-status (%s)", nghttp2_http2_strerror(error_code));
    }
}

/* The message of an answer that says OK. What cannot be read is not worth a repetition: the server
 * has taken the request. */
static void judge_message(struct transit *transit)
{
    struct hf_slice wire = hf_slice_of(transit->answer.data, transit->answer.size);
    if (!hf_grpc_prefix_is_whole(&transit->answer_prefix) ||
        wire.size < transit->answer_prefix.size) {
        transit->answer.size = 0;
        return;
    }
    if (!transit->answer_prefix.compressed) {
        return;
    }
    if (!transit->known_coding || transit->coding == HF_IDENTITY ||
        hf_decode(transit->coding, wire, transit->client->options.response_bytes_max,
                  &transit->decoded) != HF_OK) {
        transit->answer.size = 0;
        return;
    }
    struct hf_bytes coded = transit->answer;
    transit->answer = transit->decoded;
    transit->decoded = coded;
}

void hf_grpc_transit_judge(struct transit *transit, uint32_t error_code)
{
    if (transit->grpc_status < 0) {
        judge_without_status(transit, error_code);
        return;
    }
    transit->code = transit->grpc_status;
    if (transit->code == CODE_OK) {
        judge_message(transit);
    }
}
