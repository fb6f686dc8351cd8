/*
 * check: from the merged tree to a checked configuration: components, references, pipelines,
 * service. Loading thread.
 */
#pragma once

#include "id.h"
#include "load.h"
#include "tree.h"

/* What else is known of a component; at the same index. */
struct hf_config_use {
    const struct hf_yaml_entry *entry;
    const struct hf_field *fields;     /* all its keys */
    unsigned as_receiver, as_exporter; /* HF_SIGNAL_BIT()s of the pipelines that name it so */
    bool used;
};

struct hf_config {
    struct hf_config_memory *memory;
    const struct hf_yaml *root;
    const struct hf_component *const *registry; /* NULL: none */
    struct hf_config_component *components;
    struct hf_config_use *uses;
    size_t component_count;
    struct hf_config_pipeline *pipelines;
    size_t pipeline_count;
    const struct hf_config_component **extensions;
    size_t extension_count;
    struct hf_telemetry_config telemetry;
    struct hf_config *peer; /* whose exporter stands for all of them; NULL: none */
};

struct hf_build {
    struct hf_load *load;
    struct hf_config *config;
};

/* Reads all sections of components, binds and checks them. */
void hf_check_components(struct hf_build *build);
/* SIZE_MAX: none. */
size_t hf_check_find(const struct hf_build *build, enum hf_kind kind, const char *id);
/* Reports a reference to something that is not there, with the nearest id that is. */
void hf_check_missing(struct hf_build *build, struct hf_yaml_place place,
                      const struct hf_key_path *path, enum hf_kind kind, const char *id);

/* The ids of a list such as `receivers: [a, b]` (or a text with commas), as an array of
 * `ret_count`. Null is none. */
struct hf_id_item {
    const char *id;
    struct hf_yaml_place place;
};
struct hf_id_item *hf_check_ids(struct hf_load *load, const struct hf_key_path *path,
                                const struct hf_yaml *node, size_t *ret_count);

void hf_check_service(struct hf_build *build);
void hf_check_pipelines(struct hf_build *build, struct hf_yaml_place place,
                        const struct hf_yaml *node);
/* Reads `shards` of a pipeline whose parts are known, and checks that they can have it. */
void hf_check_shards(struct hf_build *build, const struct hf_key_path *pipeline_path,
                     const struct hf_yaml *node, struct hf_config_pipeline *pipeline);
/* Refuses an id that is that of a queue of another pipeline. */
void hf_check_shard_ids(struct hf_build *build, struct hf_yaml_place place,
                        const struct hf_key_path *path, const char *id);
/* service.telemetry.resource in each of its spellings; a NULL value takes an attribute away. */
struct hf_string_map hf_check_resource(struct hf_load *load, const struct hf_yaml *node);
void hf_check_telemetry(struct hf_build *build, struct hf_yaml_place place,
                        const struct hf_yaml *node);
/* The keys of service.telemetry. */
const struct hf_field *hf_telemetry_fields(void);
/* Checks what is only known when everything was read: references, connectors, what is not used. */
void hf_check_references(struct hf_build *build);
void hf_check_connectors(struct hf_build *build);
/* The pipelines that exporters name for their dead letters. */
void hf_check_dead_letters(struct hf_build *build);
/* Does a defined exporter send its dead letters through the pipeline of that id? */
bool hf_dead_letters_name(const struct hf_build *build, const char *id);
bool hf_dead_letters_lead(const struct hf_config_component *exporter,
                          const struct hf_config_pipeline *pipeline);
void hf_check_cycles(struct hf_build *build);
