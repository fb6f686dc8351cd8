#include "expand.h"

#include <assert.h>
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/compress/compress.h"

const char *const creator_names[] = {
    "type",
    "id",
    "endpoint",
    "host",
    "port",
    "name",
    "namespace",
    "uid",
    "labels",
    "annotations",
    "pod",
    "transport",
    "container_name",
    "container_id",
    "container_image",
    "process_name",
    "command",
    "is_ipv6",
    "alternate_port",
    "image",
    "tag",
    "service_type",
    "cluster_ip",
    "scheme",
    "path",
    "hostname",
    "external_ip",
    "internal_ip",
    "external_dns",
    "internal_dns",
    "kubelet_endpoint_port",
    HF_EXPR_ENV, /* always nil: expressions of pods must not read this process's environment */
    NULL,
};

/* ---- variables ---- */

static struct hf_expr_value *find(struct creator_variables *variables, const char *name)
{
    for (unsigned i = 0; creator_names[i] != NULL; i++) {
        if (strcmp(creator_names[i], name) == 0) {
            return &variables->values[i];
        }
    }
    return NULL;
}

/* Labels and annotations are maps of texts: what is not there is an empty text. */
static void mark_texts(struct hf_expr_map *map)
{
    for (size_t i = 0; i < map->count; i++) {
        struct hf_expr_value *value = &map->pairs[i].value;
        if (value->type == HF_EXPR_MAP) {
            value->map->holds_texts = hf_slice_is(map->pairs[i].key, "labels") ||
                                      hf_slice_is(map->pairs[i].key, "annotations");
            mark_texts(value->map);
        }
    }
}

/* "host:port", "[v6]:port"; false: the target has no port. */
static bool split(const char *target, struct hf_slice *ret_host, struct hf_slice *ret_port)
{
    const char *colon = strrchr(target, ':');
    size_t before = colon != NULL ? (size_t)(colon - target) : 0;
    if (colon == NULL || colon[1] == '\0' || colon[1 + strspn(colon + 1, "0123456789")] != '\0') {
        return false;
    }
    *ret_port = hf_slice_text(colon + 1);
    if (before >= 2 && target[0] == '[' && target[before - 1] == ']') {
        *ret_host = hf_slice_of(target + 1, before - 2);
        return true;
    }
    *ret_host = hf_slice_of(target, before);
    return memchr(target, ':', before) == NULL;
}

enum hf_status creator_variables_of(const struct hf_endpoint *endpoint, struct hf_arena *arena,
                                    struct creator_variables *ret_variables)
{
    struct hf_expr_value given;
    struct hf_slice host = hf_slice_text(endpoint->target), port = HF_EMPTY_SLICE;
    static_assert(sizeof(creator_names) / sizeof(creator_names[0]) <= CREATOR_NAMES_MAX, "room");
    *ret_variables = (struct creator_variables){.arena = arena};
    enum hf_status status = hf_expr_value_of(arena, &endpoint->variables, &given);
    if (status != HF_OK) {
        return status;
    }
    mark_texts(given.map);
    if (split(endpoint->target, &host, &port)) {
        *find(ret_variables, "port") = hf_expr_string(port);
    } else {
        host = hf_slice_text(endpoint->target);
    }
    *find(ret_variables, "host") = hf_expr_string(host);
    for (size_t i = 0; i < endpoint->variables.count; i++) {
        struct hf_expr_value *at = find(ret_variables, endpoint->variables.keys[i]);
        assert(at != NULL); /* observers give what is listed above */
        *at = given.map->pairs[i].value;
    }
    *find(ret_variables, "type") = hf_expr_text(endpoint->type);
    *find(ret_variables, "id") = hf_expr_text(endpoint->id);
    *find(ret_variables, "endpoint") = hf_expr_text(endpoint->target);
    return HF_OK;
}

/* ---- values as text, as Go prints them ---- */

static enum hf_status print(struct hf_bytes *out, const struct hf_expr_value *value);

static enum hf_status append(struct hf_bytes *out, const char *text)
{
    return hf_bytes_append(out, hf_slice_text(text));
}

static enum hf_status print_list(struct hf_bytes *out, const struct hf_expr_list *list)
{
    enum hf_status status = append(out, "[");
    for (size_t i = 0; i < list->count && status == HF_OK; i++) {
        status = i != 0 ? append(out, " ") : HF_OK;
        status = status == HF_OK ? print(out, &list->items[i]) : status;
    }
    return status == HF_OK ? append(out, "]") : status;
}

