/*
 * config: from YAML sources to checked component configurations.
 *
 * Sources are merged as the Go collector merges them, `${...}` is expanded, every known key is
 * bound to its component's struct by its fields table, every error is collected with its place. The
 * result is immutable and owns all memory it hands out. Does not log: warnings and errors are lists
 * for the caller. Main thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include <holdfast/component.h>

#include "telemetry.h"

struct hf_config;
struct hf_delivery_config;

struct hf_config_source {
    const char *uri;  /* a path, file:PATH, env:NAME, yaml:TEXT, http(s)://..., or "" for `text` */
    const char *text; /* with uri "": built-in text; its name in messages is `name` */
    const char *name;
};

struct hf_config_options {
    const struct hf_config_source *sources;
    size_t source_count;
    const char *const *sets; /* "a.b=c", applied last */
    size_t set_count;
    const struct hf_component *const *components; /* the registry, NULL-terminated */
    const char *(*getenv)(const char *name);      /* NULL: the process's */
    /* The text behind an http: or https: URL, malloc'd; NULL with a sentence in `reterr`
     * (HF_ERROR_MAX). It may take some seconds. NULL: such sources are refused. */
    char *(*fetch)(const char *url, char *reterr);
    bool partial; /* a component type that is not built in is a `missing` entry, not an error */
};

enum hf_finding_kind { HF_FINDING_ERROR, HF_FINDING_WARNING, HF_FINDING_MISSING };

/* `text`: one line: file:line:column: component: key: what was expected; nearest key */
struct hf_finding {
    enum hf_finding_kind kind;
    const char *text;
};

struct hf_config_component {
    enum hf_kind kind;
    const char *id;                       /* "otlp/gateway" */
    const struct hf_component *component; /* NULL: not built in (partial) */
    const void *config;
    const struct hf_delivery_config *delivery; /* of an exporter with delivery keys; else NULL */
    const char *file; /* where it is written: a path, or the name of another source */
    unsigned line;    /* 0: the source as a whole */
};

/* By what it is chosen which queue of its pipeline a request, or a part of it, goes to. */
enum hf_shard_by { HF_SHARD_ROUND_ROBIN = 0, HF_SHARD_TRACE_ID, HF_SHARD_RESOURCE, HF_SHARD_BYS };

#define HF_SHARDS_MAX 64u

struct hf_config_pipeline {
    const char *id; /* "traces/2" */
    enum hf_signal signal;
    const struct hf_config_component *const *receivers, *const *processors, *const *exporters;
    size_t receiver_count, processor_count, exporter_count;
    unsigned shard_count; /* queues, 1 to HF_SHARDS_MAX */
    enum hf_shard_by shard_by;
};

/* "round_robin", "trace_id", "resource". */
const char *hf_shard_by_name(enum hf_shard_by by);

/* The queues of a pipeline are called "traces", "traces~1", "traces~2", ...: the one of that
 * number. False: it does not fit. */
HF_MUST_USE bool hf_shard_id(const char *pipeline, unsigned number, char *out, size_t room);

/*
 * Loads. Returns the configuration when there is no error, else NULL; findings (errors, warnings,
 * missing) are given either way through `ret_findings`, to be freed by hf_findings_free(). NULL
 * without any finding: out of memory.
 */
struct hf_config *hf_config_load(const struct hf_config_options *options,
                                 struct hf_finding **ret_findings, size_t *ret_finding_count);
void hf_findings_free(struct hf_finding *findings, size_t count);
void hf_config_free(struct hf_config *config);

/*
 * For `holdfast drain --to`: every exporter of the pipelines becomes the exporter of `peer`, under
 * its own id and with its own delivery keys; connectors stay. `peer` has one pipeline with one
 * exporter and belongs to `config` from now on. Before `config` is used.
 */
void hf_config_replace_exporters(struct hf_config *config, struct hf_config *peer);

/* The component of that type, or other spelling of it, that is built in; NULL: none. Any thread. */
const struct hf_component *hf_config_find_type(const struct hf_config *config, enum hf_kind kind,
                                               const char *type);

/* All defined components, in the order written; pipelines and extensions say which are used. */
const struct hf_config_component *hf_config_components(const struct hf_config *config,
                                                       size_t *ret_count);
const struct hf_config_pipeline *hf_config_pipelines(const struct hf_config *config,
                                                     size_t *ret_count);
/* service.extensions, in order. */
const struct hf_config_component *const *hf_config_extensions(const struct hf_config *config,
                                                              size_t *ret_count);

/* A certificate that the configuration names. */
struct hf_config_certificate {
    const struct hf_config_component *component;
    const char *key;  /* "cert_file", "cert_pem", "ca_file", "ca_pem", "client_ca_file" */
    const char *text; /* the path, or the PEM text itself */
    bool is_pem;
};

/* Every certificate that a component in use names, in the order written. Any thread. */
void hf_config_each_certificate(const struct hf_config *config,
                                void (*visit)(void *user,
                                              const struct hf_config_certificate *certificate),
                                void *user);

/* The merged, expanded configuration as YAML (or JSON), secrets redacted unless `unredacted`.
 * Malloc'd text; NULL: out of memory. */
char *hf_config_print(const struct hf_config *config, bool unredacted, bool json);

/* The same as a line for each value, with the file and line that it comes from. Malloc'd text;
 * NULL: out of memory. */
char *hf_config_print_origins(const struct hf_config *config, bool unredacted);

/* `holdfast components`: YAML as the Go collector's; with `docs`, the reference as markdown. */
void hf_config_describe(const struct hf_component *const *components, bool docs, FILE *out);

/* `holdfast graph`: receivers, processors, queues, connectors and exporters, and what leads where,
 * in the language of Mermaid or of Graphviz. */
enum hf_config_drawing { HF_DRAWING_MERMAID = 0, HF_DRAWING_DOT };
void hf_config_draw(const struct hf_config *config, enum hf_config_drawing kind, FILE *out);

/* `holdfast schema`: the JSON Schema (draft 2020-12) of a whole configuration, from the tables of
 * all components. Malloc'd text; NULL: out of memory. */
char *hf_config_schema(const struct hf_component *const *components);

/*
 * `holdfast diff`: prints what a reload from the one configuration to the other would change, a
 * line each: "+ exporters::debug", "- ...", "~ exporters::otlp: timeout, tls::insecure"; and, when
 * anything does, who reads each queue before and after. Values are not shown. False: out of memory.
 */
HF_MUST_USE bool hf_config_diff(const struct hf_config *before, const struct hf_config *after,
                                FILE *out, bool *ret_differs);
