/*
 * basicauth: user name and password. Asked of who sends here (htpasswd), or added to what is sent
 * (client_auth).
 *
 * A good bcrypt hash takes tens of milliseconds to check: the password that has matched an entry is
 * remembered and compared, on the thread of the request; all others go to the password worker. An
 * unknown name is checked against the hash of some entry, so that it takes as long as a known one.
 */
#include <crypt.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <holdfast/component.h>

#include "basicauth_client.h"
#include "basicauth_users.h"
#include "password_hash.h"
#include "password_worker.h"
#include "util/base64.h"

struct basic {
    struct hf_node *node;
    struct password_worker *worker; /* once started; NULL when no hash can need it */
    struct crypt_data *crypt_data;  /* the worker's thread */
    pthread_mutex_t lock;           /* of what follows */
    struct basic_users users;
    struct basic_client client;
};

/* "Basic " and the base64 of "user:password"; cut in two at the colon. */
static bool read_credentials(struct hf_slice value, char text[BASIC_CREDENTIALS_MAX + 1],
                             const char **ret_password)
{
    size_t scheme_size = sizeof(BASIC_SCHEME) - 1, size;
    if (value.size <= scheme_size ||
        strncasecmp((const char *)value.data, BASIC_SCHEME, scheme_size) != 0) {
        return false;
    }
    struct hf_slice coded = hf_slice_of(value.data + scheme_size, value.size - scheme_size);
    /* One byte more than BASIC_CREDENTIALS_MAX has room. */
    if (coded.size > HF_BASE64_SIZE(BASIC_CREDENTIALS_MAX) ||
        !hf_base64_decode(coded, HF_BASE64_ANY_PADDING, (uint8_t *)text, &size) ||
        size > BASIC_CREDENTIALS_MAX || memchr(text, '\0', size) != NULL) {
        return false;
    }
    text[size] = '\0';
    char *colon = strchr(text, ':');
    if (colon == NULL) {
        return false;
    }
    *colon = '\0';
    *ret_password = colon + 1;
    return true;
}

/* Decides what needs no time; false: the worker must. */
static bool decide(struct basic *basic, const char *user, const char *password, bool *ret_good)
{
    pthread_mutex_lock(&basic->lock);
    basic_users_refresh(&basic->users);
    const struct basic_entry *known = basic_users_find(&basic->users, user);
    const struct basic_entry *entry =
        known != NULL ? known : basic_users_double(&basic->users, user);
    bool remembered =
        known != NULL && known->matched != NULL && password_equal(password, known->matched);
    bool decided = remembered || entry == NULL || !password_is_slow(entry->hash);
    *ret_good = remembered;
    if (decided && !remembered && entry != NULL) {
        *ret_good = password_matches_fast(entry->hash, password) && known != NULL;
    }
    pthread_mutex_unlock(&basic->lock);
    return decided;
}

/* What processors may ask for: the name, and the credentials as they were sent. */
static void add_attributes(struct hf_meta_writer *meta, const char *user, struct hf_slice raw)
{
    enum hf_status added =
        hf_meta_add(meta, HF_META_AUTH, hf_slice_text("username"), hf_slice_text(user));
    if (added == HF_OK) {
        added = hf_meta_add(meta, HF_META_AUTH, hf_slice_text("raw"), raw);
    }
    (void)added; /* what does not fit is left out */
}

static bool check_request(void *self, const struct hf_auth_request *request,
                          struct hf_meta_writer *meta, enum hf_status *ret_status)
{
    struct basic *basic = self;
    char user[BASIC_CREDENTIALS_MAX + 1];
    const char *password;
    bool good = false;
    struct hf_slice shown = request->header(request->request, "authorization");
    if (read_credentials(shown, user, &password) && !decide(basic, user, password, &good)) {
        return false;
    }
    if (good) {
        size_t scheme = sizeof(BASIC_SCHEME) - 1;
        add_attributes(meta, user, hf_slice_of(shown.data + scheme, shown.size - scheme));
    }
    *ret_status = good ? HF_OK : HF_UNAUTHENTICATED;
    return true;
}

static void begin_check(void *self, const struct hf_auth_request *request,
                        struct hf_auth_wait *wait)
{
    struct basic *basic = self;
    char user[BASIC_CREDENTIALS_MAX + 1];
    const char *password;
    struct hf_slice shown = request->header(request->request, "authorization");
    if (!read_credentials(shown, user, &password)) {
        wait->done(wait, HF_UNAUTHENTICATED);
    } else if (basic->worker == NULL) {
        wait->done(wait, HF_CLOSED);
    } else {
        password_worker_ask(basic->worker, request->peer, user, password, wait);
    }
}

/* ---- the worker's thread ---- */

/* Under the lock, after the password has matched `hash`; the file may have changed since. */
static void remember(struct basic *basic, const char *user, const char *hash, const char *password)
{
    struct basic_entry *entry = basic_users_find(&basic->users, user);
    if (entry != NULL && strcmp(entry->hash, hash) == 0) {
        free(entry->matched);
        entry->matched = strdup(password); /* without memory, it is checked by its hash again */
    }
}

