/*
 * schema_table: the definitions of the tables of fields.
 */
#include "schema.h"

static bool must_be_there(const struct hf_field *field)
{
    return field->required || (field->type == HF_FIELD_STRUCT && hf_schema_is_needed(field->inner));
}

static bool has_old_keys(const struct hf_field *field)
{
    return field->old_keys != NULL && field->old_keys[0] != NULL;
}

static void put_property(struct hf_schema *schema, const struct hf_field *field, const char *key,
                         const char *where)
{
    hf_writer_key(schema->writer, key);
    hf_writer_map(schema->writer);
    hf_schema_field(schema, field, where);
    if (key != field->key) {
        hf_writer_key(schema->writer, "deprecated");
        hf_writer_scalar(schema->writer, "true", HF_SCALAR_BOOL);
    }
    hf_writer_end(schema->writer);
}

static void put_properties(struct hf_schema *schema, const struct hf_schema_table *table)
{
    hf_writer_key(schema->writer, "properties");
    hf_writer_map(schema->writer);
    if (table->may_be_off) {
        static const struct hf_field enabled = {
            .key = "enabled",
            .type = HF_FIELD_BOOL,
            .default_text = "true",
            .help = "false: as if the section was not there.",
        };
        put_property(schema, &enabled, enabled.key, table->name);
    }
    for (const struct hf_field *field = table->fields; field != NULL && field->type != HF_FIELD_END;
         field++) {
        put_property(schema, field, field->key, table->name);
        for (const char *const *old = field->old_keys; old != NULL && *old != NULL; old++) {
            put_property(schema, field, *old, table->name);
        }
    }
    hf_writer_end(schema->writer);
    hf_writer_key(schema->writer, "additionalProperties");
    hf_writer_scalar(schema->writer, "false", HF_SCALAR_BOOL);
}

/* {"required": [first, second]}; `second` may be NULL. */
static void put_pair(struct hf_schema *schema, const char *first, const char *second)
{
    hf_writer_map(schema->writer);
    hf_writer_key(schema->writer, "required");
    hf_writer_list(schema->writer);
    hf_writer_scalar(schema->writer, first, HF_SCALAR_STRING);
    if (second != NULL) {
        hf_writer_scalar(schema->writer, second, HF_SCALAR_STRING);
    }
    hf_writer_end(schema->writer);
    hf_writer_end(schema->writer);
}

/* One spelling of a key that has several, and one of those when it must be there. */
static void put_spellings(struct hf_schema *schema, const struct hf_field *field)
{
    const char *const *old = field->old_keys;
    for (size_t i = 0; old[i] != NULL; i++) {
        hf_writer_map(schema->writer);
        hf_writer_key(schema->writer, "not");
        put_pair(schema, field->key, old[i]);
        hf_writer_end(schema->writer);
    }
    if (must_be_there(field)) {
        hf_writer_map(schema->writer);
        hf_writer_key(schema->writer, "anyOf");
        hf_writer_list(schema->writer);
        put_pair(schema, field->key, NULL);
        for (size_t i = 0; old[i] != NULL; i++) {
            put_pair(schema, old[i], NULL);
        }
        hf_writer_end(schema->writer);
        hf_writer_end(schema->writer);
    }
}

static void put_required(struct hf_schema *schema, const struct hf_field *fields)
{
    hf_writer_key(schema->writer, "required");
    hf_writer_list(schema->writer);
    for (const struct hf_field *field = fields; field != NULL && field->type != HF_FIELD_END;
         field++) {
        if (must_be_there(field) && !has_old_keys(field)) {
            hf_writer_scalar(schema->writer, field->key, HF_SCALAR_STRING);
        }
    }
    hf_writer_end(schema->writer);
}

static bool have_old_keys(const struct hf_field *fields)
{
    for (; fields != NULL && fields->type != HF_FIELD_END; fields++) {
        if (has_old_keys(fields)) {
            return true;
        }
    }
    return false;
}

static void put_body(struct hf_schema *schema, const struct hf_schema_table *table)
{
    put_properties(schema, table);
    if (hf_schema_is_needed(table->fields)) {
        put_required(schema, table->fields);
    }
    if (!have_old_keys(table->fields)) {
        return;
    }
    hf_writer_key(schema->writer, "allOf");
    hf_writer_list(schema->writer);
    for (const struct hf_field *field = table->fields; field->type != HF_FIELD_END; field++) {
        if (has_old_keys(field)) {
            put_spellings(schema, field);
        }
    }
    hf_writer_end(schema->writer);
}

/* "if" the map says `enabled: false`. */
static void put_if_off(struct hf_schema *schema)
{
    hf_writer_key(schema->writer, "if");
    hf_writer_map(schema->writer);
    hf_schema_types(schema, "object", false);
    hf_writer_key(schema->writer, "properties");
    hf_writer_map(schema->writer);
    hf_writer_key(schema->writer, "enabled");
    hf_writer_map(schema->writer);
    hf_writer_key(schema->writer, "const");
    hf_writer_scalar(schema->writer, "false", HF_SCALAR_BOOL);
    hf_writer_end(schema->writer);
    hf_writer_end(schema->writer);
    hf_writer_key(schema->writer, "required");
    hf_writer_list(schema->writer);
    hf_writer_scalar(schema->writer, "enabled", HF_SCALAR_STRING);
    hf_writer_end(schema->writer);
    hf_writer_end(schema->writer);
    hf_writer_key(schema->writer, "then");
    hf_writer_map(schema->writer);
    hf_writer_end(schema->writer);
    hf_writer_key(schema->writer, "else");
}

static void put_table(struct hf_schema *schema, const struct hf_schema_table *table)
{
    hf_writer_key(schema->writer, table->name);
    hf_writer_map(schema->writer);
    hf_schema_types(schema, "object string", true);
    hf_schema_text(schema, "pattern", HF_SCHEMA_VARIABLE);
    if (table->may_be_off) {
        put_if_off(schema);
        hf_writer_map(schema->writer);
    }
    put_body(schema, table);
    if (table->may_be_off) {
        hf_writer_end(schema->writer);
    }
    hf_writer_end(schema->writer);
}

void hf_schema_tables(struct hf_schema *schema)
{
    hf_writer_key(schema->writer, "$defs");
    hf_writer_map(schema->writer);
    for (const struct hf_schema_table *table = schema->tables; table != NULL; table = table->next) {
        put_table(schema, table); /* more may be found on the way */
    }
    hf_writer_end(schema->writer);
}
