/*
 * older: operators that the Go collector had before 0.40: restructure, a list of changes in one,
 * and metadata, which sets attributes and resource.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "operator.h"
#include "template.h"

/* ---- restructure ---- */

#define CHANGES_MAX 128u

extern const struct operator_kind operator_add;
extern const struct operator_kind operator_remove;
extern const struct operator_kind operator_retain;
extern const struct operator_kind operator_move;
extern const struct operator_kind operator_flatten;

struct restructure_state {
    struct operator* changes; /* operators that stand in no pipeline */
    size_t count;
};

static const struct {
    const char *name;
    const struct operator_kind *kind;
    const char *key; /* of the operator, for what is no map here; NULL: it is one */
} changes[] = {{"add", &operator_add, NULL},
               {"remove", &operator_remove, "field"},
               {"retain", &operator_retain, "fields"},
               {"move", &operator_move, NULL},
               {"flatten", &operator_flatten, "field"}};

/* The configuration of an operator with that one key. */
static enum hf_status wrap(struct hf_arena *arena, const char *key, const struct hf_value *value,
                           const struct hf_value **ret_config)
{
    struct hf_value *config = hf_arena_take(arena, sizeof(*config));
    const char **keys = hf_arena_take(arena, sizeof(*keys));
    if (config == NULL || keys == NULL) {
        return HF_NOMEM;
    }
    keys[0] = key;
    *config = (struct hf_value){.type = HF_VALUE_MAP, .items = value, .keys = keys, .count = 1};
    *ret_config = config;
    return HF_OK;
}

/* `add` with value_expr, which is `value: EXPR(...)` of today. */
static enum hf_status read_value_expr(struct hf_arena *arena, const struct hf_value *add,
                                      const struct hf_value **ret_config)
{
    const char *expr = text_of(add, "value_expr", "");
    size_t room = strlen(expr) + sizeof("EXPR()");
    struct hf_value *config = hf_arena_take(arena, sizeof(*config));
    struct hf_value *items = hf_arena_take(arena, 2 * sizeof(*items));
    const char **keys = hf_arena_take(arena, 2 * sizeof(*keys));
    char *text = hf_arena_take(arena, room);
    if (config == NULL || items == NULL || keys == NULL || text == NULL) {
        return HF_NOMEM;
    }
    snprintf(text, room, "EXPR(%s)", expr);
    keys[0] = "field";
    keys[1] = "value";
    const struct hf_value *field = value_of(add, "field");
    items[0] = field != NULL ? *field : (struct hf_value){.type = HF_VALUE_NONE};
    items[1] = (struct hf_value){.type = HF_VALUE_STRING, .string = text};
    *config = (struct hf_value){.type = HF_VALUE_MAP, .items = items, .keys = keys, .count = 2};
    *ret_config = config;
    return HF_OK;
}

static enum hf_status open_change(struct operator* operator, struct operator* change,
                                  const struct hf_value *op, char *reterr)
{
    size_t i = 0;
    const struct hf_value *config = op->items;
    enum hf_status status = HF_OK;
    while (i < sizeof(changes) / sizeof(changes[0]) && strcmp(changes[i].name, op->keys[0]) != 0) {
        i++;
    }
    if (i == sizeof(changes) / sizeof(changes[0])) {
        return invalid(reterr, "ops: add, remove, retain, move or flatten is expected, not %.60s",
                       op->keys[0]);
    }
    if (changes[i].key != NULL && config->type != HF_VALUE_MAP) {
        status = wrap(operator->arena, changes[i].key, config, &config);
    } else if (value_of(config, "value_expr") != NULL) {
        status = read_value_expr(operator->arena, config, &config);
    }
    *change = (struct operator){.kind = changes[i].kind,
                                .id = operator->id,
                                .arena = operator->arena,
                                .pipeline = operator->pipeline,
                                .config = config};
    if (status == HF_OK) {
        change->state = calloc(1, change->kind->size);
        status = change->state != NULL ? HF_OK : HF_NOMEM;
    }
    return status == HF_OK ? change->kind->open(change, config, reterr) : status;
}

static enum hf_status open_restructure(struct operator* operator, const struct hf_value * config,
                                       char *reterr)
{
    struct restructure_state *state = operator->state;
    const struct hf_value *ops = value_of(config, "ops");
    enum hf_status status = HF_OK;
    if (ops == NULL || ops->type != HF_VALUE_LIST || ops->count > CHANGES_MAX) {
        return invalid(reterr, "ops: a list of 1 to %u is required", CHANGES_MAX);
    }
    state->changes = calloc(ops->count + 1, sizeof(*state->changes));
    if (state->changes == NULL) {
        return HF_NOMEM;
    }
    for (size_t i = 0; i < ops->count && status == HF_OK; i++) {
        const struct hf_value *op = &ops->items[i];
        if (op->type != HF_VALUE_MAP || op->count != 1) {
            return invalid(reterr, "ops: each is a map with one key, such as remove");
        }
        status = open_change(operator, & state->changes[state->count++], op, reterr);
    }
    return status;
}

