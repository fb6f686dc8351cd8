/*
 * config_discovery_fields: the tables of keys of discovery. Prometheus' own names and defaults.
 */
#include "config_fields.h"

const struct hf_field prom_static_fields[] = {
    {.key = "targets",
     .type = HF_FIELD_STRING_LIST,
     .offset = offsetof(struct prom_static, targets),
     .help = "Targets, as host:port."},
    {.key = "labels",
     .type = HF_FIELD_MAP,
     .offset = offsetof(struct prom_static, labels),
     .help = "Labels of these targets."},
    HF_FIELDS_END,
};

const struct hf_field prom_file_sd_fields[] = {
    {.key = "files",
     .type = HF_FIELD_STRING_LIST,
     .offset = offsetof(struct prom_file_sd, files),
     .required = true,
     .help = "Files with lists of targets, .json, .yml or .yaml; the last part may have * and ?."},
    REFRESH(struct prom_file_sd, "5m"),
    HF_FIELDS_END,
};

const struct hf_field prom_http_sd_fields[] = {
    {.key = "url",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct prom_http_sd, url),
     .required = true,
     .validate = prom_expect_url,
     .help = "Where a server answers a list of targets, as JSON."},
    REFRESH(struct prom_http_sd, "60s"),
    HTTP_FIELDS(struct prom_http_sd, http),
    HF_FIELDS_END,
};

static const char *const dns_types[] = {"A", "AAAA", "SRV", NULL};

const struct hf_field prom_dns_sd_fields[] = {
    {.key = "names",
     .type = HF_FIELD_STRING_LIST,
     .offset = offsetof(struct prom_dns_sd, names),
     .required = true,
     .help = "Names that are looked up."},
    {.key = "type",
     .type = HF_FIELD_ENUM,
     .offset = offsetof(struct prom_dns_sd, type),
     .choices = dns_types,
     .default_text = "SRV",
     .help = "The kind of record: A, AAAA or SRV."},
    {.key = "port",
     .type = HF_FIELD_INT,
     .offset = offsetof(struct prom_dns_sd, port),
     .max = 65535,
     .help = "The port of the targets, where the record has none."},
    REFRESH(struct prom_dns_sd, "30s"),
    HF_FIELDS_END,
};

static const char *const kube_roles[] = {"node",          "pod",     "service", "endpoints",
                                         "endpointslice", "ingress", NULL};

static const struct hf_field namespaces_fields[] = {
    {.key = "names",
     .type = HF_FIELD_STRING_LIST,
     .offset = offsetof(struct prom_kube_namespaces, names),
     .help = "These only; without, all."},
    {.key = "own_namespace",
     .type = HF_FIELD_BOOL,
     .offset = offsetof(struct prom_kube_namespaces, own_namespace),
     .help = "The one in which this process runs, besides those."},
    HF_FIELDS_END,
};

static const struct hf_field selector_fields[] = {
    {.key = "role",
     .type = HF_FIELD_ENUM,
     .offset = offsetof(struct prom_kube_selector, role),
     .choices = kube_roles,
     .required = true,
     .help = "The objects that are selected."},
    {.key = "label",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct prom_kube_selector, label),
     .help = "A selector by labels."},
    {.key = "field",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct prom_kube_selector, field),
     .help = "A selector by fields."},
    HF_FIELDS_END,
};

static const struct hf_field attach_fields[] = {
    {.key = "node",
     .type = HF_FIELD_BOOL,
     .offset = offsetof(struct prom_kube_attach, node),
     .help = "Targets of pods get the labels of their node."},
    {.key = "namespace",
     .type = HF_FIELD_BOOL,
     .offset = offsetof(struct prom_kube_attach, namespace),
     .help = "Targets get the labels of their namespace."},
    HF_FIELDS_END,
};

