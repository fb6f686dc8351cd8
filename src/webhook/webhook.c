#include "webhook.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <holdfast/component.h>

#include "choice.h"
#include "http/server.h"
#include "inject.h"
#include "kubernetes/request.h"
#include "pipeline/listeners.h"
#include "review.h"
#include "sources.h"
#include "trust.h"
#include "util/log/log.h"
#include "util/time/clock.h"
#include "util/tls/tls.h"

#define THREADS 8u /* reviews at a time: each may wait for the API */
#define BODY_BYTES_MAX                                                                             \
    (8u << 20) /* an object of Kubernetes has 1.5 MiB at most, twice in a review */
#define ARENA_BYTES_MAX (64u << 20)
#define LOOK_S 30     /* at the certificate */
#define LOOK_SOON_S 1 /* after a failure */
#define NATIVE_MINOR 29
#define STOP_GRACE_NS UINT64_C(1000000000)

struct webhook {
    const struct hf_webhook_options *options;
    struct hf_log *log;
    struct hf_kube_client *client;
    struct hf_listeners *listeners;
    struct hf_http_server *server;
    struct hf_sources sources;
    struct hf_tls_config tls;
    struct hf_trust trust;
    bool is_native;
    bool makes_certificate, is_stopping;
    char directory[PATH_MAX - 64], cert_path[PATH_MAX], key_path[PATH_MAX];
};

/* ---- one review ---- */

/* System namespaces, and our own: a webhook that is down must not keep its own pods from starting.
 */
static bool is_left_alone(const struct webhook *webhook, struct hf_slice namespace)
{
    return namespace.size == 0 || hf_slice_is(namespace, "kube-system") ||
           hf_slice_is(namespace, "kube-node-lease") ||
           hf_slice_is(namespace, webhook->options->settings.own_namespace);
}

/* Finds the configuration. False: no sidecar, for what `warning` says; "": it is not wanted. */
static bool find_config(struct webhook *webhook, const struct hf_review *review,
                        struct hf_arena *arena, struct hf_inject_config *ret, char *warning)
{
    const struct hf_json *namespace = NULL;
    struct hf_choice choice;
    struct hf_slice wish = hf_inject_wish(review->pod);
    struct hf_slice written = hf_annotation(review->pod, HF_CONFIG_ANNOTATION);
    char why[HF_WARNING_MAX] = "";
    bool is_read =
        hf_sources_namespace(&webhook->sources, review->namespace, arena, &namespace, why);
    if (!is_read && wish.size == 0) {
        snprintf(warning, HF_WARNING_MAX,
                 "no sidecar: the namespace's annotations cannot be read: %.150s", why);
        return false;
    }
    if (!hf_choose(wish, hf_inject_wish(namespace), &choice)) {
        snprintf(warning, HF_WARNING_MAX,
                 "no sidecar: the annotation's value is not true, false, NAME or NAMESPACE/NAME");
        return false;
    }
    if (!choice.wants) {
        return false;
    }
    if (written.size != 0) {
        *ret = (struct hf_inject_config){
            .text = written, .about = hf_slice_text("annotation " HF_CONFIG_ANNOTATION)};
        return true;
    }
    return hf_sources_config(&webhook->sources, review->namespace, &choice, arena, ret, warning);
}

/* The patch of a pod; empty when it gets no sidecar. */
static enum hf_status mutate(struct webhook *webhook, const struct hf_review *review,
                             struct hf_arena *arena, struct hf_bytes *patch, char *warning)
{
    struct hf_inject_config config = {.about = HF_EMPTY_SLICE};
    if (review->pod == NULL || is_left_alone(webhook, review->namespace) ||
        hf_inject_is_there(review->pod) || !find_config(webhook, review, arena, &config, warning)) {
        return HF_OK;
    }
    const char *hindrance = hf_inject_hindrance(review->pod, webhook->is_native);
    if (hindrance != NULL) {
        snprintf(warning, HF_WARNING_MAX, "%s", hindrance);
        return HF_OK;
    }
    const struct hf_inject_options options = {.settings = &webhook->options->settings,
                                              .config = &config,
                                              .pod = review->pod,
                                              .namespace = review->namespace,
                                              .is_native = webhook->is_native};
    enum hf_status status = hf_inject(&options, patch);
    if (status == HF_OK) {
        hf_log_line(webhook->log, HF_LOG_INFO, "webhook", "a pod of %.*s gets a sidecar, by %.*s",
                    (int)review->namespace.size, (const char *)review->namespace.data,
                    (int)config.about.size, (const char *)config.about.data);
    }
    return status;
}

