#include "path.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#include "path_internal.h"

static const char *const context_names[HF_PATH_CONTEXT_COUNT] = {
    "resource", "scope", "span", "spanevent", "metric", "datapoint", "exemplar", "log", "profile"};

/* ---- every path ---- */

#define ROW(context_, name_, kind_, access_, ...)                                                  \
    {                                                                                              \
        .context = HF_PATH_##context_, .name = (name_), .kind = HF_PATH_##kind_,                   \
        .access = HF_ACCESS_##access_, __VA_ARGS__                                                 \
    }

/* A scalar of the same name as in the schema. */
#define PLAIN(context_, name_, kind_) ROW(context_, name_, kind_, SCALAR, .field = (name_))

/* "time" and "time_unix_nano". */
#define TIME(context_, name_)                                                                      \
    ROW(context_, name_, TIME, SCALAR, .field = name_ "_unix_nano"),                               \
        ROW(context_, name_ "_unix_nano", INT, SCALAR, .field = name_ "_unix_nano")

/* "trace_id" and "trace_id.string". */
#define ID(context_, name_, kind_)                                                                 \
    ROW(context_, name_, kind_, ID, .field = (name_)),                                             \
        ROW(context_, name_ ".string", STRING, ID_TEXT, .field = (name_))

#define ATTRIBUTES(context_) ROW(context_, "attributes", MAP, ATTRIBUTES, .field = "attributes")

#define BUCKETS(name_)                                                                             \
    ROW(DATAPOINT, name_, OBJECT, OBJECT, .field = (name_)),                                       \
        ROW(DATAPOINT, name_ ".offset", INT, SCALAR, .outer = (name_), .field = "offset"),         \
        ROW(DATAPOINT, name_ ".bucket_counts", LIST, NUMBERS, .outer = (name_),                    \
            .field = "bucket_counts")

/* The type and unit of what a profile has. */
#define TABLE_TEXTS(name_)                                                                         \
    ROW(PROFILE, name_, OBJECT, OBJECT, .field = (name_)),                                         \
        ROW(PROFILE, name_ ".type", STRING, TABLE_TEXT, .outer = (name_),                          \
            .field = "type_strindex"),                                                             \
        ROW(PROFILE, name_ ".unit", STRING, TABLE_TEXT, .outer = (name_),                          \
            .field = "unit_strindex")

