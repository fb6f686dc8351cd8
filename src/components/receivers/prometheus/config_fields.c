/*
 * config_fields: the tables of keys. Prometheus' own names and defaults.
 */
#include "config.h"

#include "config_checks.h"

static const struct hf_field basic_auth_fields[] = {
    {.key = "username",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct prom_basic_auth, username),
     .help = "User name."},
    {.key = "username_file",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct prom_basic_auth, username_file),
     .help = "A file with the user name."},
    {.key = "password",
     .type = HF_FIELD_SECRET,
     .offset = offsetof(struct prom_basic_auth, password),
     .help = "Password."},
    {.key = "password_file",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct prom_basic_auth, password_file),
     .help = "A file with the password; read again when it changes."},
    HF_FIELDS_END,
};

static const struct hf_field authorization_fields[] = {
    {.key = "type",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct prom_authorization, type),
     .default_text = "Bearer",
     .help = "The scheme before the credentials."},
    {.key = "credentials",
     .type = HF_FIELD_SECRET,
     .offset = offsetof(struct prom_authorization, credentials),
     .help = "What is sent in the header Authorization."},
    {.key = "credentials_file",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct prom_authorization, credentials_file),
     .help = "A file with it; read again when it changes."},
    HF_FIELDS_END,
};

#define TLS(member) offsetof(struct prom_tls, member)

static const struct hf_field tls_fields[] = {
    {.key = "ca", .type = HF_FIELD_STRING, .offset = TLS(ca), .help = "CA certificates, as PEM."},
    {.key = "ca_file",
     .type = HF_FIELD_STRING,
     .offset = TLS(ca_file),
     .help = "A file of CA certificates."},
    {.key = "cert",
     .type = HF_FIELD_STRING,
     .offset = TLS(cert),
     .help = "Client certificate, as PEM."},
    {.key = "cert_file",
     .type = HF_FIELD_STRING,
     .offset = TLS(cert_file),
     .help = "A file with the client certificate."},
    {.key = "key", .type = HF_FIELD_SECRET, .offset = TLS(key), .help = "Its key, as PEM."},
    {.key = "key_file",
     .type = HF_FIELD_STRING,
     .offset = TLS(key_file),
     .help = "A file with the key."},
    {.key = "server_name",
     .type = HF_FIELD_STRING,
     .offset = TLS(server_name),
     .help = "The name that the server's certificate must have."},
    {.key = "insecure_skip_verify",
     .type = HF_FIELD_BOOL,
     .offset = TLS(insecure_skip_verify),
     .default_text = "false",
     .help = "Any certificate is accepted."},
    {.key = "min_version",
     .type = HF_FIELD_STRING,
     .offset = TLS(min_version),
     .validate = prom_expect_tls_version,
     .help = "TLS10, TLS11, TLS12 or TLS13."},
    {.key = "max_version",
     .type = HF_FIELD_STRING,
     .offset = TLS(max_version),
     .validate = prom_expect_tls_version,
     .help = "TLS10, TLS11, TLS12 or TLS13."},
    HF_FIELDS_END,
};

static const struct hf_field header_fields[] = {
    {.key = "values",
     .type = HF_FIELD_STRING_LIST,
     .offset = offsetof(struct prom_http_header, values),
     .help = "Values of the header."},
    {.key = "secrets",
     .type = HF_FIELD_STRING_LIST,
     .offset = offsetof(struct prom_http_header, secrets),
     .is_secret = true,
     .help = "Secret values of the header."},
    HF_FIELDS_END,
};

#define IGNORED(name, why)                                                                         \
    {                                                                                              \
        .key = (name), .type = HF_FIELD_IGNORED, .help = (why)                                     \
    }

