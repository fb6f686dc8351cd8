#include "hec.h"

#include <stdio.h>
#include <string.h>

#include "hec_body.h"
#include "hec_value.h"
#include "pdata/build_metrics.h"
#include "pdata/json_value.h"

#define TREE_FACTOR 4 /* memory of an event as a tree, or as values, to the largest text */
#define ARENA_KEPT_BYTES ((size_t)256 << 10)
#define NAME_PREFIX "metric_name:"
#define TOKEN_KEY "com.splunk.hec.access_token"

/* From here on a time is not in seconds, in milliseconds, in microseconds. */
#define MILLISECONDS_MIN 1e10
#define MICROSECONDS_MIN 1e13
#define NANOSECONDS_MIN 1e16
#define NS_MAX 1.8e19

struct origin {
    struct hf_slice source, sourcetype, index, host;
};

/* What one signal's builder has open. */
struct out {
    struct hf_builder *builder; /* NULL: no pipeline */
    struct hf_bytes origin;     /* of the resource that is open, as text */
    bool is_open;
};

struct work {
    const struct hf_hec_options *options;
    struct out logs, metrics;
    struct hf_arena tree; /* of one event, as all below */
    struct hf_arena values;
    struct hf_any_maker maker;
    struct hf_bytes text, origin;
    struct hf_hec_fault *fault;
};

struct event {
    struct origin origin;
    uint64_t time_ns;
    const struct hf_json *event; /* NULL: none, or null */
    struct hf_hec_member *fields;
    size_t field_count;
    size_t value_count; /* of metrics among the fields */
    bool has_name;      /* one value, whose name is a field of its own */
};

static enum hf_status fault(struct work *work, enum hf_hec_code code, const char *sentence)
{
    work->fault->code = code;
    snprintf(work->fault->text, HF_HEC_ERROR_MAX, "event %zu: %s", work->fault->event, sentence);
    return HF_INVALID;
}

static enum hf_status too_large(struct work *work)
{
    (void)fault(work, HF_HEC_INVALID_FORMAT, "it is larger than 16 MiB, or has too many parts");
    return HF_TOO_LARGE;
}

uint64_t hf_hec_time_ns(double time)
{
    uint64_t factor = time >= NANOSECONDS_MIN    ? 1
                      : time >= MICROSECONDS_MIN ? 1000
                      : time >= MILLISECONDS_MIN ? 1000000
                                                 : 1000000000;
    double ns = time * (double)factor;
    if (!(time > 0 && ns < NS_MAX)) {
        return 0;
    }
    uint64_t whole = (uint64_t)time;
    return (double)whole == time ? whole * factor : (uint64_t)ns;
}

/* ---- resources ---- */

static void write_origin(struct hf_builder *builder, const struct origin *origin,
                         const struct hf_hec_options *options)
{
    const struct {
        const char *key;
        struct hf_slice text;
    } pairs[] = {
        {options->keys.host, origin->host},
        {options->keys.source, origin->source},
        {options->keys.sourcetype, origin->sourcetype},
        {options->keys.index, origin->index},
        {TOKEN_KEY, options->token},
    };
    hf_build_resource(builder, HF_EMPTY_SLICE);
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        if (pairs[i].text.size != 0) {
            hf_build_attribute_string(builder, hf_slice_text(pairs[i].key), pairs[i].text);
        }
    }
    hf_build_scope(builder, HF_EMPTY_SLICE, HF_EMPTY_SLICE);
}

/* One text for each origin: sizes, then what they are of. */
static enum hf_status name_origin(const struct origin *origin, struct hf_bytes *text)
{
    const struct hf_slice parts[] = {origin->host, origin->source, origin->sourcetype,
                                     origin->index};
    enum hf_status status = HF_OK;
    text->size = 0;
    for (size_t i = 0; i < 4 && status == HF_OK; i++) {
        status = hf_bytes_append(text, hf_slice_of(&parts[i].size, sizeof(parts[i].size)));
    }
    for (size_t i = 0; i < 4 && status == HF_OK; i++) {
        status = hf_bytes_append(text, parts[i]);
    }
    return status;
}

/* Opens the resource of the event, unless it is that of the event before. */
static enum hf_status open_resource(struct work *work, struct out *out, const struct origin *origin)
{
    enum hf_status status = name_origin(origin, &work->origin);
    if (status != HF_OK ||
        (out->is_open && hf_slice_equal(hf_slice_of(work->origin.data, work->origin.size),
                                        hf_slice_of(out->origin.data, out->origin.size)))) {
        return status;
    }
    struct hf_bytes before = out->origin;
    out->origin = work->origin;
    work->origin = before;
    out->is_open = true;
    write_origin(out->builder, origin, work->options);
    return HF_OK;
}

