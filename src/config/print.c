/*
 * print: writes the merged and expanded configuration as YAML or JSON, with its secrets redacted.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "bind.h"
#include "check.h"
#include "redact.h"
#include "writer.h"

/* What is known of the value being printed. */
struct context {
    enum hf_field_type type;       /* END: no table knows it */
    const struct hf_field *fields; /* of the map here, or of the items */
    bool hidden;                   /* everything below is a secret */
    bool item;                     /* of a list: perhaps one of {name, value} */
    bool holds_text;               /* what is in it is text, also where no table says so */
};

struct printer {
    struct hf_writer *writer;
    bool unredacted;
};

static struct context context_of(const struct hf_field *field)
{
    bool hidden = field->type == HF_FIELD_SECRET || field->is_secret ||
                  (field->type == HF_FIELD_MAP && hf_redact_is_secret(field->key));

    return (struct context){.type = field->type, .fields = field->inner, .hidden = hidden};
}

/* Sections of the telemetry, which has no table here. */
static bool holds_text(const char *key)
{
    return strcmp(key, "resource") == 0 || strcmp(key, "initial_fields") == 0;
}

static struct context context_of_entry(const struct context *map, const char *key)
{
    const struct hf_field *field = NULL;

    switch (map->type) {
    case HF_FIELD_STRUCT:
    case HF_FIELD_OPTIONAL:
        field = hf_bind_field(map->fields, key);
        break;
    case HF_FIELD_STRUCT_MAP:
        return (struct context){
            .type = HF_FIELD_STRUCT, .fields = map->fields, .hidden = map->hidden};
    case HF_FIELD_MAP:
        return (struct context){.type = HF_FIELD_STRING,
                                .hidden = map->hidden || hf_redact_is_secret(key)};
    default:
        break;
    }
    if (field != NULL) {
        return context_of(field);
    }
    return (struct context){
        .type = map->holds_text ? HF_FIELD_STRING : HF_FIELD_END,
        .hidden = map->hidden || hf_redact_is_secret(key),
        .holds_text = map->holds_text || holds_text(key),
    };
}

static struct context context_of_item(const struct context *list)
{
    struct context item = *list;

    if (list->type == HF_FIELD_STRUCT_LIST) {
        item.type = HF_FIELD_STRUCT;
    }
    item.item = true;
    return item;
}

static bool is_text_field(enum hf_field_type type)
{
    return type == HF_FIELD_STRING || type == HF_FIELD_SECRET || type == HF_FIELD_REF ||
           type == HF_FIELD_STRING_LIST || type == HF_FIELD_MAP;
}

/* As it would have to be written to be read as the same: every dollar doubled. Malloc'd; NULL: out
 * of memory. */
static char *writable(const char *text)
{
    char *copy = malloc(strlen(text) * 2 + 1);
    char *to = copy;

    while (copy != NULL && *text != '\0') {
        if (*text == '$') {
            *to++ = '$';
        }
        *to++ = *text++;
    }
    if (copy != NULL) {
        *to = '\0';
    }
    return copy;
}

static void print_text(struct printer *printer, const char *text)
{
    char *redacted = printer->unredacted ? NULL : hf_redact_urls(text);
    bool failed = redacted == NULL && !printer->unredacted;
    char *shown = failed ? NULL : writable(redacted == NULL ? text : redacted);

    hf_writer_scalar(printer->writer, shown, HF_SCALAR_STRING);
    free(shown);
    free(redacted);
}

static void print_scalar(struct printer *printer, const struct hf_yaml *node,
                         const struct context *context)
{
    bool is_variable = context->type == HF_FIELD_VALUE && hf_yaml_is_null(node);

    if ((is_text_field(context->type) || is_variable) && hf_yaml_string(node) != NULL &&
        !hf_yaml_is_empty(node)) {
        print_text(printer, hf_yaml_string(node));
    } else if (node->scalar == HF_SCALAR_STRING) {
        print_text(printer, node->original != NULL ? node->original : node->text);
    } else {
        hf_writer_scalar(printer->writer, node->text, node->scalar);
    }
}

static void print_node(struct printer *printer, const struct hf_yaml *node,
                       const struct context *context);

/* Is it {key: api_key, value: ...}, or with `name`? */
static bool names_secret(const struct hf_yaml *map)
{
    static const char *const keys[] = {"key", "name"};

    for (size_t i = 0; i < 2; i++) {
        const struct hf_yaml *name = hf_yaml_value(map, keys[i]);
        const char *text = name == NULL ? NULL : hf_yaml_string(name);
        if (text != NULL && hf_redact_is_secret(text)) {
            return true;
        }
    }
    return false;
}

