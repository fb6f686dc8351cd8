#include "tls_names.h"
#include "tls_session.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <arpa/inet.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#define ERROR_SIZE 512
#define RELOAD_DEFAULT_NS UINT64_C(5000000000)
#define WATCHED_MAX 4
/* By OpenSSL's names of key exchanges and MACs; those with an AEAD have none. */
#define HTTP2_SUITES "DEFAULT:!kRSA:!PSK:!SHA1:!SHA256:!SHA384"
/* One recv fills several records; the buffer goes back when the connection idles. */
#define READ_AHEAD_BYTES (64 * 1024)

/* A file as it was when the context was made from it. */
struct stamp {
    const char *path; /* NULL: not watched */
    struct timespec changed;
    ino_t inode;
    off_t size;
};

struct hf_tls {
    struct hf_tls_config config; /* its strings are borrowed */
    bool server;
    unsigned char alpn[16];                      /* length byte and name, as on the wire */
    void (*report)(void *user, const char *why); /* NULL: not reported */
    void *report_user;

    pthread_mutex_t lock; /* of what follows */
    SSL_CTX *context;
    bool lacks_ca; /* `context` trusts no one, since ca_file has not existed yet */
    struct stamp watched[WATCHED_MAX];
    uint64_t next_check_ns;
};

static bool given(const char *text)
{
    return text != NULL && text[0] != '\0';
}

static uint64_t monotonic_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* The newest reason of OpenSSL's; the queue is empty after it. */
static const char *openssl_reason(void)
{
    unsigned long code = ERR_peek_last_error();
    const char *reason = code != 0 ? ERR_reason_error_string(code) : NULL;
    ERR_clear_error();
    return reason != NULL ? reason : "unknown reason";
}

__attribute__((format(printf, 2, 3))) static enum hf_status fail(char *reterr, const char *format,
                                                                 ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(reterr, ERROR_SIZE, format, arguments);
    va_end(arguments);
    ERR_clear_error();
    return HF_INVALID;
}

/* Never ask for a passphrase on the terminal: this is a server. */
static int no_passphrase(char *buffer, int size, int writing, void *user)
{
    (void)buffer;
    (void)size;
    (void)writing;
    (void)user;
    return -1;
}

/* An item given as a file or as text. */
struct item {
    const char *key; /* of the configuration, for messages */
    const char *path, *pem;
};

static const char *item_name(const struct item *item)
{
    return given(item->path) ? item->path : "the text given";
}

static BIO *open_item(const struct item *item, char *reterr)
{
    BIO *bio;
    errno = 0;
    if (given(item->path)) {
        bio = BIO_new_file(item->path, "r");
    } else {
        bio = BIO_new_mem_buf(item->pem, -1);
    }
    if (bio == NULL) {
        (void)fail(reterr, "tls: cannot read %s %s: %s", item->key, item_name(item),
                   errno != 0 ? strerror(errno) : "out of memory");
    }
    return bio;
}

static enum hf_status use_certificate(SSL_CTX *context, const struct item *item, char *reterr)
{
    BIO *bio = open_item(item, reterr);
    if (bio == NULL) {
        return HF_INVALID;
    }
    X509 *own = PEM_read_bio_X509_AUX(bio, NULL, no_passphrase, NULL);
    bool good = own != NULL && SSL_CTX_use_certificate(context, own) == 1;
    X509_free(own);
    for (X509 *next; good && (next = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL)) != NULL;) {
        if (SSL_CTX_add0_chain_cert(context, next) != 1) {
            X509_free(next);
            good = false;
        }
    }
    BIO_free(bio);
    if (!good) {
        return fail(reterr, "tls: %s %s holds no usable certificate in PEM form: %s", item->key,
                    item_name(item), openssl_reason());
    }
    ERR_clear_error(); /* the end of the file counts as one */
    return HF_OK;
}

