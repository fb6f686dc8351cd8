#include "actions.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#include "actions_internal.h"
#include "pdata/utf8.h"
#include "pdata/value.h"
#include "util/regex/regex.h"

/* What a configuration may take when compiled, and a batch's context. */
#define ARENA_LIMIT_BYTES (16u << 20)

static const char *const action_names[] = {"insert", "update",  "upsert",  "delete",
                                           "hash",   "extract", "convert", NULL};

const struct hf_field hf_action_fields[] = {
    {.key = "key",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct hf_action_config, key),
     .help = "The attribute to act upon."},
    {.key = "action",
     .type = HF_FIELD_ENUM,
     .offset = offsetof(struct hf_action_config, action),
     .choices = action_names,
     .required = true,
     .help = "What to do with it; hash is SHA-256 in hex."},
    {.key = "value",
     .type = HF_FIELD_VALUE,
     .offset = offsetof(struct hf_action_config, value),
     .help = "The new value; its type is that of the YAML, lists and maps too."},
    {.key = "from_attribute",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct hf_action_config, from_attribute),
     .help = "Take the value of this attribute."},
    {.key = "from_context",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct hf_action_config, from_context),
     .help = "Take the value of metadata.HEADER, auth.ATTRIBUTE or client.address."},
    {.key = "default_value",
     .type = HF_FIELD_VALUE,
     .offset = offsetof(struct hf_action_config, default_value),
     .help = "The value when the source has none."},
    {.key = "pattern",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct hf_action_config, pattern),
     .help = "Regular expression: over keys for delete and hash, over the value, with named "
             "groups, for extract."},
    {.key = "converted_type",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct hf_action_config, converted_type),
     .help = "For convert: int, double or string."},
    HF_FIELDS_END,
};

/* ---- compiling ---- */

/* One list on its way: where messages come from and go to. */
struct compiler {
    struct hf_actions *actions;
    const char *name;
    size_t index; /* of the entry */
    char *reterr;
};

static enum hf_status refuse(const struct compiler *compiler, const char *why, const char *more)
{
    snprintf(compiler->reterr, HF_ERROR_MAX, "%s: action %zu: %s%.200s", compiler->name,
             compiler->index + 1, why, more);
    return HF_INVALID;
}

static bool is_given(const char *text)
{
    return text != NULL && text[0] != '\0';
}

static bool is_text(const char *text)
{
    return text == NULL || hf_utf8_is_valid(hf_slice_text(text));
}

static enum hf_status encode(const struct compiler *compiler, const struct hf_value *value,
                             struct hf_slice *ret_bytes)
{
    enum hf_status status = hf_value_encode(value, &compiler->actions->arena, ret_bytes);
    return status == HF_OK || status == HF_NOMEM ? status
                                                 : refuse(compiler, hf_value_problem(status), "");
}

static enum hf_status compile_pattern(const struct compiler *compiler, const char *pattern,
                                      struct hf_regex **ret_regex)
{
    char why[HF_REGEX_ERROR_MAX] = "";
    enum hf_status status = hf_regex_new(pattern, ret_regex, why);
    return status == HF_INVALID
               ? refuse(compiler, "\"pattern\" is no valid regular expression: ", why)
               : status;
}

/* The name by which receivers keep the source, and by which it is looked up. */
static enum hf_status add_source(struct hf_actions *actions, const char *from, size_t *ret_source)
{
    static const char metadata[] = "metadata.";
    static const char auth[] = "auth.";
    struct hf_source source = {.kind = HF_META_HEADER};
    const char *whole = from;
    if (strcmp(from, "client.address") == 0) {
        source.kind = HF_META_PEER;
    } else if (strncmp(from, auth, sizeof(auth) - 1) == 0) {
        source.kind = HF_META_AUTH;
        from += sizeof(auth) - 1;
    } else if (strncmp(from, metadata, sizeof(metadata) - 1) == 0) {
        from += sizeof(metadata) - 1;
    }
    size_t size = strlen(from);
    char *key = hf_arena_take(&actions->arena, size + 1);
    if (key == NULL) {
        return HF_NOMEM;
    }
    for (size_t i = 0; i <= size; i++) {
        key[i] = (char)(source.kind == HF_META_HEADER ? tolower((unsigned char)from[i]) : from[i]);
    }
    source.key = key;
    actions->keys[actions->key_count++] = source.kind == HF_META_AUTH ? whole : key;
    *ret_source = actions->source_count;
    actions->sources[actions->source_count++] = source;
    return HF_OK;
}

