#include "oidc_provider.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#include "util/escape.h"
#include "util/time/clock.h"
#include "json/json.h"

#define FETCH_NS (10 * HF_NS_PER_S)
#define RENEW_NS (3600 * HF_NS_PER_S)
#define FILE_LOOK_NS HF_NS_PER_S
#define FAILED_WAIT_NS HF_NS_PER_S /* doubles */
#define FAILED_WAIT_MAX_NS (30 * HF_NS_PER_S)
#define ASK_NS (10 * HF_NS_PER_S)
#define ANSWER_BYTES_MAX ((size_t)4 << 20)
#define URL_MAX 2048u

static void replace_keys(struct oidc_provider *provider, struct oidc_keys *keys)
{
    pthread_rwlock_wrlock(&provider->lock);
    struct oidc_keys *old = provider->keys;
    provider->keys = keys;
    pthread_rwlock_unlock(&provider->lock);
    oidc_keys_free(old);
}

static enum hf_status read_keys(struct oidc_provider *provider, struct hf_slice json,
                                const char *from, char *reterr)
{
    struct oidc_keys *keys = NULL;
    enum hf_status status = oidc_keys_read(json, &keys);
    if (status != HF_OK) {
        snprintf(reterr, HF_ERROR_MAX, "%.300s has no keys for signatures", from);
        return status;
    }
    replace_keys(provider, keys);
    return HF_OK;
}

/* ---- from a file ---- */

static enum hf_status read_file(struct oidc_provider *provider, char *reterr)
{
    char *text = NULL;
    const char *path = provider->config->public_keys_file;
    enum hf_status status = hf_file_watch_read(path, &text, reterr);
    if (status == HF_OK) {
        status = read_keys(provider, hf_slice_text(text), path, reterr);
        free(text);
    }
    return status;
}

/* ---- from the issuer ---- */

static enum hf_status get(struct oidc_provider *provider, const char *url,
                          struct hf_http_fetched *fetched, char *reterr)
{
    const struct hf_http_fetch fetch = {.method = "GET", .url = url, .timeout_ns = FETCH_NS};
    enum hf_status status = hf_http_fetch(provider->fetcher, &fetch, fetched);
    if (status != HF_OK) {
        snprintf(reterr, HF_ERROR_MAX, "%.200s: %s", url, fetched->why);
    } else if (fetched->code != 200) {
        snprintf(reterr, HF_ERROR_MAX, "%.200s answered %d", url, fetched->code);
        status = HF_AGAIN;
    }
    return status;
}

/* The address of the keys, which the discovery document tells. */
static enum hf_status discover(struct oidc_provider *provider, struct hf_http_fetched *fetched,
                               char ret_url[URL_MAX], char *reterr)
{
    const char *issuer = provider->config->issuer_url;
    size_t size = strlen(issuer);
    char url[URL_MAX], error[HF_JSON_ERROR_MAX];
    struct hf_arena arena = {.limit = ANSWER_BYTES_MAX};
    const struct hf_json *root = NULL;
    snprintf(url, sizeof(url), "%.*s/.well-known/openid-configuration",
             (int)(size > 0 && issuer[size - 1] == '/' ? size - 1 : size), issuer);
    enum hf_status status = get(provider, url, fetched, reterr);
    if (status != HF_OK) {
        return status;
    }
    status =
        hf_json_read(hf_slice_of(fetched->body.data, fetched->body.size), &arena, &root, error);
    struct hf_slice named = hf_json_text_of(root, "issuer");
    struct hf_slice keys = hf_json_text_of(root, "jwks_uri");
    if (status != HF_OK || keys.size == 0 || keys.size >= URL_MAX) {
        snprintf(reterr, HF_ERROR_MAX, "%.200s is no discovery document with a jwks_uri", url);
        status = HF_INVALID;
    } else if (!provider->config->ignore_issuer && !hf_slice_is(named, issuer)) {
        char shown[200];
        hf_escape(HF_ESCAPE_LINE, named, shown, sizeof(shown));
        snprintf(reterr, HF_ERROR_MAX, "%.200s is the document of another issuer, %s", url, shown);
        status = HF_INVALID;
    } else {
        snprintf(ret_url, URL_MAX, "%.*s", (int)keys.size, (const char *)keys.data);
        status = hf_http_is_url(ret_url) ? HF_OK : HF_INVALID;
        snprintf(reterr, HF_ERROR_MAX, "%.200s: jwks_uri is no URL", url);
    }
    hf_arena_release(&arena);
    return status;
}

