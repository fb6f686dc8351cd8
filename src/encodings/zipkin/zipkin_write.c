#include "zipkin_write.h"

#include "pdata/document.h"
#include "zipkin_out.h"

static enum hf_status write_spans(struct hf_document *document,
                                  const struct hf_zipkin_write_options *options,
                                  struct hf_bytes *out, uint64_t *ret_left_out)
{
    struct hf_place place = {.document = document};
    struct hf_zipkin_span span;
    bool failed = false, has_span = false;
    while (hf_place_next_item(&place) && !failed) {
        if (!hf_zipkin_out_span(&place, hf_slice_text(options->default_service), &span)) {
            ++*ret_left_out;
        } else if (options->is_proto) {
            hf_zipkin_out_proto(&span, out, &failed);
        } else {
            failed = hf_bytes_append(out, hf_slice_text(has_span ? "," : "[")) != HF_OK;
            has_span = true;
            hf_zipkin_out_json(&span, out, &failed);
        }
    }
    if (has_span) {
        failed |= hf_bytes_append(out, hf_slice_text("]")) != HF_OK;
    }
    return failed ? HF_NOMEM : hf_document_status(document);
}

enum hf_status hf_zipkin_write(struct hf_slice raw, const struct hf_zipkin_write_options *options,
                               struct hf_bytes *out, uint64_t *ret_left_out)
{
    struct hf_document *document = hf_document_borrow(HF_TRACES, raw);
    *ret_left_out = 0;
    if (document == NULL) {
        return HF_NOMEM;
    }
    enum hf_status status = write_spans(document, options, out, ret_left_out);
    hf_document_return(document);
    return status;
}
