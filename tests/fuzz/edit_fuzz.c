/*
 * Must reach hf_edit() for resources and items of every signal, hf_attributes_read(), _set(),
 * _remove() and _write(), hf_any_read() and hf_any_text(). The first byte is the signal, the second
 * chooses the editor. An edited request must pass the scan with the items that were there; whatever
 * else comes must not be read beyond its end.
 */
#include <stdlib.h>

#include "pdata/any.h"
#include "pdata/edit.h"
#include "pdata/scan.h"

struct fuzz_editor {
    struct hf_editor editor;
    uint8_t choice;
};

static void change(struct hf_editor *editor, struct hf_attributes *attributes)
{
    const struct fuzz_editor *fuzz = HF_CONTAINER(editor, struct fuzz_editor, editor);
    struct hf_slice added = hf_slice_text("added");
    if ((fuzz->choice & 2) != 0) {
        hf_attributes_set(attributes, added, hf_attributes_int(attributes, fuzz->choice));
    }
    if ((fuzz->choice & 4) != 0 && attributes->count > 0) {
        struct hf_bytes text = {0};
        if (hf_any_text(attributes->items[0].value, &text) != HF_OK) {
            abort();
        }
        hf_attributes_set(attributes, attributes->items[0].key,
                          hf_attributes_string(attributes, hf_slice_of(text.data, text.size)));
        hf_bytes_release(&text);
    }
    if ((fuzz->choice & 8) != 0 && attributes->count > 0) {
        hf_attributes_remove(attributes, attributes->items[attributes->count - 1].key);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hf_bytes out = {0};
    struct hf_scan before, after;
    bool changed = false;
    if (size < 2) {
        return 0;
    }
    enum hf_signal signal = (enum hf_signal)(data[0] % (HF_LOGS + 1));
    struct fuzz_editor fuzz = {.editor = {.of_resources = (data[1] & 1) != 0, .change = change},
                               .choice = data[1]};
    struct hf_slice raw = {data + 2, size - 2};
    bool is_good = hf_scan(signal, raw, &before) == HF_OK;
    enum hf_status status = hf_edit(&fuzz.editor, signal, raw, &out, &changed);
    if (is_good && status != HF_OK) {
        abort();
    }
    if (is_good && changed &&
        (hf_scan(signal, hf_slice_of(out.data, out.size), &after) != HF_OK ||
         after.items != before.items || after.resources != before.resources)) {
        abort();
    }
    hf_bytes_release(&out);
    return 0;
}