/* ---- one event ---- */

static enum hf_status read_text(struct work *work, const struct hf_json *event, const char *key,
                                struct hf_slice *ret_text)
{
    const struct hf_json *value = hf_json_get(event, key);
    if (value != NULL && value->kind != HF_JSON_STRING && value->kind != HF_JSON_NULL) {
        char sentence[64];
        snprintf(sentence, sizeof(sentence), "%s is not a string", key);
        return fault(work, HF_HEC_INVALID_FORMAT, sentence);
    }
    *ret_text = hf_json_text(value);
    return HF_OK;
}

static enum hf_status read_time(struct work *work, const struct hf_json *value, uint64_t *ret_ns)
{
    double time = 0;
    if (value != NULL && value->kind == HF_JSON_STRING) {
        if (!hf_json_read_double(value->text, false, &time)) {
            return fault(work, HF_HEC_INVALID_FORMAT, "time is not a number");
        }
    } else if (value != NULL && value->kind == HF_JSON_INT) {
        time = (double)value->integer;
    } else if (value != NULL && value->kind == HF_JSON_DOUBLE) {
        time = value->number;
    }
    *ret_ns = hf_hec_time_ns(time);
    return HF_OK;
}

static bool is_flat(const struct hf_json *value)
{
    if (value->kind == HF_JSON_MAP) {
        return false;
    }
    for (const struct hf_json *one = hf_json_first(value); one != NULL; one = one->next) {
        if (one->kind == HF_JSON_MAP || one->kind == HF_JSON_LIST) {
            return false;
        }
    }
    return true;
}

static bool is_name_start(uint8_t byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte == '.' ||
           byte == ':';
}

/* The name of a metric in the key of a field, as Splunk allows it: of letters, digits, underscores,
 * dots and colons, neither a digit nor an underscore first. Empty: it is none. */
static struct hf_slice metric_name(struct hf_slice key)
{
    size_t prefix = strlen(NAME_PREFIX);
    if (key.size <= prefix || memcmp(key.data, NAME_PREFIX, prefix) != 0) {
        return HF_EMPTY_SLICE;
    }
    struct hf_slice name = hf_slice_of(key.data + prefix, key.size - prefix);
    bool good = is_name_start(name.data[0]) &&
                memmem(name.data, name.size, "metric_name", strlen("metric_name")) == NULL;
    for (size_t i = 0; i < name.size && good; i++) {
        uint8_t byte = name.data[i];
        good = is_name_start(byte) || byte == '_' || (byte >= '0' && byte <= '9');
    }
    return good ? name : HF_EMPTY_SLICE;
}

static enum hf_status read_fields(struct work *work, const struct hf_json *fields,
                                  struct event *event)
{
    if (fields != NULL && fields->kind != HF_JSON_MAP && fields->kind != HF_JSON_NULL) {
        return fault(work, HF_HEC_INVALID_FORMAT, "fields is not an object");
    }
    if (!hf_hec_members(fields, &work->tree, &event->fields, &event->field_count)) {
        return too_large(work);
    }
    for (size_t i = 0; i < event->field_count; i++) {
        const struct hf_json *field = event->fields[i].value;
        if (!is_flat(field)) {
            return fault(work, HF_HEC_FIELDS, "a field is an object, or a list of more than texts");
        }
        event->has_name = event->has_name || hf_slice_is(field->key, "metric_name");
        event->value_count += metric_name(field->key).size != 0;
    }
    return HF_OK;
}

static enum hf_status read_event(struct work *work, const struct hf_json *from,
                                 struct event *ret_event)
{
    struct event event = {.event = hf_json_get(from, "event")};
    if (event.event != NULL && event.event->kind == HF_JSON_NULL) {
        event.event = NULL;
    }
    enum hf_status status = read_text(work, from, "host", &event.origin.host);
    status = status == HF_OK ? read_text(work, from, "source", &event.origin.source) : status;
    status =
        status == HF_OK ? read_text(work, from, "sourcetype", &event.origin.sourcetype) : status;
    status = status == HF_OK ? read_text(work, from, "index", &event.origin.index) : status;
    status = status == HF_OK ? read_time(work, hf_json_get(from, "time"), &event.time_ns) : status;
    status = status == HF_OK ? read_fields(work, hf_json_get(from, "fields"), &event) : status;
    *ret_event = event;
    return status;
}

/* ---- log records ---- */

static void write_field(struct work *work, const struct hf_json *field)
{
    struct hf_builder *builder = work->logs.builder;
    if (field->kind == HF_JSON_STRING) {
        hf_build_attribute_string(builder, field->key, field->text);
    } else {
        hf_build_attribute_value(builder, field->key, hf_hec_value(&work->maker, field));
    }
}

