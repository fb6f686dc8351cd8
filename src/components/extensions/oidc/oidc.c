/*
 * oidc: who sends here shows a token of an OpenID Connect issuer, which is verified with the
 * issuer's keys.
 *
 * A thread fetches the keys and renews them each hour, and when a token names a key that is not
 * known. While there are no keys, and while they are fetched for a token, senders are told to come
 * back: a key that is missing refuses no data for good.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include <holdfast/component.h>

#include "oidc_provider.h"
#include "oidc_token.h"
#include "pdata/json_value.h"
#include "util/header_text.h"
#include "util/thread.h"
#include "util/time/clock.h"

#define START_WAIT_NS (3 * HF_NS_PER_S) /* for the first keys, in start */
#define ARENA_BYTES_MAX ((size_t)256 << 10)

struct oidc_config {
    const char *attribute;
    struct hf_struct_list providers;
    struct oidc_provider_config single; /* the older form: keys at the top; before the others */
};

struct oidc {
    struct hf_node *node;
    char header[128]; /* in lower case */
    struct oidc_provider *providers;
    size_t provider_count;
    pthread_t thread;
    bool is_running;
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t changed;
    bool is_stopping, is_wanted, was_tried;
};

/* ---- the thread ---- */

static void wait_until(struct oidc *oidc, uint64_t due_ns)
{
    const struct timespec due = {.tv_sec = (time_t)(due_ns / HF_NS_PER_S),
                                 .tv_nsec = (long)(due_ns % HF_NS_PER_S)};
    while (!oidc->is_stopping && !oidc->is_wanted && hf_clock_monotonic_ns() < due_ns) {
        pthread_cond_timedwait(&oidc->changed, &oidc->lock, &due);
    }
}

static void *run(void *user)
{
    struct oidc *oidc = user;
    pthread_mutex_lock(&oidc->lock);
    while (!oidc->is_stopping) {
        bool is_wanted = oidc->is_wanted;
        uint64_t due_ns = UINT64_MAX;
        oidc->is_wanted = false;
        pthread_mutex_unlock(&oidc->lock);
        for (size_t i = 0; i < oidc->provider_count; i++) {
            struct oidc_provider *provider = &oidc->providers[i];
            if (is_wanted) {
                provider->due_ns = 0;
            }
            uint64_t next_ns = oidc_provider_renew(provider, hf_clock_monotonic_ns());
            due_ns = next_ns < due_ns ? next_ns : due_ns;
        }
        pthread_mutex_lock(&oidc->lock);
        oidc->was_tried = true;
        pthread_cond_broadcast(&oidc->changed);
        wait_until(oidc, due_ns);
    }
    pthread_mutex_unlock(&oidc->lock);
    return NULL;
}

static void want_keys(struct oidc *oidc)
{
    pthread_mutex_lock(&oidc->lock);
    oidc->is_wanted = true;
    pthread_cond_broadcast(&oidc->changed);
    pthread_mutex_unlock(&oidc->lock);
}

/* ---- requests ---- */

/* What is behind "Bearer ". Empty: none. */
static struct hf_slice shown_token(const struct oidc *oidc, const struct hf_auth_request *request)
{
    static const char scheme[] = "Bearer ";
    struct hf_slice value = request->header(request->request, oidc->header);
    const size_t size = sizeof(scheme) - 1;
    if (value.size <= size || strncasecmp((const char *)value.data, scheme, size) != 0) {
        return HF_EMPTY_SLICE;
    }
    return hf_header_trim(hf_slice_of(value.data + size, value.size - size));
}

static struct oidc_provider *provider_of(const struct oidc *oidc, const struct oidc_token *token)
{
    for (size_t i = 0; i < oidc->provider_count; i++) {
        if (hf_slice_is(token->issuer, oidc->providers[i].config->issuer_url)) {
            return &oidc->providers[i];
        }
    }
    bool is_any = oidc->provider_count == 1 && oidc->providers[0].config->ignore_issuer;
    return is_any ? &oidc->providers[0] : NULL;
}

static void add_text(struct hf_meta_writer *meta, const char *key, struct hf_slice text)
{
    enum hf_status added = hf_meta_add(meta, HF_META_AUTH, hf_slice_text(key), text);
    (void)added; /* what does not fit is left out */
}

static bool given(const char *text)
{
    return text != NULL && text[0] != '\0';
}

/* The client's name and groups, by the claims that the configuration names. False: they are not
 * there, or no texts. */
