#include "scan.h"

#include "utf8.h"
#include "wire.h"

/* What the scan must do with a field. */
enum kind {
    UNKNOWN = 0, /* no field of OTLP: only its framing is checked */
    VARINT,
    FIXED64,
    FIXED32,
    VARINTS,  /* repeated: packed, or one by one */
    FIXED64S, /* likewise */
    STRING,
    BYTES,
    TRACE_ID, /* 16 bytes, or none */
    SPAN_ID,  /* 8 bytes, or none */
    MESSAGE   /* and above: MESSAGE + its number */
};

/* The messages of requests. Those that count as items come first. */
enum message {
    SPAN,
    NUMBER_POINT,
    HISTOGRAM_POINT,
    EXPONENTIAL_POINT,
    SUMMARY_POINT,
    LOG_RECORD,
    SAMPLE,
    ITEM_COUNT, /* no message */
    KEY_VALUE = ITEM_COUNT,
    ANY_VALUE,
    ARRAY_VALUE,
    KEY_VALUE_LIST,
    SCOPE,
    ENTITY_REF,
    RESOURCE,
    TRACES,
    RESOURCE_SPANS,
    SCOPE_SPANS,
    EVENT,
    LINK,
    STATUS,
    METRICS,
    RESOURCE_METRICS,
    SCOPE_METRICS,
    METRIC,
    GAUGE,
    SUM,
    HISTOGRAM,
    EXPONENTIAL_HISTOGRAM,
    SUMMARY,
    BUCKETS,
    QUANTILE,
    EXEMPLAR,
    LOGS,
    RESOURCE_LOGS,
    SCOPE_LOGS,
    PROFILES,
    RESOURCE_PROFILES,
    SCOPE_PROFILES,
    PROFILE,
    MESSAGE_COUNT
};

#define NUMBER_MAX 16 /* the largest field number of any of them */

/* FIELD(message, number, kind): every field. `schema.c` says the same with names; a test compares.
 * Profiles are in development and go through as bytes: of a profile and of the dictionary only the
 * framing is checked, whatever version the sender speaks. */
