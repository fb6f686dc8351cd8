/*
 * bench-loki RECORDS: makes push requests for Loki of requests of 100 log records, so many records
 * in all, without compression. For counting instructions.
 */
#include <stdio.h>
#include <stdlib.h>

#include "../../../chaos/storm/body.h"
#include "components/exporters/loki/loki_records.h"

#define RECORDS 100u

static enum hf_status push(struct loki_records *records, struct hf_slice raw, struct hf_bytes *out)
{
    struct hf_document *document = hf_document_borrow(HF_LOGS, raw);
    struct hf_place place = {.document = document};
    enum hf_status status = document != NULL ? HF_OK : HF_NOMEM;
    bool is_taken = true;
    loki_records_begin(records);
    loki_push_begin(&records->push);
    while (status == HF_OK && is_taken && hf_place_next_item(&place)) {
        status = loki_records_add(records, &place, 1, &is_taken);
    }
    out->size = 0;
    status = status == HF_OK ? loki_push_write(&records->push, out) : status;
    hf_document_return(document);
    return status == HF_OK && !is_taken ? HF_INVALID : status;
}

int main(int argc, char **argv)
{
    const struct loki_record_config config = {.labels.defaults = {true, true, true, true}};
    struct loki_records records = {.config = NULL};
    struct storm_body body;
    struct hf_bytes out = {0};
    if (argc != 2) {
        fputs("usage: bench-loki RECORDS\n", stderr);
        return 2;
    }
    if (!storm_body_make(&body, HF_LOGS, RECORDS, 1) ||
        loki_records_init(&records, &config) != HF_OK) {
        return 1;
    }
    for (unsigned long left = strtoul(argv[1], NULL, 10); left >= RECORDS; left -= RECORDS) {
        if (push(&records, hf_slice_of(body.bytes.data, body.bytes.size), &out) != HF_OK) {
            fputs("the request was not made\n", stderr);
            return 1;
        }
    }
    hf_bytes_release(&out);
    loki_records_release(&records);
    storm_body_release(&body);
    return 0;
}
