/*
 * schema: the OTLP messages as tables: field numbers, wire types, JSON names. One source for the
 * scan, JSON both ways and text output; a test checks it against the published descriptors.
 * Immutable; any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/batch.h>
#include <holdfast/slice.h>

#include "schema_index.h"

enum hf_schema_type {
    HF_SCHEMA_NONE = 0, /* no such field */
    HF_SCHEMA_BOOL,
    HF_SCHEMA_INT32,
    HF_SCHEMA_INT64,
    HF_SCHEMA_UINT32,
    HF_SCHEMA_UINT64,
    HF_SCHEMA_SINT32,
    HF_SCHEMA_ENUM,
    HF_SCHEMA_FIXED32,
    HF_SCHEMA_FIXED64,
    HF_SCHEMA_SFIXED64,
    HF_SCHEMA_DOUBLE,
    HF_SCHEMA_STRING,
    HF_SCHEMA_BYTES, /* base64 in JSON */
    HF_SCHEMA_ID,    /* bytes, hex in JSON: trace_id, span_id, parent_span_id */
    HF_SCHEMA_MESSAGE
};

struct hf_schema_enum {
    const char *name;
    struct hf_schema_enum_value {
        const char *name; /* "SPAN_KIND_SERVER"; NULL ends */
        int32_t number;
    } values[];
};

struct hf_schema_field {
    uint32_t number;
    enum hf_schema_type type;
    bool repeated;
    uint8_t oneof;   /* 0: none; fields of one message with the same number exclude each other */
    bool optional;   /* explicit presence: printed when there, even if zero */
    uint8_t id_size; /* ID: 16 or 8 bytes, when it is there */
    uint8_t name_size, json_size;            /* of the two names, without their NUL */
    const char *name;                        /* "trace_id" */
    const char *json;                        /* "traceId" */
    const struct hf_schema_message *message; /* MESSAGE */
    const struct hf_schema_enum *values;     /* ENUM */
};

#define HF_SCHEMA_NUMBER_MAX 16 /* the largest field number of any OTLP message here */

struct hf_schema_message {
    const char *name; /* "opentelemetry.proto.trace.v1.Span" */
    bool is_item;     /* a span, a data point, a log record or a sample */
    bool holds_items; /* items stand somewhere below it */
    uint8_t index;    /* enum hf_schema_index: dense, for tables beside this one */
    struct hf_schema_field fields[HF_SCHEMA_NUMBER_MAX + 1]; /* by field number; 0 is unused */
};

/* ExportTraceServiceRequest and those of the other signals; and what answers them. */
const struct hf_schema_message *hf_schema_request(enum hf_signal signal);
const struct hf_schema_message *hf_schema_response(enum hf_signal signal);

/* Every message, by its `index`, which must be below HF_SCHEMA_MESSAGE_COUNT. */
const struct hf_schema_message *hf_schema_message(uint8_t index);

/* The field of that name ("trace_id"); NULL: none. */
const struct hf_schema_field *hf_schema_find(const struct hf_schema_message *message,
                                             struct hf_slice name);

enum hf_schema_wire { HF_WIRE_VARINT = 0, HF_WIRE_64 = 1, HF_WIRE_BYTES = 2, HF_WIRE_32 = 5 };

/* How a single value of that type (not NONE) is framed; repeated scalars may also come packed, as
 * HF_WIRE_BYTES. */
static inline enum hf_schema_wire hf_schema_wire(enum hf_schema_type type)
{
    static const uint8_t wires[] = {
        [HF_SCHEMA_FIXED32] = HF_WIRE_32,   [HF_SCHEMA_FIXED64] = HF_WIRE_64,
        [HF_SCHEMA_SFIXED64] = HF_WIRE_64,  [HF_SCHEMA_DOUBLE] = HF_WIRE_64,
        [HF_SCHEMA_STRING] = HF_WIRE_BYTES, [HF_SCHEMA_BYTES] = HF_WIRE_BYTES,
        [HF_SCHEMA_ID] = HF_WIRE_BYTES,     [HF_SCHEMA_MESSAGE] = HF_WIRE_BYTES,
    };
    return (enum hf_schema_wire)wires[type]; /* the others are varints, which are 0 */
}
/* Numbers, booleans and enums: what may be packed. */
bool hf_schema_is_scalar(enum hf_schema_type type);
