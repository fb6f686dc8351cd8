#include "difference.h"

#include <stdlib.h>
#include <string.h>

/* What is printed, and whether anything was. */
struct report {
    FILE *out;
    bool differs;
};

static void put_line(struct report *report, char sign, const char *section, const char *id)
{
    fprintf(report->out, "%c %s::%s\n", sign, section, id);
    report->differs = true;
}

/* "~ section::id: keys", when there are any. False: out of memory. */
static bool put_keys(struct report *report, const char *name, const struct hf_field *fields,
                     struct hf_config_pair maps)
{
    char *text = NULL;
    size_t size = 0;
    struct hf_key_list keys = {.out = open_memstream(&text, &size)};
    if (keys.out == NULL) {
        return false;
    }
    hf_config_compare(fields, maps, NULL, &keys);
    bool failed = fclose(keys.out) != 0;
    if (!failed && keys.count > 0) {
        fprintf(report->out, "~ %s: %s\n", name, text);
        report->differs = true;
    }
    free(text);
    return !failed;
}

static size_t find(const struct hf_config *config, const struct hf_config_component *like)
{
    for (size_t i = 0; i < config->component_count; i++) {
        if (config->components[i].kind == like->kind &&
            strcmp(config->components[i].id, like->id) == 0) {
            return i;
        }
    }
    return config->component_count;
}

/* Only what is used runs; the rest counts as absent. */
static bool is_used(const struct hf_config *config, size_t at)
{
    return at < config->component_count && config->uses[at].used;
}

static bool compare_component(struct report *report, const struct hf_config *before, size_t at,
                              const struct hf_config *after)
{
    const struct hf_config_component *component = &before->components[at];
    const char *section = hf_kind_words[component->kind].section;
    size_t other = find(after, component);
    char name[1200];
    if (!is_used(before, at)) {
        return true;
    }
    if (!is_used(after, other)) {
        put_line(report, '-', section, component->id);
        return true;
    }
    const struct hf_config_pair maps = {before->uses[at].entry->value,
                                        after->uses[other].entry->value};
    snprintf(name, sizeof(name), "%s::%s", section, component->id);
    if (component->component == NULL) { /* not built in, so no table says what its keys mean */
        if (!hf_config_same_tree(maps.before, maps.after)) {
            put_line(report, '~', section, component->id);
        }
        return true;
    }
    return put_keys(report, name, before->uses[at].fields, maps);
}

static bool compare_components(struct report *report, const struct hf_config *before,
                               const struct hf_config *after)
{
    bool good = true;
    for (size_t i = 0; i < before->component_count && good; i++) {
        good = compare_component(report, before, i, after);
    }
    for (size_t i = 0; i < after->component_count; i++) {
        const struct hf_config_component *component = &after->components[i];
        if (is_used(after, i) && !is_used(before, find(before, component))) {
            put_line(report, '+', hf_kind_words[component->kind].section, component->id);
        }
    }
    return good;
}

/* ---- the service ---- */

static bool same_parts(const struct hf_config_component *const *a, size_t a_count,
                       const struct hf_config_component *const *b, size_t b_count)
{
    for (size_t i = 0; i < a_count && i < b_count; i++) {
        if (strcmp(a[i]->id, b[i]->id) != 0) {
            return false;
        }
    }
    return a_count == b_count;
}

static void compare_pipeline(struct report *report, const struct hf_config_pipeline *a,
                             const struct hf_config_pipeline *b)
{
    bool same_shards = a->shard_count == b->shard_count && a->shard_by == b->shard_by;
    const bool same[] = {
        same_parts(a->receivers, a->receiver_count, b->receivers, b->receiver_count),
        same_parts(a->processors, a->processor_count, b->processors, b->processor_count),
        same_parts(a->exporters, a->exporter_count, b->exporters, b->exporter_count),
    };
    const char *gap = "";
    if (same[0] && same[1] && same[2] && same_shards) {
        return;
    }
    fprintf(report->out, "~ service::pipelines::%s: ", a->id);
    for (int kind = HF_RECEIVER; kind <= HF_EXPORTER; kind++) {
        if (!same[kind]) {
            fprintf(report->out, "%s%s", gap, hf_kind_words[kind].section);
            gap = ", ";
        }
    }
    if (!same_shards) {
        fprintf(report->out, "%sshards", gap);
    }
    fputc('\n', report->out);
    report->differs = true;
}

static const struct hf_config_pipeline *pipeline_of(const struct hf_config *config, const char *id)
{
    for (size_t i = 0; i < config->pipeline_count; i++) {
        if (strcmp(config->pipelines[i].id, id) == 0) {
            return &config->pipelines[i];
        }
    }
    return NULL;
}

static void compare_pipelines(struct report *report, const struct hf_config *before,
                              const struct hf_config *after)
{
    for (size_t i = 0; i < before->pipeline_count; i++) {
        const struct hf_config_pipeline *one = &before->pipelines[i];
        const struct hf_config_pipeline *other = pipeline_of(after, one->id);
        if (other != NULL) {
            compare_pipeline(report, one, other);
        } else {
            put_line(report, '-', "service::pipelines", one->id);
        }
    }
    for (size_t i = 0; i < after->pipeline_count; i++) {
        if (pipeline_of(before, after->pipelines[i].id) == NULL) {
            put_line(report, '+', "service::pipelines", after->pipelines[i].id);
        }
    }
}

static bool compare_service(struct report *report, const struct hf_config *before,
                            const struct hf_config *after)
{
    const struct hf_config_pair telemetry = {
        hf_yaml_value(hf_yaml_value(before->root, "service"), "telemetry"),
        hf_yaml_value(hf_yaml_value(after->root, "service"), "telemetry"),
    };
    compare_pipelines(report, before, after);
    return put_keys(report, "service::telemetry", hf_telemetry_fields(), telemetry);
}

bool hf_config_diff(const struct hf_config *before, const struct hf_config *after, FILE *out,
                    bool *ret_differs)
{
    struct report report = {.out = out};
    bool good =
        compare_components(&report, before, after) && compare_service(&report, before, after);
    if (good && report.differs) {
        hf_config_compare_queues(before, after, out);
    }
    *ret_differs = report.differs;
    return good;
}
