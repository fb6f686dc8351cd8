/*
 * gen_ai_normalizer: gives attributes of spans that instrumentations of generative AI have names
 * of their own for the names and types of the semantic conventions.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#include "gen_ai_normalize.h"
#include "pdata/walk.h"

enum { SPAN_ATTRIBUTES = 9, SCOPE_SCHEMA_URL = 3 };

struct source_config {
    const char *name;
    bool remove_originals, overwrite;
    struct hf_string_map mappings;
    struct hf_value value_mappings; /* a map of maps of texts */
};

struct gen_ai_config {
    bool overwrite_schema_url;
    struct hf_struct_list sources; /* struct source_config */
};

/* Of a source of the configuration. */
struct own_tables {
    struct gen_ai_mapping *mappings;
    struct gen_ai_value *values;
};

struct gen_ai {
    bool overwrite_schema_url;
    struct gen_ai_rules *rules;
    struct own_tables *own;
    size_t count;
};

/* ---- the configuration ---- */

static const char *check_values(const struct source_config *source)
{
    const struct hf_value *value = &source->value_mappings;
    if (value->type != HF_VALUE_NONE && value->type != HF_VALUE_MAP) {
        return "value_mappings is a map of targets, each with a map of values";
    }
    for (size_t i = 0; i < value->count; i++) {
        bool is_target = false;
        for (size_t j = 0; j < source->mappings.count; j++) {
            is_target |= strcmp(source->mappings.items[j].value, value->keys[i]) == 0;
        }
        if (!is_target) {
            return "a key of value_mappings is no target in mappings";
        }
        if (value->items[i].type != HF_VALUE_MAP) {
            return "value_mappings is a map of targets, each with a map of values";
        }
        for (size_t j = 0; j < value->items[i].count; j++) {
            if (value->items[i].items[j].string == NULL) {
                return "a value in value_mappings is a text";
            }
        }
    }
    return NULL;
}

static const char *check_source(const struct source_config *source)
{
    bool is_built_in = source->name != NULL && gen_ai_source_find(source->name) != NULL;
    if (source->name == NULL || source->name[0] == '\0') {
        return "a name is needed";
    }
    if (is_built_in && source->mappings.count > 0) {
        return "mappings are not for the sources that are built in";
    }
    if (is_built_in && source->value_mappings.type != HF_VALUE_NONE) {
        return "value_mappings are not for the sources that are built in";
    }
    if (!is_built_in && source->mappings.count == 0) {
        return "a source of your own needs mappings; built in are openinference and openllmetry";
    }
    for (size_t i = 0; i < source->mappings.count; i++) {
        const struct hf_string_pair *pair = &source->mappings.items[i];
        if (pair->key[0] == '\0' || pair->value[0] == '\0' || strcmp(pair->key, pair->value) == 0) {
            return "mappings are from one attribute to another";
        }
    }
    return check_values(source);
}

static const char *check(const void *config)
{
    static _Thread_local char sentence[HF_ERROR_MAX];
    const struct gen_ai_config *configured = config;
    const struct source_config *sources = configured->sources.items;
    if (configured->sources.count == 0) {
        return "sources: at least one source must be given";
    }
    for (size_t i = 0; i < configured->sources.count; i++) {
        const char *why = check_source(&sources[i]);
        for (size_t j = 0; why == NULL && j < i; j++) {
            why = strcmp(sources[i].name, sources[j].name) == 0 ? "the name is there twice" : NULL;
        }
        if (why != NULL) {
            snprintf(sentence, sizeof(sentence), "sources[%zu]: %s", i, why);
            return sentence;
        }
    }
    return NULL;
}

static enum hf_status make_own(const struct source_config *config, struct gen_ai_source *source,
                               struct own_tables *own)
{
    const struct hf_value *targets = &config->value_mappings;
    size_t count = 0;
    for (size_t i = 0; i < targets->count; i++) {
        count += targets->items[i].count;
    }
    own->mappings = calloc(config->mappings.count, sizeof(*own->mappings));
    own->values = calloc(count + 1, sizeof(*own->values));
    if (own->mappings == NULL || own->values == NULL) {
        return HF_NOMEM;
    }
    for (size_t i = 0; i < config->mappings.count; i++) {
        own->mappings[i] =
            (struct gen_ai_mapping){config->mappings.items[i].key, config->mappings.items[i].value};
    }
    for (size_t i = 0; i < targets->count; i++) {
        const struct hf_value *texts = &targets->items[i];
        for (size_t j = 0; j < texts->count; j++) {
            own->values[source->value_count++] =
                (struct gen_ai_value){targets->keys[i], texts->keys[j], texts->items[j].string};
        }
    }
    source->name = config->name;
    source->mappings = own->mappings;
    source->mapping_count = config->mappings.count;
    source->values = own->values;
    return HF_OK;
}

static void close_gen_ai(void *self)
{
    struct gen_ai *processor = self;
    for (size_t i = 0; processor->own != NULL && i < processor->count; i++) {
        free(processor->own[i].mappings);
        free(processor->own[i].values);
    }
    free(processor->own);
    free(processor->rules);
    free(processor);
}

