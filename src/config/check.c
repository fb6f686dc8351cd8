#include "check.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bind.h"
#include "component_check.h"
#include "component_fields.h"
#include "template.h"
#include "types.h"
#include "util/delivery_config.h"
#include "util/suggest.h"

/* ---- one component ---------------------------------------------------------------------------
 */

/* Steps into the items of lists by "[1][0]", as far as there are some. */
static const struct hf_yaml *find_item(const struct hf_yaml *node, const char *indexes,
                                       struct hf_yaml_place *place)
{
    char *end;

    while (*indexes == '[' && node->kind == HF_YAML_LIST) {
        size_t index = strtoul(indexes + 1, &end, 10);
        if (*end != ']' || index >= node->count) {
            break;
        }
        node = node->items[index];
        *place = node->place;
        indexes = end + 1;
    }
    return node;
}

/* The place of the deepest part of a key such as "tls::ca_file: ..." or "rules[1]::name" that the
 * user wrote. */
static bool find_key(const struct hf_yaml *node, const char *key, struct hf_yaml_place *ret_place)
{
    bool found = false;
    char part[64];

    for (;;) {
        size_t size = strcspn(key, ":[ \"");
        if (size == 0 || size >= sizeof(part)) {
            return found;
        }
        memcpy(part, key, size);
        part[size] = '\0';
        const struct hf_yaml_entry *inner = hf_yaml_find(node, part);
        if (inner == NULL) {
            return found;
        }
        found = true;
        *ret_place = inner->place;
        node = find_item(inner->value, key + size, ret_place);
        key += strcspn(key, ": \"");
        key += strspn(key, ":");
    }
}

/* The place of a key of that name in any of the sections within sections. */
static bool find_deep(const struct hf_yaml *node, const char *key, struct hf_yaml_place *ret_place)
{
    const struct hf_yaml_entry *entry = hf_yaml_find(node, key);

    if (entry != NULL) {
        *ret_place = entry->place;
        return true;
    }
    for (size_t i = 0; node->kind == HF_YAML_MAP && i < node->count; i++) {
        if (find_deep(node->entries[i].value, key, ret_place)) {
            return true;
        }
    }
    return false;
}

/* The place of the first word that is a key; one with a _ is hardly anything else. */
static bool find_word(const struct hf_yaml *node, const char *sentence,
                      struct hf_yaml_place *ret_place)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789_";
    char word[64];

    while (*sentence != '\0') {
        size_t size = strspn(sentence, letters);
        if (size > 0 && size < sizeof(word)) {
            memcpy(word, sentence, size);
            word[size] = '\0';
            if (strchr(word, '_') != NULL && find_deep(node, word, ret_place)) {
                return true;
            }
        }
        sentence += size + (sentence[size] != '\0');
    }
    return false;
}

/* A check's sentence names its key, as its first word, the first one in quotes, or any. */
static struct hf_yaml_place place_of_sentence(const struct hf_yaml_entry *entry,
                                              const char *sentence)
{
    const char *quoted = strchr(sentence, '"');
    struct hf_yaml_place place = entry->place;

    if (!find_key(entry->value, sentence, &place) &&
        (quoted == NULL || !find_key(entry->value, quoted + 1, &place))) {
        (void)find_word(entry->value, sentence, &place);
    }
    return place;
}

static void report_sentence(struct hf_load *load, const struct hf_yaml_entry *entry,
                            const struct hf_key_path *path, const char *sentence)
{
    if (sentence != NULL) {
        load->keeps_lines = true; /* an excerpt may stand below it */
        hf_load_error(load, place_of_sentence(entry, sentence), path, "%s", sentence);
        load->keeps_lines = false;
    }
}

struct checking {
    struct hf_load *load;
    const struct hf_yaml_entry *entry;
    const struct hf_key_path *path;
};

static void report_check(void *user, const char *sentence)
{
    const struct checking *checking = user;
    report_sentence(checking->load, checking->entry, checking->path, sentence);
}

static void bind_component(struct hf_load *load, const struct hf_field *fields,
                           const struct hf_yaml_entry *entry, struct hf_config_component *into)
{
    const struct hf_component *component = into->component;
    struct hf_key_path path = {
        .key =
            hf_config_format(load->memory, "%s::%s", hf_kind_words[into->kind].section, into->id)};
    void *config = hf_config_alloc(load->memory, hf_component_block_size(component));
    size_t errors = load->error_count - load->unknown_key_count;

    if (path.key == NULL || config == NULL) {
        return;
    }
    into->config = config;
    into->delivery = hf_component_delivery(component, config);
    hf_bind(load, &path, entry->place, entry->value, (struct hf_bind_target){fields, config});
    /* A half-bound struct would only earn misleading sentences, and its pointers may be missing; an
     * unknown key leaves the struct whole. */
    if (load->error_count - load->unknown_key_count != errors ||
        hf_config_memory_failed(load->memory)) {
        return;
    }
    struct checking checking = {load, entry, &path};
    hf_component_check(component, config, report_check, &checking);
    hf_template_check(load, fields, &path, entry);
    if (into->delivery != NULL) {
        report_sentence(load, entry, &path, hf_delivery_check(into->delivery));
    }
}

