/*
 * certificates: throw-away authorities and certificates for tests, as PEM files in a directory.
 *
 * Every function ends the test on failure. certificates_remove() deletes what was written.
 */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

struct certificates {
    char dir[64];
    char ca_file[96], cert_file[96], key_file[96]; /* localhost and 127.0.0.1, signed by the CA */
};

static inline void certificates_must(int good)
{
    if (!good) {
        fprintf(stderr, "cannot make certificates\n");
        abort();
    }
}

static inline void certificates_extend(X509 *certificate, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    certificates_must(extension != NULL && X509_add_ext(certificate, extension, -1) == 1);
    X509_EXTENSION_free(extension);
}

/* `issuer` NULL: signed by itself, an authority. */
static inline X509 *certificates_make(const char *name, const char *alternatives, EVP_PKEY *key,
                                      X509 *issuer, EVP_PKEY *issuer_key)
{
    static long serial = 1;
    X509 *certificate = X509_new();
    certificates_must(certificate != NULL && X509_set_version(certificate, 2) == 1);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial++);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 24 * 3600);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                               (const unsigned char *)name, -1, -1, 0);
    X509_set_issuer_name(certificate, X509_get_subject_name(issuer != NULL ? issuer : certificate));
    X509_set_pubkey(certificate, key);
    if (issuer == NULL) {
        certificates_extend(certificate, certificate, NID_basic_constraints, "critical,CA:TRUE");
        certificates_extend(certificate, certificate, NID_key_usage, "critical,keyCertSign");
    } else {
        certificates_extend(certificate, issuer, NID_subject_alt_name, alternatives);
    }
    certificates_must(X509_sign(certificate, issuer != NULL ? issuer_key : key, EVP_sha256()) > 0);
    return certificate;
}

static inline void certificates_write(const char *path, X509 *certificate, EVP_PKEY *key)
{
    FILE *file = fopen(path, "w");
    certificates_must(file != NULL);
    if (certificate != NULL) {
        certificates_must(PEM_write_X509(file, certificate) == 1);
    } else {
        certificates_must(PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL) == 1);
    }
    certificates_must(fclose(file) == 0);
}

/* A new authority and a certificate of it into the files, whether they exist or not. */
static inline void certificates_renew(struct certificates *set, const char *name,
                                      const char *alternatives)
{
    EVP_PKEY *ca_key = EVP_EC_gen("P-256"), *key = EVP_EC_gen("P-256");
    certificates_must(ca_key != NULL && key != NULL);
    X509 *ca = certificates_make("Test Authority", NULL, ca_key, NULL, NULL);
    X509 *certificate = certificates_make(name, alternatives, key, ca, ca_key);
    certificates_write(set->ca_file, ca, NULL);
    certificates_write(set->cert_file, certificate, NULL);
    certificates_write(set->key_file, NULL, key);
    X509_free(certificate);
    X509_free(ca);
    EVP_PKEY_free(key);
    EVP_PKEY_free(ca_key);
}

static inline void certificates_new(struct certificates *set)
{
    snprintf(set->dir, sizeof(set->dir), "/tmp/holdfast-certificates-XXXXXX");
    certificates_must(mkdtemp(set->dir) != NULL);
    snprintf(set->ca_file, sizeof(set->ca_file), "%s/ca.pem", set->dir);
    snprintf(set->cert_file, sizeof(set->cert_file), "%s/cert.pem", set->dir);
    snprintf(set->key_file, sizeof(set->key_file), "%s/key.pem", set->dir);
    certificates_renew(set, "localhost", "DNS:localhost,IP:127.0.0.1");
}

static inline void certificates_remove(const struct certificates *set)
{
    unlink(set->ca_file);
    unlink(set->cert_file);
    unlink(set->key_file);
    rmdir(set->dir);
}
