/*
 * describe: prints the components that are built in, and their reference, from their field tables.
 */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "component_fields.h"
#include "scalar.h"

#define LEVELS_MAX 12u
#define TABLE_BYTES_MAX ((size_t)1 << 20)

/* ---- holdfast components ---------------------------------------------------------------------
 */

static void list_one(const struct hf_component *component, FILE *out)
{
    fprintf(out, "  - name: %s\n    stability:\n", component->type);
    if (component->kind == HF_EXTENSION) {
        fprintf(out, "      extension: Beta\n");
        return;
    }
    for (int signal = 0; signal < HF_SIGNAL_COUNT; signal++) {
        if ((component->signals & HF_SIGNAL_BIT(signal)) != 0) {
            fprintf(out, "      %s: Beta\n", hf_signal_name((enum hf_signal)signal));
        }
    }
}

static bool has_kind(const struct hf_component *const *components, enum hf_kind kind)
{
    for (; *components != NULL; components++) {
        if ((*components)->kind == kind) {
            return true;
        }
    }
    return false;
}

static void list_all(const struct hf_component *const *components, FILE *out)
{
    static const enum hf_kind order[] = {HF_RECEIVER, HF_PROCESSOR, HF_EXPORTER, HF_CONNECTOR,
                                         HF_EXTENSION};

    fprintf(out, "buildinfo:\n  command: holdfast\n");
    fprintf(out, "  description: Store-and-forward telemetry collector\n  version: %s\n",
            HF_VERSION);
    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
        bool any = has_kind(components, order[i]);
        fprintf(out, "%s:%s\n", hf_kind_words[order[i]].section, any ? "" : " []");
        for (const struct hf_component *const *at = components; *at != NULL; at++) {
            if ((*at)->kind == order[i]) {
                list_one(*at, out);
            }
        }
    }
}

/* ---- the reference ---------------------------------------------------------------------------
 */

/* The table being written: how its keys begin, and the tables around it. */
struct level {
    const struct level *up;
    const char *key;
    const char *after; /* "::", "[]::", "::<name>::" */
    const struct hf_field *fields;
};

static const char *type_words(const struct hf_field *field)
{
    static const char *const words[] = {
        [HF_FIELD_BOOL] = "bool",
        [HF_FIELD_INT] = "int",
        [HF_FIELD_DOUBLE] = "number",
        [HF_FIELD_STRING] = "text",
        [HF_FIELD_SECRET] = "secret",
        [HF_FIELD_DURATION] = "duration",
        [HF_FIELD_BYTES] = "size",
        [HF_FIELD_ENUM] = "one of",
        [HF_FIELD_STRING_LIST] = "list of text",
        [HF_FIELD_MAP] = "map of text",
        [HF_FIELD_STRUCT] = "section",
        [HF_FIELD_OPTIONAL] = "optional section",
        [HF_FIELD_STRUCT_LIST] = "list of sections",
        [HF_FIELD_STRUCT_MAP] = "map of sections",
        [HF_FIELD_VALUE] = "any value",
        [HF_FIELD_REF] = "extension",
        [HF_FIELD_IGNORED] = "no effect",
    };

    return words[field->type];
}

/* A cell of a table: no bars, no line ends. */
static void put_cell(const char *text, FILE *out)
{
    for (; text != NULL && *text != '\0'; text++) {
        if (*text == '|') {
            fputs("\\|", out);
        } else {
            fputc(*text == '\n' ? ' ' : *text, out);
        }
    }
}

static void put_prefix(const struct level *level, FILE *out)
{
    if (level != NULL && level->up != NULL) {
        put_prefix(level->up, out);
        put_cell(level->key, out);
        fputs(level->after, out);
    }
}

static void put_type(const struct hf_field *field, FILE *out)
{
    fputs(type_words(field), out);
    for (size_t i = 0; field->type == HF_FIELD_ENUM && field->choices[i] != NULL; i++) {
        const char *choice = field->choices[i][0] == '\0' ? "\"\"" : field->choices[i];
        fprintf(out, "%s `", i == 0 ? "" : ",");
        put_cell(choice, out);
        fputc('`', out);
    }
    if (field->min == 0.0 && field->max == 0.0) {
        return;
    }
    if (field->type == HF_FIELD_DURATION) {
        fprintf(out, ", %s to %s", hf_scalar_show_duration(field->min).text,
                hf_scalar_show_duration(field->max).text);
    } else if (field->type == HF_FIELD_BYTES) {
        fprintf(out, ", %s to %s", hf_scalar_show_bytes(field->min).text,
                hf_scalar_show_bytes(field->max).text);
    } else {
        fprintf(out, ", %.15g to %.15g", field->min, field->max);
    }
}

