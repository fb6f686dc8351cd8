#include "digest.h"

#include <openssl/evp.h>

static enum hf_status digest(const EVP_MD *type, struct hf_slice data, size_t hex_size,
                             char *ret_hex)
{
    static const char digits[] = "0123456789abcdef";
    uint8_t hash[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    if (EVP_Digest(data.data, data.size, hash, &size, type, NULL) != 1 || size * 2 != hex_size) {
        return HF_UNSUPPORTED;
    }
    for (unsigned i = 0; i < size; i++) {
        ret_hex[2 * i] = digits[hash[i] >> 4];
        ret_hex[2 * i + 1] = digits[hash[i] & 15];
    }
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

enum hf_status hf_digest_sha512(struct hf_slice data, char *ret_hex)
{
    return digest(EVP_sha512(), data, HF_SHA512_HEX_SIZE, ret_hex);
}

enum hf_status hf_digest_md5(struct hf_slice data, char *ret_hex)
{
    return digest(EVP_md5(), data, HF_MD5_HEX_SIZE, ret_hex);
}
