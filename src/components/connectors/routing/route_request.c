#include "route_request.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static struct hf_slice trimmed(const char *begin, const char *end)
{
    while (begin < end && isspace((unsigned char)begin[0])) {
        begin++;
    }
    while (begin < end && isspace((unsigned char)end[-1])) {
        end--;
    }
    return hf_slice_of(begin, (size_t)(end - begin));
}

/* What stands between `before` and `behind`. False: they are not there. */
static bool unwrap(struct hf_slice text, const char *before, const char *behind,
                   struct hf_slice *ret_inner)
{
    size_t head = strlen(before), tail = strlen(behind);
    if (text.size < head + tail || memcmp(text.data, before, head) != 0 ||
        memcmp(text.data + text.size - tail, behind, tail) != 0) {
        return false;
    }
    *ret_inner = hf_slice_of(text.data + head, text.size - head - tail);
    return true;
}

/* The only comparison in the text; NULL: there is none, or more than one. */
static const char *find_comparison(const char *text)
{
    const char *found = NULL;
    for (const char *at = text; at[0] != '\0'; at++) {
        bool is_comparison = (at[0] == '=' || at[0] == '!') && at[1] == '=';
        if (is_comparison && found != NULL) {
            return NULL;
        }
        found = is_comparison ? at : found;
        at += is_comparison ? 1 : 0;
    }
    return found;
}

enum hf_status route_request_read(const char *text, struct route_request *ret_request, char *reterr)
{
    struct hf_slice key, value;
    const char *comparison = find_comparison(text);
    if (comparison == NULL || !unwrap(trimmed(text, comparison), "request[\"", "\"]", &key) ||
        !unwrap(trimmed(comparison + 2, comparison + strlen(comparison)), "\"", "\"", &value)) {
        snprintf(reterr, HF_ERROR_MAX,
                 "condition: of the context request, expected request[\"key\"] == \"value\", or "
                 "!=");
        return HF_INVALID;
    }
    char *lower = strndup((const char *)key.data, key.size);
    if (lower == NULL) {
        return HF_NOMEM;
    }
    for (char *at = lower; at[0] != '\0'; at++) {
        at[0] = (char)tolower((unsigned char)at[0]);
    }
    *ret_request =
        (struct route_request){.key = lower, .value = value, .is_unequal = comparison[0] == '!'};
    return HF_OK;
}

bool route_request_matches(const struct route_request *request, struct hf_slice meta)
{
    struct hf_meta_entry entry;
    size_t cursor = 0;
    while (hf_meta_next(meta, &cursor, &entry)) {
        bool is_key = entry.kind == HF_META_HEADER && entry.key.size == strlen(request->key) &&
                      strncasecmp((const char *)entry.key.data, request->key, entry.key.size) == 0;
        if (is_key && hf_slice_equal(entry.value, request->value) != request->is_unequal) {
            return true;
        }
    }
    return false;
}
