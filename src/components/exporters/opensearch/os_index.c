#include "os_index.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "bulk/walk.h"
#include "pdata/any.h"
#include "pdata/attributes.h"

#define NS_PER_S UINT64_C(1000000000)

static const struct token {
    const char *name, *directive;
} tokens[] = {{"yyyy", "%Y"}, {"yy", "%y"}, {"MM", "%m"}, {"dd", "%d"},
              {"HH", "%H"},   {"mm", "%M"}, {"ss", "%S"}};

static const struct token *find_token(const char *at)
{
    for (size_t i = 0; i < sizeof(tokens) / sizeof(tokens[0]); i++) {
        if (strncmp(at, tokens[i].name, strlen(tokens[i].name)) == 0) {
            return &tokens[i];
        }
    }
    return NULL;
}

bool os_time_format_is_good(const char *format)
{
    while (*format != '\0') {
        const struct token *token = find_token(format);
        if (token == NULL && strchr("-._+", *format) == NULL) {
            return false;
        }
        format += token != NULL ? strlen(token->name) : 1;
    }
    return true;
}

static enum hf_status put(struct hf_bytes *out, const char *text)
{
    return hf_bytes_append(out, hf_slice_text(text));
}

static enum hf_status put_date(const char *format, uint64_t time_ns, struct hf_bytes *out)
{
    time_t seconds = (time_t)(time_ns / NS_PER_S);
    struct tm parts;
    enum hf_status status = put(out, "-");
    if (localtime_r(&seconds, &parts) == NULL) {
        return status;
    }
    while (*format != '\0' && status == HF_OK) {
        const struct token *token = find_token(format);
        char text[8] = {*format, '\0'};
        if (token != NULL) {
            strftime(text, sizeof(text), token->directive, &parts);
        }
        status = put(out, text);
        format += token != NULL ? strlen(token->name) : 1;
    }
    return status;
}

/* The value of a key: of the item, the scope, the resource. Empty: there is none. */
static struct hf_slice find(const struct os_index_input *input, struct hf_slice key)
{
    struct hf_slice value;
    if (hf_attribute_of(input->item, input->item_attributes, key, &value) ||
        hf_attribute_of(input->scope, HF_BULK_SCOPE_ATTRIBUTES, key, &value) ||
        hf_attribute_of(input->resource, HF_BULK_RESOURCE_ATTRIBUTES, key, &value)) {
        return value;
    }
    return HF_EMPTY_SLICE;
}

static enum hf_status put_key(const struct os_index_input *input, struct hf_slice key,
                              struct hf_bytes *out)
{
    size_t before = out->size;
    const char *fallback = input->index->fallback;
    enum hf_status status = hf_any_text(find(input, key), out);
    if (status == HF_OK && out->size == before && hf_slice_is(key, "scope.name")) {
        status = hf_bytes_append(out, hf_wire_find_bytes(input->scope, 1));
    } else if (status == HF_OK && out->size == before && hf_slice_is(key, "scope.version")) {
        status = hf_bytes_append(out, hf_wire_find_bytes(input->scope, 2));
    }
    if (status == HF_OK && out->size == before) {
        status = put(out, fallback != NULL && fallback[0] != '\0' ? fallback : "unknown");
    }
    return status;
}

/* %{key} may stand anywhere; what has no end is text. */
static enum hf_status put_pattern(const struct os_index_input *input, struct hf_bytes *out)
{
    const char *at = input->index->pattern;
    enum hf_status status = HF_OK;
    while (*at != '\0' && status == HF_OK) {
        const char *open = strstr(at, "%{");
        const char *close = open != NULL ? strchr(open, '}') : NULL;
        if (close == NULL || close == open + 2) {
            return put(out, at);
        }
        status = hf_bytes_append(out, hf_slice_of(at, (size_t)(open - at)));
        if (status == HF_OK) {
            status = put_key(input, hf_slice_of(open + 2, (size_t)(close - open - 2)), out);
        }
        at = close + 1;
    }
    return status;
}

enum hf_status os_index_make(const struct os_index_input *input, struct hf_bytes *out)
{
    enum hf_status status;
    const char *pattern = input->index->pattern, *format = input->index->time_format;
    if (pattern != NULL && pattern[0] != '\0') {
        status = put_pattern(input, out);
    } else {
        const char *const parts[] = {input->prefix, "-", input->dataset, "-", input->namespace};
        status = HF_OK;
        for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]) && status == HF_OK; i++) {
            status = put(out, parts[i]);
        }
    }
    return status == HF_OK && format != NULL && format[0] != '\0'
               ? put_date(format, input->received_ns, out)
               : status;
}
