#include "span_name.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#include "pdata/any.h"
#include "pdata/attributes.h"
#include "pdata/document.h"
#include "util/regex/regex.h"

enum { SPAN_NAME = 5, SPAN_ATTRIBUTES = 9 };

/* ---- from attributes ---- */

#define DIGITS_MAX 17
#define DOUBLE_TEXT_MAX 400 /* 1.8e308 without an exponent, or 5e-324 */

/* In the fewest digits that read back as the same number, never with an exponent. */
static struct hf_slice fixed_text(double number, char *room)
{
    if (!isfinite(number)) {
        return hf_slice_text(isnan(number) ? "NaN" : number > 0 ? "+Inf" : "-Inf");
    }
    char digits[DIGITS_MAX + 10];
    int precision = 0;
    do {
        snprintf(digits, sizeof(digits), "%.*e", precision, number);
    } while (strtod(digits, NULL) != number && ++precision < DIGITS_MAX);
    int exponent = (int)strtol(strchr(digits, 'e') + 1, NULL, 10);
    int decimals = precision > exponent ? precision - exponent : 0;
    /* Digits that %f would add before the point are not those of the shortest text. */
    if (exponent < DIGITS_MAX - 1) {
        return hf_slice_of(room, (size_t)snprintf(room, DOUBLE_TEXT_MAX, "%.*f", decimals, number));
    }
    size_t size = 0;
    for (const char *at = digits; *at != 'e'; at++) {
        if (*at != '.') {
            room[size++] = *at;
        }
    }
    for (int zeros = exponent - precision; zeros > 0; zeros--) {
        room[size++] = '0';
    }
    return hf_slice_of(room, size);
}

static enum hf_status put_value(struct hf_slice value, struct hf_bytes *text)
{
    char room[DOUBLE_TEXT_MAX];
    struct hf_any any = hf_any_read(value);
    switch (any.type) {
    case HF_ANY_STRING:
    case HF_ANY_BOOL:
    case HF_ANY_INT:
        return hf_any_text(value, text);
    case HF_ANY_DOUBLE:
        return hf_bytes_append(text, fixed_text(any.number, room));
    default:
        return hf_bytes_append(text, hf_slice_text("<unknown-attribute-type>"));
    }
}

enum hf_status hf_span_name_from(const struct hf_string_list *keys, const char *separator,
                                 struct hf_message *span, struct hf_bytes *text)
{
    enum hf_status status = HF_OK;
    text->size = 0;
    for (size_t i = 0; i < keys->count && status == HF_OK; i++) {
        struct hf_slice value;
        if (!hf_attribute_of(hf_message_content(span), SPAN_ATTRIBUTES,
                             hf_slice_text(keys->items[i]), &value)) {
            return HF_OK;
        }
        if (i > 0 && separator != NULL) {
            status = hf_bytes_append(text, hf_slice_text(separator));
        }
        if (status == HF_OK) {
            status = put_value(value, text);
        }
    }
    if (status == HF_OK && keys->count > 0) {
        hf_message_set_bytes(span, SPAN_NAME, hf_slice_of(text->data, text->size));
    }
    return status;
}

/* ---- to attributes ---- */

enum hf_status hf_span_rules_init(struct hf_span_rules *rules,
                                  const struct hf_string_list *patterns, char *reterr)
{
    enum hf_status status = HF_OK;
    rules->items = calloc(patterns->count > 0 ? patterns->count : 1, sizeof(struct hf_regex *));
    if (rules->items == NULL) {
        return HF_NOMEM;
    }
    for (size_t i = 0; i < patterns->count && status == HF_OK; i++) {
        char why[HF_REGEX_ERROR_MAX];
        status = hf_regex_new(patterns->items[i], &rules->items[i], why);
        if (status == HF_INVALID) {
            snprintf(reterr, HF_ERROR_MAX, "name.to_attributes.rules[%zu]: %s", i, why);
        }
        rules->count += status == HF_OK;
    }
    if (status != HF_OK) {
        hf_span_rules_release(rules);
    }
    return status;
}

void hf_span_rules_release(struct hf_span_rules *rules)
{
    for (size_t i = 0; i < rules->count; i++) {
        hf_regex_free(rules->items[i]);
    }
    free(rules->items);
    rules->items = NULL;
    rules->count = 0;
}

const char *hf_span_rules_check(const struct hf_string_list *patterns)
{
    static _Thread_local char sentence[HF_ERROR_MAX];
    struct hf_span_rules rules = {0};
    snprintf(sentence, sizeof(sentence), "name.to_attributes.rules: out of memory");
    enum hf_status status = hf_span_rules_init(&rules, patterns, sentence);
    hf_span_rules_release(&rules);
    return status == HF_OK ? NULL : sentence;
}

/* Writes the name with `{NAME}` for each group, from left to right; a group inside of another one
 * is an attribute and leaves no sign of its own. */
static enum hf_status take_groups(const struct hf_regex *regex, struct hf_slice name,
                                  const struct hf_slice *groups, struct hf_attributes *attributes,
                                  struct hf_bytes *text)
{
    enum hf_status status = HF_OK;
    size_t at = 0;
    text->size = 0;
    for (size_t i = 0; i < hf_regex_group_count(regex) && status == HF_OK; i++) {
        const char *key = hf_regex_group_name(regex, i + 1);
        if (key == NULL || groups[i].data == NULL) {
            continue;
        }
        hf_attributes_set(attributes, hf_slice_text(key),
                          hf_attributes_string(attributes, groups[i]));
        size_t start = (size_t)(groups[i].data - name.data);
        if (start < at) {
            continue;
        }
        status = hf_bytes_append(text, hf_slice_of(name.data + at, start - at));
        at = start + groups[i].size;
        const struct hf_slice sign[] = {hf_slice_text("{"), hf_slice_text(key), hf_slice_text("}")};
        for (size_t piece = 0; piece < 3 && status == HF_OK; piece++) {
            status = hf_bytes_append(text, sign[piece]);
        }
    }
    return status == HF_OK ? hf_bytes_append(text, hf_slice_of(name.data + at, name.size - at))
                           : status;
}

enum hf_status hf_span_rules_apply(const struct hf_span_rules *rules, struct hf_message *span,
                                   struct hf_bytes *text)
{
    struct hf_slice groups[HF_REGEX_GROUPS_MAX];
    enum hf_status status = HF_OK;
    for (size_t i = 0; i < rules->count && status == HF_OK; i++) {
        struct hf_slice name = hf_message_bytes(span, SPAN_NAME);
        if (name.size == 0) {
            return HF_OK;
        }
        if (!hf_regex_find(rules->items[i], name, groups)) {
            continue;
        }
        struct hf_attributes *attributes = hf_message_attributes(span, SPAN_ATTRIBUTES);
        if (attributes == NULL) {
            return HF_NOMEM;
        }
        status = take_groups(rules->items[i], name, groups, attributes, text);
        if (status == HF_OK && !rules->keep_original_name) {
            hf_message_set_bytes(span, SPAN_NAME, hf_slice_of(text->data, text->size));
        }
        if (rules->break_after_match) {
            break;
        }
    }
    return status;
}