static void put_default(const struct hf_field *field, FILE *out)
{
    if (field->required) {
        fputs("required", out);
    } else if (field->default_text != NULL) {
        fputc('`', out);
        put_cell(field->default_text[0] == '\0' ? "\"\"" : field->default_text, out);
        fputc('`', out);
    }
}

static void put_row(const struct level *level, const struct hf_field *field, FILE *out)
{
    fputs("| `", out);
    put_prefix(level, out);
    put_cell(field->key, out);
    fputs("` | ", out);
    put_type(field, out);
    fputs(" | ", out);
    put_default(field, out);
    fputs(" | ", out);
    put_cell(field->help, out);
    for (const char *const *old = field->old_keys; old != NULL && *old != NULL; old++) {
        fprintf(out, " Old spelling: `%s`.", *old);
    }
    fputs(" |\n", out);
}

/* A table may hold itself (a policy made of policies): it is written once on each way down. */
static bool is_open(const struct level *level, const struct hf_field *fields)
{
    unsigned levels = 0;

    for (; level != NULL; level = level->up, levels++) {
        if (level->fields == fields) {
            return true;
        }
    }
    return levels >= LEVELS_MAX;
}

static void put_rows(const struct level *level, FILE *out)
{
    for (const struct hf_field *field = level->fields; field != NULL && field->type != HF_FIELD_END;
         field++) {
        struct level inner = {level, field->key, "::", field->inner};
        put_row(level, field, out);
        if (field->inner == NULL || is_open(level, field->inner)) {
            continue;
        }
        if (field->type == HF_FIELD_STRUCT_LIST) {
            inner.after = "[]::";
        } else if (field->type == HF_FIELD_STRUCT_MAP) {
            inner.after = "::<name>::";
        }
        put_rows(&inner, out);
    }
}

static void document_keys(const struct hf_component *component, FILE *out)
{
    struct hf_config_memory *memory = hf_config_memory_new(TABLE_BYTES_MAX);
    struct level top = {.fields = memory != NULL ? hf_component_fields(memory, component) : NULL};
    if (top.fields == NULL || top.fields->type == HF_FIELD_END) {
        fputs("\nIt has no keys.\n", out);
    } else {
        fputs("\n| key | type | default | meaning |\n| --- | --- | --- | --- |\n", out);
        put_rows(&top, out);
    }
    hf_config_memory_free(memory);
}

static void document_one(const struct hf_component *component, FILE *out)
{

    fprintf(out, "\n### %s\n\n%s", component->type, component->help != NULL ? component->help : "");
    if (component->signals != 0) {
        fprintf(out, "%sSignals:", component->help != NULL ? " " : "");
        for (int signal = 0; signal < HF_SIGNAL_COUNT; signal++) {
            if ((component->signals & HF_SIGNAL_BIT(signal)) != 0) {
                fprintf(out, " %s", hf_signal_name((enum hf_signal)signal));
            }
        }
        fputc('.', out);
    }
    for (const char *const *alias = component->aliases; alias != NULL && *alias != NULL; alias++) {
        fprintf(out, " Also written `%s`.", *alias);
    }
    fputc('\n', out);
    document_keys(component, out);
}

static void document_all(const struct hf_component *const *components, FILE *out)
{
    fputs("# Components and their keys\n\n", out);
    fputs(
        "Written by `holdfast components --docs`. Keys within keys are joined by `::`; `[]` stands "
        "for each item of a list, `<name>` for a name of your own.\n",
        out);
    for (int kind = 0; kind < HF_KIND_COUNT; kind++) {
        if (!has_kind(components, (enum hf_kind)kind)) {
            continue;
        }
        fprintf(out, "\n## %s\n", hf_kind_words[kind].section);
        for (const struct hf_component *const *at = components; *at != NULL; at++) {
            if ((int)(*at)->kind == kind) {
                document_one(*at, out);
            }
        }
    }
}

void hf_config_describe(const struct hf_component *const *components, bool docs, FILE *out)
{
    if (docs) {
        document_all(components, out);
    } else {
        list_all(components, out);
    }
}
