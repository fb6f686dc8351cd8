/*
 * env: expands ${...} references to environment variables and files in the values of a
 * configuration.
 */
#include <ctype.h>
#include <stdint.h>
#include <string.h>

#include "scalar.h"
#include "tree.h"

#define ROUNDS_MAX 1000u
#define RECURSION_MAX 100u
#define TEXT_BYTES_MAX (1u << 20)

/* The work on one value that the user wrote. */
struct expansion {
    struct hf_load *load;
    struct hf_yaml_place place;
    unsigned rounds; /* references resolved so far */
    bool is_silent;  /* nothing is reported: what cannot be resolved is text */
};

#define complain(work, ...)                                                                        \
    do {                                                                                           \
        if (!(work)->is_silent) {                                                                  \
            hf_load_error((work)->load, (work)->place, NULL, __VA_ARGS__);                         \
        }                                                                                          \
    } while (0)

struct builder {
    char *text;
    size_t size, capacity;
};

/* What a reference stands for. */
struct found {
    const char *text; /* NULL: the variable is not set */
};

static bool append(struct expansion *work, struct builder *out, const char *text, size_t size)
{
    size_t need = out->size + size + 1;

    if (need > TEXT_BYTES_MAX) {
        complain(work, "grows beyond 1 MiB when ${...} is replaced");
        return false;
    }
    if (need > out->capacity) {
        size_t capacity = need < 64 ? 128 : need * 2;
        char *room = hf_config_alloc(work->load->memory, capacity);
        if (room == NULL) {
            return false;
        }
        if (out->size > 0) {
            memcpy(room, out->text, out->size);
        }
        out->text = room;
        out->capacity = capacity;
    }
    if (size > 0) {
        memcpy(out->text + out->size, text, size);
    }
    out->size += size;
    out->text[out->size] = '\0';
    return true;
}

/* The length of the name at the start of `text`: [a-zA-Z_][a-zA-Z0-9_]*; 0: none. */
static size_t name_length(const char *text)
{
    size_t length = 0;

    if (isdigit((unsigned char)text[0])) {
        return 0;
    }
    while (isalnum((unsigned char)text[length]) || text[length] == '_') {
        length++;
    }
    return length;
}

/* The length of "scheme" in "scheme:value": [A-Za-z][A-Za-z0-9+.-]+; 0: none. */
static size_t scheme_length(const char *text)
{
    size_t length = 0;

    if (!isalpha((unsigned char)text[0])) {
        return 0;
    }
    while (isalnum((unsigned char)text[length]) ||
           (text[length] != '\0' && strchr("+.-", text[length]) != NULL)) {
        length++;
    }
    return length >= 2 && text[length] == ':' ? length : 0;
}

/* ---- what a reference stands for -------------------------------------------------------------
 */

/* NAME or NAME:-default. */
static bool find_env(struct expansion *work, const char *reference, struct found *ret_found)
{
    const char *otherwise = strstr(reference, ":-");
    size_t size = otherwise != NULL ? (size_t)(otherwise - reference) : strlen(reference);
    const char *name = hf_config_text(work->load->memory, reference, size);

    if (name == NULL) {
        return false;
    }
    if (size == 0 || name_length(name) != size) {
        complain(work,
                 "environment variable %s has invalid name: letters, digits and _ are allowed; "
                 "write $${...} for literal text",
                 hf_show(name).text);
        return false;
    }
    const char *text = hf_load_getenv(work->load, name);
    if (text == NULL && otherwise != NULL) {
        text = otherwise + 2;
    }
    if (text == NULL && !work->is_silent) {
        hf_load_warn(work->load, work->place, NULL,
                     "the environment variable %s is not set; it is read as empty", name);
    }
    ret_found->text = text;
    return true;
}

static bool find_file(struct expansion *work, const char *path, struct found *ret_found)
{
    const char *error = NULL;
    size_t size = 0;
    char *text = hf_sources_file(work->load, path, &size, &error);

    if (text == NULL) {
        complain(work, "cannot read ${file:%s}: %s", path, error);
        return false;
    }
    if (memchr(text, '\0', size) != NULL) {
        complain(work, "${file:%s} holds a NUL character", path);
        return false;
    }
    /* An editor's last newline is not part of a password. */
    while (size > 0 && (text[size - 1] == '\n' || text[size - 1] == '\r')) {
        text[--size] = '\0';
    }
    ret_found->text = text;
    return true;
}

