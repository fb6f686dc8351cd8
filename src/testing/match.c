#include "match.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 32u

static bool same_key(const char *wanted, struct hf_slice key)
{
    size_t at = 0;
    for (;; wanted++, at++) {
        while (*wanted == '_') {
            wanted++;
        }
        while (at < key.size && key.data[at] == '_') {
            at++;
        }
        if (*wanted == '\0' || at == key.size) {
            return *wanted == '\0' && at == key.size;
        }
        if (tolower((unsigned char)*wanted) != tolower(key.data[at])) {
            return false;
        }
    }
}

static const struct hf_json *find_key(const struct hf_json *map, const char *wanted)
{
    for (const struct hf_json *one = hf_json_first(map); one != NULL; one = one->next) {
        if (same_key(wanted, one->key)) {
            return one;
        }
    }
    return NULL;
}

/* What an AnyValue holds: of {"stringValue": "a"} the text; of {"arrayValue": {"values": [...]}}
 * the list. All else is itself. */
static const struct hf_json *unwrap(const struct hf_json *have)
{
    static const char *const names[] = {"stringValue", "intValue", "boolValue", "doubleValue",
                                        "bytesValue"};
    const struct hf_json *only = have->kind == HF_JSON_MAP ? hf_json_first(have) : NULL;
    if (only == NULL || only->next != NULL) {
        return have;
    }
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (hf_slice_is(only->key, names[i])) {
            return only;
        }
    }
    if (hf_slice_is(only->key, "arrayValue") || hf_slice_is(only->key, "kvlistValue")) {
        const struct hf_json *values = hf_json_get(only, "values");
        return values != NULL ? values : only;
    }
    return have;
}

static bool matches(const struct hf_value *wanted, const struct hf_json *have, unsigned depth);

/* A list of {key, value} as a map. */
static const struct hf_json *find_attribute(const struct hf_json *list, const char *name)
{
    for (const struct hf_json *one = hf_json_first(list); one != NULL; one = one->next) {
        if (hf_slice_is(hf_json_text_of(one, "key"), name)) {
            const struct hf_json *value = hf_json_get(one, "value");
            return value != NULL ? value : one;
        }
    }
    return NULL;
}

static bool matches_map(const struct hf_value *wanted, const struct hf_json *have, unsigned depth)
{
    for (size_t i = 0; i < wanted->count; i++) {
        const struct hf_json *value = have->kind == HF_JSON_LIST
                                          ? find_attribute(have, wanted->keys[i])
                                          : find_key(have, wanted->keys[i]);
        if (!matches(&wanted->items[i], value, depth)) {
            return false;
        }
    }
    return have->kind == HF_JSON_LIST || have->kind == HF_JSON_MAP;
}

static bool matches_list(const struct hf_value *wanted, const struct hf_json *have, unsigned depth)
{
    for (size_t i = 0; i < wanted->count; i++) {
        const struct hf_json *one = hf_json_first(have);
        while (one != NULL && !matches(&wanted->items[i], unwrap(one), depth)) {
            one = one->next;
        }
        if (one == NULL) {
            return false;
        }
    }
    return have->kind == HF_JSON_LIST;
}

/* Numbers of 64 bits are texts in OTLP/JSON. */
static bool matches_scalar(const struct hf_value *wanted, const struct hf_json *have)
{
    char text[32];
    const char *string = wanted->string != NULL ? wanted->string : "";
    switch (have->kind) {
    case HF_JSON_STRING:
        return hf_slice_is(have->text, string);
    case HF_JSON_BOOL:
        return wanted->type == HF_VALUE_BOOL
                   ? wanted->boolean == have->boolean
                   : strcmp(string, have->boolean ? "true" : "false") == 0;
    case HF_JSON_INT:
        snprintf(text, sizeof(text), "%" PRId64, have->integer);
        return strcmp(string, text) == 0 ||
               (wanted->type == HF_VALUE_DOUBLE && wanted->number == (double)have->integer);
    case HF_JSON_DOUBLE:
        return fabs(strtod(string, NULL) - have->number) <= 1e-9 * fabs(have->number);
    default:
        return false;
    }
}

/* `have` NULL: it is not there, which is what null expects. */
static bool matches(const struct hf_value *wanted, const struct hf_json *have, unsigned depth)
{
    if (have == NULL || depth == DEPTH_MAX) {
        return have == NULL && wanted->type == HF_VALUE_NONE;
    }
    have = unwrap(have);
    switch (wanted->type) {
    case HF_VALUE_NONE:
        return have->kind == HF_JSON_NULL;
    case HF_VALUE_MAP:
        return matches_map(wanted, have, depth + 1);
    case HF_VALUE_LIST:
        return matches_list(wanted, have, depth + 1);
    default:
        return matches_scalar(wanted, have);
    }
}

bool hf_test_matches(const struct hf_value *wanted, const struct hf_test_item *item)
{
    for (size_t i = 0; i < wanted->count; i++) {
        const char *key = wanted->keys[i];
        const struct hf_json *have = find_key(item->item, key);
        if (strcmp(key, "resource") == 0) {
            have = hf_json_get(item->resource, "attributes");
        } else if (strcmp(key, "scope") == 0) {
            have = item->scope;
        } else if (strcmp(key, "metric") == 0) {
            have = item->metric;
        }
        if (!matches(&wanted->items[i], have, 0)) {
            return false;
        }
    }
    return wanted->type == HF_VALUE_MAP;
}

/* ---- the items of a request ---- */

struct walk {
    struct hf_test_item item;
    void (*visit)(void *user, const struct hf_test_item *item);
    void *user;
};

static void visit_all(struct walk *walk, const struct hf_json *list)
{
    for (const struct hf_json *one = hf_json_first(list); one != NULL; one = one->next) {
        walk->item.item = one;
        walk->visit(walk->user, &walk->item);
    }
}

static void visit_metrics(struct walk *walk, const struct hf_json *list)
{
    for (const struct hf_json *one = hf_json_first(list); one != NULL; one = one->next) {
        walk->item.metric = one;
        for (const struct hf_json *part = hf_json_first(one); part != NULL; part = part->next) {
            visit_all(walk, hf_json_get(part, "dataPoints"));
        }
    }
    walk->item.metric = NULL;
}

static void visit_scopes(struct walk *walk, const struct hf_json *group)
{
    static const char *const lists[] = {"scopeSpans", "scopeMetrics", "scopeLogs"};
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        const struct hf_json *scope = hf_json_first(hf_json_get(group, lists[i]));
        for (; scope != NULL; scope = scope->next) {
            walk->item.scope = hf_json_get(scope, "scope");
            visit_all(walk, hf_json_get(scope, "spans"));
            visit_all(walk, hf_json_get(scope, "logRecords"));
            visit_metrics(walk, hf_json_get(scope, "metrics"));
        }
    }
}

void hf_test_items(const struct hf_json *request,
                   void (*visit)(void *user, const struct hf_test_item *item), void *user)
{
    static const char *const lists[] = {"resourceSpans", "resourceMetrics", "resourceLogs"};
    struct walk walk = {.visit = visit, .user = user};
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        const struct hf_json *group = hf_json_first(hf_json_get(request, lists[i]));
        for (; group != NULL; group = group->next) {
            walk.item.resource = hf_json_get(group, "resource");
            visit_scopes(&walk, group);
        }
    }
}
