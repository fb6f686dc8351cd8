/*
 * xray_cause: the members error, fault, throttle and cause.
 */
#include <stdio.h>
#include <string.h>

#include "bulk/pair.h"
#include "pdata/any.h"
#include "xray_span.h"

#define STATUS_ERROR 2u
#define HTTP_FAILURE "HTTP request failure"

static bool is_exception(struct hf_slice event)
{
    return hf_slice_is(hf_bulk_event_read(event).name, "exception");
}

static bool is_http_failure(const struct xray_span *span, struct hf_slice event)
{
    return hf_slice_is(hf_bulk_event_read(event).name, HTTP_FAILURE) && xray_is_aws_sdk(span);
}

static struct hf_slice event_text(struct hf_slice event, const char *key)
{
    struct hf_slice value;
    return hf_bulk_pair_find(event, HF_BULK_EVENT_ATTRIBUTES, key, &value) ? xray_string(value)
                                                                           : HF_EMPTY_SLICE;
}

static void put_failure(struct xray_span *span, struct hf_json_writer *writer,
                        struct hf_slice event)
{
    struct hf_slice code, message;
    struct hf_bytes text = {0};
    char time[48];
    if (!hf_bulk_pair_find(event, HF_BULK_EVENT_ATTRIBUTES, "http.response.status_code", &code) ||
        !hf_bulk_pair_find(event, HF_BULK_EVENT_ATTRIBUTES, "aws.http.error_message", &message)) {
        return;
    }
    uint64_t us = hf_bulk_event_read(event).time_ns / 1000;
    int size = snprintf(time, sizeof(time), "@%llu.%06llu@", (unsigned long long)(us / 1000000),
                        (unsigned long long)(us % 1000000));
    struct xray_exception exception = {.type = hf_slice_text("aws.http.error.event"),
                                       .is_remote = true};
    writer->failed |= hf_any_text(code, &text) != HF_OK ||
                      hf_bytes_append(&text, hf_slice_of(time, (size_t)size)) != HF_OK ||
                      hf_bytes_append(&text, xray_string(message)) != HF_OK;
    exception.message = hf_slice_of(text.data, text.size);
    xray_make_id(span, exception.id);
    xray_put_exception(span, writer, &exception, HF_EMPTY_SLICE);
    hf_bytes_release(&text);
}

static void put_exceptions(struct xray_span *span, struct hf_json_writer *writer)
{
    struct hf_wire wire = hf_wire_of(span->bytes);
    struct hf_slice event, language = xray_resource_text(span, "telemetry.sdk.language");
    bool is_remote = span->span.kind == XRAY_CLIENT || span->span.kind == XRAY_PRODUCER;
    HF_JSON_WRITE_KEY(writer, "exceptions");
    hf_json_write_open(writer, '[');
    while (hf_wire_each(&wire, HF_BULK_SPAN_EVENTS, &event)) {
        if (is_exception(event)) {
            struct xray_exception exception = {
                .type = event_text(event, "exception.type"),
                .message = event_text(event, "exception.message"),
                .stack = event_text(event, "exception.stacktrace"),
                .is_remote = is_remote,
            };
            xray_make_id(span, exception.id);
            xray_put_exception(span, writer, &exception, language);
        } else if (is_http_failure(span, event)) {
            put_failure(span, writer, event);
        }
    }
    hf_json_write_close(writer, ']');
}

/* The message of the status, which has no exception. */
static void put_status(struct xray_span *span, struct hf_json_writer *writer)
{
    struct xray_attribute *text = xray_find(span, "http.status_text");
    struct hf_slice message = span->span.status_message;
    char id[XRAY_ID_SIZE + 1];
    if (text != NULL) {
        text->is_taken = true;
        message = message.size == 0 ? xray_string(text->value) : message;
    }
    if (message.size == 0) {
        return;
    }
    xray_make_id(span, id);
    HF_JSON_WRITE_KEY(writer, "cause");
    hf_json_write_open(writer, '{');
    HF_JSON_WRITE_KEY(writer, "exceptions");
    hf_json_write_open(writer, '[');
    hf_json_write_open(writer, '{');
    xray_put_text(writer, "id", hf_slice_text(id));
    HF_JSON_WRITE_KEY(writer, "message");
    hf_json_write_text(writer, message);
    HF_JSON_WRITE_KEY(writer, "type");
    hf_json_write_text(writer, hf_slice_text(""));
    hf_json_write_close(writer, '}');
    hf_json_write_close(writer, ']');
    hf_json_write_close(writer, '}');
}

static void put_flags(const struct xray_span *span, struct hf_json_writer *writer)
{
    const struct xray_attribute *status = xray_find(span, "http.status_code");
    status = status != NULL ? status : xray_find(span, "http.response.status_code");
    struct hf_any any = status != NULL ? hf_any_read(status->value) : (struct hf_any){0};
    int64_t code = any.type == HF_ANY_INT ? any.integer : 0;
    bool is_known = code >= 400 && code <= 599;
    bool is_fault = is_known ? code >= 500 : span->span.status == STATUS_ERROR;
    xray_put_bool(writer, "fault", is_fault);
    xray_put_bool(writer, "error", is_known && code < 500);
    xray_put_bool(writer, "throttle", code == 429);
}

void xray_put_cause(struct xray_span *span, struct hf_json_writer *writer)
{
    struct hf_wire wire = hf_wire_of(span->bytes);
    struct hf_slice event;
    bool has_exceptions = false;
    while (!has_exceptions && hf_wire_each(&wire, HF_BULK_SPAN_EVENTS, &event)) {
        has_exceptions = is_exception(event) || is_http_failure(span, event);
    }
    put_flags(span, writer);
    if (has_exceptions) {
        HF_JSON_WRITE_KEY(writer, "cause");
        hf_json_write_open(writer, '{');
        put_exceptions(span, writer);
        hf_json_write_close(writer, '}');
    } else if (span->span.status == STATUS_ERROR) {
        put_status(span, writer);
    }
}
