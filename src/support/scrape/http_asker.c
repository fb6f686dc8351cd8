#include "http_asker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#include "pdata/json_value.h"
#include "support/settings/configauth.h"
#include "util/header_list.h"
#include "util/time/clock.h"

#define TIMEOUT_DEFAULT_NS (60 * HF_NS_PER_S)
#define CREDENTIALS_MAX 1024u

struct hf_http_asker {
    struct hf_http_asker_options options;
    struct hf_http_fetcher *fetcher;
    struct hf_auth_ref auth;
    char basic[CREDENTIALS_MAX * 2]; /* "Basic ..."; "": none */
    struct hf_header_list headers;
    struct hf_http_fetched fetched;
};

static void on_reload_failed(void *user, const char *why)
{
    const struct hf_http_asker *asker = user;
    hf_node_log(asker->options.node, HF_LOG_WARN,
                "reloading TLS files failed; keeping the previous certificate: %s", why);
}

/* False: longer than CREDENTIALS_MAX. */
static bool make_basic(struct hf_http_asker *asker)
{
    static const char scheme[] = "Basic ";
    const struct hf_http_asker_options *options = &asker->options;
    char plain[CREDENTIALS_MAX];
    int size = snprintf(plain, sizeof(plain), "%s:%s", options->username,
                        options->password != NULL ? options->password : "");
    if (size < 0 || (size_t)size >= sizeof(plain)) {
        return false;
    }
    size_t used = sizeof(scheme) - 1;
    memcpy(asker->basic, scheme, used);
    used += hf_json_print_base64(hf_slice_of(plain, (size_t)size), asker->basic + used);
    asker->basic[used] = '\0';
    return true;
}

enum hf_status hf_http_asker_open(const struct hf_http_asker_options *options,
                                  struct hf_http_asker **ret_asker, char *reterr)
{
    char user_agent[HF_USER_AGENT_MAX];
    struct hf_http_asker *asker = calloc(1, sizeof(*asker));
    snprintf(reterr, HF_ERROR_MAX, "out of memory");
    if (asker == NULL) {
        return HF_NOMEM;
    }
    asker->options = *options;
    hf_user_agent(user_agent);
    struct hf_http_client_options client = hf_http_client_options(options->http);
    client.user_agent = user_agent;
    client.follow = HF_HTTP_FOLLOW_ALL;
    client.accept_gzip = true;
    client.response_bytes_max = options->response_bytes_max + 1; /* one more: it was cut */
    client.on_reload_failed = on_reload_failed;
    client.user = asker;
    enum hf_status status = HF_OK;
    if (options->username != NULL && options->username[0] != '\0' && !make_basic(asker)) {
        snprintf(reterr, HF_ERROR_MAX, "username and password are longer than 1024 bytes");
        status = HF_INVALID;
    }
    if (status == HF_OK) {
        status = hf_auth_find_client(options->node, options->http->auth, &asker->auth, reterr);
    }
    if (status == HF_OK) {
        status = hf_http_fetcher_new(&client, &asker->fetcher, reterr);
    }
    if (status != HF_OK) {
        hf_http_asker_close(asker);
        return status;
    }
    *ret_asker = asker;
    return HF_OK;
}

void hf_http_asker_stop(struct hf_http_asker *asker)
{
    if (asker != NULL) {
        hf_http_fetcher_stop(asker->fetcher);
    }
}

void hf_http_asker_close(struct hf_http_asker *asker)
{
    if (asker != NULL) {
        hf_http_fetcher_free(asker->fetcher);
        hf_bytes_release(&asker->fetched.body);
        free(asker);
    }
}

static enum hf_status list_headers(struct hf_http_asker *asker, const char *url)
{
    static const struct hf_slice empty = {NULL, 0};
    struct hf_header_list *list = &asker->headers;
    const struct hf_auth *auth = asker->auth.ops;
    enum hf_status status =
        hf_header_list_fill(list, HF_HEADERS_HTTP, &asker->options.http->headers, auth,
                            asker->auth.self, HF_EMPTY_SLICE);
    if (status == HF_OK && asker->basic[0] != '\0' &&
        hf_header_find(list->items, list->count, "authorization") == NULL) {
        status = list->sink.add(&list->sink, hf_slice_text("authorization"),
                                hf_slice_text(asker->basic));
    }
    if (status != HF_OK || auth == NULL || auth->sign == NULL) {
        return status;
    }
    const struct hf_auth_outgoing request = {.method = "GET",
                                             .url = url,
                                             .body = &empty,
                                             .headers = list->items,
                                             .header_count = list->count};
    return auth->sign(asker->auth.self, &request, &list->sink);
}

static enum hf_status judge(const struct hf_http_asker *asker, char *reterr)
{
    const struct hf_http_fetched *fetched = &asker->fetched;
    if (fetched->code < 200 || fetched->code > 299) {
        snprintf(reterr, HF_ERROR_MAX, "the answer is HTTP %d%s", fetched->code,
                 fetched->code == 401 || fetched->code == 403 ? ": check the credentials" : "");
        return fetched->code == 401 ? HF_UNAUTHENTICATED : HF_INVALID;
    }
    if (fetched->body.size > asker->options.response_bytes_max) {
        snprintf(reterr, HF_ERROR_MAX, "the answer is larger than %zu bytes",
                 asker->options.response_bytes_max);
        return HF_TOO_LARGE;
    }
    return HF_OK;
}

enum hf_status hf_http_asker_get(struct hf_http_asker *asker, const char *url, uint64_t deadline_ns,
                                 struct hf_slice *ret_body, char *reterr)
{
    uint64_t now_ns = hf_clock_monotonic_ns();
    uint64_t timeout_ns =
        asker->options.timeout_ns != 0 ? asker->options.timeout_ns : TIMEOUT_DEFAULT_NS;
    enum hf_status status = list_headers(asker, url);
    if (status != HF_OK) {
        snprintf(reterr, HF_ERROR_MAX, "%s",
                 asker->headers.why[0] != '\0' ? asker->headers.why : "there are no credentials");
        return status;
    }
    if (deadline_ns <= now_ns) {
        snprintf(reterr, HF_ERROR_MAX, "%s", hf_status_row(HF_DEADLINE)->says);
        return HF_DEADLINE;
    }
    uint64_t left_ns = deadline_ns - now_ns;
    const struct hf_http_fetch fetch = {.method = "GET",
                                        .url = url,
                                        .headers = asker->headers.items,
                                        .header_count = asker->headers.count,
                                        .timeout_ns = left_ns < timeout_ns ? left_ns : timeout_ns};
    status = hf_http_fetch(asker->fetcher, &fetch, &asker->fetched);
    if (status != HF_OK) {
        snprintf(reterr, HF_ERROR_MAX, "%s", asker->fetched.why);
        return status;
    }
    *ret_body = hf_slice_of(asker->fetched.body.data, asker->fetched.body.size);
    return judge(asker, reterr);
}
