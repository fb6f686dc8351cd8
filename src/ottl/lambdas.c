/* Converters that take a lambda: over the items of a list or the pairs of a map, or once. */
#include "function.h"
#include "lambda.h"

#define CONVERTER(name)                                                                            \
    static bool name(struct hf_ottl_run *run, const struct hf_ottl_call *call,                     \
                     const struct hf_ottl_value *arguments, struct hf_ottl_value *ret_value)

/* ---- the items ---- */

/* One step through a list or a map. */
struct step {
    struct hf_wire items;
    bool is_map;
    int64_t index;
    struct hf_ottl_value key; /* the text of a pair, the index of an item */
    struct hf_slice encoded;  /* the value as it stands there */
    struct hf_ottl_value value;
};

static bool start(struct hf_ottl_run *run, const struct hf_ottl_value *source,
                  struct step *ret_step)
{
    struct hf_any any;
    if (source->type != HF_OTTL_MAP && source->type != HF_OTTL_LIST) {
        return hf_ottl_fail(run, "unsupported type provided: %s", hf_ottl_type_name(source->type));
    }
    bool ok = hf_ottl_to_any(source, &any);
    *ret_step = (struct step){
        .items = hf_any_items(&any), .is_map = source->type == HF_OTTL_MAP, .index = -1};
    return ok;
}

static bool next(struct step *step)
{
    struct hf_any_pair pair;
    if (step->is_map) {
        if (!hf_any_next_pair(&step->items, &pair)) {
            return false;
        }
        step->key = hf_ottl_string(pair.key);
        step->encoded = pair.value;
    } else {
        if (!hf_any_next_value(&step->items, &step->encoded)) {
            return false;
        }
        step->key = hf_ottl_int(++step->index);
    }
    struct hf_any any = hf_any_read(step->encoded);
    step->value = hf_ottl_from_any(&any);
    return true;
}

/* What a lambda yields, which has to be something. */
static bool apply_values(struct hf_ottl_run *run, const struct hf_ottl_node *lambda,
                         const struct hf_ottl_value *values, struct hf_ottl_value *ret_value)
{
    return hf_ottl_apply(run, lambda, values, ret_value) &&
           (ret_value->type != HF_OTTL_NIL ||
            hf_ottl_fail(run, "the lambda must yield a value but yields nil"));
}

static bool apply(struct hf_ottl_run *run, const struct hf_ottl_node *lambda,
                  const struct step *step, struct hf_ottl_value *ret_value)
{
    const struct hf_ottl_value values[] = {step->key, step->value};
    return apply_values(run, lambda, values, ret_value);
}

static bool is_bool(struct hf_ottl_run *run, const struct hf_ottl_value *value)
{
    return value->type == HF_OTTL_BOOL ||
           hf_ottl_fail(run, "the lambda must yield bool but yields %s",
                        hf_ottl_type_name(value->type));
}

/* Is the condition true for the item? */
static bool judge(struct hf_ottl_run *run, const struct hf_ottl_node *lambda,
                  const struct step *step, bool *ret_true)
{
    struct hf_ottl_value value;
    if (!apply(run, lambda, step, &value) || !is_bool(run, &value)) {
        return false;
    }
    *ret_true = value.integer != 0;
    return true;
}

/* The first item for which the condition is `sought`; false also with `ret_found` false. */
static bool search(struct hf_ottl_run *run, const struct hf_ottl_call *call, bool sought,
                   struct step *step, bool *ret_found)
{
    *ret_found = false;
    while (!*ret_found && next(step)) {
        bool is_true;
        if (!judge(run, call->nodes[1], step, &is_true)) {
            return false;
        }
        *ret_found = is_true == sought;
    }
    return true;
}

/* ---- conditions ---- */

CONVERTER(all)
{
    struct step step;
    bool found;
    if (!start(run, &arguments[0], &step) || !search(run, call, false, &step, &found)) {
        return false;
    }
    *ret_value = hf_ottl_bool(!found);
    return true;
}

