/*
 * server_tls: the server's certificate, whom it asks for one, and their renewal without a restart.
 *
 * libmicrohttpd has its sessions by GnuTLS, and hands each out before its handshake: there it gets
 * the credentials of that moment, so that a renewed file counts for the next connection.
 */
#include <gnutls/gnutls.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#include "server_tls.h"
#include "util/file_watch.h"
#include "util/time/clock.h"
#include "util/tls/tls.h"
#include "util/tls/tls_names.h"

#define LOOK_NS (5 * HF_NS_PER_S)
#define PRIORITIES_DEFAULT "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"

enum part { PART_CERT = 0, PART_KEY, PART_CLIENT_CA, PART_COUNT };

static const char *const part_names[PART_COUNT] = {"cert_file", "key_file", "client_ca_file"};

/* Of one moment; freed when the last connection that began with it is gone. */
struct http_credentials {
    struct hf_ref ref;
    gnutls_certificate_credentials_t x509;
    bool asks_client;
};

struct http_tls {
    const struct hf_tls_config *config; /* NULL: the texts of the start are all there is */
    char *texts[PART_COUNT];            /* of the start; NULL: none */
    char priorities[2048];
    pthread_mutex_t lock; /* of what follows */
    struct hf_file_watch watched[PART_COUNT];
    struct http_credentials *current;
};

static bool given(const char *text)
{
    return text != NULL && text[0] != '\0';
}

static void free_credentials(struct hf_ref *ref)
{
    struct http_credentials *credentials = HF_CONTAINER(ref, struct http_credentials, ref);
    gnutls_certificate_free_credentials(credentials->x509);
    free(credentials);
}

void hf_http_tls_drop(struct http_credentials *credentials)
{
    hf_ref_drop(credentials != NULL ? &credentials->ref : NULL);
}

static gnutls_datum_t datum(const char *text)
{
    return (gnutls_datum_t){(unsigned char *)(uintptr_t)text, (unsigned)strlen(text)};
}

static const char *file_of(const struct hf_tls_config *config, enum part part)
{
    const char *const files[PART_COUNT] = {config->cert_file, config->key_file,
                                           config->client_ca_file};
    const char *const pems[PART_COUNT] = {config->cert_pem, config->key_pem, NULL};
    return given(pems[part]) || !given(files[part]) ? NULL : files[part];
}

/* For messages. */
static const char *name_of(const struct hf_tls_config *config, enum part part)
{
    const char *file = config != NULL ? file_of(config, part) : NULL;
    return file != NULL ? file : "the text given";
}

static enum hf_status make_credentials(const struct hf_tls_config *config,
                                       char *const texts[PART_COUNT], struct http_credentials **ret,
                                       char *reterr)
{
    struct http_credentials *made = calloc(1, sizeof(*made));
    if (made == NULL || gnutls_certificate_allocate_credentials(&made->x509) != GNUTLS_E_SUCCESS) {
        free(made);
        snprintf(reterr, HF_ERROR_MAX, "tls: no memory for the certificate");
        return HF_NOMEM;
    }
    hf_ref_init(&made->ref, free_credentials);
    gnutls_datum_t cert = datum(texts[PART_CERT]), key = datum(texts[PART_KEY]);
    int result = gnutls_certificate_set_x509_key_mem(made->x509, &cert, &key, GNUTLS_X509_FMT_PEM);
    if (result < 0) {
        snprintf(reterr, HF_ERROR_MAX,
                 "tls: the certificate of %s and the key of %s are no pair that can be used: %s",
                 name_of(config, PART_CERT), name_of(config, PART_KEY), gnutls_strerror(result));
    }
    made->asks_client = texts[PART_CLIENT_CA] != NULL;
    if (result >= 0 && made->asks_client) {
        gnutls_datum_t trust = datum(texts[PART_CLIENT_CA]);
        result = gnutls_certificate_set_x509_trust_mem(made->x509, &trust, GNUTLS_X509_FMT_PEM);
        if (result <= 0) {
            snprintf(reterr, HF_ERROR_MAX, "tls: client_ca_file %s: %s",
                     name_of(config, PART_CLIENT_CA),
                     result == 0 ? "holds no certificate" : gnutls_strerror(result));
            result = result == 0 ? GNUTLS_E_NO_CERTIFICATE_FOUND : result;
        }
    }
    if (result < 0) {
        hf_http_tls_drop(made);
        return HF_INVALID;
    }
    *ret = made;
    return HF_OK;
}

static void free_texts(char *texts[PART_COUNT])
{
    for (size_t i = 0; i < PART_COUNT; i++) {
        free(texts[i]);
        texts[i] = NULL;
    }
}