/* clang-format off */
#define HTTP_FIELDS(owner, at)                                                                     \
    {.key = "basic_auth",                                                                          \
     .type = HF_FIELD_OPTIONAL,                                                                    \
     .offset = offsetof(owner, at.basic_auth),                                                     \
     .inner = basic_auth_fields,                                                                   \
     .inner_size = sizeof(struct prom_basic_auth),                                                 \
     .help = "User name and password."},                                                           \
    {.key = "authorization",                                                                       \
     .type = HF_FIELD_OPTIONAL,                                                                    \
     .offset = offsetof(owner, at.authorization),                                                  \
     .inner = authorization_fields,                                                                \
     .inner_size = sizeof(struct prom_authorization),                                              \
     .help = "The header Authorization."},                                                         \
    {.key = "bearer_token",                                                                        \
     .type = HF_FIELD_SECRET,                                                                      \
     .offset = offsetof(owner, at.bearer_token),                                                   \
     .help = "The older spelling of authorization::credentials."},                                 \
    {.key = "bearer_token_file",                                                                   \
     .type = HF_FIELD_STRING,                                                                      \
     .offset = offsetof(owner, at.bearer_token_file),                                              \
     .help = "The older spelling of authorization::credentials_file."},                            \
    {.key = "tls_config",                                                                          \
     .type = HF_FIELD_STRUCT,                                                                      \
     .offset = offsetof(owner, at.tls),                                                            \
     .inner = tls_fields,                                                                          \
     .help = "How https is verified."},                                                            \
    {.key = "follow_redirects",                                                                    \
     .type = HF_FIELD_BOOL,                                                                        \
     .offset = offsetof(owner, at.follow_redirects),                                               \
     .default_text = "true",                                                                       \
     .help = "Follow redirects."},                                                                 \
    {.key = "proxy_url",                                                                           \
     .type = HF_FIELD_STRING,                                                                      \
     .offset = offsetof(owner, at.proxy_url),                                                      \
     .help = "Proxy, as a URL."},                                                                  \
    {.key = "http_headers",                                                                        \
     .type = HF_FIELD_STRUCT_MAP,                                                                  \
     .offset = offsetof(owner, at.headers),                                                        \
     .inner = header_fields,                                                                       \
     .inner_size = sizeof(struct prom_http_header),                                                \
     .help = "More headers of each request."},                                                     \
    IGNORED("enable_http2", "HTTP/1.1 is spoken."),                                                \
    IGNORED("proxy_from_environment", "Without proxy_url the environment's proxy is used.")
/* clang-format on */

/* ---- discovery ---- */

