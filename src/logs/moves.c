/*
 * moves: operators that change where values stand: move, copy, add, remove, retain, flatten,
 * assign_keys, noop.
 */
#include <stdlib.h>

#include "operator.h"

static enum outcome set_failed(struct run *run, enum hf_status status)
{
    return operator_failed(run, status == HF_NOMEM ? "out of memory"
                                                   : "the field cannot hold the value");
}

/* ---- move, copy ---- */

struct pair_of_fields {
    struct hf_log_field from, to;
};

static enum hf_status open_pair(struct operator* operator, const struct hf_value * config,
                                char *reterr)
{
    struct pair_of_fields *state = operator->state;
    enum hf_status status = field_of(operator, config, "from", NULL, &state->from, reterr);
    return status == HF_OK ? field_of(operator, config, "to", NULL, &state->to, reterr) : status;
}

static enum outcome run_move(struct run *run, struct hf_log_entry *entry)
{
    const struct pair_of_fields *state = run->operator->state;
    struct hf_expr_value value;
    if (!hf_log_field_remove(&state->from, entry, &value)) {
        return operator_failed(run, "the field to move is not there");
    }
    enum hf_status status = hf_log_field_set(&state->to, entry, value);
    return status == HF_OK ? OUTCOME_NEXT : set_failed(run, status);
}

static enum outcome run_copy(struct run *run, struct hf_log_entry *entry)
{
    const struct pair_of_fields *state = run->operator->state;
    const struct hf_expr_value *from = hf_log_field_get(&state->from, entry);
    struct hf_expr_value value;
    if (from == NULL) {
        return operator_failed(run, "the field to copy is not there");
    }
    enum hf_status status = hf_expr_value_copy(entry->arena, from, &value);
    status = status == HF_OK ? hf_log_field_set(&state->to, entry, value) : status;
    return status == HF_OK ? OUTCOME_NEXT : set_failed(run, status);
}

/* ---- add ---- */

struct add_state {
    struct hf_log_field field;
    struct hf_expr_value value;
    struct hf_expr *expr; /* instead of the value */
};

static enum hf_status open_add(struct operator* operator, const struct hf_value * config,
                               char *reterr)
{
    struct add_state *state = operator->state;
    const struct hf_value *value = value_of(config, "value");
    const char *inside = NULL;
    enum hf_status status = field_of(operator, config, "field", NULL, &state->field, reterr);
    if (status != HF_OK) {
        return status;
    }
    if (value == NULL) {
        return HF_OK; /* null, as Go has it */
    }
    if (value->type == HF_VALUE_STRING && is_computed(value->string, operator->arena, &inside)) {
        return expr_of("value", inside, &state->expr, reterr);
    }
    return hf_expr_value_of(operator->arena, value, &state->value);
}

static void close_add(struct operator* operator)
{
    hf_expr_free(((struct add_state *)operator->state)->expr);
}

static enum outcome run_add(struct run *run, struct hf_log_entry *entry)
{
    const struct add_state *state = run->operator->state;
    struct hf_expr_value value;
    enum hf_status status = state->expr != NULL
                                ? entry_eval(state->expr, entry, &value, run->why)
                                : hf_expr_value_copy(entry->arena, &state->value, &value);
    if (status != HF_OK) {
        return state->expr != NULL ? OUTCOME_FAILED : set_failed(run, status);
    }
    status = hf_log_field_set(&state->field, entry, value);
    return status == HF_OK ? OUTCOME_NEXT : set_failed(run, status);
}

/* ---- remove, flatten ---- */

static enum hf_status open_field(struct operator* operator, const struct hf_value * config,
                                 char *reterr)
{
    return field_of(operator, config, "field", NULL, operator->state, reterr);
}

static enum outcome run_remove(struct run *run, struct hf_log_entry *entry)
{
    struct hf_expr_value gone;
    return hf_log_field_remove(run->operator->state, entry, &gone)
               ? OUTCOME_NEXT
               : operator_failed(run, "the field to remove is not there");
}

static enum outcome run_flatten(struct run *run, struct hf_log_entry *entry)
{
    struct hf_log_field parent = *(const struct hf_log_field *)run->operator->state;
    struct hf_expr_value value;
    struct hf_expr_value *found = hf_log_field_get(&parent, entry);
    if (found == NULL || found->type != HF_EXPR_MAP) {
        return operator_failed(run, "the field to flatten is no map");
    }
    if (parent.count == 0 || !hf_log_field_remove(&parent, entry, &value)) {
        return OUTCOME_NEXT;
    }
    parent.count--;
    enum hf_status status = hf_log_field_set(&parent, entry, value);
    return status == HF_OK ? OUTCOME_NEXT : set_failed(run, status);
}

/* ---- retain ---- */

#define RETAIN_MAX 128u

struct retain_state {
    struct hf_log_field *fields;
    size_t count;
    bool prunes[3]; /* by root */
};

