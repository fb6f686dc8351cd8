/*
 * oauth2client: a token of an OAuth 2.0 server, by the grant client_credentials, in the header
 * authorization of what is sent.
 *
 * A thread fetches the token and renews it before it ends; senders only read it. Until the first
 * one is there, and after one ended that could not be renewed, records wait. A backend that refuses
 * the token (401) has it renewed once, and not again within half a minute.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <holdfast/component.h>

#include "http/client.h"
#include "support/probe_server.h"
#include "token_request.h"
#include "util/clock.h"
#include "util/thread.h"

#define START_WAIT_NS (3 * HF_NS_PER_S) /* for the first token, in start */
#define FAILED_WAIT_NS HF_NS_PER_S      /* after a failure; doubles */
#define FAILED_WAIT_MAX_NS (30 * HF_NS_PER_S)
#define REFUSED_WAIT_NS (30 * HF_NS_PER_S) /* between renewals that refusals ask for */

struct oauth2 {
    struct hf_node *node;
    const struct oauth2_config *config;
    struct hf_http_fetcher *fetcher;
    pthread_t thread;
    bool is_running;      /* the thread was started */
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t changed;
    bool is_stopping, is_wanted; /* `is_wanted`: renew it now */
    bool has_token, was_tried;
    struct oauth2_token token;
    uint64_t end_ns;     /* of the token; 0: none */
    uint64_t refused_ns; /* when a refusal last had it renewed; 0: never */
};

/* ---- the thread ---- */

static void wait_until(struct oauth2 *oauth2, uint64_t due_ns)
{
    const struct timespec due = {.tv_sec = (time_t)(due_ns / HF_NS_PER_S),
                                 .tv_nsec = (long)(due_ns % HF_NS_PER_S)};
    while (!oauth2->is_stopping && !oauth2->is_wanted && hf_clock_monotonic_ns() < due_ns) {
        pthread_cond_timedwait(&oauth2->changed, &oauth2->lock, &due);
    }
    oauth2->is_wanted = false;
}

/* When a token of that life is to be renewed: `expiry_buffer` before its end, or at the half of a
 * life that is no longer than that. */
static uint64_t renewal_ns(const struct oauth2_config *config, const struct oauth2_token *token,
                           uint64_t now_ns)
{
    if (!token->has_end) {
        return UINT64_MAX;
    }
    uint64_t buffer_ns = config->expiry_buffer_ns;
    uint64_t after_ns =
        token->life_ns > 2 * buffer_ns ? token->life_ns - buffer_ns : token->life_ns / 2;
    return now_ns + (after_ns > HF_NS_PER_S ? after_ns : HF_NS_PER_S);
}

#define FOREVER_NS (UINT64_C(100) * 365 * 24 * 3600 * HF_NS_PER_S)

static uint64_t take_token(struct oauth2 *oauth2, const struct oauth2_token *token)
{
    uint64_t now_ns = hf_clock_monotonic_ns();
    uint64_t due_ns = renewal_ns(oauth2->config, token, now_ns);
    oauth2->token = *token;
    oauth2->has_token = true;
    oauth2->end_ns = token->has_end ? now_ns + token->life_ns : 0;
    return due_ns != UINT64_MAX ? due_ns : now_ns + FOREVER_NS;
}

static void *run(void *user)
{
    struct oauth2 *oauth2 = user;
    struct oauth2_token *token = calloc(1, sizeof(*token));
    enum oauth2_style style = OAUTH2_UNKNOWN;
    uint64_t failed_wait_ns = FAILED_WAIT_NS;
    pthread_mutex_lock(&oauth2->lock);
    while (!oauth2->is_stopping) {
        char error[HF_ERROR_MAX] = "no memory";
        pthread_mutex_unlock(&oauth2->lock);
        enum hf_status status =
            token != NULL
                ? oauth2_request_token(oauth2->fetcher, oauth2->config, &style, token, error)
                : HF_NOMEM;
        if (status != HF_OK && status != HF_CLOSED) {
            hf_node_log(oauth2->node, HF_LOG_WARN, "no token: %s", error);
        }
        pthread_mutex_lock(&oauth2->lock);
        uint64_t due_ns = hf_clock_monotonic_ns() + failed_wait_ns;
        if (status == HF_OK) {
            due_ns = take_token(oauth2, token);
        }
        failed_wait_ns = status == HF_OK                           ? FAILED_WAIT_NS
                         : 2 * failed_wait_ns < FAILED_WAIT_MAX_NS ? 2 * failed_wait_ns
                                                                   : FAILED_WAIT_MAX_NS;
        oauth2->was_tried = true;
        pthread_cond_broadcast(&oauth2->changed);
        wait_until(oauth2, due_ns);
    }
    pthread_mutex_unlock(&oauth2->lock);
    if (token != NULL) {
        explicit_bzero(token, sizeof(*token));
    }
    free(token);
    return NULL;
}

