/*
 * sigv4auth: requests signed for AWS, with credentials of its chain.
 *
 * The credentials are kept by a session (aws/session.h). Until there are any, records wait. A
 * backend that refuses them (401) has them found again, at most twice a minute.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#include "aws/credentials.h"
#include "aws/host_scope.h"
#include "aws/session.h"
#include "util/digest.h"

struct sigv4_config {
    const char *region, *service;
    struct hf_aws_role role;
};

struct sigv4 {
    struct hf_node *node;
    const struct sigv4_config *config;
    struct hf_aws_session *session;
};

static enum hf_status add_header(struct hf_header_sink *sink, const char *name, const char *value)
{
    return sink->add(sink, hf_slice_text(name), hf_slice_text(value));
}

static bool given(const char *text)
{
    return text != NULL && text[0] != '\0';
}

/* What the configuration does not name, the host does. */
static bool find_scope(struct sigv4 *sigv4, const char *url, struct hf_aws_host_scope *room,
                       struct hf_sigv4_request *request)
{
    const struct sigv4_config *config = sigv4->config;
    request->region = config->region;
    request->service = config->service;
    if (given(config->region) && given(config->service)) {
        return true;
    }
    if (!hf_aws_host_scope(url, room)) {
        hf_node_log(sigv4->node, HF_LOG_WARN,
                    "%s does not say which service and region of AWS it is: set region and service",
                    url);
        return false;
    }
    request->region = given(config->region) ? config->region : room->region;
    request->service = given(config->service) ? config->service : room->service;
    return true;
}

static enum hf_status sign(void *self, const struct hf_auth_outgoing *outgoing,
                           struct hf_header_sink *sink)
{
    struct sigv4 *sigv4 = self;
    char hash[HF_SHA256_HEX_SIZE + 1] = "";
    struct hf_aws_signature signature;
    struct hf_aws_host_scope scope;
    struct hf_sigv4_request request = {.method = outgoing->method,
                                       .url = outgoing->url,
                                       .headers = outgoing->headers,
                                       .header_count = outgoing->header_count,
                                       .payload_sha256 = hash};
    if (!find_scope(sigv4, outgoing->url, &scope, &request)) {
        return HF_UNAUTHENTICATED;
    }
    enum hf_status status = hf_digest_sha256_pieces(outgoing->body, outgoing->body_count, hash);
    status = status == HF_OK ? hf_aws_session_sign(sigv4->session, &request, &signature) : status;
    if (status == HF_OK) {
        status = add_header(sink, "authorization", signature.made.authorization);
    }
    if (status == HF_OK) {
        status = add_header(sink, "x-amz-date", signature.made.date);
    }
    if (status == HF_OK && signature.token[0] != '\0') {
        status = add_header(sink, "x-amz-security-token", signature.token);
    }
    return status == HF_OK ? HF_OK : HF_UNAUTHENTICATED; /* no fault of the data */
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
    hf_aws_session_refused(sigv4->session);
}

static void on_failed(void *user, const char *why)
{
    const struct sigv4 *sigv4 = user;
    hf_node_log(sigv4->node, HF_LOG_WARN, "no credentials of AWS: %s", why);
}

static enum hf_status start_sigv4(void *self, char *reterr)
{
    struct sigv4 *sigv4 = self;
    return hf_aws_session_start(sigv4->session, reterr);
}

static void stop_sigv4(void *self)
{
    struct sigv4 *sigv4 = self;
    hf_aws_session_stop(sigv4->session);
}

static void close_sigv4(void *self)
{
    struct sigv4 *sigv4 = self;
    hf_aws_session_free(sigv4->session);
    free(sigv4);
}

static enum hf_status open_sigv4(struct hf_node *node, const void *config, void **ret_self,
                                 char *reterr)
{
    struct sigv4 *sigv4 = calloc(1, sizeof(*sigv4));
    if (sigv4 == NULL) {
        snprintf(reterr, HF_ERROR_MAX, "no memory for the extension");
        return HF_NOMEM;
    }
    sigv4->node = node;
    sigv4->config = config;
    const struct hf_aws_session_options options = {
        .role = &sigv4->config->role, .on_failed = on_failed, .user = sigv4};
    enum hf_status status = hf_aws_session_new(&options, &sigv4->session, reterr);
    if (status != HF_OK) {
        free(sigv4);
        return status;
    }
    *ret_self = sigv4;
    return HF_OK;
}

static const char *check_config(const void *from)
{
    const struct sigv4_config *config = from;
    return given(config->role.web_identity_token_file) && !given(config->role.arn)
               ? "assume_role::web_identity_token_file needs assume_role::arn"
               : NULL;
}

/* The chain is asked once, as it is at the start. */
static void probe_outside(const void *from, struct hf_probe *probe)
{
    const struct sigv4_config *config = from;
    const struct hf_http_client_options options = {.response_bytes_max = (size_t)1 << 20};
    struct hf_http_fetcher *fetcher = NULL;
    struct hf_aws_credentials credentials = {0};
    char why[HF_ERROR_MAX] = "";
    hf_probe_read(probe, config->role.web_identity_token_file);
    enum hf_status status = hf_http_fetcher_new(&options, &fetcher, why);
    if (status == HF_OK) {
        status = hf_aws_credentials_find(fetcher, &config->role, &credentials, why);
    }
    const char *role = given(config->role.arn) ? config->role.arn : "AWS";
    hf_probe_say(probe, "credentials", role, status == HF_OK ? HF_PROBE_OK : HF_PROBE_FAILED, "%s",
                 status == HF_OK ? "found" : why);
    explicit_bzero(&credentials, sizeof(credentials));
    hf_http_fetcher_free(fetcher);
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
     .help = "The region that requests go to; absent: the second label of the host, as in "
             "aps-workspaces.eu-west-1.amazonaws.com."},
    {.key = "service",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct sigv4_config, service),
     .help = "The service that they go to: aps, es, logs, xray, monitoring; absent: as the host "
             "begins, for aps-workspaces, search-, logs., xray. and monitoring."},
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
    .probe = probe_outside,
    .open = open_sigv4,
    .start = start_sigv4,
    .stop = stop_sigv4,
    .close = close_sigv4,
    .extension = &extension_ops,
};
