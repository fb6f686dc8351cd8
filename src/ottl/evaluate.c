/* How each part of a text yields its value, and how a path is set. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "function.h"
#include "node.h"
#include "pdata/document.h"
#include "pdata/message.h"

/* ---- literals and paths ---- */

bool hf_ottl_evaluate_literal(const struct hf_ottl_node *node, struct hf_ottl_run *run,
                              struct hf_ottl_value *ret_value)
{
    (void)run;
    *ret_value = node->value;
    return true;
}

bool hf_ottl_keys_of(struct hf_ottl_run *run, const struct hf_ottl_node *node, size_t first,
                     struct hf_any_key *keys)
{
    for (size_t i = first; i < node->count; i++) {
        struct hf_ottl_value value;
        if (!hf_ottl_value_of(run, node->items[i], &value)) {
            return false;
        }
        if (value.type != HF_OTTL_STRING && value.type != HF_OTTL_INT) {
            return hf_ottl_fail(run, "could not resolve key for map/slice: it is %s",
                                hf_ottl_type_name(value.type));
        }
        keys[i - first] = value.type == HF_OTTL_STRING
                              ? (struct hf_any_key){.text = value.bytes}
                              : (struct hf_any_key){.is_index = true, .index = value.integer};
    }
    return true;
}

/* What the kind of the path makes of the value. */
static bool finish_path(const struct hf_ottl_node *node, const struct hf_ottl_run *run,
                        const struct hf_any *any, struct hf_ottl_value *ret_value)
{
    enum hf_path_kind kind = hf_path_kind(node->path);
    if (kind == HF_PATH_OBJECT || kind == HF_PATH_OBJECTS) {
        struct hf_ottl_value value = {.type = HF_OTTL_OBJECTS};
        *ret_value = hf_path_objects(node->path, run->place, &value.owner, &value.number)
                         ? value
                         : hf_ottl_nil();
        return true;
    }
    *ret_value = hf_ottl_from_any(any);
    if (ret_value->type == HF_OTTL_NIL) {
        return true;
    }
    if (kind == HF_PATH_TIME) {
        ret_value->type = HF_OTTL_TIME;
    } else if (kind == HF_PATH_TRACE_ID) {
        ret_value->type = HF_OTTL_TRACE_ID;
    } else if (kind == HF_PATH_SPAN_ID) {
        ret_value->type = HF_OTTL_SPAN_ID;
    }
    return true;
}

bool hf_ottl_evaluate_path(const struct hf_ottl_node *node, struct hf_ottl_run *run,
                           struct hf_ottl_value *ret_value)
{
    struct hf_any_key keys[HF_ANY_KEYS_MAX];
    struct hf_any any;
    enum hf_status status;
    if (node->has_fixed_keys) {
        status = hf_path_get(node->path, run->place, &any, run->error);
    } else {
        if (!hf_ottl_keys_of(run, node, 0, keys)) {
            return false;
        }
        status = hf_path_get_at(node->path, run->place, keys, node->count, &any, run->error);
        if (status == HF_OK) {
            *ret_value = hf_ottl_from_any(&any);
            return true;
        }
    }
    return hf_ottl_passes(run, status) && finish_path(node, run, &any, ret_value);
}

/* ---- the cache ---- */

static struct hf_slice cache_value(struct hf_ottl_run *run, struct hf_any_maker *maker)
{
    struct hf_any map = {.type = HF_ANY_MAP, .bytes = run->cache};
    return hf_any_make(maker, &map);
}

/* Where the cache lives: as long as the place, or as the document. */
static struct hf_arena *cache_arena(struct hf_ottl_run *run)
{
    return run->keeps_cache ? hf_document_arena(run->document) : &run->scratch;
}

