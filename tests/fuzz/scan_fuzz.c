/*
 * Must reach hf_scan(), with all of walk(), is_plain_key_value() and take_unusual(), and
 * hf_utf8_is_valid(). The first byte is the signal. What passes must pass again behind itself: two
 * requests joined are one, with the items of both. What does not pass has a fault that
 * hf_fault_find() finds, and what passes has none.
 */
#include <stdlib.h>
#include <string.h>

#include "pdata/fault.h"
#include "pdata/scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hf_scan once, twice;
    if (size == 0) {
        return 0;
    }
    enum hf_signal signal =
        data[0] == UINT8_MAX ? HF_PROFILES : (enum hf_signal)(data[0] % (HF_LOGS + 1));
    struct hf_slice raw = {data + 1, size - 1};
    char fault[HF_FAULT_TEXT_MAX];
    bool is_good = hf_scan(signal, raw, &once) == HF_OK;
    /* Of profiles the fault is told by the newest version, which an older sender does not speak. */
    if (hf_fault_find(signal, raw, fault) == is_good && signal != HF_PROFILES) {
        abort();
    }
    if (!is_good) {
        return 0;
    }
    uint8_t *joined = malloc(2 * raw.size + 1);
    if (joined == NULL) {
        return 0;
    }
    memcpy(joined, raw.data, raw.size);
    memcpy(joined + raw.size, raw.data, raw.size);
    if (hf_scan(signal, (struct hf_slice){joined, 2 * raw.size}, &twice) != HF_OK ||
        twice.items != 2 * once.items || twice.resources != 2 * once.resources) {
        abort();
    }
    free(joined);
    return 0;
}