/* ---- what senders ask ---- */

static enum hf_status add_headers(void *self, struct hf_slice meta, struct hf_header_sink *sink)
{
    struct oauth2 *oauth2 = self;
    enum hf_status status = HF_UNAUTHENTICATED;
    (void)meta;
    pthread_mutex_lock(&oauth2->lock);
    bool is_valid =
        oauth2->has_token && (oauth2->end_ns == 0 || hf_clock_monotonic_ns() < oauth2->end_ns);
    if (is_valid) {
        status =
            sink->add(sink, hf_slice_text("authorization"), hf_slice_text(oauth2->token.header));
    }
    pthread_mutex_unlock(&oauth2->lock);
    return status == HF_INVALID ? HF_UNAUTHENTICATED : status;
}

static void on_refused(void *self)
{
    struct oauth2 *oauth2 = self;
    uint64_t now_ns = hf_clock_monotonic_ns();
    pthread_mutex_lock(&oauth2->lock);
    if (oauth2->has_token &&
        (oauth2->refused_ns == 0 || now_ns - oauth2->refused_ns >= REFUSED_WAIT_NS)) {
        oauth2->refused_ns = now_ns;
        oauth2->is_wanted = true;
        pthread_cond_broadcast(&oauth2->changed);
    }
    pthread_mutex_unlock(&oauth2->lock);
}

/* ---- life ---- */

/* The first token is waited for a little, so that what is in the queue need not be tried without.
 */
static void wait_for_first(struct oauth2 *oauth2)
{
    uint64_t due_ns = hf_clock_monotonic_ns() + START_WAIT_NS;
    const struct timespec due = {.tv_sec = (time_t)(due_ns / HF_NS_PER_S),
                                 .tv_nsec = (long)(due_ns % HF_NS_PER_S)};
    pthread_mutex_lock(&oauth2->lock);
    while (!oauth2->was_tried && hf_clock_monotonic_ns() < due_ns) {
        pthread_cond_timedwait(&oauth2->changed, &oauth2->lock, &due);
    }
    pthread_mutex_unlock(&oauth2->lock);
}

static enum hf_status start_oauth2(void *self, char *reterr)
{
    struct oauth2 *oauth2 = self;
    if (hf_thread_start(&oauth2->thread, NULL, run, oauth2) != 0) {
        snprintf(reterr, HF_ERROR_MAX, "no thread for the tokens");
        return HF_NOMEM;
    }
    oauth2->is_running = true;
    wait_for_first(oauth2);
    return HF_OK;
}

/* The last token stays, for what exporters still have in flight. */
static void stop_oauth2(void *self)
{
    struct oauth2 *oauth2 = self;
    if (!oauth2->is_running) {
        return;
    }
    pthread_mutex_lock(&oauth2->lock);
    oauth2->is_stopping = true;
    pthread_cond_broadcast(&oauth2->changed);
    pthread_mutex_unlock(&oauth2->lock);
    hf_http_fetcher_stop(oauth2->fetcher);
    pthread_join(oauth2->thread, NULL);
    oauth2->is_running = false;
}

static void close_oauth2(void *self)
{
    struct oauth2 *oauth2 = self;
    stop_oauth2(oauth2);
    hf_http_fetcher_free(oauth2->fetcher);
    pthread_cond_destroy(&oauth2->changed);
    pthread_mutex_destroy(&oauth2->lock);
    explicit_bzero(&oauth2->token, sizeof(oauth2->token));
    free(oauth2);
}

