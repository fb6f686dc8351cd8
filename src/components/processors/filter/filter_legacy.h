/*
 * filter_legacy: the include and exclude of `filter` from before OTTL: by names, kinds, severities,
 * bodies, attributes and resources, strict or by regular expressions. Compiled once; any thread.
 */
#pragma once

#include <stdbool.h>

#include <holdfast/batch.h>
#include <holdfast/field.h>
#include <holdfast/status.h>

#include "filter_expr.h"
#include "pdata/walk.h"
#include "support/items/match.h"

struct hf_filter_severity {
    const char *min; /* "INFO2" */
    bool match_undefined;
};

struct hf_filter_logs_config {
    int64_t match_type;
    struct hf_struct_list resource_attributes, record_attributes;
    struct hf_string_list severity_texts, bodies;
    const struct hf_filter_severity *severity_number;
};

struct hf_filter_metrics_config {
    int64_t match_type; /* HF_FILTER_EXPR too */
    struct hf_string_list metric_names, expressions;
    struct hf_struct_list resource_attributes;
};

#define HF_FILTER_EXPR 2

extern const struct hf_field hf_filter_logs_fields[], hf_filter_metrics_fields[];

/* One include or exclude. Each part says whether what it is asked about is meant; a part that was
 * not asked for is NULL. */
struct hf_filter_rule {
    struct hf_match *resources;         /* of metrics: by the attributes of the resource */
    struct hf_match *items;             /* spans, metrics or log records */
    struct hf_filter_expr *expressions; /* metrics, in place of both */
    struct hf_match_config of_resources, of_items;
    struct hf_match_severity severity;
};

/* `name` is its key. HF_INVALID with one sentence in `reterr` (HF_ERROR_MAX); HF_NOMEM. What was
 * made is released in any case by hf_filter_rule_release(). */
HF_MUST_USE enum hf_status hf_filter_spans(const char *name, const struct hf_match_config *config,
                                           struct hf_filter_rule *rule, char *reterr);
HF_MUST_USE enum hf_status hf_filter_logs(const char *name,
                                          const struct hf_filter_logs_config *config,
                                          struct hf_filter_rule *rule, char *reterr);
HF_MUST_USE enum hf_status hf_filter_metrics(const char *name,
                                             const struct hf_filter_metrics_config *config,
                                             struct hf_filter_rule *rule, char *reterr);
void hf_filter_rule_release(struct hf_filter_rule *rule);

/* What is known of the resource and the scope while a document is walked; zeroed at first, then
 * hf_filter_memory_release(). */
struct hf_filter_memory {
    const struct hf_message *resource_group, *scope_group; /* those that the numbers stand for */
    uint32_t element, group;
    struct hf_match_memory match;
};

/* Does the match, of `resources` or `items`, mean the place? */
bool hf_filter_is(const struct hf_match *match, const struct hf_place *place,
                  struct hf_filter_memory *memory);
void hf_filter_memory_release(struct hf_filter_memory *memory);
