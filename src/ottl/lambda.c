#include "lambda.h"

#include "function.h"
#include "resolve_internal.h"

static bool is_parameter(const struct hf_ottl_node *lambda, struct hf_slice name,
                         size_t *ret_position)
{
    for (size_t i = lambda->name_count; i-- > 0;) {
        if (hf_slice_equal(lambda->names[i], name) && !hf_slice_is(name, "_")) {
            *ret_position = i;
            return true;
        }
    }
    return false;
}

bool hf_ottl_become_local(const struct hf_ottl_resolve *resolve, struct hf_ottl_node *node)
{
    size_t outward = 0;
    if (node->name_count != 1) {
        return false;
    }
    for (const struct hf_ottl_scope *scope = resolve->scope; scope != NULL; scope = scope->outer) {
        if (is_parameter(scope->lambda, node->names[0], &node->position)) {
            node->kind = HF_NODE_LOCAL;
            node->outward = outward;
            return true;
        }
        outward++;
    }
    return false;
}

enum hf_status hf_ottl_resolve_lambda(struct hf_ottl_resolve *resolve, struct hf_ottl_node *lambda)
{
    struct hf_ottl_scope scope = {.lambda = lambda, .outer = resolve->scope};
    resolve->scope = &scope;
    enum hf_status status = resolve->resolve(resolve, lambda->items[0]);
    resolve->scope = scope.outer;
    return status;
}

bool hf_ottl_evaluate_local(const struct hf_ottl_node *node, struct hf_ottl_run *run,
                            struct hf_ottl_value *ret_value)
{
    struct hf_any_key keys[HF_ANY_KEYS_MAX];
    const struct hf_ottl_frame *frame = run->frame;
    if (node->count > HF_ANY_KEYS_MAX) {
        return hf_ottl_fail(run, "more than %u keys", HF_ANY_KEYS_MAX);
    }
    for (size_t i = 0; i < node->outward; i++) {
        frame = frame->outer;
    }
    if (!hf_ottl_keys_of(run, node, 0, keys)) {
        return false;
    }
    struct hf_ottl_value value = frame->values[node->position];
    for (size_t i = 0; i < node->count; i++) {
        if (!hf_ottl_step_into(run, &keys[i], &value)) {
            return false;
        }
    }
    *ret_value = value;
    return true;
}

bool hf_ottl_apply(struct hf_ottl_run *run, const struct hf_ottl_node *lambda,
                   const struct hf_ottl_value *values, struct hf_ottl_value *ret_value)
{
    struct hf_ottl_frame frame = {.values = values, .outer = run->frame};
    const struct hf_ottl_node *body = lambda->items[0];
    bool ok;
    run->frame = &frame;
    if (body->evaluate != NULL) {
        ok = body->evaluate(body, run, ret_value);
    } else {
        enum hf_ottl_verdict verdict = body->judge(body, run);
        ok = verdict != HF_OTTL_ERROR;
        *ret_value = hf_ottl_bool(verdict == HF_OTTL_TRUE);
    }
    run->frame = frame.outer;
    return ok;
}
