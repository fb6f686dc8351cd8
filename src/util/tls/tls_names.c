#include "tls_names.h"

#include <stdio.h>
#include <string.h>

#include <holdfast/component.h>

#define GCM_128 ":+AES-128-GCM:+AEAD"
#define GCM_256 ":+AES-256-GCM:+AEAD"
#define CHACHA ":+CHACHA20-POLY1305:+AEAD"
#define CBC_128 ":+AES-128-CBC:+SHA1"
#define CBC_256 ":+AES-256-CBC:+SHA1"
#define CBC_128_SHA256 ":+AES-128-CBC:+SHA256"
#define RSA ":+ECDHE-RSA"
#define ECDSA ":+ECDHE-ECDSA"
#define PLAIN ":+RSA"

/* X(number, name, OpenSSL's, GnuTLS's, is of TLS 1.3) */
#define SUITES(X)                                                                                  \
    X(0x1301, "TLS_AES_128_GCM_SHA256", "TLS_AES_128_GCM_SHA256", GCM_128, true)                   \
    X(0x1302, "TLS_AES_256_GCM_SHA384", "TLS_AES_256_GCM_SHA384", GCM_256, true)                   \
    X(0x1303, "TLS_CHACHA20_POLY1305_SHA256", "TLS_CHACHA20_POLY1305_SHA256", CHACHA, true)        \
    X(0xc02b, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "ECDHE-ECDSA-AES128-GCM-SHA256",          \
      ECDSA GCM_128, false)                                                                        \
    X(0xc02f, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "ECDHE-RSA-AES128-GCM-SHA256", RSA GCM_128, \
      false)                                                                                       \
    X(0xc02c, "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "ECDHE-ECDSA-AES256-GCM-SHA384",          \
      ECDSA GCM_256, false)                                                                        \
    X(0xc030, "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "ECDHE-RSA-AES256-GCM-SHA384", RSA GCM_256, \
      false)                                                                                       \
    X(0xcca9, "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE-ECDSA-CHACHA20-POLY1305",    \
      ECDSA CHACHA, false)                                                                         \
    X(0xcca8, "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE-RSA-CHACHA20-POLY1305",        \
      RSA CHACHA, false)                                                                           \
    X(0xcca9, "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305", "ECDHE-ECDSA-CHACHA20-POLY1305",           \
      ECDSA CHACHA, false)                                                                         \
    X(0xcca8, "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305", "ECDHE-RSA-CHACHA20-POLY1305", RSA CHACHA,   \
      false)                                                                                       \
    X(0xc009, "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", "ECDHE-ECDSA-AES128-SHA", ECDSA CBC_128,     \
      false)                                                                                       \
    X(0xc00a, "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA", "ECDHE-ECDSA-AES256-SHA", ECDSA CBC_256,     \
      false)                                                                                       \
    X(0xc013, "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", "ECDHE-RSA-AES128-SHA", RSA CBC_128, false)    \
    X(0xc014, "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA", "ECDHE-RSA-AES256-SHA", RSA CBC_256, false)    \
    X(0xc023, "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256", "ECDHE-ECDSA-AES128-SHA256",              \
      ECDSA CBC_128_SHA256, false)                                                                 \
    X(0xc027, "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256", "ECDHE-RSA-AES128-SHA256",                  \
      RSA CBC_128_SHA256, false)                                                                   \
    X(0x009c, "TLS_RSA_WITH_AES_128_GCM_SHA256", "AES128-GCM-SHA256", PLAIN GCM_128, false)        \
    X(0x009d, "TLS_RSA_WITH_AES_256_GCM_SHA384", "AES256-GCM-SHA384", PLAIN GCM_256, false)        \
    X(0x002f, "TLS_RSA_WITH_AES_128_CBC_SHA", "AES128-SHA", PLAIN CBC_128, false)                  \
    X(0x0035, "TLS_RSA_WITH_AES_256_CBC_SHA", "AES256-SHA", PLAIN CBC_256, false)                  \
    X(0x003c, "TLS_RSA_WITH_AES_128_CBC_SHA256", "AES128-SHA256", PLAIN CBC_128_SHA256, false)

