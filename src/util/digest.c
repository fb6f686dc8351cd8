#include "digest.h"

#include <stdbool.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "hex.h"

static enum hf_status digest(const EVP_MD *type, struct hf_slice data, size_t hex_size,
                             char *ret_hex)
{
    uint8_t hash[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    if (EVP_Digest(data.data, data.size, hash, &size, type, NULL) != 1 || size * 2 != hex_size) {
        return HF_UNSUPPORTED;
    }
    hf_hex_write(hf_slice_of(hash, size), ret_hex);
    return HF_OK;
}

enum hf_status hf_digest_sha1(struct hf_slice data, char *ret_hex)
{
    return digest(EVP_sha1(), data, HF_SHA1_HEX_SIZE, ret_hex);
}

enum hf_status hf_digest_sha256(struct hf_slice data, char *ret_hex)
{
    return digest(EVP_sha256(), data, HF_SHA256_HEX_SIZE, ret_hex);
}

static const EVP_MD *type_of(enum hf_digest_kind kind)
{
    switch (kind) {
    case HF_DIGEST_MD5:
        return EVP_md5();
    case HF_DIGEST_SHA1:
        return EVP_sha1();
    case HF_DIGEST_SHA256:
        return EVP_sha256();
    case HF_DIGEST_SHA512:
        return EVP_sha512();
    case HF_DIGEST_SHA3_256:
        return EVP_sha3_256();
    }
    return NULL;
}

enum hf_status hf_digest_hex(enum hf_digest_kind kind, struct hf_slice data, char *ret_hex,
                             size_t *ret_size)
{
    uint8_t hash[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    if (EVP_Digest(data.data, data.size, hash, &size, type_of(kind), NULL) != 1) {
        return HF_UNSUPPORTED;
    }
    *ret_size = hf_hex_write(hf_slice_of(hash, size), ret_hex);
    return HF_OK;
}

enum hf_status hf_digest_hmac_hex(enum hf_digest_kind kind, struct hf_slice key,
                                  struct hf_slice data, char *ret_hex, size_t *ret_size)
{
    static const uint8_t nothing[1];
    uint8_t hash[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    const uint8_t *bytes = data.size > 0 ? data.data : nothing;
    if (key.size > INT32_MAX ||
        HMAC(type_of(kind), key.data, (int)key.size, bytes, data.size, hash, &size) == NULL) {
        return HF_UNSUPPORTED;
    }
    *ret_size = hf_hex_write(hf_slice_of(hash, size), ret_hex);
    return HF_OK;
}

enum hf_status hf_digest_sha512(struct hf_slice data, char *ret_hex)
{
    return digest(EVP_sha512(), data, HF_SHA512_HEX_SIZE, ret_hex);
}

enum hf_status hf_digest_md5(struct hf_slice data, char *ret_hex)
{
    return digest(EVP_md5(), data, HF_MD5_HEX_SIZE, ret_hex);
}

enum hf_status hf_digest_sha256_pieces(const struct hf_slice *pieces, size_t count, char *ret_hex)
{
    uint8_t hash[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool good = context != NULL && EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1;
    for (size_t i = 0; i < count && good; i++) {
        good =
            pieces[i].size == 0 || EVP_DigestUpdate(context, pieces[i].data, pieces[i].size) == 1;
    }
    good = good && EVP_DigestFinal_ex(context, hash, &size) == 1;
    EVP_MD_CTX_free(context);
    if (!good) {
        return HF_UNSUPPORTED;
    }
    hf_hex_write(hf_slice_of(hash, size), ret_hex);
    return HF_OK;
}

enum hf_status hf_digest_hmac_sha256(struct hf_slice key, struct hf_slice data,
                                     uint8_t ret_bytes[HF_SHA256_SIZE])
{
    static const uint8_t nothing[1];
    unsigned size = 0;
    const uint8_t *bytes = data.size > 0 ? data.data : nothing;
    return key.size <= INT32_MAX && HMAC(EVP_sha256(), key.data, (int)key.size, bytes, data.size,
                                         ret_bytes, &size) != NULL
               ? HF_OK
               : HF_UNSUPPORTED;
}
