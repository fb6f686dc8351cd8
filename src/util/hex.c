#include "hex.h"

bool hf_hex_read(struct hf_slice text, uint8_t *ret_bytes)
{
    if (text.size % 2 != 0) {
        return false;
    }
    for (size_t i = 0; i < text.size; i += 2) {
        int high = hf_hex_digit(text.data[i]), low = hf_hex_digit(text.data[i + 1]);
        if (high < 0 || low < 0) {
            return false;
        }
        ret_bytes[i / 2] = (uint8_t)(high << 4 | low);
    }
    return true;
}

size_t hf_hex_write(struct hf_slice bytes, char *ret_text)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < bytes.size; i++) {
        ret_text[2 * i] = digits[bytes.data[i] >> 4];
        ret_text[2 * i + 1] = digits[bytes.data[i] & 15];
    }
    return 2 * bytes.size;
}