static enum hf_status open_oauth2(struct hf_node *node, const void *config, void **ret_self,
                                  char *reterr)
{
    struct oauth2 *oauth2 = calloc(1, sizeof(*oauth2));
    pthread_condattr_t attributes;
    if (oauth2 == NULL) {
        snprintf(reterr, HF_ERROR_MAX, "no memory for the extension");
        return HF_NOMEM;
    }
    oauth2->node = node;
    oauth2->config = config;
    pthread_mutex_init(&oauth2->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&oauth2->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    const struct hf_http_client_options options = {.tls = &oauth2->config->tls};
    enum hf_status status = hf_http_fetcher_new(&options, &oauth2->fetcher, reterr);
    if (status != HF_OK) {
        close_oauth2(oauth2);
        return status;
    }
    *ret_self = oauth2;
    return HF_OK;
}

static bool given(const char *text)
{
    return text != NULL && text[0] != '\0';
}

static const char *check_params(const struct hf_value *params)
{
    if (params->type != HF_VALUE_NONE && params->type != HF_VALUE_MAP) {
        return "endpoint_params: expected a map of names to texts or lists of texts";
    }
    for (size_t i = 0; i < params->count; i++) {
        if (params->items[i].type == HF_VALUE_MAP) {
            return "endpoint_params: a value is a text or a list of texts";
        }
    }
    return NULL;
}

static const char *check_config(const void *from)
{
    const struct oauth2_config *config = from;
    if (!given(config->client_id) && !given(config->client_id_file)) {
        return "no client_id provided: set client_id or client_id_file";
    }
    if (!given(config->client_secret) && !given(config->client_secret_file)) {
        return "no client_secret provided: set client_secret or client_secret_file";
    }
    if (!given(config->token_url) || !hf_http_is_url(config->token_url)) {
        return "token_url: expected the URL of the token endpoint, as https://host/oauth2/token";
    }
    const char *wrong = check_params(&config->endpoint_params);
    return wrong != NULL ? wrong : hf_tls_client_check(&config->tls);
}

#define AT(member) offsetof(struct oauth2_config, member)

static const struct hf_field fields[] = {
    {.key = "client_id",
     .type = HF_FIELD_STRING,
     .offset = AT(client_id),
     .help = "The client's id."},
    {.key = "client_id_file",
     .type = HF_FIELD_STRING,
     .offset = AT(client_id_file),
     .help = "A file with it, read for each token; wins over client_id."},
    {.key = "client_secret",
     .type = HF_FIELD_SECRET,
     .offset = AT(client_secret),
     .help = "The client's secret."},
    {.key = "client_secret_file",
     .type = HF_FIELD_STRING,
     .offset = AT(client_secret_file),
     .help = "A file with it, read for each token; wins over client_secret."},
    {.key = "token_url",
     .type = HF_FIELD_STRING,
     .offset = AT(token_url),
     .help = "URL of the token endpoint."},
    {.key = "grant_type",
     .type = HF_FIELD_ENUM,
     .offset = AT(grant_type),
     .default_text = "client_credentials",
     .choices = (const char *const[]){"client_credentials", NULL},
     .help = "client_credentials."},
    {.key = "scopes",
     .type = HF_FIELD_STRING_LIST,
     .offset = AT(scopes),
     .help = "Permissions to ask for."},
    {.key = "endpoint_params",
     .type = HF_FIELD_VALUE,
     .offset = AT(endpoint_params),
     .help = "Further parameters of the request: name to text or list of texts."},
    {.key = "tls",
     .type = HF_FIELD_STRUCT,
     .offset = AT(tls),
     .inner = hf_tls_client_fields,
     .help = "How the token endpoint is verified."},
    {.key = "timeout",
     .type = HF_FIELD_DURATION,
     .offset = AT(timeout_ns),
     .default_text = "0s",
     .help = "Of a request for a token; 0: 30 s."},
    {.key = "expiry_buffer",
     .type = HF_FIELD_DURATION,
     .offset = AT(expiry_buffer_ns),
     .default_text = "5m",
     .help = "How long before its end a token is renewed; one that lives less than twice as long: "
             "at the half of its life."},
    HF_FIELDS_END,
};

static const struct hf_auth auth = {.headers = add_headers, .refused = on_refused};

static const struct hf_extension_ops extension_ops = {
    .auth = &auth,
};

static void probe_outside(const void *from, struct hf_probe *probe)
{
    const struct oauth2_config *config = from;
    const struct hf_http_client_config client = {.endpoint = config->token_url, .tls = config->tls};
    hf_probe_read(probe, config->client_id_file);
    hf_probe_read(probe, config->client_secret_file);
    hf_probe_http_client(probe, &client, NULL);
}

const struct hf_component hf_extension_oauth2client = {
    .type = "oauth2client",
    .help = "Sends a token of an OAuth 2.0 server, by the grant client_credentials.",
    .kind = HF_EXTENSION,
    .config_size = sizeof(struct oauth2_config),
    .fields = fields,
    .check = check_config,
    .probe = probe_outside,
    .open = open_oauth2,
    .start = start_oauth2,
    .stop = stop_oauth2,
    .close = close_oauth2,
    .extension = &extension_ops,
};
