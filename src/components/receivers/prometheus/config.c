#include "config.h"

#include <stdio.h>
#include <string.h>

#include "config_checks.h"
#include "http/client.h"
#include "kube_access.h"
#include "oauth.h"
#include "util/regex/regex.h"
#include "util/time/clock.h"

#define LEGACY "legacy"
#define ALLOW_UTF8 "allow-utf-8"
#define UNDERSCORES "underscores"
#define TIMEOUT_DEFAULT_NS (10 * HF_NS_PER_S)
#define BODY_BYTES_DEFAULT (UINT64_C(256) << 20)

/* ---- values ---- */

const char *prom_expect_duration(const char *key, const char *text)
{
    uint64_t ns;
    (void)key;
    return prom_duration(text, &ns) && ns != 0 ? NULL : "a time above 0 such as 15s, 1m or 1h30m";
}

const char *prom_expect_tls_version(const char *key, const char *text)
{
    static const char *const known[] = {"TLS10", "TLS11", "TLS12", "TLS13"};
    (void)key;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (strcmp(text, known[i]) == 0) {
            return NULL;
        }
    }
    return "TLS10, TLS11, TLS12 or TLS13";
}

const char *prom_expect_protocol(const char *key, const char *text)
{
    static const char *const known[] = {"PrometheusProto", "OpenMetricsText0.0.1",
                                        "OpenMetricsText1.0.0", "PrometheusText0.0.4",
                                        "PrometheusText1.0.0"};
    (void)key;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (strcmp(text, known[i]) == 0) {
            return NULL;
        }
    }
    return "PrometheusProto, OpenMetricsText0.0.1, OpenMetricsText1.0.0, PrometheusText0.0.4 or "
           "PrometheusText1.0.0";
}

const char *prom_expect_validation(const char *key, const char *text)
{
    (void)key;
    return strcmp(text, LEGACY) == 0 || strcmp(text, "utf8") == 0 ? NULL : "legacy or utf8";
}

const char *prom_expect_escaping(const char *key, const char *text)
{
    static const char *const known[] = {ALLOW_UTF8, UNDERSCORES, "dots", "values"};
    (void)key;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (strcmp(text, known[i]) == 0) {
            return NULL;
        }
    }
    return "allow-utf-8, underscores, dots or values";
}

const char *prom_expect_url(const char *key, const char *text)
{
    (void)key;
    return hf_http_is_url(text) ? NULL : "a URL of http or https";
}

/* ---- effective settings ---- */

static uint64_t duration_or(const char *text, uint64_t instead_ns)
{
    uint64_t ns;
    return text != NULL && prom_duration(text, &ns) ? ns : instead_ns;
}

uint64_t prom_job_interval_ns(const struct prom_global *global, const struct prom_job *job)
{
    return duration_or(job->interval, duration_or(global->interval, 60 * HF_NS_PER_S));
}

uint64_t prom_job_timeout_ns(const struct prom_global *global, const struct prom_job *job)
{
    uint64_t interval_ns = prom_job_interval_ns(global, job);
    uint64_t global_ns = duration_or(global->timeout, TIMEOUT_DEFAULT_NS);
    return duration_or(job->timeout, global_ns < interval_ns ? global_ns : interval_ns);
}

static int64_t number_or(int64_t own, int64_t instead)
{
    return own != 0 ? own : instead;
}

struct prom_limits prom_job_limits(const struct prom_global *global, const struct prom_job *job)
{
    const struct prom_limits *own = &job->limits;
    const struct prom_limits *all = &global->limits;
    uint64_t body_size = own->body_size != 0 ? own->body_size : all->body_size;
    return (struct prom_limits){
        .body_size = body_size != 0 ? body_size : BODY_BYTES_DEFAULT,
        .samples = number_or(own->samples, all->samples),
        .targets = number_or(own->targets, all->targets),
        .labels = number_or(own->labels, all->labels),
        .label_name = number_or(own->label_name, all->label_name),
        .label_value = number_or(own->label_value, all->label_value),
    };
}

static bool is_legacy(const char *validation)
{
    return validation != NULL && strcmp(validation, LEGACY) == 0;
}

const char *prom_job_escaping(const struct prom_global *global, const struct prom_job *job)
{
    const struct prom_names *names =
        job->names.validation != NULL || job->names.escaping != NULL ? &job->names : &global->names;
    if (names->escaping != NULL) {
        return names->escaping;
    }
    return is_legacy(names->validation) ? UNDERSCORES : ALLOW_UTF8;
}

