#include "certificate_make.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

/* Clocks of the machines of a cluster differ. */
#define BEFORE_S 60
#define NAMES_BYTES_MAX 2048u
#define COMMON_NAME_MAX 64u

void hf_certificate_release(struct hf_certificate *pair)
{
    free(pair->certificate);
    free(pair->key);
    *pair = (struct hf_certificate){0};
}

static char *text_of(BIO *bio)
{
    char *data = NULL;
    long size = bio != NULL ? BIO_get_mem_data(bio, &data) : 0;
    return size > 0 ? strndup(data, (size_t)size) : NULL;
}

static X509 *read_certificate(const char *pem)
{
    BIO *bio = pem != NULL ? BIO_new_mem_buf(pem, -1) : NULL;
    X509 *certificate = bio != NULL ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
    BIO_free(bio);
    ERR_clear_error();
    return certificate;
}

static EVP_PKEY *read_key(const char *pem)
{
    BIO *bio = pem != NULL ? BIO_new_mem_buf(pem, -1) : NULL;
    EVP_PKEY *key = bio != NULL ? PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL) : NULL;
    BIO_free(bio);
    ERR_clear_error();
    return key;
}

static bool set_serial(X509 *certificate)
{
    BIGNUM *number = BN_new();
    bool done = number != NULL && BN_rand(number, 127, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) == 1 &&
                BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != NULL;
    BN_free(number);
    return done;
}

static bool add_extension(X509 *certificate, X509 *issuer, int id, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, id, value);
    bool done = extension != NULL && X509_add_ext(certificate, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return done;
}

/* What a certificate is to say. */
struct wish {
    const char *name;       /* common name */
    const char *alternates; /* "DNS:a,DNS:b"; NULL: it is an authority */
    uint64_t lifetime_s;
};

static bool fill(X509 *certificate, const struct wish *wish, X509 *issuer, EVP_PKEY *key)
{
    char name[COMMON_NAME_MAX + 1];
    snprintf(name, sizeof(name), "%s", wish->name);
    X509_NAME *subject = X509_get_subject_name(certificate);
    bool good = X509_set_version(certificate, 2) == 1 && set_serial(certificate) &&
                X509_gmtime_adj(X509_getm_notBefore(certificate), -BEFORE_S) != NULL &&
                X509_gmtime_adj(X509_getm_notAfter(certificate), (long)wish->lifetime_s) != NULL &&
                X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                                           (const unsigned char *)name, -1, -1, 0) == 1 &&
                X509_set_issuer_name(certificate, X509_get_subject_name(issuer)) == 1 &&
                X509_set_pubkey(certificate, key) == 1 &&
                add_extension(certificate, issuer, NID_subject_key_identifier, "hash");
    if (wish->alternates == NULL) {
        return good &&
               add_extension(certificate, issuer, NID_basic_constraints, "critical,CA:TRUE") &&
               add_extension(certificate, issuer, NID_key_usage, "critical,keyCertSign,cRLSign");
    }
    return good && add_extension(certificate, issuer, NID_authority_key_identifier, "keyid") &&
           add_extension(certificate, issuer, NID_basic_constraints, "critical,CA:FALSE") &&
           add_extension(certificate, issuer, NID_key_usage, "critical,digitalSignature") &&
           add_extension(certificate, issuer, NID_ext_key_usage, "serverAuth") &&
           add_extension(certificate, issuer, NID_subject_alt_name, wish->alternates);
}

static enum hf_status print_pair(X509 *certificate, EVP_PKEY *key, struct hf_certificate *ret)
{
    BIO *one = BIO_new(BIO_s_mem());
    BIO *two = BIO_new(BIO_s_mem());
    struct hf_certificate made = {0};
    if (one != NULL && two != NULL && PEM_write_bio_X509(one, certificate) == 1 &&
        PEM_write_bio_PrivateKey(two, key, NULL, NULL, 0, NULL, NULL) == 1) {
        made.certificate = text_of(one);
        made.key = text_of(two);
    }
    BIO_free(one);
    BIO_free(two);
    if (made.certificate == NULL || made.key == NULL) {
        hf_certificate_release(&made);
        return HF_NOMEM;
    }
    *ret = made;
    return HF_OK;
}

