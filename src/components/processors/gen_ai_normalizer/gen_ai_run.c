#include "gen_ai_run.h"

#include "pdata/any.h"

struct hf_slice gen_ai_text(struct gen_ai_run *run, struct hf_slice value)
{
    struct hf_any any = hf_any_read(value);
    if (any.type == HF_ANY_STRING) {
        return any.bytes;
    }
    run->text.size = 0;
    if (hf_any_text(value, &run->text) != HF_OK) {
        run->status = HF_NOMEM;
        return HF_EMPTY_SLICE;
    }
    return hf_document_keep(run->document, hf_slice_of(run->text.data, run->text.size));
}
