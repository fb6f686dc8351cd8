/*
 * tls_config: the field tables of TLS settings, and their checks.
 */
#include "tls.h"

#include <string.h>

#include "tls_names.h"

#define AT(member) offsetof(struct hf_tls_config, member)

/* What servers and clients share. */
#define COMMON_FIELDS                                                                              \
    {.key = "cert_file",                                                                           \
     .type = HF_FIELD_STRING,                                                                      \
     .offset = AT(cert_file),                                                                      \
     .help = "File with the own certificate and its chain (PEM)."},                                \
        {.key = "cert_pem",                                                                        \
         .type = HF_FIELD_STRING,                                                                  \
         .offset = AT(cert_pem),                                                                   \
         .help = "The same as text instead of a file."},                                           \
        {.key = "key_file",                                                                        \
         .type = HF_FIELD_STRING,                                                                  \
         .offset = AT(key_file),                                                                   \
         .help = "File with the certificate's private key (PEM)."},                                \
        {.key = "key_pem",                                                                         \
         .type = HF_FIELD_SECRET,                                                                  \
         .offset = AT(key_pem),                                                                    \
         .help = "The same as text instead of a file."},                                           \
        {.key = "min_version",                                                                     \
         .type = HF_FIELD_STRING,                                                                  \
         .offset = AT(min_version),                                                                \
         .default_text = "1.2",                                                                    \
         .help = "Lowest TLS version: 1.0, 1.1, 1.2 or 1.3."},                                     \
        {.key = "max_version",                                                                     \
         .type = HF_FIELD_STRING,                                                                  \
         .offset = AT(max_version),                                                                \
         .help = "Highest TLS version; none when absent."},                                        \
        {.key = "cipher_suites",                                                                   \
         .type = HF_FIELD_STRING_LIST,                                                             \
         .offset = AT(cipher_suites),                                                              \
         .choices = hf_tls_suite_names,                                                            \
         .help =                                                                                   \
             "Cipher suites that may be used, by their IANA names; a safe choice when absent."},   \
        {.key = "curve_preferences",                                                               \
         .type = HF_FIELD_STRING_LIST,                                                             \
         .offset = AT(curve_preferences),                                                          \
         .choices = hf_tls_curve_names,                                                            \
         .help = "Key exchange curves: X25519, P256, P384, P521."},                                \
        {.key = "reload_interval",                                                                 \
         .type = HF_FIELD_DURATION,                                                                \
         .offset = AT(reload_interval_ns),                                                         \
         .help = "How often changed files are looked for, at most; 5s when absent."},              \
        {.key = "include_insecure_cipher_suites",                                                  \
         .type = HF_FIELD_IGNORED,                                                                 \
         .help = "Name the suites in cipher_suites."},                                             \
    {                                                                                              \
        .key = "tpm", .type = HF_FIELD_IGNORED, .help = "Keys in a TPM are not supported."         \
    }

const struct hf_field hf_tls_client_fields[] = {
    {.key = "ca_file",
     .type = HF_FIELD_STRING,
     .offset = AT(ca_file),
     .help = "File with the certificates (PEM) of the authorities that are trusted. One that does "
             "not exist yet is waited for: what goes to that backend stays in the queue."},
    {.key = "ca_pem",
     .type = HF_FIELD_STRING,
     .offset = AT(ca_pem),
     .help = "The same as text instead of a file."},
    {.key = "include_system_ca_certs_pool",
     .type = HF_FIELD_BOOL,
     .offset = AT(include_system_ca_certs_pool),
     .default_text = "false",
     .help = "Trust the system's authorities besides those of ca_file or ca_pem."},
    COMMON_FIELDS,
    {.key = "insecure",
     .type = HF_FIELD_BOOL,
     .offset = AT(insecure),
     .default_text = "false",
     .help = "Send in clear, unless a CA is given."},
    {.key = "insecure_skip_verify",
     .type = HF_FIELD_BOOL,
     .offset = AT(insecure_skip_verify),
     .default_text = "false",
     .help = "Encrypt, but take any certificate of the server."},
    {.key = "server_name_override",
     .type = HF_FIELD_STRING,
     .offset = AT(server_name_override),
     .help = "Name to ask for and to verify instead of the endpoint's host."},
    HF_FIELDS_END,
};

#define NO_SERVER_KEY                                                                              \
    "client_ca_file names the authorities of client certificates; others are not looked at."

const struct hf_field hf_tls_server_fields[] = {
    {.key = "ca_file", .type = HF_FIELD_IGNORED, .help = NO_SERVER_KEY},
    {.key = "ca_pem", .type = HF_FIELD_IGNORED, .help = NO_SERVER_KEY},
    {.key = "include_system_ca_certs_pool", .type = HF_FIELD_IGNORED, .help = NO_SERVER_KEY},
    COMMON_FIELDS,
    {.key = "client_ca_file",
     .type = HF_FIELD_STRING,
     .offset = AT(client_ca_file),
     .help = "Clients must present a certificate signed by an authority of this file (PEM)."},
    {.key = "client_ca_file_reload",
     .type = HF_FIELD_BOOL,
     .offset = AT(client_ca_file_reload),
     .default_text = "false",
     .help = "Look for changes of client_ca_file as well."},
    HF_FIELDS_END,
};

static bool given(const char *text)
{
    return text != NULL && text[0] != '\0';
}

/* 10 to 13; 0 when absent, -1 when it is none. */
static int version_number(const char *text)
{
    static const char *const names[] = {"1.0", "1.1", "1.2", "1.3"};
    if (!given(text)) {
        return 0;
    }
    for (int i = 0; i < 4; i++) {
        if (strcmp(text, names[i]) == 0) {
            return 10 + i;
        }
    }
    return -1;
}

static const char *check_common(const struct hf_tls_config *config)
{
    if (given(config->ca_file) && given(config->ca_pem)) {
        return "give ca_file or ca_pem, not both";
    }
    if (given(config->cert_file) && given(config->cert_pem)) {
        return "give cert_file or cert_pem, not both";
    }
    if (given(config->key_file) && given(config->key_pem)) {
        return "give key_file or key_pem, not both";
    }
    bool cert = given(config->cert_file) || given(config->cert_pem);
    bool key = given(config->key_file) || given(config->key_pem);
    if (cert && !key) {
        return "a certificate (cert_file, cert_pem) needs its key (key_file or key_pem)";
    }
    if (key && !cert) {
        return "a key (key_file, key_pem) needs its certificate (cert_file or cert_pem)";
    }
    int least = version_number(config->min_version), most = version_number(config->max_version);
    if (least < 0) {
        return "min_version must be 1.0, 1.1, 1.2 or 1.3";
    }
    if (most < 0) {
        return "max_version must be 1.0, 1.1, 1.2 or 1.3";
    }
    if (most != 0 && (least == 0 ? 12 : least) > most) {
        return "min_version must not be above max_version";
    }
    return NULL;
}

const char *hf_tls_client_check(const struct hf_tls_config *config)
{
    return check_common(config);
}

const char *hf_tls_server_check(const struct hf_tls_config *config)
{
    const char *wrong = check_common(config);
    if (wrong == NULL && !given(config->cert_file) && !given(config->cert_pem)) {
        return "a server needs a certificate and its key (cert_file and key_file, or the pem keys)";
    }
    return wrong;
}
