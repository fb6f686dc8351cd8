#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#include "match_internal.h"
#include "pdata/value.h"
#include "util/regex/regex.h"

/* What the values of one list of criteria may take. */
#define ARENA_LIMIT_BYTES (16u << 20)

static const char *const match_types[] = {"strict", "regexp", NULL};

const struct hf_field hf_match_attribute_fields[] = {
    {.key = "key",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct hf_match_attribute, key),
     .required = true,
     .help = "The attribute that must be there."},
    {.key = "value",
     .type = HF_FIELD_VALUE,
     .offset = offsetof(struct hf_match_attribute, value),
     .help = "Its value, of the same type; with regexp a pattern. Absent: any value."},
    HF_FIELDS_END,
};

static const struct hf_field library_fields[] = {
    {.key = "name",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct hf_match_library, name),
     .required = true,
     .help = "The name of the instrumentation scope."},
    {.key = "version",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct hf_match_library, version),
     .help = "Its version. Absent: any; empty: only one without a version."},
    HF_FIELDS_END,
};

static const struct hf_field severity_fields[] = {
    {.key = "min",
     .type = HF_FIELD_INT,
     .offset = offsetof(struct hf_match_severity, min),
     .min = 0,
     .max = 24,
     .help = "The lowest severity number that matches."},
    {.key = "match_undefined",
     .type = HF_FIELD_BOOL,
     .offset = offsetof(struct hf_match_severity, match_undefined),
     .help = "Do records without a severity number match?"},
    HF_FIELDS_END,
};

#define LIST_FIELD(name, text)                                                                     \
    {                                                                                              \
        .key = #name, .type = HF_FIELD_STRING_LIST,                                                \
        .offset = offsetof(struct hf_match_config, name), .help = (text)                           \
    }

#define STRUCTS_FIELD(name, fields, type_, text)                                                   \
    {                                                                                              \
        .key = #name, .type = HF_FIELD_STRUCT_LIST,                                                \
        .offset = offsetof(struct hf_match_config, name), .inner = (fields),                       \
        .inner_size = sizeof(type_), .help = (text)                                                \
    }

const struct hf_field hf_match_fields[] = {
    {.key = "match_type",
     .type = HF_FIELD_ENUM,
     .offset = offsetof(struct hf_match_config, match_type),
     .choices = match_types,
     .required = true,
     .help = "How texts compare: equal, or by regular expressions that match anywhere."},
    {.key = "regexp",
     .type = HF_FIELD_IGNORED,
     .help = "Results are not cached: patterns are compiled to machine code."},
    LIST_FIELD(services, "Spans whose resource has one of these service.name."),
    LIST_FIELD(span_names, "Spans with one of these names."),
    LIST_FIELD(span_kinds, "Spans of one of these kinds, such as SPAN_KIND_SERVER."),
    LIST_FIELD(log_bodies, "Log records whose body, as text, is one of these."),
    LIST_FIELD(log_severity_texts, "Log records with one of these severity texts."),
    LIST_FIELD(metric_names, "Data points of metrics with one of these names."),
    {.key = "log_severity_number",
     .type = HF_FIELD_OPTIONAL,
     .offset = offsetof(struct hf_match_config, log_severity_number),
     .inner = severity_fields,
     .inner_size = sizeof(struct hf_match_severity),
     .help = "Log records of at least some severity."},
    STRUCTS_FIELD(attributes, hf_match_attribute_fields, struct hf_match_attribute,
                  "Items that have all these attributes."),
    STRUCTS_FIELD(resources, hf_match_attribute_fields, struct hf_match_attribute,
                  "Items whose resource has all these attributes."),
    STRUCTS_FIELD(libraries, library_fields, struct hf_match_library,
                  "Items of one of these instrumentation scopes."),
    HF_FIELDS_END,
};

const char *const hf_span_kind_names[HF_SPAN_KIND_COUNT] = {
    "SPAN_KIND_UNSPECIFIED", "SPAN_KIND_INTERNAL", "SPAN_KIND_SERVER",
    "SPAN_KIND_CLIENT",      "SPAN_KIND_PRODUCER", "SPAN_KIND_CONSUMER"};

/* ---- compiling ---- */

struct compiler {
    const char *name;
    bool regexp;
    char *reterr;
};

static enum hf_status refuse(const struct compiler *compiler, const char *key, const char *why)
{
    snprintf(compiler->reterr, HF_ERROR_MAX, "%s::%s: %.300s", compiler->name, key, why);
    return HF_INVALID;
}