#define FIELDS(FIELD)                                                                              \
    FIELD(KEY_VALUE, 1, STRING)                                                                    \
    FIELD(KEY_VALUE, 2, MESSAGE + ANY_VALUE)                                                       \
    FIELD(KEY_VALUE, 3, VARINT)                                                                    \
    FIELD(ANY_VALUE, 1, STRING)                                                                    \
    FIELD(ANY_VALUE, 2, VARINT)                                                                    \
    FIELD(ANY_VALUE, 3, VARINT)                                                                    \
    FIELD(ANY_VALUE, 4, FIXED64)                                                                   \
    FIELD(ANY_VALUE, 5, MESSAGE + ARRAY_VALUE)                                                     \
    FIELD(ANY_VALUE, 6, MESSAGE + KEY_VALUE_LIST)                                                  \
    FIELD(ANY_VALUE, 7, BYTES)                                                                     \
    FIELD(ANY_VALUE, 8, VARINT)                                                                    \
    FIELD(ARRAY_VALUE, 1, MESSAGE + ANY_VALUE)                                                     \
    FIELD(KEY_VALUE_LIST, 1, MESSAGE + KEY_VALUE)                                                  \
    FIELD(SCOPE, 1, STRING)                                                                        \
    FIELD(SCOPE, 2, STRING)                                                                        \
    FIELD(SCOPE, 3, MESSAGE + KEY_VALUE)                                                           \
    FIELD(SCOPE, 4, VARINT)                                                                        \
    FIELD(ENTITY_REF, 1, STRING)                                                                   \
    FIELD(ENTITY_REF, 2, STRING)                                                                   \
    FIELD(ENTITY_REF, 3, STRING)                                                                   \
    FIELD(ENTITY_REF, 4, STRING)                                                                   \
    FIELD(RESOURCE, 1, MESSAGE + KEY_VALUE)                                                        \
    FIELD(RESOURCE, 2, VARINT)                                                                     \
    FIELD(RESOURCE, 3, MESSAGE + ENTITY_REF)                                                       \
    FIELD(TRACES, 1, MESSAGE + RESOURCE_SPANS)                                                     \
    FIELD(RESOURCE_SPANS, 1, MESSAGE + RESOURCE)                                                   \
    FIELD(RESOURCE_SPANS, 2, MESSAGE + SCOPE_SPANS)                                                \
    FIELD(RESOURCE_SPANS, 3, STRING)                                                               \
    FIELD(SCOPE_SPANS, 1, MESSAGE + SCOPE)                                                         \
    FIELD(SCOPE_SPANS, 2, MESSAGE + SPAN)                                                          \
    FIELD(SCOPE_SPANS, 3, STRING)                                                                  \
    FIELD(SPAN, 1, TRACE_ID)                                                                       \
    FIELD(SPAN, 2, SPAN_ID)                                                                        \
    FIELD(SPAN, 3, STRING)                                                                         \
    FIELD(SPAN, 4, SPAN_ID)                                                                        \
    FIELD(SPAN, 5, STRING)                                                                         \
    FIELD(SPAN, 6, VARINT)                                                                         \
    FIELD(SPAN, 7, FIXED64)                                                                        \
    FIELD(SPAN, 8, FIXED64)                                                                        \
    FIELD(SPAN, 9, MESSAGE + KEY_VALUE)                                                            \
    FIELD(SPAN, 10, VARINT)                                                                        \
    FIELD(SPAN, 11, MESSAGE + EVENT)                                                               \
    FIELD(SPAN, 12, VARINT)                                                                        \
    FIELD(SPAN, 13, MESSAGE + LINK)                                                                \
    FIELD(SPAN, 14, VARINT)                                                                        \
    FIELD(SPAN, 15, MESSAGE + STATUS)                                                              \
    FIELD(SPAN, 16, FIXED32)                                                                       \
    FIELD(EVENT, 1, FIXED64)                                                                       \
    FIELD(EVENT, 2, STRING)                                                                        \
    FIELD(EVENT, 3, MESSAGE + KEY_VALUE)                                                           \
    FIELD(EVENT, 4, VARINT)                                                                        \
    FIELD(LINK, 1, TRACE_ID)                                                                       \
    FIELD(LINK, 2, SPAN_ID)                                                                        \
    FIELD(LINK, 3, STRING)                                                                         \
    FIELD(LINK, 4, MESSAGE + KEY_VALUE)                                                            \
    FIELD(LINK, 5, VARINT)                                                                         \
    FIELD(LINK, 6, FIXED32)                                                                        \
    FIELD(STATUS, 2, STRING)                                                                       \
    FIELD(STATUS, 3, VARINT)                                                                       \
    FIELD(METRICS, 1, MESSAGE + RESOURCE_METRICS)                                                  \
    FIELD(RESOURCE_METRICS, 1, MESSAGE + RESOURCE)                                                 \
    FIELD(RESOURCE_METRICS, 2, MESSAGE + SCOPE_METRICS)                                            \
    FIELD(RESOURCE_METRICS, 3, STRING)                                                             \
    FIELD(SCOPE_METRICS, 1, MESSAGE + SCOPE)                                                       \
    FIELD(SCOPE_METRICS, 2, MESSAGE + METRIC)                                                      \
    FIELD(SCOPE_METRICS, 3, STRING)                                                                \
    FIELD(METRIC, 1, STRING)                                                                       \
    FIELD(METRIC, 2, STRING)                                                                       \
    FIELD(METRIC, 3, STRING)                                                                       \
    FIELD(METRIC, 5, MESSAGE + GAUGE)                                                              \
    FIELD(METRIC, 7, MESSAGE + SUM)                                                                \
    FIELD(METRIC, 9, MESSAGE + HISTOGRAM)                                                          \
    FIELD(METRIC, 10, MESSAGE + EXPONENTIAL_HISTOGRAM)                                             \
    FIELD(METRIC, 11, MESSAGE + SUMMARY)                                                           \
    FIELD(METRIC, 12, MESSAGE + KEY_VALUE)                                                         \
    FIELD(GAUGE, 1, MESSAGE + NUMBER_POINT)                                                        \
    FIELD(SUM, 1, MESSAGE + NUMBER_POINT)                                                          \
    FIELD(SUM, 2, VARINT)                                                                          \
    FIELD(SUM, 3, VARINT)                                                                          \
    FIELD(HISTOGRAM, 1, MESSAGE + HISTOGRAM_POINT)                                                 \
    FIELD(HISTOGRAM, 2, VARINT)                                                                    \
    FIELD(EXPONENTIAL_HISTOGRAM, 1, MESSAGE + EXPONENTIAL_POINT)                                   \
    FIELD(EXPONENTIAL_HISTOGRAM, 2, VARINT)                                                        \
    FIELD(SUMMARY, 1, MESSAGE + SUMMARY_POINT)                                                     \
    FIELD(NUMBER_POINT, 2, FIXED64)                                                                \
    FIELD(NUMBER_POINT, 3, FIXED64)                                                                \
    FIELD(NUMBER_POINT, 4, FIXED64)                                                                \
    FIELD(NUMBER_POINT, 5, MESSAGE + EXEMPLAR)                                                     \
    FIELD(NUMBER_POINT, 6, FIXED64)                                                                \
    FIELD(NUMBER_POINT, 7, MESSAGE + KEY_VALUE)                                                    \
    FIELD(NUMBER_POINT, 8, VARINT)                                                                 \
    FIELD(HISTOGRAM_POINT, 2, FIXED64)                                                             \
    FIELD(HISTOGRAM_POINT, 3, FIXED64)                                                             \
    FIELD(HISTOGRAM_POINT, 4, FIXED64)                                                             \
    FIELD(HISTOGRAM_POINT, 5, FIXED64)                                                             \
    FIELD(HISTOGRAM_POINT, 6, FIXED64S)                                                            \
    FIELD(HISTOGRAM_POINT, 7, FIXED64S)                                                            \
    FIELD(HISTOGRAM_POINT, 8, MESSAGE + EXEMPLAR)                                                  \
    FIELD(HISTOGRAM_POINT, 9, MESSAGE + KEY_VALUE)                                                 \
    FIELD(HISTOGRAM_POINT, 10, VARINT)                                                             \
    FIELD(HISTOGRAM_POINT, 11, FIXED64)                                                            \
    FIELD(HISTOGRAM_POINT, 12, FIXED64)                                                            \
    FIELD(EXPONENTIAL_POINT, 1, MESSAGE + KEY_VALUE)                                               \
    FIELD(EXPONENTIAL_POINT, 2, FIXED64)                                                           \
    FIELD(EXPONENTIAL_POINT, 3, FIXED64)                                                           \
    FIELD(EXPONENTIAL_POINT, 4, FIXED64)                                                           \
    FIELD(EXPONENTIAL_POINT, 5, FIXED64)                                                           \
    FIELD(EXPONENTIAL_POINT, 6, VARINT)                                                            \
    FIELD(EXPONENTIAL_POINT, 7, FIXED64)                                                           \
    FIELD(EXPONENTIAL_POINT, 8, MESSAGE + BUCKETS)                                                 \
    FIELD(EXPONENTIAL_POINT, 9, MESSAGE + BUCKETS)                                                 \
    FIELD(EXPONENTIAL_POINT, 10, VARINT)                                                           \
    FIELD(EXPONENTIAL_POINT, 11, MESSAGE + EXEMPLAR)                                               \
    FIELD(EXPONENTIAL_POINT, 12, FIXED64)                                                          \
    FIELD(EXPONENTIAL_POINT, 13, FIXED64)                                                          \
    FIELD(EXPONENTIAL_POINT, 14, FIXED64)                                                          \
    FIELD(BUCKETS, 1, VARINT)                                                                      \
    FIELD(BUCKETS, 2, VARINTS)                                                                     \
    FIELD(SUMMARY_POINT, 2, FIXED64)                                                               \
    FIELD(SUMMARY_POINT, 3, FIXED64)                                                               \
    FIELD(SUMMARY_POINT, 4, FIXED64)                                                               \
    FIELD(SUMMARY_POINT, 5, FIXED64)                                                               \
    FIELD(SUMMARY_POINT, 6, MESSAGE + QUANTILE)                                                    \
    FIELD(SUMMARY_POINT, 7, MESSAGE + KEY_VALUE)                                                   \
    FIELD(SUMMARY_POINT, 8, VARINT)                                                                \
    FIELD(QUANTILE, 1, FIXED64)                                                                    \
    FIELD(QUANTILE, 2, FIXED64)                                                                    \
    FIELD(EXEMPLAR, 2, FIXED64)                                                                    \
    FIELD(EXEMPLAR, 3, FIXED64)                                                                    \
    FIELD(EXEMPLAR, 4, SPAN_ID)                                                                    \
    FIELD(EXEMPLAR, 5, TRACE_ID)                                                                   \
    FIELD(EXEMPLAR, 6, FIXED64)                                                                    \
    FIELD(EXEMPLAR, 7, MESSAGE + KEY_VALUE)                                                        \
    FIELD(LOGS, 1, MESSAGE + RESOURCE_LOGS)                                                        \
    FIELD(RESOURCE_LOGS, 1, MESSAGE + RESOURCE)                                                    \
    FIELD(RESOURCE_LOGS, 2, MESSAGE + SCOPE_LOGS)                                                  \
    FIELD(RESOURCE_LOGS, 3, STRING)                                                                \
    FIELD(SCOPE_LOGS, 1, MESSAGE + SCOPE)                                                          \
    FIELD(SCOPE_LOGS, 2, MESSAGE + LOG_RECORD)                                                     \
    FIELD(SCOPE_LOGS, 3, STRING)                                                                   \
    FIELD(LOG_RECORD, 1, FIXED64)                                                                  \
    FIELD(LOG_RECORD, 2, VARINT)                                                                   \
    FIELD(LOG_RECORD, 3, STRING)                                                                   \
    FIELD(LOG_RECORD, 5, MESSAGE + ANY_VALUE)                                                      \
    FIELD(LOG_RECORD, 6, MESSAGE + KEY_VALUE)                                                      \
    FIELD(LOG_RECORD, 7, VARINT)                                                                   \
    FIELD(LOG_RECORD, 8, FIXED32)                                                                  \
    FIELD(LOG_RECORD, 9, TRACE_ID)                                                                 \
    FIELD(LOG_RECORD, 10, SPAN_ID)                                                                 \
    FIELD(LOG_RECORD, 11, FIXED64)                                                                 \
    FIELD(LOG_RECORD, 12, STRING)                                                                  \
    FIELD(PROFILES, 1, MESSAGE + RESOURCE_PROFILES)                                                \
    FIELD(RESOURCE_PROFILES, 1, MESSAGE + RESOURCE)                                                \
    FIELD(RESOURCE_PROFILES, 2, MESSAGE + SCOPE_PROFILES)                                          \
    FIELD(RESOURCE_PROFILES, 3, STRING)                                                            \
    FIELD(SCOPE_PROFILES, 1, MESSAGE + SCOPE)                                                      \
    FIELD(SCOPE_PROFILES, 2, MESSAGE + PROFILE)                                                    \
    FIELD(SCOPE_PROFILES, 3, STRING)                                                               \
    FIELD(PROFILE, 2, MESSAGE + SAMPLE)

