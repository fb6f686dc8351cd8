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
#include <sys/random.h>

#include <holdfast/component.h>

#include "password_hash.h"
#include "password_worker.h"
#include "util/base64.h"
#include "util/file_watch.h"
#include "util/time/clock.h"

#define LOOK_NS HF_NS_PER_S
#define ENTRIES_MAX 10000u
#define CREDENTIALS_MAX PASSWORD_BYTES_MAX /* "user:password" */
#define SCHEME "Basic "

struct basic_config {
    struct htpasswd_config {
        const char *file, *content;
        struct hf_value provider;
    } htpasswd;
    const struct client_config {
        const char *username, *password, *username_file, *password_file;
        struct hf_value provider;
    } * client;
};

struct entry {
    const char *user, *hash; /* into the text */
    char *matched;           /* the password that did, NULL: none yet */
};

struct basic {
    struct hf_node *node;
    const struct basic_config *config;
    char client_value[CREDENTIALS_MAX * 2]; /* "Basic ..."; "" without client_auth */
    uint64_t secret;                /* random; stands for an unknown name, not known outside */
    struct password_worker *worker; /* once started; NULL when no hash can need it */
    struct crypt_data *crypt_data;  /* the worker's thread */
    pthread_mutex_t lock;           /* of what follows, and of client_value */
    struct hf_file_watch user_watch, password_watch; /* of client_auth */
    struct hf_file_watch watched;
    char *text; /* of the file and the inline part, its lines cut */
    struct entry *entries;
    size_t count;
};

static void clear_entries(struct basic *basic)
{
    for (size_t i = 0; i < basic->count; i++) {
        free(basic->entries[i].matched);
    }
    free(basic->entries);
    free(basic->text);
    basic->entries = NULL;
    basic->text = NULL;
    basic->count = 0;
}

/* Cuts the text into "user:hash" lines; blank lines and comments are nothing. */
static bool parse(struct basic *basic, char *text)
{
    size_t lines = 1;
    for (const char *at = text; *at != '\0'; at++) {
        lines += *at == '\n';
    }
    struct entry *entries = calloc(lines < ENTRIES_MAX ? lines : ENTRIES_MAX, sizeof(struct entry));
    if (entries == NULL) {
        return false;
    }
    clear_entries(basic);
    basic->text = text;
    basic->entries = entries;
    for (char *rest = text; rest != NULL && basic->count < ENTRIES_MAX;) {
        char *line = strsep(&rest, "\n");
        line += strspn(line, " \t");
        line[strcspn(line, "\r")] = '\0';
        char *colon = line[0] != '#' ? strchr(line, ':') : NULL;
        if (colon != NULL && colon != line && colon[1] != '\0') {
            *colon = '\0';
            basic->entries[basic->count++] = (struct entry){.user = line, .hash = colon + 1};
        }
    }
    return true;
}

/* Warns about entries that can never match. */
static void warn_unknown(const struct basic *basic)
{
    for (size_t i = 0; i < basic->count; i++) {
        const struct entry *entry = &basic->entries[i];
        if (!password_is_known(entry->hash)) {
            hf_node_log(basic->node, HF_LOG_WARN,
                        "htpasswd: the password of %s never matches: its kind of hash is unknown",
                        entry->user);
        }
    }
}

/* Reads all entries again, from the file and the inline part. Under the lock. */
static enum hf_status load(struct basic *basic, char *reterr)
{
    const struct htpasswd_config *config = &basic->config->htpasswd;
    char *file = NULL;
    if (config->file != NULL) {
        enum hf_status status = hf_file_watch_read(config->file, &file, reterr);
        if (status != HF_OK) {
            return status;
        }
    }
    const char *content = config->content != NULL ? config->content : "";
    size_t size = (file != NULL ? strlen(file) : 0) + strlen(content) + 2;
    char *text = malloc(size);
    if (text != NULL) {
        snprintf(text, size, "%s\n%s", file != NULL ? file : "", content);
    }
    free(file);
    if (text == NULL || !parse(basic, text)) {
        free(text);
        snprintf(reterr, HF_ERROR_MAX, "no memory for the passwords");
        return HF_NOMEM;
    }
    warn_unknown(basic);
    return HF_OK;
}

