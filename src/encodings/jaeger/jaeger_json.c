/*
 * jaeger_json: one span of api_v2 in protobuf's JSON. Fields have their names in JSON or those of
 * the .proto file; one that is not known is refused, as every reader of protobuf's JSON does unless
 * it is told otherwise: it is how another format is noticed.
 */
#include <stdio.h>
#include <string.h>

#include "jaeger_readers.h"
#include "jaeger_tags.h"
#include "pdata/json_value.h"
#include "util/time/time_layout.h"
#include "json/json.h"

#define NS_PER_S INT64_C(1000000000)
#define SECONDS_MAX (INT64_MAX / NS_PER_S - 1)
#define UNSET_TIME "0001-01-01T00:00:00Z" /* a time that Go has not set */

static bool is_named(const struct hf_json *value, const char *name, const char *proto_name)
{
    return hf_slice_is(value->key, name) || hf_slice_is(value->key, proto_name);
}

static enum hf_status wrong(struct hf_jaeger_reading *reading, const struct hf_json *value,
                            const char *than)
{
    char text[160];
    snprintf(text, sizeof(text), "%.*s is not %s",
             (int)(value->key.size < 64 ? value->key.size : 64), (const char *)value->key.data,
             than);
    return hf_jaeger_fault(reading, text);
}

static enum hf_status unknown(struct hf_jaeger_reading *reading, const struct hf_json *value,
                              const char *owner)
{
    char text[160];
    snprintf(text, sizeof(text), "%.*s is not a field of %s of Jaeger's model",
             (int)(value->key.size < 64 ? value->key.size : 64), (const char *)value->key.data,
             owner);
    return hf_jaeger_fault(reading, text);
}

/* ---- values ---- */

static enum hf_status read_text(struct hf_jaeger_reading *reading, const struct hf_json *value,
                                struct hf_slice *ret_text)
{
    *ret_text = hf_json_text(value);
    return value->kind == HF_JSON_STRING ? HF_OK : wrong(reading, value, "a string");
}

static enum hf_status read_bool(struct hf_jaeger_reading *reading, const struct hf_json *value,
                                bool *ret_flag)
{
    *ret_flag = hf_json_bool(value);
    return value->kind == HF_JSON_BOOL ? HF_OK : wrong(reading, value, "true or false");
}

/* As a number or, as protobuf writes those of 64 bits, a string. */
static enum hf_status read_integer(struct hf_jaeger_reading *reading, const struct hf_json *value,
                                   int64_t *ret_integer)
{
    bool is_good = value->kind == HF_JSON_INT;
    *ret_integer = hf_json_int(value);
    if (value->kind == HF_JSON_STRING) {
        is_good = hf_json_read_i64(value->text, ret_integer);
    }
    return is_good ? HF_OK : wrong(reading, value, "a whole number of 64 bits");
}

static enum hf_status read_double(struct hf_jaeger_reading *reading, const struct hf_json *value,
                                  double *ret_number)
{
    bool is_good = value->kind == HF_JSON_DOUBLE || value->kind == HF_JSON_INT;
    *ret_number = value->kind == HF_JSON_INT      ? (double)value->integer
                  : value->kind == HF_JSON_DOUBLE ? value->number
                                                  : 0;
    if (value->kind == HF_JSON_STRING) {
        is_good = hf_json_read_double(value->text, true, ret_number);
    }
    return is_good ? HF_OK : wrong(reading, value, "a number");
}

/* The place of the text in `names`, or the number itself. */
static enum hf_status read_name(struct hf_jaeger_reading *reading, const struct hf_json *value,
                                const char *const *names, uint32_t count, uint32_t *ret_number)
{
    for (uint32_t i = 0; i < count; i++) {
        if ((value->kind == HF_JSON_STRING && hf_slice_is(value->text, names[i])) ||
            (value->kind == HF_JSON_INT && value->integer == i)) {
            *ret_number = i;
            return HF_OK;
        }
    }
    return wrong(reading, value, "one of its names");
}

static enum hf_status read_bytes(struct hf_jaeger_reading *reading, const struct hf_json *value,
                                 struct hf_slice *ret_bytes)
{
    struct hf_slice text = hf_json_text(value);
    uint8_t *room = hf_jaeger_take(reading, &reading->arena, HF_JSON_BASE64_ROOM(text.size));
    size_t size = 0;
    if (room == NULL) {
        return HF_TOO_LARGE;
    }
    if (value->kind != HF_JSON_STRING || !hf_json_read_base64(text, room, &size)) {
        return wrong(reading, value, "base64");
    }
    *ret_bytes = hf_slice_of(room, size);
    return HF_OK;
}