CONVERTER(any)
{
    struct step step;
    bool found;
    if (!start(run, &arguments[0], &step) || !search(run, call, true, &step, &found)) {
        return false;
    }
    *ret_value = hf_ottl_bool(found);
    return true;
}

CONVERTER(find)
{
    struct step step;
    bool found;
    if (!start(run, &arguments[0], &step) || !search(run, call, true, &step, &found)) {
        return false;
    }
    if (found && call->nodes[2] != NULL) {
        return apply(run, call->nodes[2], &step, ret_value);
    }
    *ret_value = found ? step.value : hf_ottl_nil();
    return true;
}

/* ---- lists and maps made of others ---- */

struct made {
    bool is_map;
    struct hf_ottl_pairs pairs; /* of a list, the values alone */
};

static bool begin(struct hf_ottl_run *run, const struct step *step, struct made *ret_made)
{
    ret_made->is_map = step->is_map;
    return hf_ottl_pairs_of(run, HF_EMPTY_SLICE, 8, &ret_made->pairs);
}

/* Keys are not compared: there are as many as there were. */
static bool add(struct hf_ottl_run *run, struct made *made, struct hf_slice key,
                struct hf_slice value)
{
    return hf_ottl_pairs_add(run, &made->pairs, key, value);
}

static bool finish(struct hf_ottl_run *run, const struct made *made,
                   struct hf_ottl_value *ret_value)
{
    if (made->is_map) {
        return hf_ottl_map_of_pairs(run, &made->pairs, ret_value);
    }
    struct hf_slice *values = hf_ottl_take(run, (made->pairs.count + 1) * sizeof(*values));
    if (values == NULL) {
        return false;
    }
    for (size_t i = 0; i < made->pairs.count; i++) {
        values[i] = made->pairs.items[i].value;
    }
    return hf_ottl_list_of(run, values, made->pairs.count, ret_value);
}

static struct hf_slice key_of(const struct step *step)
{
    return step->is_map ? step->key.bytes : HF_EMPTY_SLICE;
}

CONVERTER(filter)
{
    struct step step;
    struct made made;
    bool is_true;
    if (!start(run, &arguments[0], &step) || !begin(run, &step, &made)) {
        return false;
    }
    while (next(&step)) {
        if (!judge(run, call->nodes[1], &step, &is_true) ||
            (is_true && !add(run, &made, key_of(&step), step.encoded))) {
            return false;
        }
    }
    return finish(run, &made, ret_value);
}

CONVERTER(map_each)
{
    struct step step;
    struct made made;
    if (!start(run, &arguments[0], &step) || !begin(run, &step, &made)) {
        return false;
    }
    while (next(&step)) {
        struct hf_ottl_value value;
        struct hf_slice encoded;
        if (!apply(run, call->nodes[1], &step, &value) || !hf_ottl_encode(run, &value, &encoded) ||
            !add(run, &made, key_of(&step), encoded)) {
            return false;
        }
    }
    return finish(run, &made, ret_value);
}

CONVERTER(map_keys)
{
    struct hf_ottl_pairs pairs;
    struct step step;
    if (!start(run, &arguments[0], &step) || !hf_ottl_pairs_of(run, HF_EMPTY_SLICE, 8, &pairs)) {
        return false;
    }
    while (next(&step)) {
        struct hf_ottl_value key;
        if (!apply(run, call->nodes[1], &step, &key) ||
            !hf_ottl_convert(run, HF_ARG_STRING, &key) ||
            !hf_ottl_pairs_put(run, &pairs, key.bytes, step.encoded)) {
            return false;
        }
    }
    return hf_ottl_map_of_pairs(run, &pairs, ret_value);
}

