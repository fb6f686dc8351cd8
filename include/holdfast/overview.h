/*
 * overview: what an extension may see of its graph: the components, their places and states, and
 * the configuration. Read only; any thread, from open until stop.
 *
 * The names of the states are those of the Go collector's component status.
 */
#pragma once

#include "batch.h"
#include "component.h"

enum hf_state {
    HF_STATE_NONE = 0, /* not started */
    HF_STATE_STARTING,
    HF_STATE_OK,
    HF_STATE_RECOVERABLE_ERROR, /* it tries again by itself */
    HF_STATE_PERMANENT_ERROR,   /* a person has to correct something */
    HF_STATE_FATAL_ERROR,
    HF_STATE_STOPPING,
    HF_STATE_STOPPED,
    HF_STATE_COUNT
};

#define HF_STATE_ERROR_MAX 256

/* The state of a component. */
struct hf_state_look {
    enum hf_state state;
    uint64_t since_unix_ns;         /* when it began; of an error: when the first attempt failed */
    char error[HF_STATE_ERROR_MAX]; /* the last words of an error; else empty */
};

/* A component at one place; it is shown once for each pipeline that it is in. */
struct hf_component_view {
    const struct hf_component *component;
    const char *id;          /* "otlp/gateway" */
    const char *pipeline_id; /* "traces/2"; NULL: an extension, and the members below count not */
    enum hf_signal signal;   /* of the pipeline */
    enum hf_kind place;      /* a connector stands as a receiver or as an exporter */
    struct hf_state_look look;
};

/* Shows the extensions, then each pipeline's receivers, processors and exporters, in the order of
 * the configuration. The view is valid during the call. While another process has the data
 * directory there are only extensions. */
void hf_node_view_components(const struct hf_node *node,
                             void (*visit)(void *user, const struct hf_component_view *view),
                             void *user);

/* Shows each component that is built in, whether the configuration has it or not. */
void hf_node_view_types(const struct hf_node *node,
                        void (*visit)(void *user, const struct hf_component *component),
                        void *user);

/* Shows the attributes of the process's own telemetry: service.name, service.version and
 * service.instance.id, unless the configuration takes them away, and what it adds. */
void hf_node_view_resource(const struct hf_node *node,
                           void (*visit)(void *user, const char *key, const char *value),
                           void *user);

/* "StatusOK", "StatusRecoverableError", ... A constant. */
const char *hf_state_name(enum hf_state state);

struct hf_own_spans;

/* The spans of the process's own work (util/own_spans.h); NULL: nothing is traced. */
struct hf_own_spans *hf_node_own_spans(const struct hf_node *node);

/* The configuration in effect, as YAML or JSON, with its secrets redacted; malloc'd. NULL: out of
 * memory. */
char *hf_node_print_config(const struct hf_node *node, bool json);