/* An old id of a trace has 8 bytes. */
static enum hf_status read_id(struct hf_jaeger_reading *reading, const struct hf_json *value,
                              uint8_t *ret_id, size_t size)
{
    struct hf_slice bytes = HF_EMPTY_SLICE;
    enum hf_status status = read_bytes(reading, value, &bytes);
    if (status != HF_OK) {
        return status;
    }
    if (bytes.data == NULL || (bytes.size != size && !(bytes.size == 8 && size == 16))) {
        return wrong(reading, value, size == 16 ? "16 bytes in base64" : "8 bytes in base64");
    }
    memset(ret_id, 0, size);
    memcpy(ret_id + size - bytes.size, bytes.data, bytes.size);
    return HF_OK;
}

static enum hf_status read_time(struct hf_jaeger_reading *reading, const struct hf_json *value,
                                uint64_t *ret_ns)
{
    struct hf_slice text = hf_json_text(value);
    int64_t ns = 0;
    bool is_good = value->kind == HF_JSON_STRING &&
                   (hf_slice_is(text, UNSET_TIME) || hf_time_rfc3339(text, &ns));
    *ret_ns = ns < 0 ? 0 : (uint64_t)ns;
    return is_good ? HF_OK : wrong(reading, value, "a time such as 2006-01-02T15:04:05.000001Z");
}

/* Digits of a fraction as nanoseconds; what is beyond nine is refused. */
static bool fraction_of(struct hf_slice digits, int64_t *ret_ns)
{
    *ret_ns = 0;
    for (size_t i = 0; i < 9; i++) {
        uint8_t digit = i < digits.size ? digits.data[i] : '0';
        if (digit < '0' || digit > '9') {
            return false;
        }
        *ret_ns = *ret_ns * 10 + (digit - '0');
    }
    return digits.size != 0 && digits.size <= 9;
}

/* "1.5s" */
static bool duration_of(struct hf_slice text, int64_t *ret_ns)
{
    uint64_t seconds = 0;
    int64_t fraction = 0;
    bool is_negative = text.size != 0 && text.data[0] == '-';
    if (text.size < 2 || text.data[text.size - 1] != 's') {
        return false;
    }
    text = hf_slice_of(text.data + is_negative, text.size - 1 - is_negative);
    const uint8_t *point = memchr(text.data, '.', text.size);
    size_t whole = point != NULL ? (size_t)(point - text.data) : text.size;
    for (size_t i = 0; i < whole; i++) {
        uint8_t digit = text.data[i];
        if (digit < '0' || digit > '9' || seconds > (uint64_t)SECONDS_MAX) {
            return false;
        }
        seconds = seconds * 10 + (digit - '0');
    }
    if (whole == 0 || seconds > (uint64_t)SECONDS_MAX ||
        (point != NULL && !fraction_of(hf_slice_of(point + 1, text.size - whole - 1), &fraction))) {
        return false;
    }
    int64_t ns = (int64_t)seconds * NS_PER_S + fraction;
    *ret_ns = is_negative ? -ns : ns;
    return true;
}

static enum hf_status read_duration(struct hf_jaeger_reading *reading, const struct hf_json *value,
                                    int64_t *ret_ns)
{
    bool is_good = value->kind == HF_JSON_STRING && duration_of(value->text, ret_ns);
    return is_good ? HF_OK : wrong(reading, value, "a duration such as 0.000001s");
}

/* ---- messages ---- */

/* Shows each member but null to `read`. */
static enum hf_status each_member(struct hf_jaeger_reading *reading, const struct hf_json *value,
                                  enum hf_status (*read)(struct hf_jaeger_reading *reading,
                                                         const struct hf_json *member,
                                                         void *target),
                                  void *target)
{
    enum hf_status status = HF_OK;
    if (value->kind != HF_JSON_MAP) {
        return wrong(reading, value, "an object");
    }
    for (const struct hf_json *one = hf_json_first(value); one != NULL && status == HF_OK;
         one = one->next) {
        status = one->kind == HF_JSON_NULL ? HF_OK : read(reading, one, target);
    }
    return status;
}

/* Elements of a list, which the value must be. */
static enum hf_status count_elements(struct hf_jaeger_reading *reading, const struct hf_json *value,
                                     size_t *ret_count)
{
    *ret_count = 0;
    for (const struct hf_json *one = hf_json_first(value); one != NULL; one = one->next) {
        ++*ret_count;
    }
    return value->kind == HF_JSON_LIST ? HF_OK : wrong(reading, value, "a list");
}

