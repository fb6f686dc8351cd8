/* Setting what a compiled path names. */
#include <stdio.h>
#include <string.h>

#include <holdfast/component.h>

#include "any_make.h"
#include "path.h"
#include "path_internal.h"
#include "trace_state.h"
#include "util/hex.h"

/* ---- setting ---- */

static const char *type_name(enum hf_any_type type)
{
    static const char *const names[] = {"nil",     "string", "bool", "int64",
                                        "float64", "slice",  "map",  "[]byte"};
    return names[type];
}

static enum hf_status wrong_type(const struct hf_path_use *use, const char *expected,
                                 const struct hf_any *value)
{
    snprintf(use->reterr, HF_ERROR_MAX, "expects %s but got %s", expected, type_name(value->type));
    return HF_INVALID;
}

static enum hf_status set_scalar(const struct hf_path_use *use, struct hf_message *message,
                                 uint32_t number, const struct hf_any *value)
{
    switch (use->path->row->kind) {
    case HF_PATH_STRING:
        if (value->type != HF_ANY_STRING) {
            return wrong_type(use, "string", value);
        }
        hf_message_set_bytes(message, number, value->bytes);
        return HF_OK;
    case HF_PATH_DOUBLE:
        if (value->type != HF_ANY_DOUBLE) {
            return wrong_type(use, "float64", value);
        }
        hf_message_set_double(message, number, value->number);
        return HF_OK;
    case HF_PATH_BOOL:
        if (value->type != HF_ANY_BOOL) {
            return wrong_type(use, "bool", value);
        }
        hf_message_set_i64(message, number, value->integer);
        return HF_OK;
    default:
        if (value->type != HF_ANY_INT) {
            return wrong_type(use, "int64", value);
        }
        if (hf_message_type(message)->fields[number].type == HF_SCHEMA_UINT32) {
            hf_message_set_u64(message, number, (uint32_t)value->integer);
        } else {
            hf_message_set_i64(message, number, value->integer);
        }
        return HF_OK;
    }
}

static enum hf_status set_id(const struct hf_path_use *use, struct hf_message *message,
                             uint32_t number, const struct hf_any *value)
{
    static const uint8_t zeros[16];
    size_t size = hf_message_type(message)->fields[number].id_size;
    if (value->type != HF_ANY_BYTES || value->bytes.size != size) {
        return wrong_type(use, size == 16 ? "a trace id" : "a span id", value);
    }
    /* An id of zeros is none. */
    bool is_none = memcmp(value->bytes.data, zeros, size) == 0;
    hf_message_set_bytes(message, number, is_none ? HF_EMPTY_SLICE : value->bytes);
    return HF_OK;
}

static enum hf_status set_id_text(const struct hf_path_use *use, struct hf_message *message,
                                  uint32_t number, const struct hf_any *value)
{
    uint8_t id[16];
    size_t size = hf_message_type(message)->fields[number].id_size;
    if (value->type != HF_ANY_STRING) {
        return wrong_type(use, "string", value);
    }
    if (value->bytes.size != 2 * size || !hf_hex_read(value->bytes, id)) {
        snprintf(use->reterr, HF_ERROR_MAX, "expects %zu hexadecimal digits", 2 * size);
        return HF_INVALID;
    }
    struct hf_any bytes = {.type = HF_ANY_BYTES, .bytes = hf_slice_of(id, size)};
    return set_id(use, message, number, &bytes);
}

static enum hf_status set_all(const struct hf_path_use *use, struct hf_attributes *attributes,
                              const struct hf_any *value)
{
    struct hf_document *document = use->place->document;
    struct hf_any_pair pair;
    if (value->type != HF_ANY_MAP && value->type != HF_ANY_EMPTY) {
        return wrong_type(use, "map", value);
    }
    struct hf_slice content = hf_document_keep(document, value->bytes);
    struct hf_any kept = {.type = HF_ANY_MAP, .bytes = content};
    struct hf_wire items = hf_any_items(&kept);
    hf_attributes_clear(attributes);
    while (hf_any_next_pair(&items, &pair)) {
        hf_attributes_set(attributes, pair.key, pair.value);
    }
    return hf_document_status(document);
}