CONVERTER(reduce)
{
    struct hf_ottl_value values[3] = {arguments[1]};
    struct step step;
    if (!start(run, &arguments[0], &step)) {
        return false;
    }
    while (next(&step)) {
        struct hf_ottl_value sum;
        values[1] = step.key;
        values[2] = step.value;
        if (!apply_values(run, call->nodes[2], values, &sum)) {
            return false;
        }
        values[0] = sum;
    }
    *ret_value = values[0];
    return true;
}

/* ---- a choice ---- */

CONVERTER(when)
{
    struct hf_ottl_value value;
    (void)arguments;
    if (!hf_ottl_apply(run, call->nodes[0], NULL, &value) || !is_bool(run, &value)) {
        return false;
    }
    return hf_ottl_value_of(run, call->nodes[value.integer != 0 ? 1 : 2], ret_value);
}

/* ---- how many parameters the lambdas have ---- */

static enum hf_status check_parameters(const struct hf_ottl_call *call, size_t argument,
                                       size_t count, struct hf_ottl_fault *fault)
{
    const struct hf_ottl_node *lambda = call->nodes[argument];
    return lambda == NULL || lambda->name_count == count
               ? HF_OK
               : hf_ottl_refuse(fault, lambda->at,
                                "the lambda of %s has %zu parameters here, and not %zu",
                                call->function->name, count, lambda->name_count);
}

static enum hf_status check_two(struct hf_ottl_call *call, struct hf_ottl_fault *fault, size_t at)
{
    (void)at;
    return check_parameters(call, 1, 2, fault);
}

static enum hf_status check_find(struct hf_ottl_call *call, struct hf_ottl_fault *fault, size_t at)
{
    enum hf_status status = check_two(call, fault, at);
    return status == HF_OK ? check_parameters(call, 2, 2, fault) : status;
}

static enum hf_status check_reduce(struct hf_ottl_call *call, struct hf_ottl_fault *fault,
                                   size_t at)
{
    (void)at;
    return check_parameters(call, 2, 3, fault);
}

static enum hf_status check_when(struct hf_ottl_call *call, struct hf_ottl_fault *fault, size_t at)
{
    (void)at;
    return check_parameters(call, 0, 0, fault);
}

const struct hf_ottl_function hf_ottl_lambdas[] = {
    {.name = "All",
     .arguments = {{"source", HF_ARG_ANY}, {"predicate", HF_ARG_LAMBDA}},
     .run = all,
     .check = check_two},
    {.name = "Any",
     .arguments = {{"source", HF_ARG_ANY}, {"predicate", HF_ARG_LAMBDA}},
     .run = any,
     .check = check_two},
    {.name = "Filter",
     .arguments = {{"source", HF_ARG_ANY}, {"predicate", HF_ARG_LAMBDA}},
     .run = filter,
     .check = check_two},
    {.name = "Find",
     .arguments = {{"source", HF_ARG_ANY},
                   {"predicate", HF_ARG_LAMBDA},
                   {"mapper", HF_ARG_LAMBDA | HF_ARG_OPTIONAL}},
     .run = find,
     .check = check_find},
    {.name = "MapEach",
     .arguments = {{"source", HF_ARG_ANY}, {"mapper", HF_ARG_LAMBDA}},
     .run = map_each,
     .check = check_two},
    {.name = "MapKeys",
     .arguments = {{"source", HF_ARG_MAP}, {"key_mapper", HF_ARG_LAMBDA}},
     .run = map_keys,
     .check = check_two},
    {.name = "Reduce",
     .arguments = {{"source", HF_ARG_ANY}, {"seed", HF_ARG_ANY}, {"accumulator", HF_ARG_LAMBDA}},
     .run = reduce,
     .check = check_reduce},
    {.name = "When",
     .arguments = {{"condition", HF_ARG_LAMBDA},
                   {"true_value", HF_ARG_LAZY},
                   {"false_value", HF_ARG_LAZY}},
     .run = when,
     .check = check_when},
    {.name = NULL},
};
