#include "opamp_uid.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "util/hex.h"

#define UUID_LETTERS 36
#define ULID_LETTERS 26

static bool is_dash_place(size_t at)
{
    return at == 8 || at == 13 || at == 18 || at == 23;
}

static bool read_uuid(const char *text, struct opamp_uid *uid)
{
    size_t digits = 0;
    for (size_t i = 0; i < UUID_LETTERS; i++) {
        if (is_dash_place(i)) {
            if (text[i] != '-') {
                return false;
            }
            continue;
        }
        int value = hf_hex_digit(text[i]);
        if (value < 0) {
            return false;
        }
        uint8_t *byte = &uid->bytes[digits++ / 2];
        *byte = (uint8_t)(*byte << 4 | value);
    }
    return true;
}

/* Crockford's digits, five bits each; the first has three, for 128 in all. */
static bool read_ulid(const char *text, struct opamp_uid *uid)
{
    static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    if (text[0] > '7') {
        return false;
    }
    for (size_t i = 0; i < ULID_LETTERS; i++) {
        char letter = (char)(text[i] >= 'a' && text[i] <= 'z' ? text[i] - 32 : text[i]);
        const char *found = strchr(digits, letter);
        if (found == NULL) {
            return false;
        }
        unsigned carry = (unsigned)(found - digits);
        for (size_t b = OPAMP_UID_SIZE; b > 0; b--) {
            unsigned value = (unsigned)uid->bytes[b - 1] << 5 | carry;
            uid->bytes[b - 1] = (uint8_t)value;
            carry = value >> 8;
        }
    }
    return true;
}

bool opamp_uid_read(const char *text, struct opamp_uid *ret_uid)
{
    struct opamp_uid uid = {{0}};
    size_t size = strlen(text);
    bool is_good = (size == UUID_LETTERS && read_uuid(text, &uid)) ||
                   (size == ULID_LETTERS && read_ulid(text, &uid));
    if (is_good) {
        *ret_uid = uid;
    }
    return is_good;
}

void opamp_uid_print(const struct opamp_uid *uid, char ret_text[OPAMP_UID_TEXT])
{
    size_t size = 0;
    for (size_t i = 0; i < OPAMP_UID_SIZE; i++) {
        if (is_dash_place(size)) {
            ret_text[size++] = '-';
        }
        snprintf(ret_text + size, OPAMP_UID_TEXT - size, "%02x", uid->bytes[i]);
        size += 2;
    }
}

void opamp_uid_make(uint64_t now_unix_ns, struct opamp_uid *ret_uid)
{
    uint64_t ms = now_unix_ns / 1000000;
    if (getrandom(ret_uid->bytes, sizeof(ret_uid->bytes), 0) != (ssize_t)sizeof(ret_uid->bytes)) {
        memcpy(ret_uid->bytes + 8, &now_unix_ns, sizeof(now_unix_ns));
    }
    for (size_t i = 0; i < 6; i++) {
        ret_uid->bytes[i] = (uint8_t)(ms >> (40 - 8 * i));
    }
    ret_uid->bytes[6] = (uint8_t)((ret_uid->bytes[6] & 0x0f) | 0x70);
    ret_uid->bytes[8] = (uint8_t)((ret_uid->bytes[8] & 0x3f) | 0x80);
}