/* The parts as they are now. On failure nothing is left. */
static enum hf_status read_texts(const struct hf_tls_config *config, char *texts[PART_COUNT],
                                 char *reterr)
{
    enum hf_status status = HF_OK;
    for (int part = 0; part < PART_COUNT && status == HF_OK; part++) {
        const char *file = file_of(config, (enum part)part);
        const char *pem = part == PART_CERT  ? config->cert_pem
                          : part == PART_KEY ? config->key_pem
                                             : NULL;
        char reason[512];
        texts[part] = NULL;
        if (file != NULL) {
            status = hf_file_watch_read(file, &texts[part], reason);
            if (status != HF_OK) {
                snprintf(reterr, HF_ERROR_MAX, "tls: %s: %.400s", part_names[part], reason);
            }
        } else if (given(pem)) {
            texts[part] = strdup(pem);
            status = texts[part] != NULL ? HF_OK : HF_NOMEM;
        }
    }
    if (status != HF_OK) {
        free_texts(texts);
    }
    return status;
}

static enum hf_status copy_texts(const struct hf_http_server_options *options,
                                 char *texts[PART_COUNT])
{
    const char *const from[PART_COUNT] = {options->tls_cert_pem, options->tls_key_pem,
                                          options->tls_client_ca_pem};
    for (size_t i = 0; i < PART_COUNT; i++) {
        texts[i] = from[i] != NULL ? strdup(from[i]) : NULL;
        if (from[i] != NULL && texts[i] == NULL) {
            free_texts(texts);
            return HF_NOMEM;
        }
    }
    return HF_OK;
}

static void append(char *text, size_t room, const char *more)
{
    size_t used = strlen(text);
    snprintf(text + used, room - used, "%s", more);
}

/* GnuTLS allows every combination of the parts that are named, which may be more than the suites
 * that are: what it chose of them is looked at in the handshake. Suites of a version that no name
 * speaks of are not restricted but by their ciphers. */
static void append_suites(char *out, size_t room, const struct hf_tls_config *config)
{
    bool names_old = false;
    for (size_t i = 0; i < config->cipher_suites.count; i++) {
        names_old = names_old || !hf_tls_suite(config->cipher_suites.items[i])->is_tls13;
    }
    append(out, room, ":-CIPHER-ALL:-MAC-ALL");
    append(out, room, names_old ? ":-KX-ALL" : "");
    for (size_t i = 0; i < config->cipher_suites.count; i++) {
        append(out, room, hf_tls_suite(config->cipher_suites.items[i])->gnutls);
    }
}

/* Versions, suites and curves in GnuTLS's notation. The names are known. */
static void make_priorities(struct http_tls *tls, const struct hf_http_server_options *options)
{
    static const struct {
        const char *name, *word;
    } versions[] = {{"1.0", ":+VERS-TLS1.0"},
                    {"1.1", ":+VERS-TLS1.1"},
                    {"1.2", ":+VERS-TLS1.2"},
                    {"1.3", ":+VERS-TLS1.3"}};
    const struct hf_tls_config *config = tls->config;
    char *out = tls->priorities;
    size_t room = sizeof(tls->priorities);
    if (config == NULL) {
        snprintf(out, room, "%s",
                 options->tls_priorities != NULL ? options->tls_priorities : PRIORITIES_DEFAULT);
        return;
    }
    const char *least = given(config->min_version) ? config->min_version : "1.2";
    const char *most = given(config->max_version) ? config->max_version : "1.3";
    snprintf(out, room, "NORMAL:%%SERVER_PRECEDENCE:-VERS-ALL");
    for (size_t i = 4; i-- > 0;) {
        if (strcmp(versions[i].name, least) >= 0 && strcmp(versions[i].name, most) <= 0) {
            append(out, room, versions[i].word);
        }
    }
    if (config->cipher_suites.count != 0) {
        append_suites(out, room, config);
    }
    append(out, room, config->curve_preferences.count != 0 ? ":-GROUP-ALL" : "");
    for (size_t i = 0; i < config->curve_preferences.count; i++) {
        const struct hf_tls_curve *curve = hf_tls_curve(config->curve_preferences.items[i]);
        append(out, room, curve->gnutls != NULL ? curve->gnutls : "");
    }
}