/* insert, update, upsert */
static enum hf_status compile_setting(const struct compiler *compiler,
                                      const struct hf_action_config *config,
                                      struct hf_action *action)
{
    int sources = (config->value.type != HF_VALUE_NONE) + is_given(config->from_attribute) +
                  is_given(config->from_context);
    if (sources == 0 && config->default_value.type == HF_VALUE_NONE) {
        return refuse(compiler, "one of \"value\", \"from_attribute\", \"from_context\" must be ",
                      "given");
    }
    if (sources > 1) {
        return refuse(compiler, "only one of \"value\", \"from_attribute\", \"from_context\" may ",
                      "be given");
    }
    if (is_given(config->pattern) || is_given(config->converted_type)) {
        return refuse(compiler, "\"pattern\" and \"converted_type\" are not for ",
                      action_names[config->action]);
    }
    enum hf_status status = encode(compiler, &config->value, &action->value);
    if (status == HF_OK) {
        status = encode(compiler, &config->default_value, &action->fallback);
    }
    if (status == HF_OK && is_given(config->from_context)) {
        action->has_source = true;
        status = add_source(compiler->actions, config->from_context, &action->source);
    }
    if (is_given(config->from_attribute)) {
        action->from_attribute = hf_slice_text(config->from_attribute);
    }
    return status;
}

/* delete, hash */
static enum hf_status compile_matching(const struct compiler *compiler,
                                       const struct hf_action_config *config,
                                       struct hf_action *action)
{
    if (config->value.type != HF_VALUE_NONE || is_given(config->from_attribute) ||
        is_given(config->from_context) || is_given(config->converted_type)) {
        return refuse(compiler, "a value source or \"converted_type\" is not for ",
                      action_names[config->action]);
    }
    return is_given(config->pattern) ? compile_pattern(compiler, config->pattern, &action->regex)
                                     : HF_OK;
}

static enum hf_status compile_extract(const struct compiler *compiler,
                                      const struct hf_action_config *config,
                                      struct hf_action *action)
{
    if (config->value.type != HF_VALUE_NONE || is_given(config->from_attribute) ||
        is_given(config->from_context) || is_given(config->converted_type)) {
        return refuse(compiler, "a value source or \"converted_type\" is not for extract", "");
    }
    if (!is_given(config->pattern)) {
        return refuse(compiler, "\"pattern\" must be given for extract", "");
    }
    enum hf_status status = compile_pattern(compiler, config->pattern, &action->regex);
    if (status != HF_OK) {
        return status;
    }
    size_t groups = hf_regex_group_count(action->regex);
    if (groups == 0) {
        return refuse(compiler, "\"pattern\" has no named groups", "");
    }
    for (size_t group = 1; group <= groups; group++) {
        if (hf_regex_group_name(action->regex, group) == NULL) {
            return refuse(compiler, "\"pattern\" has a group without a name", "");
        }
    }
    return HF_OK;
}

static enum hf_status compile_convert(const struct compiler *compiler,
                                      const struct hf_action_config *config,
                                      struct hf_action *action)
{
    static const struct {
        const char *name;
        enum hf_any_type type;
    } types[] = {{"string", HF_ANY_STRING}, {"int", HF_ANY_INT}, {"double", HF_ANY_DOUBLE}};
    if (config->value.type != HF_VALUE_NONE || is_given(config->from_attribute) ||
        is_given(config->from_context) || is_given(config->pattern)) {
        return refuse(compiler, "a value source or \"pattern\" is not for convert", "");
    }
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (is_given(config->converted_type) &&
            strcmp(config->converted_type, types[i].name) == 0) {
            action->to = types[i].type;
            return HF_OK;
        }
    }
    return refuse(compiler, "\"converted_type\" must be int, double or string", "");
}

