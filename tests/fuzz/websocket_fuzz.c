/*
 * Bytes as the answer to a handshake, as frames of a server, which must come out the same whatever
 * pieces they arrive in, and as what a server of OpAMP says.
 *
 * Must reach: hf_websocket_read, hf_websocket_answer_size, hf_websocket_read_answer,
 * opamp_read_answer.
 */
#include <stdint.h>
#include <stdlib.h>

#include "components/extensions/opamp/opamp_message.h"
#include "http/websocket_frame.h"
#include "http/websocket_handshake.h"

#define LIMIT 4096u

static void try_answer(struct hf_slice bytes)
{
    size_t size = 0;
    struct hf_websocket_refusal refusal;
    if (hf_websocket_answer_size(bytes, &size) == HF_OK) {
        enum hf_status status = hf_websocket_read_answer(hf_slice_of(bytes.data, size),
                                                         "dGhlIHNhbXBsZSBub25jZQ==", &refusal);
        (void)status;
    }
}

/* All events until the bytes end or break off; the count and a sum of what they hold. */
static uint64_t read_all(struct hf_slice bytes, size_t piece)
{
    struct hf_websocket_reader reader = {.limit = LIMIT};
    uint64_t sum = 0;
    size_t known = piece < bytes.size ? piece : bytes.size, offset = 0;
    enum hf_status status = HF_OK;
    while (status == HF_OK || (status == HF_AGAIN && known < bytes.size)) {
        struct hf_websocket_event event;
        if (status == HF_AGAIN) {
            known = bytes.size - known < piece ? bytes.size : known + piece;
        }
        struct hf_slice in = hf_slice_of(bytes.data + offset, known - offset);
        status = hf_websocket_read(&reader, &in, &event);
        offset = known - in.size;
        if (status == HF_OK) {
            sum = sum * 31 + (uint64_t)event.opcode + event.payload.size;
            for (size_t i = 0; i < event.payload.size; i++) {
                sum = sum * 31 + event.payload.data[i];
            }
        }
    }
    hf_websocket_reader_release(&reader);
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2) {
        return 0;
    }
    struct hf_slice bytes = hf_slice_of(data + 1, size - 1);
    struct opamp_answer answer;
    if (data[0] % 3 == 0) {
        try_answer(bytes);
    } else if (data[0] % 3 == 1) {
        if (read_all(bytes, bytes.size) != read_all(bytes, 1 + data[0] / 3)) {
            abort();
        }
    } else if (opamp_read_answer(bytes, &answer) && answer.error.size > bytes.size) {
        abort();
    }
    return 0;
}
