/*
 * Bytes as the answer to a bulk request of four items: whatever they are, the outcomes are of those
 * items, in order and without overlap, and their words can be shown.
 *
 * Must reach: hf_bulk_answer_read, judge_document, join, hf_bulk_answer_reason.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bulk/answer.h"

#define ITEMS 4u

static void check_words(const char *words)
{
    for (; words != NULL && *words != '\0'; words++) {
        if ((unsigned char)*words < ' ') {
            abort();
        }
    }
}

static void check_outcomes(const struct hf_bulk_answer *answer)
{
    uint32_t behind = 0;
    for (size_t i = 0; i < answer->count; i++) {
        const struct hf_item_outcome *one = &answer->items[i];
        if (one->first < behind || one->count == 0 || one->count > ITEMS - one->first ||
            one->status == HF_OK) {
            abort();
        }
        behind = one->first + one->count;
        check_words(one->message);
    }
}

static void build(struct hf_bulk *bulk, const struct hf_export *export, struct hf_bytes *out)
{
    const struct hf_bulk_action action = {.verb = "create", .index = hf_slice_text("i")};
    hf_bulk_begin(bulk, export, "0123456789abcdef", out);
    while (bulk->item + 1 < ITEMS && hf_bulk_next_item(bulk)) {
        hf_bulk_begin_document(bulk, &action);
        hf_json_write_made(&bulk->writer, hf_slice_text("{}"));
        hf_bulk_end_document(bulk);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct hf_export export = {.signal = HF_LOGS, .items = ITEMS};
    static const int codes[] = {412};
    const struct hf_bulk_retry retry = {codes, 1};
    struct hf_bulk bulk = {0};
    struct hf_bulk_answer answer = {0};
    struct hf_bytes out = {0};
    struct hf_slice body = hf_slice_of(data, size);
    char error[HF_BULK_ERROR_MAX], reason[200];
    build(&bulk, &export, &out);
    if (hf_bulk_answer_read(&answer, &bulk, &retry, &body, error) == HF_OK) {
        check_outcomes(&answer);
    }
    hf_bulk_answer_reason(body, reason, sizeof(reason));
    if (strnlen(reason, sizeof(reason)) == sizeof(reason)) {
        abort();
    }
    check_words(reason);
    hf_bulk_answer_release(&answer);
    hf_bulk_release(&bulk);
    hf_bytes_release(&out);
    return 0;
}
