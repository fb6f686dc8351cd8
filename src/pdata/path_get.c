/* Finding and getting what a compiled path names. */
#include <stdio.h>
#include <string.h>

#include <holdfast/component.h>

#include "any_make.h"
#include "path.h"
#include "path_internal.h"
#include "profile_tables.h"
#include "trace_state.h"
#include "utf8.h"
#include "util/hex.h"

enum { GROUP_MEMBER = 1 }; /* the resource or scope of ResourceSpans, ScopeLogs, ... */

/* ---- finding the message that has the field ---- */

static struct hf_message *member(struct hf_message *message, uint32_t number, bool made)
{
    return made ? hf_message_need(message, number) : hf_message_one(message, number);
}

static struct hf_message *own_message(const struct hf_path *path, const struct hf_place *place,
                                      bool made)
{
    bool is_group = path->row->base == HF_BASE_GROUP;
    switch (path->row->context) {
    case HF_PATH_RESOURCE:
        return is_group ? place->resource_group : member(place->resource_group, GROUP_MEMBER, made);
    case HF_PATH_SCOPE:
        return is_group ? place->scope_group : member(place->scope_group, GROUP_MEMBER, made);
    case HF_PATH_METRIC:
        return path->row->base == HF_BASE_DATA && place->metric != NULL
                   ? hf_place_data(place->metric)
                   : place->metric;
    case HF_PATH_SPANEVENT:
        return place->event;
    case HF_PATH_EXEMPLAR:
        return place->exemplar;
    default:
        return place->item;
    }
}

uint32_t hf_path_owner(const struct hf_path *path, const struct hf_place *place, bool made,
                       struct hf_message **ret_message)
{
    struct hf_message *message = own_message(path, place, made);
    *ret_message = message;
    if (message == NULL) {
        return 0;
    }
    if (path->row->outer == NULL) {
        return path->number[hf_message_type(message)->index];
    }
    uint32_t outer = path->outer[hf_message_type(message)->index];
    if (outer == 0) {
        return 0;
    }
    const struct hf_schema_message *type = hf_message_type(message)->fields[outer].message;
    *ret_message = member(message, outer, made);
    return path->number[type->index];
}

/* ---- getting ---- */

static struct hf_any any_int(int64_t integer)
{
    return (struct hf_any){.type = HF_ANY_INT, .integer = integer};
}

static struct hf_any any_double(double number)
{
    return (struct hf_any){.type = HF_ANY_DOUBLE, .number = number};
}

static struct hf_any any_text(struct hf_slice text)
{
    return (struct hf_any){.type = HF_ANY_STRING, .bytes = text};
}

static struct hf_any get_scalar(const struct hf_path *path, struct hf_message *message,
                                uint32_t number)
{
    switch (path->row->kind) {
    case HF_PATH_STRING:
        return any_text(hf_message_bytes(message, number));
    case HF_PATH_DOUBLE:
        return any_double(hf_message_double(message, number));
    case HF_PATH_BOOL:
        return (struct hf_any){.type = HF_ANY_BOOL, .integer = hf_message_i64(message, number)};
    default:
        return any_int(hf_message_i64(message, number));
    }
}

/* An id that is not there reads as zeros. */
static struct hf_slice id_of(const struct hf_path *path, struct hf_message *message,
                             uint32_t number)
{
    static const uint8_t zeros[16];
    struct hf_slice id = hf_message_bytes(message, number);
    size_t size = hf_message_type(message)->fields[number].id_size;
    (void)path;
    return id.size == 0 ? hf_slice_of(zeros, size) : id;
}

static enum hf_status get_id_text(const struct hf_path_use *use, struct hf_message *message,
                                  uint32_t number, struct hf_any *ret_value)
{
    struct hf_slice id = id_of(use->path, message, number);
    char hex[32];
    if (id.size * 2 > sizeof(hex)) {
        return HF_INVALID; /* no scan would pass it */
    }
    struct hf_slice text = hf_slice_of(hex, hf_hex_write(id, hex));
    *ret_value = any_text(hf_document_keep(use->place->document, text));
    return hf_document_status(use->place->document);
}