static enum hf_status open_retain(struct operator* operator, const struct hf_value * config,
                                  char *reterr)
{
    struct retain_state *state = operator->state;
    const struct hf_value *fields = value_of(config, "fields");
    if (fields == NULL || fields->type != HF_VALUE_LIST || fields->count > RETAIN_MAX) {
        return invalid(reterr, "fields: a list of 1 to %u is required", RETAIN_MAX);
    }
    state->fields = hf_arena_take(operator->arena, fields->count * sizeof(*state->fields) + 1);
    if (state->fields == NULL) {
        return HF_NOMEM;
    }
    for (size_t i = 0; i < fields->count; i++) {
        const char *text = fields->items[i].string != NULL ? fields->items[i].string : "";
        struct hf_log_field *field = &state->fields[state->count++];
        const char *wrong = hf_log_field_parse(text, operator->arena, field);
        if (wrong != NULL) {
            return invalid(reterr, "fields: %s: %.200s", wrong, text);
        }
        state->prunes[field->root] = true;
    }
    return HF_OK;
}

static enum outcome run_retain(struct run *run, struct hf_log_entry *entry)
{
    const struct retain_state *state = run->operator->state;
    struct hf_log_entry kept = *entry;
    struct hf_expr_value *roots[] = {&kept.body, &kept.attributes, &kept.resource};
    for (int root = 0; root < 3; root++) {
        if (!state->prunes[root]) {
            continue;
        }
        *roots[root] = (struct hf_expr_value){0};
        if (root != HF_LOG_BODY) {
            roots[root]->type = HF_EXPR_MAP;
            roots[root]->map = hf_expr_map_new(entry->arena, 4);
            if (roots[root]->map == NULL) {
                return set_failed(run, HF_NOMEM);
            }
        }
    }
    for (size_t i = 0; i < state->count; i++) {
        const struct hf_expr_value *value = hf_log_field_get(&state->fields[i], entry);
        enum hf_status status =
            value != NULL ? hf_log_field_set(&state->fields[i], &kept, *value) : HF_OK;
        if (status != HF_OK) {
            return set_failed(run, status);
        }
    }
    *entry = kept;
    return OUTCOME_NEXT;
}

/* ---- assign_keys ---- */

struct assign_state {
    struct hf_log_field field;
    const struct hf_value *keys;
};

static enum hf_status open_assign(struct operator* operator, const struct hf_value * config,
                                  char *reterr)
{
    struct assign_state *state = operator->state;
    state->keys = value_of(config, "keys");
    if (state->keys == NULL || state->keys->type != HF_VALUE_LIST) {
        return invalid(reterr, "keys: a list is required");
    }
    return field_of(operator, config, "field", "body", &state->field, reterr);
}

static enum outcome run_assign(struct run *run, struct hf_log_entry *entry)
{
    const struct assign_state *state = run->operator->state;
    struct hf_expr_value *value = hf_log_field_get(&state->field, entry);
    if (value == NULL || value->type != HF_EXPR_LIST || value->list->count != state->keys->count) {
        return operator_failed(run, "the field is no list of as many values as there are keys");
    }
    struct hf_expr_map *map = hf_expr_map_new(entry->arena, state->keys->count);
    if (map == NULL) {
        return set_failed(run, HF_NOMEM);
    }
    for (size_t i = 0; i < state->keys->count; i++) {
        const char *key = state->keys->items[i].string;
        map->pairs[map->count++] =
            (struct hf_expr_pair){hf_slice_text(key != NULL ? key : ""), value->list->items[i]};
    }
    *value = (struct hf_expr_value){.type = HF_EXPR_MAP, .map = map};
    return OUTCOME_NEXT;
}

static enum outcome run_noop(struct run *run, struct hf_log_entry *entry)
{
    (void)run;
    (void)entry;
    return OUTCOME_NEXT;
}

static const char *const pair_keys[] = {"from", "to", NULL};
static const char *const add_keys[] = {"field", "value", NULL};
static const char *const field_keys[] = {"field", NULL};
static const char *const retain_keys[] = {"fields", NULL};
static const char *const assign_keys[] = {"field", "keys", NULL};

const struct operator_kind operator_move = {.type = "move",
                                            .keys = pair_keys,
                                            .size = sizeof(struct pair_of_fields),
                                            .open = open_pair,
                                            .run = run_move};
const struct operator_kind operator_copy = {.type = "copy",
                                            .keys = pair_keys,
                                            .size = sizeof(struct pair_of_fields),
                                            .open = open_pair,
                                            .run = run_copy};
const struct operator_kind operator_add = {.type = "add",
                                           .keys = add_keys,
                                           .size = sizeof(struct add_state),
                                           .open = open_add,
                                           .close = close_add,
                                           .run = run_add};
const struct operator_kind operator_remove = {.type = "remove",
                                              .keys = field_keys,
                                              .size = sizeof(struct hf_log_field),
                                              .open = open_field,
                                              .run = run_remove};
const struct operator_kind operator_flatten = {.type = "flatten",
                                               .keys = field_keys,
                                               .size = sizeof(struct hf_log_field),
                                               .open = open_field,
                                               .run = run_flatten};
const struct operator_kind operator_retain = {.type = "retain",
                                              .keys = retain_keys,
                                              .size = sizeof(struct retain_state),
                                              .open = open_retain,
                                              .run = run_retain};
const struct operator_kind operator_assign_keys = {.type = "assign_keys",
                                                   .keys = assign_keys,
                                                   .size = sizeof(struct assign_state),
                                                   .open = open_assign,
                                                   .run = run_assign};
const struct operator_kind operator_noop = {.type = "noop", .run = run_noop};
