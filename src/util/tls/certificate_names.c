#include "certificate_names.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#define IP4_BYTES 4
#define IP6_BYTES 16

static void read_issuer(const X509 *certificate, char *ret_text)
{
    BIO *bio = BIO_new(BIO_s_mem());
    const unsigned long flags = XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB;
    int size = 0;
    if (bio != NULL && X509_NAME_print_ex(bio, X509_get_issuer_name(certificate), 0, flags) >= 0) {
        size = BIO_read(bio, ret_text, HF_CERTIFICATE_NAME_MAX - 1);
    }
    ret_text[size > 0 ? size : 0] = '\0';
    BIO_free(bio);
}

static void read_common_name(const X509 *certificate, char *ret_text)
{
    const X509_NAME *subject = X509_get_subject_name(certificate);
    unsigned char *text = NULL;
    int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    const X509_NAME_ENTRY *entry = at >= 0 ? X509_NAME_get_entry(subject, at) : NULL;
    int size = entry != NULL ? ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(entry)) : -1;
    snprintf(ret_text, HF_CERTIFICATE_NAME_MAX, "%.*s", size > 0 ? size : 0,
             size > 0 ? (const char *)text : "");
    OPENSSL_free(text);
}

static enum hf_status keep(struct hf_certificate_names *names, const char *text, size_t size)
{
    if (names->name_count == HF_CERTIFICATE_NAMES_MAX || size == 0) {
        return HF_OK;
    }
    char *copy = strndup(text, size);
    if (copy == NULL) {
        return HF_NOMEM;
    }
    names->names[names->name_count++] = copy;
    return HF_OK;
}

static enum hf_status keep_name(struct hf_certificate_names *names, const GENERAL_NAME *name)
{
    char text[INET6_ADDRSTRLEN];
    if (name->type != GEN_IPADD) {
        const ASN1_STRING *string = name->d.ia5;
        return keep(names, (const char *)ASN1_STRING_get0_data(string),
                    (size_t)ASN1_STRING_length(string));
    }
    int size = ASN1_STRING_length(name->d.iPAddress);
    int family = size == IP4_BYTES ? AF_INET : AF_INET6;
    bool good = (size == IP4_BYTES || size == IP6_BYTES) &&
                inet_ntop(family, ASN1_STRING_get0_data(name->d.iPAddress), text, sizeof(text));
    return good ? keep(names, text, strlen(text)) : HF_OK;
}

static enum hf_status read_names(const X509 *certificate, struct hf_certificate_names *names)
{
    static const int types[] = {GEN_IPADD, GEN_URI, GEN_DNS, GEN_EMAIL};
    GENERAL_NAMES *list = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    enum hf_status status = HF_OK;
    for (size_t type = 0; type < sizeof(types) / sizeof(types[0]); type++) {
        for (int i = 0; i < sk_GENERAL_NAME_num(list) && status == HF_OK; i++) {
            const GENERAL_NAME *name = sk_GENERAL_NAME_value(list, i);
            status = name->type == types[type] ? keep_name(names, name) : HF_OK;
        }
    }
    GENERAL_NAMES_free(list);
    return status;
}

enum hf_status hf_certificate_names_read(struct hf_slice pem,
                                         struct hf_certificate_names *ret_names)
{
    struct tm parts;
    *ret_names = (struct hf_certificate_names){.until_s = 0};
    if (pem.size == 0) {
        return HF_INVALID;
    }
    BIO *bio = BIO_new_mem_buf(pem.data, (int)pem.size);
    X509 *certificate = bio != NULL ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
    enum hf_status status = bio == NULL ? HF_NOMEM : certificate == NULL ? HF_INVALID : HF_OK;
    if (status == HF_OK && ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &parts) != 1) {
        status = HF_INVALID;
    }
    if (status == HF_OK) {
        ret_names->until_s = timegm(&parts);
        read_issuer(certificate, ret_names->issuer);
        read_common_name(certificate, ret_names->common_name);
        status = read_names(certificate, ret_names);
    }
    ERR_clear_error();
    X509_free(certificate);
    BIO_free(bio);
    return status;
}

void hf_certificate_names_release(struct hf_certificate_names *names)
{
    for (size_t i = 0; i < names->name_count; i++) {
        free(names->names[i]);
    }
    names->name_count = 0;
}
