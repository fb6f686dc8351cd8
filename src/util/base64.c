#include "base64.h"

size_t hf_base64_encode(struct hf_slice bytes, unsigned form, char *room)
{
    static const char standard[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    static const char url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const char *letters = (form & HF_BASE64_URL) != 0 ? url : standard;
    size_t written = 0;
    for (size_t i = 0; i < bytes.size; i += 3) {
        size_t left = bytes.size - i;
        uint32_t bits = (uint32_t)bytes.data[i] << 16;
        bits |= left > 1 ? (uint32_t)bytes.data[i + 1] << 8 : 0;
        bits |= left > 2 ? (uint32_t)bytes.data[i + 2] : 0;
        room[written++] = letters[bits >> 18];
        room[written++] = letters[bits >> 12 & 63];
        room[written++] = left > 1 ? letters[bits >> 6 & 63] : '=';
        room[written++] = left > 2 ? letters[bits & 63] : '=';
    }
    size_t padding = (3 - bytes.size % 3) % 3;
    return (form & HF_BASE64_RAW) != 0 ? written - padding : written;
}

size_t hf_base64_print(struct hf_slice bytes, char *room)
{
    return hf_base64_encode(bytes, 0, room);
}

/* 0 to 63, or -1. */
static int value_of(uint8_t letter, unsigned form)
{
    if (letter >= 'A' && letter <= 'Z') {
        return letter - 'A';
    }
    if (letter >= 'a' && letter <= 'z') {
        return letter - 'a' + 26;
    }
    if (letter >= '0' && letter <= '9') {
        return letter - '0' + 52;
    }
    bool is_url = letter == '-' || letter == '_';
    if (!is_url && letter != '+' && letter != '/') {
        return -1;
    }
    if ((form & HF_BASE64_ANY_LETTERS) == 0 && is_url != ((form & HF_BASE64_URL) != 0)) {
        return -1;
    }
    return letter == '+' || letter == '-' ? 62 : 63;
}

bool hf_base64_decode(struct hf_slice text, unsigned form, uint8_t *room, size_t *ret_size)
{
    uint32_t bits = 0;
    size_t letters = 0, padding = 0, size = 0;
    for (size_t i = 0; i < text.size; i++) {
        uint8_t letter = text.data[i];
        if ((form & HF_BASE64_LINES) != 0 && (letter == '\n' || letter == '\r')) {
            continue;
        }
        if (letter == '=') {
            padding++;
            continue;
        }
        int value = value_of(letter, form);
        if (value < 0 || padding > 0) {
            return false;
        }
        bits = bits << 6 | (uint32_t)value;
        /* The first letter of four completes no byte; each other one does. */
        if (letters++ % 4 != 0) {
            room[size++] = (uint8_t)(bits >> (6 - 2 * ((letters - 1) % 4)));
        }
    }
    size_t missing = (form & HF_BASE64_RAW) != 0 ? 0 : (4 - letters % 4) % 4;
    bool is_padded = padding == missing || (padding == 0 && (form & HF_BASE64_ANY_PADDING) != 0);
    if (letters % 4 == 1 || !is_padded) {
        return false;
    }
    *ret_size = size;
    return true;
}