static enum hf_status open_gen_ai(struct hf_node *node, const void *config, void **ret_self,
                                  char *reterr)
{
    const struct gen_ai_config *configured = config;
    const struct source_config *sources = configured->sources.items;
    struct gen_ai *processor = calloc(1, sizeof(*processor));
    enum hf_status status = HF_OK;
    (void)node;
    (void)reterr;
    if (processor == NULL) {
        return HF_NOMEM;
    }
    processor->overwrite_schema_url = configured->overwrite_schema_url;
    processor->count = configured->sources.count;
    processor->rules = calloc(processor->count, sizeof(*processor->rules));
    processor->own = calloc(processor->count, sizeof(*processor->own));
    if (processor->rules == NULL || processor->own == NULL) {
        status = HF_NOMEM;
    }
    for (size_t i = 0; i < processor->count && status == HF_OK; i++) {
        const struct gen_ai_source *built_in = gen_ai_source_find(sources[i].name);
        struct gen_ai_rules *rules = &processor->rules[i];
        rules->removes = sources[i].remove_originals;
        rules->overwrites = sources[i].overwrite;
        if (built_in != NULL) {
            rules->source = *built_in;
        } else {
            status = make_own(&sources[i], &rules->source, &processor->own[i]);
        }
    }
    if (status != HF_OK) {
        close_gen_ai(processor);
        return status;
    }
    *ret_self = processor;
    return HF_OK;
}

/* ---- spans ---- */

static void normalize_span(const struct gen_ai *processor, struct gen_ai_run *run,
                           const struct hf_place *place)
{
    bool has_written = false;
    struct hf_attributes *attributes = hf_message_attributes(place->item, SPAN_ATTRIBUTES);
    if (attributes == NULL) {
        return; /* out of memory, which the document has noted */
    }
    for (size_t i = 0; i < processor->count && run->status == HF_OK; i++) {
        has_written |= gen_ai_normalize(run, &processor->rules[i], attributes);
    }
    struct hf_message *scope = place->scope_group;
    if (has_written &&
        (processor->overwrite_schema_url || hf_message_bytes(scope, SCOPE_SCHEMA_URL).size == 0)) {
        hf_message_set_bytes(scope, SCOPE_SCHEMA_URL, hf_slice_text(GEN_AI_SCHEMA_URL));
    }
}

static enum hf_status process(void *self, struct hf_batch *batch, struct hf_batch **ret_batch)
{
    struct hf_document *document = hf_document_borrow(batch->signal, batch->raw);
    if (document == NULL) {
        return HF_NOMEM;
    }
    struct gen_ai_run run = {.document = document, .maker.arena = hf_document_arena(document)};
    struct hf_place place = {.document = document};
    while (run.status == HF_OK && hf_place_next_item(&place)) {
        normalize_span(self, &run, &place);
    }
    enum hf_status status = run.status;
    if (status == HF_OK) {
        status = hf_document_batch(document, batch, ret_batch);
    }
    hf_document_return(document);
    hf_bytes_release(&run.text);
    return status;
}

#define SOURCE(member) offsetof(struct source_config, member)

static const struct hf_field source_fields[] = {
    {.key = "name",
     .type = HF_FIELD_STRING,
     .offset = SOURCE(name),
     .required = true,
     .help = "openinference, openllmetry, or a name of your own for `mappings`; each once."},
    {.key = "remove_originals",
     .type = HF_FIELD_BOOL,
     .offset = SOURCE(remove_originals),
     .help = "Remove an attribute once it has been written under its new name."},
    {.key = "overwrite",
     .type = HF_FIELD_BOOL,
     .offset = SOURCE(overwrite),
     .help = "Write over an attribute that has the new name already; else nothing is done."},
    {.key = "mappings",
     .type = HF_FIELD_MAP,
     .offset = SOURCE(mappings),
     .help = "Of a source of your own: names of attributes, and their new names."},
    {.key = "value_mappings",
     .type = HF_FIELD_VALUE,
     .offset = SOURCE(value_mappings),
     .help = "Of a source of your own: for a new name, texts and what they become."},
    HF_FIELDS_END,
};

static const struct hf_field fields[] = {
    {.key = "overwrite_schema_url",
     .type = HF_FIELD_BOOL,
     .offset = offsetof(struct gen_ai_config, overwrite_schema_url),
     .help = "Set the schema URL of a scope with a new name also where it has one."},
    {.key = "sources",
     .type = HF_FIELD_STRUCT_LIST,
     .offset = offsetof(struct gen_ai_config, sources),
     .inner = source_fields,
     .inner_size = sizeof(struct source_config),
     .required = true,
     .help = "Ways of instrumentation; each span goes through all of them, in this order."},
    HF_FIELDS_END,
};

static const struct hf_processor_ops processor_ops = {
    .process = process,
};

const struct hf_component hf_processor_gen_ai_normalizer = {
    .type = "gen_ai_normalizer",
    .help = "Gives attributes of OpenInference and OpenLLMetry (Traceloop) the names and types of "
            "the semantic conventions for generative AI.",
    .kind = HF_PROCESSOR,
    .signals = HF_SIGNAL_BIT(HF_TRACES),
    .config_size = sizeof(struct gen_ai_config),
    .fields = fields,
    .check = check,
    .open = open_gen_ai,
    .close = close_gen_ai,
    .processor = &processor_ops,
};