bool hf_ottl_evaluate_cache(const struct hf_ottl_node *node, struct hf_ottl_run *run,
                            struct hf_ottl_value *ret_value)
{
    struct hf_any_maker maker = {.arena = &run->scratch};
    struct hf_any_key keys[HF_ANY_KEYS_MAX];
    struct hf_slice found;
    if (node->count == 0) {
        *ret_value = hf_ottl_of(HF_OTTL_MAP, run->cache);
        return true;
    }
    if (!hf_ottl_keys_of(run, node, 0, keys)) {
        return false;
    }
    enum hf_status status =
        hf_any_get(cache_value(run, &maker), keys, node->count, &found, run->error);
    if (maker.failed) {
        return hf_ottl_no_memory(run);
    }
    if (status == HF_OK) {
        struct hf_any any = hf_any_read(found);
        *ret_value = hf_ottl_from_any(&any);
    }
    return hf_ottl_passes(run, status);
}

static bool assign_cache(struct hf_ottl_run *run, const struct hf_ottl_node *target,
                         const struct hf_ottl_value *value)
{
    struct hf_any_maker maker = {.arena = cache_arena(run)};
    struct hf_any_key keys[HF_ANY_KEYS_MAX];
    struct hf_any any;
    struct hf_slice made;
    if (!hf_ottl_to_any(value, &any)) {
        return hf_ottl_fail(run, "unsupported type %s for set operation",
                            hf_ottl_type_name(value->type));
    }
    if (!hf_ottl_keys_of(run, target, 0, keys)) {
        return false;
    }
    struct hf_slice set = hf_any_make(&maker, &any);
    enum hf_status status =
        hf_any_put(&maker, cache_value(run, &maker), keys, target->count, set, &made, run->error);
    if (maker.failed) {
        return hf_ottl_no_memory(run);
    }
    if (status != HF_OK) {
        return hf_ottl_passes(run, status);
    }
    any = hf_any_read(made);
    if (any.type != HF_ANY_MAP && any.type != HF_ANY_EMPTY) {
        return hf_ottl_fail(run, "the cache is a map and cannot become %s",
                            hf_ottl_type_name(value->type));
    }
    run->cache = any.bytes;
    return true;
}

/* ---- setting ---- */

static bool assign_objects(struct hf_ottl_run *run, const struct hf_ottl_node *target,
                           const struct hf_ottl_value *value)
{
    struct hf_message *owner;
    uint32_t number;
    if (!hf_path_objects(target->path, run->place, &owner, &number)) {
        return true;
    }
    if (owner == value->owner && number == value->number) {
        return true;
    }
    if (hf_message_type(owner)->fields[number].message !=
        hf_message_type(value->owner)->fields[value->number].message) {
        return hf_ottl_fail(run, "objects of another kind cannot be set");
    }
    hf_message_clear(owner, number);
    struct hf_message *child = hf_message_first(value->owner, value->number);
    for (; child != NULL; child = hf_message_next(child)) {
        if (hf_message_copy(child, owner, number) == NULL) {
            return hf_ottl_no_memory(run);
        }
    }
    return true;
}

/* A time or an id fits a path of its own kind alone. */
static bool to_any_for(struct hf_ottl_run *run, enum hf_path_kind kind,
                       const struct hf_ottl_value *value, struct hf_any *ret_any)
{
    bool is_for_time = kind == HF_PATH_TIME;
    bool is_for_id = kind == HF_PATH_TRACE_ID || kind == HF_PATH_SPAN_ID;
    if (is_for_time && value->type == HF_OTTL_TIME) {
        *ret_any = (struct hf_any){.type = HF_ANY_INT, .integer = value->integer};
        return true;
    }
    if (is_for_id &&
        value->type == (kind == HF_PATH_TRACE_ID ? HF_OTTL_TRACE_ID : HF_OTTL_SPAN_ID)) {
        *ret_any = (struct hf_any){.type = HF_ANY_BYTES, .bytes = value->bytes};
        return true;
    }
    if (is_for_time || is_for_id) {
        return hf_ottl_fail(run, "expects %s but got %s",
                            is_for_time                ? "time"
                            : kind == HF_PATH_TRACE_ID ? "trace id"
                                                       : "span id",
                            hf_ottl_type_name(value->type));
    }
    if (!hf_ottl_to_any(value, ret_any)) {
        return hf_ottl_fail(run, "unsupported type %s for set operation",
                            hf_ottl_type_name(value->type));
    }
    return true;
}

