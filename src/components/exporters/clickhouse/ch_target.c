#include "ch_target.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "util/percent.h"

#define PARAMS_MAX 64u
#define URL_TEXT_MAX 4096u

/* A parameter, decoded; both into the text that was read or the configuration. */
struct param {
    const char *key, *value;
};

struct params {
    struct param items[PARAMS_MAX];
    size_t count;
    bool is_too_many;
};

/* ---- percent signs ---- */

static bool is_plain(unsigned char byte)
{
    return (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') ||
           (byte >= '0' && byte <= '9') || strchr("-._~", byte) != NULL;
}

enum hf_status ch_escape(const char *text, struct hf_bytes *out)
{
    enum hf_status status = HF_OK;
    for (; *text != '\0' && status == HF_OK; text++) {
        char coded[4];
        unsigned char byte = (unsigned char)*text;
        int size = snprintf(coded, sizeof(coded), is_plain(byte) ? "%c" : "%%%02X", byte);
        status = hf_bytes_append(out, hf_slice_of(coded, (size_t)size));
    }
    return status;
}

/* ---- parameters ---- */

/* A later one of the same key replaces it. */
static void set_param(struct params *params, const char *key, const char *value)
{
    for (size_t i = 0; i < params->count; i++) {
        if (strcmp(params->items[i].key, key) == 0) {
            params->items[i].value = value;
            return;
        }
    }
    if (params->count == PARAMS_MAX) {
        params->is_too_many = true;
        return;
    }
    params->items[params->count++] = (struct param){key, value};
}

static void read_params(struct params *params, char *query, const struct hf_string_map *more)
{
    char *rest = query, *one;
    while ((one = strsep(&rest, "&")) != NULL) {
        char *value = strchr(one, '=');
        if (value != NULL) {
            *value++ = '\0';
            hf_percent_decode(value, true);
        }
        hf_percent_decode(one, true);
        if (one[0] != '\0') {
            set_param(params, one, value != NULL ? value : "");
        }
    }
    for (size_t i = 0; i < more->count; i++) {
        set_param(params, more->items[i].key, more->items[i].value);
    }
}

static const char *param(const struct params *params, const char *key)
{
    for (size_t i = 0; i < params->count; i++) {
        if (strcmp(params->items[i].key, key) == 0) {
            return params->items[i].value;
        }
    }
    return NULL;
}

static bool is_true(const char *text)
{
    return text != NULL &&
           (strcasecmp(text, "true") == 0 || strcmp(text, "1") == 0 || strcasecmp(text, "t") == 0);
}

/* What the Go driver takes for itself, with a meaning here; and without one. */
static const char *const own_params[] = {"secure",    "skip_verify", "username",
                                         "password",  "database",    "compress",
                                         "http_path", "http_proxy",  "connection_open_strategy",
                                         NULL};
static const char *const needless_params[] = {"dial_timeout",
                                              "read_timeout",
                                              "max_open_conns",
                                              "max_idle_conns",
                                              "conn_max_lifetime",
                                              "block_buffer_size",
                                              "compress_level",
                                              "max_compression_buffer",
                                              "debug",
                                              "client_info_product",
                                              NULL};

static bool is_one_of(const char *const *list, const char *key)
{
    while (*list != NULL && strcmp(*list, key) != 0) {
        list++;
    }
    return *list != NULL;
}

static enum hf_status add_setting(struct ch_target *target, const char *key, const char *value)
{
    struct hf_bytes *out = &target->settings;
    enum hf_status status = out->size != 0 ? hf_bytes_append(out, hf_slice_text("&")) : HF_OK;
    status = status == HF_OK ? ch_escape(key, out) : status;
    status = status == HF_OK ? hf_bytes_append(out, hf_slice_text("=")) : status;
    return status == HF_OK ? ch_escape(value, out) : status;
}

static enum hf_status note_needless(struct ch_target *target, const char *key)
{
    struct hf_bytes *out = &target->without_effect;
    enum hf_status status = out->size != 0 ? hf_bytes_append(out, hf_slice_text(", ")) : HF_OK;
    return status == HF_OK ? hf_bytes_append(out, hf_slice_text(key)) : status;
}

/* Settings that requests have unless a parameter says otherwise. Times are told with their zone,
 * which the basic reader of times is not sure to see. */
static enum hf_status add_defaults(struct ch_target *target, const struct ch_config *config,
                                   const struct params *params)
{
    const char *async = param(params, "async_insert");
    bool is_async = async != NULL ? is_true(async) : config->async_insert;
    const struct param defaults[] = {
        {"date_time_input_format", "best_effort"},
        {"async_insert", is_async ? "1" : "0"},
        {"wait_for_async_insert", is_async ? "1" : NULL},
        {"async_insert_deduplicate", is_async ? "1" : NULL},
        {"type_json_skip_duplicated_paths", config->json ? "1" : NULL},
    };
    enum hf_status status = HF_OK;
    for (size_t i = 0; i < sizeof(defaults) / sizeof(*defaults) && status == HF_OK; i++) {
        if (defaults[i].value != NULL && param(params, defaults[i].key) == NULL) {
            status = add_setting(target, defaults[i].key, defaults[i].value);
        }
    }
    const char *waits = param(params, "wait_for_async_insert");
    target->has_weak_async = is_async && waits != NULL && !is_true(waits);
    return status;
}

static enum hf_status add_settings(struct ch_target *target, const struct ch_config *config,
                                   const struct params *params)
{
    enum hf_status status = add_defaults(target, config, params);
    for (size_t i = 0; i < params->count && status == HF_OK; i++) {
        const struct param *one = &params->items[i];
        if (is_one_of(needless_params, one->key)) {
            status = note_needless(target, one->key);
        } else if (!is_one_of(own_params, one->key)) {
            bool is_switch = strcmp(one->key, "async_insert") == 0;
            status = add_setting(target, one->key,
                                 is_switch ? (is_true(one->value) ? "1" : "0") : one->value);
        }
    }
    return status;
}

static const char *read_compression(const struct ch_config *config, const struct params *params,
                                    struct ch_target *ret)
{
    const char *word = param(params, "compress");
    word = word != NULL ? word : config->compress;
    if (word == NULL || word[0] == '\0' || is_true(word) || strcmp(word, "lz4") == 0 ||
        strcmp(word, "lz4hc") == 0 || strcmp(word, "zstd") == 0) {
        ret->compression = "zstd";
    } else if (strcmp(word, "none") == 0 || strcasecmp(word, "false") == 0 ||
               strcmp(word, "0") == 0) {
        ret->compression = "none";
    } else if (strcmp(word, "gzip") == 0) {
        ret->compression = "gzip";
    } else if (strcmp(word, "deflate") == 0) {
        ret->compression = "deflate";
    } else if (strcmp(word, "br") == 0) {
        return "compress: br is not built in; use zstd, gzip or deflate";
    } else {
        return "compress has to be none, zstd, lz4, gzip, deflate or true";
    }
    return NULL;
}

static const char *read_strategy(const struct params *params, struct ch_target *ret)
{
    static const char *const words[] = {"in_order", "round_robin", "random"};
    const char *word = param(params, "connection_open_strategy");
    for (int i = CH_IN_ORDER; word != NULL && i <= CH_RANDOM; i++) {
        if (strcmp(word, words[i]) == 0) {
            ret->strategy = (enum ch_strategy)i;
            return NULL;
        }
    }
    return word == NULL ? NULL
                        : "connection_open_strategy has to be in_order, round_robin or random";
}

/* ---- the URL ---- */

struct url {
    char *scheme, *user, *hosts, *path, *query;
};

/* Cuts the text in place. */
static bool split_url(char *text, struct url *ret)
{
    static char nothing[1] = "";
    char *hosts = strstr(text, "://");
    if (hosts == NULL) {
        return false;
    }
    *hosts = '\0';
    *ret = (struct url){text, NULL, hosts + 3, nothing, nothing};
    char *query = strchr(ret->hosts, '?');
    if (query != NULL) {
        *query = '\0';
        ret->query = query + 1;
    }
    /* A later host may have a scheme of its own: tcp://a:9000,tcp://b:9000. */
    for (char *at = ret->hosts; *at != '\0'; at++) {
        if (*at == '/') {
            if (at > ret->hosts && at[-1] == ':' && at[1] == '/') {
                at++;
                continue;
            }
            *at = '\0';
            ret->path = at + 1;
            break;
        }
    }
    char *at = strrchr(ret->hosts, '@');
    if (at != NULL) {
        *at = '\0';
        ret->user = ret->hosts;
        ret->hosts = at + 1;
    }
    return ret->hosts[0] != '\0';
}

static const char too_long[] = "endpoint: a part of it is longer than 255 characters";

static bool keep(char room[CH_TEXT_MAX], const char *text)
{
    return text == NULL || (size_t)snprintf(room, CH_TEXT_MAX, "%s", text) < CH_TEXT_MAX;
}

static const char *read_user(struct url *url, const struct ch_config *config,
                             const struct params *params, struct ch_target *ret)
{
    char *password = url->user != NULL ? strchr(url->user, ':') : NULL;
    if (password != NULL) {
        *password++ = '\0';
        hf_percent_decode(password, false);
    }
    if (url->user != NULL) {
        hf_percent_decode(url->user, false);
    }
    bool fits = keep(ret->user, url->user) && keep(ret->password, password) &&
                keep(ret->user, param(params, "username")) &&
                keep(ret->password, param(params, "password"));
    if (config->username != NULL && config->username[0] != '\0') {
        fits = fits && keep(ret->user, config->username) &&
               keep(ret->password, config->password != NULL ? config->password : "");
    }
    return fits ? NULL : "username and password must not be longer than 255 characters";
}

static const char *read_database(struct url *url, const struct ch_config *config,
                                 const struct params *params, struct ch_target *ret)
{
    hf_percent_decode(url->path, false);
    size_t size = strlen(url->path);
    if (size != 0 && url->path[size - 1] == '/') {
        url->path[size - 1] = '\0';
    }
    bool fits = keep(ret->database, "default") &&
                (url->path[0] == '\0' || keep(ret->database, url->path)) &&
                keep(ret->database, param(params, "database"));
    if (strcmp(config->database, "default") != 0) {
        fits = fits && keep(ret->database, config->database);
    }
    return fits ? NULL : too_long;
}

/* The port behind the last colon that is not within brackets; NULL: none. */
static char *port_of(char *host)
{
    char *bracket = strrchr(host, ']');
    return strchr(bracket != NULL ? bracket : host, ':');
}

struct address {
    bool is_native, is_secure;
    const char *path;
};

static const char *add_host(struct ch_target *target, char *host, const struct address *address)
{
    char *colon = port_of(host);
    const char *port = colon != NULL ? colon + 1 : "";
    if (colon != NULL) {
        *colon = '\0';
    }
    if (address->is_native) {
        bool is_http = strcmp(port, "8123") == 0 || strcmp(port, "8443") == 0;
        if (!is_http && port[0] != '\0' && strcmp(port, "9000") != 0 && strcmp(port, "9440") != 0) {
            return "endpoint: a port of the native protocol other than 9000 and 9440 says nothing "
                   "of the HTTP interface's port; write that, as http://host:8123";
        }
        target->has_native_ports = target->has_native_ports || !is_http;
        port = is_http ? port : address->is_secure ? "8443" : "8123";
    }
    if (host[0] == '\0' || strpbrk(host, " \t\r\n\"'<>\\^`{|}") != NULL) {
        return "endpoint: a host is missing or no name";
    }
    if (target->host_count == CH_HOSTS_MAX) {
        return "endpoint: more than 16 hosts";
    }
    char *room = target->hosts[target->host_count++];
    int size = snprintf(room, CH_ADDRESS_MAX, "http%s://%s%s%s/%s", address->is_secure ? "s" : "",
                        host, port[0] != '\0' ? ":" : "", port, address->path);
    return size < (int)CH_ADDRESS_MAX ? NULL : too_long;
}

static const char *read_hosts(struct url *url, const struct params *params, struct ch_target *ret)
{
    bool is_http = strcasecmp(url->scheme, "http") == 0,
         is_https = strcasecmp(url->scheme, "https") == 0;
    bool is_native = strcasecmp(url->scheme, "tcp") == 0 ||
                     strcasecmp(url->scheme, "clickhouse") == 0 ||
                     strcasecmp(url->scheme, "native") == 0;
    if (!is_http && !is_https && !is_native) {
        return "endpoint: the scheme has to be http, https, clickhouse or tcp";
    }
    const char *path = param(params, "http_path");
    const char *why = NULL;
    char *rest = url->hosts, *host;
    while (why == NULL && (host = strsep(&rest, ",")) != NULL) {
        char *scheme = strstr(host, "://");
        host = scheme != NULL ? scheme + 3 : host;
        const char *port = port_of(host);
        bool is_9440 = is_native && port != NULL && strcmp(port, ":9440") == 0;
        const struct address address = {
            .is_native = is_native,
            .is_secure = is_https || is_9440 || is_true(param(params, "secure")),
            .path = path == NULL     ? ""
                    : path[0] == '/' ? path + 1
                                     : path,
        };
        why = add_host(ret, host, &address);
    }
    return why;
}

static const char *read_all(char *text, const struct ch_config *config, struct ch_target *ret)
{
    struct params params = {.count = 0};
    struct url url;
    if (!split_url(text, &url)) {
        return "endpoint has to be a URL, as http://host:8123";
    }
    read_params(&params, url.query, &config->connection_params);
    if (params.is_too_many) {
        return "connection_params: more than 64 parameters";
    }
    const char *proxy = param(&params, "http_proxy");
    ret->skips_verification = is_true(param(&params, "skip_verify"));
    if (proxy != NULL &&
        snprintf(ret->proxy, sizeof(ret->proxy), "%s", proxy) >= (int)sizeof(ret->proxy)) {
        return "connection_params: http_proxy is too long";
    }
    const char *why = read_compression(config, &params, ret);
    why = why != NULL ? why : read_strategy(&params, ret);
    why = why != NULL ? why : read_user(&url, config, &params, ret);
    why = why != NULL ? why : read_database(&url, config, &params, ret);
    why = why != NULL ? why : read_hosts(&url, &params, ret);
    if (why == NULL && add_settings(ret, config, &params) != HF_OK) {
        why = "no memory for the parameters of the connection";
    }
    if (why == NULL && ret->settings.size > URL_TEXT_MAX / 4) {
        why = "connection_params: the settings are longer than 1024 characters";
    }
    return why;
}

const char *ch_target_read(const struct ch_config *config, struct ch_target *ret)
{
    *ret = (struct ch_target){.host_count = 0};
    if (config->endpoint == NULL || config->endpoint[0] == '\0') {
        return "endpoint must be specified";
    }
    if (strlen(config->endpoint) > URL_TEXT_MAX) {
        return "endpoint is longer than 4096 characters";
    }
    char *text = strdup(config->endpoint);
    const char *why = text != NULL ? read_all(text, config, ret) : "no memory for the endpoint";
    free(text);
    return why;
}

void ch_target_release(struct ch_target *target)
{
    hf_bytes_release(&target->settings);
    hf_bytes_release(&target->without_effect);
}