static const struct hf_path_row rows[] = {
    ATTRIBUTES(RESOURCE),
    PLAIN(RESOURCE, "dropped_attributes_count", INT),
    ROW(RESOURCE, "schema_url", STRING, SCALAR, .base = HF_BASE_GROUP, .field = "schema_url"),

    PLAIN(SCOPE, "name", STRING),
    PLAIN(SCOPE, "version", STRING),
    ATTRIBUTES(SCOPE),
    PLAIN(SCOPE, "dropped_attributes_count", INT),
    ROW(SCOPE, "schema_url", STRING, SCALAR, .base = HF_BASE_GROUP, .field = "schema_url"),

    ID(SPAN, "trace_id", TRACE_ID),
    ID(SPAN, "span_id", SPAN_ID),
    ID(SPAN, "parent_span_id", SPAN_ID),
    ROW(SPAN, "trace_state", STRING, STATE, .field = "trace_state"),
    PLAIN(SPAN, "name", STRING),
    PLAIN(SPAN, "kind", INT),
    ROW(SPAN, "kind.string", STRING, KIND, .field = "kind"),
    ROW(SPAN, "kind.deprecated_string", STRING, OLD_KIND, .field = "kind"),
    ROW(SPAN, "status", OBJECT, OBJECT, .field = "status"),
    ROW(SPAN, "status.code", INT, SCALAR, .outer = "status", .field = "code"),
    ROW(SPAN, "status.message", STRING, SCALAR, .outer = "status", .field = "message"),
    TIME(SPAN, "start_time"),
    TIME(SPAN, "end_time"),
    ATTRIBUTES(SPAN),
    ROW(SPAN, "events", OBJECTS, OBJECT, .field = "events"),
    ROW(SPAN, "links", OBJECTS, OBJECT, .field = "links"),
    PLAIN(SPAN, "dropped_attributes_count", INT),
    PLAIN(SPAN, "dropped_events_count", INT),
    PLAIN(SPAN, "dropped_links_count", INT),
    PLAIN(SPAN, "flags", INT),

    PLAIN(SPANEVENT, "name", STRING),
    ATTRIBUTES(SPANEVENT),
    TIME(SPANEVENT, "time"),
    PLAIN(SPANEVENT, "dropped_attributes_count", INT),
    ROW(SPANEVENT, "event_index", INT, EVENT_INDEX, .field = NULL),

    PLAIN(METRIC, "name", STRING),
    PLAIN(METRIC, "description", STRING),
    PLAIN(METRIC, "unit", STRING),
    ROW(METRIC, "type", INT, TYPE, .field = NULL),
    ROW(METRIC, "aggregation_temporality", INT, SCALAR, .base = HF_BASE_DATA,
        .field = "aggregation_temporality"),
    ROW(METRIC, "is_monotonic", BOOL, SCALAR, .base = HF_BASE_DATA, .field = "is_monotonic"),
    ROW(METRIC, "data_points", OBJECTS, OBJECT, .base = HF_BASE_DATA, .field = "data_points"),
    ROW(METRIC, "metadata", MAP, ATTRIBUTES, .field = "metadata"),

    ATTRIBUTES(DATAPOINT),
    TIME(DATAPOINT, "time"),
    TIME(DATAPOINT, "start_time"),
    PLAIN(DATAPOINT, "flags", INT),
    ROW(DATAPOINT, "exemplars", OBJECTS, OBJECT, .field = "exemplars"),
    ROW(DATAPOINT, "value_int", INT, CHOICE, .field = "as_int"),
    ROW(DATAPOINT, "value_double", DOUBLE, CHOICE, .field = "as_double"),
    PLAIN(DATAPOINT, "count", INT),
    PLAIN(DATAPOINT, "sum", DOUBLE),
    ROW(DATAPOINT, "bucket_counts", LIST, NUMBERS, .field = "bucket_counts"),
    ROW(DATAPOINT, "explicit_bounds", LIST, NUMBERS, .field = "explicit_bounds"),
    PLAIN(DATAPOINT, "scale", INT),
    PLAIN(DATAPOINT, "zero_count", INT),
    BUCKETS("positive"),
    BUCKETS("negative"),
    ROW(DATAPOINT, "quantile_values", OBJECTS, OBJECT, .field = "quantile_values"),

    TIME(EXEMPLAR, "time"),
    ROW(EXEMPLAR, "double_value", DOUBLE, CHOICE, .field = "as_double"),
    ROW(EXEMPLAR, "int_value", INT, CHOICE, .field = "as_int"),
    ID(EXEMPLAR, "trace_id", TRACE_ID),
    ID(EXEMPLAR, "span_id", SPAN_ID),
    ROW(EXEMPLAR, "filtered_attributes", MAP, ATTRIBUTES, .field = "filtered_attributes"),

    ROW(LOG, "body", VALUE, VALUE, .field = "body"),
    ROW(LOG, "body.string", STRING, VALUE_TEXT, .field = "body"),
    PLAIN(LOG, "severity_number", INT),
    PLAIN(LOG, "severity_text", STRING),
    ATTRIBUTES(LOG),
    PLAIN(LOG, "flags", INT),
    PLAIN(LOG, "dropped_attributes_count", INT),
    TIME(LOG, "time"),
    TIME(LOG, "observed_time"),
    ID(LOG, "trace_id", TRACE_ID),
    ID(LOG, "span_id", SPAN_ID),
    PLAIN(LOG, "event_name", STRING),

    TABLE_TEXTS("sample_type"),
    ROW(PROFILE, "samples", OBJECTS, OBJECT, .field = "samples"),
    ROW(PROFILE, "sample", OBJECTS, OBJECT, .field = "samples"),
    TIME(PROFILE, "time"),
    ROW(PROFILE, "duration", INT, SCALAR, .field = "duration_nano"),
    ROW(PROFILE, "duration_unix_nano", INT, SCALAR, .field = "duration_nano"),
    TABLE_TEXTS("period_type"),
    PLAIN(PROFILE, "period", INT),
    ID(PROFILE, "profile_id", TRACE_ID),
    ROW(PROFILE, "attribute_indices", LIST, NUMBERS, .field = "attribute_indices"),
    PLAIN(PROFILE, "dropped_attributes_count", INT),
    ROW(PROFILE, "original_payload_format", STRING, UNSCANNED_TEXT,
        .field = "original_payload_format"),
    ROW(PROFILE, "attributes", MAP, TABLE_ATTRIBUTES, .field = "attribute_indices"),
};

#define ROW_COUNT (sizeof(rows) / sizeof(rows[0]))

const struct hf_path_name *hf_path_each(size_t index, struct hf_path_name *room)
{
    if (index >= ROW_COUNT) {
        return NULL;
    }
    *room = (struct hf_path_name){rows[index].context, rows[index].name};
    return room;
}

/* ---- compiling ---- */

const char *hf_path_context_name(enum hf_path_context context)
{
    return context_names[context];
}