/* `reference` is what stood between the braces, itself expanded. */
static bool find(struct expansion *work, const char *reference, struct found *ret_found)
{
    size_t scheme = scheme_length(reference);
    size_t name = name_length(reference);

    if (++work->rounds > ROUNDS_MAX) {
        if (work->rounds == ROUNDS_MAX + 1) {
            complain(work, "too many recursive expansions: more than %u", ROUNDS_MAX);
        }
        return false;
    }
    if (scheme == 3 && strncmp(reference, "env", 3) == 0) {
        return find_env(work, reference + 4, ret_found);
    }
    if (scheme == 4 && strncmp(reference, "file", 4) == 0) {
        return find_file(work, reference + 5, ret_found);
    }
    if (scheme == 4 && strncmp(reference, "yaml", 4) == 0) {
        ret_found->text = reference + 5;
        return true;
    }
    if (scheme != 0 && strncmp(reference + name, ":-", 2) != 0) {
        complain(work, "scheme \"%.*s\" is not supported for uri %s; expected env:, file: or yaml:",
                 (int)scheme, reference, hf_show(reference).text);
        return false;
    }
    return find_env(work, reference, ret_found);
}

/* ---- text ------------------------------------------------------------------------------------
 */

/* The end of the reference that begins with "${" at `text`: its "}"; NULL: none. */
static const char *reference_end(const char *text)
{
    unsigned open = 0;

    for (; *text != '\0'; text++) {
        if (text[0] == '$' && text[1] == '$') {
            text++;
        } else if (text[0] == '$' && text[1] == '{') {
            open++;
            text++;
        } else if (text[0] == '}' && --open == 0) {
            return text;
        }
    }
    return NULL;
}

static bool expand_text(struct expansion *work, const char *text, unsigned depth,
                        struct builder *out);

/* Resolves the reference from "${" at `text` to "}" at `end`, inner references first. */
static bool expand_reference(struct expansion *work, const char *text, const char *end,
                             unsigned depth, struct found *ret_found)
{
    struct builder reference = {0};
    const char *inside = hf_config_text(work->load->memory, text + 2, (size_t)(end - text - 2));

    if (inside == NULL || !append(work, &reference, "", 0)) {
        return false;
    }
    if (strchr(inside, '$') == NULL) {
        return find(work, inside, ret_found);
    }
    return expand_text(work, inside, depth + 1, &reference) &&
           find(work, reference.text, ret_found);
}

/* $NAME, as 0.91 knew it. Only in what the user wrote: a value that has come from elsewhere, such
 * as a password, keeps its dollars. */
static bool expand_legacy(struct expansion *work, const char **text, struct builder *out)
{
    size_t size = name_length(*text + 1);
    const char *name = hf_config_text(work->load->memory, *text + 1, size);

    if (name == NULL) {
        return false;
    }
    const char *value = hf_load_getenv(work->load, name);
    hf_load_warn(work->load, work->place, NULL,
                 "$%s is the old spelling; write ${env:%s}, or $$%s for literal text%s", name, name,
                 name,
                 value == NULL ? "; the environment variable is not set and read as empty" : "");
    *text += 1 + size;
    return value == NULL || append(work, out, value, strlen(value));
}

static bool expand_dollar(struct expansion *work, const char **text, unsigned depth,
                          struct builder *out)
{
    const char *at = *text;

    if (at[1] == '{') {
        struct found found = {0};
        const char *end = reference_end(at);
        if (end == NULL) {
            complain(work, "${ without its }; write $${ for literal text");
            return false;
        }
        *text = end + 1;
        /* A value is data: what it holds of ${ and $$ is meant. */
        return expand_reference(work, at, end, depth, &found) &&
               (found.text == NULL || append(work, out, found.text, strlen(found.text)));
    }
    if (depth == 0 && name_length(at + 1) > 0) {
        return expand_legacy(work, text, out);
    }
    *text += at[1] == '$' ? 2 : 1;
    return append(work, out, "$", 1);
}

/* Appends `text` with its references replaced. Depth 0: the user's own text. */
static bool expand_text(struct expansion *work, const char *text, unsigned depth,
                        struct builder *out)
{
    if (depth > RECURSION_MAX) {
        complain(work, "too many recursive expansions: deeper than %u", RECURSION_MAX);
        return false;
    }
    while (*text != '\0') {
        size_t plain = strcspn(text, "$");
        if (!append(work, out, text, plain)) {
            return false;
        }
        text += plain;
        if (*text == '$' && !expand_dollar(work, &text, depth, out)) {
            return false;
        }
    }
    return true;
}

/* ---- nodes -----------------------------------------------------------------------------------
 */

static bool expand_node(struct expansion *work, struct hf_yaml *node, unsigned level,
                        unsigned depth);

