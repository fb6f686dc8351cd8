#include "field.h"

#include <string.h>

static const char *add_key(struct hf_log_field *field, struct hf_arena *arena, const char *at,
                           size_t size)
{
    if (field->count == HF_LOG_FIELD_KEYS_MAX) {
        return "a field has too many keys";
    }
    struct hf_slice key = hf_expr_copy_text(arena, hf_slice_of(at, size));
    if (key.data == NULL) {
        return "out of memory";
    }
    field->keys[field->count++] = key;
    return NULL;
}

/* The keys behind the root: .name or ["name"]. */
static const char *parse_keys(const char *at, struct hf_arena *arena, struct hf_log_field *field)
{
    while (*at != '\0') {
        const char *wrong = NULL;
        if (*at == '.') {
            size_t size = strcspn(++at, ".[");
            wrong = size == 0 ? "a field has an empty key" : add_key(field, arena, at, size);
            at += size;
        } else if (*at == '[' && (at[1] == '"' || at[1] == '\'')) {
            const char *end = strchr(at + 2, at[1]);
            if (end == NULL || end[1] != ']') {
                return "a bracket of a field is not closed";
            }
            wrong = add_key(field, arena, at + 2, (size_t)(end - at - 2));
            at = end + 2;
        } else {
            return "behind ] of a field only . or [ can follow";
        }
        if (wrong != NULL) {
            return wrong;
        }
    }
    return NULL;
}

const char *hf_log_field_parse(const char *text, struct hf_arena *arena,
                               struct hf_log_field *ret_field)
{
    static const struct {
        const char *name;
        enum hf_log_root root;
    } roots[] = {{"body", HF_LOG_BODY},
                 {"$body", HF_LOG_BODY},
                 {"$record", HF_LOG_BODY},
                 {"attributes", HF_LOG_ATTRIBUTES},
                 {"$attributes", HF_LOG_ATTRIBUTES},
                 {"resource", HF_LOG_RESOURCE},
                 {"$resource", HF_LOG_RESOURCE},
                 {"$", HF_LOG_BODY}};
    size_t size = strcspn(text, ".[");
    *ret_field = (struct hf_log_field){0};
    for (size_t i = 0; i < sizeof(roots) / sizeof(roots[0]); i++) {
        if (strlen(roots[i].name) == size && memcmp(roots[i].name, text, size) == 0) {
            ret_field->root = roots[i].root;
            return parse_keys(text + size, arena, ret_field);
        }
    }
    return "a field begins with body, attributes or resource";
}

static struct hf_expr_value *root_of(const struct hf_log_field *field, struct hf_log_entry *entry)
{
    return field->root == HF_LOG_BODY         ? &entry->body
           : field->root == HF_LOG_ATTRIBUTES ? &entry->attributes
                                              : &entry->resource;
}

struct hf_expr_value *hf_log_field_get(const struct hf_log_field *field, struct hf_log_entry *entry)
{
    struct hf_expr_value *value = root_of(field, entry);
    for (size_t i = 0; i < field->count; i++) {
        struct hf_expr_pair *pair =
            value->type == HF_EXPR_MAP ? hf_expr_map_find(value->map, field->keys[i]) : NULL;
        if (pair == NULL) {
            return NULL;
        }
        value = &pair->value;
    }
    return value;
}

static enum hf_status become_map(struct hf_expr_value *value, struct hf_arena *arena)
{
    if (value->type != HF_EXPR_MAP) {
        *value = (struct hf_expr_value){.type = HF_EXPR_MAP, .map = hf_expr_map_new(arena, 4)};
    }
    return value->map != NULL ? HF_OK : HF_NOMEM;
}

enum hf_status hf_log_field_set(const struct hf_log_field *field, struct hf_log_entry *entry,
                                struct hf_expr_value value)
{
    struct hf_expr_value *at = root_of(field, entry);
    if (field->count == 0 && field->root != HF_LOG_BODY && value.type != HF_EXPR_MAP) {
        return HF_INVALID;
    }
    for (size_t i = 0; i < field->count; i++) {
        if (become_map(at, entry->arena) != HF_OK) {
            return HF_NOMEM;
        }
        struct hf_expr_pair *pair = hf_expr_map_find(at->map, field->keys[i]);
        if (pair == NULL) {
            if (hf_expr_map_add(entry->arena, at->map, field->keys[i], (struct hf_expr_value){0}) !=
                HF_OK) {
                return HF_NOMEM;
            }
            pair = &at->map->pairs[at->map->count - 1];
        }
        at = &pair->value;
    }
    if (value.type == HF_EXPR_MAP && at->type == HF_EXPR_MAP && at->map != value.map) {
        return hf_expr_map_merge(entry->arena, at->map, value.map);
    }
    *at = value;
    return HF_OK;
}

bool hf_log_field_remove(const struct hf_log_field *field, struct hf_log_entry *entry,
                         struct hf_expr_value *ret_value)
{
    struct hf_expr_value *value = hf_log_field_get(field, entry);
    if (value == NULL) {
        return false;
    }
    *ret_value = *value;
    if (field->count == 0) {
        *value = (struct hf_expr_value){0};
        if (field->root != HF_LOG_BODY) {
            value->type = HF_EXPR_MAP;
            value->map = hf_expr_map_new(entry->arena, 4);
            return value->map != NULL;
        }
        return true;
    }
    struct hf_log_field parent = *field;
    parent.count--;
    struct hf_expr_value *map = hf_log_field_get(&parent, entry);
    return hf_expr_map_remove(map->map, field->keys[field->count - 1]);
}
