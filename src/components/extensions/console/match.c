#include "match.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define VALUE_MAX 1024u

bool hf_console_filter_is_set(const struct hf_console_filter *filter)
{
    return filter->trace != NULL || filter->service != NULL || filter->key != NULL;
}

void hf_console_value_text(const struct hf_json *value, char *out, size_t room)
{
    const struct hf_json *inner = hf_json_first(value);
    const char *text = "";
    char number[64];
    if (inner != NULL && inner->kind == HF_JSON_STRING) {
        snprintf(out, room, "%.*s", (int)inner->text.size, (const char *)inner->text.data);
        return;
    }
    if (inner != NULL && inner->kind == HF_JSON_BOOL) {
        text = inner->boolean ? "true" : "false";
    } else if (inner != NULL && inner->kind == HF_JSON_INT) {
        snprintf(number, sizeof(number), "%lld", (long long)inner->integer);
        text = number;
    } else if (inner != NULL && inner->kind == HF_JSON_DOUBLE) {
        snprintf(number, sizeof(number), "%.15g", inner->number);
        text = number;
    } else if (inner != NULL) {
        text = hf_slice_is(inner->key, "arrayValue") ? "[…]" : "{…}";
    }
    snprintf(out, room, "%s", text);
}

const struct hf_json *hf_console_attribute(const struct hf_json *attributes, const char *key)
{
    const struct hf_json *at = hf_json_first(attributes);
    while (at != NULL && !hf_slice_is(hf_json_text_of(at, "key"), key)) {
        at = at->next;
    }
    return hf_json_get(at, "value");
}

static bool is_attribute(const struct hf_json *map, const char *key, const char *value)
{
    char text[VALUE_MAX];
    if (!hf_slice_is(hf_json_text_of(map, "key"), key)) {
        return false;
    }
    hf_console_value_text(hf_json_get(map, "value"), text, sizeof(text));
    return value == NULL || strcmp(text, value) == 0;
}

static bool is_trace(const struct hf_json *map, const char *trace)
{
    struct hf_slice id = hf_json_text_of(map, "traceId");
    return id.size != 0 && id.size == strlen(trace) &&
           strncasecmp((const char *)id.data, trace, id.size) == 0;
}

struct wanted {
    bool (*is_it)(const struct hf_json *map, const char *name, const char *value);
    const char *name, *value;
};

static bool trace_is_it(const struct hf_json *map, const char *name, const char *value)
{
    (void)value;
    return is_trace(map, name);
}

/* Anywhere in the tree, which is not deeper than HF_JSON_DEPTH_MAX. */
static bool has(const struct hf_json *value, const struct wanted *wanted)
{
    bool found = value->kind == HF_JSON_MAP && wanted->is_it(value, wanted->name, wanted->value);
    for (const struct hf_json *at = hf_json_first(value); at != NULL && !found; at = at->next) {
        bool has_members = at->kind == HF_JSON_MAP || at->kind == HF_JSON_LIST;
        found = has_members && has(at, wanted);
    }
    return found;
}

bool hf_console_matches(const struct hf_console_filter *filter, const struct hf_json *record)
{
    if (record == NULL) {
        return false;
    }
    bool matches =
        filter->trace == NULL || has(record, &(struct wanted){trace_is_it, filter->trace, NULL});
    if (matches && filter->service != NULL) {
        matches = has(record, &(struct wanted){is_attribute, "service.name", filter->service});
    }
    if (matches && filter->key != NULL) {
        matches = has(record, &(struct wanted){is_attribute, filter->key, filter->value});
    }
    return matches;
}