static bool add_client(const struct oidc_provider_config *config, const struct oidc_token *token,
                       struct hf_slice text, struct hf_meta_writer *meta)
{
    const char *name = given(config->username_claim) ? config->username_claim : "sub";
    const struct hf_json *groups =
        given(config->groups_claim) ? hf_json_get(token->claims, config->groups_claim) : NULL;
    struct hf_slice subject = hf_json_text_of(token->claims, name);
    if ((given(config->username_claim) && subject.size == 0) ||
        (given(config->groups_claim) && groups == NULL)) {
        return false;
    }
    add_text(meta, "subject", subject);
    if (groups != NULL && groups->kind == HF_JSON_STRING) {
        add_text(meta, "membership", groups->text);
    }
    const struct hf_json *one =
        groups != NULL && groups->kind == HF_JSON_LIST ? hf_json_first(groups) : NULL;
    for (; one != NULL; one = one->next) {
        add_text(meta, "membership", hf_json_text(one));
    }
    add_text(meta, "raw", text);
    return true;
}

enum verdict { VERDICT_NO, VERDICT_YES, VERDICT_LATER };

static enum verdict judge(struct oidc *oidc, struct hf_slice text, struct hf_arena *arena,
                          struct hf_meta_writer *meta)
{
    struct oidc_token token;
    if (text.size == 0 || oidc_token_read(text, arena, &token) != HF_OK) {
        return VERDICT_NO;
    }
    struct oidc_provider *provider = provider_of(oidc, &token);
    if (provider == NULL) {
        return VERDICT_NO;
    }
    const struct oidc_provider_config *config = provider->config;
    int64_t now_s = (int64_t)(hf_clock_unix_ns() / HF_NS_PER_S);
    if (!oidc_token_holds(&token, config->ignore_issuer ? NULL : config->issuer_url,
                          config->ignore_audience ? NULL : config->audience, now_s)) {
        return VERDICT_NO;
    }
    enum oidc_known known = oidc_provider_knows(provider, token.key_id);
    if (known == OIDC_NO_KEYS) {
        return VERDICT_LATER;
    }
    if (known == OIDC_UNKNOWN_KEY) {
        if (oidc_provider_may_ask(provider, hf_clock_monotonic_ns())) {
            want_keys(oidc);
            return VERDICT_LATER;
        }
        return VERDICT_NO;
    }
    bool is_good = oidc_provider_verify(provider, token.key_id, token.algorithm, token.signed_part,
                                        token.signature);
    return is_good && add_client(config, &token, text, meta) ? VERDICT_YES : VERDICT_NO;
}

static bool check_request(void *self, const struct hf_auth_request *request,
                          struct hf_meta_writer *meta, enum hf_status *ret_status)
{
    struct oidc *oidc = self;
    struct hf_arena arena = {.limit = ARENA_BYTES_MAX};
    enum verdict verdict = judge(oidc, shown_token(oidc, request), &arena, meta);
    hf_arena_release(&arena);
    *ret_status = verdict == VERDICT_YES ? HF_OK : HF_UNAUTHENTICATED;
    return verdict != VERDICT_LATER;
}

/* The keys are not known yet: the sender comes back, by when they are. */
static void begin_check(void *self, const struct hf_auth_request *request,
                        struct hf_auth_wait *wait)
{
    (void)self;
    (void)request;
    wait->done(wait, HF_AGAIN);
}

/* ---- life ---- */

static enum hf_status start_oidc(void *self, char *reterr)
{
    struct oidc *oidc = self;
    uint64_t due_ns = hf_clock_monotonic_ns() + START_WAIT_NS;
    const struct timespec due = {.tv_sec = (time_t)(due_ns / HF_NS_PER_S),
                                 .tv_nsec = (long)(due_ns % HF_NS_PER_S)};
    if (hf_thread_start(&oidc->thread, NULL, run, oidc) != 0) {
        snprintf(reterr, HF_ERROR_MAX, "no thread for the keys");
        return HF_NOMEM;
    }
    oidc->is_running = true;
    pthread_mutex_lock(&oidc->lock);
    while (!oidc->was_tried && hf_clock_monotonic_ns() < due_ns) {
        pthread_cond_timedwait(&oidc->changed, &oidc->lock, &due);
    }
    pthread_mutex_unlock(&oidc->lock);
    return HF_OK;
}

