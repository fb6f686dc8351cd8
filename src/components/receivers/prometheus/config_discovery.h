/*
 * config_discovery: the keys of HTTP clients and of discovery, as structs that the loader fills.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <holdfast/field.h>

/* ---- how to ask: the same for targets, http_sd and kubernetes_sd ---- */

struct prom_basic_auth {
    const char *username, *username_file, *password, *password_file;
};

struct prom_authorization {
    const char *type, *credentials, *credentials_file;
};

struct prom_tls {
    const char *ca, *ca_file, *cert, *cert_file, *key, *key_file, *server_name;
    const char *min_version, *max_version;
    bool insecure_skip_verify;
};

struct prom_oauth2 {
    const char *client_id, *client_secret, *client_secret_file, *token_url, *proxy_url;
    struct hf_string_list scopes;
    struct hf_value endpoint_params;
    struct prom_tls tls;
};

struct prom_http_header {
    struct hf_string_list values, secrets, files;
};

struct prom_http {
    const struct prom_basic_auth *basic_auth;
    const struct prom_authorization *authorization;
    const struct prom_oauth2 *oauth2;
    const char *bearer_token, *bearer_token_file;
    struct prom_tls tls;
    bool follow_redirects;
    const char *proxy_url, *no_proxy;
    bool proxy_from_environment;
    struct hf_struct_map headers; /* struct prom_http_header */
};

/* ---- where targets come from ---- */

struct prom_static {
    struct hf_string_list targets;
    struct hf_string_map labels;
};

struct prom_file_sd {
    struct hf_string_list files;
    const char *refresh_interval;
};

struct prom_http_sd {
    const char *url, *refresh_interval;
    struct prom_http http;
};

struct prom_dns_sd {
    struct hf_string_list names;
    int64_t type; /* enum prom_dns_type */
    int64_t port;
    const char *refresh_interval;
};

enum prom_dns_type { PROM_DNS_A = 0, PROM_DNS_AAAA, PROM_DNS_SRV, PROM_DNS_MX, PROM_DNS_NS };

struct prom_kube_namespaces {
    struct hf_string_list names;
    bool own_namespace;
};

struct prom_kube_selector {
    int64_t role;
    const char *label, *field;
};

struct prom_kube_attach {
    bool node, namespace, deployment, job, cronjob;
};

struct prom_kube_sd {
    const char *api_server, *kubeconfig_file;
    int64_t role; /* enum prom_kube_role */
    struct prom_kube_namespaces namespaces;
    struct hf_struct_list selectors;
    struct prom_kube_attach attach_metadata;
    struct prom_http http;
};

enum prom_kube_role {
    PROM_KUBE_NODE = 0,
    PROM_KUBE_POD,
    PROM_KUBE_SERVICE,
    PROM_KUBE_ENDPOINTS,
    PROM_KUBE_ENDPOINTSLICE,
    PROM_KUBE_INGRESS
};

/* ---- the target allocator ---- */

struct prom_allocator_tls { /* the Go collector's spelling */
    const char *ca_file, *cert_file, *key_file, *server_name;
    const char *ca_pem, *cert_pem, *key_pem;
    bool insecure, insecure_skip_verify;
};

struct prom_allocator_sd {
    const char *refresh_interval;
    struct prom_http http;
};

/* clang-format off */
/* Discovery of Prometheus that is not built, as NAME_sd_configs. */
#define PROM_NOT_BUILT(X)                                                                          \
    X(aws) X(azure) X(consul) X(digitalocean) X(docker) X(dockerswarm)                             \
    X(ec2) X(ecs) X(elasticache) X(eureka) X(gce) X(hetzner)                                       \
    X(ionos) X(kuma) X(lightsail) X(linode) X(marathon) X(msk)                                     \
    X(nerve) X(nomad) X(oci) X(openstack) X(outscale) X(ovhcloud) X(puppetdb) X(rds)               \
    X(scaleway) X(serverset) X(stackit) X(triton) X(uyuni) X(vultr)
/* clang-format on */

#define PROM_NOT_BUILT_INDEX(name) PROM_NOT_BUILT_##name,
enum { PROM_NOT_BUILT(PROM_NOT_BUILT_INDEX) PROM_NOT_BUILT_COUNT };