static enum hf_status compile(const struct compiler *compiler,
                              const struct hf_action_config *config, struct hf_action *action)
{
    bool key_or_pattern = config->action == HF_ACTION_DELETE || config->action == HF_ACTION_HASH;
    action->kind = (enum hf_action_kind)config->action;
    if (!is_given(config->key) && !(key_or_pattern && is_given(config->pattern))) {
        return refuse(compiler,
                      key_or_pattern ? "\"key\" or \"pattern\" must be given for "
                                     : "\"key\" must be given for ",
                      action_names[config->action]);
    }
    if (!is_text(config->key)) {
        return refuse(compiler, "\"key\" is not UTF-8", "");
    }
    action->has_key = is_given(config->key);
    action->key = action->has_key ? hf_slice_text(config->key) : HF_EMPTY_SLICE;
    switch (action->kind) {
    case HF_ACTION_INSERT:
    case HF_ACTION_UPDATE:
    case HF_ACTION_UPSERT:
        return compile_setting(compiler, config, action);
    case HF_ACTION_DELETE:
    case HF_ACTION_HASH:
        return compile_matching(compiler, config, action);
    case HF_ACTION_EXTRACT:
        return compile_extract(compiler, config, action);
    case HF_ACTION_CONVERT:
        return compile_convert(compiler, config, action);
    }
    return refuse(compiler, "unknown action", "");
}

static bool make_arrays(struct hf_actions *actions, size_t count)
{
    actions->items = calloc(count, sizeof(*actions->items));
    actions->sources = calloc(count, sizeof(*actions->sources));
    actions->keys = calloc(count, sizeof(*actions->keys));
    return actions->items != NULL && actions->sources != NULL && actions->keys != NULL;
}

enum hf_status hf_actions_new(const char *name, const struct hf_struct_list *list,
                              struct hf_actions **ret_actions, char *reterr)
{
    const struct hf_action_config *configs = list->items;
    if (list->count == 0) {
        snprintf(reterr, HF_ERROR_MAX, "%s: missing required field \"%s\"", name, name);
        return HF_INVALID;
    }
    struct hf_actions *actions = calloc(1, sizeof(*actions));
    if (actions == NULL) {
        return HF_NOMEM;
    }
    actions->arena.limit = ARENA_LIMIT_BYTES;
    enum hf_status status = make_arrays(actions, list->count) ? HF_OK : HF_NOMEM;
    struct compiler compiler = {.actions = actions, .name = name, .reterr = reterr};
    while (status == HF_OK && compiler.index < list->count) {
        status = compile(&compiler, &configs[compiler.index], &actions->items[compiler.index]);
        actions->count = ++compiler.index; /* half-made ones are freed too */
    }
    if (status != HF_OK) {
        hf_actions_free(actions);
        return status;
    }
    *ret_actions = actions;
    return HF_OK;
}

void hf_actions_free(struct hf_actions *actions)
{
    if (actions == NULL) {
        return;
    }
    for (size_t i = 0; i < actions->count; i++) {
        hf_regex_free(actions->items[i].regex);
    }
    free(actions->items);
    free(actions->sources);
    free(actions->keys);
    hf_arena_release(&actions->arena);
    free(actions);
}

const char *hf_actions_check(const char *name, const struct hf_struct_list *list)
{
    static _Thread_local char sentence[HF_ERROR_MAX];
    struct hf_actions *actions = NULL;
    snprintf(sentence, sizeof(sentence), "%s: out of memory", name);
    enum hf_status status = hf_actions_new(name, list, &actions, sentence);
    hf_actions_free(actions);
    return status == HF_OK ? NULL : sentence;
}

const char *const *hf_actions_context_keys(const struct hf_actions *actions, size_t *ret_count)
{
    *ret_count = actions->key_count;
    return actions->keys;
}