/* The wire type in which a field of that kind normally comes: repeated numbers packed. */
#define USUAL_WIRE(kind)                                                                           \
    ((kind) == VARINT    ? HF_WIRE_VARINT                                                          \
     : (kind) == FIXED64 ? HF_WIRE_64                                                              \
     : (kind) == FIXED32 ? HF_WIRE_32                                                              \
                         : HF_WIRE_BYTES)

#define BY_NUMBER(message, number, kind) [message][number] = (kind),
static const uint8_t kind_by_number[MESSAGE_COUNT][NUMBER_MAX + 1] = {FIELDS(BY_NUMBER)};

/*
 * The same by the tag byte, for fields in their usual wire type: one look-up tells what to do.
 * Everything else is UNKNOWN here and takes the long way: unknown fields, wrong wire types, numbers
 * not packed. Tags of two bytes do as well (the row is longer than 128 only to hold their entries).
 */
#define BY_TAG(message, number, kind) [message][(number) << 3 | USUAL_WIRE(kind)] = (kind),
static const uint8_t kind_by_tag[MESSAGE_COUNT][(NUMBER_MAX + 1) << 3] = {FIELDS(BY_TAG)};

static bool is_text(struct hf_slice text)
{
    return hf_utf8_is_ascii(text) || hf_utf8_is_valid(text);
}

