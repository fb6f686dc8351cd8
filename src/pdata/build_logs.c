/*
 * build_logs: log records for a builder.
 */
#include "build.h"

#include <assert.h>

#include "build_internal.h"

enum {
    SCOPE_RECORD = 2, /* in ScopeLogs */
    RECORD_TIME = 1,  /* in LogRecord */
    RECORD_SEVERITY_NUMBER = 2,
    RECORD_SEVERITY_TEXT = 3,
    RECORD_BODY = 5,
    RECORD_ATTRIBUTES = 6,
    RECORD_FLAGS = 8,
    RECORD_TRACE_ID = 9,
    RECORD_SPAN_ID = 10,
    RECORD_OBSERVED_TIME = 11,
    RECORD_EVENT_NAME = 12,
    ANY_STRING = 1, /* in AnyValue */
    ANY_BYTES = 7,
};

#define RECORD_SIZE_EXPECTED 300u

void hf_build_log_record(struct hf_builder *builder, const struct hf_build_log_record *record)
{
    assert(builder->signal == HF_LOGS);
    assert(record->trace_id.size == 0 || record->trace_id.size == 16);
    assert(record->span_id.size == 0 || record->span_id.size == 8);
    hf_build_open_item(builder, HF_BUILD_SCOPE, SCOPE_RECORD, RECORD_SIZE_EXPECTED,
                       RECORD_ATTRIBUTES);
    hf_build_put_time(builder, RECORD_TIME, record->time_ns);
    hf_build_put_time(builder, RECORD_OBSERVED_TIME, record->observed_ns);
    hf_build_put_number(builder, RECORD_SEVERITY_NUMBER, record->severity_number);
    hf_build_put_text(builder, RECORD_SEVERITY_TEXT, record->severity_text);
    hf_build_put_flags(builder, RECORD_FLAGS, record->flags);
    hf_build_put_bytes(builder, RECORD_TRACE_ID, record->trace_id);
    hf_build_put_bytes(builder, RECORD_SPAN_ID, record->span_id);
    hf_build_put_text(builder, RECORD_EVENT_NAME, record->event_name);
}

static void put_body(struct hf_builder *builder, uint32_t number, struct hf_slice bytes)
{
    assert(builder->signal == HF_LOGS && builder->in_item);
    struct hf_wire_message body = hf_wire_open(&builder->writer, RECORD_BODY, bytes.size + 4);
    hf_wire_put_bytes(&builder->writer, number, bytes);
    hf_wire_close(&builder->writer, body);
}

void hf_build_body_string(struct hf_builder *builder, struct hf_slice text)
{
    put_body(builder, ANY_STRING, hf_build_good_text(builder, text, &builder->repaired_text));
}

void hf_build_body_bytes(struct hf_builder *builder, struct hf_slice bytes)
{
    put_body(builder, ANY_BYTES, bytes);
}

void hf_build_body_value(struct hf_builder *builder, struct hf_slice value)
{
    assert(builder->signal == HF_LOGS && builder->in_item);
    hf_wire_put_bytes(&builder->writer, RECORD_BODY, value);
}