static bool is_escaping_wrong(const struct prom_global *global, const struct prom_job *job)
{
    const char *own = job->names.validation;
    return is_legacy(own != NULL ? own : global->names.validation) &&
           strcmp(prom_job_escaping(global, job), ALLOW_UTF8) == 0;
}

/* ---- checks ---- */

/* Jobs are checked by the loader, and by the threads of receivers that get them later. */
static _Thread_local char sentence[512];

static const char *say(const struct prom_job *job, const char *where, size_t number,
                       const char *why)
{
    if (where != NULL) {
        snprintf(sentence, sizeof(sentence), "config: job \"%s\": rule %zu of %s: %s",
                 job->job_name, number + 1, where, why);
    } else {
        snprintf(sentence, sizeof(sentence), "config: job \"%s\": %s", job->job_name, why);
    }
    return sentence;
}

static const char *check_rules(const struct prom_job *job, const char *where,
                               const struct hf_struct_list *rules)
{
    const struct hf_relabel_config *items = rules->items;
    for (size_t i = 0; i < rules->count; i++) {
        char why[HF_RELABEL_ERROR_MAX];
        const struct hf_struct_list one = {.items = &items[i], .count = 1};
        struct hf_relabel *made = NULL;
        enum hf_status status = hf_relabel_new(&one, &made, why);
        hf_relabel_free(made);
        if (status != HF_OK) {
            return say(job, where, i, why);
        }
    }
    return NULL;
}

static const char *check_http(const struct prom_http *http)
{
    const struct prom_basic_auth *basic = http->basic_auth;
    const struct prom_authorization *authorization = http->authorization;
    int ways = (basic != NULL) + (authorization != NULL) + (http->oauth2 != NULL) +
               (http->bearer_token != NULL) + (http->bearer_token_file != NULL);
    if (ways > 1) {
        return "only one of basic_auth, authorization, oauth2, bearer_token and bearer_token_file "
               "can be used";
    }
    if (http->oauth2 != NULL && prom_oauth2_check(http->oauth2) != NULL) {
        return prom_oauth2_check(http->oauth2);
    }
    if (basic != NULL && basic->password != NULL && basic->password_file != NULL) {
        return "basic_auth has both password and password_file; remove one";
    }
    if (basic != NULL && basic->username != NULL && basic->username_file != NULL) {
        return "basic_auth has both username and username_file; remove one";
    }
    if (authorization != NULL && authorization->credentials != NULL &&
        authorization->credentials_file != NULL) {
        return "authorization has both credentials and credentials_file; remove one";
    }
    if (http->proxy_from_environment && http->proxy_url != NULL) {
        return "proxy_url and proxy_from_environment are both set; remove one";
    }
    if (http->no_proxy != NULL && http->proxy_url == NULL) {
        return "no_proxy has a meaning beside proxy_url only";
    }
    if ((http->tls.cert != NULL || http->tls.cert_file != NULL) !=
        (http->tls.key != NULL || http->tls.key_file != NULL)) {
        return "tls_config has a client certificate without its key, or a key without it";
    }
    return NULL;
}

static bool are_params(const struct hf_value *params)
{
    bool good = params->type == HF_VALUE_NONE || params->type == HF_VALUE_MAP;
    for (size_t i = 0; i < params->count && good; i++) {
        const struct hf_value *list = &params->items[i];
        good = list->type == HF_VALUE_LIST;
        for (size_t k = 0; k < list->count && good; k++) {
            good = list->items[k].type != HF_VALUE_LIST && list->items[k].type != HF_VALUE_MAP &&
                   list->items[k].type != HF_VALUE_NONE;
        }
    }
    return good;
}

static const char *check_static(const struct prom_job *job)
{
    const struct prom_static *statics = job->statics.items;
    for (size_t i = 0; i < job->statics.count; i++) {
        for (size_t k = 0; k < statics[i].targets.count; k++) {
            const char *target = statics[i].targets.items[k];
            if (strchr(target, '/') != NULL) {
                return "static_configs: a target is host:port, without a scheme and a path; use "
                       "scheme and metrics_path";
            }
        }
    }
    return NULL;
}

static const char *check_not_built(const struct prom_job *job)
{
#define PROM_NOT_BUILT_TEXT(name) #name,
    static const char *const names[] = {PROM_NOT_BUILT(PROM_NOT_BUILT_TEXT)};
    static _Thread_local char why[256];
    for (size_t i = 0; i < PROM_NOT_BUILT_COUNT; i++) {
        if (job->not_built[i].type != HF_VALUE_NONE) {
            snprintf(why, sizeof(why),
                     "%s_sd_configs: this discovery is not built; let a program write the targets "
                     "to a file that file_sd_configs names, or serve them for http_sd_configs",
                     names[i]);
            return why;
        }
    }
    return NULL;
}

