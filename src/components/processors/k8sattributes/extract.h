/*
 * extract: what is taken out of the cluster's objects: the rules of `extract`, compiled, and the
 * objects' JSON made into records. The rules are immutable; making records: one thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "associate.h"
#include "config.h"
#include "record.h"
#include "json/json.h"

struct hf_regex;

struct k8s_text_rule {
    enum k8s_kind from;
    bool of_annotations;
    const char *key, *tag; /* exact; `tag` is malloc'd */
    struct hf_regex *regex;
    const char *template; /* of the attribute's name; NULL: the default one */
};

struct k8s_rules {
    uint64_t metadata; /* 1 << enum k8s_metadata */
    bool otel_annotations, deployment_from_replicaset;
    struct k8s_text_rule *texts;
    size_t text_count;
    struct hf_regex **excluded;
    size_t excluded_count;
    unsigned watched; /* K8S_KIND_BIT()s of the kinds that are needed */
};

static inline bool k8s_wants(const struct k8s_rules *rules, enum k8s_metadata metadata)
{
    return (rules->metadata >> metadata & 1) != 0;
}

/* On failure `reterr` (HF_ERROR_MAX) is a sentence and nothing is to be released. */
HF_MUST_USE enum hf_status k8s_rules_compile(const struct k8s_config *config,
                                             struct k8s_rules *ret_rules, char *reterr);
void k8s_rules_release(struct k8s_rules *rules);

/* What a pod's record is found by, beside its uid. */
#define K8S_POD_KEYS_MAX (K8S_RULES_MAX + 16u)
struct k8s_pod_keys {
    struct hf_slice keys[K8S_POD_KEYS_MAX]; /* in the arena of the draft */
    size_t count;
};

/* Fill a zeroed draft with its arena set, from which texts are borrowed as from the object. */
void k8s_extract_pod(const struct k8s_rules *rules, const struct k8s_associations *associations,
                     const struct hf_json *pod, struct k8s_draft *draft,
                     struct k8s_pod_keys *ret_keys);
void k8s_extract_other(const struct k8s_rules *rules, enum k8s_kind kind,
                       const struct hf_json *object, struct k8s_draft *draft);
