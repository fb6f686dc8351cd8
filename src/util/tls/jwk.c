#include "jwk.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#define RSA_BITS_MIN 2048
#define RSA_BITS_MAX 16384
#define COORDINATE_MAX 66u /* of P-521 */

enum jwk_kind { JWK_RSA, JWK_EC, JWK_ED25519 };

struct hf_jwk {
    enum jwk_kind kind;
    EVP_PKEY *pkey;
    size_t coordinate_size;
};

static enum hf_status wrap(enum jwk_kind kind, EVP_PKEY *pkey, size_t coordinate_size,
                           struct hf_jwk **ret_key)
{
    if (pkey == NULL) {
        return HF_INVALID;
    }
    struct hf_jwk *key = calloc(1, sizeof(*key));
    if (key == NULL) {
        EVP_PKEY_free(pkey);
        return HF_NOMEM;
    }
    *key = (struct hf_jwk){kind, pkey, coordinate_size};
    *ret_key = key;
    return HF_OK;
}

static EVP_PKEY *make_pkey(const char *type, OSSL_PARAM_BLD *builder)
{
    EVP_PKEY *pkey = NULL;
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(builder);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    if (params == NULL || context == NULL || EVP_PKEY_fromdata_init(context) <= 0 ||
        EVP_PKEY_fromdata(context, &pkey, EVP_PKEY_PUBLIC_KEY, params) <= 0) {
        pkey = NULL;
    }
    EVP_PKEY_CTX_free(context);
    OSSL_PARAM_free(params);
    return pkey;
}

enum hf_status hf_jwk_rsa(struct hf_slice modulus, struct hf_slice exponent,
                          struct hf_jwk **ret_key)
{
    if (modulus.size == 0 || modulus.size > RSA_BITS_MAX / 8 || exponent.size == 0 ||
        exponent.size > 8) {
        return HF_INVALID;
    }
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    BIGNUM *n = BN_bin2bn(modulus.data, (int)modulus.size, NULL);
    BIGNUM *e = BN_bin2bn(exponent.data, (int)exponent.size, NULL);
    EVP_PKEY *pkey = NULL;
    if (builder != NULL && n != NULL && e != NULL && BN_num_bits(n) >= RSA_BITS_MIN &&
        OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n) &&
        OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, e)) {
        pkey = make_pkey("RSA", builder);
    }
    BN_free(n);
    BN_free(e);
    OSSL_PARAM_BLD_free(builder);
    return wrap(JWK_RSA, pkey, 0, ret_key);
}

static const struct curve {
    const char *name, *group;
    size_t size;
} curves[] = {{"P-256", "prime256v1", 32}, {"P-384", "secp384r1", 48}, {"P-521", "secp521r1", 66}};

static const struct curve *find_curve(struct hf_slice name)
{
    for (size_t i = 0; i < sizeof(curves) / sizeof(curves[0]); i++) {
        if (hf_slice_is(name, curves[i].name)) {
            return &curves[i];
        }
    }
    return NULL;
}

enum hf_status hf_jwk_ec(struct hf_slice curve_name, struct hf_slice x, struct hf_slice y,
                         struct hf_jwk **ret_key)
{
    const struct curve *curve = find_curve(curve_name);
    uint8_t point[1 + 2 * COORDINATE_MAX] = {POINT_CONVERSION_UNCOMPRESSED};
    if (curve == NULL || x.size != curve->size || y.size != curve->size) {
        return HF_INVALID;
    }
    memcpy(point + 1, x.data, x.size);
    memcpy(point + 1 + x.size, y.data, y.size);
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    EVP_PKEY *pkey = NULL;
    if (builder != NULL &&
        OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, curve->group, 0) &&
        OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point,
                                         1 + 2 * curve->size)) {
        pkey = make_pkey("EC", builder);
    }
    OSSL_PARAM_BLD_free(builder);
    return wrap(JWK_EC, pkey, curve->size, ret_key);
}

enum hf_status hf_jwk_ed25519(struct hf_slice x, struct hf_jwk **ret_key)
{
    EVP_PKEY *pkey =
        x.size == 32 ? EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, x.data, x.size) : NULL;
    return wrap(JWK_ED25519, pkey, 0, ret_key);
}

