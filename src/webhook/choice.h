/*
 * choice: does a pod want a sidecar, and by which name is its configuration found? Annotations of
 * the pod and of its namespace say so, under our name, the document's and the operator's. No state.
 */
#pragma once

#include <stdbool.h>

#include "json/json.h"

/* The first that is there counts. */
#define HF_INJECT_ANNOTATION "sidecar.holdfast.dev/inject"
extern const char *const hf_inject_annotations[]; /* NULL ends it */

/* Set on a pod that has its sidecar: by which configuration. */
#define HF_INJECTED_ANNOTATION "sidecar.holdfast.dev/injected"
/* A configuration written there, as YAML. */
#define HF_CONFIG_ANNOTATION "sidecar.holdfast.dev/config"
/* "false": the environment of the application stays as it is. */
#define HF_ENV_ANNOTATION "sidecar.holdfast.dev/env"
/* The size of the queue's emptyDir, such as 4Gi. */
#define HF_QUEUE_ANNOTATION "sidecar.holdfast.dev/queue-size"

/* The value of an annotation of an object; empty: none. */
struct hf_slice hf_annotation(const struct hf_json *object, const char *name);
/* The value of the first of hf_inject_annotations[]. */
struct hf_slice hf_inject_wish(const struct hf_json *object);

struct hf_choice {
    bool wants;
    struct hf_slice namespace, name; /* of the configuration; both empty: as for "true" */
};

/*
 * Of the wishes of pod and namespace, as the operator combines them: a pod's name or "false"
 * counts, a pod's "true" takes the name that the namespace gives. False: the name is none.
 */
HF_MUST_USE bool hf_choose(struct hf_slice pod_wish, struct hf_slice namespace_wish,
                           struct hf_choice *ret_choice);