/* Under the lock. */
static void refresh(struct basic *basic)
{
    char error[HF_ERROR_MAX];
    if (basic->config->htpasswd.file != NULL &&
        hf_file_watch_changed(&basic->watched, hf_clock_coarse_ns(), LOOK_NS) &&
        load(basic, error) != HF_OK) {
        hf_node_log(basic->node, HF_LOG_WARN, "the passwords stay as they were: %s", error);
    }
}

/* The entry of that name, NULL: none. Under the lock. */
static struct entry *find_entry(const struct basic *basic, const char *user)
{
    /* Who is named twice is who comes last: the inline part stands over the file. */
    size_t i = basic->count;
    while (i > 0 && strcmp(basic->entries[i - 1].user, user) != 0) {
        i--;
    }
    return i > 0 ? &basic->entries[i - 1] : NULL;
}

/* The entry whose hash stands for that of an unknown name, always the same one: its kind and cost
 * are those of a real one. NULL: there is none at all. Under the lock. */
static struct entry *find_double(const struct basic *basic, const char *user)
{
    uint64_t hash = basic->secret;
    for (const char *at = user; *at != '\0'; at++) {
        hash = (hash ^ (uint8_t)*at) * UINT64_C(1099511628211);
        hash ^= hash >> 29;
    }
    return basic->count != 0 ? &basic->entries[hash % basic->count] : NULL;
}