bool hf_path_context_find(struct hf_slice name, enum hf_path_context *ret_context)
{
    if (hf_slice_is(name, "instrumentation_scope")) {
        *ret_context = HF_PATH_SCOPE;
        return true;
    }
    for (int i = 0; i < HF_PATH_CONTEXT_COUNT; i++) {
        if (hf_slice_is(name, context_names[i])) {
            *ret_context = (enum hf_path_context)i;
            return true;
        }
    }
    return false;
}

/* Are the names, joined by points, that text? */
static bool is_named(const char *text, const struct hf_slice *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && *text++ != '.') {
            return false;
        }
        if (names[i].size == 0 || strncmp(text, (const char *)names[i].data, names[i].size) != 0) {
            return false;
        }
        text += names[i].size;
    }
    return *text == '\0';
}

static const struct hf_path_row *find_row(enum hf_path_context context,
                                          const struct hf_slice *names, size_t count)
{
    for (size_t i = 0; i < ROW_COUNT; i++) {
        if (rows[i].context == context && is_named(rows[i].name, names, count)) {
            return &rows[i];
        }
    }
    return NULL;
}

bool hf_path_row_takes_keys(const struct hf_path_row *row)
{
    return row->access == HF_ACCESS_ATTRIBUTES || row->access == HF_ACCESS_VALUE ||
           row->access == HF_ACCESS_STATE || row->access == HF_ACCESS_NUMBERS ||
           row->access == HF_ACCESS_TABLE_ATTRIBUTES;
}

static uint8_t number_in(const struct hf_schema_message *message, const char *name)
{
    const struct hf_schema_field *field = hf_schema_find(message, hf_slice_text(name));
    return field != NULL ? (uint8_t)field->number : 0;
}

static void find_numbers(struct hf_path *path)
{
    for (uint8_t i = 0; i < HF_SCHEMA_MESSAGE_COUNT; i++) {
        const struct hf_schema_message *message = hf_schema_message(i);
        if (path->row->outer != NULL) {
            path->outer[i] = number_in(message, path->row->outer);
        }
        if (path->row->field != NULL) {
            path->number[i] = number_in(message, path->row->field);
        }
    }
}

static void say_names(const struct hf_slice *names, size_t count, char *room, size_t size)
{
    size_t at = 0;
    room[0] = '\0';
    for (size_t i = 0; i < count && at < size; i++) {
        int written =
            snprintf(room + at, size - at, "%s%.*s", i > 0 ? "." : "",
                     (int)(names[i].size < 100 ? names[i].size : 100), (const char *)names[i].data);
        at += (size_t)written;
    }
}

static struct hf_path *make_path(const struct hf_path_row *row, const struct hf_any_key *keys,
                                 size_t key_count)
{
    size_t text = 0;
    for (size_t i = 0; i < key_count; i++) {
        text += keys[i].is_index ? 0 : keys[i].text.size;
    }
    struct hf_path *path = calloc(1, sizeof(*path) + key_count * sizeof(*keys) + text);
    if (path == NULL) {
        return NULL;
    }
    path->row = row;
    path->key_count = key_count;
    uint8_t *room = (uint8_t *)&path->keys[key_count];
    for (size_t i = 0; i < key_count; i++) {
        path->keys[i] = keys[i];
        if (!keys[i].is_index) {
            size_t size = keys[i].text.size;
            if (size > 0) {
                memcpy(room, keys[i].text.data, size);
            }
            path->keys[i].text = hf_slice_of(room, size);
            room += size;
        }
    }
    find_numbers(path);
    return path;
}

enum hf_status hf_path_new(enum hf_path_context context, const struct hf_slice *names,
                           size_t name_count, const struct hf_any_key *keys, size_t key_count,
                           struct hf_path **ret_path, char *reterr)
{
    char text[200];
    const struct hf_path_row *row = find_row(context, names, name_count);
    say_names(names, name_count, text, sizeof(text));
    if (row == NULL) {
        snprintf(reterr, HF_ERROR_MAX, "\"%s\" is not a valid path in the %s context", text,
                 context_names[context]);
        return HF_NOT_FOUND;
    }
    bool too_many = row->access == HF_ACCESS_STATE || row->access == HF_ACCESS_NUMBERS
                        ? key_count > 1
                        : key_count > HF_ANY_KEYS_MAX;
    if (key_count > 0 && (!hf_path_row_takes_keys(row) || too_many)) {
        snprintf(reterr, HF_ERROR_MAX, "the keys indexing \"%s\" were not used by the %s context",
                 text, context_names[context]);
        return HF_UNSUPPORTED;
    }
    struct hf_path *path = make_path(row, keys, key_count);
    if (path == NULL) {
        snprintf(reterr, HF_ERROR_MAX, "out of memory");
        return HF_NOMEM;
    }
    *ret_path = path;
    return HF_OK;
}

void hf_path_free(struct hf_path *path)
{
    free(path);
}