static enum hf_status print_map(struct hf_bytes *out, const struct hf_expr_map *map)
{
    struct hf_expr_pair *pairs = calloc(map->count + 1, sizeof(*pairs));
    enum hf_status status = pairs != NULL ? append(out, "map[") : HF_NOMEM;
    for (size_t i = 0; pairs != NULL && i < map->count; i++) {
        pairs[i] = map->pairs[i];
    }
    if (pairs != NULL) {
        qsort(pairs, map->count, sizeof(*pairs), hf_slice_order);
    }
    for (size_t i = 0; i < map->count && status == HF_OK; i++) {
        status = i != 0 ? append(out, " ") : HF_OK;
        status = status == HF_OK ? hf_bytes_append(out, pairs[i].key) : status;
        status = status == HF_OK ? append(out, ":") : status;
        status = status == HF_OK ? print(out, &pairs[i].value) : status;
    }
    free(pairs);
    return status == HF_OK ? append(out, "]") : status;
}

static enum hf_status print(struct hf_bytes *out, const struct hf_expr_value *value)
{
    char text[40];
    switch (value->type) {
    case HF_EXPR_STRING:
    case HF_EXPR_BYTES:
        return hf_bytes_append(out, value->text);
    case HF_EXPR_BOOL:
        return append(out, value->boolean ? "true" : "false");
    case HF_EXPR_INT:
        snprintf(text, sizeof(text), "%" PRId64, value->integer);
        return append(out, text);
    case HF_EXPR_DOUBLE:
        snprintf(text, sizeof(text), "%.17g", value->number);
        return append(out, text);
    case HF_EXPR_LIST:
        return print_list(out, value->list);
    case HF_EXPR_MAP:
        return print_map(out, value->map);
    case HF_EXPR_NULL:
        break;
    }
    return append(out, "<nil>");
}

/* ---- one text ---- */

/* What is shown of a text, piece by piece. */
struct pieces {
    enum hf_status (*text)(void *user, struct hf_slice text);
    enum hf_status (*expression)(void *user, const char *text, char *reterr);
    void *user;
};

static enum hf_status walk_expression(const struct pieces *pieces, const char *from, const char *to,
                                      char *reterr)
{
    char *text = strndup(from, (size_t)(to - from));
    if (text == NULL) {
        return HF_NOMEM;
    }
    enum hf_status status = HF_INVALID;
    if (text[strspn(text, " \t\r\n")] == '\0') {
        snprintf(reterr, CREATOR_ERROR_MAX, "an expression is empty");
    } else {
        status = pieces->expression(pieces->user, text, reterr);
    }
    free(text);
    return status;
}

/* A backslash before a backtick makes it a character like any other. */
static enum hf_status walk(const char *text, const struct pieces *pieces, char *reterr)
{
    enum hf_status status = HF_OK;
    while (*text != '\0' && status == HF_OK) {
        size_t plain = strcspn(text, "`\\");
        if (plain != 0) {
            status = pieces->text(pieces->user, hf_slice_of(text, plain));
            text += plain;
        } else if (*text == '\\') {
            bool is_escape = text[1] == '`';
            status = pieces->text(pieces->user, hf_slice_text(is_escape ? "`" : "\\"));
            text += is_escape ? 2 : 1;
        } else {
            const char *end = strchr(text + 1, '`');
            if (end == NULL) {
                snprintf(reterr, CREATOR_ERROR_MAX, "a backtick is without its partner");
                return HF_INVALID;
            }
            status = walk_expression(pieces, text + 1, end, reterr);
            text = end + 1;
        }
    }
    return status;
}

static enum hf_status skip_text(void *user, struct hf_slice text)
{
    (void)user;
    (void)text;
    return HF_OK;
}

static enum hf_status check_expression(void *user, const char *text, char *reterr)
{
    struct hf_expr *expr = NULL;
    (void)user;
    enum hf_status status = hf_expr_new(text, creator_names, &expr, reterr);
    hf_expr_free(expr);
    return status;
}

const char *creator_text_check(const char *text)
{
    static _Thread_local char why[CREATOR_ERROR_MAX];
    const struct pieces pieces = {.text = skip_text, .expression = check_expression};
    snprintf(why, sizeof(why), "out of memory");
    return walk(text, &pieces, why) == HF_OK ? NULL : why;
}

struct expansion {
    const struct creator_variables *variables;
    struct hf_bytes out;
    struct hf_expr_value value; /* of the last expression */
    size_t expressions;
    bool has_text;
};

static enum hf_status add_text(void *user, struct hf_slice text)
{
    struct expansion *expansion = user;
    expansion->has_text = true;
    return hf_bytes_append(&expansion->out, text);
}

static enum hf_status add_expression(void *user, const char *text, char *reterr)
{
    struct expansion *expansion = user;
    struct hf_expr *expr = NULL;
    struct hf_expr_value value;
    enum hf_status status = hf_expr_new(text, creator_names, &expr, reterr);
    if (status == HF_OK) {
        status = hf_expr_eval(expr, expansion->variables->values, expansion->variables->arena,
                              &value, reterr);
    }
    if (status == HF_OK) {
        /* What it leads to may be the expression's own. */
        status = hf_expr_value_copy(expansion->variables->arena, &value, &expansion->value);
    }
    if (status == HF_OK) {
        status = print(&expansion->out, &expansion->value);
    }
    expansion->expressions++;
    hf_expr_free(expr);
    return status;
}

