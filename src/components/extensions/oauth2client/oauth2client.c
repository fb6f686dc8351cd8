/*
 * oauth2client: a token of an OAuth 2.0 server, by the grant client_credentials, in the header
 * authorization of what is sent. A thread fetches it and keeps it valid (support/token_keeper.h).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#include "http/client.h"
#include "support/probe_server.h"
#include "support/token_keeper.h"
#include "token_request.h"

struct oauth2 {
    struct hf_node *node;
    const struct oauth2_config *config;
    struct hf_http_fetcher *fetcher;
    struct hf_token_keeper *keeper;
    enum oauth2_style style; /* the keeper's thread: what the server knows */
};

/* ---- the keeper's thread ---- */

static enum hf_status fetch_token(void *user, struct hf_token *ret_token, char *reterr)
{
    struct oauth2 *oauth2 = user;
    return oauth2_request_token(oauth2->fetcher, oauth2->config, &oauth2->style, ret_token, reterr);
}

static void wake(void *user)
{
    struct oauth2 *oauth2 = user;
    hf_http_fetcher_stop(oauth2->fetcher);
}

static void on_failed(void *user, const char *why)
{
    const struct oauth2 *oauth2 = user;
    hf_node_log(oauth2->node, HF_LOG_WARN, "no token: %s", why);
}

/* ---- what senders ask ---- */

static enum hf_status add_headers(void *self, struct hf_slice meta, struct hf_header_sink *sink)
{
    struct oauth2 *oauth2 = self;
    (void)meta;
    return hf_token_keeper_add(oauth2->keeper, "authorization", sink);
}

static void on_refused(void *self)
{
    struct oauth2 *oauth2 = self;
    hf_token_keeper_refused(oauth2->keeper);
}

/* ---- life ---- */

static enum hf_status start_oauth2(void *self, char *reterr)
{
    struct oauth2 *oauth2 = self;
    return hf_token_keeper_start(oauth2->keeper, reterr);
}

static void stop_oauth2(void *self)
{
    struct oauth2 *oauth2 = self;
    hf_token_keeper_stop(oauth2->keeper);
}

static void close_oauth2(void *self)
{
    struct oauth2 *oauth2 = self;
    hf_token_keeper_free(oauth2->keeper);
    hf_http_fetcher_free(oauth2->fetcher);
    free(oauth2);
}

static enum hf_status open_oauth2(struct hf_node *node, const void *config, void **ret_self,
                                  char *reterr)
{
    struct oauth2 *oauth2 = calloc(1, sizeof(*oauth2));
    if (oauth2 == NULL) {
        snprintf(reterr, HF_ERROR_MAX, "no memory for the extension");
        return HF_NOMEM;
    }
    oauth2->node = node;
    oauth2->config = config;
    const struct hf_token_keeper_options keeper = {
        .fetch = fetch_token,
        .wake = wake,
        .on_failed = on_failed,
        .buffer_ns = oauth2->config->expiry_buffer_ns,
        .user = oauth2,
    };
    const struct hf_http_client_options options = {.tls = &oauth2->config->tls};
    snprintf(reterr, HF_ERROR_MAX, "no memory for the extension");
    enum hf_status status = hf_token_keeper_new(&keeper, &oauth2->keeper);
    if (status == HF_OK) {
        status = hf_http_fetcher_new(&options, &oauth2->fetcher, reterr);
    }
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
