#include "probe.h"

#include <stdio.h>
#include <string.h>

#include <holdfast/component.h>

#include "config.h"
#include "kube_targets.h"
#include "oauth.h"
#include "support/probe/probe_kubernetes.h"
#include "support/probe/probe_server.h"

#define TARGETS_MAX 50u /* of a job that are tried */

/* Files with credentials, and the server of tokens. */
static void probe_credentials(const struct prom_http *http, struct hf_probe *probe)
{
    if (http->basic_auth != NULL) {
        hf_probe_read(probe, http->basic_auth->username_file);
        hf_probe_read(probe, http->basic_auth->password_file);
    }
    if (http->authorization != NULL) {
        hf_probe_read(probe, http->authorization->credentials_file);
    }
    hf_probe_read(probe, http->bearer_token_file);
    if (http->oauth2 != NULL) {
        const struct hf_http_client_config client = {.endpoint = http->oauth2->token_url,
                                                     .proxy_url = http->oauth2->proxy_url,
                                                     .tls = prom_tls_of(&http->oauth2->tls)};
        hf_probe_read(probe, http->oauth2->client_secret_file);
        hf_probe_http_client(probe, &client, NULL);
    }
}

static void probe_url(const struct prom_http *http, const char *url, struct hf_probe *probe)
{
    const struct hf_http_client_config client = {
        .endpoint = url, .proxy_url = http->proxy_url, .tls = prom_tls_of(&http->tls)};
    hf_probe_http_client(probe, &client, NULL);
}

/* Targets whose address stands in the configuration; relabeling may change others. */
static void probe_statics(const struct prom_job *job, struct hf_probe *probe)
{
    const struct prom_static *statics = job->statics.items;
    const char *scheme = job->scheme == PROM_HTTPS ? "https" : "http";
    size_t tried = 0, total = 0;
    for (size_t i = 0; i < job->statics.count; i++) {
        for (size_t k = 0; k < statics[i].targets.count; k++) {
            char url[1024];
            total++;
            if (tried == TARGETS_MAX || job->relabel.count != 0) {
                continue;
            }
            snprintf(url, sizeof(url), "%s://%.900s", scheme, statics[i].targets.items[k]);
            probe_url(&job->http, url, probe);
            tried++;
        }
    }
    if (tried < total) {
        hf_probe_say(probe, "targets", job->job_name, HF_PROBE_OK, "%zu of %zu are not tried%s",
                     total - tried, total,
                     job->relabel.count != 0 ? ": relabel_configs may change them" : "");
    }
}

static void probe_own_namespace(const struct prom_kube_sd *sd, const struct hf_kube_config *access,
                                const struct hf_probe_right *rights, size_t count,
                                struct hf_probe *probe)
{
    char room[256], error[HF_ERROR_MAX];
    const char *name = room;
    if (!sd->namespaces.own_namespace || count == 0) {
        return;
    }
    if (!hf_kube_own_namespace(room, sizeof(room), error)) {
        hf_probe_say(probe, "namespace", "own_namespace", HF_PROBE_FAILED, "%s", error);
        return;
    }
    hf_probe_kubernetes_in(probe, access, rights, count,
                           (struct hf_string_list){.items = &name, .count = 1});
}

/* The rights to watch what that job's targets are made of, in its namespaces and in none. */
static void probe_kubernetes(const struct prom_kube_sd *sd, struct hf_probe *probe)
{
    static const struct hf_probe_right all[PROM_KIND_COUNT] = {
        [PROM_KIND_NODE] = {.verbs = "list,watch", .resource = "nodes"},
        [PROM_KIND_POD] = {.verbs = "list,watch", .resource = "pods"},
        [PROM_KIND_SERVICE] = {.verbs = "list,watch", .resource = "services"},
        [PROM_KIND_ENDPOINTS] = {.verbs = "list,watch", .resource = "endpoints"},
        [PROM_KIND_ENDPOINTSLICE] = {.verbs = "list,watch",
                                     .group = "discovery.k8s.io",
                                     .resource = "endpointslices"},
        [PROM_KIND_INGRESS] = {.verbs = "list,watch",
                               .group = "networking.k8s.io",
                               .resource = "ingresses"},
        [PROM_KIND_NAMESPACE] = {.verbs = "list,watch", .resource = "namespaces"},
        [PROM_KIND_REPLICASET] = {.verbs = "list,watch",
                                  .group = "apps",
                                  .resource = "replicasets"},
        [PROM_KIND_JOB] = {.verbs = "list,watch", .group = "batch", .resource = "jobs"},
    };
    const struct hf_kube_config access = {
        .auth_type = sd->kubeconfig_file != NULL ? HF_KUBE_CONFIG : HF_KUBE_SERVICE_ACCOUNT,
        .config_path = sd->kubeconfig_file,
    };
    if (sd->api_server != NULL) {
        probe_url(&sd->http, sd->api_server, probe);
        return;
    }
    struct hf_probe_right rights[PROM_KIND_COUNT], cluster_rights[PROM_KIND_COUNT];
    size_t count = 0, cluster_count = 0;
    for (int kind = 0; kind < PROM_KIND_COUNT; kind++) {
        if (!prom_kube_needs(sd, (enum prom_kube_kind)kind)) {
            continue;
        }
        if (prom_kube_is_of_cluster((enum prom_kube_kind)kind)) {
            cluster_rights[cluster_count++] = all[kind];
        } else {
            rights[count++] = all[kind];
        }
    }
    probe_own_namespace(sd, &access, rights, count, probe);
    if (count != 0 && (sd->namespaces.names.count != 0 || !sd->namespaces.own_namespace)) {
        hf_probe_kubernetes_in(probe, &access, rights, count, sd->namespaces.names);
    }
    if (cluster_count != 0) {
        hf_probe_kubernetes(probe, &access, cluster_rights, cluster_count);
    }
}

static void probe_job(const struct prom_job *job, struct hf_probe *probe)
{
    const struct prom_file_sd *files = job->files.items;
    const struct prom_http_sd *https = job->https.items;
    const struct prom_kube_sd *kubernetes = job->kubernetes.items;
    probe_credentials(&job->http, probe);
    probe_statics(job, probe);
    for (size_t i = 0; i < job->files.count; i++) {
        for (size_t k = 0; k < files[i].files.count; k++) {
            if (strpbrk(files[i].files.items[k], "*?[") == NULL) {
                hf_probe_read(probe, files[i].files.items[k]);
            }
        }
    }
    for (size_t i = 0; i < job->https.count; i++) {
        probe_credentials(&https[i].http, probe);
        probe_url(&https[i].http, https[i].url, probe);
    }
    for (size_t i = 0; i < job->kubernetes.count; i++) {
        probe_kubernetes(&kubernetes[i], probe);
    }
}

void prom_probe(const void *from, struct hf_probe *probe)
{
    const struct prom_config *config = from;
    const struct prom_job *jobs = config->prometheus.jobs.items;
    for (size_t i = 0; i < config->prometheus.jobs.count; i++) {
        probe_job(&jobs[i], probe);
    }
    if (config->allocator != NULL) {
        probe_url(&config->allocator->sd.http, config->allocator->endpoint, probe);
    }
}
