#include "json.h"

const struct hf_json *hf_json_first(const struct hf_json *value)
{
    bool holds = value != NULL && (value->kind == HF_JSON_LIST || value->kind == HF_JSON_MAP);
    return holds ? value->first : NULL;
}

const struct hf_json *hf_json_get(const struct hf_json *value, const char *key)
{
    const struct hf_json *found = NULL;
    if (value == NULL || value->kind != HF_JSON_MAP) {
        return NULL;
    }
    for (const struct hf_json *member = value->first; member != NULL; member = member->next) {
        if (hf_slice_is(member->key, key)) {
            found = member;
        }
    }
    return found;
}

const struct hf_json *hf_json_at(const struct hf_json *value, const char *const *keys)
{
    while (value != NULL && *keys != NULL) {
        value = hf_json_get(value, *keys++);
    }
    return value;
}

struct hf_slice hf_json_text(const struct hf_json *value)
{
    return value != NULL && value->kind == HF_JSON_STRING ? value->text : HF_EMPTY_SLICE;
}

struct hf_slice hf_json_text_of(const struct hf_json *value, const char *key)
{
    return hf_json_text(hf_json_get(value, key));
}

int64_t hf_json_int(const struct hf_json *value)
{
    if (value != NULL && value->kind == HF_JSON_INT) {
        return value->integer;
    }
    if (value != NULL && value->kind == HF_JSON_DOUBLE && value->number > -9.2e18 &&
        value->number < 9.2e18) {
        return (int64_t)value->number;
    }
    return 0;
}

bool hf_json_bool(const struct hf_json *value)
{
    return value != NULL && value->kind == HF_JSON_BOOL && value->boolean;
}
