/*
 * load: what the steps of loading share: the memory, the options, the findings so far.
 *
 * A step never stops at the first mistake: it reports it, uses a harmless value instead and
 * continues, so that the user sees all mistakes at once. Running out of memory is remembered by the
 * memory; the steps then return early and hf_config_load() says so.
 *
 * Owned by the loading thread.
 */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "config.h"
#include "load_memory.h"

/* Limits on what a user can make grow. */
#define HF_CONFIG_MEMORY_BYTES (64u << 20)
#define HF_CONFIG_SOURCE_BYTES (4u << 20)
#define HF_CONFIG_DEPTH 64u
#define HF_CONFIG_NODES 100000u
#define HF_CONFIG_MAP_KEYS 10000u
#define HF_CONFIG_FINDINGS 200u /* of each kind */

/* Where something was written. Line 0: the file as a whole. */
struct hf_yaml_place {
    const char *file;
    unsigned line, column;
};

/*
 * A key in the configuration, as a chain on the stack of the function that walks it. The root
 * names the component ("exporters::otlp/gateway").
 */
struct hf_key_path {
    const struct hf_key_path *up;
    const char *key; /* NULL: an item of a list, by `index` */
    size_t index;
};

/* A reference from a component to an extension, checked when all are known. */
struct hf_config_ref {
    struct hf_config_ref *next;
    const char *id, *key;
    const char *text; /* "exporters::otlp: sending_queue::storage" */
    struct hf_yaml_place place;
    size_t owner; /* index of the component */
};

struct hf_found {
    struct hf_found *next;
    enum hf_finding_kind kind;
    struct hf_yaml_place place;
    const char *text;
};

struct hf_load {
    struct hf_config_memory *memory;
    const struct hf_config_options *options;
    struct hf_found *first_found, **last_found;
    size_t found_counts[HF_FINDING_MISSING + 1]; /* by kind */
    size_t error_count, unknown_key_count;       /* the second is part of the first */
    size_t node_count;
    struct hf_config_ref *refs;
    size_t owner;     /* index of the component being bound */
    bool keeps_lines; /* of the message that is added: it has an excerpt below it */
};

/*
 * Reports one line: place, path, sentence. `path` may be NULL. Further ones of a kind after
 * HF_CONFIG_FINDINGS are left out; exact repeats are left out.
 */
void hf_load_report(struct hf_load *load, enum hf_finding_kind kind, struct hf_yaml_place place,
                    const struct hf_key_path *path, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

#define hf_load_error(load, place, path, ...)                                                      \
    hf_load_report((load), HF_FINDING_ERROR, (place), (path), __VA_ARGS__)
#define hf_load_warn(load, place, path, ...)                                                       \
    hf_load_report((load), HF_FINDING_WARNING, (place), (path), __VA_ARGS__)

/* "exporters::otlp: tls::insecure", "processors::resource: attributes[0]::key". NULL: no memory. */
const char *hf_load_path_text(struct hf_load *load, const struct hf_key_path *path);

/* The findings by file and line, as one block of memory for the caller; one more error when memory
 * ran out. */
void hf_load_hand_out(struct hf_load *load, struct hf_finding **ret_findings, size_t *ret_count);

const char *hf_load_getenv(const struct hf_load *load, const char *name);

/* Text as it may be shown in a message: quoted, shortened, without control characters. */
struct hf_shown {
    char text[96];
};
struct hf_shown hf_show(const char *text);

/* hf_config_load() with another limit on memory. */
struct hf_config *hf_config_load_within(const struct hf_config_options *options, size_t limit_bytes,
                                        struct hf_finding **ret_findings,
                                        size_t *ret_finding_count);