static bool are_varints(struct hf_slice packed)
{
    struct hf_wire wire = hf_wire_of(packed);
    uint64_t value;
    while (!hf_wire_at_end(wire)) {
        if (!hf_wire_varint(&wire, &value)) {
            return false;
        }
    }
    return true;
}

/* A varint of at most nine bytes that fills the slice: any value that fits is well formed. */
static bool is_one_varint(struct hf_slice bytes)
{
    size_t i = 0;
    while (i < bytes.size && bytes.data[i] >= 0x80) {
        i++;
    }
    return bytes.size <= 9 && i + 1 == bytes.size;
}

/*
 * Is this the KeyValue that nearly all attributes are: the key, then one text or number, every
 * length in one byte, nothing left over? All tags and lengths are ASCII then, so one look at all
 * the bytes replaces three messages and two texts. False says nothing: the long way decides.
 */
static inline bool is_plain_key_value(struct hf_slice pair)
{
    const size_t least = 6; /* two tags with lengths, and a value of two bytes */
    if (pair.size < least || pair.data[0] != (1 << 3 | HF_WIRE_BYTES) || pair.data[1] >= 0x80 ||
        pair.data[1] > pair.size - least) {
        return false;
    }
    size_t key_end = 2 + (size_t)pair.data[1];
    size_t value_size = pair.data[key_end + 1];
    if (pair.data[key_end] != (2 << 3 | HF_WIRE_BYTES) || value_size >= 0x80 ||
        key_end + 2 + value_size != pair.size) {
        return false;
    }
    struct hf_slice key = {pair.data, key_end};
    struct hf_slice value = {&pair.data[key_end + 2], value_size};
    switch (value.data[0]) {
    case 1 << 3 | HF_WIRE_BYTES: /* string_value */
        return value.data[1] + 2u == value.size && hf_utf8_is_ascii(pair);
    case 2 << 3 | HF_WIRE_VARINT: /* bool_value */
    case 3 << 3 | HF_WIRE_VARINT: /* int_value */
        return is_one_varint((struct hf_slice){&value.data[1], value.size - 1}) &&
               hf_utf8_is_ascii(key);
    case 4 << 3 | HF_WIRE_64: /* double_value */
        return value.size == 9 && hf_utf8_is_ascii(key);
    default:
        return false;
    }
}