/* The list as a value. */
static enum hf_status get_map(const struct hf_path_use *use, struct hf_attributes *attributes,
                              struct hf_any *ret_value)
{
    struct hf_any_maker maker = {.arena = hf_document_arena(use->place->document)};
    struct hf_any_pair *pairs =
        hf_arena_take(maker.arena, (attributes->count + 1) * sizeof(*pairs));
    if (pairs == NULL) {
        return HF_NOMEM;
    }
    for (size_t i = 0; i < attributes->count; i++) {
        pairs[i] = (struct hf_any_pair){attributes->items[i].key, attributes->items[i].value};
    }
    *ret_value = hf_any_read(hf_any_make_map(&maker, pairs, attributes->count));
    return maker.failed ? HF_NOMEM : HF_OK;
}

bool hf_path_is_key_of_map(const struct hf_path_use *use)
{
    if (use->keys[0].is_index) {
        snprintf(use->reterr, HF_ERROR_MAX, "map must be indexed by a string");
        return false;
    }
    return true;
}

/* The value of a profile's attribute, or all of them, out of the tables of the request. */
static enum hf_status get_table_attribute(const struct hf_path_use *use, struct hf_message *profile,
                                          struct hf_any *ret_value)
{
    struct hf_any_maker maker = {.arena = hf_document_arena(use->place->document)};
    struct hf_any_pair *pairs;
    size_t count;
    struct hf_slice value;
    if (use->key_count == 0) {
        enum hf_status status = hf_profile_attributes(profile, &pairs, &count);
        if (status == HF_OK) {
            *ret_value = hf_any_read(hf_any_make_map(&maker, pairs, count));
        }
        return maker.failed ? HF_NOMEM : status;
    }
    if (!hf_path_is_key_of_map(use)) {
        return HF_INVALID;
    }
    if (!hf_profile_attribute(profile, use->keys[0].text, &value)) {
        return hf_document_status(use->place->document);
    }
    enum hf_status status =
        hf_any_get(value, use->keys + 1, use->key_count - 1, &value, use->reterr);
    if (status == HF_OK) {
        *ret_value = hf_any_read(value);
    }
    return status;
}

static enum hf_status get_attribute(const struct hf_path_use *use, struct hf_message *message,
                                    uint32_t number, struct hf_any *ret_value)
{
    struct hf_document *document = use->place->document;
    struct hf_slice value;
    if (use->key_count == 0) {
        struct hf_attributes *attributes = hf_message_attributes(message, number);
        return attributes != NULL ? get_map(use, attributes, ret_value)
                                  : hf_document_status(document);
    }
    if (!hf_path_is_key_of_map(use)) {
        return HF_INVALID;
    }
    if (!hf_message_attribute(message, number, use->keys[0].text, &value)) {
        return hf_document_status(document);
    }
    if (use->key_count > 1) {
        enum hf_status status =
            hf_any_get(value, use->keys + 1, use->key_count - 1, &value, use->reterr);
        if (status != HF_OK) {
            return status;
        }
    }
    *ret_value = hf_any_read(value);
    return HF_OK;
}

static enum hf_status get_value(const struct hf_path_use *use, struct hf_message *message,
                                uint32_t number, struct hf_any *ret_value)
{
    struct hf_slice value;
    enum hf_status status =
        hf_any_get(hf_message_any(message, number), use->keys, use->key_count, &value, use->reterr);
    if (status == HF_OK) {
        *ret_value = hf_any_read(value);
    }
    return status;
}

static enum hf_status get_value_text(const struct hf_path_use *use, struct hf_message *message,
                                     uint32_t number, struct hf_any *ret_value)
{
    struct hf_document *document = use->place->document;
    struct hf_slice value = hf_message_any(message, number);
    struct hf_any any = hf_any_read(value);
    if (any.type == HF_ANY_STRING) {
        *ret_value = any;
        return HF_OK;
    }
    struct hf_bytes text = {0};
    enum hf_status status = hf_any_text(value, &text);
    if (status == HF_OK) {
        *ret_value = any_text(hf_document_keep(document, hf_slice_of(text.data, text.size)));
        status = hf_document_status(document);
    }
    hf_bytes_release(&text);
    return status;
}

