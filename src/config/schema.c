/*
 * schema: `holdfast schema`, the JSON Schema of a whole configuration.
 */
#include "schema.h"

#include <stdio.h>
#include <stdlib.h>

#include "check.h"
#include "component_fields.h"

#define MEMORY_BYTES ((size_t)64 << 20)

static void put_false(struct hf_schema *schema, const char *key)
{
    hf_writer_key(schema->writer, key);
    hf_writer_scalar(schema->writer, "false", HF_SCALAR_BOOL);
}

static void put_one(struct hf_schema *schema, const char *key)
{
    hf_writer_key(schema->writer, key);
    hf_writer_scalar(schema->writer, "1", HF_SCALAR_INT);
}

static void begin(struct hf_schema *schema, const char *key)
{
    hf_writer_key(schema->writer, key);
    hf_writer_map(schema->writer);
}

/* A map whose keys follow. */
static void begin_map(struct hf_schema *schema, const char *key, bool takes_null)
{
    begin(schema, key);
    hf_schema_types(schema, "object string", takes_null);
    hf_schema_text(schema, "pattern", HF_SCHEMA_VARIABLE);
    if (!takes_null) {
        put_one(schema, "minProperties");
    }
    put_false(schema, "additionalProperties");
}

/* ---- sections of components ---- */

static void put_component(struct hf_schema *schema, const char *key,
                          const struct hf_component *component)
{
    struct hf_schema_table table = {
        .fields = hf_component_fields(schema->memory, component),
        .name = hf_config_format(schema->memory, "%s.%s", hf_kind_words[component->kind].section,
                                 component->type),
    };
    begin(schema, key);
    if (component->help != NULL) {
        hf_schema_text(schema, "description", component->help);
    }
    hf_schema_refer(schema, &table, !hf_schema_is_needed(table.fields));
    hf_writer_end(schema->writer);
}

/* Under its type, which editors offer, or under a pattern of "type/name". */
static void put_spelling(struct hf_schema *schema, const struct hf_component *component,
                         const char *type, bool is_pattern)
{
    const char *key =
        is_pattern ? hf_config_format(schema->memory, "^ *%s */ *[^ ]+ *$", type) : type;
    if (key != NULL) { /* else the references fail too */
        put_component(schema, key, component);
    }
}

static void put_types(struct hf_schema *schema, const struct hf_component *const *components,
                      enum hf_kind kind, bool is_pattern)
{
    begin(schema, is_pattern ? "patternProperties" : "properties");
    for (; *components != NULL; components++) {
        if ((*components)->kind != kind) {
            continue;
        }
        put_spelling(schema, *components, (*components)->type, is_pattern);
        for (const char *const *alias = (*components)->aliases; alias != NULL && *alias != NULL;
             alias++) {
            put_spelling(schema, *components, *alias, is_pattern);
        }
    }
    hf_writer_end(schema->writer);
}

static void put_section(struct hf_schema *schema, const struct hf_component *const *components,
                        enum hf_kind kind)
{
    bool is_needed = kind == HF_RECEIVER || kind == HF_EXPORTER;
    begin_map(schema, hf_kind_words[kind].section, !is_needed);
    put_types(schema, components, kind, false);
    put_types(schema, components, kind, true);
    hf_writer_end(schema->writer);
}

/* ---- the service ---- */

static void put_ids(struct hf_schema *schema, const char *key, const char *help, bool is_needed)
{
    begin(schema, key);
    hf_schema_text(schema, "description", help);
    hf_schema_types(schema, "array string", !is_needed);
    if (is_needed) {
        put_one(schema, "minItems");
    }
    begin(schema, "items");
    hf_schema_types(schema, "string", false);
    hf_writer_end(schema->writer);
    hf_writer_end(schema->writer);
}

static void put_limits(struct hf_schema *schema)
{
    char most[16];
    snprintf(most, sizeof(most), "%u", HF_SHARDS_MAX);
    put_one(schema, "minimum");
    hf_writer_key(schema->writer, "maximum");
    hf_writer_scalar(schema->writer, most, HF_SCALAR_INT);
}

