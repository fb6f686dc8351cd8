/*
 * Bytes as the body of a backend's answer, of each type: whatever they are, what is read is a short
 * printable text and a count.
 *
 * Must reach: hf_response_read, read_proto, read_json, keep_text, keep_count.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "pdata/response.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const types[] = {"application/x-protobuf", "application/json", "text/plain"};
    if (size < 1) {
        return 0;
    }
    struct hf_response response;
    hf_response_read(hf_slice_text(types[data[0] % 3]), hf_slice_of(data + 1, size - 1),
                     data[0] / 3 % 2 == 0, &response);
    size_t length = strnlen(response.message, HF_RESPONSE_TEXT_MAX);
    if (length >= HF_RESPONSE_TEXT_MAX || (int64_t)response.rejected < 0) {
        abort();
    }
    for (size_t i = 0; i < length; i++) {
        if ((unsigned char)response.message[i] < ' ') {
            abort();
        }
    }
    return 0;
}
