/*
 * headers_setter: headers of outgoing requests, from the configuration or from what the client sent
 * with the data.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <holdfast/component.h>

#include "util/file_watch.h"
#include "util/header_text.h"
#include "util/time/clock.h"

#define HEADERS_MAX 64u
#define LOOK_NS HF_NS_PER_S

enum action { ACTION_INSERT = 0, ACTION_UPDATE, ACTION_UPSERT, ACTION_DELETE };

struct setting {
    const char *key, *value, *value_file, *from_context, *from_attribute, *default_value;
    int64_t action;
};

struct setter_config {
    struct hf_struct_list headers;
    const char *additional_auth;
};

/* What the file of a setting says. */
struct file_value {
    struct hf_file_watch watched;
    char *text; /* NULL: it was never read */
};

struct setter {
    struct hf_node *node;
    const struct setter_config *config;
    pthread_mutex_t lock;           /* of the next */
    struct file_value *file_values; /* one per setting */
    char *keys[HEADERS_MAX]; /* of from_context, in lower case, and "auth.NAME" of from_attribute */
    size_t key_count;
    const char *header_keys[HEADERS_MAX]; /* those that become a header as they are */
    size_t header_key_count;
};

/* The headers as they become while the settings are applied in their order. */
struct made {
    struct hf_header items[HEADERS_MAX];
    size_t count;
};

static const struct setting *settings_of(const struct setter *setter)
{
    return setter->config->headers.items;
}

static size_t find(const struct made *made, const char *key)
{
    size_t i = 0;
    while (i < made->count && (made->items[i].name.size != strlen(key) ||
                               strncasecmp((const char *)made->items[i].name.data, key,
                                           made->items[i].name.size) != 0)) {
        i++;
    }
    return i;
}

/* Under the lock. A file that cannot be read, or has no header's value, leaves the value of before.
 */
static void refresh(const struct setter *setter, struct file_value *file)
{
    char error[512], *text;
    if (file->watched.path == NULL ||
        !hf_file_watch_changed(&file->watched, hf_clock_coarse_ns(), LOOK_NS)) {
        return;
    }
    if (hf_file_watch_read_secret(file->watched.path, &text, error) != HF_OK) {
        hf_node_log(setter->node, HF_LOG_WARN, "the header stays as it was: %s", error);
        return;
    }
    if (!hf_header_is_value(hf_slice_text(text))) {
        hf_node_log(setter->node, HF_LOG_WARN,
                    "the header stays as it was: %s has control characters", file->watched.path);
        free(text);
        return;
    }
    free(file->text);
    file->text = text;
}

/* False: the setting has no value for this data, and sets nothing. Under the lock. */
static bool value_of(const struct setter *setter, size_t at, struct hf_slice meta,
                     struct hf_slice *ret)
{
    const struct setting *setting = &settings_of(setter)[at];
    const char *fixed = setting->value_file != NULL ? setter->file_values[at].text : setting->value;
    if (setting->from_context == NULL && setting->from_attribute == NULL) {
        *ret = hf_slice_text(fixed != NULL ? fixed : "");
        return fixed != NULL || setting->value_file == NULL;
    }
    if (setting->from_context != NULL &&
        hf_meta_find(meta, HF_META_HEADER, setting->from_context, ret)) {
        return true;
    }
    /* A claim of a token can be any text. */
    if (setting->from_attribute != NULL &&
        hf_meta_find(meta, HF_META_AUTH, setting->from_attribute, ret) &&
        hf_header_is_value(*ret)) {
        return true;
    }
    *ret = hf_slice_text(setting->default_value != NULL ? setting->default_value : "");
    return setting->default_value != NULL;
}

static void apply(const struct setter *setter, struct made *made, size_t index,
                  struct hf_slice meta)
{
    const struct setting *setting = &settings_of(setter)[index];
    size_t at = find(made, setting->key);
    bool there = at < made->count;
    struct hf_slice value;
    if (setting->action == ACTION_DELETE) {
        if (there) {
            made->items[at] = made->items[--made->count];
        }
        return;
    }
    if ((setting->action == ACTION_INSERT && there) ||
        (setting->action == ACTION_UPDATE && !there) || !value_of(setter, index, meta, &value)) {
        return;
    }
    made->items[at] = (struct hf_header){hf_slice_text(setting->key), value};
    made->count += !there;
}