static void answer_text(struct hf_http_request *request, int status, const char *text)
{
    hf_http_answer(request, &(const struct hf_http_answer){.status = status,
                                                           .content_type = "text/plain",
                                                           .body = hf_slice_text(text)});
}

static void serve_review(struct webhook *webhook, struct hf_http_request *request)
{
    struct hf_arena arena = {.limit = ARENA_BYTES_MAX};
    struct hf_review review;
    struct hf_bytes patch = {0}, out = {0};
    char error[HF_JSON_ERROR_MAX] = "", warning[HF_WARNING_MAX] = "";
    enum hf_status status =
        hf_review_read(hf_http_request_body(request)->raw, &arena, &review, error);
    if (status != HF_OK) {
        hf_log_line(webhook->log, HF_LOG_WARN, "webhook", "a request is no review: %s", error);
        answer_text(request, status == HF_NOMEM ? 500 : 400, error);
    } else {
        status = mutate(webhook, &review, &arena, &patch, warning);
        if (status == HF_OK) {
            status = hf_review_answer(&review, hf_slice_of(patch.data, patch.size), warning, &out);
        }
        if (warning[0] != '\0') {
            hf_log_line(webhook->log, HF_LOG_WARN, "webhook", "a pod of %.*s: %s",
                        (int)review.namespace.size, (const char *)review.namespace.data, warning);
        }
        const struct hf_http_answer answer = {.status = 200,
                                              .content_type = "application/json",
                                              .body = hf_slice_of(out.data, out.size)};
        if (status == HF_OK) {
            hf_http_answer(request, &answer);
        } else {
            answer_text(request, 500, "out of memory");
        }
    }
    hf_bytes_release(&patch);
    hf_bytes_release(&out);
    hf_arena_release(&arena);
}

static void on_request(void *user, struct hf_http_request *request, enum hf_status fault)
{
    struct webhook *webhook = user;
    const char *path = hf_http_path(request);
    if (strcmp(path, "/healthz") == 0 || strcmp(path, "/readyz") == 0) {
        answer_text(request, 200, "ok");
    } else if (strcmp(path, "/mutate") != 0) {
        answer_text(request, 404, "POST /mutate is served here");
    } else if (strcmp(hf_http_method(request), "POST") != 0) {
        hf_http_answer(request, &(const struct hf_http_answer){.status = 405, .allow = "POST"});
    } else if (fault != HF_OK) {
        answer_text(request, hf_status_row(fault)->http_code, hf_status_row(fault)->says);
    } else {
        serve_review(webhook, request);
    }
}

static void on_error(void *user, const char *peer, const char *what)
{
    const struct webhook *webhook = user;
    hf_log_line(
        webhook->log, peer == NULL ? HF_LOG_WARN : HF_LOG_DEBUG, "webhook", "%s: %s",
        peer != NULL ? peer : "reloading TLS files failed; keeping the previous certificate", what);
}

/* ---- life ---- */

