/*
 * settings: what `holdfast webhook` injects where a pod does not say otherwise: options of the
 * command line, and a JSON file over them. Immutable once read; any thread.
 */
#pragma once

#include <stdbool.h>

#include <holdfast/status.h>

#include "json/json.h"

/* Whether the sidecar is an init container with restartPolicy Always, as clusters have them from
 * 1.29 on. */
enum hf_webhook_native { HF_NATIVE_AUTO = 0, HF_NATIVE_ALWAYS, HF_NATIVE_NEVER };

struct hf_webhook_settings {
    const char *image;         /* "holdfast/holdfast:0.1.0" */
    const char *own_namespace; /* its pods are left alone; "" when not known */
    const char *config;        /* the configuration of last resort, as YAML; NULL: none */
    const char *config_map;    /* looked for by that name where a pod only says "true" */
    const char *queue_size;    /* of the queue's emptyDir */
    enum hf_webhook_native native;
    bool leaves_env;                 /* the variables of SDKs are not set */
    const struct hf_json *container; /* members that replace the container's own; NULL: none */
};

extern const char *const hf_webhook_native_choices[]; /* "auto", "always", "never", NULL */

/*
 * Reads the file over `settings`, whose texts then live in `arena`: image, namespace, config,
 * configMap, queueSize, native, env, container. HF_INVALID and others with a sentence in `reterr`
 * (HF_ERROR_MAX).
 */
HF_MUST_USE enum hf_status hf_webhook_settings_read(const char *path, struct hf_arena *arena,
                                                    struct hf_webhook_settings *settings,
                                                    char *reterr);