static enum hf_status add_headers(void *self, struct hf_slice meta, struct hf_header_sink *sink)
{
    struct setter *setter = self;
    struct made made = {.count = 0};
    enum hf_status status = HF_OK;
    pthread_mutex_lock(&setter->lock);
    for (size_t i = 0; i < setter->config->headers.count; i++) {
        refresh(setter, &setter->file_values[i]);
        apply(setter, &made, i, meta);
    }
    for (size_t i = 0; i < made.count && status == HF_OK; i++) {
        status = sink->add(sink, made.items[i].name, made.items[i].value);
    }
    pthread_mutex_unlock(&setter->lock);
    return status;
}

static const char *const *context_keys(void *self, size_t *ret_count)
{
    const struct setter *setter = self;
    *ret_count = setter->key_count;
    return (const char *const *)setter->keys;
}

static const char *const *header_keys(void *self, size_t *ret_count)
{
    const struct setter *setter = self;
    *ret_count = setter->header_key_count;
    return setter->header_keys;
}

static void close_setter(void *self)
{
    struct setter *setter = self;
    for (size_t i = 0; i < setter->key_count; i++) {
        free(setter->keys[i]);
    }
    for (size_t i = 0; setter->file_values != NULL && i < setter->config->headers.count; i++) {
        free(setter->file_values[i].text);
    }
    free(setter->file_values);
    pthread_mutex_destroy(&setter->lock);
    free(setter);
}

static enum hf_status open_setter(struct hf_node *node, const void *config, void **ret_self,
                                  char *reterr)
{
    struct setter *setter = calloc(1, sizeof(*setter));
    bool ok = setter != NULL;
    if (ok) {
        setter->node = node;
        setter->config = config;
        pthread_mutex_init(&setter->lock, NULL);
        setter->file_values = calloc(setter->config->headers.count, sizeof(*setter->file_values));
        ok = setter->file_values != NULL;
    }
    for (size_t i = 0; ok && i < setter->config->headers.count; i++) {
        setter->file_values[i].watched.path = settings_of(setter)[i].value_file;
    }
    for (size_t i = 0; ok && i < setter->config->headers.count; i++) {
        const char *key = settings_of(setter)[i].from_context;
        const char *attribute = settings_of(setter)[i].from_attribute;
        char *whole = NULL;
        if (attribute != NULL) {
            ok = asprintf(&whole, "auth.%s", attribute) >= 0;
            if (ok) {
                setter->keys[setter->key_count++] = whole;
            }
        }
        if (key == NULL) {
            continue;
        }
        char *lower = strdup(key);
        ok = lower != NULL;
        for (char *at = lower; ok && *at != '\0'; at++) {
            *at = *at >= 'A' && *at <= 'Z' ? (char)(*at + 32) : *at;
        }
        if (ok) {
            setter->keys[setter->key_count++] = lower;
        }
        /* gRPC sends any bytes under a name in -bin. */
        if (ok && !hf_header_is_binary(hf_slice_text(settings_of(setter)[i].key))) {
            setter->header_keys[setter->header_key_count++] = lower;
        }
    }
    if (!ok) {
        if (setter != NULL) {
            close_setter(setter);
        }
        snprintf(reterr, HF_ERROR_MAX, "no memory for the extension");
        return HF_NOMEM;
    }
    *ret_self = setter;
    return HF_OK;
}

static bool is_value(const char *text)
{
    return text == NULL || hf_header_is_value(hf_slice_text(text));
}