/* The keys stay, for requests that are still under way. */
static void stop_oidc(void *self)
{
    struct oidc *oidc = self;
    if (!oidc->is_running) {
        return;
    }
    pthread_mutex_lock(&oidc->lock);
    oidc->is_stopping = true;
    pthread_cond_broadcast(&oidc->changed);
    pthread_mutex_unlock(&oidc->lock);
    for (size_t i = 0; i < oidc->provider_count; i++) {
        if (oidc->providers[i].fetcher != NULL) {
            hf_http_fetcher_stop(oidc->providers[i].fetcher);
        }
    }
    pthread_join(oidc->thread, NULL);
    oidc->is_running = false;
}

static void close_oidc(void *self)
{
    struct oidc *oidc = self;
    stop_oidc(oidc);
    for (size_t i = 0; i < oidc->provider_count; i++) {
        oidc_provider_close(&oidc->providers[i]);
    }
    free(oidc->providers);
    pthread_cond_destroy(&oidc->changed);
    pthread_mutex_destroy(&oidc->lock);
    free(oidc);
}

/* Is there one by the keys at the top? */
static bool has_single(const struct oidc_config *config)
{
    const struct oidc_provider_config *single = &config->single;
    return config->providers.count == 0 || given(single->issuer_url) || given(single->audience) ||
           single->ignore_audience || given(single->issuer_ca_path) ||
           given(single->username_claim) || given(single->groups_claim);
}

static size_t provider_count(const struct oidc_config *config)
{
    return config->providers.count + (has_single(config) ? 1 : 0);
}

static const struct oidc_provider_config *configured_provider(const struct oidc_config *config,
                                                              size_t number)
{
    const struct oidc_provider_config *list = config->providers.items;
    if (!has_single(config)) {
        return &list[number];
    }
    return number == 0 ? &config->single : &list[number - 1];
}

static enum hf_status open_providers(struct oidc *oidc, const struct oidc_config *config,
                                     char *reterr)
{
    size_t count = provider_count(config);
    enum hf_status status = HF_OK;
    oidc->providers = calloc(count, sizeof(*oidc->providers));
    if (oidc->providers == NULL) {
        snprintf(reterr, HF_ERROR_MAX, "no memory for the providers");
        return HF_NOMEM;
    }
    for (size_t i = 0; i < count && status == HF_OK; i++) {
        oidc->provider_count++;
        status = oidc_provider_open(oidc->node, configured_provider(config, i), &oidc->providers[i],
                                    reterr);
    }
    return status;
}

