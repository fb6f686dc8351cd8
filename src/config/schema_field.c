/*
 * schema_field: the JSON schema of one key, by its type.
 */
#include <ctype.h>
#include <string.h>

#include "load.h"
#include "scalar.h"
#include "schema.h"
#include "tree.h"

#define WHOLE "^[-+]?[0-9][0-9a-fA-FxoXO_.+-]*$|" HF_SCHEMA_VARIABLE
#define NUMBER                                                                                     \
    "^[-+]?(\\.?[0-9][0-9a-fA-FxoXO_.+-]*|\\.(inf|Inf|INF|nan|NaN|NAN))$|" HF_SCHEMA_VARIABLE
#define TRUTH "^(true|True|TRUE|false|False|FALSE)$|" HF_SCHEMA_VARIABLE
#define TIMES "(0|(([0-9]+\\.?[0-9]*|\\.[0-9]+)(ns|us|\xc2\xb5s|\xce\xbcs|ms|s|m|h))+)$|"
#define SIZE                                                                                       \
    "^[0-9]+(\\.[0-9]*)? *([bB]|[kKmMgGtT][iI]?[bB]?)?$|^[+]?[0-9][0-9a-fA-FxoXO_.+-]*$"           \
    "|" HF_SCHEMA_VARIABLE

#define CHOICE_BYTES 512

static void put_number(struct hf_schema *schema, const char *key, double number)
{
    char text[32];
    snprintf(text, sizeof(text), "%.17g", number);
    hf_writer_key(schema->writer, key);
    hf_writer_scalar(schema->writer, text, HF_SCALAR_DOUBLE);
}

static void put_bounds(struct hf_schema *schema, const struct hf_field *field)
{
    if (field->min != 0.0 || field->max != 0.0) {
        put_number(schema, "minimum", field->min);
        put_number(schema, "maximum", field->max);
    } else if (field->type == HF_FIELD_BYTES || field->type == HF_FIELD_DURATION) {
        put_number(schema, "minimum", 0);
    }
}

static void put_scalar(struct hf_schema *schema, const struct hf_field *field, const char *types,
                       const char *pattern)
{
    hf_schema_types(schema, types, !field->required);
    hf_schema_text(schema, "pattern", pattern);
    put_bounds(schema, field);
}

/* ---- choices ---- */

/* The choice in any case of its letters. False: too long. */
static bool any_case(const char *choice, char *pattern, size_t size)
{
    size_t used = (size_t)snprintf(pattern, size, "^");
    for (; *choice != '\0' && used + 8 < size; choice++) {
        if (isalpha((unsigned char)*choice)) {
            used +=
                (size_t)snprintf(pattern + used, size - used, "[%c%c]",
                                 tolower((unsigned char)*choice), toupper((unsigned char)*choice));
        } else {
            used +=
                (size_t)snprintf(pattern + used, size - used, "%s%c",
                                 strchr("\\^$.|?*+()[]{}/", *choice) != NULL ? "\\" : "", *choice);
        }
    }
    snprintf(pattern + used, size - used, "$");
    return *choice == '\0';
}

/* Each choice as text, and as that which YAML reads it as. */
static void put_enum(struct hf_schema *schema, const char *const *choices, bool takes_null)
{
    hf_writer_key(schema->writer, "enum");
    hf_writer_list(schema->writer);
    for (size_t i = 0; choices[i] != NULL; i++) {
        enum hf_scalar_type type = hf_scalar_type_of(choices[i]);
        hf_writer_scalar(schema->writer, choices[i], HF_SCALAR_STRING);
        if (type != HF_SCALAR_STRING && type != HF_SCALAR_NULL) {
            hf_writer_scalar(schema->writer, choices[i], type);
        }
    }
    if (takes_null) {
        hf_writer_scalar(schema->writer, NULL, HF_SCALAR_NULL);
    }
    hf_writer_end(schema->writer);
}