/* A tag has a field for each kind of value, of which `type` names the one that counts. */
struct tag_fields {
    struct hf_slice key, text, binary;
    uint32_t type;
    bool flag;
    int64_t integer;
    double number;
};

static enum hf_status read_tag_field(struct hf_jaeger_reading *reading, const struct hf_json *value,
                                     void *target)
{
    static const char *const types[] = {"STRING", "BOOL", "INT64", "FLOAT64", "BINARY"};
    struct tag_fields *tag = target;
    if (hf_slice_is(value->key, "key")) {
        return read_text(reading, value, &tag->key);
    }
    if (is_named(value, "vType", "v_type")) {
        return read_name(reading, value, types, sizeof(types) / sizeof(types[0]), &tag->type);
    }
    if (is_named(value, "vStr", "v_str")) {
        return read_text(reading, value, &tag->text);
    }
    if (is_named(value, "vBool", "v_bool")) {
        return read_bool(reading, value, &tag->flag);
    }
    if (is_named(value, "vInt64", "v_int64")) {
        return read_integer(reading, value, &tag->integer);
    }
    if (is_named(value, "vFloat64", "v_float64")) {
        return read_double(reading, value, &tag->number);
    }
    if (is_named(value, "vBinary", "v_binary")) {
        return read_bytes(reading, value, &tag->binary);
    }
    return unknown(reading, value, "KeyValue");
}

static enum hf_status read_tags(struct hf_jaeger_reading *reading, const struct hf_json *value,
                                struct hf_jaeger_tags *tags)
{
    size_t count = 0;
    enum hf_status status = count_elements(reading, value, &count);
    tags->items = hf_jaeger_take(reading, &reading->arena, (count + 1) * sizeof(*tags->items));
    tags->count = 0;
    if (tags->items == NULL) {
        return HF_TOO_LARGE;
    }
    for (const struct hf_json *one = hf_json_first(value); one != NULL && status == HF_OK;
         one = one->next) {
        struct tag_fields fields = {.type = HF_JAEGER_STRING};
        status = each_member(reading, one, read_tag_field, &fields);
        tags->items[tags->count++] = (struct hf_jaeger_tag){
            .key = fields.key,
            .type = (enum hf_jaeger_type)fields.type,
            .text = fields.type == HF_JAEGER_BINARY ? fields.binary : fields.text,
            .integer = fields.type == HF_JAEGER_BOOL ? fields.flag : fields.integer,
            .number = fields.number};
    }
    return status;
}

static enum hf_status read_log_field(struct hf_jaeger_reading *reading, const struct hf_json *value,
                                     void *target)
{
    struct hf_jaeger_log *log = target;
    if (hf_slice_is(value->key, "timestamp")) {
        return read_time(reading, value, &log->time_ns);
    }
    if (hf_slice_is(value->key, "fields")) {
        return read_tags(reading, value, &log->fields);
    }
    return unknown(reading, value, "Log");
}

static enum hf_status read_logs(struct hf_jaeger_reading *reading, const struct hf_json *value,
                                struct hf_jaeger_span *span)
{
    size_t count = 0;
    enum hf_status status = count_elements(reading, value, &count);
    span->logs = hf_jaeger_take(reading, &reading->arena, (count + 1) * sizeof(*span->logs));
    span->log_count = 0;
    if (span->logs == NULL) {
        return HF_TOO_LARGE;
    }
    for (const struct hf_json *one = hf_json_first(value); one != NULL && status == HF_OK;
         one = one->next) {
        status = each_member(reading, one, read_log_field, &span->logs[span->log_count++]);
    }
    return status;
}

static enum hf_status read_reference_field(struct hf_jaeger_reading *reading,
                                           const struct hf_json *value, void *target)
{
    static const char *const types[] = {"CHILD_OF", "FOLLOWS_FROM"};
    struct hf_jaeger_reference *reference = target;
    if (is_named(value, "traceId", "trace_id")) {
        return read_id(reading, value, reference->trace_id, 16);
    }
    if (is_named(value, "spanId", "span_id")) {
        return read_id(reading, value, reference->span_id, 8);
    }
    if (is_named(value, "refType", "ref_type")) {
        uint32_t type = 0;
        enum hf_status status = read_name(reading, value, types, 2, &type);
        reference->follows = type == 1;
        return status;
    }
    return unknown(reading, value, "SpanRef");
}