static enum hf_status put(const struct hf_path_use *use, struct hf_slice before, size_t skipped,
                          const struct hf_any *value, struct hf_slice *ret_value)
{
    struct hf_any_maker maker = {.arena = hf_document_arena(use->place->document)};
    struct hf_slice set = hf_any_make(&maker, value);
    if (maker.failed) {
        return HF_NOMEM;
    }
    bool is_scalar = value->type != HF_ANY_ARRAY && value->type != HF_ANY_MAP;
    if (is_scalar && skipped == use->key_count) {
        *ret_value = set; /* as hf_any_put() has it, of what cannot be nested too deeply */
        return HF_OK;
    }
    return hf_any_put(&maker, before, use->keys + skipped, use->key_count - skipped, set, ret_value,
                      use->reterr);
}

static enum hf_status set_attribute(const struct hf_path_use *use, struct hf_message *message,
                                    uint32_t number, const struct hf_any *value)
{
    struct hf_attributes *attributes = hf_message_attributes(message, number);
    if (attributes == NULL) {
        return HF_NOMEM;
    }
    if (use->key_count == 0) {
        return set_all(use, attributes, value);
    }
    if (!hf_path_is_key_of_map(use)) {
        return HF_INVALID;
    }
    struct hf_slice key = use->keys[0].text;
    const struct hf_attribute *found = hf_attributes_find(attributes, key);
    struct hf_slice made;
    enum hf_status status =
        put(use, found != NULL ? found->value : HF_EMPTY_SLICE, 1, value, &made);
    if (status == HF_OK) {
        /* A key that is new is kept: the list borrows it, and the path may be gone by then. */
        if (found == NULL) {
            key = hf_document_keep(use->place->document, key);
        }
        hf_attributes_set(attributes, found != NULL ? found->key : key, made);
        status = attributes->failed ? HF_NOMEM : hf_document_status(use->place->document);
    }
    return status;
}

static enum hf_status set_value(const struct hf_path_use *use, struct hf_message *message,
                                uint32_t number, const struct hf_any *value)
{
    struct hf_slice made;
    struct hf_slice before = hf_message_any(message, number);
    struct hf_any any = hf_any_read(before);
    if (use->key_count > 0 && any.type != HF_ANY_MAP && any.type != HF_ANY_ARRAY) {
        snprintf(use->reterr, HF_ERROR_MAX, "log bodies of type %s cannot be indexed",
                 type_name(any.type));
        return HF_INVALID;
    }
    enum hf_status status = put(use, before, 0, value, &made);
    if (status == HF_OK) {
        hf_message_set_any(message, number, made);
    }
    return status;
}

static enum hf_status set_value_text(const struct hf_path_use *use, struct hf_message *message,
                                     uint32_t number, const struct hf_any *value)
{
    struct hf_any_maker maker = {.arena = hf_document_arena(use->place->document)};
    if (value->type != HF_ANY_STRING) {
        return wrong_type(use, "string", value);
    }
    struct hf_slice made = hf_any_make(&maker, value);
    if (maker.failed) {
        return HF_NOMEM;
    }
    hf_message_set_any(message, number, made);
    return HF_OK;
}

static enum hf_status set_kind(const struct hf_path_use *use, struct hf_message *message,
                               uint32_t number, const struct hf_any *value)
{
    int64_t kind = -1;
    if (value->type != HF_ANY_STRING) {
        return wrong_type(use, "string", value);
    }
    for (size_t i = 0; i < HF_PATH_KIND_COUNT; i++) {
        if (hf_slice_is(value->bytes, hf_path_kind_text(use->path->row->access, i))) {
            kind = (int64_t)i;
        }
    }
    if (kind < 0) {
        snprintf(use->reterr, HF_ERROR_MAX, "unknown span kind");
        return HF_INVALID;
    }
    hf_message_set_i64(message, number, kind);
    return HF_OK;
}

static enum hf_status set_numbers(const struct hf_path_use *use, struct hf_message *message,
                                  uint32_t number, const struct hf_any *value)
{
    bool is_double = hf_message_type(message)->fields[number].type == HF_SCHEMA_DOUBLE;
    struct hf_any list = *value;
    if (use->key_count > 0) {
        snprintf(use->reterr, HF_ERROR_MAX, "one element of this list cannot be set");
        return HF_INVALID;
    }
    if (list.type != HF_ANY_ARRAY && list.type != HF_ANY_EMPTY) {
        return wrong_type(use, "slice", value);
    }
    size_t count = hf_any_count(&list);
    uint64_t *bits =
        hf_arena_take(hf_document_arena(use->place->document), (count + 1) * sizeof(*bits));
    if (bits == NULL) {
        return HF_NOMEM;
    }
    struct hf_wire items = hf_any_items(&list);
    struct hf_slice item;
    for (size_t i = 0; hf_any_next_value(&items, &item); i++) {
        struct hf_any any = hf_any_read(item);
        if (any.type != (is_double ? HF_ANY_DOUBLE : HF_ANY_INT)) {
            return wrong_type(use, is_double ? "float64" : "int64", &any);
        }
        bits[i] = (uint64_t)any.integer;
        if (is_double) {
            memcpy(&bits[i], &any.number, sizeof(bits[i]));
        }
    }
    hf_message_set_numbers(message, number, bits, count);
    return HF_OK;
}

