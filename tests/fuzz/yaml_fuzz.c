/*
 * Loads any text as a configuration, prints what loaded, and loads what was printed.
 *
 * Must reach: hf_yaml_parse, hf_yaml_copy, hf_yaml_merge, hf_expand, hf_bind, hf_bind_scalar,
 * hf_bind_strings, hf_bind_map, hf_scalar_duration, hf_scalar_bytes, hf_config_id_read,
 * hf_check_pipelines, hf_check_telemetry, hf_check_resource, hf_suggest, hf_config_print,
 * hf_redact_urls.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"

struct inner {
    int64_t size;
    const char *name;
};

struct body {
    bool flag;
    int64_t count, mode;
    double ratio;
    const char *text, *secret, *reference;
    uint64_t wait_ns, room_bytes;
    struct hf_string_list names;
    struct hf_string_map headers;
    struct inner section;
    const struct inner *option;
    struct hf_struct_list items;
    struct hf_struct_map groups;
    struct hf_value value;
};

#define BODY(member) offsetof(struct body, member)

static const char *const modes[] = {"gzip", "zstd", "none", NULL};

static const struct hf_field inner_fields[] = {
    {.key = "size",
     .type = HF_FIELD_INT,
     .offset = offsetof(struct inner, size),
     .default_text = "7",
     .min = 1,
     .max = 10},
    {.key = "name", .type = HF_FIELD_STRING, .offset = offsetof(struct inner, name)},
    HF_FIELDS_END,
};

#define INNER(type_name, member)                                                                   \
    .type = (type_name), .offset = BODY(member), .inner = inner_fields,                            \
    .inner_size = sizeof(struct inner)

static const struct hf_field fields[] = {
    {.key = "flag", .type = HF_FIELD_BOOL, .offset = BODY(flag)},
    {.key = "count", .type = HF_FIELD_INT, .offset = BODY(count)},
    {.key = "mode", .type = HF_FIELD_ENUM, .offset = BODY(mode), .choices = modes},
    {.key = "ratio", .type = HF_FIELD_DOUBLE, .offset = BODY(ratio)},
    {.key = "text", .type = HF_FIELD_STRING, .offset = BODY(text)},
    {.key = "secret", .type = HF_FIELD_SECRET, .offset = BODY(secret)},
    {.key = "reference", .type = HF_FIELD_REF, .offset = BODY(reference)},
    {.key = "wait", .type = HF_FIELD_DURATION, .offset = BODY(wait_ns), .default_text = "5s"},
    {.key = "room", .type = HF_FIELD_BYTES, .offset = BODY(room_bytes), .default_text = "1MiB"},
    {.key = "names",
     .type = HF_FIELD_STRING_LIST,
     .offset = BODY(names),
     .default_text = "[a, b]",
     .is_secret = true},
    {.key = "headers", .type = HF_FIELD_MAP, .offset = BODY(headers)},
    {.key = "section", INNER(HF_FIELD_STRUCT, section)},
    {.key = "option", INNER(HF_FIELD_OPTIONAL, option)},
    {.key = "items", INNER(HF_FIELD_STRUCT_LIST, items)},
    {.key = "groups", INNER(HF_FIELD_STRUCT_MAP, groups)},
    {.key = "value", .type = HF_FIELD_VALUE, .offset = BODY(value)},
    {.key = "ignored", .type = HF_FIELD_IGNORED},
    HF_FIELDS_END,
};

#define ALL(of_kind)                                                                               \
    {                                                                                              \
        .type = "x", .kind = (of_kind), .signals = HF_ALL_SIGNALS,                                 \
        .config_size = sizeof(struct body), .fields = fields                                       \
    }

static const struct hf_component kinds[] = {ALL(HF_RECEIVER), ALL(HF_PROCESSOR), ALL(HF_EXPORTER),
                                            ALL(HF_EXTENSION), ALL(HF_CONNECTOR)};
static const struct hf_component *const components[] = {&kinds[0], &kinds[1], &kinds[2],
                                                        &kinds[3], &kinds[4], NULL};

/* Variables whose values are themselves worth expanding. None opens a file. */
static const char *fake_getenv(const char *name)
{
    static const char *const variables[][2] = {{"A", "text"},
                                               {"B", "${env:A}"},
                                               {"C", "[1, {a: b}]"},
                                               {"D", "${env:D}"},
                                               {"E", "12"},
                                               {"F", "${env:E}${C}$$"},
                                               {"G", "{x: ${env:G}}"},
                                               {"H", "#x"},
                                               {"I", "a${b}${c"},
                                               {"J", "http://u:p@h/a?b=c: d"},
                                               {"K", "null"},
                                               {"L", "&a *b"},
                                               {"M", "a: b"}};

    for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++) {
        if (strcmp(name, variables[i][0]) == 0) {
            return variables[i][1];
        }
    }
    return NULL;
}

/* The text, loaded on top of a small one; printed when it loads. Returns the print. */
static char *load(const char *text)
{
    const struct hf_config_source sources[] = {
        {.uri = "", .name = "base", .text = "service::telemetry::logs::level: info\n"},
        {.uri = "", .name = "f", .text = text},
    };
    const struct hf_config_options options = {.sources = sources,
                                              .source_count = 2,
                                              .components = components,
                                              .getenv = fake_getenv,
                                              .partial = true};
    struct hf_finding *findings = NULL;
    char *printed = NULL;
    size_t count = 0;

    struct hf_config *config = hf_config_load(&options, &findings, &count);
    if (config != NULL) {
        free(hf_config_print(config, false, true));
        printed = hf_config_print(config, true, false);
    } else if (count == 0) {
        abort(); /* a refusal always has a reason */
    }
    hf_findings_free(findings, count);
    hf_config_free(config);
    return printed;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);

    /* A reference to a file could name anything on this machine, a terminal too. */
    if (text == NULL || memmem(data, size, "file:", 5) != NULL) {
        free(text);
        return 0;
    }
    memcpy(text, data, size);
    text[size] = '\0';
    char *printed = load(text);
    if (printed != NULL) {
        char *again = load(printed);
        if (again == NULL) {
            abort(); /* what loads must print as something that loads */
        }
        free(again);
    }
    free(printed);
    free(text);
    return 0;
}
