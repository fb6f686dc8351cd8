/*
 * check_built: what a reader of a foreign format has built passes the scan. It is included, not
 * linked.
 */
#pragma once

#include "check.h"
#include "pdata/build.h"
#include "pdata/scan.h"

/* Ends and releases the builder. */
static inline void check_built(struct hf_builder *builder, enum hf_signal signal)
{
    struct hf_scan scan;
    check(hf_build_finish(builder) == HF_OK);
    for (struct hf_batch *batch = hf_build_take(builder); batch != NULL;
         batch = hf_build_take(builder)) {
        check(hf_scan(signal, batch->raw, &scan) == HF_OK && scan.items == batch->items);
        hf_ref_drop(&batch->ref);
    }
    hf_builder_release(builder);
}