/* A state that cannot be parsed stays as it is. */
static void set_state(const struct hf_path_use *use, struct hf_message *message, uint32_t number,
                      struct hf_slice value)
{
    struct hf_slice state;
    if (hf_trace_state_put(hf_document_arena(use->place->document),
                           hf_message_bytes(message, number), use->keys[0].text, value, &state)) {
        hf_message_set_bytes(message, number, state);
    }
}

static enum hf_status set_field(const struct hf_path_use *use, struct hf_message *message,
                                uint32_t number, const struct hf_any *value)
{
    switch (use->path->row->access) {
    case HF_ACCESS_ID:
        return set_id(use, message, number, value);
    case HF_ACCESS_ID_TEXT:
        return set_id_text(use, message, number, value);
    case HF_ACCESS_ATTRIBUTES:
        return set_attribute(use, message, number, value);
    case HF_ACCESS_VALUE:
        return set_value(use, message, number, value);
    case HF_ACCESS_VALUE_TEXT:
        return set_value_text(use, message, number, value);
    case HF_ACCESS_KIND:
    case HF_ACCESS_OLD_KIND:
        return set_kind(use, message, number, value);
    case HF_ACCESS_NUMBERS:
        return set_numbers(use, message, number, value);
    case HF_ACCESS_STATE:
        if (use->key_count == 0) {
            return set_scalar(use, message, number, value);
        }
        if (value->type != HF_ANY_STRING || !hf_path_is_key_of_map(use)) {
            return wrong_type(use, "string", value);
        }
        set_state(use, message, number, value->bytes);
        return HF_OK;
    case HF_ACCESS_OBJECT:
        snprintf(use->reterr, HF_ERROR_MAX, "cannot be set to a value");
        return HF_INVALID;
    default:
        return set_scalar(use, message, number, value);
    }
}

/* A value of the wrong kind must not make the message that would have held it. */
static bool may_make(const struct hf_path_use *use, const struct hf_any *value)
{
    enum hf_any_type expected = hf_path_absent_value(use->path).type;
    return use->key_count > 0 || value->type == expected;
}

static enum hf_status set(const struct hf_path_use *use, const struct hf_any *value)
{
    const struct hf_path *path = use->path;
    struct hf_message *message;
    if (path->row->access == HF_ACCESS_TYPE) {
        return HF_OK; /* silently, as in the Go collector */
    }
    if (path->row->access == HF_ACCESS_EVENT_INDEX) {
        snprintf(use->reterr, HF_ERROR_MAX, "the \"event_index\" path cannot be modified");
        return HF_INVALID;
    }
    if (path->row->access == HF_ACCESS_TABLE_TEXT ||
        path->row->access == HF_ACCESS_TABLE_ATTRIBUTES) {
        snprintf(use->reterr, HF_ERROR_MAX,
                 "the dictionary of profiles is shared and cannot be modified");
        return HF_INVALID;
    }
    uint32_t number = hf_path_owner(path, use->place, may_make(use, value), &message);
    if (message == NULL) {
        return may_make(use, value) ? hf_document_status(use->place->document)
                                    : wrong_type(use, "another type", value);
    }
    if (number == 0) {
        if (path->row->context != HF_PATH_DATAPOINT) {
            return HF_OK;
        }
        snprintf(use->reterr, HF_ERROR_MAX, "unsupported data point type");
        return HF_INVALID;
    }
    enum hf_status status = set_field(use, message, number, value);
    return status == HF_OK ? hf_document_status(use->place->document) : status;
}

enum hf_status hf_path_set(const struct hf_path *path, const struct hf_place *place,
                           const struct hf_any *value, char *reterr)
{
    struct hf_path_use use = {path, place, path->keys, path->key_count, reterr};
    return set(&use, value);
}

enum hf_status hf_path_set_at(const struct hf_path *path, const struct hf_place *place,
                              const struct hf_any_key *keys, size_t key_count,
                              const struct hf_any *value, char *reterr)
{
    struct hf_path_use use = {path, place, keys, key_count, reterr};
    enum hf_status status = hf_path_check_keys(path, key_count, reterr);
    return status == HF_OK ? set(&use, value) : status;
}
