#include "grok.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#include "util/compress/compress.h"
#include "util/regex/regex.h"

#define DEPTH_MAX 24u
#define EXPRESSION_MAX_BYTES (64u << 10)
#define NAMES_MAX HF_REGEX_GROUPS_MAX

struct hf_grok {
    struct hf_regex *regex;
    struct name {
        char *text;
        enum hf_grok_type type;
    } names[NAMES_MAX]; /* the group of names[n] is called "gn" in the expression */
    size_t count;
    struct group {
        const char *name;
        enum hf_grok_type type;
    } groups[HF_REGEX_GROUPS_MAX + 1];
    char *own_names[HF_REGEX_GROUPS_MAX + 1]; /* of (?P<name>), with dots */
    bool has_names;
};

struct expansion {
    struct hf_grok *grok;
    const struct hf_grok_definitions *definitions;
    bool only_named;
    unsigned depth;
    struct hf_bytes out;
    char *reterr;
};

/* ---- %{SYNTAX:name:type} ---- */

struct reference {
    struct hf_slice syntax, name, type;
    size_t size; /* of the whole */
};

static bool is_word(uint8_t byte)
{
    return byte == '_' || (byte < 0x80 && isalnum(byte));
}

static struct hf_slice take_word(struct hf_slice text, size_t *at, const char *also)
{
    size_t start = *at;
    while (*at < text.size && (is_word(text.data[*at]) ||
                               (text.data[*at] != '\0' && strchr(also, text.data[*at]) != NULL))) {
        ++*at;
    }
    return hf_slice_of(text.data + start, *at - start);
}

static bool take_byte(struct hf_slice text, size_t *at, char byte)
{
    bool is_there = *at < text.size && text.data[*at] == (uint8_t)byte;
    *at += is_there;
    return is_there;
}

/* The reference at the front of a text; false: there is none. */
static bool read_reference(struct hf_slice text, struct reference *ret_reference)
{
    struct reference reference = {0};
    size_t at = 0;
    if (!take_byte(text, &at, '%') || !take_byte(text, &at, '{')) {
        return false;
    }
    reference.syntax = take_word(text, &at, "");
    if (reference.syntax.size > 0 && take_byte(text, &at, ':')) {
        reference.name = take_word(text, &at, "+.");
        if (reference.name.size == 0) {
            return false;
        }
        if (take_byte(text, &at, ':')) {
            reference.type = take_word(text, &at, "");
            if (reference.type.size == 0) {
                return false;
            }
        }
    }
    if (reference.syntax.size == 0 || !take_byte(text, &at, '}')) {
        return false;
    }
    reference.size = at;
    *ret_reference = reference;
    return true;
}

static enum hf_grok_type type_of(struct hf_slice type)
{
    static const struct {
        const char *name;
        enum hf_grok_type type;
    } types[] = {{"string", HF_GROK_STRING}, {"int", HF_GROK_INT},       {"long", HF_GROK_INT},
                 {"float", HF_GROK_DOUBLE},  {"double", HF_GROK_DOUBLE}, {"bool", HF_GROK_BOOL},
                 {"boolean", HF_GROK_BOOL}};
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (hf_slice_is(type, types[i].name)) {
            return types[i].type;
        }
    }
    return type.size == 0 ? HF_GROK_STRING : HF_GROK_UNKNOWN;
}

/* ---- expanding ---- */

static enum hf_status put(struct expansion *expansion, struct hf_slice text)
{
    if (expansion->out.size + text.size > EXPRESSION_MAX_BYTES) {
        snprintf(expansion->reterr, HF_ERROR_MAX, "the expression has more than %u bytes",
                 EXPRESSION_MAX_BYTES);
        return HF_INVALID;
    }
    return hf_bytes_append(&expansion->out, text);
}

