/*
 * resolve_internal: between resolve.c, resolve_call.c and fold.c.
 */
#pragma once

#include "function.h"
#include "node.h"

/* `is_editor`: it stands at the front of a statement. */
HF_MUST_USE enum hf_status hf_ottl_resolve_call(struct hf_ottl_resolve *resolve,
                                                struct hf_ottl_node *node, bool is_editor);

/* Makes a node the literal of that value, which is copied. HF_NOMEM. */
HF_MUST_USE enum hf_status hf_ottl_become(struct hf_ottl_resolve *resolve,
                                          struct hf_ottl_node *node, struct hf_ottl_value value);
/* Makes a node whose parts are all literals a literal. HF_NOMEM. */
HF_MUST_USE enum hf_status hf_ottl_fold(struct hf_ottl_resolve *resolve, struct hf_ottl_node *node);
