#include "text.h"

#include <stdio.h>

#include "util/hex.h"

size_t hf_grpc_percent_encode(struct hf_slice in, char *ret_text, size_t room)
{
    static const char digits[] = "0123456789ABCDEF";
    size_t size = 0;
    for (size_t i = 0; i < in.size; i++) {
        uint8_t byte = in.data[i];
        bool plain = byte >= 0x20 && byte <= 0x7e && byte != '%';
        if (room - size < (plain ? 1u : 3u)) {
            break;
        }
        if (plain) {
            ret_text[size++] = (char)byte;
        } else {
            ret_text[size++] = '%';
            ret_text[size++] = digits[byte >> 4];
            ret_text[size++] = digits[byte & 15];
        }
    }
    return size;
}

void hf_grpc_percent_decode(struct hf_slice in, char *ret_text, size_t room)
{
    size_t size = 0;
    for (size_t i = 0; i < in.size && size + 1 < room; i++) {
        uint8_t byte = in.data[i];
        if (byte == '%' && in.size - i > 2) {
            int high = hf_hex_digit(in.data[i + 1]), low = hf_hex_digit(in.data[i + 2]);
            if (high >= 0 && low >= 0) {
                byte = (uint8_t)(high << 4 | low);
                i += 2;
            }
        }
        /* It is going to be a C string. */
        ret_text[size++] = byte != 0 ? (char)byte : ' ';
    }
    ret_text[size] = '\0';
}

static const struct {
    char name;
    uint64_t ns;
} units[] = {{'n', 1},
             {'u', 1000},
             {'m', 1000000},
             {'S', 1000000000},
             {'M', UINT64_C(60) * 1000000000},
             {'H', UINT64_C(3600) * 1000000000}};

bool hf_grpc_timeout_parse(struct hf_slice text, uint64_t *ret_ns)
{
    if (text.size < 2 || text.size > 9) {
        return false;
    }
    uint64_t number = 0;
    for (size_t i = 0; i + 1 < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') {
            return false;
        }
        number = number * 10 + (uint64_t)(text.data[i] - '0');
    }
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (text.data[text.size - 1] == (uint8_t)units[i].name) {
            /* 99,999,999 hours are more nanoseconds than 64 bits hold. */
            *ret_ns = number > UINT64_MAX / units[i].ns ? UINT64_MAX : number * units[i].ns;
            return true;
        }
    }
    return false;
}

size_t hf_grpc_timeout_write(uint64_t ns, char ret_text[10])
{
    uint64_t number = ns;
    size_t unit = 0;
    while (number > 99999999 && unit + 1 < sizeof(units) / sizeof(units[0])) {
        unit++;
        number = ns / units[unit].ns + (ns % units[unit].ns != 0 ? 1 : 0);
    }
    /* 2^64 ns are 5,124,096 hours: eight digits always hold the last unit. */
    int size = snprintf(ret_text, 10, "%u%c", (unsigned)number, units[unit].name);
    return (size_t)size;
}