static enum hf_status use_key(SSL_CTX *context, const struct item *item, char *reterr)
{
    BIO *bio = open_item(item, reterr);
    if (bio == NULL) {
        return HF_INVALID;
    }
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
    BIO_free(bio);
    if (key == NULL) {
        return fail(reterr, "tls: %s %s holds no unencrypted private key in PEM form: %s",
                    item->key, item_name(item), openssl_reason());
    }
    int used = SSL_CTX_use_PrivateKey(context, key);
    EVP_PKEY_free(key);
    if (used != 1 || SSL_CTX_check_private_key(context) != 1) {
        return fail(reterr, "tls: %s %s is not the key of the certificate: %s", item->key,
                    item_name(item), openssl_reason());
    }
    return HF_OK;
}

/* Trusts every certificate of the item; `announce` names them to clients that have to choose one.
 */
static enum hf_status trust(SSL_CTX *context, const struct item *item, bool announce, char *reterr)
{
    BIO *bio = open_item(item, reterr);
    if (bio == NULL) {
        return HF_INVALID;
    }
    X509_STORE *store = SSL_CTX_get_cert_store(context);
    int count = 0;
    bool good = true;
    for (X509 *next; good && (next = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL)) != NULL;) {
        good = X509_STORE_add_cert(store, next) == 1 &&
               (!announce || SSL_CTX_add_client_CA(context, next) == 1);
        X509_free(next);
        count++;
    }
    BIO_free(bio);
    if (!good || count == 0) {
        return fail(reterr, "tls: %s %s holds no usable certificate in PEM form: %s", item->key,
                    item_name(item), openssl_reason());
    }
    ERR_clear_error();
    return HF_OK;
}

static int protocol_of(const char *version)
{
    static const struct {
        const char *name;
        int number;
    } rows[] = {{"1.0", TLS1_VERSION},
                {"1.1", TLS1_1_VERSION},
                {"1.2", TLS1_2_VERSION},
                {"1.3", TLS1_3_VERSION}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (strcmp(version, rows[i].name) == 0) {
            return rows[i].number;
        }
    }
    return -1;
}

static enum hf_status set_versions(SSL_CTX *context, const struct hf_tls_config *config,
                                   char *reterr)
{
    int least = given(config->min_version) ? protocol_of(config->min_version) : TLS1_2_VERSION;
    int most = given(config->max_version) ? protocol_of(config->max_version) : 0;
    if (least < 0 || most < 0 || SSL_CTX_set_min_proto_version(context, least) != 1 ||
        SSL_CTX_set_max_proto_version(context, most) != 1) {
        return fail(reterr, "tls: min_version or max_version is not 1.0, 1.1, 1.2 or 1.3");
    }
    if (least < TLS1_2_VERSION) {
        SSL_CTX_set_security_level(context, 0); /* OpenSSL 3 refuses their signatures above it */
    }
    return HF_OK;
}

/*
 * HTTP/2 forbids the suites of TLS 1.2 without a throw-away key or with a MAC apart (RFC 9113,
 * 9.2.2): they stay out, unless the configuration names them, or lets in versions of TLS that have
 * no others.
 */
static bool keeps_to_http2(const struct hf_tls *tls)
{
    const char *least = tls->config.min_version;
    return strcmp((const char *)tls->alpn + 1, "h2") == 0 &&
           (!given(least) || protocol_of(least) >= TLS1_2_VERSION);
}

static enum hf_status set_algorithms(SSL_CTX *context, const struct hf_tls *tls, char *reterr)
{
    const struct hf_tls_config *config = &tls->config;
    struct hf_tls_lists lists;
    enum hf_status status =
        hf_tls_lists(config->cipher_suites, config->curve_preferences, &lists, reterr);
    if (status != HF_OK) {
        return status;
    }
    const char *old = lists.old[0] != '\0' ? lists.old : keeps_to_http2(tls) ? HTTP2_SUITES : NULL;
    if ((old != NULL && SSL_CTX_set_cipher_list(context, old) != 1) ||
        (lists.tls13[0] != '\0' && SSL_CTX_set_ciphersuites(context, lists.tls13) != 1)) {
        return fail(reterr, "tls: cipher_suites: none of them is available: %s", openssl_reason());
    }
    if (lists.curves[0] != '\0' && SSL_CTX_set1_groups_list(context, lists.curves) != 1) {
        return fail(reterr, "tls: curve_preferences: none of them is available");
    }
    return HF_OK;
}

