/*
 * basicauth: user name and password. Asked of who sends here (htpasswd), or added to what is sent
 * (client_auth).
 *
 * A good bcrypt hash takes tens of milliseconds to check, which no request may cost: the password
 * that has matched an entry is remembered and compared, and when many fail in a second, the rest of
 * that second fails without being looked at.
 */
#include <crypt.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <holdfast/component.h>

#include "util/apr1.h"
#include "util/clock.h"
#include "util/digest.h"
#include "util/file_watch.h"

#define LOOK_NS HF_NS_PER_S
#define ENTRIES_MAX 10000u
#define CREDENTIALS_MAX 512u /* "user:password" */
#define FAILURES_MAX 20u     /* per second, of hashes that are expensive to check */
#define SCHEME "Basic "
#define SHA1_BYTES 20u
#define SALT_MAX 64u
#define KIND_LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-"

struct basic_config {
    struct htpasswd_config {
        const char *file, *content;
    } htpasswd;
    const struct client_config {
        const char *username, *password;
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
    struct crypt_data *crypt_data;
    pthread_mutex_t lock; /* of what follows, and of crypt_data */
    struct hf_file_watch watched;
    char *text; /* of the file and the inline part, its lines cut */
    struct entry *entries;
    size_t count;
    uint64_t failures_since_ns;
    unsigned failures;
};

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* NUL-terminated. `out` has room for 4/3 of the text and 4. */
static void base64_encode(struct hf_slice text, char *out)
{
    size_t used = 0;
    for (size_t i = 0; i < text.size; i += 3) {
        uint32_t group = (uint32_t)text.data[i] << 16;
        group |= i + 1 < text.size ? (uint32_t)text.data[i + 1] << 8 : 0;
        group |= i + 2 < text.size ? text.data[i + 2] : 0;
        out[used++] = alphabet[group >> 18];
        out[used++] = alphabet[group >> 12 & 63];
        out[used++] = i + 1 < text.size ? alphabet[group >> 6 & 63] : '=';
        out[used++] = i + 2 < text.size ? alphabet[group & 63] : '=';
    }
    out[used] = '\0';
}

/* False: not base64, or more than `room`. Padding may be missing. */
static bool base64_decode(struct hf_slice text, uint8_t *out, size_t room, size_t *ret_size)
{
    uint32_t bits = 0, count = 0;
    size_t size = 0;
    while (text.size > 0 && text.data[text.size - 1] == '=') {
        text.size--;
    }
    for (size_t i = 0; i < text.size; i++) {
        const char *at = text.data[i] != '\0' ? strchr(alphabet, text.data[i]) : NULL;
        if (at == NULL) {
            return false;
        }
        bits = (bits << 6 | (uint32_t)(at - alphabet)) & 0xffffff;
        count += 6;
        if (count >= 8) {
            count -= 8;
            if (size == room) {
                return false;
            }
            out[size++] = (uint8_t)(bits >> count);
        }
    }
    *ret_size = size;
    return true;
}

/* As long for a wrong secret as for the right one. */
static bool equal(const char *a, const char *b)
{
    size_t size = strlen(b);
    unsigned difference = strlen(a) != size;
    bool comparable = difference == 0;
    for (size_t i = 0; i < size; i++) {
        difference |= (unsigned)(comparable ? a[i] : 0) ^ (unsigned)b[i];
    }
    return difference == 0;
}

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

static bool is_apr1(const char *hash)
{
    return strncmp(hash, "$apr1$", 6) == 0;
}

/* "$kind$...": a plain password may begin with a dollar, too. */
static bool is_slow(const char *hash)
{
    size_t size = hash[0] == '$' ? strspn(hash + 1, KIND_LETTERS) : 0;
    return size > 0 && hash[1 + size] == '$';
}

/* Warns about entries that can never match. */
static void warn_unknown(const struct basic *basic)
{
    for (size_t i = 0; i < basic->count; i++) {
        const struct entry *entry = &basic->entries[i];
        if (is_slow(entry->hash) && !is_apr1(entry->hash) &&
            crypt_checksalt(entry->hash) == CRYPT_SALT_INVALID) {
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

/* What follows {SHA}, or {SSHA}: the base64 of the SHA-1 of password and salt, and of the salt. */
static bool matches_sha(const char *hash, bool salted, const char *password)
{
    uint8_t bytes[SHA1_BYTES + SALT_MAX];
    uint8_t text[CREDENTIALS_MAX + SALT_MAX];
    char hex[HF_SHA1_HEX_SIZE + 1] = "", expected[HF_SHA1_HEX_SIZE + 1] = "";
    size_t size, password_size = strlen(password);
    if (!base64_decode(hf_slice_text(hash), bytes, sizeof(bytes), &size) || size < SHA1_BYTES ||
        (!salted && size != SHA1_BYTES)) {
        return false;
    }
    size_t salt_size = size - SHA1_BYTES;
    memcpy(text, password, password_size);
    memcpy(text + password_size, bytes + SHA1_BYTES, salt_size);
    if (hf_digest_sha1(hf_slice_of(text, password_size + salt_size), hex) != HF_OK) {
        return false;
    }
    for (size_t i = 0; i < SHA1_BYTES; i++) {
        snprintf(expected + 2 * i, 3, "%02x", bytes[i]);
    }
    return equal(hex, expected);
}

/* Hashes of many rounds: apr1, and what the system's libcrypt knows, bcrypt among them. Failing too
 * often is failing at once. */
static bool matches_slow(struct basic *basic, const char *hash, const char *password)
{
    uint64_t now_ns = hf_clock_coarse_ns();
    if (now_ns - basic->failures_since_ns > HF_NS_PER_S) {
        basic->failures_since_ns = now_ns;
        basic->failures = 0;
    }
    if (basic->crypt_data == NULL || basic->failures >= FAILURES_MAX) {
        return false;
    }
    char apr1[HF_APR1_SIZE];
    const char *made = NULL;
    if (is_apr1(hash)) {
        made = hf_apr1(password, hash, apr1) == HF_OK ? apr1 : NULL;
    } else {
        memset(basic->crypt_data, 0, sizeof(*basic->crypt_data));
        made = crypt_r(password, hash, basic->crypt_data);
    }
    bool good = made != NULL && made[0] != '*' && equal(made, hash);
    basic->failures += !good;
    return good;
}

/* Under the lock. */
static bool matches(struct basic *basic, struct entry *entry, const char *password)
{
    if (entry->matched != NULL && equal(password, entry->matched)) {
        return true;
    }
    if (strncmp(entry->hash, "{SHA}", 5) == 0) {
        return matches_sha(entry->hash + 5, false, password);
    }
    if (strncmp(entry->hash, "{SSHA}", 6) == 0) {
        return matches_sha(entry->hash + 6, true, password);
    }
    if (!is_slow(entry->hash)) {
        return equal(password, entry->hash);
    }
    if (!matches_slow(basic, entry->hash, password)) {
        return false;
    }
    free(entry->matched);
    entry->matched =
        strdup(password); /* NULL when out of memory: then the hash is computed again */
    return true;
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
    if (!base64_decode(coded, (uint8_t *)text, CREDENTIALS_MAX, &size) ||
        memchr(text, '\0', size) != NULL) {
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

static enum hf_status check_request(void *self, struct hf_slice (*header)(void *, const char *),
                                    void *request, struct hf_meta_writer *meta)
{
    struct basic *basic = self;
    char user[CREDENTIALS_MAX + 1];
    const char *password;
    struct hf_slice shown = header(request, "authorization");
    if (!read_credentials(shown, user, &password)) {
        return HF_UNAUTHENTICATED;
    }
    bool good = false;
    pthread_mutex_lock(&basic->lock);
    refresh(basic);
    /* Of two entries of one name the last one counts: the inline part overrides the file. */
    size_t i = basic->count;
    while (i > 0 && strcmp(basic->entries[i - 1].user, user) != 0) {
        i--;
    }
    good = i > 0 && matches(basic, &basic->entries[i - 1], password);
    pthread_mutex_unlock(&basic->lock);
    if (!good) {
        return HF_UNAUTHENTICATED;
    }
    enum hf_status added =
        hf_meta_add(meta, HF_META_AUTH, hf_slice_text("username"), hf_slice_text(user));
    if (added == HF_OK) {
        size_t scheme = sizeof(SCHEME) - 1;
        added = hf_meta_add(meta, HF_META_AUTH, hf_slice_text("raw"),
                            hf_slice_of(shown.data + scheme, shown.size - scheme));
    }
    (void)added; /* what does not fit is left out */
    return HF_OK;
}

static enum hf_status add_headers(void *self, struct hf_slice meta, struct hf_header_sink *sink)
{
    (void)meta;
    const struct basic *basic = self;
    if (basic->client_value[0] == '\0') {
        return HF_UNAUTHENTICATED;
    }
    return sink->add(sink, hf_slice_text("authorization"), hf_slice_text(basic->client_value));
}

static bool needs_crypt(const struct basic *basic)
{
    for (size_t i = 0; i < basic->count; i++) {
        if (is_slow(basic->entries[i].hash)) {
            return true;
        }
    }
    return basic->config->htpasswd.file != NULL; /* the next version of it may */
}

/* 32 KiB, only where hashes ask for it. */
static enum hf_status make_crypt_room(struct basic *basic)
{
    if (!needs_crypt(basic)) {
        return HF_OK;
    }
    basic->crypt_data = calloc(1, sizeof(*basic->crypt_data));
    return basic->crypt_data != NULL ? HF_OK : HF_NOMEM;
}

static void close_basic(void *self)
{
    struct basic *basic = self;
    clear_entries(basic);
    free(basic->crypt_data);
    pthread_mutex_destroy(&basic->lock);
    free(basic);
}

static void make_client_value(struct basic *basic)
{
    const struct client_config *client = basic->config->client;
    char both[CREDENTIALS_MAX];
    if (client == NULL) {
        return;
    }
    snprintf(both, sizeof(both), "%s:%s", client->username,
             client->password != NULL ? client->password : "");
    memcpy(basic->client_value, SCHEME, sizeof(SCHEME) - 1);
    base64_encode(hf_slice_text(both), basic->client_value + sizeof(SCHEME) - 1);
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
    make_client_value(basic);
    bool changed = basic->watched.path != NULL &&
                   hf_file_watch_changed(&basic->watched, hf_clock_coarse_ns(), LOOK_NS);
    (void)changed; /* what is read now is the state to compare with */
    enum hf_status status = load(basic, reterr);
    if (status == HF_OK) {
        status = make_crypt_room(basic);
    }
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
    if (!serves && client == NULL) {
        return "no credentials: set htpasswd (file or inline) or client_auth";
    }
    if (serves && client != NULL) {
        return "htpasswd and client_auth exclude each other: one asks, the other sends";
    }
    if (client != NULL && (client->username == NULL || client->username[0] == '\0' ||
                           strchr(client->username, ':') != NULL)) {
        return "client_auth: username: expected a name without a colon";
    }
    if (client != NULL &&
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
    HF_FIELDS_END,
};

static const struct hf_field client_fields[] = {
    {.key = "username",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct client_config, username),
     .required = true,
     .help = "Name to send."},
    {.key = "password",
     .type = HF_FIELD_SECRET,
     .offset = offsetof(struct client_config, password),
     .help = "Password to send."},
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

static const struct hf_auth auth = {.check = check_request, .headers = add_headers};

const struct hf_component hf_extension_basicauth = {
    .type = "basicauth",
    .help = "Sends and asks for a user name and password.",
    .kind = HF_EXTENSION,
    .config_size = sizeof(struct basic_config),
    .fields = fields,
    .check = check_config,
    .open = open_basic,
    .close = close_basic,
    .auth = &auth,
};