static enum hf_status read_references(struct hf_jaeger_reading *reading,
                                      const struct hf_json *value, struct hf_jaeger_span *span)
{
    size_t count = 0;
    enum hf_status status = count_elements(reading, value, &count);
    span->references =
        hf_jaeger_take(reading, &reading->arena, (count + 1) * sizeof(*span->references));
    span->reference_count = 0;
    if (span->references == NULL) {
        return HF_TOO_LARGE;
    }
    for (const struct hf_json *one = hf_json_first(value); one != NULL && status == HF_OK;
         one = one->next) {
        status = each_member(reading, one, read_reference_field,
                             &span->references[span->reference_count++]);
    }
    return status;
}

static enum hf_status read_process_field(struct hf_jaeger_reading *reading,
                                         const struct hf_json *value, void *target)
{
    struct hf_jaeger_process *process = target;
    if (is_named(value, "serviceName", "service_name")) {
        return read_text(reading, value, &process->service);
    }
    if (hf_slice_is(value->key, "tags")) {
        return read_tags(reading, value, &process->tags);
    }
    return unknown(reading, value, "Process");
}

static enum hf_status read_process(struct hf_jaeger_reading *reading, const struct hf_json *value,
                                   struct hf_jaeger_span *span)
{
    struct hf_jaeger_process *process = hf_jaeger_take(reading, &reading->arena, sizeof(*process));
    if (process == NULL) {
        return HF_TOO_LARGE;
    }
    enum hf_status status = each_member(reading, value, read_process_field, process);
    hf_jaeger_tags_settle(&process->tags);
    span->process = process;
    return status;
}

/* The span, and what is not in it as it comes. */
struct span_fields {
    struct hf_jaeger_span *span;
    int64_t duration_ns;
};

static enum hf_status read_plain_field(struct hf_jaeger_reading *reading,
                                       const struct hf_json *value, struct span_fields *fields)
{
    struct hf_slice ignored;
    if (is_named(value, "operationName", "operation_name")) {
        return read_text(reading, value, &fields->span->name);
    }
    if (hf_slice_is(value->key, "flags")) {
        int64_t flags = 0;
        enum hf_status status = read_integer(reading, value, &flags);
        fields->span->is_sampled = (flags & 1) != 0;
        return status;
    }
    if (is_named(value, "startTime", "start_time")) {
        return read_time(reading, value, &fields->span->start_ns);
    }
    if (hf_slice_is(value->key, "duration")) {
        return read_duration(reading, value, &fields->duration_ns);
    }
    if (is_named(value, "processId", "process_id")) {
        return read_text(reading, value, &ignored); /* of Jaeger's interface, in lists of spans */
    }
    if (hf_slice_is(value->key, "warnings")) {
        size_t count;
        return count_elements(reading, value, &count); /* of Jaeger's interface */
    }
    return unknown(reading, value, "Span");
}

static enum hf_status read_span_field(struct hf_jaeger_reading *reading,
                                      const struct hf_json *value, void *target)
{
    struct span_fields *fields = target;
    struct hf_jaeger_span *span = fields->span;
    if (is_named(value, "traceId", "trace_id")) {
        return read_id(reading, value, span->trace_id, 16);
    }
    if (is_named(value, "spanId", "span_id")) {
        return read_id(reading, value, span->span_id, 8);
    }
    if (hf_slice_is(value->key, "references")) {
        return read_references(reading, value, span);
    }
    if (hf_slice_is(value->key, "tags")) {
        return read_tags(reading, value, &span->tags);
    }
    if (hf_slice_is(value->key, "logs")) {
        return read_logs(reading, value, span);
    }
    if (hf_slice_is(value->key, "process")) {
        return read_process(reading, value, span);
    }
    return read_plain_field(reading, value, fields);
}

enum hf_status hf_jaeger_read_json(struct hf_jaeger_reading *reading, struct hf_slice text)
{
    char error[HF_JSON_ERROR_MAX] = "";
    const struct hf_json *value = NULL;
    struct hf_jaeger_span *span = hf_jaeger_take(reading, &reading->arena, sizeof(*span));
    enum hf_status status =
        span != NULL ? hf_json_read(text, &reading->arena, &value, error) : HF_TOO_LARGE;
    if (status != HF_OK) {
        (void)hf_jaeger_fault(reading, error[0] != '\0' ? error : "it needs too much memory");
        return status;
    }
    if (value->kind != HF_JSON_MAP) {
        return hf_jaeger_fault(reading, "it is not a JSON object");
    }
    if (value->first == NULL) {
        return HF_OK; /* no span, as no bytes are none */
    }
    struct span_fields fields = {.span = span};
    span->has_scope_tags = true;
    status = each_member(reading, value, read_span_field, &fields);
    span->end_ns = span->start_ns + (uint64_t)fields.duration_ns;
    return status == HF_OK ? hf_jaeger_add(reading, span) : status;
}
