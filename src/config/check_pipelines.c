/*
 * check_pipelines: reads service::pipelines, and checks that its components exist and support the
 * signal.
 */
#include <stdint.h>
#include <string.h>

#include "check.h"
#include "util/suggest.h"

/* One pipeline being read. */
struct draft {
    struct hf_build *build;
    struct hf_key_path path; /* "service::pipelines::traces" */
    struct hf_yaml_place place;
    struct hf_config_pipeline *pipeline;
};

/* ---- the id ----------------------------------------------------------------------------------
 */

static bool read_signal(struct draft *draft, const char *type, const char *id)
{
    struct hf_suggestion suggestion = {.word = type};

    for (int signal = 0; signal < HF_SIGNAL_COUNT; signal++) {
        const char *name = hf_signal_name((enum hf_signal)signal);
        if (strcmp(name, type) == 0) {
            draft->pipeline->signal = (enum hf_signal)signal;
            return true;
        }
        hf_suggest(&suggestion, name);
    }
    hf_load_error(draft->build->load, draft->place, &draft->path,
                  "pipeline \"%s\": unknown datatype \"%s\"; expected traces, metrics, logs or "
                  "profiles%s%s%s "
                  "(unknown pipeline signal)",
                  id, type, suggestion.best == NULL ? "" : "; did you mean \"",
                  suggestion.best == NULL ? "" : suggestion.best,
                  suggestion.best == NULL ? "" : "\"?");
    return false;
}

/* ---- its parts -------------------------------------------------------------------------------
 */

/* The component of that kind, or the connector of that id where one may stand. */
static size_t find_part(const struct hf_build *build, enum hf_kind kind, const char *id)
{
    size_t at = hf_check_find(build, kind, id);

    if (at == SIZE_MAX && kind != HF_PROCESSOR) {
        at = hf_check_find(build, HF_CONNECTOR, id);
    }
    return at;
}

static void check_signal(struct draft *draft, struct hf_yaml_place place,
                         const struct hf_config_component *part)
{
    unsigned bit = HF_SIGNAL_BIT(draft->pipeline->signal);
    const char *name = hf_signal_name(draft->pipeline->signal);

    if (part->component != NULL && part->kind != HF_CONNECTOR &&
        (part->component->signals & bit) == 0) {
        hf_load_error(draft->build->load, place, &draft->path,
                      "%s \"%s\" does not support %s (telemetry type is not supported)",
                      hf_kind_words[part->kind].noun, part->id, name);
    }
}

static bool is_among(const struct hf_config_component *const *parts, size_t count,
                     const struct hf_config_component *part)
{
    for (size_t i = 0; i < count; i++) {
        if (parts[i] == part) {
            return true;
        }
    }
    return false;
}

static void mark_used(struct draft *draft, size_t at, enum hf_kind kind)
{
    struct hf_config_use *use = &draft->build->config->uses[at];
    unsigned bit = HF_SIGNAL_BIT(draft->pipeline->signal);

    use->used = true;
    use->as_receiver |= kind == HF_RECEIVER ? bit : 0;
    use->as_exporter |= kind == HF_EXPORTER ? bit : 0;
}

/* Reads one of the three lists. Returns the array of parts. */
static const struct hf_config_component *const *
read_parts(struct draft *draft, enum hf_kind kind, const struct hf_yaml *node, size_t *ret_count)
{
    struct hf_build *build = draft->build;
    const char *noun = hf_kind_words[kind].noun;
    struct hf_key_path path = {.up = &draft->path, .key = hf_kind_words[kind].section};
    size_t written = 0, count = 0;
    const struct hf_id_item *items = hf_check_ids(build->load, &path, node, &written);
    const struct hf_config_component **parts =
        hf_config_array(build->load->memory, written, sizeof(*parts));

    for (size_t i = 0; parts != NULL && i < written; i++) {
        size_t at = find_part(build, kind, items[i].id);
        if (at == SIZE_MAX) {
            hf_check_missing(build, items[i].place, &draft->path, kind, items[i].id);
            continue;
        }
        const struct hf_config_component *part = &build->config->components[at];
        if (!is_among(parts, count, part)) {
            check_signal(draft, items[i].place, part);
            mark_used(draft, at, kind);
            parts[count++] = part;
        } else if (kind == HF_PROCESSOR) {
            hf_load_error(build->load, items[i].place, &draft->path,
                          "references processor \"%s\" multiple times", part->id);
        } else {
            hf_load_warn(build->load, items[i].place, &draft->path,
                         "references %s \"%s\" more than once; once is enough", noun, part->id);
        }
    }
    bool is_fed = kind == HF_RECEIVER && hf_dead_letters_name(build, draft->pipeline->id);
    if (written == 0 && kind != HF_PROCESSOR && !is_fed) {
        hf_load_error(build->load, draft->place, &draft->path, "must have at least one %s", noun);
    }
    *ret_count = count;
    return parts;
}