static int select_alpn(SSL *session, const unsigned char **ret_name, unsigned char *ret_size,
                       const unsigned char *offered, unsigned int offered_size, void *user)
{
    const struct hf_tls *tls = user;
    (void)session;
    unsigned int size = tls->alpn[0];
    for (unsigned int at = 0; at < offered_size && offered[at] < offered_size - at;
         at += 1u + offered[at]) {
        if (offered[at] == size && memcmp(offered + at + 1, tls->alpn + 1, size) == 0) {
            *ret_name = offered + at + 1;
            *ret_size = offered[at];
            return SSL_TLSEXT_ERR_OK;
        }
    }
    return size == 0 ? SSL_TLSEXT_ERR_NOACK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

static enum hf_status set_identity(SSL_CTX *context, const struct hf_tls_config *config,
                                   char *reterr)
{
    if (!given(config->cert_file) && !given(config->cert_pem)) {
        return HF_OK;
    }
    const struct item certificate = {given(config->cert_file) ? "cert_file" : "cert_pem",
                                     config->cert_file, config->cert_pem};
    const struct item key = {given(config->key_file) ? "key_file" : "key_pem", config->key_file,
                             config->key_pem};
    enum hf_status status = use_certificate(context, &certificate, reterr);
    return status == HF_OK ? use_key(context, &key, reterr) : status;
}

bool hf_tls_ca_is_missing(const struct hf_tls_config *config)
{
    return given(config->ca_file) && !config->insecure_skip_verify &&
           access(config->ca_file, F_OK) != 0 && errno == ENOENT;
}

/* A file that has existed is not missed: the context made of it stays in use. */
static bool lacks_ca(const struct hf_tls *tls)
{
    return !tls->server && (tls->context == NULL || tls->lacks_ca) &&
           hf_tls_ca_is_missing(&tls->config);
}

static enum hf_status set_trust(SSL_CTX *context, const struct hf_tls *tls, char *reterr)
{
    const struct hf_tls_config *config = &tls->config;
    if (tls->server) {
        if (!given(config->client_ca_file)) {
            return HF_OK;
        }
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
        const struct item item = {"client_ca_file", config->client_ca_file, NULL};
        return trust(context, &item, true, reterr);
    }
    SSL_CTX_set_verify(context, config->insecure_skip_verify ? SSL_VERIFY_NONE : SSL_VERIFY_PEER,
                       NULL);
    bool own = given(config->ca_file) || given(config->ca_pem);
    if (!own || config->include_system_ca_certs_pool) {
        /* A system without any is no error here: verification will fail and say so. */
        (void)SSL_CTX_set_default_verify_paths(context);
        ERR_clear_error();
    }
    if (!own) {
        return HF_OK;
    }
    const struct item item = {given(config->ca_file) ? "ca_file" : "ca_pem", config->ca_file,
                              config->ca_pem};
    return lacks_ca(tls) ? HF_OK : trust(context, &item, false, reterr);
}

static enum hf_status set_alpn(SSL_CTX *context, struct hf_tls *tls)
{
    if (tls->server) {
        SSL_CTX_set_alpn_select_cb(context, select_alpn, tls);
        return HF_OK;
    }
    if (tls->alpn[0] == 0) {
        return HF_OK;
    }
    /* This one returns 0 for success. */
    return SSL_CTX_set_alpn_protos(context, tls->alpn, 1u + tls->alpn[0]) == 0 ? HF_OK : HF_NOMEM;
}

static enum hf_status make_context(struct hf_tls *tls, SSL_CTX **ret_context, char *reterr)
{
    ERR_clear_error();
    SSL_CTX *context = SSL_CTX_new(tls->server ? TLS_server_method() : TLS_client_method());
    if (context == NULL) {
        (void)fail(reterr, "tls: out of memory");
        return HF_NOMEM;
    }
    SSL_CTX_set_default_passwd_cb(context, no_passphrase);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                     SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                  SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_read_ahead(context, 1);
    SSL_CTX_set_default_read_buffer_len(context, READ_AHEAD_BYTES);
    /* Resumption with client certificates needs a name to be resumed in. */
    SSL_CTX_set_session_id_context(context, (const unsigned char *)"holdfast", 8);
    if (tls->server && tls->alpn[0] == 0) {
        /* Of a sender that reads nothing, a ticket in its buffer makes the end a reset, which takes
         * what it has sent last with it. */
        SSL_CTX_set_num_tickets(context, 0);
    }
    enum hf_status status = set_versions(context, &tls->config, reterr);
    if (status == HF_OK) {
        status = set_algorithms(context, tls, reterr);
    }
    if (status == HF_OK) {
        status = set_identity(context, &tls->config, reterr);
    }
    if (status == HF_OK) {
        status = set_trust(context, tls, reterr);
    }
    if (status == HF_OK && (status = set_alpn(context, tls)) != HF_OK) {
        (void)fail(reterr, "tls: out of memory");
    }
    if (status != HF_OK) {
        SSL_CTX_free(context);
        return status;
    }
    *ret_context = context;
    return HF_OK;
}

/* Returns true when a file is not as it was. One that cannot be seen is taken as unchanged: it may
 * be in the middle of being replaced. */
static bool take_stamps(struct stamp *watched)
{
    bool changed = false;
    for (size_t i = 0; i < WATCHED_MAX; i++) {
        struct stat now;
        struct stamp *stamp = &watched[i];
        if (!given(stamp->path) || stat(stamp->path, &now) != 0) {
            continue;
        }
        if (now.st_ino != stamp->inode || now.st_size != stamp->size ||
            now.st_mtim.tv_sec != stamp->changed.tv_sec ||
            now.st_mtim.tv_nsec != stamp->changed.tv_nsec) {
            stamp->inode = now.st_ino;
            stamp->size = now.st_size;
            stamp->changed = now.st_mtim;
            changed = true;
        }
    }
    return changed;
}

static uint64_t reload_interval_ns(const struct hf_tls *tls)
{
    return tls->config.reload_interval_ns != 0 ? tls->config.reload_interval_ns : RELOAD_DEFAULT_NS;
}

static enum hf_status new_tls(const struct hf_tls_config *config, bool server, const char *alpn,
                              struct hf_tls **ret_tls, char *reterr)
{
    const char *wrong = server ? hf_tls_server_check(config) : hf_tls_client_check(config);
    if (wrong != NULL) {
        return fail(reterr, "tls: %s", wrong);
    }
    struct hf_tls *tls = calloc(1, sizeof(*tls));
    if (tls == NULL) {
        (void)fail(reterr, "tls: out of memory");
        return HF_NOMEM;
    }
    tls->config = *config;
    tls->server = server;
    size_t size = strnlen(alpn, sizeof(tls->alpn) - 1);
    tls->alpn[0] = (unsigned char)size;
    memcpy(tls->alpn + 1, alpn, size);
    pthread_mutex_init(&tls->lock, NULL);
    tls->watched[0].path = config->ca_file;
    tls->watched[1].path = config->cert_file;
    tls->watched[2].path = config->key_file;
    tls->watched[3].path = server && config->client_ca_file_reload ? config->client_ca_file : NULL;
    /* Before they are read: a change in between is then seen as one. */
    (void)take_stamps(tls->watched);
    tls->next_check_ns = monotonic_ns() + reload_interval_ns(tls);
    bool lacks = lacks_ca(tls);
    enum hf_status status = make_context(tls, &tls->context, reterr);
    if (status != HF_OK) {
        hf_tls_free(tls);
        return status;
    }
    tls->lacks_ca = lacks;
    *ret_tls = tls;
    return HF_OK;
}

enum hf_status hf_tls_new_server(const struct hf_tls_config *config, const char *alpn,
                                 struct hf_tls **ret_tls, char *reterr)
{
    return new_tls(config, true, alpn, ret_tls, reterr);
}

enum hf_status hf_tls_new_client(const struct hf_tls_config *config, const char *alpn,
                                 struct hf_tls **ret_tls, char *reterr)
{
    return new_tls(config, false, alpn, ret_tls, reterr);
}

void hf_tls_free(struct hf_tls *tls)
{
    if (tls == NULL) {
        return;
    }
    SSL_CTX_free(tls->context);
    pthread_mutex_destroy(&tls->lock);
    free(tls);
}

void hf_tls_report_to(struct hf_tls *tls, void (*report)(void *user, const char *why), void *user)
{
    tls->report = report;
    tls->report_user = user;
}

/* With the lock held. A new set of files that does not work leaves the old context in use, and
 * `reterr` says why. */
static enum hf_status reload_if_changed(struct hf_tls *tls, char *reterr)
{
    uint64_t now_ns = monotonic_ns();
    if (now_ns < tls->next_check_ns && !tls->lacks_ca) {
        return HF_OK;
    }
    tls->next_check_ns = now_ns + reload_interval_ns(tls);
    if (!take_stamps(tls->watched)) {
        return HF_OK;
    }
    SSL_CTX *context;
    bool lacks = lacks_ca(tls);
    enum hf_status status = make_context(tls, &context, reterr);
    if (status == HF_OK) {
        SSL_CTX_free(tls->context); /* sessions keep their own reference */
        tls->context = context;
        tls->lacks_ca = lacks;
    }
    return status;
}

static bool is_address(const char *name)
{
    unsigned char address[16];
    return inet_pton(AF_INET, name, address) == 1 || inet_pton(AF_INET6, name, address) == 1;
}

static bool expect_server(SSL *session, const char *name)
{
    if (is_address(name)) {
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session), name) == 1;
    }
    return SSL_set_tlsext_host_name(session, name) == 1 && SSL_set1_host(session, name) == 1;
}

