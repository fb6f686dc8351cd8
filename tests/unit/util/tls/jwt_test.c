/* Tokens that are signed here, checked by the reader of others. */
#include "util/tls/jwt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h> /* needs the three before it */

#include <stdlib.h>

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#define HEADER "{\"alg\":\"RS256\"}"
#define CLAIMS "{\"iss\":\"me?>\"}"

/* A key in PEM; the caller frees. */
static char *pem_of(EVP_PKEY *key)
{
    BIO *memory = BIO_new(BIO_s_mem());
    char *text;
    assert_int_equal(PEM_write_bio_PrivateKey(memory, key, NULL, NULL, 0, NULL, NULL), 1);
    long size = BIO_get_mem_data(memory, &text);
    char *copy = strndup(text, (size_t)size);
    BIO_free(memory);
    return copy;
}

static size_t decode(const char *text, size_t size, uint8_t *room)
{
    char padded[1024];
    assert_true(size < sizeof(padded) - 4);
    memcpy(padded, text, size);
    for (size_t i = 0; i < size; i++) {
        padded[i] = padded[i] == '-' ? '+' : padded[i] == '_' ? '/' : padded[i];
    }
    size_t whole = (size + 3) / 4 * 4;
    memset(padded + size, '=', whole - size);
    int got = EVP_DecodeBlock(room, (const uint8_t *)padded, (int)whole);
    assert_true(got > 0);
    return (size_t)got - (whole - size);
}

static void check_token(EVP_PKEY *key, const char *pem, const char *algorithm, const EVP_MD *digest)
{
    struct hf_bytes out = {0};
    uint8_t signature[512], claims[64];
    assert_int_equal(hf_jwt_sign(algorithm, hf_slice_text(pem), hf_slice_text(HEADER),
                                 hf_slice_text(CLAIMS), &out),
                     HF_OK);
    assert_int_equal(hf_bytes_append(&out, hf_slice_of("", 1)), HF_OK);
    const char *text = (const char *)out.data;
    const char *first = strchr(text, '.'), *last = strrchr(text, '.');
    assert_null(strpbrk(text, "+/="));
    size_t size = decode(first + 1, (size_t)(last - first - 1), claims);
    assert_int_equal(size, strlen(CLAIMS));
    assert_memory_equal(claims, CLAIMS, size);
    size = decode(last + 1, strlen(last + 1), signature);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    assert_int_equal(EVP_DigestVerifyInit(context, NULL, digest, NULL, key), 1);
    assert_int_equal(EVP_DigestVerify(context, signature, size, out.data, (size_t)(last - text)),
                     1);
    EVP_MD_CTX_free(context);
    hf_bytes_release(&out);
}

static void a_token_is_signed(void **state)
{
    EVP_PKEY *key = EVP_RSA_gen(1024); /* small, as it is made under valgrind too */
    char *pem = pem_of(key);
    struct hf_bytes out = {0};
    (void)state;
    check_token(key, pem, "RS256", EVP_sha256());
    check_token(key, pem, "RS384", EVP_sha384());
    check_token(key, pem, "RS512", EVP_sha512());
    assert_int_equal(hf_jwt_sign("HS256", hf_slice_text(pem), hf_slice_text(HEADER),
                                 hf_slice_text(CLAIMS), &out),
                     HF_UNSUPPORTED);
    hf_bytes_release(&out);
    EVP_PKEY_free(key);
    free(pem);
}

static void what_is_no_rsa_key_is_refused(void **state)
{
    EVP_PKEY *curve = EVP_EC_gen("P-256");
    char *pem = pem_of(curve);
    const char *const cases[] = {
        "", "x", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", pem};
    struct hf_bytes out = {0};
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(hf_jwt_sign("RS256", hf_slice_text(cases[i]), hf_slice_text(HEADER),
                                     hf_slice_text(CLAIMS), &out),
                         HF_INVALID);
        assert_int_equal(out.size, 0);
    }
    hf_bytes_release(&out);
    EVP_PKEY_free(curve);
    free(pem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_is_signed),
        cmocka_unit_test(what_is_no_rsa_key_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