static const char *check_setting(const struct setting *setting)
{
    if (!hf_header_is_name(hf_slice_text(setting->key))) {
        return "headers: key: expected the name of a header";
    }
    if (hf_header_is_framing(hf_slice_text(setting->key))) {
        return "headers: key: Connection, Transfer-Encoding, Content-Length, TE, Upgrade and their "
               "like are set by the transport alone";
    }
    int sources = (setting->value != NULL) + (setting->value_file != NULL) +
                  (setting->from_context != NULL) + (setting->from_attribute != NULL);
    if (setting->action != ACTION_DELETE && sources != 1) {
        return "headers: each needs one of value, value_file, from_context and from_attribute";
    }
    if (setting->default_value != NULL && setting->from_context == NULL &&
        setting->from_attribute == NULL) {
        return "headers: default_value is for from_context and from_attribute";
    }
    if (!is_value(setting->value) || !is_value(setting->default_value)) {
        return "headers: expected a header's value without line ends or other control characters";
    }
    return NULL;
}

static const char *check_config(const void *from)
{
    const struct setter_config *config = from;
    const struct setting *settings = config->headers.items;
    if (config->additional_auth != NULL) {
        return "additional_auth is not supported; name that authenticator in the exporter's auth, "
               "and set the other headers in its headers";
    }
    if (config->headers.count == 0) {
        return "headers: at least one header is needed";
    }
    if (config->headers.count > HEADERS_MAX) {
        return "headers: at most 64 headers";
    }
    const char *wrong = NULL;
    for (size_t i = 0; i < config->headers.count && wrong == NULL; i++) {
        wrong = check_setting(&settings[i]);
    }
    return wrong;
}

#define AT(member) offsetof(struct setting, member)

static const struct hf_field setting_fields[] = {
    {.key = "key",
     .type = HF_FIELD_STRING,
     .offset = AT(key),
     .required = true,
     .help = "Name of the header."},
    {.key = "action",
     .type = HF_FIELD_ENUM,
     .offset = AT(action),
     .default_text = "upsert",
     .choices = (const char *const[]){"insert", "update", "upsert", "delete", NULL},
     .help = "insert: unless it is there; update: only if it is there; upsert: either way; delete. "
             "\"There\" means set by an earlier entry of this list."},
    {.key = "value", .type = HF_FIELD_SECRET, .offset = AT(value), .help = "The value itself."},
    {.key = "value_file",
     .type = HF_FIELD_STRING,
     .offset = AT(value_file),
     .help = "A file with the value, without the line break at its end; it is read again when it "
             "changes. Until it can be read the header is left out."},
    {.key = "from_context",
     .type = HF_FIELD_STRING,
     .offset = AT(from_context),
     .help = "Take the value from this request header or metadata key of the client; its receiver "
             "needs "
             "include_metadata: true."},
    {.key = "from_attribute",
     .type = HF_FIELD_STRING,
     .offset = AT(from_attribute),
     .help = "Take the value from this attribute of the client's authentication: raw, username, or "
             "a claim of its token (subject, membership, and others), as its authenticator says."},
    {.key = "default_value",
     .type = HF_FIELD_SECRET,
     .offset = AT(default_value),
     .help = "When the client sent none; without it the header is left out."},
    HF_FIELDS_END,
};

static const struct hf_field fields[] = {
    {.key = "headers",
     .type = HF_FIELD_STRUCT_LIST,
     .offset = offsetof(struct setter_config, headers),
     .inner = setting_fields,
     .inner_size = sizeof(struct setting),
     .required = true,
     .help = "The headers, applied in this order."},
    {.key = "additional_auth",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct setter_config, additional_auth),
     .help = "Not supported: an exporter has one authenticator."},
    HF_FIELDS_END,
};

static const struct hf_auth auth = {
    .headers = add_headers, .context_keys = context_keys, .header_keys = header_keys};

static const struct hf_extension_ops extension_ops = {
    .auth = &auth,
};

const struct hf_component hf_extension_headers_setter = {
    .type = "headers_setter",
    .help = "Sets headers of outgoing requests, also from what clients sent.",
    .kind = HF_EXTENSION,
    .config_size = sizeof(struct setter_config),
    .fields = fields,
    .check = check_config,
    .open = open_setter,
    .close = close_setter,
    .extension = &extension_ops,
};
