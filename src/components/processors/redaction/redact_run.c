#include "redact_run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/regex/regex.h"

/* ---- rules ---- */

static bool matches(const struct hf_regex_list *list, struct hf_slice text)
{
    for (size_t i = 0; i < list->count; i++) {
        if (hf_regex_matches(list->items[i], text)) {
            return true;
        }
    }
    return false;
}

bool hf_redact_ignores(const struct hf_redact_rules *rules, struct hf_slice key)
{
    return hf_key_is_in(&rules->ignored_keys, key) || matches(&rules->ignored_key_patterns, key);
}

bool hf_redact_removes(const struct hf_redact_rules *rules, struct hf_slice key)
{
    return !rules->allow_all_keys && !hf_key_is_in(&rules->allowed_keys, key);
}

bool hf_redact_masks(const struct hf_redact_rules *rules, struct hf_slice key)
{
    struct hf_regex_range found;
    for (size_t i = 0; i < rules->blocked_key_patterns.count; i++) {
        /* A key of which it cannot be told is masked. */
        if (hf_regex_find_range(rules->blocked_key_patterns.items[i], key, 0, &found) !=
            HF_NOT_FOUND) {
            return true;
        }
    }
    return false;
}

bool hf_redact_allows(const struct hf_redact_rules *rules, struct hf_slice value)
{
    return matches(&rules->allowed_values, value);
}

/* ---- values ---- */

static void fail(struct hf_redact_run *run)
{
    run->status = HF_NOMEM;
}

bool hf_redact_text(struct hf_redact_run *run, struct hf_slice *text)
{
    const struct hf_regex_list *blocked = &run->rules->blocked_values;
    bool changed = false;
    for (size_t i = 0; i < blocked->count; i++) {
        run->masked.size = 0;
        enum hf_status status =
            hf_mask_matches(&run->rules->mask, blocked->items[i], *text, &run->masked);
        if (status == HF_NOT_FOUND) {
            continue;
        }
        if (status != HF_OK) {
            fail(run);
            return changed;
        }
        struct hf_slice masked = hf_slice_of(run->masked.data, run->masked.size);
        changed |= !hf_slice_equal(masked, *text);
        /* The next pattern looks at what this one has left. */
        struct hf_bytes spare = run->text;
        run->text = run->masked;
        run->masked = spare;
        *text = masked;
    }
    return changed;
}

/* What a sanitizer made of a text, if it made something. */
static bool take_clean(struct hf_redact_run *run, enum hf_status status, struct hf_slice *text)
{
    if (status == HF_OK) {
        *text = hf_slice_of(run->clean.data, run->clean.size);
    } else if (status != HF_NOT_FOUND) {
        fail(run);
    }
    return status == HF_OK;
}

bool hf_redact_attribute_text(struct hf_redact_run *run, struct hf_slice key,
                              struct hf_slice system, struct hf_slice *text)
{
    bool is_log = hf_document_signal(run->document) == HF_LOGS;
    bool changed = hf_redact_text(run, text);
    enum hf_status status = hf_sanitize_attribute(&run->rules->sanitizers, key, *text, system,
                                                  is_log, &run->scratch, &run->clean);
    return take_clean(run, status, text) || changed;
}

bool hf_redact_body_text(struct hf_redact_run *run, struct hf_slice *text)
{
    bool changed = hf_redact_text(run, text);
    enum hf_status status =
        hf_sanitize_body(&run->rules->sanitizers, *text, &run->scratch, &run->clean);
    return take_clean(run, status, text) || changed;
}

void hf_redact_span_name(struct hf_redact_run *run, struct hf_message *span)
{
    enum { SPAN_NAME = 5 };
    struct hf_slice name = hf_message_bytes(span, SPAN_NAME);
    if (!run->rules->sanitizers.of_urls && !run->rules->sanitizers.has_database) {
        return;
    }
    if (hf_redact_allows(run->rules, name)) {
        return;
    }
    enum hf_status status = hf_sanitize_span_name(&run->rules->sanitizers, span, &run->clean);
    if (take_clean(run, status, &name)) {
        hf_message_set_bytes(span, SPAN_NAME, name);
    }
}

