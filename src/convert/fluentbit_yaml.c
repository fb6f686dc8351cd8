/*
 * fluentbit_yaml: the YAML form: service, env, includes, parsers, multiline_parsers, and pipeline
 * with inputs, filters and outputs.
 */
#include <string.h>

#include "config/read_file.h"
#include "fluentbit.h"

struct document {
    struct hf_value service, env, includes, parsers, multiline_parsers, inputs, filters, outputs;
    struct {
        struct hf_value customs, plugins, upstreams;
    } other;
};

#define AT(member) offsetof(struct document, member)
#define VALUE(name, member)                                                                        \
    {                                                                                              \
        .key = (name), .type = HF_FIELD_VALUE, .offset = AT(member)                                \
    }

static const struct hf_field pipeline_fields[] = {
    VALUE("inputs", inputs),
    VALUE("filters", filters),
    VALUE("outputs", outputs),
    HF_FIELDS_END,
};

static const struct hf_field document_fields[] = {
    VALUE("service", service),
    VALUE("env", env),
    VALUE("includes", includes),
    VALUE("parsers", parsers),
    VALUE("multiline_parsers", multiline_parsers),
    VALUE("customs", other.customs),
    VALUE("plugins", other.plugins),
    VALUE("upstream_servers", other.upstreams),
    {.key = "pipeline", .type = HF_FIELD_STRUCT, .inner = pipeline_fields},
    HF_FIELDS_END,
};

static const char *text_of(const struct hf_value *value)
{
    return value->string != NULL ? value->string : "";
}

/* rules: [{state: a, regex: /b/, next_state: c}] as the classic form writes them. */
static void add_rules(struct fb_config *config, struct fb_section *section,
                      const struct hf_value *rules)
{
    for (size_t i = 0; rules->type == HF_VALUE_LIST && i < rules->count; i++) {
        const struct hf_value *rule = &rules->items[i];
        const char *parts[3] = {"", "", ""};
        static const char *const keys[] = {"state", "regex", "next_state"};
        for (size_t k = 0; rule->type == HF_VALUE_MAP && k < rule->count; k++) {
            for (size_t n = 0; n < 3; n++) {
                parts[n] =
                    strcmp(rule->keys[k], keys[n]) == 0 ? text_of(&rule->items[k]) : parts[n];
            }
        }
        fb_add_property(
            config, section, hf_slice_text("rule"),
            hf_slice_text(fb_format(config, "\"%s\" \"%s\" \"%s\"", parts[0], parts[1], parts[2])));
    }
}

static void add_value(struct fb_config *config, struct fb_section *section, const char *key,
                      const struct hf_value *value)
{
    if (strcmp(key, "rules") == 0) {
        add_rules(config, section, value);
    } else if (value->type == HF_VALUE_LIST) {
        for (size_t i = 0; i < value->count; i++) {
            fb_add_property(config, section, hf_slice_text(key),
                            hf_slice_text(text_of(&value->items[i])));
        }
    } else if (value->type == HF_VALUE_MAP) {
        fb_tell(config, FB_MISSING, section, "%s: sections within a plugin are not converted", key);
    } else {
        fb_add_property(config, section, hf_slice_text(key), hf_slice_text(text_of(value)));
    }
}

static void add_section(struct fb_config *config, const char *title, const char *file,
                        const struct hf_value *map)
{
    struct fb_section *section =
        map->type == HF_VALUE_MAP ? fb_add_section(config, title, file, 0) : NULL;
    for (size_t i = 0; section != NULL && i < map->count; i++) {
        add_value(config, section, map->keys[i], &map->items[i]);
    }
}

static void add_list(struct fb_config *config, const char *title, const char *file,
                     const struct hf_value *list)
{
    for (size_t i = 0; list->type == HF_VALUE_LIST && i < list->count; i++) {
        add_section(config, title, file, &list->items[i]);
    }
}

static void add_env(struct fb_config *config, const struct hf_value *env)
{
    for (size_t i = 0; env->type == HF_VALUE_MAP && i < env->count; i++) {
        fb_add_set(config, hf_slice_text(env->keys[i]), hf_slice_text(text_of(&env->items[i])));
    }
}

void fb_read_yaml(struct fb_config *config, const char *path, unsigned depth, fb_includer *include)
{
    struct document document = {.service = {.type = HF_VALUE_NONE}};
    struct hf_config_memory *memory = NULL;
    struct hf_finding *findings = NULL;
    size_t count = 0;
    bool good = hf_config_read_file(path, document_fields, &document, &memory, &findings, &count);
    for (size_t i = 0; i < count; i++) {
        fb_tell(config, good ? FB_NOTE : FB_ERROR, NULL, "%s", findings[i].text);
    }
    if (good) {
        add_env(config, &document.env);
        for (size_t i = 0; document.includes.type == HF_VALUE_LIST && i < document.includes.count;
             i++) {
            include(config, text_of(&document.includes.items[i]), path, depth);
        }
        add_section(config, "SERVICE", path, &document.service);
        add_list(config, "PARSER", path, &document.parsers);
        add_list(config, "MULTILINE_PARSER", path, &document.multiline_parsers);
        add_list(config, "INPUT", path, &document.inputs);
        add_list(config, "FILTER", path, &document.filters);
        add_list(config, "OUTPUT", path, &document.outputs);
        if (document.other.customs.type != HF_VALUE_NONE ||
            document.other.plugins.type != HF_VALUE_NONE ||
            document.other.upstreams.type != HF_VALUE_NONE) {
            fb_tell(config, FB_MISSING, NULL,
                    "%s: customs, plugins and upstream_servers have no equal", path);
        }
    }
    hf_findings_free(findings, count);
    hf_config_file_free(memory);
}