static bool expand_inline(struct expansion *work, struct hf_yaml *node, unsigned depth)
{
    struct builder out = {0};

    if (!append(work, &out, "", 0) || !expand_text(work, node->text, depth, &out)) {
        return false;
    }
    node->text = out.text;
    node->scalar = HF_SCALAR_STRING;
    return true;
}

/* The substituted text as YAML; text that is none is a string. */
static struct hf_yaml *value_of(struct expansion *work, const char *text)
{
    struct hf_yaml_input input = {
        .text = text, .size = strlen(text), .file = work->place.file, .at = &work->place};
    struct hf_yaml *value = hf_yaml_parse(work->load, &input);

    if (value != NULL && value->kind == HF_YAML_SCALAR && value->scalar == HF_SCALAR_STRING) {
        value->text = text; /* as written: not without its comment or its second line's indent */
    }
    return value != NULL ? value : hf_yaml_scalar(work->load, work->place, text, HF_SCALAR_STRING);
}

/* The value as a number, a boolean or a section would take it. False: it stays as it is. */
static bool resolve_value(struct expansion *work, struct hf_yaml *value, unsigned level,
                          unsigned depth)
{
    struct hf_yaml before = *value;
    struct expansion silent = *work;

    if (value->kind != HF_YAML_SCALAR) {
        return expand_node(work, value, level, depth);
    }
    /* It may be a password, in which ${ means nothing. */
    silent.is_silent = true;
    if (!expand_node(&silent, value, level, depth)) {
        *value = before;
    }
    work->rounds = silent.rounds < ROUNDS_MAX ? silent.rounds : ROUNDS_MAX;
    return true;
}

/* The node is one reference and nothing else: it takes whatever type the value has, and where text
 * is wanted the value exactly as it is. */
static bool expand_whole(struct expansion *work, struct hf_yaml *node, unsigned level,
                         unsigned depth)
{
    const char *end = node->text + strlen(node->text) - 1;
    struct found found = {0};

    if (!expand_reference(work, node->text, end, depth, &found)) {
        return false;
    }
    if (found.text == NULL) {
        node->text = node->original = "";
        node->scalar = HF_SCALAR_NULL;
        return true;
    }
    struct hf_yaml *value = value_of(work, found.text);
    if (value == NULL || !resolve_value(work, value, level, depth + 1)) {
        return false;
    }
    value->original = found.text;
    *node = *value;
    return true;
}

static bool expand_scalar(struct expansion *work, struct hf_yaml *node, unsigned level,
                          unsigned depth)
{
    if (node->scalar != HF_SCALAR_STRING || strchr(node->text, '$') == NULL) {
        return true;
    }
    if (depth > RECURSION_MAX) {
        complain(work, "too many recursive expansions: deeper than %u", RECURSION_MAX);
        return false;
    }
    const char *end = strncmp(node->text, "${", 2) == 0 ? reference_end(node->text) : NULL;
    if (end != NULL && end[1] == '\0') {
        return expand_whole(work, node, level, depth);
    }
    return expand_inline(work, node, depth);
}

/* What a value brought with it; the budget of rounds is that of the place it was put in. */
static bool expand_node(struct expansion *work, struct hf_yaml *node, unsigned level,
                        unsigned depth)
{
    if (level > HF_CONFIG_DEPTH) {
        complain(work, "nested deeper than %u levels", HF_CONFIG_DEPTH);
        return false;
    }
    if (node->kind == HF_YAML_SCALAR) {
        return expand_scalar(work, node, level, depth);
    }
    for (size_t i = 0; i < node->count; i++) {
        struct hf_yaml *child =
            node->kind == HF_YAML_LIST ? node->items[i] : node->entries[i].value;
        if (!expand_node(work, child, level + 1, depth)) {
            return false;
        }
    }
    return true;
}

static void expand_tree(struct hf_load *load, struct hf_yaml *node, unsigned level)
{
    for (size_t i = 0; i < node->count; i++) {
        expand_tree(load, node->kind == HF_YAML_LIST ? node->items[i] : node->entries[i].value,
                    level + 1);
    }
    if (node->kind == HF_YAML_SCALAR) {
        struct expansion work = {.load = load, .place = node->place};
        if (!expand_node(&work, node, level, 0)) {
            /* Reported. As a null it takes its default and starts no chain of further errors. */
            *node = (struct hf_yaml){.kind = HF_YAML_SCALAR, .place = work.place, .text = ""};
        }
    }
}

void hf_expand(struct hf_load *load, struct hf_yaml *root)
{
    expand_tree(load, root, 1);
}
