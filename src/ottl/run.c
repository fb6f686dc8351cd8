/* What each step of a run calls: errors, memory of the run, the value of a node. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "function.h"
#include "node.h"

bool hf_ottl_fail(struct hf_ottl_run *run, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(run->error, sizeof(run->error), format, arguments);
    va_end(arguments);
    return false;
}

bool hf_ottl_no_memory(struct hf_ottl_run *run)
{
    run->no_memory = true;
    snprintf(run->error, sizeof(run->error), "out of memory");
    return false;
}

bool hf_ottl_passes(struct hf_ottl_run *run, enum hf_status status)
{
    return status == HF_OK || (status == HF_NOMEM ? hf_ottl_no_memory(run) : false);
}

void *hf_ottl_take(struct hf_ottl_run *run, size_t size)
{
    void *piece = hf_arena_take(&run->scratch, size);
    if (piece == NULL) {
        hf_ottl_no_memory(run);
    }
    return piece;
}

struct hf_slice hf_ottl_keep(struct hf_ottl_run *run, struct hf_slice bytes)
{
    uint8_t *kept = bytes.size == 0 ? NULL : hf_ottl_take(run, bytes.size);
    if (kept == NULL) {
        return HF_EMPTY_SLICE;
    }
    memcpy(kept, bytes.data, bytes.size);
    return hf_slice_of(kept, bytes.size);
}

bool hf_ottl_encode(struct hf_ottl_run *run, const struct hf_ottl_value *value,
                    struct hf_slice *ret_any)
{
    struct hf_any_maker maker = {.arena = &run->scratch};
    struct hf_any any;
    if (!hf_ottl_to_any(value, &any)) {
        return hf_ottl_fail(run, "unsupported type %s for set operation",
                            hf_ottl_type_name(value->type));
    }
    *ret_any = hf_any_make(&maker, &any);
    return maker.failed ? hf_ottl_no_memory(run) : true;
}

bool hf_ottl_value_of(struct hf_ottl_run *run, const struct hf_ottl_node *node,
                      struct hf_ottl_value *ret_value)
{
    return node->evaluate(node, run, ret_value);
}