bool hf_ottl_assign(struct hf_ottl_run *run, const struct hf_ottl_node *target,
                    const struct hf_ottl_value *value)
{
    struct hf_any_key keys[HF_ANY_KEYS_MAX];
    struct hf_any any;
    if (target->kind == HF_NODE_CACHE) {
        return assign_cache(run, target, value);
    }
    enum hf_path_kind kind = hf_path_kind(target->path);
    if ((kind == HF_PATH_OBJECT || kind == HF_PATH_OBJECTS) && value->type == HF_OTTL_OBJECTS) {
        return assign_objects(run, target, value);
    }
    if (!to_any_for(run, kind, value, &any)) {
        return false;
    }
    if (target->has_fixed_keys) {
        return hf_ottl_passes(run, hf_path_set(target->path, run->place, &any, run->error));
    }
    return hf_ottl_keys_of(run, target, 0, keys) &&
           hf_ottl_passes(run, hf_path_set_at(target->path, run->place, keys, target->count, &any,
                                              run->error));
}

/* ---- lists and maps ---- */

bool hf_ottl_evaluate_list(const struct hf_ottl_node *node, struct hf_ottl_run *run,
                           struct hf_ottl_value *ret_value)
{
    struct hf_slice *values = hf_ottl_take(run, (node->count + 1) * sizeof(*values));
    if (values == NULL) {
        return false;
    }
    for (size_t i = 0; i < node->count; i++) {
        struct hf_ottl_value value;
        if (!hf_ottl_value_of(run, node->items[i], &value) ||
            !hf_ottl_encode(run, &value, &values[i])) {
            return false;
        }
    }
    return hf_ottl_list_of(run, values, node->count, ret_value);
}

bool hf_ottl_evaluate_map(const struct hf_ottl_node *node, struct hf_ottl_run *run,
                          struct hf_ottl_value *ret_value)
{
    struct hf_ottl_pairs pairs;
    if (!hf_ottl_pairs_of(run, HF_EMPTY_SLICE, node->count / 2, &pairs)) {
        return false;
    }
    for (size_t i = 0; i + 1 < node->count; i += 2) {
        struct hf_ottl_value value;
        struct hf_slice encoded;
        if (!hf_ottl_value_of(run, node->items[i + 1], &value) ||
            !hf_ottl_encode(run, &value, &encoded) ||
            !hf_ottl_pairs_put(run, &pairs, node->items[i]->value.bytes, encoded)) {
            return false;
        }
    }
    return hf_ottl_map_of_pairs(run, &pairs, ret_value);
}

bool hf_ottl_step_into(struct hf_ottl_run *run, const struct hf_any_key *key,
                       struct hf_ottl_value *value)
{
    struct hf_any any;
    struct hf_slice found;
    if (!hf_ottl_to_any(value, &any)) {
        return hf_ottl_fail(run, "type %s does not support indexing",
                            hf_ottl_type_name(value->type));
    }
    if (value->type == HF_OTTL_MAP && !key->is_index) {
        if (!hf_any_look_up(&any, key->text, &found)) {
            return hf_ottl_fail(run, "key not found in map");
        }
    } else if (value->type == HF_OTTL_LIST && key->is_index) {
        if (key->index < 0 || !hf_any_at(&any, (size_t)key->index, &found)) {
            return hf_ottl_fail(run, "index %" PRId64 " out of bounds", key->index);
        }
    } else {
        return hf_ottl_fail(run, "type %s does not support %s indexing",
                            hf_ottl_type_name(value->type), key->is_index ? "int" : "string");
    }
    any = hf_any_read(found);
    *value = hf_ottl_from_any(&any);
    return true;
}

bool hf_ottl_evaluate_index(const struct hf_ottl_node *node, struct hf_ottl_run *run,
                            struct hf_ottl_value *ret_value)
{
    struct hf_any_key keys[HF_ANY_KEYS_MAX];
    struct hf_ottl_value value;
    if (node->count > HF_ANY_KEYS_MAX) {
        return hf_ottl_fail(run, "more than %u keys", HF_ANY_KEYS_MAX);
    }
    if (!hf_ottl_value_of(run, node->items[0], &value) || !hf_ottl_keys_of(run, node, 1, keys)) {
        return false;
    }
    for (size_t i = 1; i < node->count; i++) {
        if (!hf_ottl_step_into(run, &keys[i - 1], &value)) {
            return false;
        }
    }
    *ret_value = value;
    return true;
}

