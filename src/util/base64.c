#include "base64.h"

size_t hf_base64_print(struct hf_slice bytes, char *room)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t written = 0;
    for (size_t i = 0; i < bytes.size; i += 3) {
        size_t left = bytes.size - i;
        uint32_t bits = (uint32_t)bytes.data[i] << 16;
        bits |= left > 1 ? (uint32_t)bytes.data[i + 1] << 8 : 0;
        bits |= left > 2 ? (uint32_t)bytes.data[i + 2] : 0;
        room[written++] = digits[bits >> 18];
        room[written++] = digits[bits >> 12 & 63];
        room[written++] = left > 1 ? digits[bits >> 6 & 63] : '=';
        room[written++] = left > 2 ? digits[bits & 63] : '=';
    }
    return written;
}
