/*
 * health_tree: how the whole process, its extensions and each of its pipelines fare, aggregated of
 * their components as the Go collector does it. Made at one moment; immutable. Any thread.
 */
#pragma once

#include <holdfast/overview.h>

#include "util/compress/compress.h"

struct hf_health_tree;

/* Which errors count, and how long a recoverable one may last. */
struct hf_health_rule {
    bool counts_errors; /* false: the two below count not */
    bool include_permanent, include_recoverable;
    uint64_t recovery_ns; /* 0: a counted recoverable error is unhealthy at once */
};

/* What is one part; the worst of several. `looks` has one at least. Pure. */
struct hf_state_look hf_health_aggregate(const struct hf_state_look *looks, size_t count,
                                         bool recoverable_first);

/* Does the rule take this for healthy at `now_unix_ns`? Pure. */
bool hf_health_is_good(const struct hf_health_rule *rule, const struct hf_state_look *look,
                       uint64_t now_unix_ns);

/* Is one ready to be sent data, by its state alone? Not while it starts or stops, and not after a
 * fatal error. */
bool hf_health_is_serving(enum hf_state state);

/* HF_NOMEM. To be freed before the node is closed. */
HF_MUST_USE enum hf_status hf_health_tree_new(const struct hf_node *node,
                                              const struct hf_health_rule *rule,
                                              struct hf_health_tree **ret_tree);
void hf_health_tree_free(struct hf_health_tree *tree);

/* The state of a part: "" the whole, "extensions", or a pipeline by its id. NULL: there is none. */
const struct hf_state_look *hf_health_find(const struct hf_health_tree *tree,
                                           struct hf_slice scope);

/* The groups, the extensions and each pipeline, and their components, by number. */
struct hf_health_part {
    char key[300]; /* "extensions", "pipeline:traces/2", "exporter:otlp" */
    const struct hf_state_look *look;
};
size_t hf_health_group_count(const struct hf_health_tree *tree);
size_t hf_health_part_count(const struct hf_health_tree *tree, size_t group);
void hf_health_group(const struct hf_health_tree *tree, size_t group, struct hf_health_part *ret);
void hf_health_part(const struct hf_health_tree *tree, size_t group, size_t part,
                    struct hf_health_part *ret);

struct hf_health_print {
    struct hf_slice scope; /* one that hf_health_find() knows */
    bool verbose;          /* the parts of it too */
    bool attributes;       /* show the attributes, which are empty */
    const struct hf_health_rule *rule;
    uint64_t start_unix_ns, now_unix_ns;
    bool is_refusing; /* nothing can be stored: that is unhealthy by itself */
};

/* As JSON, appended. HF_NOMEM. */
HF_MUST_USE enum hf_status hf_health_print(const struct hf_health_tree *tree,
                                           const struct hf_health_print *print,
                                           struct hf_bytes *out);
