/*
 * zipkin_proto_numbers: the numbers of the fields of zipkin.proto3, read and written.
 */
#pragma once

enum {
    LIST_SPANS = 1,    /* in ListOfSpans */
    SPAN_TRACE_ID = 1, /* in Span */
    SPAN_PARENT_ID = 2,
    SPAN_ID = 3,
    SPAN_KIND = 4,
    SPAN_NAME = 5,
    SPAN_TIME = 6,
    SPAN_DURATION = 7,
    SPAN_LOCAL = 8,
    SPAN_REMOTE = 9,
    SPAN_ANNOTATIONS = 10,
    SPAN_TAGS = 11,
    ENDPOINT_SERVICE = 1, /* in Endpoint */
    ENDPOINT_IP4 = 2,
    ENDPOINT_IP6 = 3,
    ENDPOINT_PORT = 4,
    ANNOTATION_TIME = 1, /* in Annotation */
    ANNOTATION_VALUE = 2,
    ENTRY_KEY = 1, /* in a map's entry */
    ENTRY_VALUE = 2,
};
