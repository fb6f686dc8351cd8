#include "kubeconfig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#include "config/tree.h"
#include "util/base64.h"
#include "util/file_watch.h"

#define KUBECONFIG_MEMORY_BYTES (8u << 20)

/* The file while it is read. */
struct file {
    const char *path;
    const char *folder_end; /* behind the last slash of `path` */
    struct hf_kube_access *access;
    char *reterr;
};

static enum hf_status refuse(const struct file *file, const char *format, const char *name)
{
    int used = snprintf(file->reterr, HF_ERROR_MAX, "the kubeconfig file %s ", file->path);
    snprintf(file->reterr + used, HF_ERROR_MAX - (size_t)used, format, name);
    return HF_INVALID;
}

/* The map under `inside` of the item of `list` with that name. */
static const struct hf_yaml *named(const struct hf_yaml *root, const char *list, const char *name,
                                   const char *inside)
{
    const struct hf_yaml *items = hf_yaml_value(root, list);
    for (size_t i = 0; items != NULL && items->kind == HF_YAML_LIST && i < items->count; i++) {
        const struct hf_yaml *item_name = hf_yaml_value(items->items[i], "name");
        const char *text = item_name != NULL ? hf_yaml_string(item_name) : NULL;
        if (text != NULL && strcmp(text, name) == 0) {
            return hf_yaml_value(items->items[i], inside);
        }
    }
    return NULL;
}

static const char *text_of(const struct hf_yaml *map, const char *key)
{
    const struct hf_yaml *value = hf_yaml_value(map, key);
    const char *text = value != NULL && !hf_yaml_is_null(value) ? hf_yaml_string(value) : NULL;
    return text != NULL && text[0] != '\0' ? text : NULL;
}

/* A path of the file is relative to the file. */
static char *path_of(const struct file *file, const char *text)
{
    char *path = NULL;
    int folder_size = text[0] == '/' ? 0 : (int)(file->folder_end - file->path);
    return asprintf(&path, "%.*s%s", folder_size, file->path, text) >= 0 ? path : NULL;
}

/* NULL: it is no base64 of a text, or out of memory. */
static char *decoded(const char *base64)
{
    size_t size = 0;
    char *text = malloc(HF_BASE64_DECODED_SIZE(strlen(base64)) + 1);
    if (text == NULL ||
        !hf_base64_decode(hf_slice_text(base64), HF_BASE64_ANY_PADDING | HF_BASE64_LINES,
                          (uint8_t *)text, &size)) {
        free(text);
        return NULL;
    }
    text[size] = '\0';
    return text;
}

static char *encoded(const char *text)
{
    char *out = malloc(HF_BASE64_SIZE(strlen(text)) + 1);
    if (out != NULL) {
        out[hf_base64_print(hf_slice_text(text), out)] = '\0';
    }
    return out;
}

/* A certificate or key: `key` names a file, `key`-data holds it. False: bad data. */
static bool read_pem(const struct file *file, const struct hf_yaml *map, const char *key,
                     const char **ret_file, const char **ret_pem)
{
    char data_key[64];
    snprintf(data_key, sizeof(data_key), "%s-data", key);
    const char *data = text_of(map, data_key), *path = text_of(map, key);
    if (data != NULL) {
        *ret_pem = decoded(data);
        return *ret_pem != NULL;
    }
    if (path != NULL) {
        *ret_file = path_of(file, path);
        return *ret_file != NULL;
    }
    return true;
}

static bool is_true(const struct hf_yaml *map, const char *key)
{
    const char *text = text_of(map, key);
    return text != NULL && strcmp(text, "true") == 0;
}

static enum hf_status read_cluster(const struct file *file, const struct hf_yaml *cluster)
{
    struct hf_kube_access *access = file->access;
    const char *server = text_of(cluster, "server"), *name = text_of(cluster, "tls-server-name");
    const char *proxy = text_of(cluster, "proxy-url");
    if (server == NULL) {
        return refuse(file, "has no %s for the cluster of its context", "server");
    }
    access->url = strdup(server);
    size_t size = access->url != NULL ? strlen(access->url) : 0;
    while (size > 0 && access->url[size - 1] == '/') {
        access->url[--size] = '\0';
    }
    access->has_tls = strncmp(server, "https://", 8) == 0;
    access->tls.insecure_skip_verify = is_true(cluster, "insecure-skip-tls-verify");
    access->tls.server_name_override = name != NULL ? strdup(name) : NULL;
    access->proxy_url = proxy != NULL ? strdup(proxy) : NULL;
    if (!read_pem(file, cluster, "certificate-authority", &access->tls.ca_file,
                  &access->tls.ca_pem)) {
        return refuse(file, "has a %s that is no base64", "certificate-authority-data");
    }
    return HF_OK;
}

