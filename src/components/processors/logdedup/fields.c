#include "fields.h"

#include <stdlib.h>
#include <string.h>

#include "pdata/any_make.h"
#include "pdata/document.h"

enum { RECORD_BODY = 5, RECORD_ATTRIBUTES = 6 };

struct field {
    bool is_body;
    size_t count;
    struct hf_any_key keys[HF_ANY_KEYS_MAX]; /* behind body or attributes */
    char *text;                              /* what the keys are in */
};

struct logdedup_fields {
    size_t count;
    struct field items[];
};

/* ---- names ---- */

static bool begins_with(const char *name, const char *word)
{
    size_t size = strlen(word);
    return strncmp(name, word, size) == 0 && (name[size] == '\0' || name[size] == '.');
}

const char *logdedup_fields_check(const char *key, struct hf_string_list names)
{
    bool excludes = strcmp(key, "exclude_fields") == 0;
    for (size_t i = 0; i < names.count; i++) {
        if (excludes && strcmp(names.items[i], "body") == 0) {
            return "exclude_fields: the entire body cannot be excluded";
        }
        if (!begins_with(names.items[i], "body") && !begins_with(names.items[i], "attributes")) {
            return excludes ? "exclude_fields: every field must start with body or attributes"
                            : "include_fields: every field must start with body or attributes";
        }
        for (size_t j = 0; j < i; j++) {
            if (strcmp(names.items[i], names.items[j]) == 0) {
                return excludes ? "exclude_fields: a field is there twice"
                                : "include_fields: a field is there twice";
            }
        }
    }
    return NULL;
}

/* The parts between the dots, in a copy of the name; those beyond the limit are not looked at. */
static bool split(const char *name, struct field *field)
{
    size_t part = 0, size = 0, start = 0;
    field->text = calloc(1, strlen(name) + 1);
    field->is_body = begins_with(name, "body");
    if (field->text == NULL) {
        return false;
    }
    for (;; name++) {
        bool is_escaped = name[0] == '\\' && name[1] == '.';
        if (name[0] != '\0' && (name[0] != '.' || is_escaped)) {
            name += is_escaped;
            field->text[size++] = *name;
            continue;
        }
        if (part > 0 && field->count < HF_ANY_KEYS_MAX) {
            field->keys[field->count++].text = hf_slice_of(field->text + start, size - start);
        }
        part++;
        start = size;
        if (name[0] == '\0') {
            return true;
        }
    }
}

enum hf_status logdedup_fields_new(struct hf_string_list names, struct logdedup_fields **ret_fields)
{
    struct logdedup_fields *fields =
        calloc(1, sizeof(*fields) + names.count * sizeof(fields->items[0]));
    if (fields == NULL) {
        return HF_NOMEM;
    }
    for (size_t i = 0; i < names.count; i++) {
        fields->count++;
        if (!split(names.items[i], &fields->items[i])) {
            logdedup_fields_free(fields);
            return HF_NOMEM;
        }
    }
    *ret_fields = fields;
    return HF_OK;
}

void logdedup_fields_free(struct logdedup_fields *fields)
{
    for (size_t i = 0; fields != NULL && i < fields->count; i++) {
        free(fields->items[i].text);
    }
    free(fields);
}

/* ---- removing ---- */

/* The value without what the keys lead to; itself when it is not there. */
static struct hf_slice without(struct hf_any_maker *maker, struct hf_slice value,
                               const struct hf_any_key *keys, size_t count)
{
    struct hf_any any = hf_any_read(value);
    struct hf_slice inner;
    if (count == 0 || any.type != HF_ANY_MAP || !hf_any_look_up(&any, keys[0].text, &inner)) {
        return value;
    }
    if (count == 1) {
        return hf_any_without(maker, &any, keys[0].text);
    }
    struct hf_slice changed = without(maker, inner, keys + 1, count - 1);
    return hf_slice_equal(changed, inner) ? value : hf_any_with(maker, &any, keys[0].text, changed);
}

static void remove_attribute(const struct field *field, struct hf_any_maker *maker,
                             struct hf_attributes *attributes)
{
    if (field->count == 0) {
        hf_attributes_clear(attributes);
        return;
    }
    const struct hf_attribute *found = hf_attributes_find(attributes, field->keys[0].text);
    if (found == NULL) {
        return;
    }
    if (field->count == 1) {
        hf_attributes_remove(attributes, field->keys[0].text);
        return;
    }
    struct hf_slice changed = without(maker, found->value, field->keys + 1, field->count - 1);
    hf_attributes_set(attributes, field->keys[0].text, changed);
}

enum hf_status logdedup_fields_remove(const struct logdedup_fields *fields,
                                      struct hf_message *record)
{
    struct hf_any_maker maker = {.arena = hf_document_arena(hf_message_document(record))};
    for (size_t i = 0; i < fields->count; i++) {
        const struct field *field = &fields->items[i];
        if (field->is_body) {
            struct hf_slice body = hf_message_any(record, RECORD_BODY);
            struct hf_slice changed = without(&maker, body, field->keys, field->count);
            if (!hf_slice_equal(changed, body)) {
                hf_message_set_any(record, RECORD_BODY, changed);
            }
            continue;
        }
        struct hf_attributes *attributes = hf_message_attributes(record, RECORD_ATTRIBUTES);
        if (attributes == NULL) {
            return HF_NOMEM;
        }
        remove_attribute(field, &maker, attributes);
    }
    return maker.failed ? HF_NOMEM : hf_document_status(hf_message_document(record));
}

/* ---- looking ---- */

static bool find(const struct field *field, struct hf_message *record, struct hf_slice *ret_value)
{
    struct hf_slice value = hf_message_any(record, RECORD_BODY);
    size_t from = 0;
    if (!field->is_body) {
        if (field->count == 0 ||
            !hf_message_attribute(record, RECORD_ATTRIBUTES, field->keys[0].text, &value)) {
            return false;
        }
        from = 1;
    }
    for (size_t i = from; i < field->count; i++) {
        struct hf_any any = hf_any_read(value);
        if (any.type != HF_ANY_MAP || !hf_any_look_up(&any, field->keys[i].text, &value)) {
            return false;
        }
    }
    *ret_value = value;
    return value.size > 0;
}

bool logdedup_fields_hash(const struct logdedup_fields *fields, struct hf_message *record,
                          struct hf_hash *ret_hash)
{
    bool has_any = false;
    *ret_hash = (struct hf_hash){0, 0};
    for (size_t i = 0; i < fields->count; i++) {
        struct hf_slice value;
        if (find(&fields->items[i], record, &value)) {
            *ret_hash = hf_hash_mix(*ret_hash, hf_hash_of(value));
            has_any = true;
        }
    }
    return has_any;
}
