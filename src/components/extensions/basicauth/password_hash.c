#include "password_hash.h"

#include <crypt.h>
#include <stdio.h>
#include <string.h>

#include "util/apr1.h"
#include "util/base64.h"
#include "util/digest.h"
#include "util/hex.h"

#define SHA1_BYTES 20u
#define SALT_MAX 64u
#define KIND_LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-"

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
    if (strlen(hash) > HF_BASE64_SIZE(sizeof(bytes)) ||
        !hf_base64_decode(hf_slice_text(hash), HF_BASE64_ANY_PADDING, bytes, &size) ||
        size < SHA1_BYTES || (!salted && size != SHA1_BYTES)) {
        return false;
    }
    size_t salt_size = size - SHA1_BYTES;
    memcpy(text, password, password_size);
    memcpy(text + password_size, bytes + SHA1_BYTES, salt_size);
    if (hf_digest_sha1(hf_slice_of(text, password_size + salt_size), hex) != HF_OK) {
        return false;
    }
    expected[hf_hex_write(hf_slice_of(bytes, SHA1_BYTES), expected)] = '\0';
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
