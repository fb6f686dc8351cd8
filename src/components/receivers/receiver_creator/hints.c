#include "hints.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <holdfast/component.h>

#include "prometheus/late_config.h"

#define METRICS "io.opentelemetry.discovery.metrics"
#define LOGS "io.opentelemetry.discovery.logs"
#define LOGS_RECEIVER "file_log"

/* What a hint is read from. */
struct source {
    const struct creator_config *config;
    const struct hf_endpoint *endpoint;
    struct hf_arena *arena;
    const char *scope;                  /* the port or the container */
    const struct hf_value *annotations; /* a map; NULL: none */
};

static const struct hf_value *get(const struct hf_value *map, const char *key)
{
    for (size_t i = 0; map != NULL && map->type == HF_VALUE_MAP && i < map->count; i++) {
        if (strcmp(map->keys[i], key) == 0) {
            return &map->items[i];
        }
    }
    return NULL;
}

static const char *text_of(const struct hf_value *map, const char *key)
{
    const struct hf_value *value = get(map, key);
    return value != NULL && value->string != NULL ? value->string : "";
}

static char *print(struct hf_arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* NULL: out of memory. */
static char *print(struct hf_arena *arena, const char *format, ...)
{
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int size = vsnprintf(NULL, 0, format, arguments);
    char *text = size >= 0 ? hf_arena_take(arena, (size_t)size + 1) : NULL;
    if (text != NULL) {
        vsnprintf(text, (size_t)size + 1, format, again);
    }
    va_end(again);
    va_end(arguments);
    return text;
}

/* The pod's own annotation, or else the one that all pods have. NULL: none. */
static const char *annotation(const struct source *source, const char *key)
{
    const struct hf_value *own = get(source->annotations, key);
    if (own != NULL) {
        return own->string != NULL ? own->string : "";
    }
    const struct hf_string_map *all = &source->config->discovery.annotations;
    for (size_t i = 0; i < all->count; i++) {
        if (strcmp(all->items[i].key, key) == 0) {
            return all->items[i].value;
        }
    }
    return NULL;
}

/* "base.SCOPE/key", or else "base/key". NULL: neither, or no memory. */
static const char *find(const struct source *source, const char *base, const char *key)
{
    const char *narrow = print(source->arena, "%s.%s/%s", base, source->scope, key);
    const char *wide = print(source->arena, "%s/%s", base, key);
    const char *found = narrow != NULL ? annotation(source, narrow) : NULL;
    return found != NULL || wide == NULL ? found : annotation(source, wide);
}

static bool is_on(const struct source *source, const char *base)
{
    const char *text = find(source, base, "enabled");
    return text != NULL && strcmp(text, "true") == 0;
}

static bool is_ignored(const struct source *source, const char *type)
{
    return hf_string_list_has(&source->config->discovery.ignored, hf_slice_text(type));
}

/* ---- YAML of an annotation ---- */

struct wrapped {
    struct hf_value config;
};

static const struct hf_field wrapped_fields[] = {
    {.key = "config", .type = HF_FIELD_VALUE, .offset = offsetof(struct wrapped, config)},
    HF_FIELDS_END,
};

/* The text as the value of a key of its own, each line of it further in. */
static char *wrap(struct hf_arena *arena, const char *text)
{
    size_t lines = 1;
    for (const char *at = text; *at != '\0'; at++) {
        lines += *at == '\n';
    }
    char *out = hf_arena_take(arena, strlen(text) + 2 * lines + 16);
    if (out == NULL) {
        return NULL;
    }
    char *to = stpcpy(out, "config:\n  ");
    for (; *text != '\0'; text++) {
        *to++ = *text;
        if (*text == '\n') {
            to = stpcpy(to, "  ");
        }
    }
    *to = '\0';
    return out;
}

/* `ret_value` is a map or nothing, and lives as long as the hint. */
static enum hf_status read_yaml(const struct source *source, const char *text,
                                struct creator_hint *hint, const struct hf_value **ret_value,
                                char *reterr)
{
    static const struct hf_value nothing = {.type = HF_VALUE_MAP};
    const void *made = NULL;
    *ret_value = &nothing;
    if (text == NULL || text[0] == '\0') {
        return HF_OK;
    }
    char why[HF_LATE_CONFIG_ERROR_MAX];
    const char *whole = wrap(source->arena, text);
    if (whole == NULL) {
        return HF_NOMEM;
    }
    enum hf_status status =
        hf_late_config_read_one(hf_slice_text(whole), "the annotation", wrapped_fields,
                                sizeof(struct wrapped), &hint->late, &made, why);
    if (status != HF_OK) {
        snprintf(reterr, CREATOR_ERROR_MAX, "%.300s", why);
        return status;
    }
    const struct wrapped *wrapped = made;
    if (wrapped->config.type == HF_VALUE_MAP) {
        *ret_value = &wrapped->config;
    } else if (wrapped->config.type != HF_VALUE_NONE) {
        snprintf(reterr, CREATOR_ERROR_MAX, "the configuration in an annotation is no map");
        return HF_INVALID;
    }
    return HF_OK;
}

/* ---- metrics of a port ---- */

/* A pod may only name its own endpoint: this process reaches more than a pod should. */
static bool is_own_endpoint(struct hf_arena *arena, const char *text, const char *target)
{
    static const char word[] = "`endpoint`";
    const char *at = strstr(text, word);
    const char *whole =
        at != NULL ? print(arena, "%.*s%s%s", (int)(at - text), text, target, at + strlen(word))
                   : text;
    if (whole == NULL) {
        return false;
    }
    /* An expression before it could make another host of it. */
    size_t scheme = strspn(whole, "abcdefghijklmnopqrstuvwxyz0123456789+-.");
    const char *host = strncmp(whole + scheme, "://", 3) == 0 ? whole + scheme + 3 : whole;
    size_t size = strcspn(host, "/?#");
    return size == strlen(target) && strncmp(host, target, size) == 0;
}

static enum hf_status read_metrics(const struct source *source, struct creator_hint *hint,
                                   char *reterr)
{
    const char *type = find(source, METRICS, "scraper");
    if (!is_on(source, METRICS) || type == NULL || type[0] == '\0' || is_ignored(source, type)) {
        return HF_OK;
    }
    enum hf_status status =
        read_yaml(source, find(source, METRICS, "config"), hint, &hint->wish.config, reterr);
    if (status != HF_OK) {
        return status;
    }
    const struct hf_value *endpoint = get(hint->wish.config, "endpoint");
    if (endpoint != NULL &&
        (endpoint->type != HF_VALUE_STRING ||
         !is_own_endpoint(source->arena, endpoint->string, source->endpoint->target))) {
        snprintf(reterr, CREATOR_ERROR_MAX,
                 "the endpoint in an annotation is not that of the pod, %.100s",
                 source->endpoint->target);
        return HF_INVALID;
    }
    hint->wish.id = print(source->arena, "%s/%s_%s", type,
                          text_of(get(&source->endpoint->variables, "pod"), "uid"), source->scope);
    hint->wish.signals = HF_SIGNAL_BIT(HF_METRICS);
    hint->is_there = true;
    return hint->wish.id != NULL ? HF_OK : HF_NOMEM;
}

/* ---- logs of a container ---- */

/* As the Go collector presets it. */
static const struct hf_value *preset(void)
{
    static const struct hf_value operator_items[] = {
        {.type = HF_VALUE_STRING, .string = "container-parser"},
        {.type = HF_VALUE_STRING, .string = "container"},
    };
    static const char *const operator_keys[] = {"id", "type"};
    static const struct hf_value operators[] = {
        {.type = HF_VALUE_MAP, .items = operator_items, .keys = operator_keys, .count = 2}};
    static const struct hf_value items[] = {
        {.type = HF_VALUE_BOOL, .boolean = true, .string = "true"},
        {.type = HF_VALUE_BOOL, .boolean = false, .string = "false"},
        {.type = HF_VALUE_LIST, .items = operators, .count = 1},
    };
    static const char *const keys[] = {"include_file_path", "include_file_name", "operators"};
    static const struct hf_value map = {
        .type = HF_VALUE_MAP, .items = items, .keys = keys, .count = 3};
    return &map;
}

/* A list of one text. */
static bool make_list(struct hf_arena *arena, const char *text, struct hf_value *ret_list)
{
    struct hf_value *item = hf_arena_take(arena, sizeof(*item));
    if (item == NULL || text == NULL) {
        return false;
    }
    *item = (struct hf_value){.type = HF_VALUE_STRING, .string = text};
    *ret_list = (struct hf_value){.type = HF_VALUE_LIST, .items = item, .count = 1};
    return true;
}

/* `base` with the keys of `over` instead of its own, and `include`. NULL: out of memory. */
static const struct hf_value *lay_over(struct hf_arena *arena, const struct hf_value *base,
                                       const struct hf_value *over, const struct hf_value *include)
{
    size_t room = base->count + over->count + 1;
    struct hf_value *map = hf_arena_take(arena, sizeof(*map));
    struct hf_value *items = hf_arena_take(arena, room * sizeof(*items));
    const char **keys = hf_arena_take(arena, room * sizeof(*keys));
    size_t count = 0;
    if (map == NULL || items == NULL || keys == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < base->count + over->count; i++) {
        bool is_base = i < base->count;
        const struct hf_value *from = is_base ? base : over;
        size_t at = is_base ? i : i - base->count;
        if (strcmp(from->keys[at], "include") != 0 &&
            (!is_base || get(over, from->keys[at]) == NULL)) {
            keys[count] = from->keys[at];
            items[count++] = from->items[at];
        }
    }
    keys[count] = "include";
    items[count++] = *include;
    *map = (struct hf_value){.type = HF_VALUE_MAP, .items = items, .keys = keys, .count = count};
    return map;
}

/* A name of Kubernetes has no characters that a pattern of files has. */
static bool is_name(const char *text)
{
    return text[0] != '\0' && text[strcspn(text, "/*?[]{}\\`")] == '\0' &&
           strcmp(text, "..") != 0 && strcmp(text, ".") != 0;
}

static enum hf_status read_logs(const struct source *source, struct creator_hint *hint,
                                char *reterr)
{
    const struct hf_value *pod = get(&source->endpoint->variables, "pod");
    const char *name = text_of(pod, "name"), *space = text_of(pod, "namespace");
    const char *uid = text_of(pod, "uid");
    const struct hf_value *given, *base = &source->config->discovery.filelog;
    struct hf_value include;
    if (!is_on(source, LOGS) || is_ignored(source, LOGS_RECEIVER) ||
        is_ignored(source, "filelog") || !is_name(name) || !is_name(space) || !is_name(uid) ||
        !is_name(source->scope)) {
        return HF_OK;
    }
    enum hf_status status = read_yaml(source, find(source, LOGS, "config"), hint, &given, reterr);
    if (status != HF_OK) {
        return status;
    }
    const char *path =
        print(source->arena, "/var/log/pods/%s_%s_%s/%s/*.log", space, name, uid, source->scope);
    hint->wish.id = print(source->arena, "%s/%s_%s", LOGS_RECEIVER, uid, source->scope);
    hint->wish.config =
        make_list(source->arena, path, &include)
            ? lay_over(source->arena, base->type == HF_VALUE_MAP ? base : preset(), given, &include)
            : NULL;
    hint->wish.signals = HF_SIGNAL_BIT(HF_LOGS);
    hint->is_there = true;
    return hint->wish.id != NULL && hint->wish.config != NULL ? HF_OK : HF_NOMEM;
}

enum hf_status creator_hint_read(const struct creator_config *config,
                                 const struct hf_endpoint *endpoint, struct hf_arena *arena,
                                 struct creator_hint *ret_hint, char *reterr)
{
    struct source source = {.config = config, .endpoint = endpoint, .arena = arena};
    const struct hf_value *pod = get(&endpoint->variables, "pod");
    *ret_hint = (struct creator_hint){.is_there = false};
    if (!config->discovery.enabled || pod == NULL) {
        return HF_OK;
    }
    source.annotations = get(pod, "annotations");
    if (strcmp(endpoint->type, creator_types[CREATOR_PORT]) == 0) {
        source.scope = text_of(&endpoint->variables, "port");
        return read_metrics(&source, ret_hint, reterr);
    }
    if (strcmp(endpoint->type, creator_types[CREATOR_POD_CONTAINER]) == 0) {
        source.scope = text_of(&endpoint->variables, "container_name");
        return read_logs(&source, ret_hint, reterr);
    }
    return HF_OK;
}

void creator_hint_release(struct creator_hint *hint)
{
    hf_late_config_free(hint->late);
    hint->late = NULL;
}