/* X(name, OpenSSL's, GnuTLS's) */
#define CURVES(X)                                                                                  \
    X("X25519", "X25519", ":+GROUP-X25519")                                                        \
    X("P256", "P-256", ":+GROUP-SECP256R1")                                                        \
    X("P384", "P-384", ":+GROUP-SECP384R1")                                                        \
    X("P521", "P-521", ":+GROUP-SECP521R1")                                                        \
    X("CurveP256", "P-256", ":+GROUP-SECP256R1")                                                   \
    X("CurveP384", "P-384", ":+GROUP-SECP384R1")                                                   \
    X("CurveP521", "P-521", ":+GROUP-SECP521R1")                                                   \
    X("X25519MLKEM768", NULL, NULL)

#define SUITE_ROW(number, name, openssl, gnutls, is_tls13)                                         \
    {number, name, openssl, gnutls, is_tls13},
#define CURVE_ROW(name, openssl, gnutls) {name, openssl, gnutls},
#define SUITE_NAME(number, name, ...) name,
#define CURVE_NAME(name, ...) name,

static const struct hf_tls_suite suite_rows[] = {SUITES(SUITE_ROW){0, NULL, NULL, NULL, false}};
static const struct hf_tls_curve curve_rows[] = {CURVES(CURVE_ROW){NULL, NULL, NULL}};
const char *const hf_tls_suite_names[] = {SUITES(SUITE_NAME) NULL};
const char *const hf_tls_curve_names[] = {CURVES(CURVE_NAME) NULL};

const struct hf_tls_suite *hf_tls_suite(const char *name)
{
    const struct hf_tls_suite *row = suite_rows;
    while (row->name != NULL && strcmp(row->name, name) != 0) {
        row++;
    }
    return row->name != NULL ? row : NULL;
}

const struct hf_tls_curve *hf_tls_curve(const char *name)
{
    const struct hf_tls_curve *row = curve_rows;
    while (row->name != NULL && strcmp(row->name, name) != 0) {
        row++;
    }
    return row->name != NULL ? row : NULL;
}

/* A name that is there already is not written twice, so there is always room. */
static void add_name(char *list, size_t room, const char *name)
{
    size_t size = strlen(name), used = strlen(list);
    for (const char *at = list; (at = strstr(at, name)) != NULL; at += size) {
        if ((at == list || at[-1] == ':') && (at[size] == '\0' || at[size] == ':')) {
            return;
        }
    }
    snprintf(list + used, room - used, "%s%s", used != 0 ? ":" : "", name);
}

enum hf_status hf_tls_lists(struct hf_string_list suites, struct hf_string_list curves,
                            struct hf_tls_lists *ret_lists, char *reterr)
{
    struct hf_tls_lists lists = {.old = ""};
    for (size_t i = 0; i < suites.count; i++) {
        const struct hf_tls_suite *suite = hf_tls_suite(suites.items[i]);
        if (suite == NULL) {
            snprintf(reterr, HF_ERROR_MAX,
                     "tls: cipher_suites: %s is not a cipher suite that is known", suites.items[i]);
            return HF_INVALID;
        }
        add_name(suite->is_tls13 ? lists.tls13 : lists.old,
                 suite->is_tls13 ? sizeof(lists.tls13) : sizeof(lists.old), suite->openssl);
    }
    for (size_t i = 0; i < curves.count; i++) {
        const struct hf_tls_curve *curve = hf_tls_curve(curves.items[i]);
        if (curve == NULL) {
            snprintf(reterr, HF_ERROR_MAX,
                     "tls: curve_preferences: %s is not X25519, P256, P384 or P521",
                     curves.items[i]);
            return HF_INVALID;
        }
        if (curve->openssl != NULL) {
            add_name(lists.curves, sizeof(lists.curves), curve->openssl);
        }
    }
    if (curves.count != 0 && lists.curves[0] == '\0') {
        snprintf(reterr, HF_ERROR_MAX, "tls: curve_preferences: none of them is available");
        return HF_INVALID;
    }
    *ret_lists = lists;
    return HF_OK;
}