static const char *check_discovery(const struct prom_job *job)
{
    const struct prom_dns_sd *dns = job->dns.items;
    const struct prom_file_sd *files = job->files.items;
    const struct prom_http_sd *https = job->https.items;
    const struct prom_kube_sd *kubernetes = job->kubernetes.items;
    for (size_t i = 0; i < job->dns.count; i++) {
        if (dns[i].type != PROM_DNS_SRV && dns[i].port == 0) {
            return "dns_sd_configs: port is missing; only SRV records have one";
        }
    }
    for (size_t i = 0; i < job->files.count; i++) {
        for (size_t k = 0; k < files[i].files.count; k++) {
            const char *dot = strrchr(files[i].files.items[k], '.');
            if (dot == NULL || (strcmp(dot, ".json") != 0 && strcmp(dot, ".yml") != 0 &&
                                strcmp(dot, ".yaml") != 0)) {
                return "file_sd_configs: a file's name must end in .json, .yml or .yaml";
            }
        }
    }
    const char *why = check_not_built(job);
    for (size_t i = 0; i < job->https.count && why == NULL; i++) {
        why = check_http(&https[i].http);
    }
    for (size_t i = 0; i < job->kubernetes.count && why == NULL; i++) {
        why = check_http(&kubernetes[i].http);
        why = why != NULL ? why : prom_kube_check(&kubernetes[i]);
    }
    return why;
}

const char *prom_check_job(const struct prom_global *global, const struct prom_job *job)
{
    const char *why = check_http(&job->http);
    why = why != NULL ? why : check_static(job);
    why = why != NULL ? why : check_discovery(job);
    if (why == NULL && !are_params(&job->params)) {
        why = "params: expected a map of lists of texts";
    }
    if (why == NULL && is_escaping_wrong(global, job)) {
        why = "metric_name_escaping_scheme allow-utf-8 needs metric_name_validation_scheme utf8";
    }
    if (why == NULL && job->job_name[0] == '\0') {
        why = "job_name is empty";
    }
    if (why == NULL && prom_job_timeout_ns(global, job) > prom_job_interval_ns(global, job)) {
        why = "scrape_timeout is longer than scrape_interval";
    }
    if (why != NULL) {
        return say(job, NULL, 0, why);
    }
    why = check_rules(job, "relabel_configs", &job->relabel);
    return why != NULL ? why : check_rules(job, "metric_relabel_configs", &job->metric_relabel);
}

static const char *check_start_regex(const char *pattern)
{
    char why[HF_REGEX_ERROR_MAX];
    struct hf_regex *regex = NULL;
    if (pattern == NULL) {
        return NULL;
    }
    enum hf_status status = hf_regex_new(pattern, &regex, why);
    hf_regex_free(regex);
    if (status == HF_OK) {
        return NULL;
    }
    snprintf(sentence, sizeof(sentence), "start_time_metric_regex: %s", why);
    return sentence;
}

const char *prom_check(const void *config)
{
    const struct prom_config *configured = config;
    const struct prom_file_config *file = &configured->prometheus;
    const struct prom_job *jobs = file->jobs.items;
    const struct prom_allocator_config *allocator = configured->allocator;
    if (file->jobs.count == 0 && file->job_files.count == 0 && allocator == NULL) {
        return "config: scrape_configs has no job; write at least one, scrape_config_files, or a "
               "target_allocator";
    }
    if (allocator != NULL && allocator->collector_id[0] == '\0') {
        return "target_allocator: collector_id is empty; it tells this collector from the others";
    }
    if (allocator != NULL && allocator->auth.type != HF_VALUE_NONE) {
        return "target_allocator: auth is not supported; http_sd_config::basic_auth, authorization "
               "or oauth2 is used for it too";
    }
    for (size_t i = 0; i < file->jobs.count; i++) {
        const char *why = prom_check_job(&file->global, &jobs[i]);
        if (why != NULL) {
            return why;
        }
        for (size_t k = 0; k < i; k++) {
            if (strcmp(jobs[i].job_name, jobs[k].job_name) == 0) {
                return say(&jobs[i], NULL, 0, "there are two jobs of that name; rename one");
            }
        }
    }
    return check_start_regex(configured->start_time_metric_regex);
}