enum hf_path_kind hf_path_kind(const struct hf_path *path)
{
    /* With a key the kind is that of what is inside. */
    return path->key_count > 0 && path->row->kind != HF_PATH_STRING ? HF_PATH_VALUE
                                                                    : path->row->kind;
}

enum hf_path_context hf_path_context(const struct hf_path *path)
{
    return path->row->context;
}

bool hf_path_takes_keys(const struct hf_path *path)
{
    return hf_path_row_takes_keys(path->row);
}

bool hf_path_is_read_only(const struct hf_path *path)
{
    return path->row->access == HF_ACCESS_TYPE || path->row->access == HF_ACCESS_EVENT_INDEX ||
           path->row->access == HF_ACCESS_TABLE_TEXT ||
           path->row->access == HF_ACCESS_TABLE_ATTRIBUTES;
}

/* ---- from a text ---- */

#define NAMES_MAX 4u
#define TEXT_MAX 1024u

/* What was read of the text so far. */
struct parsing {
    const char *at, *end;
    struct hf_slice names[NAMES_MAX];
    size_t name_count;
    struct hf_any_key keys[HF_ANY_KEYS_MAX];
    size_t key_count;
    char room[TEXT_MAX]; /* keys without their escapes */
    size_t room_used;
};

static bool take_name(struct parsing *parsing)
{
    const char *start = parsing->at;
    while (parsing->at < parsing->end &&
           (*parsing->at == '_' || isalnum((unsigned char)*parsing->at))) {
        parsing->at++;
    }
    if (parsing->at == start || parsing->name_count == NAMES_MAX) {
        return false;
    }
    parsing->names[parsing->name_count++] = hf_slice_of(start, (size_t)(parsing->at - start));
    return true;
}

static bool take_char(struct parsing *parsing, char expected)
{
    if (parsing->at < parsing->end && *parsing->at == expected) {
        parsing->at++;
        return true;
    }
    return false;
}

/* What follows an opening quotation mark. */
static bool take_text(struct parsing *parsing, struct hf_any_key *ret_key)
{
    char *start = parsing->room + parsing->room_used;
    while (parsing->at < parsing->end && *parsing->at != '"') {
        if (take_char(parsing, '\\') &&
            (parsing->at == parsing->end || (*parsing->at != '"' && *parsing->at != '\\'))) {
            return false;
        }
        parsing->room[parsing->room_used++] = *parsing->at++;
    }
    size_t size = (size_t)(parsing->room + parsing->room_used - start);
    *ret_key = (struct hf_any_key){.text = hf_slice_of(start, size)};
    return take_char(parsing, '"');
}

static bool take_index(struct parsing *parsing, struct hf_any_key *ret_key)
{
    *ret_key = (struct hf_any_key){.is_index = true};
    const char *start = parsing->at;
    while (parsing->at < parsing->end && isdigit((unsigned char)*parsing->at)) {
        if (ret_key->index > INT32_MAX) {
            return false;
        }
        ret_key->index = ret_key->index * 10 + (*parsing->at++ - '0');
    }
    return parsing->at > start;
}

/* What follows an opening bracket. */
static bool take_key(struct parsing *parsing)
{
    if (parsing->key_count == HF_ANY_KEYS_MAX) {
        return false;
    }
    struct hf_any_key *key = &parsing->keys[parsing->key_count++];
    bool ok = take_char(parsing, '"') ? take_text(parsing, key) : take_index(parsing, key);
    return ok && take_char(parsing, ']');
}

static bool parse(struct parsing *parsing)
{
    bool ok = take_name(parsing);
    while (ok && take_char(parsing, '.')) {
        ok = take_name(parsing);
    }
    while (ok && take_char(parsing, '[')) {
        ok = take_key(parsing);
    }
    return ok && parsing->at == parsing->end;
}

enum hf_status hf_path_parse(struct hf_slice text, struct hf_path **ret_path, char *reterr)
{
    struct parsing parsing = {.at = (const char *)text.data};
    enum hf_path_context context;
    if (text.size > 0 && text.size < TEXT_MAX) {
        parsing.end = parsing.at + text.size;
    }
    if (parsing.end == NULL || !parse(&parsing)) {
        snprintf(reterr, HF_ERROR_MAX,
                 "not a path; expected one such as resource.attributes[\"service.name\"]");
        return HF_INVALID;
    }
    if (!hf_path_context_find(parsing.names[0], &context)) {
        snprintf(reterr, HF_ERROR_MAX, "missing context name for path \"%.*s\"",
                 (int)(text.size < 100 ? text.size : 100), (const char *)text.data);
        return HF_NOT_FOUND;
    }
    return hf_path_new(context, parsing.names + 1, parsing.name_count - 1, parsing.keys,
                       parsing.key_count, ret_path, reterr);
}