/* A field that is not in `kind_by_tag`; `kind` is what its number says. */
static bool skip_unusual(struct hf_wire *wire, enum hf_schema_wire type, unsigned kind)
{
    struct hf_slice skipped;
    uint64_t value;
    bool is_allowed = kind == UNKNOWN || (kind == VARINTS && type == HF_WIRE_VARINT) ||
                      (kind == FIXED64S && type == HF_WIRE_64);
    if (!is_allowed) {
        return false;
    }
    switch (type) {
    case HF_WIRE_VARINT:
        return hf_wire_varint(wire, &value);
    case HF_WIRE_64:
        return hf_wire_take(wire, 8, &skipped);
    case HF_WIRE_BYTES:
        return hf_wire_bytes(wire, &skipped);
    case HF_WIRE_32:
        return hf_wire_take(wire, 4, &skipped);
    }
    return false;
}

/*
 * Finds what to do with the field at the cursor: its kind, with the cursor behind the tag. A field
 * that needs no more than its framing is stepped over here and yields UNKNOWN.
 */
static bool take_unusual(struct hf_wire *wire, unsigned message, unsigned *ret_kind)
{
    uint64_t tag;
    if (!hf_wire_varint(wire, &tag) || tag >> 3 == 0 || tag >> 3 > HF_WIRE_NUMBER_MAX) {
        return false;
    }
    unsigned kind = tag >> 3 <= NUMBER_MAX ? kind_by_number[message][tag >> 3] : UNKNOWN;
    enum hf_schema_wire type = (enum hf_schema_wire)(tag & 7);
    if (kind != UNKNOWN && type == USUAL_WIRE(kind)) {
        *ret_kind = kind; /* a tag of two bytes */
        return true;
    }
    *ret_kind = UNKNOWN;
    return skip_unusual(wire, type, kind);
}