static enum hf_status find_native(struct webhook *webhook, char *reterr)
{
    struct hf_bytes body = {0};
    struct hf_arena arena = {.limit = 1 << 20};
    const struct hf_json *version = NULL;
    char why[HF_JSON_ERROR_MAX];
    int code = 0;
    webhook->is_native = webhook->options->settings.native == HF_NATIVE_ALWAYS;
    if (webhook->options->settings.native != HF_NATIVE_AUTO) {
        return HF_OK;
    }
    const struct hf_kube_question question = {
        .path = "/version", .deadline_ns = hf_clock_monotonic_ns() + 10 * HF_NS_PER_S};
    enum hf_status status = hf_kube_ask(webhook->client, &question, &body, &code, reterr);
    if (status == HF_OK) {
        status = hf_json_read(hf_slice_of(body.data, body.size), &arena, &version, why);
    }
    if (status == HF_OK) {
        struct hf_slice major = hf_json_text_of(version, "major");
        struct hf_slice minor = hf_json_text_of(version, "minor"); /* "29", or "29+" */
        bool is_one = hf_slice_is(major, "1");
        long number = minor.size != 0 ? strtol((const char *)minor.data, NULL, 10) : 0;
        webhook->is_native = major.size != 0 && (!is_one || number >= NATIVE_MINOR);
    }
    hf_arena_release(&arena);
    hf_bytes_release(&body);
    return status;
}

/* Files of our own, which only we can read. */
static enum hf_status prepare_files(struct webhook *webhook, char *reterr)
{
    const char *below = webhook->options->cert_directory;
    const char *temporary = getenv("TMPDIR");
    below = below != NULL ? below : temporary != NULL ? temporary : "/tmp";
    snprintf(webhook->directory, sizeof(webhook->directory), "%.3000s/holdfast-webhook-XXXXXX",
             below);
    if (mkdtemp(webhook->directory) == NULL) {
        snprintf(reterr, HF_ERROR_MAX, "no folder for the certificate can be made in %.200s: %s",
                 below, strerror(errno));
        webhook->directory[0] = '\0';
        return HF_IO;
    }
    snprintf(webhook->cert_path, sizeof(webhook->cert_path), "%s/tls.crt", webhook->directory);
    snprintf(webhook->key_path, sizeof(webhook->key_path), "%s/tls.key", webhook->directory);
    webhook->trust.options = (struct hf_trust_options){
        .client = webhook->client,
        .namespace = webhook->options->settings.own_namespace,
        .service = webhook->options->service,
        .secret = webhook->options->secret,
        .configuration = webhook->options->configuration,
        .cert_file = webhook->cert_path,
        .key_file = webhook->key_path,
        .lifetime_s = webhook->options->lifetime_s,
    };
    return HF_OK;
}

/* One look at the certificate; what it did or why it failed is logged. */
static enum hf_status look_at_certificate(struct webhook *webhook)
{
    char did[HF_ERROR_MAX] = "", error[HF_ERROR_MAX] = "";
    enum hf_status status = hf_trust_look(&webhook->trust, did, error);
    if (did[0] != '\0') {
        hf_log_line(webhook->log, HF_LOG_INFO, "webhook", "%s", did);
    }
    if (status != HF_OK && status != HF_AGAIN) {
        hf_log_line(webhook->log, HF_LOG_WARN, "webhook", "the certificate: %s", error);
    } else if (status == HF_AGAIN) {
        hf_log_line(webhook->log, HF_LOG_INFO, "webhook", "the certificate, once more: %s", error);
    }
    return status;
}

/* Waits; true: a signal ends it. */
static bool wait_s(struct webhook *webhook, time_t seconds)
{
    sigset_t signals;
    const struct timespec time = {seconds, 0};
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    int number = sigtimedwait(&signals, NULL, &time);
    webhook->is_stopping = webhook->is_stopping || number > 0;
    return webhook->is_stopping;
}

/* Until there is a certificate nothing can be served. False: a signal came first. */
static bool wait_for_certificate(struct webhook *webhook)
{
    while (webhook->makes_certificate && webhook->trust.written == NULL) {
        if (look_at_certificate(webhook) != HF_OK && webhook->trust.written == NULL &&
            wait_s(webhook, LOOK_SOON_S)) {
            return false;
        }
    }
    return true;
}

