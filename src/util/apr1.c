#include "apr1.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <openssl/evp.h>

#include <holdfast/slice.h>

#define MAGIC "$apr1$"
#define SALT_MAX 8u
#define MD5_BYTES 16u
#define ROUNDS 1000u

/* MD5 of pieces, one after the other. `good` is false once anything failed. */
struct md5 {
    EVP_MD_CTX *context;
    bool good;
};

static void begin(struct md5 *md5)
{
    md5->good = md5->good && EVP_DigestInit_ex(md5->context, EVP_md5(), NULL) == 1;
}

static void add(struct md5 *md5, struct hf_slice bytes)
{
    md5->good = md5->good && EVP_DigestUpdate(md5->context, bytes.data, bytes.size) == 1;
}

static void end(struct md5 *md5, uint8_t sum[MD5_BYTES])
{
    md5->good = md5->good && EVP_DigestFinal_ex(md5->context, sum, NULL) == 1;
}

static void first_sum(struct md5 *md5, struct hf_slice password, struct hf_slice salt,
                      uint8_t sum[MD5_BYTES])
{
    begin(md5);
    add(md5, password);
    add(md5, salt);
    add(md5, password);
    end(md5, sum);
    begin(md5);
    add(md5, password);
    add(md5, hf_slice_text(MAGIC));
    add(md5, salt);
    for (size_t left = password.size; left > 0;) {
        size_t size = left < MD5_BYTES ? left : MD5_BYTES;
        add(md5, hf_slice_of(sum, size));
        left -= size;
    }
    /* A byte a bit of the length: zero, or the password's first. */
    for (size_t bits = password.size; bits != 0; bits >>= 1) {
        add(md5, (bits & 1) != 0 ? hf_slice_of("", 1) : hf_slice_of(password.data, 1));
    }
    end(md5, sum);
}

static void stretch(struct md5 *md5, struct hf_slice password, struct hf_slice salt,
                    uint8_t bytes[MD5_BYTES])
{
    const struct hf_slice sum = hf_slice_of(bytes, MD5_BYTES);
    for (unsigned i = 0; i < ROUNDS; i++) {
        begin(md5);
        add(md5, i % 2 != 0 ? password : sum);
        if (i % 3 != 0) {
            add(md5, salt);
        }
        if (i % 7 != 0) {
            add(md5, password);
        }
        add(md5, i % 2 != 0 ? sum : password);
        end(md5, bytes);
    }
}

/* Six bits a letter, the lowest first. */
static void put_letters(char *out, size_t count, uint32_t bits)
{
    static const char letters[] =
        "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    for (size_t i = 0; i < count; i++) {
        out[i] = letters[bits >> 6 * i & 63];
    }
}

static void write_hash(struct hf_slice salt, const uint8_t sum[MD5_BYTES],
                       char ret_hash[HF_APR1_SIZE])
{
    static const uint8_t order[5][3] = {{0, 6, 12}, {1, 7, 13}, {2, 8, 14}, {3, 9, 15}, {4, 10, 5}};
    char letters[23] = "";
    for (size_t i = 0; i < 5; i++) {
        put_letters(letters + 4 * i, 4,
                    (uint32_t)sum[order[i][0]] << 16 | (uint32_t)sum[order[i][1]] << 8 |
                        sum[order[i][2]]);
    }
    put_letters(letters + 20, 2, sum[11]);
    snprintf(ret_hash, HF_APR1_SIZE, MAGIC "%.*s$%s", (int)salt.size, (const char *)salt.data,
             letters);
}

enum hf_status hf_apr1(const char *password, const char *hash, char ret_hash[HF_APR1_SIZE])
{
    size_t magic = strlen(MAGIC);
    if (strncmp(hash, MAGIC, magic) != 0) {
        return HF_INVALID;
    }
    struct hf_slice salt = hf_slice_of(hash + magic, strcspn(hash + magic, "$"));
    salt.size = salt.size < SALT_MAX ? salt.size : SALT_MAX;
    struct md5 md5 = {.context = EVP_MD_CTX_new(), .good = true};
    if (md5.context == NULL) {
        return HF_NOMEM;
    }
    uint8_t sum[MD5_BYTES] = {0};
    first_sum(&md5, hf_slice_text(password), salt, sum);
    stretch(&md5, hf_slice_text(password), salt, sum);
    EVP_MD_CTX_free(md5.context);
    if (!md5.good) {
        return HF_UNSUPPORTED;
    }
    write_hash(salt, sum, ret_hash);
    return HF_OK;
}