static enum hf_status read_user(const struct file *file, const struct hf_yaml *user)
{
    struct hf_kube_access *access = file->access;
    const char *token = text_of(user, "token"), *token_file = text_of(user, "tokenFile");
    const char *name = text_of(user, "username"), *password = text_of(user, "password");
    if (hf_yaml_value(user, "exec") != NULL || hf_yaml_value(user, "auth-provider") != NULL) {
        return refuse(file,
                      "signs in by %s, which Holdfast does not run: use a token or a client "
                      "certificate",
                      hf_yaml_value(user, "exec") != NULL ? "an exec plugin" : "an auth-provider");
    }
    if (!read_pem(file, user, "client-certificate", &access->tls.cert_file,
                  &access->tls.cert_pem) ||
        !read_pem(file, user, "client-key", &access->tls.key_file, &access->tls.key_pem)) {
        return refuse(file, "has a %s that is no base64", "client certificate or key");
    }
    if (token_file != NULL) {
        access->token_file = path_of(file, token_file);
    } else if (token != NULL) {
        (void)(asprintf(&access->authorization, "Bearer %s", token) < 0);
    } else if (name != NULL && password != NULL) {
        char *pair = NULL;
        char *code = asprintf(&pair, "%s:%s", name, password) >= 0 ? encoded(pair) : NULL;
        (void)(code != NULL && asprintf(&access->authorization, "Basic %s", code) < 0);
        free(pair);
        free(code);
    }
    return HF_OK;
}

static enum hf_status read_tree(const struct file *file, const struct hf_yaml *root,
                                const char *context)
{
    const char *name =
        context != NULL && context[0] != '\0' ? context : text_of(root, "current-context");
    if (name == NULL) {
        return refuse(file, "has no %s; name one with the key `context`", "current-context");
    }
    const struct hf_yaml *chosen = named(root, "contexts", name, "context");
    if (chosen == NULL) {
        return refuse(file, "has no context %s", name);
    }
    const char *cluster_name = text_of(chosen, "cluster"), *user_name = text_of(chosen, "user");
    const struct hf_yaml *cluster =
        cluster_name != NULL ? named(root, "clusters", cluster_name, "cluster") : NULL;
    if (cluster == NULL) {
        return refuse(file, "has no cluster for its context %s", name);
    }
    enum hf_status status = read_cluster(file, cluster);
    const struct hf_yaml *user = user_name != NULL ? named(root, "users", user_name, "user") : NULL;
    return status == HF_OK && user != NULL ? read_user(file, user) : status;
}

/* The file that is meant; malloc'd. Of a list in KUBECONFIG the first one. */
static char *chosen_path(const struct hf_kube_config *config)
{
    const char *listed = getenv("KUBECONFIG"), *home = getenv("HOME");
    char *path = NULL;
    if (config->config_path != NULL && config->config_path[0] != '\0') {
        return strdup(config->config_path);
    }
    if (listed != NULL && listed[0] != '\0') {
        return strndup(listed, strcspn(listed, ":"));
    }
    return asprintf(&path, "%s/.kube/config", home != NULL ? home : "") >= 0 ? path : NULL;
}

enum hf_status hf_kube_kubeconfig_read(const struct hf_kube_config *config,
                                       struct hf_kube_access *access, char *reterr)
{
    char *path = chosen_path(config), *text = NULL;
    if (path == NULL) {
        snprintf(reterr, HF_ERROR_MAX, "out of memory");
        return HF_NOMEM;
    }
    const char *slash = strrchr(path, '/');
    struct file file = {path, slash != NULL ? slash + 1 : path, access, reterr};
    enum hf_status status = hf_file_watch_read(path, &text, reterr);
    struct hf_config_memory *memory =
        status == HF_OK ? hf_config_memory_new(KUBECONFIG_MEMORY_BYTES) : NULL;
    if (memory != NULL) {
        struct hf_config_options options = {0};
        struct hf_load load = {.memory = memory, .options = &options};
        load.last_found = &load.first_found;
        const struct hf_yaml_input input = {.text = text, .size = strlen(text), .file = path};
        const struct hf_yaml *root = hf_yaml_parse(&load, &input);
        status = root != NULL ? read_tree(&file, root, config->context)
                              : refuse(&file, "is no YAML%s", "");
    } else if (status == HF_OK) {
        snprintf(reterr, HF_ERROR_MAX, "out of memory");
        status = HF_NOMEM;
    }
    hf_config_memory_free(memory);
    if (text != NULL) {
        explicit_bzero(text, strlen(text));
    }
    free(text);
    free(path);
    return status;
}