/* A number, or a map of a number and what chooses. */
static void put_shards(struct hf_schema *schema)
{
    begin(schema, "shards");
    hf_schema_text(schema, "description",
                   "Queues of this pipeline, each with its own disk files; default 1.");
    hf_schema_types(schema, "integer string object", true);
    put_limits(schema);
    begin(schema, "properties");
    begin(schema, "count");
    hf_schema_types(schema, "integer string", false);
    put_limits(schema);
    hf_writer_end(schema->writer);
    begin(schema, "by");
    hf_schema_text(schema, "description", "round_robin, trace_id or resource.");
    hf_schema_types(schema, "string", true);
    hf_writer_end(schema->writer);
    hf_writer_end(schema->writer);
    put_false(schema, "additionalProperties");
    hf_writer_end(schema->writer);
}

static void put_required(struct hf_schema *schema, const char *const *keys, size_t count)
{
    hf_writer_key(schema->writer, "required");
    hf_writer_list(schema->writer);
    for (size_t i = 0; i < count; i++) {
        hf_writer_scalar(schema->writer, keys[i], HF_SCALAR_STRING);
    }
    hf_writer_end(schema->writer);
}

static void put_pipeline(struct hf_schema *schema, const char *key)
{
    /* One that only dead letters feed has no receivers. */
    static const char *const required[] = {"exporters"};
    begin_map(schema, key, false);
    begin(schema, "properties");
    put_ids(schema, "receivers", "Ids of receivers, or of connectors that feed this pipeline.",
            true);
    put_ids(schema, "processors", "Ids of processors, in their order.", false);
    put_ids(schema, "exporters", "Ids of exporters, or of connectors to other pipelines.", true);
    put_shards(schema);
    hf_writer_end(schema->writer);
    put_required(schema, required, 1);
    hf_writer_end(schema->writer);
}

static void put_pipelines(struct hf_schema *schema)
{
    begin_map(schema, "pipelines", false);
    begin(schema, "properties");
    for (int signal = 0; signal < HF_SIGNAL_COUNT; signal++) {
        put_pipeline(schema, hf_signal_name((enum hf_signal)signal));
    }
    hf_writer_end(schema->writer);
    begin(schema, "patternProperties");
    put_pipeline(schema, "^ *(traces|metrics|logs|profiles) */ *[^ ]+ *$");
    hf_writer_end(schema->writer);
    hf_writer_end(schema->writer);
}

static void put_service(struct hf_schema *schema)
{
    static const char *const required[] = {"pipelines"};
    const struct hf_schema_table telemetry = {.fields = hf_telemetry_fields(),
                                              .name = "service.telemetry"};
    begin_map(schema, "service", false);
    begin(schema, "properties");
    put_ids(schema, "extensions", "Ids of the extensions to start, in their order.", false);
    put_pipelines(schema);
    begin(schema, "telemetry");
    hf_schema_text(schema, "description", "Holdfast's own logs and metrics.");
    hf_schema_refer(schema, &telemetry, true);
    hf_writer_end(schema->writer);
    hf_writer_end(schema->writer);
    put_required(schema, required, 1);
    hf_writer_end(schema->writer);
}

static void put_root(struct hf_schema *schema, const struct hf_component *const *components)
{
    static const char *const required[] = {"receivers", "exporters", "service"};
    hf_writer_map(schema->writer);
    hf_schema_text(schema, "$schema", "https://json-schema.org/draft/2020-12/schema");
    hf_schema_text(schema, "title", "Configuration of Holdfast " HF_VERSION);
    hf_schema_types(schema, "object", false);
    begin(schema, "properties");
    for (int kind = 0; kind < HF_KIND_COUNT; kind++) {
        put_section(schema, components, (enum hf_kind)kind);
    }
    put_service(schema);
    hf_writer_end(schema->writer);
    put_required(schema, required, 3);
    put_false(schema, "additionalProperties");
    hf_schema_tables(schema);
    hf_writer_end(schema->writer);
}

char *hf_config_schema(const struct hf_component *const *components)
{
    struct hf_schema schema = {
        .writer = hf_writer_new(true),
        .memory = hf_config_memory_new(MEMORY_BYTES),
    };
    char *text = NULL;
    schema.last_table = &schema.tables;
    if (schema.writer != NULL && schema.memory != NULL) {
        put_root(&schema, components);
    }
    if (schema.writer != NULL) {
        text = hf_writer_take(schema.writer);
    }
    if (schema.memory == NULL || hf_config_memory_failed(schema.memory)) {
        free(text);
        text = NULL;
    }
    hf_config_memory_free(schema.memory);
    return text;
}