static enum hf_status write_log(struct work *work, const struct event *event)
{
    struct hf_builder *builder = work->logs.builder;
    struct hf_slice body = HF_EMPTY_SLICE;
    if (event->event->kind != HF_JSON_STRING) {
        body = hf_hec_value(&work->maker, event->event);
        if (work->maker.failed) {
            return too_large(work);
        }
        if (hf_any_depth(body) > HF_ANY_DEPTH_MAX) {
            return fault(work, HF_HEC_INVALID_FORMAT, "it has too many levels");
        }
    }
    const struct hf_build_log_record record = {.time_ns = event->time_ns,
                                               .observed_ns = work->options->now_ns};
    enum hf_status status = open_resource(work, &work->logs, &event->origin);
    if (status != HF_OK) {
        return status;
    }
    hf_build_log_record(builder, &record);
    if (event->event->kind == HF_JSON_STRING) {
        hf_build_body_string(builder, event->event->text);
    } else {
        hf_build_body_value(builder, body);
    }
    for (size_t i = 0; i < event->field_count; i++) {
        write_field(work, event->fields[i].value);
    }
    hf_build_end(builder);
    return work->maker.failed ? too_large(work) : HF_OK;
}

static enum hf_status take_log(struct work *work, const struct event *event)
{
    if (event->event == NULL) {
        return fault(work, HF_HEC_EVENT_REQUIRED, "it has no event");
    }
    if (event->event->kind == HF_JSON_STRING && event->event->text.size == 0) {
        return fault(work, HF_HEC_EVENT_BLANK, "its event is empty");
    }
    if (work->logs.builder == NULL) {
        return fault(work, HF_HEC_NO_LOGS, "it is no metric, and there is no pipeline for logs");
    }
    return write_log(work, event);
}

/* ---- metrics ---- */

/* Labels: every field but those that are values. */
static enum hf_status write_labels(struct work *work, const struct event *event)
{
    for (size_t i = 0; i < event->field_count; i++) {
        const struct hf_json *field = event->fields[i].value;
        bool is_label = field->key.size != 0 && field->kind != HF_JSON_NULL &&
                        !hf_slice_is(field->key, "_value") &&
                        (field->key.size < strlen("metric_name") ||
                         memcmp(field->key.data, "metric_name", strlen("metric_name")) != 0);
        if (!is_label) {
            continue;
        }
        work->text.size = 0;
        enum hf_status status = hf_hec_print(field, &work->text);
        if (status != HF_OK) {
            return status;
        }
        hf_build_attribute_string(work->metrics.builder, field->key,
                                  hf_slice_of(work->text.data, work->text.size));
    }
    return HF_OK;
}

static enum hf_status write_point(struct work *work, const struct event *event,
                                  struct hf_slice name, const struct hf_json *value)
{
    struct hf_builder *builder = work->metrics.builder;
    const struct hf_build_metric metric = {.name = name, .kind = HF_BUILD_GAUGE};
    const struct hf_build_point point = {.time_ns = event->time_ns};
    double number = 0;
    bool is_whole = value != NULL && value->kind == HF_JSON_INT;
    bool is_exact = is_whole && hf_hec_is_exact(value->integer);
    bool good = is_whole || (value != NULL && value->kind == HF_JSON_DOUBLE);
    if (is_whole) {
        number = (double)value->integer;
    } else if (good) {
        number = value->number;
    } else if (value != NULL && value->kind == HF_JSON_STRING) {
        good = hf_json_read_double(value->text, true, &number);
    }
    if (!good) {
        return fault(work, HF_HEC_FIELDS, "the value of a metric is not a number");
    }
    hf_build_metric(builder, &metric);
    if (is_whole && !is_exact) {
        hf_build_point_int(builder, &point, value->integer);
    } else {
        hf_build_point_double(builder, &point, number);
    }
    enum hf_status status = write_labels(work, event);
    hf_build_end(builder);
    return status;
}

static const struct hf_json *field_of(const struct event *event, const char *key)
{
    for (size_t i = 0; i < event->field_count; i++) {
        if (hf_slice_is(event->fields[i].value->key, key)) {
            return event->fields[i].value;
        }
    }
    return NULL;
}

/* The older form: the fields metric_name and _value. */
static enum hf_status write_named(struct work *work, const struct event *event)
{
    struct hf_slice name = hf_json_text(field_of(event, "metric_name"));
    if (name.size == 0) {
        return fault(work, HF_HEC_FIELDS, "metric_name is not a string");
    }
    return write_point(work, event, name, field_of(event, "_value"));
}

