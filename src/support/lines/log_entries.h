/*
 * log_entries: from log entries to batches of log records: the operators of a receiver, its fixed
 * attributes, and the request that is being built. What every receiver of log texts is made of.
 * Owned by the receiver's thread after open.
 */
#pragma once

#include <holdfast/field.h>
#include <holdfast/node.h>

#include "logs/entry.h"
#include "logs/pipeline.h"
#include "logs/template.h"
#include "pdata/build.h"
#include "util/log/log_limiter.h"

/* The keys that such receivers share; embed it with HF_LOG_ENTRIES_FIELDS. */
struct hf_log_entries_config {
    struct hf_string_map attributes, resource;
    struct hf_value operators;
};

struct hf_log_entries {
    struct hf_node *node;
    struct hf_log_pipeline *pipeline;
    struct hf_log_labels labels;
    struct hf_builder builder;
    struct hf_log_writer writer;
    struct hf_arena arena, scratch; /* of the entry that is worked on */
    struct hf_log_limiter said;
};

struct hf_log_entries_options {
    struct hf_node *node;
    const struct hf_log_entries_config *config;
    const struct hf_value *before; /* operators before those of the configuration */
    size_t before_count;
    size_t build_bytes_max; /* of a batch */
};

/* What is wrong with the operators, or with all of these keys; NULL: nothing. More than one mistake
 * is told by util/mistake.h. The sentence is valid until the next call in the thread. */
const char *hf_log_operators_check(const struct hf_value *operators);
const char *hf_log_entries_check(const struct hf_log_entries_config *config);

/* All of `options` but itself is borrowed until close. HF_INVALID with a sentence in `reterr`
 * (HF_ERROR_MAX). HF_NOMEM. Close it after a failure, too. */
HF_MUST_USE enum hf_status hf_log_entries_open(struct hf_log_entries *entries,
                                               const struct hf_log_entries_options *options,
                                               char *reterr);
void hf_log_entries_close(struct hf_log_entries *entries);

/* A new entry in the arena, with room for so many attributes beside the fixed ones. HF_NOMEM. */
HF_MUST_USE enum hf_status hf_log_entries_begin(struct hf_log_entries *entries, size_t attributes,
                                                struct hf_log_entry *ret_entry);
/* Sets the fixed attributes. HF_NOMEM; an EXPR that fails is logged. */
HF_MUST_USE enum hf_status hf_log_entries_label(struct hf_log_entries *entries,
                                                struct hf_log_entry *entry);
/* Gives the entry to the operators, if `status` is HF_OK, and frees it in any case; another status
 * is logged as a lack of memory. */
void hf_log_entries_end(struct hf_log_entries *entries, struct hf_log_entry *entry,
                        enum hf_status status);

/* What was built, as a batch; NULL: nothing, or no memory, which is logged. */
struct hf_batch *hf_log_entries_take(struct hf_log_entries *entries);

/* Writes once a minute for each operator and reason; for pipelines of their own. */
void hf_log_entries_say(struct hf_log_entries *entries, const char *operator_id, const char *why,
                        bool quiet);

/* clang-format off */
#define HF_LOG_ENTRIES_FIELDS(owner, at)                                                           \
    {.key = "attributes",                                                                          \
     .type = HF_FIELD_MAP,                                                                         \
     .offset = offsetof(owner, at.attributes),                                                     \
     .help = "Attributes of every entry; EXPR(...) in a value is computed."},                      \
    {.key = "resource",                                                                            \
     .type = HF_FIELD_MAP,                                                                         \
     .offset = offsetof(owner, at.resource),                                                       \
     .help = "Resource attributes of every entry; EXPR(...) in a value is computed."},             \
    {.key = "operators",                                                                           \
     .type = HF_FIELD_VALUE,                                                                       \
     .offset = offsetof(owner, at.operators),                                                      \
     .help = "What happens to entries, one after another."}
/* clang-format on */