enum hf_status hf_http_tls_new(const struct hf_http_server_options *options,
                               struct http_tls **ret_tls, char *reterr)
{
    if (MHD_is_feature_supported(MHD_FEATURE_TLS) != MHD_YES) {
        snprintf(reterr, HF_ERROR_MAX, "tls: this system's libmicrohttpd has no TLS by GnuTLS");
        return HF_UNSUPPORTED;
    }
    struct http_tls *tls = calloc(1, sizeof(*tls));
    if (tls == NULL) {
        snprintf(reterr, HF_ERROR_MAX, "tls: no memory");
        return HF_NOMEM;
    }
    tls->config = options->tls;
    pthread_mutex_init(&tls->lock, NULL);
    struct hf_tls_lists unused;
    if (tls->config != NULL &&
        hf_tls_lists(tls->config->cipher_suites, tls->config->curve_preferences, &unused, reterr) !=
            HF_OK) {
        hf_http_tls_free(tls);
        return HF_INVALID;
    }
    make_priorities(tls, options);
    for (int part = 0; part < PART_COUNT && tls->config != NULL; part++) {
        bool watches = part != PART_CLIENT_CA || tls->config->client_ca_file_reload;
        tls->watched[part].path = watches ? file_of(tls->config, (enum part)part) : NULL;
        bool changed = tls->watched[part].path != NULL &&
                       hf_file_watch_changed(&tls->watched[part], hf_clock_coarse_ns(), 0);
        (void)changed; /* what is read next is the state to compare with */
    }
    snprintf(reterr, HF_ERROR_MAX, "tls: no memory");
    enum hf_status status = tls->config != NULL ? read_texts(tls->config, tls->texts, reterr)
                                                : copy_texts(options, tls->texts);
    if (status == HF_OK && (tls->texts[PART_CERT] == NULL || tls->texts[PART_KEY] == NULL)) {
        snprintf(reterr, HF_ERROR_MAX, "tls: a server needs a certificate and its key");
        status = HF_INVALID;
    }
    if (status == HF_OK) {
        status = make_credentials(tls->config, tls->texts, &tls->current, reterr);
    }
    if (status != HF_OK) {
        hf_http_tls_free(tls);
        return status;
    }
    *ret_tls = tls;
    return HF_OK;
}

void hf_http_tls_free(struct http_tls *tls)
{
    if (tls == NULL) {
        return;
    }
    hf_http_tls_drop(tls->current);
    free_texts(tls->texts);
    pthread_mutex_destroy(&tls->lock);
    free(tls);
}

const char *hf_http_tls_cert(const struct http_tls *tls)
{
    return tls->texts[PART_CERT];
}

const char *hf_http_tls_key(const struct http_tls *tls)
{
    return tls->texts[PART_KEY];
}

const char *hf_http_tls_priorities(const struct http_tls *tls)
{
    return tls->priorities;
}

/* Files that do not fit each other, as while they are being replaced one by one, leave what was;
 * and `reterr` says why. Under the lock. */
static void refresh(struct http_tls *tls, char *reterr)
{
    uint64_t now_ns = hf_clock_coarse_ns();
    uint64_t interval_ns =
        tls->config->reload_interval_ns != 0 ? tls->config->reload_interval_ns : LOOK_NS;
    bool changed = false;
    for (size_t i = 0; i < PART_COUNT; i++) {
        changed = (tls->watched[i].path != NULL &&
                   hf_file_watch_changed(&tls->watched[i], now_ns, interval_ns)) ||
                  changed;
    }
    char *texts[PART_COUNT] = {NULL};
    struct http_credentials *made;
    if (!changed || read_texts(tls->config, texts, reterr) != HF_OK) {
        return;
    }
    if (make_credentials(tls->config, texts, &made, reterr) == HF_OK) {
        hf_http_tls_drop(tls->current);
        tls->current = made;
    }
    free_texts(texts);
}

struct http_credentials *hf_http_tls_prepare(struct http_tls *tls,
                                             struct MHD_Connection *connection,
                                             struct http_handshake *handshake, char *reterr)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    reterr[0] = '\0';
    pthread_mutex_lock(&tls->lock);
    if (tls->config != NULL) {
        refresh(tls, reterr);
    }
    struct http_credentials *now = tls->current;
    hf_ref_take(&now->ref);
    pthread_mutex_unlock(&tls->lock);
    gnutls_session_t session = info->tls_session;
    (void)gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, now->x509);
    bool bounded = tls->config != NULL && given(tls->config->min_version);
    *handshake = (struct http_handshake){
        .asks_client = now->asks_client,
        .least = bounded ? tls->config->min_version : "1.2",
        .suites = tls->config != NULL ? tls->config->cipher_suites : (struct hf_string_list){0}};
    hf_http_handshake_watch(handshake, session);
    return now;
}