static enum hf_status verify(void *user_data, const char *user, const char *password)
{
    struct basic *basic = user_data;
    pthread_mutex_lock(&basic->lock);
    const struct basic_entry *known = basic_users_find(&basic->users, user);
    const struct basic_entry *entry =
        known != NULL ? known : basic_users_double(&basic->users, user);
    bool remembered =
        known != NULL && known->matched != NULL && password_equal(password, known->matched);
    char *hash = entry != NULL && !remembered ? strdup(entry->hash) : NULL;
    bool none = entry == NULL;
    pthread_mutex_unlock(&basic->lock);
    if (remembered || hash == NULL) {
        return remembered ? HF_OK : none ? HF_UNAUTHENTICATED : HF_AGAIN;
    }
    bool good = password_is_slow(hash) ? password_matches_slow(hash, password, basic->crypt_data)
                                       : password_matches_fast(hash, password);
    good = good && known != NULL;
    if (good) {
        pthread_mutex_lock(&basic->lock);
        remember(basic, user, hash, password);
        pthread_mutex_unlock(&basic->lock);
    }
    free(hash);
    return good ? HF_OK : HF_UNAUTHENTICATED;
}

static void describe(void *self, const char *user, const char *password,
                     struct hf_meta_writer *meta)
{
    char both[BASIC_CREDENTIALS_MAX + 2], raw[BASIC_CREDENTIALS_MAX * 2];
    (void)self;
    snprintf(both, sizeof(both), "%s:%s", user, password);
    add_attributes(meta, user, hf_slice_of(raw, hf_base64_print(hf_slice_text(both), raw)));
}

static void worker_ended(void *self)
{
    const struct basic *basic = self;
    hf_node_release(basic->node);
}

static enum hf_status add_headers(void *self, struct hf_slice meta, struct hf_header_sink *sink)
{
    (void)meta;
    struct basic *basic = self;
    char value[sizeof(basic->client.value)];
    pthread_mutex_lock(&basic->lock);
    basic_client_refresh(&basic->client);
    memcpy(value, basic->client.value, sizeof(value));
    pthread_mutex_unlock(&basic->lock);
    if (value[0] == '\0') {
        return HF_UNAUTHENTICATED;
    }
    return sink->add(sink, hf_slice_text("authorization"), hf_slice_text(value));
}

/* Only where hashes ask for it: a thread, and 32 KiB. */
static enum hf_status start_basic(void *self, char *reterr)
{
    struct basic *basic = self;
    if (!basic_users_need_time(&basic->users)) {
        return HF_OK;
    }
    const struct password_worker_options options = {
        .verify = verify, .describe = describe, .ended = worker_ended, .user = basic};
    basic->crypt_data = calloc(1, sizeof(*basic->crypt_data));
    enum hf_status status = HF_NOMEM;
    hf_node_hold(basic->node);
    if (basic->crypt_data != NULL) {
        status = password_worker_start(&options, &basic->worker);
    }
    if (status != HF_OK) {
        hf_node_release(basic->node);
        snprintf(reterr, HF_ERROR_MAX, "no memory or no thread to check passwords");
    }
    return status;
}

static void stop_basic(void *self)
{
    struct basic *basic = self;
    if (basic->worker != NULL) {
        password_worker_stop(basic->worker);
    }
}

static void close_basic(void *self)
{
    struct basic *basic = self;
    password_worker_free(basic->worker);
    basic_users_close(&basic->users);
    free(basic->crypt_data);
    pthread_mutex_destroy(&basic->lock);
    free(basic);
}

static enum hf_status open_basic(struct hf_node *node, const void *config, void **ret_self,
                                 char *reterr)
{
    struct basic *basic = calloc(1, sizeof(*basic));
    if (basic == NULL) {
        snprintf(reterr, HF_ERROR_MAX, "no memory for the extension");
        return HF_NOMEM;
    }
    basic->node = node;
    pthread_mutex_init(&basic->lock, NULL);
    const struct basic_config *keys = config;
    enum hf_status status = basic_users_open(&basic->users, node, &keys->htpasswd, reterr);
    if (status == HF_OK) {
        status = basic_client_open(&basic->client, node, keys->client, reterr);
    }
    if (status != HF_OK) {
        close_basic(basic);
        return status;
    }
    *ret_self = basic;
    return HF_OK;
}

static const struct hf_auth auth = {
    .check = check_request, .begin = begin_check, .headers = add_headers};

static const struct hf_extension_ops extension_ops = {
    .auth = &auth,
};

static void probe_outside(const void *from, struct hf_probe *probe)
{
    const struct basic_config *config = from;
    hf_probe_read(probe, config->htpasswd.file);
    if (config->client != NULL) {
        hf_probe_read(probe, config->client->username_file);
        hf_probe_read(probe, config->client->password_file);
    }
}

const struct hf_component hf_extension_basicauth = {
    .type = "basicauth",
    .help = "Sends and asks for a user name and password.",
    .kind = HF_EXTENSION,
    .config_size = sizeof(struct basic_config),
    .fields = basic_fields,
    .check = basic_check,
    .probe = probe_outside,
    .open = open_basic,
    .start = start_basic,
    .stop = stop_basic,
    .close = close_basic,
    .extension = &extension_ops,
};
