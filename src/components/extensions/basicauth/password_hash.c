#include "password_hash.h"

#include <crypt.h>
#include <stdio.h>
#include <string.h>

#include "util/apr1.h"
#include "util/digest.h"

#define SHA1_BYTES 20u
#define SALT_MAX 64u
#define KIND_LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void password_base64_encode(struct hf_slice text, char *out)
{
    size_t used = 0;
    for (size_t i = 0; i < text.size; i += 3) {
        uint32_t group = (uint32_t)text.data[i] << 16;
        group |= i + 1 < text.size ? (uint32_t)text.data[i + 1] << 8 : 0;
        group |= i + 2 < text.size ? text.data[i + 2] : 0;
        out[used++] = alphabet[group >> 18];
        out[used++] = alphabet[group >> 12 & 63];
        out[used++] = i + 1 < text.size ? alphabet[group >> 6 & 63] : '=';
        out[used++] = i + 2 < text.size ? alphabet[group & 63] : '=';
    }
    out[used] = '\0';
}

bool password_base64_decode(struct hf_slice text, uint8_t *out, size_t room, size_t *ret_size)
{
    uint32_t bits = 0, count = 0;
    size_t size = 0;
    while (text.size > 0 && text.data[text.size - 1] == '=') {
        text.size--;
    }
    for (size_t i = 0; i < text.size; i++) {
        const char *at = text.data[i] != '\0' ? strchr(alphabet, text.data[i]) : NULL;
        if (at == NULL) {
            return false;
        }
        bits = (bits << 6 | (uint32_t)(at - alphabet)) & 0xffffff;
        count += 6;
        if (count >= 8) {
            count -= 8;
            if (size == room) {
                return false;
            }
            out[size++] = (uint8_t)(bits >> count);
        }
    }
    *ret_size = size;
    return true;
}

bool password_equal(const char *a, const char *b)
{
    size_t size = strlen(b);
    unsigned difference = strlen(a) != size;
    bool comparable = difference == 0;
    for (size_t i = 0; i < size; i++) {
        difference |= (unsigned)(comparable ? a[i] : 0) ^ (unsigned)b[i];
    }
    return difference == 0;
}

static bool is_apr1(const char *hash)
{
    return strncmp(hash, "$apr1$", 6) == 0;
}

/* "$kind$...": a plain password may begin with a dollar, too. */
bool password_is_slow(const char *hash)
{
    size_t size = hash[0] == '$' ? strspn(hash + 1, KIND_LETTERS) : 0;
    return size > 0 && hash[1 + size] == '$';
}

bool password_is_known(const char *hash)
{
    return !password_is_slow(hash) || is_apr1(hash) || crypt_checksalt(hash) != CRYPT_SALT_INVALID;
}

/* What follows {SHA}, or {SSHA}: the base64 of the SHA-1 of password and salt, and of the salt. */
static bool matches_sha(const char *hash, bool salted, const char *password)
{
    uint8_t bytes[SHA1_BYTES + SALT_MAX];
    uint8_t text[PASSWORD_BYTES_MAX + SALT_MAX];
    char hex[HF_SHA1_HEX_SIZE + 1] = "", expected[HF_SHA1_HEX_SIZE + 1] = "";
    size_t size, password_size = strlen(password);
    if (!password_base64_decode(hf_slice_text(hash), bytes, sizeof(bytes), &size) ||
        size < SHA1_BYTES || (!salted && size != SHA1_BYTES)) {
        return false;
    }
    size_t salt_size = size - SHA1_BYTES;
    memcpy(text, password, password_size);
    memcpy(text + password_size, bytes + SHA1_BYTES, salt_size);
    if (hf_digest_sha1(hf_slice_of(text, password_size + salt_size), hex) != HF_OK) {
        return false;
    }
    for (size_t i = 0; i < SHA1_BYTES; i++) {
        snprintf(expected + 2 * i, 3, "%02x", bytes[i]);
    }
    return password_equal(hex, expected);
}

bool password_matches_fast(const char *hash, const char *password)
{
    if (strncmp(hash, "{SHA}", 5) == 0) {
        return matches_sha(hash + 5, false, password);
    }
    if (strncmp(hash, "{SSHA}", 6) == 0) {
        return matches_sha(hash + 6, true, password);
    }
    return password_equal(password, hash);
}

bool password_matches_slow(const char *hash, const char *password, struct crypt_data *room)
{
    char apr1[HF_APR1_SIZE];
    const char *made = NULL;
    if (is_apr1(hash)) {
        made = hf_apr1(password, hash, apr1) == HF_OK ? apr1 : NULL;
    } else {
        memset(room, 0, sizeof(*room));
        made = crypt_r(password, hash, room);
    }
    return made != NULL && made[0] != '*' && password_equal(made, hash);
}