/* ---- values ---- */

static const char *copy_text(struct hf_arena *arena, struct hf_slice text)
{
    char *copy = hf_arena_take(arena, text.size + 1);
    if (copy != NULL) {
        if (text.size != 0) {
            memcpy(copy, text.data, text.size);
        }
        copy[text.size] = '\0';
    }
    return copy;
}

static enum hf_status make(struct hf_arena *arena, enum hf_value_type type, size_t count,
                           struct hf_value *ret_value, struct hf_value **ret_items,
                           const char ***ret_keys)
{
    *ret_items = hf_arena_take(arena, (count + 1) * sizeof(struct hf_value));
    *ret_keys = hf_arena_take(arena, (count + 1) * sizeof(const char *));
    *ret_value = (struct hf_value){.type = type,
                                   .items = *ret_items,
                                   .keys = type == HF_VALUE_MAP ? *ret_keys : NULL,
                                   .count = count};
    return *ret_items != NULL && *ret_keys != NULL ? HF_OK : HF_NOMEM;
}

/* The value of an expression as one of a configuration; `text` is what it prints as. */
static enum hf_status value_of(struct hf_arena *arena, const struct hf_expr_value *from,
                               const char *text, struct hf_value *ret_value)
{
    static const enum hf_value_type types[] = {
        [HF_EXPR_NULL] = HF_VALUE_NONE,    [HF_EXPR_STRING] = HF_VALUE_STRING,
        [HF_EXPR_BYTES] = HF_VALUE_STRING, [HF_EXPR_BOOL] = HF_VALUE_BOOL,
        [HF_EXPR_INT] = HF_VALUE_INT,      [HF_EXPR_DOUBLE] = HF_VALUE_DOUBLE,
        [HF_EXPR_LIST] = HF_VALUE_LIST,    [HF_EXPR_MAP] = HF_VALUE_MAP,
    };
    bool is_map = from->type == HF_EXPR_MAP;
    struct hf_value *items;
    const char **keys;
    if (!is_map && from->type != HF_EXPR_LIST) {
        *ret_value = (struct hf_value){.type = types[from->type], .string = text};
        return HF_OK;
    }
    size_t count = is_map ? from->map->count : from->list->count;
    enum hf_status status = make(arena, types[from->type], count, ret_value, &items, &keys);
    for (size_t i = 0; i < count && status == HF_OK; i++) {
        const struct hf_expr_value *one =
            is_map ? &from->map->pairs[i].value : &from->list->items[i];
        struct hf_bytes out = {0};
        status = print(&out, one);
        const char *shown =
            status == HF_OK ? copy_text(arena, hf_slice_of(out.data, out.size)) : NULL;
        keys[i] = is_map ? copy_text(arena, from->map->pairs[i].key) : "";
        hf_bytes_release(&out);
        status =
            shown != NULL && keys[i] != NULL ? value_of(arena, one, shown, &items[i]) : HF_NOMEM;
    }
    return status;
}

static enum hf_status expand_text(const struct creator_variables *variables, const char *text,
                                  struct hf_value *ret_value, char *reterr)
{
    struct expansion expansion = {.variables = variables};
    const struct pieces pieces = {
        .text = add_text, .expression = add_expression, .user = &expansion};
    enum hf_status status = walk(text, &pieces, reterr);
    const char *made = NULL;
    if (status == HF_OK) {
        made = copy_text(variables->arena, hf_slice_of(expansion.out.data, expansion.out.size));
        status = made != NULL ? HF_OK : HF_NOMEM;
    }
    if (status == HF_OK && expansion.expressions == 1 && !expansion.has_text) {
        status = value_of(variables->arena, &expansion.value, made, ret_value);
    } else if (status == HF_OK) {
        *ret_value = (struct hf_value){.type = HF_VALUE_STRING, .string = made};
    }
    hf_bytes_release(&expansion.out);
    return status;
}

enum hf_status creator_expand(const struct creator_variables *variables,
                              const struct hf_value *value, struct hf_value *ret_value,
                              char *reterr)
{
    struct hf_value *items;
    const char **keys;
    if (value->type == HF_VALUE_STRING && strpbrk(value->string, "`\\") != NULL) {
        return expand_text(variables, value->string, ret_value, reterr);
    }
    if (value->type != HF_VALUE_LIST && value->type != HF_VALUE_MAP) {
        *ret_value = *value;
        return HF_OK;
    }
    enum hf_status status =
        make(variables->arena, value->type, value->count, ret_value, &items, &keys);
    for (size_t i = 0; i < value->count && status == HF_OK; i++) {
        keys[i] = value->type == HF_VALUE_MAP ? value->keys[i] : "";
        status = creator_expand(variables, &value->items[i], &items[i], reterr);
    }
    return status;
}
