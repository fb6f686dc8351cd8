/*
 * redact_run: the rules of a redaction, what they say of keys and values, and the notes of what was
 * done. Rules are immutable after start; a run belongs to one document and one thread.
 *
 * In order, for each attribute: an ignored key is kept; one that is not allowed is removed; an
 * allowed value is kept; of a blocked key the whole value is masked; of other values what matches
 * the blocked patterns. Last come the sanitizers of URLs and of queries to databases.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "keys.h"
#include "mask.h"
#include "pdata/any_make.h"
#include "pdata/document.h"
#include "sanitize.h"

struct hf_regex_list {
    struct hf_regex **items;
    size_t count;
};

/* What is told of it in further attributes. */
enum hf_redact_summary { HF_REDACT_SILENT = 0, HF_REDACT_INFO, HF_REDACT_DEBUG };

struct hf_redact_rules {
    bool allow_all_keys, all_types;
    enum hf_redact_summary summary;
    struct hf_mask mask;
    struct hf_key_set allowed_keys, ignored_keys;
    struct hf_regex_list ignored_key_patterns, blocked_key_patterns;
    struct hf_regex_list allowed_values, blocked_values;
    struct hf_sanitizers sanitizers;
};

/* The keys that something was done with. */
enum hf_redact_deed {
    HF_REDACT_REDACTED = 0, /* removed */
    HF_REDACT_MASKED,
    HF_REDACT_ALLOWED, /* by its value */
    HF_REDACT_IGNORED,
    HF_REDACT_DEED_COUNT
};

struct hf_redact_keys {
    struct hf_slice *items;
    size_t count, capacity;
};

struct hf_redact_run {
    const struct hf_redact_rules *rules;
    struct hf_document *document;
    struct hf_any_maker maker;
    struct hf_redact_keys keys[HF_REDACT_DEED_COUNT];
    struct hf_bytes text, masked, clean, scratch;
    enum hf_status status;
};

bool hf_redact_ignores(const struct hf_redact_rules *rules, struct hf_slice key);
bool hf_redact_removes(const struct hf_redact_rules *rules, struct hf_slice key);
bool hf_redact_masks(const struct hf_redact_rules *rules, struct hf_slice key);
bool hf_redact_allows(const struct hf_redact_rules *rules, struct hf_slice value);

/* Masks the blocked parts of a text, which is in the run's scratch then. False: there are none, and
 * the text is as it was. */
bool hf_redact_text(struct hf_redact_run *run, struct hf_slice *text);
/* The same, and then what the sanitizers make of it: of an attribute of something whose database is
 * `system`, of a text in the body of a log. */
bool hf_redact_attribute_text(struct hf_redact_run *run, struct hf_slice key,
                              struct hf_slice system, struct hf_slice *text);
bool hf_redact_body_text(struct hf_redact_run *run, struct hf_slice *text);
void hf_redact_span_name(struct hf_redact_run *run, struct hf_message *span);
/* A text that stands for all of the value. */
struct hf_slice hf_redact_whole(struct hf_redact_run *run, struct hf_slice text);

void hf_redact_note(struct hf_redact_run *run, enum hf_redact_deed deed, struct hf_slice key);
/* Tells of the notes in the attributes, with names that begin with `prefix`, and forgets them. */
void hf_redact_tell(struct hf_redact_run *run, struct hf_attributes *attributes,
                    const char *prefix);