struct hf_slice hf_redact_whole(struct hf_redact_run *run, struct hf_slice text)
{
    run->masked.size = 0;
    if (hf_mask_lines(&run->rules->mask, text, &run->masked) != HF_OK) {
        fail(run);
    }
    return hf_slice_of(run->masked.data, run->masked.size);
}

/* ---- what is told ---- */

void hf_redact_note(struct hf_redact_run *run, enum hf_redact_deed deed, struct hf_slice key)
{
    struct hf_redact_keys *keys = &run->keys[deed];
    if (keys->count == keys->capacity) {
        size_t capacity = keys->capacity == 0 ? 16 : keys->capacity * 2;
        struct hf_slice *items = reallocarray(keys->items, capacity, sizeof(*items));
        if (items == NULL) {
            fail(run);
            return;
        }
        keys->items = items;
        keys->capacity = capacity;
    }
    keys->items[keys->count++] = key;
}

/* What an earlier redaction has told of is told again. */
static void note_earlier(struct hf_redact_run *run, enum hf_redact_deed deed, struct hf_slice list)
{
    while (list.size > 0) {
        const uint8_t *comma = memchr(list.data, ',', list.size);
        size_t size = comma != NULL ? (size_t)(comma - list.data) : list.size;
        hf_redact_note(run, deed, hf_slice_of(list.data, size));
        if (comma == NULL) {
            return;
        }
        list = hf_slice_of(comma + 1, list.size - size - 1);
        if (list.size == 0) {
            hf_redact_note(run, deed, HF_EMPTY_SLICE);
        }
    }
}

static void tell_keys(struct hf_redact_run *run, enum hf_redact_deed deed,
                      struct hf_attributes *attributes, struct hf_slice name)
{
    struct hf_redact_keys *keys = &run->keys[deed];
    const struct hf_attribute *found = hf_attributes_find(attributes, name);
    struct hf_any any =
        found != NULL ? hf_any_read(found->value) : (struct hf_any){.type = HF_ANY_EMPTY};
    if (any.type == HF_ANY_STRING) {
        note_earlier(run, deed, any.bytes);
    }
    qsort(keys->items, keys->count, sizeof(*keys->items), hf_slice_order);
    run->text.size = 0;
    for (size_t i = 0; i < keys->count; i++) {
        if ((i > 0 && hf_bytes_append(&run->text, hf_slice_text(",")) != HF_OK) ||
            hf_bytes_append(&run->text, keys->items[i]) != HF_OK) {
            fail(run);
        }
    }
    hf_attributes_set(
        attributes, name,
        hf_attributes_string(attributes, hf_slice_of(run->text.data, run->text.size)));
}

void hf_redact_tell(struct hf_redact_run *run, struct hf_attributes *attributes, const char *prefix)
{
    static const char *const names[] = {"redacted", "masked", "allowed", "ignored"};
    char name[64];
    for (int deed = 0; deed < HF_REDACT_DEED_COUNT; deed++) {
        int64_t count = (int64_t)run->keys[deed].count;
        if (count > 0 && run->rules->summary == HF_REDACT_DEBUG && deed != HF_REDACT_IGNORED) {
            int size = snprintf(name, sizeof(name), "%s%s.keys", prefix, names[deed]);
            struct hf_slice kept = hf_document_keep(run->document, hf_slice_of(name, (size_t)size));
            tell_keys(run, (enum hf_redact_deed)deed, attributes, kept);
        }
        if (count > 0 && run->rules->summary != HF_REDACT_SILENT) {
            int size = snprintf(name, sizeof(name), "%s%s.count", prefix, names[deed]);
            struct hf_slice kept = hf_document_keep(run->document, hf_slice_of(name, (size_t)size));
            const struct hf_attribute *found = hf_attributes_find(attributes, kept);
            struct hf_any any =
                found != NULL ? hf_any_read(found->value) : (struct hf_any){.type = HF_ANY_EMPTY};
            int64_t before = any.type == HF_ANY_INT ? any.integer : 0;
            int64_t sum = before;
            if (__builtin_add_overflow(before, count, &sum)) {
                sum = INT64_MAX;
            }
            hf_attributes_set(attributes, kept, hf_attributes_int(attributes, sum));
        }
        run->keys[deed].count = 0;
    }
}
