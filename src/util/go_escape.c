#include "go_escape.h"

#include <stdbool.h>
#include <string.h>

#include "util/hex.h"

static bool read_digits(struct hf_slice text, size_t count, int base, uint32_t *ret_number)
{
    uint32_t number = 0;
    if (text.size < count) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        int digit = hf_hex_digit(text.data[i]);
        if (digit < 0 || digit >= base) {
            return false;
        }
        number = number * (uint32_t)base + (uint32_t)digit;
    }
    *ret_number = number;
    return true;
}

size_t hf_go_escape(struct hf_slice text, uint8_t out[HF_RUNE_MAX], size_t *ret_size)
{
    static const char from[] = "abfnrtv\\\"'", to[] = "\a\b\f\n\r\t\v\\\"'";
    uint32_t number = 0;
    const char *plain = text.size != 0 && text.data[0] != '\0' ? strchr(from, text.data[0]) : NULL;
    if (plain != NULL) {
        out[0] = (uint8_t)to[plain - from];
        *ret_size = 1;
        return 1;
    }
    if (text.size == 0) {
        return 0;
    }
    struct hf_slice digits = hf_slice_of(text.data + 1, text.size - 1);
    if (text.data[0] == 'x' && read_digits(digits, 2, 16, &number)) {
        out[0] = (uint8_t)number;
        *ret_size = 1;
        return 3;
    }
    if (read_digits(text, 3, 8, &number) && number < 256) {
        out[0] = (uint8_t)number;
        *ret_size = 1;
        return 3;
    }
    bool is_long = text.data[0] == 'U';
    if ((text.data[0] == 'u' || is_long) && read_digits(digits, is_long ? 8 : 4, 16, &number) &&
        number < 0x110000 && (number < 0xd800 || number > 0xdfff)) {
        *ret_size = hf_rune_put(number, out);
        return is_long ? 9 : 5;
    }
    return 0;
}
