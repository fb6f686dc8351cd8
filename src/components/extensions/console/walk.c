#include "walk.h"

#include <stdlib.h>
#include <string.h>

#include "match.h"

static const struct {
    const char *signal, *resources, *scopes;
} rows[] = {{"spans", "resourceSpans", "scopeSpans"},
            {"metrics", "resourceMetrics", "scopeMetrics"},
            {"logRecords", "resourceLogs", "scopeLogs"}};

void hf_console_walk(const struct hf_json *tree, const char *signal,
                     bool (*visit)(void *user, const struct hf_console_item *item), void *user)
{
    size_t row = 0;
    while (row + 1 < sizeof(rows) / sizeof(rows[0]) && strcmp(rows[row].signal, signal) != 0) {
        row++;
    }
    bool goes_on = true;
    const struct hf_json *resource = hf_json_first(hf_json_get(tree, rows[row].resources));
    for (; resource != NULL && goes_on; resource = resource->next) {
        const struct hf_json *attributes =
            hf_json_get(hf_json_get(resource, "resource"), "attributes");
        struct hf_console_item found = {
            .service =
                hf_json_text_of(hf_console_attribute(attributes, "service.name"), "stringValue")};
        const struct hf_json *scope = hf_json_first(hf_json_get(resource, rows[row].scopes));
        for (; scope != NULL && goes_on; scope = scope->next) {
            const struct hf_json *at = hf_json_first(hf_json_get(scope, signal));
            for (; at != NULL && goes_on; at = at->next) {
                found.item = at;
                goes_on = visit(user, &found);
            }
        }
    }
}

uint64_t hf_console_nanoseconds(const struct hf_json *owner, const char *key)
{
    const struct hf_json *value = hf_json_get(owner, key);
    struct hf_slice text = hf_json_text(value);
    return text.size != 0 ? strtoull((const char *)text.data, NULL, 10)
                          : (uint64_t)hf_json_int(value);
}

bool hf_console_otlp_number(const struct hf_json *value, double *ret_number)
{
    struct hf_slice text = hf_json_text(value);
    char *end = NULL;
    if (value == NULL) {
        return false;
    }
    if (value->kind == HF_JSON_INT) {
        *ret_number = (double)value->integer;
    } else if (value->kind == HF_JSON_DOUBLE) {
        *ret_number = value->number;
    } else if (text.size != 0) {
        *ret_number = strtod((const char *)text.data, &end);
    } else {
        return false;
    }
    return end == NULL || *end == '\0';
}