/* "Basic " and the base64 of "user:password"; cut in two at the colon. */
static bool read_credentials(struct hf_slice value, char text[CREDENTIALS_MAX + 1],
                             const char **ret_password)
{
    size_t scheme_size = sizeof(SCHEME) - 1, size;
    if (value.size <= scheme_size ||
        strncasecmp((const char *)value.data, SCHEME, scheme_size) != 0) {
        return false;
    }
    struct hf_slice coded = hf_slice_of(value.data + scheme_size, value.size - scheme_size);
    /* One byte more than CREDENTIALS_MAX has room. */
    if (coded.size > HF_BASE64_SIZE(CREDENTIALS_MAX) ||
        !hf_base64_decode(coded, HF_BASE64_ANY_PADDING, (uint8_t *)text, &size) ||
        size > CREDENTIALS_MAX || memchr(text, '\0', size) != NULL) {
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
    refresh(basic);
    const struct entry *known = find_entry(basic, user);
    const struct entry *entry = known != NULL ? known : find_double(basic, user);
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
    char user[CREDENTIALS_MAX + 1];
    const char *password;
    bool good = false;
    struct hf_slice shown = request->header(request->request, "authorization");
    if (read_credentials(shown, user, &password) && !decide(basic, user, password, &good)) {
        return false;
    }
    if (good) {
        size_t scheme = sizeof(SCHEME) - 1;
        add_attributes(meta, user, hf_slice_of(shown.data + scheme, shown.size - scheme));
    }
    *ret_status = good ? HF_OK : HF_UNAUTHENTICATED;
    return true;
}

static void begin_check(void *self, const struct hf_auth_request *request,
                        struct hf_auth_wait *wait)
{
    struct basic *basic = self;
    char user[CREDENTIALS_MAX + 1];
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
    struct entry *entry = find_entry(basic, user);
    if (entry != NULL && strcmp(entry->hash, hash) == 0) {
        free(entry->matched);
        entry->matched = strdup(password); /* without memory, it is checked by its hash again */
    }
}

static enum hf_status verify(void *user_data, const char *user, const char *password)
{
    struct basic *basic = user_data;
    pthread_mutex_lock(&basic->lock);
    const struct entry *known = find_entry(basic, user);
    const struct entry *entry = known != NULL ? known : find_double(basic, user);
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
    char both[CREDENTIALS_MAX + 2], raw[CREDENTIALS_MAX * 2];
    (void)self;
    snprintf(both, sizeof(both), "%s:%s", user, password);
    add_attributes(meta, user, hf_slice_of(raw, hf_base64_print(hf_slice_text(both), raw)));
}

static void worker_ended(void *self)
{
    const struct basic *basic = self;
    hf_node_release(basic->node);
}

/* Either text, without the blanks at its end; the file wins. `room` has CREDENTIALS_MAX bytes. */
static enum hf_status read_part(const char *text, const char *path, char *room, char *reterr)
{
    char *content = NULL;
    if (path == NULL) {
        snprintf(room, CREDENTIALS_MAX, "%s", text != NULL ? text : "");
        return HF_OK;
    }
    enum hf_status status = hf_file_watch_read_secret(path, &content, reterr);
    if (status != HF_OK) {
        return status;
    }
    int size = snprintf(room, CREDENTIALS_MAX, "%s", content);
    free(content);
    if (size >= (int)CREDENTIALS_MAX) {
        snprintf(reterr, HF_ERROR_MAX, "%s is longer than %u bytes", path, CREDENTIALS_MAX - 1);
        return HF_TOO_LARGE;
    }
    return HF_OK;
}

/* Under the lock. */
static enum hf_status make_client_value(struct basic *basic, char *reterr)
{
    const struct client_config *client = basic->config->client;
    char user[CREDENTIALS_MAX], password[CREDENTIALS_MAX], both[CREDENTIALS_MAX];
    enum hf_status status = read_part(client->username, client->username_file, user, reterr);
    if (status == HF_OK) {
        status = read_part(client->password, client->password_file, password, reterr);
    }
    if (status != HF_OK) {
        return status;
    }
    if (snprintf(both, sizeof(both), "%s:%s", user, password) >= (int)sizeof(both)) {
        snprintf(reterr, HF_ERROR_MAX, "user name and password are longer than %u bytes",
                 CREDENTIALS_MAX - 2);
        return HF_TOO_LARGE;
    }
    memcpy(basic->client_value, SCHEME, sizeof(SCHEME) - 1);
    size_t used = sizeof(SCHEME) - 1;
    used += hf_base64_print(hf_slice_text(both), basic->client_value + used);
    basic->client_value[used] = '\0';
    return HF_OK;
}

/* Under the lock. */
static void refresh_client(struct basic *basic)
{
    char error[HF_ERROR_MAX];
    uint64_t now_ns = hf_clock_coarse_ns();
    struct hf_file_watch *user = &basic->user_watch, *password = &basic->password_watch;
    bool user_changed = user->path != NULL && hf_file_watch_changed(user, now_ns, LOOK_NS);
    bool password_changed =
        password->path != NULL && hf_file_watch_changed(password, now_ns, LOOK_NS);
    if ((user_changed || password_changed) && make_client_value(basic, error) != HF_OK) {
        hf_node_log(basic->node, HF_LOG_WARN, "client_auth stays as it was: %s", error);
    }
}

static enum hf_status open_client(struct basic *basic, char *reterr)
{
    const struct client_config *client = basic->config->client;
    basic->user_watch.path = client != NULL ? client->username_file : NULL;
    basic->password_watch.path = client != NULL ? client->password_file : NULL;
    enum hf_status status = client != NULL ? make_client_value(basic, reterr) : HF_OK;
    if (status == HF_OK) {
        refresh_client(basic); /* what is read now is the state to compare with */
    }
    return status;
}

static enum hf_status add_headers(void *self, struct hf_slice meta, struct hf_header_sink *sink)
{
    (void)meta;
    struct basic *basic = self;
    char value[sizeof(basic->client_value)];
    pthread_mutex_lock(&basic->lock);
    refresh_client(basic);
    memcpy(value, basic->client_value, sizeof(value));
    pthread_mutex_unlock(&basic->lock);
    if (value[0] == '\0') {
        return HF_UNAUTHENTICATED;
    }
    return sink->add(sink, hf_slice_text("authorization"), hf_slice_text(value));
}

static bool needs_crypt(const struct basic *basic)
{
    for (size_t i = 0; i < basic->count; i++) {
        if (password_is_slow(basic->entries[i].hash)) {
            return true;
        }
    }
    return basic->config->htpasswd.file != NULL; /* the next version of it may */
}

/* Only where hashes ask for it: a thread, and 32 KiB. */
static enum hf_status start_basic(void *self, char *reterr)
{
    struct basic *basic = self;
    if (!needs_crypt(basic)) {
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
    clear_entries(basic);
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
    basic->config = config;
    pthread_mutex_init(&basic->lock, NULL);
    basic->watched.path = basic->config->htpasswd.file;
    ssize_t got = getrandom(&basic->secret, sizeof(basic->secret), GRND_NONBLOCK);
    (void)got; /* without: guessed by those who know the file's order */
    bool changed = basic->watched.path != NULL &&
                   hf_file_watch_changed(&basic->watched, hf_clock_coarse_ns(), LOOK_NS);
    (void)changed; /* what is read now is the state to compare with */
    enum hf_status status = load(basic, reterr);
    status = status == HF_OK ? open_client(basic, reterr) : status;
    if (status != HF_OK) {
        close_basic(basic);
        return status;
    }
    *ret_self = basic;
    return HF_OK;
}

static const char *check_config(const void *from)
{
    const struct basic_config *config = from;
    const struct client_config *client = config->client;
    bool serves = config->htpasswd.file != NULL ||
                  (config->htpasswd.content != NULL && config->htpasswd.content[0] != '\0');
    if (config->htpasswd.provider.type != HF_VALUE_NONE ||
        (client != NULL && client->provider.type != HF_VALUE_NONE)) {
        return "secret_provider is not supported; use file, username_file and password_file";
    }
    if (!serves && client == NULL) {
        return "no credentials: set htpasswd (file or inline) or client_auth";
    }
    if (serves && client != NULL) {
        return "htpasswd and client_auth exclude each other: one asks, the other sends";
    }
    bool has_name = client != NULL && client->username != NULL && client->username[0] != '\0';
    if (client != NULL && client->username_file == NULL &&
        (!has_name || strchr(client->username, ':') != NULL)) {
        return "client_auth: username: expected a name without a colon";
    }
    if (has_name &&
        strlen(client->username) + 2 + (client->password != NULL ? strlen(client->password) : 0) >
            CREDENTIALS_MAX) {
        return "client_auth: user name and password are longer than 510 bytes";
    }
    return NULL;
}

static const struct hf_field htpasswd_fields[] = {
    {.key = "file",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct htpasswd_config, file),
     .help = "An htpasswd file, read again when it changes."},
    {.key = "inline",
     .type = HF_FIELD_SECRET,
     .offset = offsetof(struct htpasswd_config, content),
     .help = "The same as text: user:hash lines; bcrypt, apr1, {SHA}, {SSHA}, crypt or plain; they "
             "stand over the file's."},
    {.key = "secret_provider",
     .type = HF_FIELD_VALUE,
     .offset = offsetof(struct htpasswd_config, provider),
     .help = "Not supported."},
    HF_FIELDS_END,
};

static const struct hf_field client_fields[] = {
    {.key = "username",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct client_config, username),
     .help = "Name to send."},
    {.key = "username_file",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct client_config, username_file),
     .help = "A file with the name, read again when it changes; it wins over username."},
    {.key = "password",
     .type = HF_FIELD_SECRET,
     .offset = offsetof(struct client_config, password),
     .help = "Password to send."},
    {.key = "password_file",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct client_config, password_file),
     .help = "A file with the password, read again when it changes; it wins over password."},
    {.key = "secret_provider",
     .type = HF_FIELD_VALUE,
     .offset = offsetof(struct client_config, provider),
     .help = "Not supported."},
    HF_FIELDS_END,
};

static const struct hf_field fields[] = {
    {.key = "htpasswd",
     .type = HF_FIELD_STRUCT,
     .offset = offsetof(struct basic_config, htpasswd),
     .inner = htpasswd_fields,
     .help = "Who may send here."},
    {.key = "client_auth",
     .type = HF_FIELD_OPTIONAL,
     .offset = offsetof(struct basic_config, client),
     .inner = client_fields,
     .inner_size = sizeof(struct client_config),
     .help = "What an exporter sends."},
    HF_FIELDS_END,
};

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
    .fields = fields,
    .check = check_config,
    .probe = probe_outside,
    .open = open_basic,
    .start = start_basic,
    .stop = stop_basic,
    .close = close_basic,
    .extension = &extension_ops,
};
