#include "influx_lines.h"

#include <stdlib.h>

enum hf_status influx_lines_write(struct influx_lines *lines, enum hf_signal signal,
                                  struct hf_slice raw, struct hf_bytes *out)
{
    struct hf_document *document = hf_document_borrow(signal, raw);
    struct hf_place place = {.document = document};
    if (document == NULL) {
        return HF_NOMEM;
    }
    lines->document = document;
    lines->writer.out = out;
    lines->writer.failed = lines->failed = false;
    lines->writer.line_count = 0;
    lines->left_out = 0;
    lines->why = NULL;
    while (hf_place_next_item(&place)) {
        lines->tags.count = lines->others.count = 0;
        if (signal == HF_METRICS) {
            influx_metric_write(lines, &place);
        } else if (signal == HF_TRACES) {
            influx_span_write(lines, &place);
        } else {
            influx_record_write(lines, &place);
        }
    }
    enum hf_status status = hf_document_status(document);
    hf_document_return(document);
    lines->document = NULL;
    if (status == HF_INVALID) {
        return HF_CORRUPT;
    }
    return status == HF_OK && (lines->failed || lines->writer.failed) ? HF_NOMEM : status;
}

void influx_lines_release(struct influx_lines *lines)
{
    free(lines->tags.items);
    free(lines->others.items);
    hf_bytes_release(&lines->scratch);
}
