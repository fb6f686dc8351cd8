/*
 * sigv4auth: requests signed for AWS, with credentials of its chain.
 *
 * A thread finds the credentials and renews them before they end; senders only sign. Until there
 * are any, records wait. A backend that refuses them (401) has them found again, at most twice a
 * minute.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <holdfast/component.h>

#include "aws/credentials.h"
#include "util/clock.h"
#include "util/digest.h"
#include "util/thread.h"

#define START_WAIT_NS (3 * HF_NS_PER_S) /* for the first credentials, in start */
#define FAILED_WAIT_NS HF_NS_PER_S      /* after a failure; doubles */
#define FAILED_WAIT_MAX_NS (30 * HF_NS_PER_S)
#define REFUSED_WAIT_NS (30 * HF_NS_PER_S)
#define RENEW_NS (3600 * HF_NS_PER_S) /* of those without an end: a file may change */
#define BEFORE_END_S 300u

struct sigv4_config {
    const char *region, *service;
    struct hf_aws_role role;
};

struct sigv4 {
    struct hf_node *node;
    const struct sigv4_config *config;
    struct hf_http_fetcher *fetcher;
    pthread_t thread;
    bool is_running;
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t changed;
    bool is_stopping, is_wanted, was_tried, has_credentials;
    struct hf_aws_credentials credentials;
    uint64_t refused_ns;
};

/* ---- the thread ---- */

/* How long these credentials are used: until five minutes before their end, or half of a life that
 * is no longer than ten. */
static uint64_t use_ns(const struct hf_aws_credentials *credentials)
{
    uint64_t now_s = hf_clock_unix_ns() / HF_NS_PER_S;
    if (credentials->expires_s == 0) {
        return RENEW_NS;
    }
    uint64_t life_s = credentials->expires_s > now_s ? credentials->expires_s - now_s : 0;
    uint64_t use_s = life_s > 2 * BEFORE_END_S ? life_s - BEFORE_END_S : life_s / 2;
    uint64_t use = (use_s != 0 ? use_s : 1) * HF_NS_PER_S;
    return use < RENEW_NS ? use : RENEW_NS;
}

static void wait_until(struct sigv4 *sigv4, uint64_t due_ns)
{
    const struct timespec due = {.tv_sec = (time_t)(due_ns / HF_NS_PER_S),
                                 .tv_nsec = (long)(due_ns % HF_NS_PER_S)};
    while (!sigv4->is_stopping && !sigv4->is_wanted && hf_clock_monotonic_ns() < due_ns) {
        pthread_cond_timedwait(&sigv4->changed, &sigv4->lock, &due);
    }
    sigv4->is_wanted = false;
}

static void *run(void *user)
{
    struct sigv4 *sigv4 = user;
    struct hf_aws_credentials found;
    uint64_t failed_wait_ns = FAILED_WAIT_NS;
    pthread_mutex_lock(&sigv4->lock);
    while (!sigv4->is_stopping) {
        char error[HF_ERROR_MAX];
        pthread_mutex_unlock(&sigv4->lock);
        enum hf_status status =
            hf_aws_credentials_find(sigv4->fetcher, &sigv4->config->role, &found, error);
        if (status != HF_OK && status != HF_CLOSED) {
            hf_node_log(sigv4->node, HF_LOG_WARN, "no credentials of AWS: %s", error);
        }
        pthread_mutex_lock(&sigv4->lock);
        uint64_t wait_ns = failed_wait_ns;
        failed_wait_ns =
            2 * failed_wait_ns < FAILED_WAIT_MAX_NS ? 2 * failed_wait_ns : FAILED_WAIT_MAX_NS;
        if (status == HF_OK) {
            sigv4->credentials = found;
            sigv4->has_credentials = true;
            wait_ns = use_ns(&found);
            failed_wait_ns = FAILED_WAIT_NS;
        }
        sigv4->was_tried = true;
        pthread_cond_broadcast(&sigv4->changed);
        wait_until(sigv4, hf_clock_monotonic_ns() + wait_ns);
    }
    pthread_mutex_unlock(&sigv4->lock);
    explicit_bzero(&found, sizeof(found));
    return NULL;
}

/* ---- signing ---- */