enum hf_status hf_tls_session_new(struct hf_tls *tls, const char *server_name, SSL **ret_session)
{
    ERR_clear_error();
    char error[ERROR_SIZE];
    pthread_mutex_lock(&tls->lock);
    enum hf_status reloaded = reload_if_changed(tls, error);
    bool lacks = tls->lacks_ca;
    SSL *session = lacks ? NULL : SSL_new(tls->context);
    pthread_mutex_unlock(&tls->lock);
    if (reloaded != HF_OK && tls->report != NULL) {
        tls->report(tls->report_user, error);
    }
    if (session == NULL) {
        return lacks ? HF_NOT_FOUND : HF_NOMEM;
    }
    if (tls->server) {
        SSL_set_accept_state(session);
        *ret_session = session;
        return HF_OK;
    }
    SSL_set_connect_state(session);
    const char *name =
        given(tls->config.server_name_override) ? tls->config.server_name_override : server_name;
    /* Verified without a name, any certificate of the authority would do. */
    bool named = given(name) && expect_server(session, name);
    if (!named && !tls->config.insecure_skip_verify) {
        SSL_free(session);
        ERR_clear_error();
        return HF_INVALID;
    }
    *ret_session = session;
    return HF_OK;
}

bool hf_tls_session_agreed(const struct hf_tls *tls, const SSL *session)
{
    const unsigned char *name;
    unsigned int size;
    SSL_get0_alpn_selected(session, &name, &size);
    if (size == 0) {
        /* HTTP/2 must be agreed on; everything else is spoken without any word. */
        return strcmp((const char *)tls->alpn + 1, "h2") != 0;
    }
    return size == tls->alpn[0] && memcmp(name, tls->alpn + 1, size) == 0;
}