/* ---- calls ---- */

bool hf_ottl_evaluate_call(const struct hf_ottl_node *node, struct hf_ottl_run *run,
                           struct hf_ottl_value *ret_value)
{
    const struct hf_ottl_call *call = node->call;
    struct hf_ottl_value arguments[HF_OTTL_ARGUMENTS_MAX];
    for (size_t i = 0; i < call->count; i++) {
        enum hf_ottl_argument_kind kind = call->function->arguments[i].kind & HF_ARG_KIND_MASK;
        const struct hf_ottl_node *argument = call->nodes[i];
        arguments[i] = hf_ottl_nil();
        if (argument == NULL || kind >= HF_ARG_PATH) {
            continue;
        }
        if (!hf_ottl_value_of(run, argument, &arguments[i]) ||
            !hf_ottl_convert(run, kind, &arguments[i])) {
            return false;
        }
    }
    *ret_value = hf_ottl_nil();
    return call->function->run(run, call, arguments, ret_value);
}

/* ---- calculating ---- */

static bool calculate_ints(struct hf_ottl_run *run, char sign, int64_t a, int64_t b,
                           struct hf_ottl_value *ret_value)
{
    /* Overflow wraps, as in Go. */
    uint64_t left = (uint64_t)a, right = (uint64_t)b;
    switch (sign) {
    case '+':
        *ret_value = hf_ottl_int((int64_t)(left + right));
        return true;
    case '-':
        *ret_value = hf_ottl_int((int64_t)(left - right));
        return true;
    case '*':
        *ret_value = hf_ottl_int((int64_t)(left * right));
        return true;
    default:
        if (b == 0) {
            return hf_ottl_fail(run, "attempted to divide by 0");
        }
        *ret_value = hf_ottl_int(b == -1 ? (int64_t)(0 - left) : a / b);
        return true;
    }
}

static bool calculate_doubles(struct hf_ottl_run *run, char sign, double a, double b,
                              struct hf_ottl_value *ret_value)
{
    if (sign == '/' && b == 0) {
        return hf_ottl_fail(run, "attempted to divide by 0");
    }
    *ret_value = hf_ottl_double(sign == '+'   ? a + b
                                : sign == '-' ? a - b
                                : sign == '*' ? a * b
                                              : a / b);
    return true;
}

static bool calculate_times(struct hf_ottl_run *run, char sign, const struct hf_ottl_value *a,
                            const struct hf_ottl_value *b, struct hf_ottl_value *ret_value)
{
    bool is_sum = sign == '+';
    bool fits = a->type == HF_OTTL_TIME
                    ? b->type == HF_OTTL_DURATION || (!is_sum && b->type == HF_OTTL_TIME)
                    : b->type == HF_OTTL_DURATION || (is_sum && b->type == HF_OTTL_TIME);
    if ((!is_sum && sign != '-') || !fits) {
        return hf_ottl_fail(run, "only durations can be added to and subtracted from times");
    }
    bool is_time = (a->type == HF_OTTL_TIME) != (b->type == HF_OTTL_TIME);
    *ret_value = (struct hf_ottl_value){.type = is_time ? HF_OTTL_TIME : HF_OTTL_DURATION};
    if (is_time) {
        ret_value->offset_s = a->type == HF_OTTL_TIME ? a->offset_s : b->offset_s;
    }
    uint64_t left = (uint64_t)a->integer, right = (uint64_t)b->integer;
    ret_value->integer = (int64_t)(is_sum ? left + right : left - right);
    return true;
}

static bool is_number(const struct hf_ottl_value *value)
{
    return value->type == HF_OTTL_INT || value->type == HF_OTTL_DOUBLE;
}

static double as_double(const struct hf_ottl_value *value)
{
    return value->type == HF_OTTL_INT ? (double)value->integer : value->real;
}

