#include "oauth2.h"

#include <stdio.h>
#include <stdlib.h>

#include <holdfast/component.h>

#include "http/client.h"
#include "token_keeper.h"

struct hf_oauth2 {
    struct hf_oauth2_options options;
    struct hf_http_fetcher *fetcher;
    struct hf_token_keeper *keeper;
    enum hf_oauth2_style style; /* the keeper's thread: what the server knows */
};

/* ---- the keeper's thread ---- */

static enum hf_status fetch_token(void *user, struct hf_token *ret_token, char *reterr)
{
    struct hf_oauth2 *oauth2 = user;
    return hf_oauth2_request_token(oauth2->fetcher, oauth2->options.config, &oauth2->style,
                                   ret_token, reterr);
}

static void wake(void *user)
{
    const struct hf_oauth2 *oauth2 = user;
    hf_http_fetcher_stop(oauth2->fetcher);
}

static void on_failed(void *user, const char *why)
{
    const struct hf_oauth2 *oauth2 = user;
    hf_node_log(oauth2->options.node, HF_LOG_WARN, "%sno token: %s", oauth2->options.what, why);
}

/* ---- what senders ask ---- */

enum hf_status hf_oauth2_add(struct hf_oauth2 *oauth2, struct hf_header_sink *sink)
{
    return hf_token_keeper_add(oauth2->keeper, "authorization", sink);
}

bool hf_oauth2_copy(struct hf_oauth2 *oauth2, char ret_header[HF_TOKEN_MAX])
{
    return hf_token_keeper_copy(oauth2->keeper, ret_header);
}

void hf_oauth2_explain(struct hf_oauth2 *oauth2, char *ret_text, size_t room)
{
    hf_token_keeper_explain(oauth2->keeper, ret_text, room);
}

void hf_oauth2_refused(struct hf_oauth2 *oauth2)
{
    hf_token_keeper_refused(oauth2->keeper);
}

/* ---- life ---- */

void hf_oauth2_wait(struct hf_oauth2 *oauth2, uint64_t due_ns)
{
    hf_token_keeper_wait(oauth2->keeper, due_ns);
}

enum hf_status hf_oauth2_start(struct hf_oauth2 *oauth2, char *reterr)
{
    return hf_token_keeper_start(oauth2->keeper, reterr);
}

void hf_oauth2_stop(struct hf_oauth2 *oauth2)
{
    hf_token_keeper_stop(oauth2->keeper);
}

void hf_oauth2_free(struct hf_oauth2 *oauth2)
{
    if (oauth2 == NULL) {
        return;
    }
    hf_token_keeper_free(oauth2->keeper); /* stops it */
    hf_http_fetcher_free(oauth2->fetcher);
    free(oauth2);
}

enum hf_status hf_oauth2_new(const struct hf_oauth2_options *options, struct hf_oauth2 **ret_oauth2,
                             char *reterr)
{
    struct hf_oauth2 *oauth2 = calloc(1, sizeof(*oauth2));
    snprintf(reterr, HF_ERROR_MAX, "no memory for tokens");
    if (oauth2 == NULL) {
        return HF_NOMEM;
    }
    oauth2->options = *options;
    const struct hf_token_keeper_options keeper = {
        .fetch = fetch_token,
        .wake = wake,
        .on_failed = on_failed,
        .buffer_ns = options->config->expiry_buffer_ns,
        .user = oauth2,
    };
    const struct hf_http_client_options client = {.tls = &options->config->tls,
                                                  .proxy_url = options->config->proxy_url};
    enum hf_status status = hf_token_keeper_new(&keeper, &oauth2->keeper);
    if (status == HF_OK) {
        status = hf_http_fetcher_new(&client, &oauth2->fetcher, reterr);
    }
    if (status != HF_OK) {
        hf_oauth2_free(oauth2);
        return status;
    }
    *ret_oauth2 = oauth2;
    return HF_OK;
}