static const struct hf_field static_fields[] = {
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

#define REFRESH(owner, preset)                                                                     \
    {                                                                                              \
        .key = "refresh_interval", .type = HF_FIELD_STRING,                                        \
        .offset = offsetof(owner, refresh_interval), .default_text = (preset),                     \
        .validate = prom_expect_duration, .help = "How often it is looked at again."               \
    }

static const struct hf_field file_sd_fields[] = {
    {.key = "files",
     .type = HF_FIELD_STRING_LIST,
     .offset = offsetof(struct prom_file_sd, files),
     .required = true,
     .help = "Files with lists of targets, .json, .yml or .yaml; the last part may have * and ?."},
    REFRESH(struct prom_file_sd, "5m"),
    HF_FIELDS_END,
};

static const struct hf_field http_sd_fields[] = {
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

static const struct hf_field dns_sd_fields[] = {
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

static const struct hf_field kubernetes_sd_fields[] = {
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

/* ---- jobs ---- */

#define LIMIT_KEYS(owner, at)                                                                      \
    {.key = "body_size_limit",                                                                     \
     .type = HF_FIELD_BYTES,                                                                       \
     .offset = offsetof(owner, at.body_size),                                                      \
     .help = "A larger answer, uncompressed, fails the scrape; 0: 256MiB."},                       \
        {.key = "sample_limit",                                                                    \
         .type = HF_FIELD_INT,                                                                     \
         .offset = offsetof(owner, at.samples),                                                    \
         .max = 1e15,                                                                              \
         .help = "More samples after relabeling fail the scrape; 0: no limit."},                   \
        {.key = "target_limit",                                                                    \
         .type = HF_FIELD_INT,                                                                     \
         .offset = offsetof(owner, at.targets),                                                    \
         .max = 1e15,                                                                              \
         .help = "With more targets after relabeling none of the job is scraped; 0: no limit."},   \
        {.key = "label_limit",                                                                     \
         .type = HF_FIELD_INT,                                                                     \
         .offset = offsetof(owner, at.labels),                                                     \
         .max = 1e15,                                                                              \
         .help = "A series with more labels fails the scrape; 0: 512."},                           \
        {.key = "label_name_length_limit",                                                         \
         .type = HF_FIELD_INT,                                                                     \
         .offset = offsetof(owner, at.label_name),                                                 \
         .max = 1e15,                                                                              \
         .help = "A longer name of a label fails the scrape; 0: no limit."},                       \
    {                                                                                              \
        .key = "label_value_length_limit", .type = HF_FIELD_INT,                                   \
        .offset = offsetof(owner, at.label_value), .max = 1e15,                                    \
        .help = "A longer value of a label fails the scrape; 0: no limit."                         \
    }

#define UNUSED_KEYS                                                                                \
    IGNORED("keep_dropped_targets", "Dropped targets are not kept."),                              \
        IGNORED("scrape_failure_log_file", "Failed scrapes are in the log."),                      \
        IGNORED("metric_name_validation_scheme", "All names are accepted."),                       \
        IGNORED("metric_name_escaping_scheme", "All names are accepted."),                         \
        IGNORED("convert_classic_histograms_to_nhcb",                                              \
                "Classic histograms become OTLP histograms, as those would.")

static const char *const protocols[] = {"PrometheusProto",      "OpenMetricsText0.0.1",
                                        "OpenMetricsText1.0.0", "PrometheusText0.0.4",
                                        "PrometheusText1.0.0",  NULL};
static const char *const schemes[] = {"http", "https", NULL};

#define JOB(member) offsetof(struct prom_job, member)

static const struct hf_field job_fields[] = {
    {.key = "job_name",
     .type = HF_FIELD_STRING,
     .offset = JOB(job_name),
     .required = true,
     .help = "The name of the job, the label job, and service.name of what it scrapes."},
    {.key = "scrape_interval",
     .type = HF_FIELD_STRING,
     .offset = JOB(interval),
     .validate = prom_expect_duration,
     .help = "Time from one scrape to the next; without, the global one."},
    {.key = "scrape_timeout",
     .type = HF_FIELD_STRING,
     .offset = JOB(timeout),
     .validate = prom_expect_duration,
     .help = "Longest time of a scrape; without, the global one."},
    {.key = "metrics_path",
     .type = HF_FIELD_STRING,
     .offset = JOB(metrics_path),
     .default_text = "/metrics",
     .help = "The path of the targets' metrics."},
    {.key = "scheme",
     .type = HF_FIELD_ENUM,
     .offset = JOB(scheme),
     .choices = schemes,
     .default_text = "http",
     .help = "http or https."},
    {.key = "params",
     .type = HF_FIELD_VALUE,
     .offset = JOB(params),
     .help = "Parameters of the URL: each a list of values."},
    {.key = "honor_labels",
     .type = HF_FIELD_BOOL,
     .offset = JOB(honor_labels),
     .default_text = "false",
     .help = "A label that a series brings counts more than the target's of that name; otherwise "
             "it becomes exported_NAME."},
    {.key = "honor_timestamps",
     .type = HF_FIELD_BOOL,
     .offset = JOB(honor_timestamps),
     .default_text = "true",
     .help = "Times that a series brings are used."},
    {.key = "track_timestamps_staleness",
     .type = HF_FIELD_BOOL,
     .offset = JOB(track_timestamps_staleness),
     .default_text = "false",
     .help = "Series that bring their times get staleness markers, too."},
    {.key = "enable_compression",
     .type = HF_FIELD_BOOL,
     .offset = JOB(enable_compression),
     .default_text = "true",
     .help = "Ask for gzip."},
    {.key = "scrape_protocols",
     .type = HF_FIELD_STRING_LIST,
     .offset = JOB(protocols),
     .choices = protocols,
     .help = "The formats that are asked for, the preferred one first; without, the global ones."},
    {.key = "fallback_scrape_protocol",
     .type = HF_FIELD_STRING,
     .offset = JOB(fallback_protocol),
     .default_text = "PrometheusText0.0.4",
     .validate = prom_expect_protocol,
     .help = "The format of answers without a Content-Type that is known."},
    {.key = "scrape_native_histograms",
     .type = HF_FIELD_BOOL,
     .offset = JOB(native),
     .present_offset = JOB(has_native),
     .help = "Native histograms become exponential ones; without, the global setting."},
    {.key = "always_scrape_classic_histograms",
     .type = HF_FIELD_BOOL,
     .offset = JOB(classic),
     .present_offset = JOB(has_classic),
     .old_keys = (const char *const[]){"scrape_classic_histograms", NULL},
     .help = "Of a histogram that is both, the classic one is read, too."},
    {.key = "extra_scrape_metrics",
     .type = HF_FIELD_BOOL,
     .offset = JOB(extra_metrics),
     .present_offset = JOB(has_extra),
     .help = "Adds scrape_timeout_seconds, scrape_sample_limit and scrape_body_size_bytes."},
    LIMIT_KEYS(struct prom_job, limits),
    IGNORED("native_histogram_bucket_limit", "A histogram has at most 65536 buckets."),
    IGNORED("native_histogram_min_bucket_factor", "Histograms keep their resolution."),
    UNUSED_KEYS,
    HTTP_FIELDS(struct prom_job, http),
    {.key = "relabel_configs",
     .type = HF_FIELD_STRUCT_LIST,
     .offset = JOB(relabel),
     .inner = hf_relabel_fields,
     .inner_size = sizeof(struct hf_relabel_config),
     .help = "Rules for the labels of targets."},
    {.key = "metric_relabel_configs",
     .type = HF_FIELD_STRUCT_LIST,
     .offset = JOB(metric_relabel),
     .inner = hf_relabel_fields,
     .inner_size = sizeof(struct hf_relabel_config),
     .help = "Rules for the labels of series."},
    {.key = "static_configs",
     .type = HF_FIELD_STRUCT_LIST,
     .offset = JOB(statics),
     .inner = static_fields,
     .inner_size = sizeof(struct prom_static),
     .help = "Targets that are written here."},
    {.key = "file_sd_configs",
     .type = HF_FIELD_STRUCT_LIST,
     .offset = JOB(files),
     .inner = file_sd_fields,
     .inner_size = sizeof(struct prom_file_sd),
     .help = "Targets from files."},
    {.key = "http_sd_configs",
     .type = HF_FIELD_STRUCT_LIST,
     .offset = JOB(https),
     .inner = http_sd_fields,
     .inner_size = sizeof(struct prom_http_sd),
     .help = "Targets from a server's lists."},
    {.key = "dns_sd_configs",
     .type = HF_FIELD_STRUCT_LIST,
     .offset = JOB(dns),
     .inner = dns_sd_fields,
     .inner_size = sizeof(struct prom_dns_sd),
     .help = "Targets from DNS."},
    {.key = "kubernetes_sd_configs",
     .type = HF_FIELD_STRUCT_LIST,
     .offset = JOB(kubernetes),
     .inner = kubernetes_sd_fields,
     .inner_size = sizeof(struct prom_kube_sd),
     .help = "Targets from the objects of a Kubernetes cluster."},
    HF_FIELDS_END,
};

#define GLOBAL(member) offsetof(struct prom_global, member)

static const struct hf_field global_fields[] = {
    {.key = "scrape_interval",
     .type = HF_FIELD_STRING,
     .offset = GLOBAL(interval),
     .default_text = "1m",
     .validate = prom_expect_duration,
     .help = "Time from one scrape of a target to the next."},
    {.key = "scrape_timeout",
     .type = HF_FIELD_STRING,
     .offset = GLOBAL(timeout),
     .validate = prom_expect_duration,
     .help = "Longest time of a scrape; without, 10s or the interval if that is shorter."},
    {.key = "scrape_protocols",
     .type = HF_FIELD_STRING_LIST,
     .offset = GLOBAL(protocols),
     .choices = protocols,
     .help = "The formats that are asked for, the preferred one first."},
    {.key = "external_labels",
     .type = HF_FIELD_MAP,
     .offset = GLOBAL(external_labels),
     .help = "Labels of all series."},
    {.key = "scrape_native_histograms",
     .type = HF_FIELD_BOOL,
     .offset = GLOBAL(native),
     .default_text = "false",
     .help = "Native histograms become exponential ones."},
    {.key = "always_scrape_classic_histograms",
     .type = HF_FIELD_BOOL,
     .offset = GLOBAL(classic),
     .default_text = "false",
     .help = "Of a histogram that is both, the classic one is read, too."},
    {.key = "extra_scrape_metrics",
     .type = HF_FIELD_BOOL,
     .offset = GLOBAL(extra_metrics),
     .default_text = "false",
     .help = "Adds scrape_timeout_seconds, scrape_sample_limit and scrape_body_size_bytes."},
    LIMIT_KEYS(struct prom_global, limits),
    UNUSED_KEYS,
    IGNORED("evaluation_interval", "There are no rules."),
    IGNORED("rule_query_offset", "There are no rules."),
    IGNORED("query_log_file", "There are no queries."),
    HF_FIELDS_END,
};

static const struct hf_field file_fields[] = {
    {.key = "global",
     .type = HF_FIELD_STRUCT,
     .offset = offsetof(struct prom_file_config, global),
     .inner = global_fields,
     .help = "What jobs have that do not say otherwise."},
    {.key = "scrape_configs",
     .type = HF_FIELD_STRUCT_LIST,
     .offset = offsetof(struct prom_file_config, jobs),
     .inner = job_fields,
     .inner_size = sizeof(struct prom_job),
     .help = "The jobs."},
    IGNORED("storage", "There is no database."),
    IGNORED("otlp", "There is no database."),
    IGNORED("tracing", "Traces of the scrapes are not made."),
    IGNORED("runtime", "There is no Go runtime."),
    HF_FIELDS_END,
};

const struct hf_field prom_fields[] = {
    {.key = "config",
     .type = HF_FIELD_STRUCT,
     .offset = offsetof(struct prom_config, prometheus),
     .inner = file_fields,
     .help = "What Prometheus has in its configuration file; write $$ for a dollar sign."},
    {.key = "trim_metric_suffixes",
     .type = HF_FIELD_BOOL,
     .offset = offsetof(struct prom_config, trim_metric_suffixes),
     .default_text = "false",
     .help = "Metrics lose the suffixes of their unit and _total."},
    {.key = "use_start_time_metric",
     .type = HF_FIELD_BOOL,
     .offset = offsetof(struct prom_config, use_start_time_metric),
     .default_text = "false",
     .help = "Cumulative points begin at the process's start, which process_start_time_seconds "
             "says."},
    {.key = "start_time_metric_regex",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct prom_config, start_time_metric_regex),
     .help = "The name of the metric that says the start, instead of that one."},
    {.key = "report_extra_scrape_metrics",
     .type = HF_FIELD_BOOL,
     .offset = offsetof(struct prom_config, report_extra_scrape_metrics),
     .default_text = "false",
     .help = "extra_scrape_metrics of all jobs."},
    IGNORED("buffer_period", "Batches go on at once."),
    IGNORED("buffer_count", "Batches go on at once."),
    IGNORED("enable_protobuf_negotiation", "scrape_protocols says it."),
    IGNORED("api_server", "There is no server for targets and configuration."),
    HF_FIELDS_END,
};