static enum hf_status start_server(struct webhook *webhook, char *reterr)
{
    int fd = -1;
    webhook->tls = (struct hf_tls_config){
        .cert_file = webhook->makes_certificate ? webhook->cert_path : webhook->options->cert_file,
        .key_file = webhook->makes_certificate ? webhook->key_path : webhook->options->key_file,
        .reload_interval_ns = HF_NS_PER_S,
    };
    const char *wrong = hf_tls_server_check(&webhook->tls);
    if (wrong != NULL) {
        snprintf(reterr, HF_ERROR_MAX, "%s", wrong);
        return HF_INVALID;
    }
    enum hf_status status =
        hf_listeners_get(webhook->listeners, webhook->options->listen, &fd, reterr);
    if (status != HF_OK) {
        return status;
    }
    const struct hf_http_server_options options = {
        .listen_fd = fd,
        .threads = THREADS,
        .tls = &webhook->tls,
        .body_bytes_max = BODY_BYTES_MAX,
        .connections_max = 1000,
        .idle_timeout_s = 120,
        .on_request = on_request,
        .on_error = on_error,
        .user = webhook,
    };
    return hf_http_server_new(&options, &webhook->server, reterr);
}

static void serve(struct webhook *webhook)
{
    enum hf_status status = HF_OK;
    hf_log_line(webhook->log, HF_LOG_INFO, "webhook", "serving /mutate on %s, %s sidecars",
                webhook->options->listen, webhook->is_native ? "native" : "ordinary");
    uint64_t third_s = webhook->options->lifetime_s / 12 + 1;
    time_t period_s = third_s < LOOK_S ? (time_t)third_s : LOOK_S;
    while (!wait_s(webhook, status == HF_OK ? period_s : LOOK_SOON_S)) {
        status = webhook->makes_certificate ? look_at_certificate(webhook) : HF_OK;
    }
}

static enum hf_status open_all(struct webhook *webhook, char *reterr)
{
    const struct hf_log_options log = {.level = HF_LOG_INFO};
    enum hf_status status = hf_log_new(&log, &webhook->log, reterr);
    if (status == HF_OK) {
        status = hf_listeners_new(&webhook->listeners);
    }
    if (status == HF_OK) {
        hf_listeners_begin_round(webhook->listeners);
        status = hf_kube_client_open(&webhook->options->kube, &webhook->client, reterr);
    }
    if (status == HF_OK) {
        webhook->sources =
            (struct hf_sources){.client = webhook->client, .settings = &webhook->options->settings};
        status = find_native(webhook, reterr);
    }
    if (status == HF_OK && webhook->makes_certificate) {
        status = prepare_files(webhook, reterr);
    }
    return status;
}

static void close_all(struct webhook *webhook)
{
    if (webhook->server != NULL) {
        hf_http_server_stop(webhook->server, STOP_GRACE_NS);
        hf_http_server_free(webhook->server);
    }
    if (webhook->directory[0] != '\0') {
        unlink(webhook->cert_path);
        unlink(webhook->key_path);
        rmdir(webhook->directory);
    }
    hf_trust_release(&webhook->trust);
    hf_listeners_free(webhook->listeners);
    hf_kube_client_close(webhook->client);
    hf_log_free(webhook->log);
}

bool hf_webhook_run(const struct hf_webhook_options *options)
{
    struct webhook *webhook = calloc(1, sizeof(*webhook));
    char error[HF_ERROR_MAX] = "out of memory";
    sigset_t signals;
    if (webhook == NULL) {
        fputs("error: out of memory\n", stderr);
        return false;
    }
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    signal(SIGPIPE, SIG_IGN);
    webhook->options = options;
    webhook->makes_certificate = options->cert_file == NULL;
    enum hf_status status = open_all(webhook, error);
    if (status == HF_OK && wait_for_certificate(webhook)) {
        status = start_server(webhook, error);
        if (status == HF_OK) {
            serve(webhook);
        }
    }
    if (status != HF_OK) {
        fprintf(stderr, "error: %s\n", error);
    }
    close_all(webhook);
    free(webhook);
    return status == HF_OK;
}
