#include "frame.h"

bool hf_grpc_prefix_is_whole(const struct hf_grpc_prefix *prefix)
{
    return prefix->have == HF_GRPC_PREFIX_BYTES;
}

enum hf_status hf_grpc_prefix_feed(struct hf_grpc_prefix *prefix, struct hf_slice *data)
{
    while (prefix->have < HF_GRPC_PREFIX_BYTES && data->size > 0) {
        prefix->bytes[prefix->have++] = data->data[0];
        *data = hf_slice_of(data->data + 1, data->size - 1);
    }
    if (prefix->have > 0 && prefix->bytes[0] > 1) {
        return HF_INVALID;
    }
    if (!hf_grpc_prefix_is_whole(prefix)) {
        return HF_AGAIN;
    }
    const uint8_t *bytes = prefix->bytes;
    prefix->compressed = bytes[0] == 1;
    prefix->size = (uint32_t)bytes[1] << 24 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 8 |
                   (uint32_t)bytes[4];
    return HF_OK;
}

void hf_grpc_prefix_write(uint8_t ret_bytes[HF_GRPC_PREFIX_BYTES], bool compressed, uint32_t size)
{
    ret_bytes[0] = compressed ? 1 : 0;
    ret_bytes[1] = (uint8_t)(size >> 24);
    ret_bytes[2] = (uint8_t)(size >> 16);
    ret_bytes[3] = (uint8_t)(size >> 8);
    ret_bytes[4] = (uint8_t)size;
}