static struct hf_slice find_definition(const struct expansion *expansion, struct hf_slice name)
{
    /* The last of several counts. */
    for (size_t i = expansion->definitions->count; i-- > 0;) {
        struct hf_slice text = expansion->definitions->items[i];
        if (text.size > name.size && text.data[name.size] == '=' &&
            memcmp(text.data, name.data, name.size) == 0) {
            return hf_slice_of(text.data + name.size + 1, text.size - name.size - 1);
        }
    }
    const char *known = hf_grok_library(name);
    return known != NULL ? hf_slice_text(known) : HF_EMPTY_SLICE;
}

static int shown(struct hf_slice text)
{
    return (int)(text.size < 80 ? text.size : 80);
}

/* Names written with three underscores have dots: so they pass where no dot may stand. */
static char *with_dots(const char *name, size_t size)
{
    char *copy = malloc(size + 1);
    size_t to = 0;
    for (size_t i = 0; copy != NULL && i < size;) {
        bool is_dot = i + 3 <= size && memcmp(name + i, "___", 3) == 0;
        copy[to++] = is_dot ? '.' : name[i];
        i += is_dot ? 3 : 1;
    }
    if (copy != NULL) {
        copy[to] = '\0';
    }
    return copy;
}

static enum hf_status open_group(struct expansion *expansion, const struct reference *reference)
{
    struct hf_grok *grok = expansion->grok;
    struct hf_slice name = reference->name.size > 0 ? reference->name : reference->syntax;
    char text[24];
    if (expansion->only_named && reference->name.size == 0) {
        return put(expansion, hf_slice_text("(?:"));
    }
    if (grok->count == NAMES_MAX) {
        snprintf(expansion->reterr, HF_ERROR_MAX, "the pattern captures more than %u parts",
                 NAMES_MAX);
        return HF_INVALID;
    }
    if (memchr(name.data, '+', name.size) != NULL) {
        snprintf(expansion->reterr, HF_ERROR_MAX, "%.*s is no name for a captured part",
                 shown(name), (const char *)name.data);
        return HF_INVALID;
    }
    char *dotted = with_dots((const char *)name.data, name.size);
    if (dotted == NULL) {
        return HF_NOMEM;
    }
    snprintf(text, sizeof(text), "(?P<g%zu>", grok->count);
    grok->names[grok->count++] = (struct name){dotted, type_of(reference->type)};
    return put(expansion, hf_slice_text(text));
}

static enum hf_status expand(struct expansion *expansion, struct hf_slice pattern);

static enum hf_status expand_reference(struct expansion *expansion,
                                       const struct reference *reference)
{
    struct hf_slice pattern = find_definition(expansion, reference->syntax);
    if (pattern.data == NULL) {
        snprintf(expansion->reterr, HF_ERROR_MAX,
                 "pattern definition \"%.*s\" unknown; pattern_definitions can have it",
                 shown(reference->syntax), (const char *)reference->syntax.data);
        return HF_INVALID;
    }
    if (expansion->depth == DEPTH_MAX) {
        snprintf(expansion->reterr, HF_ERROR_MAX, "the pattern %.*s refers to itself",
                 shown(reference->syntax), (const char *)reference->syntax.data);
        return HF_INVALID;
    }
    enum hf_status status = open_group(expansion, reference);
    expansion->depth++;
    if (status == HF_OK) {
        status = expand(expansion, pattern);
    }
    expansion->depth--;
    return status == HF_OK ? put(expansion, hf_slice_text(")")) : status;
}

static enum hf_status expand(struct expansion *expansion, struct hf_slice pattern)
{
    enum hf_status status = HF_OK;
    size_t at = 0;
    while (status == HF_OK && at < pattern.size) {
        struct hf_slice rest = hf_slice_of(pattern.data + at, pattern.size - at);
        const uint8_t *sign = memchr(rest.data, '%', rest.size);
        size_t before = sign != NULL ? (size_t)(sign - rest.data) : rest.size;
        struct reference reference;
        if (before > 0) {
            status = put(expansion, hf_slice_of(rest.data, before));
            at += before;
        } else if (read_reference(rest, &reference)) {
            status = expand_reference(expansion, &reference);
            at += reference.size;
        } else {
            status = put(expansion, hf_slice_of(rest.data, 1));
            at++;
        }
    }
    return status;
}