static void close_restructure(struct operator* operator)
{
    struct restructure_state *state = operator->state;
    for (size_t i = 0; i < state->count; i++) {
        struct operator* change = & state->changes[i];
        if (change->kind != NULL && change->kind->close != NULL && change->state != NULL) {
            change->kind->close(change);
        }
        free(change->state);
    }
    free(state->changes);
}

/* One after another; the first that fails is the last. */
static enum outcome run_restructure(struct run *run, struct hf_log_entry *entry)
{
    const struct restructure_state *state = run->operator->state;
    struct operator* whole = run->operator;
    enum outcome outcome = OUTCOME_NEXT;
    for (size_t i = 0; i < state->count && outcome == OUTCOME_NEXT; i++) {
        run->operator= & state->changes[i];
        outcome = state->changes[i].kind->run(run, entry);
    }
    run->operator= whole;
    return outcome;
}

/* ---- metadata: attributes and resource of old versions ---- */

#define METADATA_MAX 64u

struct metadata_item {
    struct hf_log_field field;
    struct hf_expr_value value;
    struct hf_log_template *text; /* instead of the value, when it is a text */
};

struct metadata_state {
    struct metadata_item items[METADATA_MAX];
    size_t count;
};

static enum hf_status add_item(struct operator* operator, const struct hf_value * value,
                               struct metadata_item *item, char *reterr)
{
    return value->type == HF_VALUE_STRING ? hf_log_template_new(value->string, &item->text, reterr)
                                          : hf_expr_value_of(operator->arena, value, &item->value);
}

static enum hf_status add_metadata(struct operator* operator, const char * key,
                                   enum hf_log_root root, char *reterr)
{
    struct metadata_state *state = operator->state;
    const struct hf_value *map = value_of(operator->config, key);
    if (map != NULL && map->type != HF_VALUE_MAP) {
        return invalid(reterr, "%s: a map is expected", key);
    }
    for (size_t i = 0; map != NULL && i < map->count; i++) {
        if (state->count == METADATA_MAX) {
            return invalid(reterr, "more than %u values", METADATA_MAX);
        }
        struct metadata_item *item = &state->items[state->count++];
        item->field = (struct hf_log_field){.root = root, .count = 1};
        item->field.keys[0] = hf_slice_text(map->keys[i]);
        enum hf_status status = add_item(operator, & map->items[i], item, reterr);
        if (status != HF_OK) {
            return status;
        }
    }
    return HF_OK;
}

static enum hf_status open_metadata(struct operator* operator, const struct hf_value * config,
                                    char *reterr)
{
    (void)config;
    enum hf_status status = add_metadata(operator, "attributes", HF_LOG_ATTRIBUTES, reterr);
    return status == HF_OK ? add_metadata(operator, "resource", HF_LOG_RESOURCE, reterr) : status;
}

static void close_metadata(struct operator* operator)
{
    struct metadata_state *state = operator->state;
    for (size_t i = 0; i < state->count; i++) {
        hf_log_template_free(state->items[i].text);
    }
}

static enum outcome run_metadata(struct run *run, struct hf_log_entry *entry)
{
    const struct metadata_state *state = run->operator->state;
    for (size_t i = 0; i < state->count; i++) {
        const struct metadata_item *item = &state->items[i];
        struct hf_expr_value value = item->value;
        struct hf_slice text;
        enum hf_status status = HF_OK;
        if (item->text != NULL) {
            status = hf_log_template_render(item->text, entry, &text, run->why);
            if (status == HF_INVALID) {
                return OUTCOME_FAILED;
            }
            value = hf_expr_string(text);
        }
        status = status == HF_OK ? hf_log_field_set(&item->field, entry, value) : status;
        if (status != HF_OK) {
            return operator_failed(run, "out of memory");
        }
    }
    return OUTCOME_NEXT;
}

static const char *const restructure_keys[] = {"ops", NULL};
static const char *const metadata_keys[] = {"attributes", "resource", NULL};

const struct operator_kind operator_restructure = {.type = "restructure",
                                                   .keys = restructure_keys,
                                                   .size = sizeof(struct restructure_state),
                                                   .open = open_restructure,
                                                   .close = close_restructure,
                                                   .run = run_restructure};
const struct operator_kind operator_metadata = {.type = "metadata",
                                                .keys = metadata_keys,
                                                .size = sizeof(struct metadata_state),
                                                .open = open_metadata,
                                                .close = close_metadata,
                                                .run = run_metadata};