static enum hf_status get_numbers(const struct hf_path_use *use, struct hf_message *message,
                                  uint32_t number, struct hf_any *ret_value)
{
    struct hf_any_maker maker = {.arena = hf_document_arena(use->place->document)};
    bool is_double = hf_message_type(message)->fields[number].type == HF_SCHEMA_DOUBLE;
    struct hf_wire_numbers numbers = hf_message_numbers(message, number);
    size_t count = 0;
    uint64_t bits;
    while (hf_wire_next_number(&numbers, &bits)) {
        count++;
    }
    struct hf_slice *values = hf_arena_take(maker.arena, (count + 1) * sizeof(*values));
    if (values == NULL) {
        return HF_NOMEM;
    }
    numbers = hf_message_numbers(message, number);
    for (size_t i = 0; i < count && hf_wire_next_number(&numbers, &bits); i++) {
        values[i] = is_double ? hf_any_make_double(&maker, hf_message_as_double(bits))
                              : hf_any_make_int(&maker, (int64_t)bits);
    }
    struct hf_slice list = hf_any_make_list(&maker, values, count);
    struct hf_slice value;
    if (maker.failed) {
        return HF_NOMEM;
    }
    enum hf_status status = hf_any_get(list, use->keys, use->key_count, &value, use->reterr);
    if (status == HF_OK) {
        *ret_value = hf_any_read(value);
    }
    return status;
}

/* ---- texts that stand for something else ---- */

static const char *const kind_names[HF_PATH_KIND_COUNT] = {"Unspecified", "Internal", "Server",
                                                           "Client",      "Producer", "Consumer"};

const char *hf_path_kind_text(enum hf_path_access access, size_t kind)
{
    return access == HF_ACCESS_KIND
               ? kind_names[kind]
               : hf_schema_message(HF_MESSAGE_SPAN)->fields[6].values->values[kind].name;
}

static struct hf_any get_kind(const struct hf_path *path, int64_t kind)
{
    bool is_known = kind >= 0 && (uint64_t)kind < HF_PATH_KIND_COUNT;
    return any_text(
        hf_slice_text(is_known ? hf_path_kind_text(path->row->access, (size_t)kind) : ""));
}

static enum hf_status get_state(const struct hf_path_use *use, struct hf_slice state,
                                struct hf_any *ret_value)
{
    struct hf_slice value;
    if (use->key_count == 0) {
        *ret_value = any_text(state);
        return HF_OK;
    }
    if (!hf_path_is_key_of_map(use)) {
        return HF_INVALID;
    }
    /* A key that is not there reads as an empty text, as in the Go collector. */
    bool found = hf_trace_state_find(state, use->keys[0].text, &value);
    *ret_value = any_text(found ? value : HF_EMPTY_SLICE);
    return HF_OK;
}

static enum hf_status get_metric_type(const struct hf_place *place, struct hf_any *ret_value)
{
    static const uint8_t types[HF_SCHEMA_MESSAGE_COUNT] = {[HF_MESSAGE_GAUGE] = 1,
                                                           [HF_MESSAGE_SUM] = 2,
                                                           [HF_MESSAGE_HISTOGRAM] = 3,
                                                           [HF_MESSAGE_EXPONENTIAL_HISTOGRAM] = 4,
                                                           [HF_MESSAGE_SUMMARY] = 5};
    struct hf_message *data = place->metric != NULL ? hf_place_data(place->metric) : NULL;
    *ret_value = any_int(data != NULL ? types[hf_message_type(data)->index] : 0);
    return HF_OK;
}

/* ---- the whole of getting ---- */

static enum hf_status get_field(const struct hf_path_use *use, struct hf_message *message,
                                uint32_t number, struct hf_any *ret_value)
{
    const struct hf_path *path = use->path;
    switch (path->row->access) {
    case HF_ACCESS_ID:
        *ret_value = (struct hf_any){.type = HF_ANY_BYTES, .bytes = id_of(path, message, number)};
        return HF_OK;
    case HF_ACCESS_ID_TEXT:
        return get_id_text(use, message, number, ret_value);
    case HF_ACCESS_ATTRIBUTES:
        return get_attribute(use, message, number, ret_value);
    case HF_ACCESS_VALUE:
        return get_value(use, message, number, ret_value);
    case HF_ACCESS_VALUE_TEXT:
        return get_value_text(use, message, number, ret_value);
    case HF_ACCESS_STATE:
        return get_state(use, hf_message_bytes(message, number), ret_value);
    case HF_ACCESS_KIND:
    case HF_ACCESS_OLD_KIND:
        *ret_value = get_kind(path, hf_message_i64(message, number));
        return HF_OK;
    case HF_ACCESS_NUMBERS:
        return get_numbers(use, message, number, ret_value);
    case HF_ACCESS_OBJECT:
        return HF_OK;
    case HF_ACCESS_UNSCANNED_TEXT: {
        struct hf_slice text = hf_message_bytes(message, number);
        *ret_value = any_text(hf_utf8_is_valid(text) ? text : HF_EMPTY_SLICE);
        return HF_OK;
    }
    case HF_ACCESS_TABLE_TEXT:
        *ret_value =
            any_text(hf_profile_text(use->place->document, hf_message_i64(message, number)));
        return hf_document_status(use->place->document);
    case HF_ACCESS_TABLE_ATTRIBUTES:
        return get_table_attribute(use, message, ret_value);
    default:
        *ret_value = get_scalar(path, message, number);
        return HF_OK;
    }
}

