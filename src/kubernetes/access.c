#include "access.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <holdfast/component.h>

#include "kubeconfig.h"
#include "util/file_watch.h"

#define SERVICE_ACCOUNT "/var/run/secrets/kubernetes.io/serviceaccount"

const char *const hf_kube_auth_choices[] = {"none", "serviceAccount", "kubeConfig", NULL};

/* "https://[fd00::1]:443" of the variables that every pod has. */
static bool in_cluster_url(struct hf_kube_access *access)
{
    const char *host = getenv("KUBERNETES_SERVICE_HOST");
    const char *port = getenv("KUBERNETES_SERVICE_PORT");
    if (host == NULL || host[0] == '\0' || port == NULL || port[0] == '\0') {
        return false;
    }
    bool bare_v6 = strchr(host, ':') != NULL && host[0] != '[';
    access->has_tls = true;
    return asprintf(&access->url, "https://%s%s%s:%s", bare_v6 ? "[" : "", host, bare_v6 ? "]" : "",
                    port) >= 0;
}

const char *hf_kube_account_folder(void)
{
    /* For pods that mount a projected token elsewhere. */
    const char *folder = getenv("HOLDFAST_SERVICE_ACCOUNT_DIR");
    return folder != NULL && folder[0] != '\0' ? folder : SERVICE_ACCOUNT;
}

bool hf_kube_own_namespace(char *ret_name, size_t size, char *reterr)
{
    char path[PATH_MAX];
    char *text = NULL;
    snprintf(path, sizeof(path), "%s/namespace", hf_kube_account_folder());
    if (hf_file_watch_read(path, &text, reterr) != HF_OK) {
        return false;
    }
    snprintf(ret_name, size, "%.*s", (int)strcspn(text, " \r\n"), text);
    free(text);
    return true;
}

static enum hf_status use_service_account(struct hf_kube_access *access, char *reterr)
{
    const char *folder = hf_kube_account_folder();
    if (!in_cluster_url(access)) {
        snprintf(reterr, HF_ERROR_MAX,
                 "auth_type serviceAccount needs a pod: KUBERNETES_SERVICE_HOST and "
                 "KUBERNETES_SERVICE_PORT are not set; outside of a cluster use auth_type: "
                 "kubeConfig");
        return HF_NOT_FOUND;
    }
    char *ca_file = NULL;
    if (asprintf(&access->token_file, "%s/token", folder) < 0 ||
        asprintf(&ca_file, "%s/ca.crt", folder) < 0) {
        snprintf(reterr, HF_ERROR_MAX, "out of memory");
        return HF_NOMEM;
    }
    access->tls.ca_file = ca_file;
    if (faccessat(AT_FDCWD, access->token_file, R_OK, AT_EACCESS) != 0) {
        snprintf(reterr, HF_ERROR_MAX,
                 "auth_type serviceAccount: %s cannot be read: %m; does the pod have "
                 "automountServiceAccountToken: false?",
                 access->token_file);
        return HF_NOT_FOUND;
    }
    return HF_OK;
}

enum hf_status hf_kube_access_find(const struct hf_kube_config *config,
                                   struct hf_kube_access *ret_access, char *reterr)
{
    struct hf_kube_access found = {0};
    enum hf_status status = HF_OK;
    if (config->auth_type == HF_KUBE_CONFIG) {
        status = hf_kube_kubeconfig_read(config, &found, reterr);
    } else if (config->auth_type == HF_KUBE_SERVICE_ACCOUNT) {
        status = use_service_account(&found, reterr);
    } else if (in_cluster_url(&found)) {
        found.tls.insecure_skip_verify = true; /* there is no authority's certificate to check by */
    } else {
        snprintf(reterr, HF_ERROR_MAX,
                 "auth_type none asks https://$KUBERNETES_SERVICE_HOST:$KUBERNETES_SERVICE_PORT, "
                 "which are not set");
        status = HF_NOT_FOUND;
    }
    if (status != HF_OK) {
        hf_kube_access_release(&found);
        return status;
    }
    *ret_access = found;
    return HF_OK;
}

static void free_text(const char *text)
{
    free((char *)(uintptr_t)text);
}

void hf_kube_access_release(struct hf_kube_access *access)
{
    free(access->url);
    free(access->token_file);
    free(access->authorization);
    free(access->proxy_url);
    free_text(access->tls.ca_file);
    free_text(access->tls.ca_pem);
    free_text(access->tls.cert_file);
    free_text(access->tls.cert_pem);
    free_text(access->tls.key_file);
    free_text(access->tls.key_pem);
    free_text(access->tls.server_name_override);
    *access = (struct hf_kube_access){0};
}