static enum hf_status open_oidc(struct hf_node *node, const void *from, void **ret_self,
                                char *reterr)
{
    const struct oidc_config *config = from;
    struct oidc *oidc = calloc(1, sizeof(*oidc));
    pthread_condattr_t attributes;
    if (oidc == NULL) {
        snprintf(reterr, HF_ERROR_MAX, "no memory for the extension");
        return HF_NOMEM;
    }
    oidc->node = node;
    snprintf(oidc->header, sizeof(oidc->header), "%s", config->attribute);
    for (char *at = oidc->header; *at != '\0'; at++) {
        *at = *at >= 'A' && *at <= 'Z' ? (char)(*at + 32) : *at;
    }
    pthread_mutex_init(&oidc->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&oidc->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    enum hf_status status = open_providers(oidc, config, reterr);
    if (status != HF_OK) {
        close_oidc(oidc);
        return status;
    }
    *ret_self = oidc;
    return HF_OK;
}

static const char *check_provider(const struct oidc_provider_config *config)
{
    if (!given(config->issuer_url) || strlen(config->issuer_url) > 1024 ||
        !hf_http_is_url(config->issuer_url)) {
        return "issuer_url: expected the issuer's URL, as https://accounts.example.com";
    }
    return given(config->audience) || config->ignore_audience
               ? NULL
               : "no audience provided: set audience, or ignore_audience: true";
}

static const char *check_config(const void *from)
{
    const struct oidc_config *config = from;
    if (strlen(config->attribute) > 100 || !hf_header_is_name(hf_slice_text(config->attribute))) {
        return "attribute: expected the name of a header";
    }
    for (size_t i = 0; i < provider_count(config); i++) {
        const struct oidc_provider_config *one = configured_provider(config, i);
        const char *wrong = check_provider(one);
        if (wrong != NULL) {
            return wrong;
        }
        for (size_t j = 0; j < i; j++) {
            if (strcmp(one->issuer_url, configured_provider(config, j)->issuer_url) == 0) {
                return "providers: an issuer_url is there twice";
            }
        }
    }
    return NULL;
}

/* clang-format off */
#define PROVIDER_FIELDS(owner, at)                                                                 \
    {.key = "issuer_url",                                                                          \
     .type = HF_FIELD_STRING,                                                                      \
     .offset = offsetof(owner, at issuer_url),                                                     \
     .help = "The issuer, whose discovery document is below it."},                                 \
    {.key = "audience",                                                                            \
     .type = HF_FIELD_STRING,                                                                      \
     .offset = offsetof(owner, at audience),                                                       \
     .help = "What a token must be meant for (aud)."},                                             \
    {.key = "ignore_audience",                                                                     \
     .type = HF_FIELD_BOOL,                                                                        \
     .offset = offsetof(owner, at ignore_audience),                                                \
     .default_text = "false",                                                                      \
     .help = "Tokens for any audience."},                                                          \
    {.key = "ignore_issuer",                                                                       \
     .type = HF_FIELD_BOOL,                                                                        \
     .offset = offsetof(owner, at ignore_issuer),                                                  \
     .default_text = "false",                                                                      \
     .help = "Tokens that name another issuer, when there is one provider."},                      \
    {.key = "issuer_ca_path",                                                                      \
     .type = HF_FIELD_STRING,                                                                      \
     .offset = offsetof(owner, at issuer_ca_path),                                                 \
     .help = "Certificates that the issuer's is verified with."},                                  \
    {.key = "username_claim",                                                                      \
     .type = HF_FIELD_STRING,                                                                      \
     .offset = offsetof(owner, at username_claim),                                                 \
     .help = "The claim with the client's name, auth.subject; absent: sub."},                      \
    {.key = "groups_claim",                                                                        \
     .type = HF_FIELD_STRING,                                                                      \
     .offset = offsetof(owner, at groups_claim),                                                   \
     .help = "The claim with its groups, auth.membership."},                                       \
    {.key = "public_keys_file",                                                                    \
     .type = HF_FIELD_STRING,                                                                      \
     .offset = offsetof(owner, at public_keys_file),                                               \
     .help = "A file with the keys (JWKS), read again when it changes; the issuer is not asked."}
/* clang-format on */

static const struct hf_field provider_fields[] = {
    PROVIDER_FIELDS(struct oidc_provider_config, ),
    HF_FIELDS_END,
};

static const struct hf_field fields[] = {
    {.key = "attribute",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct oidc_config, attribute),
     .default_text = "authorization",
     .help = "The header that carries the token."},
    {.key = "providers",
     .type = HF_FIELD_STRUCT_LIST,
     .offset = offsetof(struct oidc_config, providers),
     .inner = provider_fields,
     .inner_size = sizeof(struct oidc_provider_config),
     .help = "Issuers of tokens. One may have its keys beside this one instead, or besides."},
    PROVIDER_FIELDS(struct oidc_config, single.),
    HF_FIELDS_END,
};

static const struct hf_auth auth = {.check = check_request, .begin = begin_check};

static const struct hf_extension_ops extension_ops = {
    .auth = &auth,
};

/* The keys of an issuer are fetched, or those of its file read. */
static void probe_provider(const struct oidc_provider_config *config, struct hf_probe *probe)
{
    struct oidc_provider provider;
    char why[HF_ERROR_MAX] = "";
    hf_probe_read(probe, config->issuer_ca_path);
    enum hf_status status = oidc_provider_open(NULL, config, &provider, why);
    if (status == HF_OK) {
        status = oidc_provider_try(&provider, why);
    }
    oidc_provider_close(&provider);
    hf_probe_say(probe, "keys", config->issuer_url, status == HF_OK ? HF_PROBE_OK : HF_PROBE_FAILED,
                 "%s", status == HF_OK ? "fetched" : why);
}

static void probe_outside(const void *from, struct hf_probe *probe)
{
    const struct oidc_config *config = from;
    for (size_t i = 0; i < provider_count(config); i++) {
        probe_provider(configured_provider(config, i), probe);
    }
}

const struct hf_component hf_extension_oidc = {
    .type = "oidc",
    .help = "Asks for a token of an OpenID Connect issuer.",
    .kind = HF_EXTENSION,
    .config_size = sizeof(struct oidc_config),
    .fields = fields,
    .check = check_config,
    .probe = probe_outside,
    .open = open_oidc,
    .start = start_oidc,
    .stop = stop_oidc,
    .close = close_oidc,
    .extension = &extension_ops,
};
