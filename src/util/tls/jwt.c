#include "jwt.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "util/base64.h"

#define SIGNATURE_MAX 2048u /* of RSA with 16384 bits */

/* As RFC 7515 has it: without padding, '-' and '_' in place of '+' and '/'. */
static enum hf_status put_base64url(struct hf_bytes *out, struct hf_slice bytes)
{
    enum hf_status status = hf_bytes_reserve(out, out->size + HF_BASE64_SIZE(bytes.size));
    if (status == HF_OK) {
        out->size +=
            hf_base64_encode(bytes, HF_BASE64_URL | HF_BASE64_RAW, (char *)out->data + out->size);
    }
    return status;
}

/* No key is asked a passphrase for. */
static int no_passphrase(char *room, int size, int is_write, void *user)
{
    (void)room;
    (void)size;
    (void)is_write;
    (void)user;
    return -1;
}

static EVP_PKEY *read_key(struct hf_slice pem)
{
    BIO *memory = BIO_new_mem_buf(pem.data, (int)pem.size);
    EVP_PKEY *key =
        memory != NULL ? PEM_read_bio_PrivateKey(memory, NULL, no_passphrase, NULL) : NULL;
    BIO_free(memory);
    if (key != NULL && EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA) {
        EVP_PKEY_free(key);
        key = NULL;
    }
    return key;
}

static const EVP_MD *digest_of(const char *algorithm)
{
    return strcmp(algorithm, "RS256") == 0   ? EVP_sha256()
           : strcmp(algorithm, "RS384") == 0 ? EVP_sha384()
           : strcmp(algorithm, "RS512") == 0 ? EVP_sha512()
                                             : NULL;
}

static enum hf_status sign(const EVP_MD *digest, EVP_PKEY *key, struct hf_slice data,
                           struct hf_bytes *out)
{
    uint8_t signature[SIGNATURE_MAX];
    size_t size = sizeof(signature);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool good = context != NULL && digest != NULL &&
                EVP_PKEY_get_size(key) <= (int)sizeof(signature) &&
                EVP_DigestSignInit(context, NULL, digest, NULL, key) == 1 &&
                EVP_DigestSign(context, signature, &size, data.data, data.size) == 1;
    EVP_MD_CTX_free(context);
    return good ? put_base64url(out, hf_slice_of(signature, size)) : HF_UNSUPPORTED;
}

enum hf_status hf_jwt_sign(const char *algorithm, struct hf_slice pem, struct hf_slice header,
                           struct hf_slice claims, struct hf_bytes *out)
{
    size_t start = out->size;
    EVP_PKEY *key = pem.size < INT32_MAX ? read_key(pem) : NULL;
    if (key == NULL) {
        return HF_INVALID;
    }
    enum hf_status status = put_base64url(out, header);
    status = status == HF_OK ? hf_bytes_append(out, hf_slice_text(".")) : status;
    status = status == HF_OK ? put_base64url(out, claims) : status;
    struct hf_bytes data = {0}; /* what is signed must not move while it is appended to */
    status = status == HF_OK
                 ? hf_bytes_append(&data, hf_slice_of(out->data + start, out->size - start))
                 : status;
    status = status == HF_OK ? hf_bytes_append(out, hf_slice_text(".")) : status;
    status = status == HF_OK
                 ? sign(digest_of(algorithm), key, hf_slice_of(data.data, data.size), out)
                 : status;
    hf_bytes_release(&data);
    EVP_PKEY_free(key);
    return status;
}