static bool walk(struct hf_wire wire, unsigned message, unsigned depth, struct hf_scan *counts);

static inline bool is_key_value(struct hf_slice bytes, unsigned depth, struct hf_scan *counts)
{
    /* Its value is one level deeper. */
    if (depth < HF_SCAN_DEPTH_MAX && is_plain_key_value(bytes)) {
        return true;
    }
    return depth <= HF_SCAN_DEPTH_MAX && walk(hf_wire_of(bytes), KEY_VALUE, depth, counts);
}

static inline bool is_good(struct hf_slice bytes, unsigned kind, unsigned depth,
                           struct hf_scan *counts)
{
    switch (kind) {
    case STRING:
        return is_text(bytes);
    case TRACE_ID:
        return bytes.size == 16 || bytes.size == 0;
    case SPAN_ID:
        return bytes.size == 8 || bytes.size == 0;
    case BYTES:
        return true;
    case VARINTS:
        return are_varints(bytes);
    case FIXED64S:
        return bytes.size % 8 == 0;
    default:
        counts->items += kind - MESSAGE < ITEM_COUNT;
        return depth < HF_SCAN_DEPTH_MAX &&
               walk(hf_wire_of(bytes), kind - MESSAGE, depth + 1, counts);
    }
}

/* One message, which stands `depth` levels below the request. */
static bool walk(struct hf_wire wire, unsigned message, unsigned depth, struct hf_scan *counts)
{
    const uint8_t *kinds = kind_by_tag[message];
    struct hf_slice bytes;
    uint64_t value;
    while (!hf_wire_at_end(wire)) {
        uint8_t tag = *wire.at;
        unsigned kind = tag < 0x80 ? kinds[tag] : UNKNOWN;
        if (kind != UNKNOWN) {
            wire.at++;
        } else if (!take_unusual(&wire, message, &kind)) {
            return false;
        }
        /* Told apart first, because it is most of what comes, and the branch is well foreseen. */
        if (kind == MESSAGE + KEY_VALUE) {
            if (!hf_wire_bytes(&wire, &bytes) || !is_key_value(bytes, depth + 1, counts)) {
                return false;
            }
            continue;
        }
        bool ok = true;
        switch (kind) {
        case UNKNOWN:
            break;
        case VARINT:
            ok = hf_wire_varint(&wire, &value);
            break;
        case FIXED64:
            ok = hf_wire_take(&wire, 8, &bytes);
            break;
        case FIXED32:
            ok = hf_wire_take(&wire, 4, &bytes);
            break;
        default:
            ok = hf_wire_bytes(&wire, &bytes) && is_good(bytes, kind, depth, counts);
            break;
        }
        if (!ok) {
            return false;
        }
    }
    return true;
}

static uint32_t count_elements(struct hf_slice raw)
{
    struct hf_wire wire = hf_wire_of(raw);
    struct hf_wire_field field;
    uint32_t count = 0;
    while (!hf_wire_at_end(wire) && hf_wire_next(&wire, &field)) {
        count += field.number == 1;
    }
    return count;
}

enum hf_status hf_scan(enum hf_signal signal, struct hf_slice raw, struct hf_scan *ret)
{
    static const uint8_t requests[HF_SIGNAL_COUNT] = {TRACES, METRICS, LOGS, PROFILES};
    struct hf_scan counts = {0};
    /* No protobuf message is larger; and so no count can overflow. */
    if (raw.size > INT32_MAX || !walk(hf_wire_of(raw), requests[signal], 0, &counts)) {
        return HF_INVALID;
    }
    counts.resources = count_elements(raw);
    *ret = counts;
    return HF_OK;
}

bool hf_scan_value(struct hf_slice value)
{
    const unsigned depth_of_an_attribute = 4; /* a request, its resource, an attribute, the value */
    struct hf_scan counts = {0};
    return value.size <= INT32_MAX &&
           walk(hf_wire_of(value), ANY_VALUE, depth_of_an_attribute, &counts);
}