static enum hf_status compile_text(const struct compiler *compiler, const char *key,
                                   const char *text, struct hf_match_text_rule *rule)
{
    char why[HF_REGEX_ERROR_MAX] = "";
    rule->text = hf_slice_text(text);
    if (!compiler->regexp) {
        return HF_OK;
    }
    enum hf_status status = hf_regex_new(text, &rule->regex, why);
    return status == HF_INVALID ? refuse(compiler, key, why) : status;
}

static enum hf_status compile_set(const struct compiler *compiler, const char *key,
                                  struct hf_string_list list, struct hf_match_text_set *set)
{
    enum hf_status status = HF_OK;
    if (list.count == 0) {
        return HF_OK;
    }
    set->rules = calloc(list.count, sizeof(*set->rules));
    if (set->rules == NULL) {
        return HF_NOMEM;
    }
    while (status == HF_OK && set->count < list.count) {
        status = compile_text(compiler, key, list.items[set->count], &set->rules[set->count]);
        set->count++;
    }
    return status;
}

static enum hf_status compile_attribute(const struct compiler *compiler, const char *key,
                                        const struct hf_match_attribute *config,
                                        struct hf_match *match,
                                        struct hf_match_attribute_rule *rule)
{
    const struct hf_value *value = &config->value;
    if (config->key == NULL || config->key[0] == '\0') {
        return refuse(compiler, key, "the key of an entry is empty");
    }
    rule->key = hf_slice_text(config->key);
    rule->any = value->type == HF_VALUE_NONE;
    if (compiler->regexp && !rule->any) {
        return value->type == HF_VALUE_STRING
                   ? compile_text(compiler, key, value->string, &rule->text)
                   : refuse(compiler, key, "with match_type regexp the value must be text");
    }
    struct hf_slice bytes = HF_EMPTY_SLICE;
    enum hf_status status = hf_value_encode(value, &match->arena, &bytes);
    rule->value = hf_any_read(bytes);
    return status == HF_OK || status == HF_NOMEM ? status
                                                 : refuse(compiler, key, hf_value_problem(status));
}

static enum hf_status compile_attributes(const struct compiler *compiler, const char *key,
                                         const struct hf_struct_list *list, struct hf_match *match,
                                         struct hf_match_attribute_set *set)
{
    const struct hf_match_attribute *configs = list->items;
    enum hf_status status = HF_OK;
    if (list->count == 0) {
        return HF_OK;
    }
    set->rules = calloc(list->count, sizeof(*set->rules));
    if (set->rules == NULL) {
        return HF_NOMEM;
    }
    while (status == HF_OK && set->count < list->count) {
        status =
            compile_attribute(compiler, key, &configs[set->count], match, &set->rules[set->count]);
        set->count++;
    }
    return status;
}

static enum hf_status compile_libraries(const struct compiler *compiler,
                                        const struct hf_struct_list *list, struct hf_match *match)
{
    const struct hf_match_library *configs = list->items;
    enum hf_status status = HF_OK;
    if (list->count == 0) {
        return HF_OK;
    }
    match->libraries = calloc(list->count, sizeof(*match->libraries));
    if (match->libraries == NULL) {
        return HF_NOMEM;
    }
    while (status == HF_OK && match->library_count < list->count) {
        const struct hf_match_library *config = &configs[match->library_count];
        struct hf_match_library_rule *rule = &match->libraries[match->library_count++];
        rule->any_version = config->version == NULL;
        status = compile_text(compiler, "libraries", config->name, &rule->name);
        if (status == HF_OK && !rule->any_version) {
            status = compile_text(compiler, "libraries", config->version, &rule->version);
        }
    }
    return status;
}

