#include "kube_access.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#include "oauth.h"
#include "util/base64.h"

/* ---- checks ---- */

static bool is_said(const char *text)
{
    return text != NULL && text[0] != '\0';
}

static bool has_server(const struct prom_kube_sd *config)
{
    return is_said(config->api_server);
}

static bool has_http_keys(const struct prom_http *http)
{
    const struct prom_tls *tls = &http->tls;
    return http->basic_auth != NULL || http->authorization != NULL || http->oauth2 != NULL ||
           http->bearer_token != NULL || http->bearer_token_file != NULL ||
           http->proxy_url != NULL || http->headers.count != 0 || http->proxy_from_environment ||
           tls->ca != NULL || tls->ca_file != NULL || tls->cert != NULL || tls->cert_file != NULL ||
           tls->server_name != NULL || tls->insecure_skip_verify;
}

static const char *check_credentials(const struct prom_http *http)
{
    const struct prom_basic_auth *basic = http->basic_auth;
    const struct prom_authorization *authorization = http->authorization;
    if (http->oauth2 != NULL || http->headers.count != 0) {
        return "kubernetes_sd_configs: oauth2 and http_headers are not supported; use "
               "authorization or basic_auth";
    }
    if (basic != NULL && (basic->username_file != NULL || basic->password_file != NULL)) {
        return "kubernetes_sd_configs: basic_auth takes username and password, no files";
    }
    if (authorization != NULL && authorization->credentials_file != NULL &&
        strcmp(authorization->type, "Bearer") != 0) {
        return "kubernetes_sd_configs: authorization::credentials_file is of type Bearer";
    }
    return NULL;
}

/* Each role takes selectors of what its targets are made of, each once. */
static const char *check_selectors(const struct prom_kube_sd *config)
{
    const struct prom_kube_selector *selectors = config->selectors.items;
    bool joins = config->role == PROM_KUBE_ENDPOINTS || config->role == PROM_KUBE_ENDPOINTSLICE;
    unsigned seen = 0;
    for (size_t i = 0; i < config->selectors.count; i++) {
        int64_t role = selectors[i].role;
        bool is_joined = joins && (role == PROM_KUBE_POD || role == PROM_KUBE_SERVICE);
        bool is_node = config->role == PROM_KUBE_POD && role == PROM_KUBE_NODE;
        if (role != config->role && !is_joined && !is_node) {
            return "kubernetes_sd_configs: a selector has a role of which no targets are made";
        }
        if ((seen & (1u << role)) != 0) {
            return "kubernetes_sd_configs: there are two selectors of one role";
        }
        seen |= 1u << role;
    }
    return NULL;
}

const char *prom_kube_check(const struct prom_kube_sd *config)
{
    if (has_server(config) && is_said(config->kubeconfig_file)) {
        return "kubernetes_sd_configs: api_server and kubeconfig_file are both set; remove one";
    }
    if (!has_server(config) && has_http_keys(&config->http)) {
        return "kubernetes_sd_configs: credentials, tls_config and proxy_url belong to api_server, "
               "which is missing";
    }
    const char *why = check_credentials(&config->http);
    return why != NULL ? why : check_selectors(config);
}

/* ---- the server that is named ---- */

static char *copy(const char *text, bool *failed)
{
    char *copied = text != NULL ? strdup(text) : NULL;
    *failed |= copied == NULL && text != NULL;
    return copied;
}

static char *basic_text(const struct prom_basic_auth *basic, bool *failed)
{
    static const char type[] = "Basic ";
    char *pair = NULL;
    int size = asprintf(&pair, "%s:%s", basic->username != NULL ? basic->username : "",
                        basic->password != NULL ? basic->password : "");
    if (size < 0) {
        *failed = true;
        return NULL;
    }
    char *text = malloc(sizeof(type) + HF_BASE64_SIZE((size_t)size));
    if (text != NULL) {
        size_t start = sizeof(type) - 1;
        memcpy(text, type, start);
        text[start + hf_base64_print(hf_slice_of(pair, (size_t)size), text + start)] = '\0';
    }
    *failed |= text == NULL;
    free(pair);
    return text;
}

static char *authorization_text(const char *type, const char *credentials, bool *failed)
{
    char *text = NULL;
    if (credentials != NULL && asprintf(&text, "%s %s", type, credentials) < 0) {
        *failed = true;
        return NULL;
    }
    return text;
}

static void put_credentials(const struct prom_http *http, struct hf_kube_access *access,
                            bool *failed)
{
    const struct prom_authorization *authorization = http->authorization;
    if (http->basic_auth != NULL) {
        access->authorization = basic_text(http->basic_auth, failed);
    } else if (authorization != NULL) {
        access->authorization =
            authorization_text(authorization->type, authorization->credentials, failed);
        access->token_file = copy(authorization->credentials_file, failed);
    } else {
        access->authorization = authorization_text("Bearer", http->bearer_token, failed);
        access->token_file = copy(http->bearer_token_file, failed);
    }
}

static struct hf_tls_config copy_tls(const struct prom_tls *config, bool *failed)
{
    struct hf_tls_config tls = prom_tls_of(config);
    tls.ca_file = copy(tls.ca_file, failed);
    tls.ca_pem = copy(tls.ca_pem, failed);
    tls.cert_file = copy(tls.cert_file, failed);
    tls.cert_pem = copy(tls.cert_pem, failed);
    tls.key_file = copy(tls.key_file, failed);
    tls.key_pem = copy(tls.key_pem, failed);
    tls.server_name_override = copy(tls.server_name_override, failed);
    return tls;
}

static enum hf_status open_server(const struct prom_kube_sd *config,
                                  struct hf_kube_client **ret_client, char *reterr)
{
    bool failed = false;
    struct hf_kube_access access = {
        .url = copy(config->api_server, &failed),
        .has_tls = strncmp(config->api_server, "https:", 6) == 0,
        .tls = copy_tls(&config->http.tls, &failed),
        .proxy_url = copy(config->http.proxy_url, &failed),
    };
    put_credentials(&config->http, &access, &failed);
    if (failed) {
        hf_kube_access_release(&access);
        snprintf(reterr, HF_ERROR_MAX, "out of memory");
        return HF_NOMEM;
    }
    size_t size = strlen(access.url);
    while (size != 0 && access.url[size - 1] == '/') {
        access.url[--size] = '\0';
    }
    return hf_kube_client_open_at(&access, ret_client, reterr);
}

enum hf_status prom_kube_open(const struct prom_kube_sd *config, struct hf_kube_client **ret_client,
                              char *reterr)
{
    const struct hf_kube_config access = {
        .auth_type = is_said(config->kubeconfig_file) ? HF_KUBE_CONFIG : HF_KUBE_SERVICE_ACCOUNT,
        .config_path = config->kubeconfig_file,
    };
    return has_server(config) ? open_server(config, ret_client, reterr)
                              : hf_kube_client_open(&access, ret_client, reterr);
}