static bool copy_credentials(struct sigv4 *sigv4, struct hf_aws_credentials *ret)
{
    pthread_mutex_lock(&sigv4->lock);
    const struct hf_aws_credentials *kept = &sigv4->credentials;
    bool is_valid = sigv4->has_credentials &&
                    (kept->expires_s == 0 || kept->expires_s > hf_clock_unix_ns() / HF_NS_PER_S);
    if (is_valid) {
        *ret = *kept;
    }
    pthread_mutex_unlock(&sigv4->lock);
    return is_valid;
}

static enum hf_status add_signature(const struct sigv4 *sigv4,
                                    const struct hf_aws_credentials *credentials,
                                    const struct hf_auth_outgoing *outgoing,
                                    struct hf_header_sink *sink)
{
    char hash[HF_SHA256_HEX_SIZE + 1] = "";
    struct hf_sigv4 made;
    enum hf_status status = hf_digest_sha256_pieces(outgoing->body, outgoing->body_count, hash);
    const struct hf_sigv4_request request = {.method = outgoing->method,
                                             .url = outgoing->url,
                                             .region = sigv4->config->region,
                                             .service = sigv4->config->service,
                                             .headers = outgoing->headers,
                                             .header_count = outgoing->header_count,
                                             .payload_sha256 = hash,
                                             .time_s = hf_clock_unix_ns() / HF_NS_PER_S};
    status = status == HF_OK ? hf_sigv4_sign(credentials, &request, &made) : status;
    if (status == HF_OK) {
        status = sink->add(sink, hf_slice_text("authorization"), hf_slice_text(made.authorization));
    }
    if (status == HF_OK) {
        status = sink->add(sink, hf_slice_text("x-amz-date"), hf_slice_text(made.date));
    }
    if (status == HF_OK && credentials->session_token[0] != '\0') {
        status = sink->add(sink, hf_slice_text("x-amz-security-token"),
                           hf_slice_text(credentials->session_token));
    }
    return status == HF_OK ? HF_OK : HF_UNAUTHENTICATED; /* no fault of the data */
}

static enum hf_status sign(void *self, const struct hf_auth_outgoing *outgoing,
                           struct hf_header_sink *sink)
{
    struct sigv4 *sigv4 = self;
    struct hf_aws_credentials credentials;
    if (!copy_credentials(sigv4, &credentials)) {
        return HF_UNAUTHENTICATED;
    }
    enum hf_status status = add_signature(sigv4, &credentials, outgoing, sink);
    explicit_bzero(&credentials, sizeof(credentials));
    return status;
}

/* Everything depends on the whole request. */
static enum hf_status add_headers(void *self, struct hf_slice meta, struct hf_header_sink *sink)
{
    (void)self;
    (void)meta;
    (void)sink;
    return HF_OK;
}

static void on_refused(void *self)
{
    struct sigv4 *sigv4 = self;
    uint64_t now_ns = hf_clock_monotonic_ns();
    pthread_mutex_lock(&sigv4->lock);
    if (sigv4->refused_ns == 0 || now_ns - sigv4->refused_ns >= REFUSED_WAIT_NS) {
        sigv4->refused_ns = now_ns;
        sigv4->is_wanted = true;
        pthread_cond_broadcast(&sigv4->changed);
    }
    pthread_mutex_unlock(&sigv4->lock);
}

/* ---- life ---- */

static enum hf_status start_sigv4(void *self, char *reterr)
{
    struct sigv4 *sigv4 = self;
    uint64_t due_ns = hf_clock_monotonic_ns() + START_WAIT_NS;
    const struct timespec due = {.tv_sec = (time_t)(due_ns / HF_NS_PER_S),
                                 .tv_nsec = (long)(due_ns % HF_NS_PER_S)};
    if (hf_thread_start(&sigv4->thread, NULL, run, sigv4) != 0) {
        snprintf(reterr, HF_ERROR_MAX, "no thread for the credentials");
        return HF_NOMEM;
    }
    sigv4->is_running = true;
    pthread_mutex_lock(&sigv4->lock);
    while (!sigv4->was_tried && hf_clock_monotonic_ns() < due_ns) {
        pthread_cond_timedwait(&sigv4->changed, &sigv4->lock, &due);
    }
    pthread_mutex_unlock(&sigv4->lock);
    return HF_OK;
}

