/*
 * jaeger_proto_numbers: the fields of api_v2's messages.
 */
#pragma once

enum {
    REQUEST_BATCH = 1, /* in PostSpansRequest */
    BATCH_SPANS = 1,   /* in Batch */
    BATCH_PROCESS = 2,
    SPAN_TRACE_ID = 1, /* in Span */
    SPAN_ID = 2,
    SPAN_NAME = 3,
    SPAN_REFERENCES = 4,
    SPAN_FLAGS = 5,
    SPAN_START = 6,
    SPAN_DURATION = 7,
    SPAN_TAGS = 8,
    SPAN_LOGS = 9,
    SPAN_PROCESS = 10,
    REFERENCE_TRACE_ID = 1, /* in SpanRef */
    REFERENCE_SPAN_ID = 2,
    REFERENCE_TYPE = 3,
    TAG_KEY = 1, /* in KeyValue */
    TAG_TYPE = 2,
    TAG_STRING = 3,
    TAG_BOOL = 4,
    TAG_INT = 5,
    TAG_DOUBLE = 6,
    TAG_BINARY = 7,
    LOG_TIME = 1, /* in Log */
    LOG_FIELDS = 2,
    PROCESS_SERVICE = 1, /* in Process */
    PROCESS_TAGS = 2,
    TIME_SECONDS = 1, /* in Timestamp and Duration */
    TIME_NANOS = 2,
};
