/*
 * oauth2client: a token of an OAuth 2.0 server, by the grant client_credentials or by an assertion
 * that it signs, in the header authorization of what is sent. Until the first one is there, and
 * after one ended that could not be renewed, records wait.
 */
#include <holdfast/component.h>

#include "support/probe/probe_server.h"
#include "support/tokens/assertion.h"
#include "support/tokens/oauth2.h"
#include "util/time/clock.h"

static enum hf_status add_headers(void *self, struct hf_slice meta, struct hf_header_sink *sink)
{
    (void)meta;
    return hf_oauth2_add(self, sink);
}

static void on_refused(void *self)
{
    hf_oauth2_refused(self);
}

static void explain(void *self, char *ret_text, size_t room)
{
    hf_oauth2_explain(self, ret_text, room);
}

static enum hf_status open_oauth2(struct hf_node *node, const void *config, void **ret_self,
                                  char *reterr)
{
    const struct hf_oauth2_options options = {.config = config, .node = node, .what = ""};
    struct hf_oauth2 *oauth2 = NULL;
    enum hf_status status = hf_oauth2_new(&options, &oauth2, reterr);
    if (status == HF_OK) {
        *ret_self = oauth2;
    }
    return status;
}

static enum hf_status start_oauth2(void *self, char *reterr)
{
    enum hf_status status = hf_oauth2_start(self, reterr);
    if (status == HF_OK) {
        hf_oauth2_wait(self, hf_clock_monotonic_ns() + HF_TOKEN_START_WAIT_NS);
    }
    return status;
}

static void stop_oauth2(void *self)
{
    hf_oauth2_stop(self);
}

static void close_oauth2(void *self)
{
    hf_oauth2_free(self);
}

/* A key of the other grant would do nothing. */
static const char *check_config(const void *from)
{
    const struct hf_oauth2_config *config = from;
    bool has_jwt_key = config->jwt.key != NULL || config->jwt.key_file != NULL ||
                       config->jwt.key_id != NULL || config->jwt.algorithm != NULL ||
                       config->jwt.issuer != NULL || config->jwt.audience != NULL ||
                       config->jwt.claims.type != HF_VALUE_NONE;
    return config->grant_type != HF_OAUTH2_JWT_BEARER && has_jwt_key
               ? "client_certificate_key, client_certificate_key_file, client_certificate_key_id, "
                 "signature_algorithm, iss, audience and claims need "
                 "grant_type: " HF_ASSERTION_GRANT
               : hf_oauth2_check(config);
}

#define AT(member) offsetof(struct hf_oauth2_config, member)

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
     .choices = (const char *const[]){"client_credentials", HF_ASSERTION_GRANT, NULL},
     .help = "client_credentials; or an assertion that the client signs (RFC 7523)."},
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
    {.key = "client_certificate_key",
     .type = HF_FIELD_SECRET,
     .offset = AT(jwt.key),
     .help = "The RSA key in PEM that signs the assertion."},
    {.key = "client_certificate_key_file",
     .type = HF_FIELD_STRING,
     .offset = AT(jwt.key_file),
     .help = "A file with it, read for each token; wins over client_certificate_key."},
    {.key = "client_certificate_key_id",
     .type = HF_FIELD_STRING,
     .offset = AT(jwt.key_id),
     .help = "The id of the key, in the header of the assertion (kid)."},
    {.key = "signature_algorithm",
     .type = HF_FIELD_STRING,
     .offset = AT(jwt.algorithm),
     .help = "Of the assertion: RS256, RS384 or RS512; absent: RS256."},
    {.key = "iss",
     .type = HF_FIELD_STRING,
     .offset = AT(jwt.issuer),
     .help = "The claim iss of the assertion; absent: the client's id."},
    {.key = "audience",
     .type = HF_FIELD_STRING,
     .offset = AT(jwt.audience),
     .help = "The claim aud of the assertion; absent: token_url."},
    {.key = "claims",
     .type = HF_FIELD_VALUE,
     .offset = AT(jwt.claims),
     .help = "Further claims of the assertion; they win over its own."},
    HF_FIELDS_END,
};

static const struct hf_auth auth = {
    .headers = add_headers, .refused = on_refused, .explain = explain};

static const struct hf_extension_ops extension_ops = {
    .auth = &auth,
};

static void probe_outside(const void *from, struct hf_probe *probe)
{
    const struct hf_oauth2_config *config = from;
    const struct hf_http_client_config client = {.endpoint = config->token_url, .tls = config->tls};
    hf_probe_read(probe, config->client_id_file);
    hf_probe_read(probe, config->client_secret_file);
    hf_probe_read(probe, config->jwt.key_file);
    hf_probe_http_client(probe, &client, NULL);
}

const struct hf_component hf_extension_oauth2client = {
    .type = "oauth2client",
    .help = "Sends a token of an OAuth 2.0 server, by the grant client_credentials or by an "
            "assertion that it signs.",
    .kind = HF_EXTENSION,
    .config_size = sizeof(struct hf_oauth2_config),
    .fields = fields,
    .check = check_config,
    .probe = probe_outside,
    .open = open_oauth2,
    .start = start_oauth2,
    .stop = stop_oauth2,
    .close = close_oauth2,
    .extension = &extension_ops,
};
