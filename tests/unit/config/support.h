/*
 * What the tests of the configuration share: trees and findings as text, and made-up components.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h> /* needs the first three */

#include "config/load.h"
#include "config/tree.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* What the variable EXACT holds; NULL: it is not set. */
static const char *exact_value;

/* The environment of all these tests. */
static inline const char *test_getenv(const char *name)
{
    static const char *const variables[][2] = {
        {"HOST", "db.local"},
        {"PORT", "4317"},
        {"EMPTY", ""},
        {"YES", "true"},
        {"OCTAL", "0123"},
        {"EXPONENT", "1e5"},
        {"LIST", "[a, b]"},
        {"MAP", "{endpoint: x:1, port: 7}"},
        {"NOT_YAML", "[::1"},
        {"COMMENT", "secret #1"},
        {"PASSWORD", "pa$word"},
        {"DOLLARS", "a$$b"},
        {"WHICH", "HOST"},
        {"REMARK", "# nothing"},
        {"INDIRECT", "${env:HOST}"},
        {"INDIRECT_PORT", "${env:PORT}"},
        {"INDIRECT_LIST", "[\"${env:HOST}\", 1]"},
        {"SELF", "${env:SELF}"},
        {"SELF_TEXT", "x${env:SELF_TEXT}"},
        {"SELF_LIST", "[\"${env:SELF_LIST}\"]"},
        {"DURATION", "5s"},
        {"BOMB", "&a [x, x, x, x]"},
        {"WHOLE", "{receivers: {nop: }}"},
    };

    if (strcmp(name, "EXACT") == 0) {
        return exact_value;
    }
    for (size_t i = 0; i < COUNT(variables); i++) {
        if (strcmp(variables[i][0], name) == 0) {
            return variables[i][1];
        }
    }
    return NULL;
}

static inline void dump_node(const struct hf_yaml *node, FILE *out)
{
    if (node->kind == HF_YAML_SCALAR) {
        static const char *const forms[] = {"~", "b:%s", "i:%s", "d:%s", "\"%s\""};
        const char *form = forms[node->scalar];
        for (const char *at = form; *at != '\0'; at++) {
            if (at[0] == '%') {
                fputs(node->text, out);
                at++;
            } else {
                fputc(*at, out);
            }
        }
    } else {
        fputc(node->kind == HF_YAML_MAP ? '{' : '[', out);
        for (size_t i = 0; i < node->count; i++) {
            fputs(i == 0 ? "" : ", ", out);
            if (node->kind == HF_YAML_MAP) {
                fprintf(out, "%s: ", node->entries[i].key);
            }
            dump_node(node->kind == HF_YAML_MAP ? node->entries[i].value : node->items[i], out);
        }
        fputc(node->kind == HF_YAML_MAP ? '}' : ']', out);
    }
    if (node->original != NULL) {
        fprintf(out, "<%s>", node->original);
    }
}

static inline void dump_findings(const struct hf_finding *findings, size_t count, FILE *out)
{
    for (size_t i = 0; i < count; i++) {
        fprintf(out, "%c %s\n", "EWM"[findings[i].kind], findings[i].text);
    }
}

/* A load of its own, for tests of single steps. */
struct step {
    struct hf_load load;
    struct hf_config_options options;
    FILE *out;
    char *text;
    size_t size;
};

static inline void step_begin(struct step *step)
{
    *step = (struct step){.options = {.getenv = test_getenv}};
    step->load.options = &step->options;
    step->load.memory = hf_config_memory_new(HF_CONFIG_MEMORY_BYTES);
    step->load.last_found = &step->load.first_found;
    step->out = open_memstream(&step->text, &step->size);
    assert_non_null(step->load.memory);
    assert_non_null(step->out);
}

/* Checks what the step has made: its tree (NULL: none) and its findings, one a line. */
static inline void step_end(struct step *step, const struct hf_yaml *node, const char *expected)
{
    struct hf_finding *findings = NULL;
    size_t count = 0;

    if (node != NULL) {
        dump_node(node, step->out);
        fputc('\n', step->out);
    }
    hf_load_hand_out(&step->load, &findings, &count);
    dump_findings(findings, count, step->out);
    hf_findings_free(findings, count);
    fclose(step->out);
    hf_config_memory_free(step->load.memory);
    assert_string_equal(step->text, expected);
    free(step->text);
}

static inline struct hf_yaml *step_parse(struct step *step, const char *text)
{
    struct hf_yaml_input input = {.text = text, .size = strlen(text), .file = "f"};

    return hf_yaml_parse(&step->load, &input);
}

/* A whole load. */
struct loaded {
    struct hf_config *config;
    struct hf_finding *findings;
    size_t count;
};

static inline struct loaded load_with(const struct hf_config_options *options)
{
    struct hf_config_options all = *options;
    struct loaded loaded = {0};

    all.getenv = test_getenv;
    loaded.config = hf_config_load(&all, &loaded.findings, &loaded.count);
    return loaded;
}

static inline struct loaded load_text(const struct hf_component *const *components,
                                      const char *text)
{
    struct hf_config_source source = {.uri = "", .text = text, .name = "f"};

    return load_with(&(struct hf_config_options){
        .sources = &source, .source_count = 1, .components = components});
}

static inline void loaded_free(struct loaded *loaded)
{
    hf_findings_free(loaded->findings, loaded->count);
    hf_config_free(loaded->config);
}

/* The findings, one a line. */
static inline void assert_findings(const struct loaded *loaded, const char *expected)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    assert_non_null(out);
    dump_findings(loaded->findings, loaded->count, out);
    fclose(out);
    assert_string_equal(text, expected);
    free(text);
}