/* `issuer` NULL: it signs itself. */
static enum hf_status make(const struct wish *wish, X509 *issuer, EVP_PKEY *issuer_key,
                           struct hf_certificate *ret)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = X509_new();
    enum hf_status status = HF_IO;
    if (key != NULL && certificate != NULL &&
        fill(certificate, wish, issuer != NULL ? issuer : certificate, key) &&
        X509_sign(certificate, issuer_key != NULL ? issuer_key : key, EVP_sha256()) != 0) {
        status = print_pair(certificate, key, ret);
    }
    EVP_PKEY_free(key);
    X509_free(certificate);
    ERR_clear_error();
    return status;
}

enum hf_status hf_certificate_make_authority(const char *name, uint64_t lifetime_s,
                                             struct hf_certificate *ret)
{
    const struct wish wish = {.name = name, .lifetime_s = lifetime_s};
    return make(&wish, NULL, NULL, ret);
}

static bool list_names(const char *const *names, size_t count, char room[NAMES_BYTES_MAX])
{
    size_t size = 0;
    for (size_t i = 0; i < count; i++) {
        int written =
            snprintf(room + size, NAMES_BYTES_MAX - size, "%sDNS:%s", i != 0 ? "," : "", names[i]);
        if (written < 0 || (size_t)written >= NAMES_BYTES_MAX - size) {
            return false;
        }
        size += (size_t)written;
    }
    return count != 0;
}

enum hf_status hf_certificate_issue(const struct hf_certificate *authority,
                                    const char *const *names, size_t count, uint64_t lifetime_s,
                                    struct hf_certificate *ret)
{
    char alternates[NAMES_BYTES_MAX];
    X509 *issuer = read_certificate(authority->certificate);
    EVP_PKEY *key = read_key(authority->key);
    enum hf_status status = HF_INVALID;
    if (issuer != NULL && key != NULL && list_names(names, count, alternates)) {
        const struct wish wish = {names[0], alternates, lifetime_s};
        status = make(&wish, issuer, key, ret);
    }
    X509_free(issuer);
    EVP_PKEY_free(key);
    return status;
}

static bool unix_of(const ASN1_TIME *time, int64_t *ret_s)
{
    struct tm parts;
    if (ASN1_TIME_to_tm(time, &parts) != 1) {
        return false;
    }
    *ret_s = timegm(&parts);
    return true;
}

bool hf_certificate_window(const char *pem, int64_t *ret_begin_s, int64_t *ret_end_s)
{
    X509 *certificate = read_certificate(pem);
    bool good = certificate != NULL && unix_of(X509_get0_notBefore(certificate), ret_begin_s) &&
                unix_of(X509_get0_notAfter(certificate), ret_end_s);
    X509_free(certificate);
    return good;
}

/* One of the certificates of the text. */
static bool is_signed_by(X509 *certificate, const char *authorities)
{
    BIO *bio = authorities != NULL ? BIO_new_mem_buf(authorities, -1) : NULL;
    bool found = false;
    X509 *authority = bio != NULL ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
    while (authority != NULL && !found) {
        EVP_PKEY *key = X509_get0_pubkey(authority);
        found = key != NULL && X509_verify(certificate, key) == 1;
        X509_free(authority);
        authority = found ? NULL : PEM_read_bio_X509(bio, NULL, NULL, NULL);
    }
    BIO_free(bio);
    ERR_clear_error();
    return found;
}

bool hf_certificate_fits(const struct hf_certificate *pair, const char *authorities,
                         const char *name)
{
    X509 *certificate = read_certificate(pair->certificate);
    EVP_PKEY *key = read_key(pair->key);
    bool fits = certificate != NULL && key != NULL &&
                X509_check_private_key(certificate, key) == 1 &&
                X509_check_host(certificate, name, 0, 0, NULL) == 1 &&
                is_signed_by(certificate, authorities);
    X509_free(certificate);
    EVP_PKEY_free(key);
    ERR_clear_error();
    return fits;
}