static void put_choices(struct hf_schema *schema, const char *const *choices, bool takes_null,
                        bool takes_any_case)
{
    char pattern[CHOICE_BYTES];
    hf_writer_key(schema->writer, "anyOf");
    hf_writer_list(schema->writer);
    hf_writer_map(schema->writer);
    put_enum(schema, choices, takes_null);
    hf_writer_end(schema->writer);
    for (size_t i = 0; takes_any_case && choices[i] != NULL; i++) {
        if (any_case(choices[i], pattern, sizeof(pattern))) {
            hf_writer_map(schema->writer);
            hf_schema_types(schema, "string", false);
            hf_schema_text(schema, "pattern", pattern);
            hf_writer_end(schema->writer);
        }
    }
    hf_writer_map(schema->writer);
    hf_schema_types(schema, "string", false);
    hf_schema_text(schema, "pattern", HF_SCHEMA_VARIABLE);
    hf_writer_end(schema->writer);
    hf_writer_end(schema->writer);
}

/* ---- lists and maps of text ---- */

static void put_string_list(struct hf_schema *schema, const struct hf_field *field)
{
    hf_schema_types(schema, "array string number boolean", !field->required);
    hf_writer_key(schema->writer, "items");
    hf_writer_map(schema->writer);
    if (field->choices != NULL) {
        put_choices(schema, field->choices, false, false);
    } else {
        hf_schema_types(schema, "string number boolean", false);
    }
    hf_writer_end(schema->writer);
}

/* A value of a map of texts, under a key of the schema. */
static void put_text_value(struct hf_schema *schema, const char *key)
{
    hf_writer_key(schema->writer, key);
    hf_writer_map(schema->writer);
    hf_schema_types(schema, "string number boolean", true);
    hf_writer_end(schema->writer);
}

static void close_map(struct hf_schema *schema)
{
    hf_writer_key(schema->writer, "additionalProperties");
    hf_writer_scalar(schema->writer, "false", HF_SCALAR_BOOL);
}

static void put_map(struct hf_schema *schema, const struct hf_field *field)
{
    hf_schema_types(schema, "object array string", !field->required);
    hf_schema_text(schema, "pattern", HF_SCHEMA_VARIABLE);
    put_text_value(schema, "additionalProperties");
    hf_writer_key(schema->writer, "items");
    hf_writer_map(schema->writer);
    hf_schema_types(schema, "object", false);
    hf_writer_key(schema->writer, "properties");
    hf_writer_map(schema->writer);
    put_text_value(schema, "name");
    put_text_value(schema, "value");
    hf_writer_end(schema->writer);
    hf_writer_key(schema->writer, "required");
    hf_writer_list(schema->writer);
    hf_writer_scalar(schema->writer, "name", HF_SCALAR_STRING);
    hf_writer_end(schema->writer);
    close_map(schema);
    hf_writer_end(schema->writer);
}

/* ---- tables within tables ---- */

static bool knows(const struct hf_field *fields, const char *key)
{
    for (; fields != NULL && fields->type != HF_FIELD_END; fields++) {
        if (strcmp(fields->key, key) == 0) {
            return true;
        }
    }
    return false;
}

static void put_items(struct hf_schema *schema, const struct hf_field *field, const char *key,
                      const struct hf_schema_table *inner)
{
    bool is_list = field->type == HF_FIELD_STRUCT_LIST;
    hf_schema_types(schema, is_list ? "array string" : "object string", !field->required);
    hf_schema_text(schema, "pattern", HF_SCHEMA_VARIABLE);
    hf_writer_key(schema->writer, key);
    hf_writer_map(schema->writer);
    hf_schema_refer(schema, inner, !hf_schema_is_needed(field->inner));
    hf_writer_end(schema->writer);
}

static void put_section(struct hf_schema *schema, const struct hf_field *field, const char *where)
{
    struct hf_schema_table inner = {
        .fields = field->inner,
        .name = hf_config_format(schema->memory, "%s.%s", where, field->key),
    };
    bool is_needed = hf_schema_is_needed(field->inner);
    switch (field->type) {
    case HF_FIELD_STRUCT_LIST:
        put_items(schema, field, "items", &inner);
        break;
    case HF_FIELD_STRUCT_MAP:
        put_items(schema, field, "additionalProperties", &inner);
        break;
    case HF_FIELD_OPTIONAL:
        inner.may_be_off = !knows(field->inner, "enabled");
        hf_schema_refer(schema, &inner, !field->required && !(field->null_enables && is_needed));
        break;
    default:
        hf_schema_refer(schema, &inner, !field->required && !is_needed);
        break;
    }
}