const struct hf_field prom_kubernetes_sd_fields[] = {
    {.key = "role",
     .type = HF_FIELD_ENUM,
     .offset = offsetof(struct prom_kube_sd, role),
     .choices = kube_roles,
     .required = true,
     .help = "What becomes a target: node, pod, service, endpoints, endpointslice or ingress."},
    {.key = "api_server",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct prom_kube_sd, api_server),
     .help = "Not supported: the API is that of the pod's service account, or of "
             "kubeconfig_file."},
    {.key = "kubeconfig_file",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct prom_kube_sd, kubeconfig_file),
     .help = "Sign in by this file; without, as the pod's service account."},
    {.key = "namespaces",
     .type = HF_FIELD_STRUCT,
     .offset = offsetof(struct prom_kube_sd, namespaces),
     .inner = namespaces_fields,
     .help = "Which namespaces are watched."},
    {.key = "selectors",
     .type = HF_FIELD_STRUCT_LIST,
     .offset = offsetof(struct prom_kube_sd, selectors),
     .inner = selector_fields,
     .inner_size = sizeof(struct prom_kube_selector),
     .help = "Which objects are watched."},
    {.key = "attach_metadata",
     .type = HF_FIELD_STRUCT,
     .offset = offsetof(struct prom_kube_sd, attach_metadata),
     .inner = attach_fields,
     .help = "What is added of other objects."},
    HTTP_FIELDS(struct prom_kube_sd, http),
    HF_FIELDS_END,
};

static const struct hf_field allocator_tls_fields[] = {
    {.key = "ca_file",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct prom_allocator_tls, ca_file),
     .help = "A file of CA certificates."},
    {.key = "cert_file",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct prom_allocator_tls, cert_file),
     .help = "A file with the client certificate."},
    {.key = "key_file",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct prom_allocator_tls, key_file),
     .help = "A file with its key."},
    {.key = "server_name_override",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct prom_allocator_tls, server_name),
     .help = "The name that the server's certificate must have."},
    {.key = "insecure",
     .type = HF_FIELD_BOOL,
     .offset = offsetof(struct prom_allocator_tls, insecure),
     .help = "No effect: the endpoint's scheme decides."},
    {.key = "insecure_skip_verify",
     .type = HF_FIELD_BOOL,
     .offset = offsetof(struct prom_allocator_tls, insecure_skip_verify),
     .help = "Any certificate is accepted."},
    IGNORED("reload_interval", "The files are looked at again each 5 s."),
    HF_FIELDS_END,
};

static const struct hf_field allocator_sd_fields[] = {
    REFRESH(struct prom_allocator_sd, "30s"),
    HTTP_FIELDS(struct prom_allocator_sd, http),
    HF_FIELDS_END,
};

const struct hf_field prom_allocator_fields[] = {
    {.key = "endpoint",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct prom_allocator_config, endpoint),
     .required = true,
     .validate = prom_expect_url,
     .help = "Where the allocator answers."},
    {.key = "collector_id",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct prom_allocator_config, collector_id),
     .required = true,
     .help = "The name of this collector at the allocator."},
    {.key = "interval",
     .type = HF_FIELD_DURATION,
     .offset = offsetof(struct prom_allocator_config, interval_ns),
     .default_text = "30s",
     .min = 1e8,
     .max = 1e14,
     .help = "How often it is asked for its jobs."},
    {.key = "tls",
     .type = HF_FIELD_STRUCT,
     .offset = offsetof(struct prom_allocator_config, tls),
     .inner = allocator_tls_fields,
     .help = "How https is verified."},
    {.key = "http_sd_config",
     .type = HF_FIELD_STRUCT,
     .offset = offsetof(struct prom_allocator_config, sd),
     .inner = allocator_sd_fields,
     .help = "How it is asked for targets, as in http_sd_configs."},
    IGNORED("http_scrape_config", "Jobs are scraped as the allocator says."),
    IGNORED("timeout", "Requests end after 30 s."),
    IGNORED("compression", "Requests have no body."),
    HF_FIELDS_END,
};
