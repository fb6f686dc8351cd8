/* Nodes that become literals, and what they give back. */
#include <string.h>

#include "resolve_internal.h"
#include "util/regex/regex.h"

#define FOLD_LIMIT_BYTES (4u << 20)

static void release_call(struct hf_ottl_call *call)
{
    for (size_t i = 0; call != NULL && i < call->count; i++) {
        hf_regex_free(call->regexes[i]);
        call->regexes[i] = NULL;
    }
    if (call != NULL && call->prepared != NULL) {
        call->unprepare(call->prepared);
        call->prepared = NULL;
    }
}

void hf_ottl_release(struct hf_ottl_node *node)
{
    if (node == NULL) {
        return;
    }
    hf_path_free(node->path);
    node->path = NULL;
    release_call(node->call);
    node->call = NULL;
    for (size_t i = 0; i < node->count; i++) {
        hf_ottl_release(node->items[i]);
    }
}

enum hf_status hf_ottl_become(struct hf_ottl_resolve *resolve, struct hf_ottl_node *node,
                              struct hf_ottl_value value)
{
    if (value.bytes.size > 0) {
        uint8_t *kept = hf_arena_take(resolve->arena, value.bytes.size + 1);
        if (kept == NULL) {
            return HF_NOMEM;
        }
        memcpy(kept, value.bytes.data, value.bytes.size);
        kept[value.bytes.size] = '\0';
        value.bytes.data = kept;
    }
    hf_ottl_release(node);
    node->kind = HF_NODE_LITERAL;
    node->value = value;
    node->count = 0;
    node->evaluate = hf_ottl_evaluate_literal;
    node->judge = hf_ottl_judge_literal;
    return HF_OK;
}

/* What fails now fails when it runs: an error is the item's, not the configuration's. */
enum hf_status hf_ottl_fold(struct hf_ottl_resolve *resolve, struct hf_ottl_node *node)
{
    struct hf_ottl_run run = {.scratch.limit = FOLD_LIMIT_BYTES};
    struct hf_ottl_value value = hf_ottl_nil();
    enum hf_status status = HF_OK;
    if (node->evaluate != NULL) {
        if (node->evaluate(node, &run, &value)) {
            status = hf_ottl_become(resolve, node, value);
        }
    } else {
        enum hf_ottl_verdict verdict = node->judge(node, &run);
        if (verdict != HF_OTTL_ERROR) {
            status = hf_ottl_become(resolve, node, hf_ottl_bool(verdict == HF_OTTL_TRUE));
        }
    }
    hf_arena_release(&run.scratch);
    hf_bytes_release(&run.text);
    return run.no_memory ? HF_NOMEM : status;
}
