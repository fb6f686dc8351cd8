/*
 * lambda: functions without a name, (key, value) => ..., that stand as an argument of a converter.
 * While a text is resolved, scopes say which parameters are known; while it runs, frames have their
 * values. Each belongs to the thread that resolves or runs.
 */
#pragma once

#include "node.h"

/* The parameters of a lambda, while its body is resolved. */
struct hf_ottl_scope {
    const struct hf_ottl_node *lambda;
    const struct hf_ottl_scope *outer; /* NULL: none */
};

/* The values of the parameters of one lambda, while its body runs. */
struct hf_ottl_frame {
    const struct hf_ottl_value *values;
    const struct hf_ottl_frame *outer;
};

/* What a LAMBDA yields for as many values as it has parameters. */
HF_MUST_USE bool hf_ottl_apply(struct hf_ottl_run *run, const struct hf_ottl_node *lambda,
                               const struct hf_ottl_value *values, struct hf_ottl_value *ret_value);
/* The body of a LAMBDA, in which its parameters are known. */
HF_MUST_USE enum hf_status hf_ottl_resolve_lambda(struct hf_ottl_resolve *resolve,
                                                  struct hf_ottl_node *lambda);
/* Is a PATH the parameter of a lambda around it? Then it becomes LOCAL. */
bool hf_ottl_become_local(const struct hf_ottl_resolve *resolve, struct hf_ottl_node *node);
