/*
 * schema_refer: what every part of a schema is written with, and references to tables.
 */
#include <ctype.h>
#include <string.h>

#include "schema.h"

void hf_schema_text(struct hf_schema *schema, const char *key, const char *text)
{
    hf_writer_key(schema->writer, key);
    hf_writer_scalar(schema->writer, text, HF_SCALAR_STRING);
}

void hf_schema_types(struct hf_schema *schema, const char *words, bool takes_null)
{
    hf_writer_key(schema->writer, "type");
    hf_writer_list(schema->writer);
    while (*words != '\0') {
        size_t size = strcspn(words, " ");
        const char *word = hf_config_text(schema->memory, words, size);
        hf_writer_scalar(schema->writer, word, HF_SCALAR_STRING);
        words += size + (words[size] == ' ');
    }
    if (takes_null) {
        hf_writer_scalar(schema->writer, "null", HF_SCALAR_STRING);
    }
    hf_writer_end(schema->writer);
}

bool hf_schema_is_needed(const struct hf_field *fields)
{
    for (; fields != NULL && fields->type != HF_FIELD_END; fields++) {
        if (fields->required ||
            (fields->type == HF_FIELD_STRUCT && hf_schema_is_needed(fields->inner))) {
            return true;
        }
    }
    return false;
}

/* ---- references ---- */

static bool is_named(const struct hf_schema *schema, const char *name)
{
    for (const struct hf_schema_table *table = schema->tables; table != NULL; table = table->next) {
        if (strcmp(table->name, name) == 0) {
            return true;
        }
    }
    return false;
}

/* A name of its own that needs no escapes in a reference. NULL: no memory. */
static const char *new_name(struct hf_schema *schema, const char *where)
{
    char *name = where == NULL ? NULL : hf_config_text(schema->memory, where, strlen(where));
    for (char *at = name; at != NULL && *at != '\0'; at++) {
        if (!isalnum((unsigned char)*at) && strchr("._-", *at) == NULL) {
            *at = '_';
        }
    }
    const char *unique = name;
    for (unsigned i = 2; unique != NULL && is_named(schema, unique); i++) {
        unique = hf_config_format(schema->memory, "%s-%u", name, i);
    }
    return unique;
}

/* The name of the definition; NULL: no memory. */
static const char *find_table(struct hf_schema *schema, const struct hf_schema_table *wanted)
{
    for (const struct hf_schema_table *table = schema->tables; table != NULL; table = table->next) {
        if (table->fields == wanted->fields && table->may_be_off == wanted->may_be_off) {
            return table->name;
        }
    }
    struct hf_schema_table *table = hf_config_alloc(schema->memory, sizeof(*table));
    const char *name = new_name(schema, wanted->name);
    if (table == NULL || name == NULL) {
        return NULL;
    }
    *table = *wanted;
    table->name = name;
    *schema->last_table = table;
    schema->last_table = &table->next;
    return name;
}

void hf_schema_refer(struct hf_schema *schema, const struct hf_schema_table *table, bool takes_null)
{
    const char *name = find_table(schema, table);
    const char *reference =
        name == NULL ? NULL : hf_config_format(schema->memory, "#/$defs/%s", name);
    hf_schema_text(schema, "$ref", reference);
    if (!takes_null) {
        hf_schema_types(schema, "object string", false);
    }
}