struct hf_any hf_path_absent_value(const struct hf_path *path)
{
    static const enum hf_any_type types[] = {
        [HF_PATH_STRING] = HF_ANY_STRING, [HF_PATH_INT] = HF_ANY_INT,
        [HF_PATH_DOUBLE] = HF_ANY_DOUBLE, [HF_PATH_BOOL] = HF_ANY_BOOL,
        [HF_PATH_TIME] = HF_ANY_INT,      [HF_PATH_MAP] = HF_ANY_MAP,
        [HF_PATH_LIST] = HF_ANY_ARRAY,    [HF_PATH_OBJECTS] = HF_ANY_EMPTY,
    };
    return (struct hf_any){.type = types[path->row->kind]};
}

static enum hf_status get(const struct hf_path_use *use, struct hf_any *ret_value)
{
    const struct hf_path *path = use->path;
    struct hf_message *message;
    *ret_value = (struct hf_any){.type = HF_ANY_EMPTY};
    if (path->row->access == HF_ACCESS_TYPE) {
        return get_metric_type(use->place, ret_value);
    }
    if (path->row->access == HF_ACCESS_EVENT_INDEX) {
        *ret_value = any_int(use->place->event_index);
        return HF_OK;
    }
    uint32_t number = hf_path_owner(path, use->place, false, &message);
    if (message != NULL) {
        return number != 0 ? get_field(use, message, number, ret_value) : HF_OK;
    }
    /* Without a message that could have it there is nothing; but a resource, scope or status that
     * was left out is an empty one. */
    bool is_left_out = path->row->outer != NULL ? number != 0
                                                : path->row->context == HF_PATH_RESOURCE ||
                                                      path->row->context == HF_PATH_SCOPE;
    if (is_left_out && use->key_count == 0) {
        *ret_value = hf_path_absent_value(path);
    }
    return HF_OK;
}

enum hf_status hf_path_get(const struct hf_path *path, const struct hf_place *place,
                           struct hf_any *ret_value, char *reterr)
{
    struct hf_path_use use = {path, place, path->keys, path->key_count, reterr};
    return get(&use, ret_value);
}

/* ---- keys that are known only now ---- */

enum hf_status hf_path_check_keys(const struct hf_path *path, size_t count, char *reterr)
{
    if (count > HF_ANY_KEYS_MAX || (count > 0 && !hf_path_row_takes_keys(path->row))) {
        snprintf(reterr, HF_ERROR_MAX, "the keys indexing \"%s\" were not used", path->row->name);
        return HF_INVALID;
    }
    return HF_OK;
}

enum hf_status hf_path_get_at(const struct hf_path *path, const struct hf_place *place,
                              const struct hf_any_key *keys, size_t key_count,
                              struct hf_any *ret_value, char *reterr)
{
    struct hf_path_use use = {path, place, keys, key_count, reterr};
    enum hf_status status = hf_path_check_keys(path, key_count, reterr);
    return status == HF_OK ? get(&use, ret_value) : status;
}

/* ---- what is more than a value ---- */

struct hf_attributes *hf_path_attributes(const struct hf_path *path, const struct hf_place *place,
                                         bool made)
{
    struct hf_message *message;
    if (path->row->access != HF_ACCESS_ATTRIBUTES || path->key_count > 0) {
        return NULL;
    }
    uint32_t number = hf_path_owner(path, place, made, &message);
    return message != NULL && number != 0 ? hf_message_attributes(message, number) : NULL;
}

bool hf_path_objects(const struct hf_path *path, const struct hf_place *place,
                     struct hf_message **ret_owner, uint32_t *ret_number)
{
    struct hf_message *message;
    if (path->row->access != HF_ACCESS_OBJECT) {
        return false;
    }
    uint32_t number = hf_path_owner(path, place, false, &message);
    if (message == NULL || number == 0) {
        return false;
    }
    *ret_owner = message;
    *ret_number = number;
    return true;
}