static void report_unknown_keys(struct draft *draft, const struct hf_yaml *body)
{
    for (size_t i = 0; body != NULL && i < body->count; i++) {
        const struct hf_yaml_entry *entry = &body->entries[i];
        struct hf_suggestion suggestion = {.word = entry->key};
        struct hf_key_path path = {.up = &draft->path, .key = entry->key};
        bool known = false;
        for (int kind = HF_RECEIVER; kind <= HF_EXPORTER; kind++) {
            known = known || strcmp(hf_kind_words[kind].section, entry->key) == 0;
            hf_suggest(&suggestion, hf_kind_words[kind].section);
        }
        known = known || strcmp("shards", entry->key) == 0;
        hf_suggest(&suggestion, "shards");
        if (!known) {
            hf_load_error(draft->build->load, entry->place, &path,
                          "unknown key%s%s%s; expected receivers, processors, exporters or shards "
                          "('' has invalid keys: %s)",
                          suggestion.best == NULL ? "" : "; did you mean \"",
                          suggestion.best == NULL ? "" : suggestion.best,
                          suggestion.best == NULL ? "" : "\"?", entry->key);
        }
    }
}

static void read_pipeline(struct hf_build *build, const struct hf_yaml_entry *entry)
{
    struct hf_config_pipeline pipeline = {.shard_count = 1};
    struct draft draft = {.build = build, .place = entry->place, .pipeline = &pipeline};
    struct hf_key_path section = {.key = "service::pipelines"};
    const struct hf_yaml *body = entry->value;
    struct hf_config_id id;

    if (!hf_config_id_read(build->load, entry->place, &section, entry->key, &id)) {
        return;
    }
    pipeline.id = id.text;
    draft.path.key = hf_config_format(build->load->memory, "service::pipelines::%s", id.text);
    if (draft.path.key == NULL || !read_signal(&draft, id.type, id.text)) {
        return;
    }
    if (!hf_yaml_is_null(body) && body->kind != HF_YAML_MAP) {
        hf_load_error(build->load, body->place, &draft.path, "expected a map, got %s",
                      hf_yaml_show(body).text);
        return;
    }
    report_unknown_keys(&draft, body);
    pipeline.receivers =
        read_parts(&draft, HF_RECEIVER, hf_yaml_value(body, "receivers"), &pipeline.receiver_count);
    pipeline.processors = read_parts(&draft, HF_PROCESSOR, hf_yaml_value(body, "processors"),
                                     &pipeline.processor_count);
    pipeline.exporters =
        read_parts(&draft, HF_EXPORTER, hf_yaml_value(body, "exporters"), &pipeline.exporter_count);
    hf_check_shard_ids(build, entry->place, &draft.path, pipeline.id);
    hf_check_shards(build, &draft.path, hf_yaml_value(body, "shards"), &pipeline);
    for (size_t i = 0; i < build->config->pipeline_count; i++) {
        if (strcmp(build->config->pipelines[i].id, pipeline.id) == 0) {
            hf_load_error(build->load, entry->place, &draft.path,
                          "duplicate id once blanks are trimmed");
            return;
        }
    }
    build->config->pipelines[build->config->pipeline_count++] = pipeline;
}

void hf_check_pipelines(struct hf_build *build, struct hf_yaml_place place,
                        const struct hf_yaml *node)
{
    struct hf_key_path path = {.key = "service::pipelines"};

    if (!hf_yaml_is_null(node) && node->kind != HF_YAML_MAP) {
        hf_load_error(build->load, node->place, &path, "expected a map, got %s",
                      hf_yaml_show(node).text);
        return;
    }
    if (hf_yaml_is_null(node) || node->count == 0) {
        hf_load_error(build->load, node == NULL ? place : node->place, &path,
                      "service must have at least one pipeline");
        return;
    }
    build->config->pipelines =
        hf_config_array(build->load->memory, node->count, sizeof(*build->config->pipelines));
    for (size_t i = 0; build->config->pipelines != NULL && i < node->count; i++) {
        read_pipeline(build, &node->entries[i]);
    }
}