/* Only the few ids of one section are compared: duplicates come from blanks around the parts. */
static void read_component(struct hf_build *build, enum hf_kind kind,
                           const struct hf_yaml_entry *entry)
{
    struct hf_load *load = build->load;
    struct hf_key_path section = {.key = hf_kind_words[kind].section};
    struct hf_config_id id;

    if (!hf_config_id_read(load, entry->place, &section, entry->key, &id)) {
        return;
    }
    if (hf_check_find(build, kind, id.text) != SIZE_MAX) {
        hf_load_error(load, entry->place, &section, "duplicate id \"%s\" once blanks are trimmed",
                      id.text);
        return;
    }
    size_t index = build->config->component_count++;
    struct hf_config_component *component = &build->config->components[index];
    component->kind = kind;
    component->id = id.text;
    component->file = entry->place.file;
    component->line = entry->place.line;
    component->component = hf_types_find(load->options->components, kind, id.type);
    build->config->uses[index].entry = entry;
    load->owner = index;
    if (component->component == NULL) {
        const struct hf_types_unknown unknown = {kind, id.type, id.text, entry->place};
        hf_types_report(load, &section, &unknown);
    } else {
        const struct hf_field *fields = hf_component_fields(load->memory, component->component);
        build->config->uses[index].fields = fields;
        bind_component(load, fields, entry, component);
    }
}

size_t hf_check_find(const struct hf_build *build, enum hf_kind kind, const char *id)
{
    for (size_t i = 0; i < build->config->component_count; i++) {
        const struct hf_config_component *component = &build->config->components[i];
        if (component->kind == kind && strcmp(component->id, id) == 0) {
            return i;
        }
    }
    return SIZE_MAX;
}

/* ---- the sections ----------------------------------------------------------------------------
 */

static int kind_of_section(const char *key)
{
    for (int kind = 0; kind < HF_KIND_COUNT; kind++) {
        if (strcmp(hf_kind_words[kind].section, key) == 0) {
            return kind;
        }
    }
    return -1;
}

static void report_unknown_section(struct hf_load *load, const struct hf_yaml_entry *entry)
{
    struct hf_suggestion suggestion = {.word = entry->key};
    struct hf_key_path path = {.key = entry->key};

    for (int kind = 0; kind < HF_KIND_COUNT; kind++) {
        hf_suggest(&suggestion, hf_kind_words[kind].section);
    }
    hf_suggest(&suggestion, "service");
    hf_load_error(load, entry->place, &path,
                  "unknown key%s%s%s; expected receivers, processors, exporters, connectors, "
                  "extensions or service ('' has invalid keys: %s)",
                  suggestion.best == NULL ? "" : "; did you mean \"",
                  suggestion.best == NULL ? "" : suggestion.best,
                  suggestion.best == NULL ? "" : "\"?", entry->key);
}

static void require_section(struct hf_build *build, enum hf_kind kind)
{
    const struct hf_yaml *root = build->config->root;
    const struct hf_yaml_entry *entry = hf_yaml_find(root, hf_kind_words[kind].section);

    if (entry == NULL || hf_yaml_is_null(entry->value) ||
        (entry->value->kind == HF_YAML_MAP && entry->value->count == 0)) {
        struct hf_yaml_place place = {.file = root->place.file};
        hf_load_error(build->load, entry == NULL ? place : entry->place, NULL,
                      "no %s configuration specified in config", hf_kind_words[kind].noun);
    }
}

static void read_sections(struct hf_build *build)
{
    const struct hf_yaml *root = build->config->root;

    for (size_t i = 0; i < root->count; i++) {
        const struct hf_yaml_entry *entry = &root->entries[i];
        int kind = kind_of_section(entry->key);
        if (kind < 0 && strcmp(entry->key, "service") != 0) {
            report_unknown_section(build->load, entry);
        } else if (kind >= 0 && entry->value->kind == HF_YAML_MAP) {
            for (size_t j = 0; j < entry->value->count; j++) {
                read_component(build, (enum hf_kind)kind, &entry->value->entries[j]);
            }
        } else if (kind >= 0 && !hf_yaml_is_null(entry->value)) {
            struct hf_key_path path = {.key = entry->key};
            hf_load_error(build->load, entry->value->place, &path, "expected a map, got %s",
                          hf_yaml_show(entry->value).text);
        }
    }
}

void hf_check_components(struct hf_build *build)
{
    struct hf_load *load = build->load;
    const struct hf_yaml *root = build->config->root;
    size_t most = 0;

    for (size_t i = 0; i < root->count; i++) {
        most += root->entries[i].value->count;
    }
    build->config->components =
        hf_config_array(load->memory, most, sizeof(*build->config->components));
    build->config->uses = hf_config_array(load->memory, most, sizeof(*build->config->uses));
    if (build->config->components == NULL || build->config->uses == NULL) {
        return;
    }
    read_sections(build);
    require_section(build, HF_RECEIVER);
    require_section(build, HF_EXPORTER);
}
