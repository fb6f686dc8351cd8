/*
 * record: what one object of the cluster gives to telemetry, ready to be set. Immutable once made,
 * shared by reference count; any thread. One block of memory.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/ref.h>
#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "util/arena.h"

struct k8s_pair {
    struct hf_slice key;
    struct hf_slice value; /* the bytes of an AnyValue */
};

/* The controllers that a pod can have, and what else gives attributes. */
enum k8s_kind {
    K8S_POD = 0,
    K8S_NAMESPACE,
    K8S_NODE,
    K8S_REPLICASET,
    K8S_DEPLOYMENT,
    K8S_STATEFULSET,
    K8S_DAEMONSET,
    K8S_JOB,
    K8S_KIND_COUNT
};
#define K8S_KIND_BIT(kind) (1u << (kind))

struct k8s_container_run {
    int64_t restart_count;
    struct hf_slice id;     /* without "containerd://" */
    struct hf_slice digest; /* the image's repository digest; empty: not known */
};

struct k8s_container {
    struct hf_slice name, image_name, image_tag, version;
    bool has_run;
    struct k8s_container_run run; /* the present one */
};

struct k8s_record {
    struct hf_ref ref;
    enum k8s_kind kind;
    bool is_ignored;
    uint64_t rank; /* of two with the same address the higher one counts */
    struct hf_slice namespace_name, pod_name, node_name;
    struct hf_slice owners[K8S_KIND_COUNT]; /* uid of the owner of that kind; empty: none */
    const struct k8s_pair *pairs;
    size_t pair_count;
    size_t late; /* pairs from here on are set only after those of the owners */
    const struct k8s_container *containers;
    size_t container_count;
};

/* A record on its way; its texts are borrowed until it is made. */
#define K8S_PAIRS_MAX 256u
#define K8S_CONTAINERS_MAX 64u

struct k8s_draft {
    struct hf_arena *arena; /* for texts that are put together */
    struct k8s_record record;
    struct k8s_pair pairs[K8S_PAIRS_MAX]; /* values are texts here */
    bool is_late[K8S_PAIRS_MAX];
    bool keeps_key[K8S_PAIRS_MAX]; /* the key outlives the record: it is not copied */
    size_t pair_count;
    struct k8s_container containers[K8S_CONTAINERS_MAX];
    size_t container_count;
};

/* Sets an attribute; a later one of the same key replaces it. What has no room is left out. */
void k8s_draft_set(struct k8s_draft *draft, struct hf_slice key, bool keeps_key,
                   struct hf_slice text);
/* The same with a key that is a literal. */
void k8s_draft_put(struct k8s_draft *draft, const char *key, struct hf_slice text);
/* The same, for when neither the object nor its owners give the key. */
void k8s_draft_put_late(struct k8s_draft *draft, const char *key, struct hf_slice text);
/* NULL: it is not set. */
const struct k8s_pair *k8s_draft_find(const struct k8s_draft *draft, struct hf_slice key);

/* NULL: out of memory. The reference is the caller's. */
struct k8s_record *k8s_record_make(const struct k8s_draft *draft);
