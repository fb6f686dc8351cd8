/*
 * config: the keys of the receiver, which are Prometheus' own under `config`, and what they mean.
 *
 * The structs are filled by the loader and immutable then.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/field.h>
#include <holdfast/status.h>

#include "config_discovery.h"
#include "duration.h"
#include "prometheus/relabel.h"

/* ---- what is asked, and what becomes of the answer ---- */

struct prom_limits {
    uint64_t body_size;
    int64_t samples, targets, labels, label_name, label_value;
};

/* Which names of metrics targets are asked for; NULL: not said. */
struct prom_names {
    const char *validation, *escaping;
};

struct prom_job {
    const char *job_name, *interval, *timeout, *metrics_path;
    int64_t scheme; /* enum prom_scheme */
    bool honor_labels, honor_timestamps, track_timestamps_staleness, enable_compression;
    struct hf_value params;
    struct hf_string_list protocols;
    const char *fallback_protocol;
    bool has_native, native, has_classic, classic, has_extra, extra_metrics;
    struct prom_limits limits;
    struct prom_names names;
    struct prom_http http;
    struct hf_struct_list relabel, metric_relabel;
    struct hf_struct_list statics, files, https, dns, kubernetes;
    struct hf_value not_built[PROM_NOT_BUILT_COUNT]; /* other kinds of discovery */
};

enum prom_scheme { PROM_HTTP = 0, PROM_HTTPS };

struct prom_global {
    const char *interval, *timeout;
    struct hf_string_list protocols;
    struct hf_string_map external_labels;
    bool native, classic, extra_metrics;
    struct prom_limits limits;
    struct prom_names names;
};

struct prom_file_config {
    struct prom_global global;
    struct hf_struct_list jobs; /* struct prom_job */
    struct hf_string_list job_files;
};

/* A target allocator, which hands out jobs and, by http_sd, their targets. */
struct prom_allocator_config {
    const char *endpoint, *collector_id;
    uint64_t interval_ns;
    struct prom_allocator_tls tls;
    const char *proxy_url;
    struct hf_string_map headers;
    struct hf_value auth;
    struct prom_allocator_sd sd;
};

struct prom_config {
    struct prom_file_config prometheus;
    bool trim_metric_suffixes, use_start_time_metric, report_extra_scrape_metrics;
    const char *start_time_metric_regex;
    uint64_t initial_offset_ns;
    const struct prom_allocator_config *allocator; /* NULL: none */
};

extern const struct hf_field prom_fields[];
extern const struct hf_field prom_job_fields[]; /* struct prom_job */

/* What no single key can tell: NULL or a sentence, which is valid until the next call of its
 * thread.
 */
const char *prom_check(const void *config);
const char *prom_check_job(const struct prom_global *global, const struct prom_job *job);

/* The effective settings of a job: its own or the global ones. */
uint64_t prom_job_interval_ns(const struct prom_global *global, const struct prom_job *job);
uint64_t prom_job_timeout_ns(const struct prom_global *global, const struct prom_job *job);
/* The value of `escaping` of the formats that have one. */
const char *prom_job_escaping(const struct prom_global *global, const struct prom_job *job);
struct prom_limits prom_job_limits(const struct prom_global *global, const struct prom_job *job);