static void print_map(struct printer *printer, const struct hf_yaml *node,
                      const struct context *context)
{
    bool secret = names_secret(node);

    hf_writer_map(printer->writer);
    for (size_t i = 0; i < node->count; i++) {
        const struct hf_yaml_entry *entry = &node->entries[i];
        struct context inner = context_of_entry(context, entry->key);
        /* A map written as a list of {name, value}: the name is no secret. */
        bool name = context->item && strcmp(entry->key, "name") == 0;
        inner.hidden = !name && (inner.hidden || (secret && strcmp(entry->key, "value") == 0));
        hf_writer_key(printer->writer, entry->key);
        print_node(printer, entry->value, &inner);
    }
    hf_writer_end(printer->writer);
}

static void print_list(struct printer *printer, const struct hf_yaml *node,
                       const struct context *context)
{
    struct context inner = context_of_item(context);

    hf_writer_list(printer->writer);
    for (size_t i = 0; i < node->count; i++) {
        print_node(printer, node->items[i], &inner);
    }
    hf_writer_end(printer->writer);
}

static void print_node(struct printer *printer, const struct hf_yaml *node,
                       const struct context *context)
{
    bool hidden = context->hidden && !printer->unredacted;
    hf_writer_place(printer->writer, node->place);
    bool text = context->type == HF_FIELD_STRING || context->type == HF_FIELD_SECRET ||
                context->type == HF_FIELD_REF ||
                (context->type == HF_FIELD_STRING_LIST && node->kind == HF_YAML_MAP);

    if (hidden && !hf_yaml_is_empty(node) &&
        (node->kind == HF_YAML_SCALAR || node->original != NULL || text)) {
        hf_writer_scalar(printer->writer, HF_REDACTED, HF_SCALAR_STRING);
    } else if (node->kind == HF_YAML_SCALAR || (text && node->original != NULL)) {
        print_scalar(printer, node, context);
    } else if (node->kind == HF_YAML_MAP) {
        print_map(printer, node, context);
    } else {
        print_list(printer, node, context);
    }
}

/* What is known of the component there; NULL: it is not built in. */
static const struct hf_config_use *use_of(const struct hf_config *config,
                                          const struct hf_yaml_entry *entry)
{
    for (size_t i = 0; i < config->component_count; i++) {
        if (config->uses[i].entry == entry) {
            return config->components[i].component != NULL ? &config->uses[i] : NULL;
        }
    }
    return NULL;
}

static void print_section(struct printer *printer, const struct hf_config *config,
                          const struct hf_yaml *section)
{
    hf_writer_map(printer->writer);
    for (size_t i = 0; i < section->count; i++) {
        const struct hf_yaml_entry *entry = &section->entries[i];
        const struct hf_config_use *use = use_of(config, entry);
        struct context context = {.type = HF_FIELD_END};
        if (use != NULL) {
            context = (struct context){.type = HF_FIELD_STRUCT, .fields = use->fields};
        }
        hf_writer_key(printer->writer, entry->key);
        print_node(printer, entry->value, &context);
    }
    hf_writer_end(printer->writer);
}

static char *print(const struct hf_config *config, struct printer printer)
{
    const struct context unknown = {.type = HF_FIELD_END};
    const struct hf_yaml *root = config->root;

    if (printer.writer == NULL) {
        return NULL;
    }
    hf_writer_map(printer.writer);
    for (size_t i = 0; i < root->count; i++) {
        const struct hf_yaml_entry *entry = &root->entries[i];
        hf_writer_key(printer.writer, entry->key);
        if (strcmp(entry->key, "service") != 0 && entry->value->kind == HF_YAML_MAP) {
            print_section(&printer, config, entry->value);
        } else {
            print_node(&printer, entry->value, &unknown);
        }
    }
    hf_writer_end(printer.writer);
    return hf_writer_take(printer.writer);
}

char *hf_config_print(const struct hf_config *config, bool unredacted, bool json)
{
    return print(config, (struct printer){hf_writer_new(json), unredacted});
}

char *hf_config_print_origins(const struct hf_config *config, bool unredacted)
{
    return print(config, (struct printer){hf_writer_new_lines(), unredacted});
}