/* ---- the whole ---- */

/* "g12": which of the names it is. */
static bool is_own_name(const struct hf_grok *grok, const char *name, size_t *ret_index)
{
    char *end;
    if (name[0] != 'g' || !isdigit((unsigned char)name[1])) {
        return false;
    }
    *ret_index = strtoul(name + 1, &end, 10);
    return *end == '\0' && *ret_index < grok->count;
}

static enum hf_status name_groups(struct hf_grok *grok)
{
    for (size_t group = 1; group <= hf_regex_group_count(grok->regex); group++) {
        const char *name = hf_regex_group_name(grok->regex, group);
        size_t index;
        if (name == NULL) {
            continue;
        }
        grok->has_names = true;
        if (is_own_name(grok, name, &index)) {
            grok->groups[group] = (struct group){grok->names[index].text, grok->names[index].type};
            continue;
        }
        grok->own_names[group] = with_dots(name, strlen(name));
        if (grok->own_names[group] == NULL) {
            return HF_NOMEM;
        }
        grok->groups[group] = (struct group){grok->own_names[group], HF_GROK_STRING};
    }
    return HF_OK;
}

static enum hf_status compile(struct expansion *expansion, struct hf_slice pattern)
{
    char reterr[HF_REGEX_ERROR_MAX] = "";
    enum hf_status status = expand(expansion, pattern);
    if (status == HF_OK) {
        status = put(expansion, hf_slice_of("", 1));
    }
    if (status != HF_OK) {
        return status;
    }
    if (memchr(expansion->out.data, '\0', expansion->out.size - 1) != NULL) {
        snprintf(expansion->reterr, HF_ERROR_MAX, "a NUL byte in the pattern");
        return HF_INVALID;
    }
    status = hf_regex_new((const char *)expansion->out.data, &expansion->grok->regex, reterr);
    if (status == HF_INVALID) {
        snprintf(expansion->reterr, HF_ERROR_MAX, "%s", reterr);
    }
    return status == HF_OK ? name_groups(expansion->grok) : status;
}

enum hf_status hf_grok_new(struct hf_slice pattern, bool only_named,
                           const struct hf_grok_definitions *definitions, struct hf_grok **ret_grok,
                           char *reterr)
{
    struct expansion expansion = {.grok = calloc(1, sizeof(struct hf_grok)),
                                  .definitions = definitions,
                                  .only_named = only_named,
                                  .reterr = reterr};
    if (expansion.grok == NULL) {
        return HF_NOMEM;
    }
    enum hf_status status = compile(&expansion, pattern);
    hf_bytes_release(&expansion.out);
    if (status == HF_OK) {
        *ret_grok = expansion.grok;
    } else {
        hf_grok_free(expansion.grok);
    }
    return status;
}

void hf_grok_free(struct hf_grok *grok)
{
    if (grok == NULL) {
        return;
    }
    for (size_t i = 0; i < grok->count; i++) {
        free(grok->names[i].text);
    }
    for (size_t i = 0; i <= HF_REGEX_GROUPS_MAX; i++) {
        free(grok->own_names[i]);
    }
    hf_regex_free(grok->regex);
    free(grok);
}

const struct hf_regex *hf_grok_regex(const struct hf_grok *grok)
{
    return grok->regex;
}

const char *hf_grok_name(const struct hf_grok *grok, size_t group, enum hf_grok_type *ret_type)
{
    *ret_type = grok->groups[group].type;
    return grok->groups[group].name;
}

bool hf_grok_has_names(const struct hf_grok *grok)
{
    return grok->has_names;
}