/* The last credentials stay, for what exporters still have in flight. */
static void stop_sigv4(void *self)
{
    struct sigv4 *sigv4 = self;
    if (!sigv4->is_running) {
        return;
    }
    pthread_mutex_lock(&sigv4->lock);
    sigv4->is_stopping = true;
    pthread_cond_broadcast(&sigv4->changed);
    pthread_mutex_unlock(&sigv4->lock);
    hf_http_fetcher_stop(sigv4->fetcher);
    pthread_join(sigv4->thread, NULL);
    sigv4->is_running = false;
}

static void close_sigv4(void *self)
{
    struct sigv4 *sigv4 = self;
    stop_sigv4(sigv4);
    hf_http_fetcher_free(sigv4->fetcher);
    pthread_cond_destroy(&sigv4->changed);
    pthread_mutex_destroy(&sigv4->lock);
    explicit_bzero(&sigv4->credentials, sizeof(sigv4->credentials));
    free(sigv4);
}

static enum hf_status open_sigv4(struct hf_node *node, const void *config, void **ret_self,
                                 char *reterr)
{
    struct sigv4 *sigv4 = calloc(1, sizeof(*sigv4));
    pthread_condattr_t attributes;
    if (sigv4 == NULL) {
        snprintf(reterr, HF_ERROR_MAX, "no memory for the extension");
        return HF_NOMEM;
    }
    sigv4->node = node;
    sigv4->config = config;
    pthread_mutex_init(&sigv4->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&sigv4->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    const struct hf_http_client_options options = {.response_bytes_max = (size_t)1 << 20};
    enum hf_status status = hf_http_fetcher_new(&options, &sigv4->fetcher, reterr);
    if (status != HF_OK) {
        close_sigv4(sigv4);
        return status;
    }
    *ret_self = sigv4;
    return HF_OK;
}

static bool given(const char *text)
{
    return text != NULL && text[0] != '\0';
}

static const char *check_config(const void *from)
{
    const struct sigv4_config *config = from;
    if (!given(config->region) || strlen(config->region) > 64) {
        return "region must be set, as us-east-1";
    }
    if (!given(config->service) || strlen(config->service) > 64) {
        return "service must be set: aps for Amazon Managed Prometheus, es for OpenSearch, logs, "
               "xray, monitoring";
    }
    return given(config->role.web_identity_token_file) && !given(config->role.arn)
               ? "assume_role::web_identity_token_file needs assume_role::arn"
               : NULL;
}

static const struct hf_field role_fields[] = {
    {.key = "arn",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct hf_aws_role, arn),
     .help = "The role; absent: the chain's own credentials sign."},
    {.key = "session_name",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct hf_aws_role, session_name),
     .help = "The name of its sessions; absent: holdfast."},
    {.key = "sts_region",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct hf_aws_role, sts_region),
     .help = "The region of the Security Token Service; absent: AWS_REGION, us-east-1."},
    {.key = "external_id",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct hf_aws_role, external_id),
     .help = "What the role's policy asks for."},
    {.key = "web_identity_token_file",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct hf_aws_role, web_identity_token_file),
     .help = "The token of a web identity, which assumes the role without credentials."},
    HF_FIELDS_END,
};

static const struct hf_field fields[] = {
    {.key = "region",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct sigv4_config, region),
     .help = "The region that requests go to."},
    {.key = "service",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct sigv4_config, service),
     .help = "The service that they go to: aps, es, logs, xray, monitoring."},
    {.key = "assume_role",
     .type = HF_FIELD_STRUCT,
     .offset = offsetof(struct sigv4_config, role),
     .inner = role_fields,
     .help = "A role to sign as."},
    HF_FIELDS_END,
};

static const struct hf_auth auth = {.headers = add_headers, .sign = sign, .refused = on_refused};

static const struct hf_extension_ops extension_ops = {
    .auth = &auth,
};

const struct hf_component hf_extension_sigv4auth = {
    .type = "sigv4auth",
    .help = "Signs HTTP requests for AWS (Signature Version 4).",
    .kind = HF_EXTENSION,
    .config_size = sizeof(struct sigv4_config),
    .fields = fields,
    .check = check_config,
    .open = open_sigv4,
    .start = start_sigv4,
    .stop = stop_sigv4,
    .close = close_sigv4,
    .extension = &extension_ops,
};