bool hf_ottl_evaluate_math(const struct hf_ottl_node *node, struct hf_ottl_run *run,
                           struct hf_ottl_value *ret_value)
{
    struct hf_ottl_value a, b;
    if (!hf_ottl_value_of(run, node->items[0], &a) || !hf_ottl_value_of(run, node->items[1], &b)) {
        return false;
    }
    if (a.type == HF_OTTL_INT && b.type == HF_OTTL_INT) {
        return calculate_ints(run, node->sign, a.integer, b.integer, ret_value);
    }
    if (is_number(&a) && is_number(&b)) {
        return calculate_doubles(run, node->sign, as_double(&a), as_double(&b), ret_value);
    }
    if (a.type == HF_OTTL_TIME || a.type == HF_OTTL_DURATION) {
        return calculate_times(run, node->sign, &a, &b, ret_value);
    }
    return hf_ottl_fail(run, "%s must be int64, float64, time.Time or time.Duration",
                        hf_ottl_type_name(is_number(&a) ? b.type : a.type));
}

bool hf_ottl_evaluate_negate(const struct hf_ottl_node *node, struct hf_ottl_run *run,
                             struct hf_ottl_value *ret_value)
{
    struct hf_ottl_value value;
    if (!hf_ottl_value_of(run, node->items[0], &value)) {
        return false;
    }
    if (value.type == HF_OTTL_INT) {
        *ret_value = hf_ottl_int((int64_t)(0 - (uint64_t)value.integer));
    } else if (value.type == HF_OTTL_DOUBLE) {
        *ret_value = hf_ottl_double(-value.real);
    } else {
        return hf_ottl_fail(run, "unsupported unary minus operation on type %s",
                            hf_ottl_type_name(value.type));
    }
    return true;
}

/* ---- conditions ---- */

enum hf_ottl_verdict hf_ottl_judge_literal(const struct hf_ottl_node *node, struct hf_ottl_run *run)
{
    (void)run;
    return node->value.integer != 0 ? HF_OTTL_TRUE : HF_OTTL_FALSE;
}

enum hf_ottl_verdict hf_ottl_judge_compare(const struct hf_ottl_node *node, struct hf_ottl_run *run)
{
    struct hf_ottl_value a, b;
    if (!hf_ottl_value_of(run, node->items[0], &a) || !hf_ottl_value_of(run, node->items[1], &b)) {
        return HF_OTTL_ERROR;
    }
    return hf_ottl_compare(&a, &b, node->comparison) ? HF_OTTL_TRUE : HF_OTTL_FALSE;
}

enum hf_ottl_verdict hf_ottl_judge_and(const struct hf_ottl_node *node, struct hf_ottl_run *run)
{
    enum hf_ottl_verdict verdict = HF_OTTL_TRUE;
    for (size_t i = 0; i < node->count && verdict == HF_OTTL_TRUE; i++) {
        verdict = node->items[i]->judge(node->items[i], run);
    }
    return verdict;
}

enum hf_ottl_verdict hf_ottl_judge_or(const struct hf_ottl_node *node, struct hf_ottl_run *run)
{
    enum hf_ottl_verdict verdict = HF_OTTL_FALSE;
    for (size_t i = 0; i < node->count && verdict == HF_OTTL_FALSE; i++) {
        verdict = node->items[i]->judge(node->items[i], run);
    }
    return verdict;
}

enum hf_ottl_verdict hf_ottl_judge_not(const struct hf_ottl_node *node, struct hf_ottl_run *run)
{
    enum hf_ottl_verdict verdict = node->items[0]->judge(node->items[0], run);
    return verdict == HF_OTTL_ERROR  ? verdict
           : verdict == HF_OTTL_TRUE ? HF_OTTL_FALSE
                                     : HF_OTTL_TRUE;
}

enum hf_ottl_verdict hf_ottl_judge_test(const struct hf_ottl_node *node, struct hf_ottl_run *run)
{
    struct hf_ottl_value value;
    if (!hf_ottl_value_of(run, node->items[0], &value)) {
        return HF_OTTL_ERROR;
    }
    if (value.type != HF_OTTL_BOOL) {
        hf_ottl_fail(run,
                     "value returned from Converter in constant expression must be bool but got %s",
                     hf_ottl_type_name(value.type));
        return HF_OTTL_ERROR;
    }
    return value.integer != 0 ? HF_OTTL_TRUE : HF_OTTL_FALSE;
}
