#include "rune.h"

#include <stdbool.h>

struct hf_rune hf_rune_at(struct hf_slice text, size_t at)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const uint8_t *bytes = text.data + at;
    size_t left = text.size - at;
    if (bytes[0] < 0x80) {
        return (struct hf_rune){bytes[0], 1};
    }
    size_t size = bytes[0] >= 0xf0 ? 4 : bytes[0] >= 0xe0 ? 3 : bytes[0] >= 0xc2 ? 2 : 0;
    if (size == 0 || size > left || bytes[0] > 0xf4) {
        return (struct hf_rune){HF_RUNE_BAD, 1};
    }
    uint32_t code = bytes[0] & (0xffu >> (size + 1));
    for (size_t i = 1; i < size; i++) {
        if ((bytes[i] & 0xc0) != 0x80) {
            return (struct hf_rune){HF_RUNE_BAD, 1};
        }
        code = code << 6 | (bytes[i] & 0x3f);
    }
    bool is_half = code >= 0xd800 && code < 0xe000;
    return code < least[size] || code > 0x10ffff || is_half ? (struct hf_rune){HF_RUNE_BAD, 1}
                                                            : (struct hf_rune){code, size};
}

size_t hf_rune_put(uint32_t code, uint8_t room[HF_RUNE_MAX])
{
    if (code < 0x80) {
        room[0] = (uint8_t)code;
        return 1;
    }
    size_t size = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static const uint8_t heads[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = size; i-- > 1;) {
        room[i] = (uint8_t)(0x80 | (code & 0x3f));
        code >>= 6;
    }
    room[0] = (uint8_t)(heads[size] | code);
    return size;
}