static bool is_span_kind(const char *text)
{
    for (size_t i = 0; i < HF_SPAN_KIND_COUNT; i++) {
        if (strcmp(hf_span_kind_names[i], text) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_about_logs(const struct hf_match_config *config)
{
    return config->log_bodies.count != 0 || config->log_severity_texts.count != 0 ||
           config->log_severity_number != NULL;
}

static bool is_about_spans(const struct hf_match_config *config)
{
    return config->services.count != 0 || config->span_names.count != 0 ||
           config->span_kinds.count != 0;
}

static bool is_about_all(const struct hf_match_config *config)
{
    return config->attributes.count != 0 || config->resources.count != 0 ||
           config->libraries.count != 0;
}

/* Are the criteria such as the pipeline can answer? */
static enum hf_status check_signals(const struct compiler *compiler,
                                    const struct hf_match_config *config, unsigned signals)
{
    const char *why = NULL;
    if ((signals & HF_SIGNAL_BIT(HF_TRACES)) != 0 && is_about_logs(config)) {
        why = "log_bodies, log_severity_texts and log_severity_number are not for traces";
    } else if ((signals & HF_SIGNAL_BIT(HF_TRACES)) != 0 && !is_about_spans(config) &&
               !is_about_all(config)) {
        why = "one of services, span_names, span_kinds, attributes, libraries, resources must be "
              "given";
    } else if ((signals & HF_SIGNAL_BIT(HF_LOGS)) != 0 && is_about_spans(config)) {
        why = "services, span_names and span_kinds are not for logs";
    } else if ((signals & HF_SIGNAL_BIT(HF_LOGS)) != 0 && !is_about_logs(config) &&
               !is_about_all(config)) {
        why = "one of log_bodies, log_severity_texts, log_severity_number, attributes, libraries, "
              "resources must be given";
    }
    if (why != NULL) {
        snprintf(compiler->reterr, HF_ERROR_MAX, "%s: %s", compiler->name, why);
        return HF_INVALID;
    }
    for (size_t i = 0; !compiler->regexp && i < config->span_kinds.count; i++) {
        if (!is_span_kind(config->span_kinds.items[i])) {
            return refuse(compiler, "span_kinds",
                          "with match_type strict each must be SPAN_KIND_INTERNAL, _SERVER, "
                          "_CLIENT, _PRODUCER or _CONSUMER");
        }
    }
    return HF_OK;
}

static enum hf_status compile(const struct compiler *compiler, const struct hf_match_config *config,
                              struct hf_match *match)
{
    const struct {
        const char *key;
        struct hf_string_list list;
        struct hf_match_text_set *set;
    } sets[] = {
        {"services", config->services, &match->services},
        {"span_names", config->span_names, &match->span_names},
        {"span_kinds", config->span_kinds, &match->span_kinds},
        {"log_bodies", config->log_bodies, &match->log_bodies},
        {"log_severity_texts", config->log_severity_texts, &match->log_severity_texts},
        {"metric_names", config->metric_names, &match->metric_names},
    };
    enum hf_status status = HF_OK;
    for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]) && status == HF_OK; i++) {
        status = compile_set(compiler, sets[i].key, sets[i].list, sets[i].set);
    }
    if (status == HF_OK) {
        status = compile_attributes(compiler, "attributes", &config->attributes, match,
                                    &match->attributes);
    }
    if (status == HF_OK) {
        status =
            compile_attributes(compiler, "resources", &config->resources, match, &match->resources);
    }
    if (status == HF_OK) {
        status = compile_libraries(compiler, &config->libraries, match);
    }
    return status;
}

enum hf_status hf_match_new(const char *name, const struct hf_match_config *config,
                            unsigned signals, struct hf_match **ret_match, char *reterr)
{
    const struct compiler compiler = {
        .name = name, .regexp = config->match_type == HF_MATCH_REGEXP, .reterr = reterr};
    enum hf_status status = check_signals(&compiler, config, signals);
    if (status != HF_OK) {
        return status;
    }
    struct hf_match *match = calloc(1, sizeof(*match));
    if (match == NULL) {
        return HF_NOMEM;
    }
    match->config = config;
    match->arena.limit = ARENA_LIMIT_BYTES;
    status = compile(&compiler, config, match);
    if (status != HF_OK) {
        hf_match_free(match);
        return status;
    }
    *ret_match = match;
    return HF_OK;
}

static void release_set(struct hf_match_text_set *set)
{
    for (size_t i = 0; i < set->count; i++) {
        hf_regex_free(set->rules[i].regex);
    }
    free(set->rules);
}

static void release_attributes(struct hf_match_attribute_set *set)
{
    for (size_t i = 0; i < set->count; i++) {
        hf_regex_free(set->rules[i].text.regex);
    }
    free(set->rules);
}

void hf_match_free(struct hf_match *match)
{
    if (match == NULL) {
        return;
    }
    release_set(&match->services);
    release_set(&match->span_names);
    release_set(&match->span_kinds);
    release_set(&match->log_bodies);
    release_set(&match->log_severity_texts);
    release_set(&match->metric_names);
    release_attributes(&match->attributes);
    release_attributes(&match->resources);
    for (size_t i = 0; i < match->library_count; i++) {
        hf_regex_free(match->libraries[i].name.regex);
        hf_regex_free(match->libraries[i].version.regex);
    }
    free(match->libraries);
    hf_arena_release(&match->arena);
    free(match);
}

const char *hf_match_check(const char *name, const struct hf_match_config *config)
{
    static _Thread_local char sentence[HF_ERROR_MAX];
    struct hf_match *match = NULL;
    snprintf(sentence, sizeof(sentence), "%s: out of memory", name);
    enum hf_status status = hf_match_new(name, config, 0, &match, sentence);
    hf_match_free(match);
    return status == HF_OK ? NULL : sentence;
}