void hf_jwk_free(struct hf_jwk *key)
{
    if (key != NULL) {
        EVP_PKEY_free(key->pkey);
        free(key);
    }
}

/* ---- signatures ---- */

static const struct algorithm {
    const char *name;
    enum jwk_kind kind;
    const char *digest; /* NULL: the algorithm's own */
    bool is_pss;
    size_t coordinate_size;
} algorithms[] = {
    {"RS256", JWK_RSA, "SHA256", false, 0}, {"RS384", JWK_RSA, "SHA384", false, 0},
    {"RS512", JWK_RSA, "SHA512", false, 0}, {"PS256", JWK_RSA, "SHA256", true, 0},
    {"PS384", JWK_RSA, "SHA384", true, 0},  {"PS512", JWK_RSA, "SHA512", true, 0},
    {"ES256", JWK_EC, "SHA256", false, 32}, {"ES384", JWK_EC, "SHA384", false, 48},
    {"ES512", JWK_EC, "SHA512", false, 66}, {"EdDSA", JWK_ED25519, NULL, false, 0},
};

static const struct algorithm *find_algorithm(struct hf_slice name, const struct hf_jwk *key)
{
    for (size_t i = 0; i < sizeof(algorithms) / sizeof(algorithms[0]); i++) {
        if (hf_slice_is(name, algorithms[i].name)) {
            return algorithms[i].kind == key->kind &&
                           algorithms[i].coordinate_size == key->coordinate_size
                       ? &algorithms[i]
                       : NULL;
        }
    }
    return NULL;
}

/* Two numbers side by side as OpenSSL wants them. malloc'd by it; NULL: they are none. */
static unsigned char *to_der(struct hf_slice signature, size_t coordinate_size, int *ret_size)
{
    unsigned char *der = NULL;
    ECDSA_SIG *pair = signature.size == 2 * coordinate_size ? ECDSA_SIG_new() : NULL;
    if (pair == NULL) {
        return NULL;
    }
    BIGNUM *r = BN_bin2bn(signature.data, (int)coordinate_size, NULL);
    BIGNUM *s = BN_bin2bn(signature.data + coordinate_size, (int)coordinate_size, NULL);
    if (r == NULL || s == NULL || ECDSA_SIG_set0(pair, r, s) != 1) {
        BN_free(r);
        BN_free(s);
    } else {
        *ret_size = i2d_ECDSA_SIG(pair, &der);
    }
    ECDSA_SIG_free(pair);
    return der;
}

static bool verify(const struct hf_jwk *key, const struct algorithm *algorithm,
                   struct hf_slice data, struct hf_slice signature)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_PKEY_CTX *details = NULL;
    bool good = context != NULL && EVP_DigestVerifyInit_ex(context, &details, algorithm->digest,
                                                           NULL, NULL, key->pkey, NULL) == 1;
    if (good && algorithm->is_pss) {
        good = EVP_PKEY_CTX_set_rsa_padding(details, RSA_PKCS1_PSS_PADDING) == 1 &&
               EVP_PKEY_CTX_set_rsa_pss_saltlen(details, RSA_PSS_SALTLEN_DIGEST) == 1;
    }
    good = good &&
           EVP_DigestVerify(context, signature.data, signature.size, data.data, data.size) == 1;
    EVP_MD_CTX_free(context);
    return good;
}

bool hf_jwk_verify(const struct hf_jwk *key, struct hf_slice name, struct hf_slice data,
                   struct hf_slice signature)
{
    const struct algorithm *algorithm = find_algorithm(name, key);
    if (algorithm == NULL || signature.size == 0) {
        return false;
    }
    if (algorithm->kind != JWK_EC) {
        return verify(key, algorithm, data, signature);
    }
    int size = 0;
    unsigned char *der = to_der(signature, key->coordinate_size, &size);
    bool good =
        der != NULL && size > 0 && verify(key, algorithm, data, hf_slice_of(der, (size_t)size));
    OPENSSL_free(der);
    return good;
}
