/*
 * config_fields: the tables of keys. Prometheus' own names and defaults.
 */
#include "config_fields.h"

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

#define NAME_KEYS(owner, at)                                                                       \
    {.key = "metric_name_validation_scheme",                                                       \
     .type = HF_FIELD_STRING,                                                                      \
     .offset = offsetof(owner, at.validation),                                                     \
     .validate = prom_expect_validation,                                                           \
     .help =                                                                                       \
         "utf8 (without) or legacy, which asks targets for names with underscores; all names are " \
         "accepted."},                                                                             \
    {                                                                                              \
        .key = "metric_name_escaping_scheme", .type = HF_FIELD_STRING,                             \
        .offset = offsetof(owner, at.escaping), .validate = prom_expect_escaping,                  \
        .help =                                                                                    \
            "How targets are asked to write other characters in names: allow-utf-8, underscores, " \
            "dots or values."                                                                      \
    }

#define UNUSED_KEYS                                                                                \
    IGNORED("keep_dropped_targets", "Dropped targets are not kept."),                              \
        IGNORED("scrape_failure_log_file", "Failed scrapes are in the log."),                      \
        IGNORED("convert_classic_histograms_to_nhcb",                                              \
                "Classic histograms become OTLP histograms, as those would.")

static const char *const protocols[] = {"PrometheusProto",      "OpenMetricsText0.0.1",
                                        "OpenMetricsText1.0.0", "PrometheusText0.0.4",
                                        "PrometheusText1.0.0",  NULL};
static const char *const schemes[] = {"http", "https", NULL};

#define JOB(member) offsetof(struct prom_job, member)

#define NOT_BUILT(name)                                                                            \
    {.key = #name "_sd_configs",                                                                   \
     .type = HF_FIELD_VALUE,                                                                       \
     .offset = JOB(not_built[PROM_NOT_BUILT_##name]),                                              \
     .help = "Not built: use file_sd_configs or http_sd_configs."},

const struct hf_field prom_job_fields[] = {
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
    NAME_KEYS(struct prom_job, names),
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
     .inner = prom_static_fields,
     .inner_size = sizeof(struct prom_static),
     .help = "Targets that are written here."},
    {.key = "file_sd_configs",
     .type = HF_FIELD_STRUCT_LIST,
     .offset = JOB(files),
     .inner = prom_file_sd_fields,
     .inner_size = sizeof(struct prom_file_sd),
     .help = "Targets from files."},
    {.key = "http_sd_configs",
     .type = HF_FIELD_STRUCT_LIST,
     .offset = JOB(https),
     .inner = prom_http_sd_fields,
     .inner_size = sizeof(struct prom_http_sd),
     .help = "Targets from a server's lists."},
    {.key = "dns_sd_configs",
     .type = HF_FIELD_STRUCT_LIST,
     .offset = JOB(dns),
     .inner = prom_dns_sd_fields,
     .inner_size = sizeof(struct prom_dns_sd),
     .help = "Targets from DNS."},
    {.key = "kubernetes_sd_configs",
     .type = HF_FIELD_STRUCT_LIST,
     .offset = JOB(kubernetes),
     .inner = prom_kubernetes_sd_fields,
     .inner_size = sizeof(struct prom_kube_sd),
     .help = "Targets from the objects of a Kubernetes cluster."},
    PROM_NOT_BUILT(NOT_BUILT) HF_FIELDS_END,
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
    NAME_KEYS(struct prom_global, names),
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
     .inner = prom_job_fields,
     .inner_size = sizeof(struct prom_job),
     .help = "The jobs."},
    {.key = "scrape_config_files",
     .type = HF_FIELD_STRING_LIST,
     .offset = offsetof(struct prom_file_config, job_files),
     .help =
         "Files, also patterns, with more jobs under scrape_configs; read at the start and at a "
         "reload, without ${} in them."},
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
    {.key = "target_allocator",
     .type = HF_FIELD_OPTIONAL,
     .offset = offsetof(struct prom_config, allocator),
     .inner = prom_allocator_fields,
     .inner_size = sizeof(struct prom_allocator_config),
     .help = "Jobs and targets come from the operator's target allocator."},
    IGNORED("buffer_period", "Batches go on at once."),
    IGNORED("buffer_count", "Batches go on at once."),
    IGNORED("enable_protobuf_negotiation", "scrape_protocols says it."),
    IGNORED("api_server", "There is no server for targets and configuration."),
    IGNORED("discovery_reload_on_startup", "Targets are looked for at once."),
    IGNORED("scrape_on_shutdown", "Nothing is scraped at the stop."),
    {.key = "initial_scrape_offset",
     .type = HF_FIELD_DURATION,
     .offset = offsetof(struct prom_config, initial_offset_ns),
     .default_text = "0s",
     .max = 8.64e13,
     .help = "Time before the first scrape of a target, besides its share of the interval."},
    HF_FIELDS_END,
};