static enum hf_status fetch_keys(struct oidc_provider *provider, char *reterr)
{
    struct hf_http_fetched fetched = {0};
    char url[URL_MAX];
    enum hf_status status = discover(provider, &fetched, url, reterr);
    status = status == HF_OK ? get(provider, url, &fetched, reterr) : status;
    if (status == HF_OK) {
        status =
            read_keys(provider, hf_slice_of(fetched.body.data, fetched.body.size), url, reterr);
    }
    hf_bytes_release(&fetched.body);
    return status;
}

/* ---- the thread ---- */

enum hf_status oidc_provider_try(struct oidc_provider *provider, char *reterr)
{
    return provider->fetcher == NULL ? read_file(provider, reterr) : fetch_keys(provider, reterr);
}

uint64_t oidc_provider_renew(struct oidc_provider *provider, uint64_t now_ns)
{
    char error[HF_ERROR_MAX] = "";
    bool is_file = provider->fetcher == NULL;
    if (is_file && !hf_file_watch_changed(&provider->watched, now_ns, FILE_LOOK_NS)) {
        return now_ns + FILE_LOOK_NS;
    }
    if (!is_file && now_ns < provider->due_ns) {
        return provider->due_ns;
    }
    enum hf_status status = oidc_provider_try(provider, error);
    if (status == HF_OK) {
        provider->failed_wait_ns = FAILED_WAIT_NS;
        provider->due_ns = hf_clock_monotonic_ns() + (is_file ? FILE_LOOK_NS : RENEW_NS);
        return provider->due_ns;
    }
    if (status != HF_CLOSED) {
        hf_node_log(provider->node, HF_LOG_WARN, "the keys of %s are not renewed: %s",
                    provider->config->issuer_url, error);
    }
    provider->due_ns = hf_clock_monotonic_ns() + provider->failed_wait_ns;
    provider->failed_wait_ns *= 2;
    if (provider->failed_wait_ns > FAILED_WAIT_MAX_NS) {
        provider->failed_wait_ns = FAILED_WAIT_MAX_NS;
    }
    return provider->due_ns;
}

/* ---- those who verify ---- */

enum oidc_known oidc_provider_knows(struct oidc_provider *provider, struct hf_slice key_id)
{
    pthread_rwlock_rdlock(&provider->lock);
    enum oidc_known known = provider->keys == NULL                  ? OIDC_NO_KEYS
                            : oidc_keys_has(provider->keys, key_id) ? OIDC_KNOWN_KEY
                                                                    : OIDC_UNKNOWN_KEY;
    pthread_rwlock_unlock(&provider->lock);
    return known;
}

bool oidc_provider_may_ask(struct oidc_provider *provider, uint64_t now_ns)
{
    uint_fast64_t asked_ns = atomic_load(&provider->asked_ns);
    return provider->fetcher != NULL && (asked_ns == 0 || now_ns - asked_ns >= ASK_NS) &&
           atomic_compare_exchange_strong(&provider->asked_ns, &asked_ns, now_ns);
}

bool oidc_provider_verify(struct oidc_provider *provider, struct hf_slice key_id,
                          struct hf_slice algorithm, struct hf_slice data,
                          struct hf_slice signature)
{
    pthread_rwlock_rdlock(&provider->lock);
    bool good = provider->keys != NULL &&
                oidc_keys_verify(provider->keys, key_id, algorithm, data, signature);
    pthread_rwlock_unlock(&provider->lock);
    return good;
}

/* ---- life ---- */

enum hf_status oidc_provider_open(struct hf_node *node, const struct oidc_provider_config *config,
                                  struct oidc_provider *ret, char *reterr)
{
    *ret = (struct oidc_provider){.config = config,
                                  .node = node,
                                  .failed_wait_ns = FAILED_WAIT_NS,
                                  .watched = {.path = config->public_keys_file}};
    pthread_rwlock_init(&ret->lock, NULL);
    if (config->public_keys_file != NULL && config->public_keys_file[0] != '\0') {
        return read_file(ret, reterr);
    }
    bool has_ca = config->issuer_ca_path != NULL && config->issuer_ca_path[0] != '\0';
    ret->tls.ca_file = has_ca ? config->issuer_ca_path : NULL;
    const struct hf_http_client_options options = {.tls = has_ca ? &ret->tls : NULL,
                                                   .response_bytes_max = ANSWER_BYTES_MAX};
    return hf_http_fetcher_new(&options, &ret->fetcher, reterr);
}

void oidc_provider_close(struct oidc_provider *provider)
{
    hf_http_fetcher_free(provider->fetcher);
    oidc_keys_free(provider->keys);
    pthread_rwlock_destroy(&provider->lock);
}