static enum hf_status take_metric(struct work *work, const struct event *event)
{
    if (work->metrics.builder == NULL) {
        return fault(work, HF_HEC_NO_METRICS, "it is a metric, and there is no pipeline for them");
    }
    if (!event->has_name && event->value_count == 0) {
        return fault(work, HF_HEC_FIELDS, "it is a metric without a value");
    }
    enum hf_status status = open_resource(work, &work->metrics, &event->origin);
    if (status == HF_OK && event->has_name) {
        return write_named(work, event);
    }
    for (size_t i = 0; i < event->field_count && status == HF_OK; i++) {
        struct hf_slice name = metric_name(event->fields[i].value->key);
        status = name.size != 0 ? write_point(work, event, name, event->fields[i].value) : HF_OK;
    }
    return status;
}

/* ---- bodies ---- */

static enum hf_status take_event(struct work *work, struct hf_slice text)
{
    char error[HF_JSON_ERROR_MAX] = "";
    const struct hf_json *from = NULL;
    struct event event;
    if (text.size > HF_HEC_EVENT_BYTES_MAX) {
        return too_large(work);
    }
    enum hf_status status = hf_json_read(text, &work->tree, &from, error);
    if (status == HF_INVALID) {
        return fault(work, HF_HEC_INVALID_FORMAT, error);
    }
    if (status != HF_OK) {
        return status == HF_TOO_LARGE ? too_large(work) : status;
    }
    status = read_event(work, from, &event);
    if (status != HF_OK) {
        return status;
    }
    bool is_metric = event.has_name || event.value_count != 0 ||
                     hf_slice_is(hf_json_text(event.event), "metric");
    return is_metric ? take_metric(work, &event) : take_log(work, &event);
}

static enum hf_status read_events(struct work *work, struct hf_slice text)
{
    struct hf_hec_body body = {.rest = text};
    struct hf_slice event;
    for (size_t count = 0;; count++) {
        enum hf_hec_cut cut = hf_hec_cut(&body, &event);
        if (cut == HF_HEC_CUT_END) {
            return HF_OK;
        }
        work->fault->event = count;
        if (cut == HF_HEC_CUT_BAD) {
            return fault(work, HF_HEC_INVALID_FORMAT,
                         "it is not a JSON object, or not a whole one");
        }
        enum hf_status status = take_event(work, event);
        if (status != HF_OK) {
            return status;
        }
        hf_arena_rewind(&work->tree, ARENA_KEPT_BYTES);
        hf_arena_rewind(&work->values, ARENA_KEPT_BYTES);
    }
}

enum hf_status hf_hec_read(struct hf_slice body, const struct hf_hec_options *options,
                           struct hf_builder *logs, struct hf_builder *metrics,
                           struct hf_hec_fault *reterr)
{
    struct work work = {
        .options = options,
        .logs = {.builder = logs},
        .metrics = {.builder = metrics},
        .tree = {.limit = HF_HEC_EVENT_BYTES_MAX * TREE_FACTOR},
        .values = {.limit = HF_HEC_EVENT_BYTES_MAX * TREE_FACTOR},
        .fault = reterr,
    };
    work.maker.arena = &work.values;
    *reterr = (struct hf_hec_fault){.code = HF_HEC_SUCCESS};
    enum hf_status status = read_events(&work, body);
    hf_arena_release(&work.tree);
    hf_arena_release(&work.values);
    hf_bytes_release(&work.text);
    hf_bytes_release(&work.origin);
    hf_bytes_release(&work.logs.origin);
    hf_bytes_release(&work.metrics.origin);
    return status;
}

static void write_line(struct hf_builder *logs, const struct hf_build_log_record *record,
                       struct hf_slice line)
{
    hf_build_log_record(logs, record);
    hf_build_body_string(logs, line);
    hf_build_end(logs);
}

void hf_hec_read_raw(struct hf_slice body, const struct hf_hec_raw *raw,
                     const struct hf_hec_options *options, struct hf_builder *logs)
{
    const struct origin origin = {raw->source, raw->sourcetype, raw->index, raw->host};
    const struct hf_build_log_record record = {.time_ns = raw->time_ns,
                                               .observed_ns = options->now_ns};
    struct hf_slice rest = body;
    write_origin(logs, &origin, options);
    if (!raw->splits_lines) {
        write_line(logs, &record, body);
        return;
    }
    while (rest.size != 0) {
        const uint8_t *end = memchr(rest.data, '\n', rest.size);
        size_t size = end != NULL ? (size_t)(end - rest.data) : rest.size;
        size_t step = end != NULL ? size + 1 : size;
        size -= size != 0 && rest.data[size - 1] == '\r';
        write_line(logs, &record, hf_slice_of(rest.data, size));
        rest = hf_slice_of(rest.data + step, rest.size - step);
    }
}
