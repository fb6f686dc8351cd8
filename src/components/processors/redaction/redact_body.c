/* Maps and lists are walked down, texts are masked. */
#include "redact_body.h"

#include <stdio.h>

enum { LOG_ATTRIBUTES = 6, LOG_BODY = 5 };

#define INDEX_TEXT_MAX 24

/* "path.key", "path.[3]", which only a summary with keys shows. */
static struct hf_slice join(struct hf_redact_run *run, struct hf_slice path, struct hf_slice key)
{
    if (run->rules->summary != HF_REDACT_DEBUG) {
        return HF_EMPTY_SLICE;
    }
    if (path.size == 0) {
        return hf_document_keep(run->document, key);
    }
    run->text.size = 0;
    if (hf_bytes_append(&run->text, path) != HF_OK ||
        hf_bytes_append(&run->text, hf_slice_text(".")) != HF_OK ||
        hf_bytes_append(&run->text, key) != HF_OK) {
        run->status = HF_NOMEM;
    }
    return hf_document_keep(run->document, hf_slice_of(run->text.data, run->text.size));
}

/* Masked or allowed; the value itself when nothing is to be done. */
static struct hf_slice redact_scalar(struct hf_redact_run *run, struct hf_slice path,
                                     struct hf_slice value, const struct hf_any *any)
{
    struct hf_slice text = any->bytes;
    if (any->type != HF_ANY_STRING) {
        run->text.size = 0;
        if (hf_any_text(value, &run->text) != HF_OK) {
            run->status = HF_NOMEM;
        }
        text = hf_slice_of(run->text.data, run->text.size);
    }
    if (hf_redact_allows(run->rules, text)) {
        hf_redact_note(run, HF_REDACT_ALLOWED, path);
        return value;
    }
    if (!hf_redact_body_text(run, &text)) {
        return value;
    }
    hf_redact_note(run, HF_REDACT_MASKED, path);
    return hf_any_make_string(&run->maker, text);
}

static struct hf_slice redact_value(struct hf_redact_run *run, struct hf_slice path,
                                    struct hf_slice value);

/* False: the pair goes. */
static bool redact_pair(struct hf_redact_run *run, struct hf_slice path, struct hf_any_pair *pair)
{
    const struct hf_redact_rules *rules = run->rules;
    if (hf_redact_ignores(rules, pair->key)) {
        hf_redact_note(run, HF_REDACT_IGNORED, join(run, path, pair->key));
    } else if (hf_redact_removes(rules, pair->key)) {
        hf_redact_note(run, HF_REDACT_REDACTED, join(run, path, pair->key));
        return false;
    } else if (hf_redact_masks(rules, pair->key)) {
        struct hf_any any = hf_any_read(pair->value);
        struct hf_slice text = any.type == HF_ANY_STRING ? any.bytes : HF_EMPTY_SLICE;
        hf_redact_note(run, HF_REDACT_MASKED, join(run, path, pair->key));
        pair->value = hf_any_make_string(&run->maker, hf_redact_whole(run, text));
    } else {
        pair->value = redact_value(run, join(run, path, pair->key), pair->value);
    }
    return true;
}

static bool is_same(struct hf_slice a, struct hf_slice b)
{
    return a.data == b.data && a.size == b.size;
}

static struct hf_slice redact_map(struct hf_redact_run *run, struct hf_slice path,
                                  struct hf_slice value, const struct hf_any *map)
{
    size_t count = hf_any_count(map), kept = 0;
    bool changed = false;
    struct hf_any_pair *pairs = hf_arena_take(run->maker.arena, (count + 1) * sizeof(*pairs));
    struct hf_wire items = hf_any_items(map);
    if (pairs == NULL) {
        run->status = HF_NOMEM;
        return value;
    }
    while (kept < count && run->status == HF_OK && hf_any_next_pair(&items, &pairs[kept])) {
        struct hf_slice before = pairs[kept].value;
        if (!redact_pair(run, path, &pairs[kept])) {
            changed = true;
            continue;
        }
        changed |= !is_same(before, pairs[kept].value);
        kept++;
    }
    return changed ? hf_any_make_map(&run->maker, pairs, kept) : value;
}

static struct hf_slice redact_list(struct hf_redact_run *run, struct hf_slice path,
                                   struct hf_slice value, const struct hf_any *list)
{
    size_t count = hf_any_count(list), index = 0;
    bool changed = false;
    struct hf_slice *values = hf_arena_take(run->maker.arena, (count + 1) * sizeof(*values));
    struct hf_wire items = hf_any_items(list);
    if (values == NULL) {
        run->status = HF_NOMEM;
        return value;
    }
    while (index < count && run->status == HF_OK && hf_any_next_value(&items, &values[index])) {
        char text[INDEX_TEXT_MAX];
        int size = snprintf(text, sizeof(text), "[%zu]", index);
        struct hf_slice before = values[index];
        values[index] = redact_value(run, join(run, path, hf_slice_of(text, (size_t)size)), before);
        changed |= !is_same(before, values[index]);
        index++;
    }
    return changed ? hf_any_make_list(&run->maker, values, index) : value;
}

static struct hf_slice redact_value(struct hf_redact_run *run, struct hf_slice path,
                                    struct hf_slice value)
{
    struct hf_any any = hf_any_read(value);
    switch (any.type) {
    case HF_ANY_MAP:
        return redact_map(run, path, value, &any);
    case HF_ANY_ARRAY:
        return redact_list(run, path, value, &any);
    default:
        return redact_scalar(run, path, value, &any);
    }
}

void hf_redact_body(struct hf_redact_run *run, struct hf_message *record)
{
    struct hf_slice came = hf_message_any(record, LOG_BODY);
    struct hf_slice body = hf_any_settle(&run->maker, came);
    struct hf_any any = hf_any_read(body);
    bool is_scalar = any.type != HF_ANY_MAP && any.type != HF_ANY_ARRAY;
    struct hf_slice path = is_scalar ? hf_slice_text("body") : HF_EMPTY_SLICE;
    struct hf_slice redacted = redact_value(run, path, body);
    if (is_scalar) {
        run->keys[HF_REDACT_ALLOWED].count = 0; /* a text that is allowed as a whole is no news */
    }
    if (!is_same(redacted, body)) {
        hf_message_set_any(record, LOG_BODY, redacted);
    }
    bool has_news = false;
    for (int deed = 0; deed < HF_REDACT_DEED_COUNT; deed++) {
        has_news |= run->keys[deed].count > 0;
    }
    if (has_news) {
        struct hf_attributes *attributes = hf_message_attributes(record, LOG_ATTRIBUTES);
        if (attributes == NULL) {
            run->status = HF_NOMEM;
            return;
        }
        hf_redact_tell(run, attributes, "redaction.body.");
    }
}
