#include "websocket_frame.h"

#define FINAL 0x80u
#define RESERVED 0x70u
#define MASKED 0x80u
#define SIZE_16 126u
#define SIZE_64 127u

/* A frame as it begins. */
struct head {
    enum hf_websocket_opcode opcode;
    bool is_final, is_control;
    size_t size; /* of the head */
    uint64_t payload_size;
};

static uint64_t read_number(const uint8_t *bytes, size_t size)
{
    uint64_t number = 0;
    for (size_t i = 0; i < size; i++) {
        number = number << 8 | bytes[i];
    }
    return number;
}

static bool is_known(unsigned opcode)
{
    return opcode <= HF_WEBSOCKET_BINARY ||
           (opcode >= HF_WEBSOCKET_CLOSE && opcode <= HF_WEBSOCKET_PONG);
}

static enum hf_status read_head(struct hf_slice in, struct head *ret)
{
    if (in.size < 2) {
        return HF_AGAIN;
    }
    unsigned opcode = in.data[0] & 0x0fu, size = in.data[1] & 0x7fu;
    size_t size_bytes = size == SIZE_16 ? 2 : size == SIZE_64 ? 8 : 0;
    struct head head = {
        .opcode = (enum hf_websocket_opcode)opcode,
        .is_final = (in.data[0] & FINAL) != 0,
        .is_control = (opcode & 8u) != 0,
        .size = 2 + size_bytes,
        .payload_size = size,
    };
    /* A server masks nothing. */
    bool is_odd = (in.data[0] & RESERVED) != 0 || (in.data[1] & MASKED) != 0 || !is_known(opcode);
    if (is_odd || (head.is_control && (!head.is_final || size > HF_WEBSOCKET_CONTROL_MAX))) {
        return HF_INVALID;
    }
    if (in.size < head.size) {
        return HF_AGAIN;
    }
    if (size_bytes != 0) {
        head.payload_size = read_number(in.data + 2, size_bytes);
    }
    *ret = head;
    return HF_OK;
}

/* Does the frame stand where it may? */
static bool is_in_order(const struct hf_websocket_reader *reader, const struct head *head)
{
    return head->is_control || reader->is_fragmented == (head->opcode == HF_WEBSOCKET_CONTINUATION);
}

static enum hf_status add_fragment(struct hf_websocket_reader *reader, const struct head *head,
                                   struct hf_slice payload)
{
    if (head->opcode != HF_WEBSOCKET_CONTINUATION) {
        reader->opcode = head->opcode;
    }
    enum hf_status status = hf_bytes_append(&reader->message, payload);
    reader->is_fragmented = status == HF_OK ? !head->is_final : reader->is_fragmented;
    return status;
}

enum hf_status hf_websocket_read(struct hf_websocket_reader *reader, struct hf_slice *in,
                                 struct hf_websocket_event *ret_event)
{
    struct head head;
    enum hf_status status = HF_OK;
    if (reader->is_taken) {
        reader->message.size = 0;
        reader->is_taken = false;
    }
    while ((status = read_head(*in, &head)) == HF_OK) {
        if (!is_in_order(reader, &head)) {
            return HF_INVALID;
        }
        size_t room = reader->limit - (head.is_control ? 0 : reader->message.size);
        if (!head.is_control && head.payload_size > room) {
            return HF_TOO_LARGE;
        }
        if (in->size - head.size < head.payload_size) {
            return HF_AGAIN;
        }
        struct hf_slice payload = hf_slice_of(in->data + head.size, (size_t)head.payload_size);
        bool is_whole = head.is_control || (head.is_final && !reader->is_fragmented);
        if (!is_whole) {
            status = add_fragment(reader, &head, payload);
            if (status != HF_OK) {
                return status;
            }
        }
        *in = hf_slice_of(payload.data + payload.size, in->size - head.size - payload.size);
        if (is_whole) {
            *ret_event = (struct hf_websocket_event){head.opcode, payload};
            return HF_OK;
        }
        if (head.is_final) {
            reader->is_taken = true;
            *ret_event = (struct hf_websocket_event){
                reader->opcode, hf_slice_of(reader->message.data, reader->message.size)};
            return HF_OK;
        }
    }
    return status;
}

void hf_websocket_reader_release(struct hf_websocket_reader *reader)
{
    hf_bytes_release(&reader->message);
}

static size_t write_head(uint8_t room[HF_WEBSOCKET_HEAD_MAX], enum hf_websocket_opcode opcode,
                         size_t payload_size, const uint8_t mask[HF_WEBSOCKET_MASK_SIZE])
{
    size_t size_bytes = payload_size <= HF_WEBSOCKET_CONTROL_MAX ? 0
                        : payload_size <= UINT16_MAX             ? 2
                                                                 : 8;
    size_t first = size_bytes == 0 ? payload_size : size_bytes == 2 ? SIZE_16 : SIZE_64;
    size_t at = 0;
    room[at++] = (uint8_t)(FINAL | (unsigned)opcode);
    room[at++] = (uint8_t)(MASKED | first);
    for (size_t i = size_bytes; i > 0; i--) {
        room[at++] = (uint8_t)((uint64_t)payload_size >> (8 * (i - 1)));
    }
    for (size_t i = 0; i < HF_WEBSOCKET_MASK_SIZE; i++) {
        room[at++] = mask[i];
    }
    return at;
}

enum hf_status hf_websocket_write(struct hf_bytes *out, enum hf_websocket_opcode opcode,
                                  struct hf_slice payload,
                                  const uint8_t mask[HF_WEBSOCKET_MASK_SIZE])
{
    uint8_t head[HF_WEBSOCKET_HEAD_MAX];
    size_t head_size = write_head(head, opcode, payload.size, mask);
    enum hf_status status = hf_bytes_reserve(out, out->size + head_size + payload.size);
    if (status == HF_OK) {
        status = hf_bytes_append(out, hf_slice_of(head, head_size));
    }
    for (size_t i = 0; i < payload.size && status == HF_OK; i++) {
        out->data[out->size++] = payload.data[i] ^ mask[i % HF_WEBSOCKET_MASK_SIZE];
    }
    return status;
}
