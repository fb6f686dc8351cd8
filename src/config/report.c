/*
 * report: collects the errors and warnings of a configuration, each with its place and path.
 */
#include "load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char no_memory[] = "the configuration needs more memory than there is, or more than "
                                "the 64 MiB that one may take";

static size_t path_depth(const struct hf_key_path *path)
{
    size_t depth = 0;

    for (; path != NULL; path = path->up) {
        depth++;
    }
    return depth;
}

static const struct hf_key_path *path_at(const struct hf_key_path *path, size_t depth, size_t at)
{
    for (size_t i = depth - 1; i > at; i--) {
        path = path->up;
    }
    return path;
}

const char *hf_load_path_text(struct hf_load *load, const struct hf_key_path *path)
{
    size_t depth = path_depth(path);
    const char *text = depth == 0 ? "" : path_at(path, depth, 0)->key;

    for (size_t i = 1; i < depth && text != NULL; i++) {
        const struct hf_key_path *step = path_at(path, depth, i);
        const char *gap = i == 1 ? ": " : "::";
        if (step->key == NULL) {
            text = hf_config_format(load->memory, "%s[%zu]", text, step->index);
        } else {
            text = hf_config_format(load->memory, "%s%s%s", text, gap, step->key);
        }
    }
    return text;
}

/* A key may hold anything that YAML can quote: a message stays one line all the same, but for the
 * excerpt that a check shows. */
static void flatten(char *text, bool keeps_lines)
{
    for (; *text != '\0'; text++) {
        bool is_kept = keeps_lines && *text == '\n';
        if (((unsigned char)*text < 0x20 && !is_kept) || *text == 0x7f) {
            *text = ' ';
        }
    }
}

static const char *place_text(struct hf_load *load, struct hf_yaml_place place)
{
    if (place.file == NULL) {
        return "";
    }
    if (place.line == 0) {
        return hf_config_format(load->memory, "%s: ", place.file);
    }
    return hf_config_format(load->memory, "%s:%u:%u: ", place.file, place.line, place.column);
}

static bool is_repeat(const struct hf_load *load, enum hf_finding_kind kind, const char *text)
{
    for (const struct hf_found *found = load->first_found; found != NULL; found = found->next) {
        if (found->kind == kind && strcmp(found->text, text) == 0) {
            return true;
        }
    }
    return false;
}

static void add(struct hf_load *load, enum hf_finding_kind kind, struct hf_yaml_place place,
                char *text)
{
    flatten(text, load->keeps_lines);
    if (is_repeat(load, kind, text)) {
        return;
    }
    struct hf_found *found = hf_config_alloc(load->memory, sizeof(*found));
    if (found == NULL) {
        return;
    }
    found->kind = kind;
    found->place = place;
    found->text = text;
    *load->last_found = found;
    load->last_found = &found->next;
    load->found_counts[kind]++;
}

/* The limit is by kind, so that no flood of warnings hides an error. */
static bool is_full(struct hf_load *load, enum hf_finding_kind kind)
{
    if (load->found_counts[kind] < HF_CONFIG_FINDINGS) {
        return false;
    }
    if (load->found_counts[kind] == HF_CONFIG_FINDINGS && kind == HF_FINDING_ERROR) {
        char *text =
            hf_config_format(load->memory, "there are more than %u errors; the rest is left out",
                             HF_CONFIG_FINDINGS);
        if (text != NULL) {
            add(load, HF_FINDING_ERROR, (struct hf_yaml_place){0}, text);
        }
    }
    return true;
}

void hf_load_report(struct hf_load *load, enum hf_finding_kind kind, struct hf_yaml_place place,
                    const struct hf_key_path *path, const char *format, ...)
{
    char sentence[1024];
    va_list arguments;

    if (kind == HF_FINDING_ERROR) {
        load->error_count++;
    }
    if (is_full(load, kind)) {
        return;
    }
    va_start(arguments, format);
    vsnprintf(sentence, sizeof(sentence), format, arguments);
    va_end(arguments);
    const char *where = place_text(load, place);
    const char *key = hf_load_path_text(load, path);
    if (where == NULL || key == NULL) {
        return;
    }
    char *text =
        hf_config_format(load->memory, "%s%s%s%s", where, key, path == NULL ? "" : ": ", sentence);
    if (text != NULL) {
        add(load, kind, place, text);
    }
}

static bool is_same_file(const struct hf_found *a, const struct hf_found *b)
{
    const char *one = a->place.file, *other = b->place.file;
    return one == other || (one != NULL && other != NULL && strcmp(one, other) == 0);
}

static bool stands_before(const struct hf_yaml_place *a, const struct hf_yaml_place *b)
{
    return a->line < b->line || (a->line == b->line && a->column < b->column);
}

/* Among those of its file, which stand together, by line; behind all when it is the file's first.
 */
static void insert(struct hf_found **list, struct hf_found *found)
{
    struct hf_found **at = list;
    bool is_in_file = false;

    for (; *at != NULL; at = &(*at)->next) {
        bool is_same = is_same_file(*at, found);
        if (is_same ? stands_before(&found->place, &(*at)->place) : is_in_file) {
            break;
        }
        is_in_file = is_same;
    }
    found->next = *at;
    *at = found;
}

static void put_in_order(struct hf_load *load)
{
    struct hf_found *rest = load->first_found;

    load->first_found = NULL;
    while (rest != NULL) {
        struct hf_found *found = rest;
        rest = rest->next;
        insert(&load->first_found, found);
    }
}

void hf_load_hand_out(struct hf_load *load, struct hf_finding **ret_findings, size_t *ret_count)
{
    bool failed = hf_config_memory_failed(load->memory);
    size_t count = failed ? 1 : 0, bytes = failed ? sizeof(no_memory) : 0;

    *ret_findings = NULL;
    *ret_count = 0;
    put_in_order(load);
    for (const struct hf_found *found = load->first_found; found != NULL; found = found->next) {
        count++;
        bytes += strlen(found->text) + 1;
    }
    /* One block, so that the caller frees one thing. */
    struct hf_finding *findings =
        count == 0 ? NULL : malloc(count * sizeof(struct hf_finding) + bytes);
    if (findings == NULL) {
        return;
    }
    char *room = (char *)(findings + count);
    size_t at = 0;
    for (const struct hf_found *found = load->first_found; found != NULL; found = found->next) {
        size_t size = strlen(found->text) + 1;
        memcpy(room, found->text, size);
        findings[at++] = (struct hf_finding){found->kind, room};
        room += size;
    }
    if (failed) {
        memcpy(room, no_memory, sizeof(no_memory));
        findings[at++] = (struct hf_finding){HF_FINDING_ERROR, room};
    }
    *ret_findings = findings;
    *ret_count = count;
}

void hf_findings_free(struct hf_finding *findings, size_t count)
{
    (void)count;
    free(findings);
}

const char *hf_load_getenv(const struct hf_load *load, const char *name)
{
    return load->options->getenv != NULL ? load->options->getenv(name) : getenv(name);
}

struct hf_shown hf_show(const char *text)
{
    struct hf_shown shown;
    size_t size = strlen(text), most = 60;
    bool cut = size > most;

    if (cut) {
        size = most;
        /* Not in the middle of a character. */
        while (size > 0 && ((unsigned char)text[size] & 0xc0) == 0x80) {
            size--;
        }
    }
    snprintf(shown.text, sizeof(shown.text), "\"%.*s\"%s", (int)size, text, cut ? "..." : "");
    flatten(shown.text, false);
    return shown;
}