/* ---- one key ---- */

static void put_type(struct hf_schema *schema, const struct hf_field *field, const char *where)
{
    switch (field->type) {
    case HF_FIELD_BOOL:
        put_scalar(schema, field, "boolean string", TRUTH);
        break;
    case HF_FIELD_INT:
        put_scalar(schema, field, "integer string", WHOLE);
        break;
    case HF_FIELD_DOUBLE:
        put_scalar(schema, field, "number string", NUMBER);
        break;
    case HF_FIELD_DURATION:
        put_scalar(schema, field, "integer string",
                   field->min < 0.0 ? "^[-+]?" TIMES HF_SCHEMA_VARIABLE
                                    : "^[+]?" TIMES HF_SCHEMA_VARIABLE);
        break;
    case HF_FIELD_BYTES:
        put_scalar(schema, field, "integer string", SIZE);
        break;
    case HF_FIELD_STRING:
    case HF_FIELD_SECRET:
    case HF_FIELD_REF:
        hf_schema_types(schema, "string number boolean", !field->required);
        break;
    case HF_FIELD_ENUM:
        put_choices(schema, field->choices, !field->required, true);
        break;
    case HF_FIELD_STRING_LIST:
        put_string_list(schema, field);
        break;
    case HF_FIELD_MAP:
        put_map(schema, field);
        break;
    case HF_FIELD_VALUE:
    case HF_FIELD_IGNORED:
    case HF_FIELD_END:
        break; /* anything */
    default:
        put_section(schema, field, where);
        break;
    }
}

static void put_default_tree(struct hf_schema *schema, const struct hf_yaml *node)
{
    if (node->kind == HF_YAML_SCALAR) {
        hf_writer_scalar(schema->writer, node->text, node->scalar);
        return;
    }
    if (node->kind == HF_YAML_LIST) {
        hf_writer_list(schema->writer);
    } else {
        hf_writer_map(schema->writer);
    }
    for (size_t i = 0; i < node->count; i++) {
        if (node->kind == HF_YAML_MAP) {
            hf_writer_key(schema->writer, node->entries[i].key);
        }
        put_default_tree(schema,
                         node->kind == HF_YAML_MAP ? node->entries[i].value : node->items[i]);
    }
    hf_writer_end(schema->writer);
}

static void put_default(struct hf_schema *schema, const struct hf_field *field)
{
    const struct hf_config_options options = {0};
    struct hf_load load = {.memory = schema->memory, .options = &options};
    const char *text = field->default_text;
    if (text == NULL || field->required || field->type == HF_FIELD_IGNORED) {
        return;
    }
    hf_writer_key(schema->writer, "default");
    switch (field->type) {
    case HF_FIELD_BOOL:
    case HF_FIELD_INT:
    case HF_FIELD_DOUBLE:
    case HF_FIELD_BYTES:
        hf_writer_scalar(schema->writer, text, hf_scalar_type_of(text));
        break;
    case HF_FIELD_STRING:
    case HF_FIELD_SECRET:
    case HF_FIELD_REF:
    case HF_FIELD_ENUM:
    case HF_FIELD_DURATION:
        hf_writer_scalar(schema->writer, text, HF_SCALAR_STRING);
        break;
    default: {
        struct hf_yaml_input input = {text, strlen(text), "preset", NULL};
        load.last_found = &load.first_found;
        const struct hf_yaml *node = hf_yaml_parse(&load, &input);
        if (node != NULL) {
            put_default_tree(schema, node);
        } else {
            hf_writer_scalar(schema->writer, NULL, HF_SCALAR_NULL);
        }
    }
    }
}

void hf_schema_field(struct hf_schema *schema, const struct hf_field *field, const char *where)
{
    bool has_no_effect = field->type == HF_FIELD_IGNORED &&
                         (field->help == NULL || strstr(field->help, "effect") == NULL);
    if (field->help != NULL || has_no_effect) {
        const char *help =
            hf_config_format(schema->memory, "%s%s", has_no_effect ? "No effect: " : "",
                             field->help != NULL ? field->help : "not used here.");
        hf_schema_text(schema, "description", help);
    }
    put_type(schema, field, where);
    put_default(schema, field);
}
