#include "kubelet.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <holdfast/component.h>

/* "https://node:10250"; without an endpoint this host's, as with hostNetwork. NULL: no memory. */
static char *url_of(const struct kubelet_config *config)
{
    bool is_plain = config->auth_type == KUBELET_NO_AUTH;
    const char *endpoint = config->endpoint != NULL ? config->endpoint : "";
    bool has_scheme = strncmp(endpoint, "http://", 7) == 0 || strncmp(endpoint, "https://", 8) == 0;
    char host[256] = "localhost", *url = NULL;
    int size;
    if (endpoint[0] != '\0') {
        size = asprintf(&url, "%s%s",
                        has_scheme ? ""
                        : is_plain ? "http://"
                                   : "https://",
                        endpoint);
    } else {
        (void)gethostname(host, sizeof(host) - 1);
        size = asprintf(&url, "%s://%s:%d", is_plain ? "http" : "https", host,
                        is_plain ? 10255 : 10250);
    }
    if (size < 0) {
        return NULL;
    }
    for (size_t end = strlen(url); end > 0 && url[end - 1] == '/'; end--) {
        url[end - 1] = '\0';
    }
    return url;
}

static char *copy(const char *text, bool *failed)
{
    char *copied = text != NULL && text[0] != '\0' ? strdup(text) : NULL;
    *failed = *failed || (copied == NULL && text != NULL && text[0] != '\0');
    return copied;
}

static enum hf_status find_account(struct hf_kube_access *access, bool *failed, char *reterr)
{
    const char *folder = hf_kube_account_folder();
    char *ca_file = NULL;
    if (asprintf(&access->token_file, "%s/token", folder) < 0) {
        access->token_file = NULL;
        *failed = true;
        return HF_OK;
    }
    if (access->tls.ca_file == NULL && access->tls.ca_pem == NULL) {
        *failed = asprintf(&ca_file, "%s/ca.crt", folder) < 0;
        access->tls.ca_file = *failed ? NULL : ca_file;
    }
    if (faccessat(AT_FDCWD, access->token_file, R_OK, AT_EACCESS) != 0) {
        snprintf(reterr, HF_ERROR_MAX,
                 "auth_type serviceAccount: %s cannot be read: %m; does the pod have "
                 "automountServiceAccountToken: false?",
                 access->token_file);
        return HF_NOT_FOUND;
    }
    return HF_OK;
}

/* The kubelet itself. */
static enum hf_status open_direct(const struct kubelet_config *config,
                                  struct hf_kube_client **ret_client, char *reterr)
{
    struct hf_kube_access access = {.url = url_of(config)};
    bool failed = access.url == NULL;
    enum hf_status status = HF_OK;
    if (config->auth_type != KUBELET_NO_AUTH) {
        access.has_tls = true;
        access.tls.insecure_skip_verify = config->insecure_skip_verify;
        access.tls.include_system_ca_certs_pool = config->include_system_ca_certs_pool;
        access.tls.ca_file = copy(config->ca_file, &failed);
        access.tls.cert_file = copy(config->cert_file, &failed);
        access.tls.key_file = copy(config->key_file, &failed);
        access.tls.ca_pem = copy(config->ca_pem, &failed);
        access.tls.cert_pem = copy(config->cert_pem, &failed);
        access.tls.key_pem = copy(config->key_pem, &failed);
    }
    if (config->auth_type == KUBELET_SERVICE_ACCOUNT) {
        status = find_account(&access, &failed, reterr);
    }
    if (failed) {
        snprintf(reterr, HF_ERROR_MAX, "out of memory");
        status = HF_NOMEM;
    }
    if (status != HF_OK) {
        hf_kube_access_release(&access);
        return status;
    }
    return hf_kube_client_open_at(&access, ret_client, reterr);
}

/* The API server hands the request on to the kubelet of the node. */
static enum hf_status open_proxied(const struct kubelet_config *config,
                                   struct hf_kube_client **ret_client, char **ret_prefix,
                                   char *reterr)
{
    const struct hf_kube_config kube = {.auth_type = HF_KUBE_CONFIG, .context = config->context};
    if (config->endpoint == NULL || config->endpoint[0] == '\0') {
        snprintf(reterr, HF_ERROR_MAX,
                 "auth_type kubeConfig asks through the API server's proxy: endpoint must be the "
                 "name of the node");
        return HF_INVALID;
    }
    enum hf_status status = hf_kube_client_open(&kube, ret_client, reterr);
    if (status == HF_OK && asprintf(ret_prefix, "/api/v1/nodes/%s/proxy", config->endpoint) < 0) {
        hf_kube_client_close(*ret_client);
        snprintf(reterr, HF_ERROR_MAX, "out of memory");
        return HF_NOMEM;
    }
    return status;
}

enum hf_status kubelet_open(const struct kubelet_config *config, struct hf_kube_client **ret_client,
                            char **ret_prefix, char *reterr)
{
    if (config->auth_type == KUBELET_KUBE_CONFIG) {
        return open_proxied(config, ret_client, ret_prefix, reterr);
    }
    char *prefix = strdup("");
    enum hf_status status = HF_NOMEM;
    snprintf(reterr, HF_ERROR_MAX, "out of memory");
    if (prefix != NULL) {
        status = open_direct(config, ret_client, reterr);
    }
    if (status != HF_OK) {
        free(prefix);
        return status;
    }
    *ret_prefix = prefix;
    return HF_OK;
}
