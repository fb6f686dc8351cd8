/*
 * googleclientauth: a token of Google Cloud, by the application default credentials, in the headers
 * of what is sent. A thread fetches it and keeps it valid (support/tokens/google_session.h).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#include "support/tokens/google_session.h"

struct google_config {
    const char *project, *quota_project, *audience;
    struct hf_string_list scopes;
    int64_t token_type, token_header;
};

enum { ACCESS_TOKEN = 0, ID_TOKEN };

static const char *const token_types[] = {"access_token", "id_token", NULL};
static const char *const token_headers[] = {"authorization", "proxy-authorization", NULL};

struct google {
    const struct google_config *config;
    struct hf_google_session *session;
};

static enum hf_status add_one(struct hf_header_sink *sink, const char *name, const char *value)
{
    return value[0] != '\0' ? sink->add(sink, hf_slice_text(name), hf_slice_text(value)) : HF_OK;
}

static enum hf_status add_headers(void *self, struct hf_slice meta, struct hf_header_sink *sink)
{
    struct google *google = self;
    struct hf_google_facts facts;
    (void)meta;
    hf_google_session_look(google->session, &facts);
    enum hf_status status =
        hf_google_session_add(google->session, token_headers[google->config->token_header], sink);
    status = status == HF_OK ? add_one(sink, "x-goog-user-project", facts.quota_project) : status;
    return status == HF_OK ? add_one(sink, "x-goog-project-id", facts.project) : status;
}

static void on_refused(void *self)
{
    struct google *google = self;
    hf_google_session_refused(google->session);
}

static void explain(void *self, char *ret_text, size_t room)
{
    struct google *google = self;
    hf_google_session_explain(google->session, ret_text, room);
}

static enum hf_status start_google(void *self, char *reterr)
{
    struct google *google = self;
    return hf_google_session_start(google->session, reterr);
}

static void stop_google(void *self)
{
    struct google *google = self;
    hf_google_session_stop(google->session);
}

static void close_google(void *self)
{
    struct google *google = self;
    hf_google_session_free(google->session);
    free(google);
}

static enum hf_status open_google(struct hf_node *node, const void *config, void **ret_self,
                                  char *reterr)
{
    struct google *google = calloc(1, sizeof(*google));
    if (google == NULL) {
        snprintf(reterr, HF_ERROR_MAX, "no memory for the extension");
        return HF_NOMEM;
    }
    google->config = config;
    const struct hf_google_session_options options = {
        .node = node,
        .scopes = google->config->scopes,
        .audience = google->config->token_type == ID_TOKEN ? google->config->audience : NULL,
        .project = google->config->project,
        .quota_project = google->config->quota_project,
    };
    enum hf_status status = hf_google_session_new(&options, &google->session, reterr);
    if (status != HF_OK) {
        close_google(google);
        return status;
    }
    *ret_self = google;
    return HF_OK;
}

static const char *check_config(const void *from)
{
    const struct google_config *config = from;
    bool has_audience = config->audience != NULL && config->audience[0] != '\0';
    return config->token_type == ID_TOKEN && !has_audience
               ? "audience must be specified when using the id_token token_type"
               : NULL;
}

#define AT(member) offsetof(struct google_config, member)

static const struct hf_field fields[] = {
    {.key = "project",
     .type = HF_FIELD_STRING,
     .offset = AT(project),
     .help = "The project that telemetry goes to, as x-goog-project-id; absent: "
             "GOOGLE_CLOUD_PROJECT, that of the credentials, or the machine's."},
    {.key = "scopes",
     .type = HF_FIELD_STRING_LIST,
     .offset = AT(scopes),
     .default_text = "https://www.googleapis.com/auth/cloud-platform,"
                     "https://www.googleapis.com/auth/logging.write,"
                     "https://www.googleapis.com/auth/monitoring.write,"
                     "https://www.googleapis.com/auth/trace.append",
     .help = "Permissions to ask for."},
    {.key = "quota_project",
     .type = HF_FIELD_STRING,
     .offset = AT(quota_project),
     .help = "The project that quota and cost are counted for, as x-goog-user-project; absent: "
             "that of the credentials."},
    {.key = "token_type",
     .type = HF_FIELD_ENUM,
     .offset = AT(token_type),
     .choices = token_types,
     .default_text = "access_token",
     .help = "access_token, or id_token, which is for one audience."},
    {.key = "audience",
     .type = HF_FIELD_STRING,
     .offset = AT(audience),
     .help = "Whom an ID token is for."},
    {.key = "token_header",
     .type = HF_FIELD_ENUM,
     .offset = AT(token_header),
     .choices = token_headers,
     .default_text = "authorization",
     .help = "The header of the token; proxy-authorization for endpoints behind the "
             "Identity-Aware Proxy."},
    HF_FIELDS_END,
};

static const struct hf_auth auth = {
    .headers = add_headers, .refused = on_refused, .explain = explain};

static const struct hf_extension_ops extension_ops = {
    .auth = &auth,
};

static void probe_outside(const void *config, struct hf_probe *probe)
{
    (void)config;
    hf_probe_read(probe, getenv("GOOGLE_APPLICATION_CREDENTIALS"));
}

const struct hf_component hf_extension_googleclientauth = {
    .type = "googleclientauth",
    .aliases = (const char *const[]){"google_client_auth", NULL},
    .help = "Sends a token of Google Cloud, by the application default credentials: a service "
            "account's key file, a person's, or the machine's metadata server.",
    .kind = HF_EXTENSION,
    .config_size = sizeof(struct google_config),
    .fields = fields,
    .check = check_config,
    .probe = probe_outside,
    .open = open_google,
    .start = start_google,
    .stop = stop_google,
    .close = close_google,
    .extension = &extension_ops,
};
