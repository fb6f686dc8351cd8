/*
 * schema: what the parts of `holdfast schema` share. A table of fields becomes one definition, to
 * which all keys refer that take it: a table may hold itself.
 *
 * Null is as good as absent, and a text with a dollar may become anything, so values allow both.
 * One value has one plain schema wherever possible: errors then name the key, not a choice above
 * it. Main thread.
 */
#pragma once

#include "load_memory.h"
#include "writer.h"

#include <holdfast/field.h>

/* A text that is filled in later, such as ${env:NAME}. */
#define HF_SCHEMA_VARIABLE "\\$"

struct hf_schema_table {
    struct hf_schema_table *next;
    const struct hf_field *fields;
    bool may_be_off; /* takes `enabled: false` too, and then anything */
    const char *name;
};

struct hf_schema {
    struct hf_writer *writer;
    struct hf_config_memory *memory;
    struct hf_schema_table *tables, **last_table; /* in the order found */
};

/* key: "text" */
void hf_schema_text(struct hf_schema *schema, const char *key, const char *text);
/* "type": the words, which blanks part, and null where it is as good as absent. */
void hf_schema_types(struct hf_schema *schema, const char *words, bool takes_null);

/* Must a map for the table be there, because a key in it must? */
bool hf_schema_is_needed(const struct hf_field *fields);

/* The keys of a reference to the table's definition; its `name` is where it was found, in dots. */
void hf_schema_refer(struct hf_schema *schema, const struct hf_schema_table *table,
                     bool takes_null);
/* The schema of one key. `where` is the path of its table, in dots. */
void hf_schema_field(struct hf_schema *schema, const struct hf_field *field, const char *where);
/* "$defs": all tables referred to, and those that they refer to. */
void hf_schema_tables(struct hf_schema *schema);
