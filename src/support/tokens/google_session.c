#include "google_session.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#include "assertion.h"
#include "google_credentials.h"
#include "oauth_answer.h"
#include "pdata/json_write.h"
#include "util/header_text.h"
#include "util/time/clock.h"
#include "util/tls/jwt.h"
#include "json/json.h"

#define TIMEOUT_NS (15 * HF_NS_PER_S)
#define BUFFER_NS (225 * HF_NS_PER_S) /* what the metadata server renews its own tokens before */
#define METADATA_HOST "metadata.google.internal"
#define LIFE_S 3600u
#define ID_TOKEN_LIFE_NS (3600 * HF_NS_PER_S)
#define URL_MAX 2048u

struct hf_google_session {
    struct hf_google_session_options options;
    struct hf_http_fetcher *fetcher;
    struct hf_token_keeper *keeper;
    pthread_mutex_t lock; /* of `facts` */
    struct hf_google_facts facts;
};

static bool given(const char *text)
{
    return text != NULL && text[0] != '\0';
}

static bool wants_id(const struct hf_google_session *session)
{
    return given(session->options.audience);
}

/* ---- requests ---- */

static enum hf_status fetch(struct hf_google_session *session, const struct hf_http_fetch *request,
                            struct hf_http_fetched *fetched, char *reterr)
{
    enum hf_status status = hf_http_fetch(session->fetcher, request, fetched);
    if (status != HF_OK) {
        snprintf(reterr, HF_ERROR_MAX, "%.200s: %.250s", request->url, fetched->why);
        return status;
    }
    if (fetched->code != 200) {
        hf_oauth_say_refusal(fetched, request->url, reterr);
        return HF_UNAUTHENTICATED;
    }
    return HF_OK;
}

static enum hf_status post_form(struct hf_google_session *session, struct hf_slice url,
                                const struct hf_bytes *form, struct hf_token *ret_token,
                                char *reterr)
{
    struct hf_http_fetched fetched = {0};
    const struct hf_header headers[] = {
        {hf_slice_text("accept"), hf_slice_text("application/json")}};
    const struct hf_http_fetch request = {
        .method = "POST",
        .url = (const char *)url.data,
        .content_type = "application/x-www-form-urlencoded",
        .body = hf_slice_of(form->data, form->size),
        .headers = headers,
        .header_count = 1,
        .timeout_ns = TIMEOUT_NS,
    };
    enum hf_status status = fetch(session, &request, &fetched, reterr);
    if (status == HF_OK) {
        status = hf_oauth_read_answer(hf_slice_of(fetched.body.data, fetched.body.size),
                                      wants_id(session) ? "id_token" : "access_token", ret_token,
                                      reterr);
    }
    if (status == HF_OK && wants_id(session) && !ret_token->has_end) {
        ret_token->has_end = true;
        ret_token->life_ns = ID_TOKEN_LIFE_NS;
    }
    if (fetched.body.data != NULL) {
        explicit_bzero(fetched.body.data, fetched.body.size);
    }
    hf_bytes_release(&fetched.body);
    return status;
}

/* ---- a key that signs ---- */

static enum hf_status put_scopes(const struct hf_google_session *session, struct hf_bytes *out)
{
    const struct hf_string_list *scopes = &session->options.scopes;
    enum hf_status status = HF_OK;
    for (size_t i = 0; i < scopes->count && status == HF_OK; i++) {
        status = i != 0 ? hf_bytes_append(out, hf_slice_text(" ")) : HF_OK;
        status = status == HF_OK ? hf_bytes_append(out, hf_slice_text(scopes->items[i])) : status;
    }
    return status;
}

static enum hf_status make_assertion(const struct hf_google_session *session,
                                     const struct hf_google_credentials *credentials,
                                     struct hf_bytes *out)
{
    struct hf_bytes scopes = {0};
    enum hf_status status = put_scopes(session, &scopes);
    const struct hf_assertion assertion = {
        .algorithm = "RS256",
        .key = credentials->private_key,
        .key_id = credentials->private_key_id,
        .issuer = credentials->client_email,
        .audience = credentials->token_uri,
        .scope = wants_id(session) ? HF_EMPTY_SLICE : hf_slice_of(scopes.data, scopes.size),
        .target_audience =
            wants_id(session) ? hf_slice_text(session->options.audience) : HF_EMPTY_SLICE,
        .life_s = LIFE_S,
    };
    status = status == HF_OK ? hf_assertion_make(&assertion, out) : status;
    hf_bytes_release(&scopes);
    return status;
}

static enum hf_status ask_as_service(struct hf_google_session *session,
                                     const struct hf_google_credentials *credentials,
                                     struct hf_token *ret_token, char *reterr)
{
    struct hf_bytes assertion = {0}, form = {0};
    enum hf_status status = make_assertion(session, credentials, &assertion);
    if (status == HF_INVALID) {
        snprintf(reterr, HF_ERROR_MAX,
                 "the private_key of the Google credentials is no RSA key in PEM");
    }
    status = status == HF_OK
                 ? hf_oauth_put_form(&form, "grant_type", hf_slice_text(HF_ASSERTION_GRANT))
                 : status;
    status = status == HF_OK ? hf_oauth_put_form(&form, "assertion",
                                                 hf_slice_of(assertion.data, assertion.size))
                             : status;
    if (status == HF_OK) {
        status = post_form(session, credentials->token_uri, &form, ret_token, reterr);
    }
    hf_bytes_release(&assertion);
    hf_bytes_release(&form);
    return status;
}

/* ---- a person ---- */

static enum hf_status ask_as_user(struct hf_google_session *session,
                                  const struct hf_google_credentials *credentials,
                                  struct hf_token *ret_token, char *reterr)
{
    struct hf_bytes form = {0};
    const struct {
        const char *key;
        struct hf_slice value;
    } pairs[] = {{"grant_type", hf_slice_text("refresh_token")},
                 {"client_id", credentials->client_id},
                 {"client_secret", credentials->client_secret},
                 {"refresh_token", credentials->refresh_token}};
    enum hf_status status = HF_OK;
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]) && status == HF_OK; i++) {
        status = hf_oauth_put_form(&form, pairs[i].key, pairs[i].value);
    }
    if (status == HF_OK) {
        status = post_form(session, credentials->token_uri, &form, ret_token, reterr);
    }
    if (form.data != NULL) {
        explicit_bzero(form.data, form.size);
    }
    hf_bytes_release(&form);
    return status;
}

/* ---- the metadata server ---- */

/* What stands at that path, of the machine. */
static enum hf_status ask_metadata(struct hf_google_session *session, const char *path,
                                   struct hf_http_fetched *fetched, char *reterr)
{
    const char *host = getenv("GCE_METADATA_HOST");
    char url[URL_MAX];
    const struct hf_header headers[] = {
        {hf_slice_text("metadata-flavor"), hf_slice_text("Google")}};
    int size = snprintf(url, sizeof(url), "http://%s/computeMetadata/v1/%s",
                        given(host) ? host : METADATA_HOST, path);
    const struct hf_http_fetch request = {.method = "GET",
                                          .url = url,
                                          .headers = headers,
                                          .header_count = 1,
                                          .timeout_ns = TIMEOUT_NS};
    if (size < 0 || (size_t)size >= sizeof(url)) {
        snprintf(reterr, HF_ERROR_MAX, "the scopes or the audience are too long");
        return HF_INVALID;
    }
    fetched->body.size = 0;
    return fetch(session, &request, fetched, reterr);
}

/* A text of the metadata server may end with a line's end. */
static struct hf_slice line_of(struct hf_slice text)
{
    text = hf_header_trim(text);
    while (text.size != 0 &&
           (text.data[text.size - 1] == '\n' || text.data[text.size - 1] == '\r')) {
        text.size--;
    }
    return text;
}

static enum hf_status put_identity(const struct hf_http_fetched *fetched,
                                   struct hf_token *ret_token, char *reterr)
{
    struct hf_slice token = line_of(hf_slice_of(fetched->body.data, fetched->body.size));
    int size = snprintf(ret_token->header, sizeof(ret_token->header), "Bearer %.*s",
                        (int)token.size, token.size != 0 ? (const char *)token.data : "");
    ret_token->has_end = true;
    ret_token->life_ns = ID_TOKEN_LIFE_NS;
    if (token.size == 0 || !hf_header_is_value(token) || size < 0 ||
        (size_t)size >= sizeof(ret_token->header)) {
        snprintf(reterr, HF_ERROR_MAX, "the metadata server answered with no ID token");
        return HF_INVALID;
    }
    return HF_OK;
}

static enum hf_status ask_the_machine(struct hf_google_session *session, struct hf_token *ret_token,
                                      char *reterr)
{
    struct hf_bytes path = {0}, scopes = {0};
    struct hf_http_fetched fetched = {0};
    bool is_id = wants_id(session);
    enum hf_status status = put_scopes(session, &scopes);
    for (size_t i = 0; i < scopes.size; i++) {
        scopes.data[i] = scopes.data[i] == ' ' ? ',' : scopes.data[i];
    }
    struct hf_slice value =
        is_id ? hf_slice_text(session->options.audience) : hf_slice_of(scopes.data, scopes.size);
    const char *what = is_id ? "instance/service-accounts/default/identity?format=full&audience="
                             : "instance/service-accounts/default/token?scopes=";
    status = status == HF_OK ? hf_bytes_append(&path, hf_slice_text(what)) : status;
    status = status == HF_OK ? hf_oauth_escape(&path, value) : status;
    status = status == HF_OK ? hf_bytes_append(&path, hf_slice_of("", 1)) : status;
    status =
        status == HF_OK ? ask_metadata(session, (const char *)path.data, &fetched, reterr) : status;
    if (status == HF_OK) {
        status = is_id ? put_identity(&fetched, ret_token, reterr)
                       : hf_oauth_read_answer(hf_slice_of(fetched.body.data, fetched.body.size),
                                              "access_token", ret_token, reterr);
    }
    hf_bytes_release(&path);
    hf_bytes_release(&scopes);
    hf_bytes_release(&fetched.body);
    return status;
}

/* ---- what is found with the token ---- */

static void keep(char room[HF_GOOGLE_NAME_MAX], struct hf_slice text)
{
    text = line_of(text);
    if (text.size != 0 && hf_header_is_value(text)) {
        snprintf(room, HF_GOOGLE_NAME_MAX, "%.*s", (int)text.size, (const char *)text.data);
    }
}

/* "projects/123/zones/europe-west1-b" is in europe-west1. */
static void keep_region(char room[HF_GOOGLE_NAME_MAX], struct hf_slice zone)
{
    char text[HF_GOOGLE_NAME_MAX] = "";
    keep(text, zone);
    const char *name = strrchr(text, '/');
    name = name != NULL ? name + 1 : text;
    const char *end = strrchr(name, '-');
    if (end != NULL) {
        snprintf(room, HF_GOOGLE_NAME_MAX, "%.*s", (int)(end - name), name);
    }
}

static void find_facts(struct hf_google_session *session,
                       const struct hf_google_credentials *credentials)
{
    const struct hf_google_session_options *options = &session->options;
    const char *named = getenv("GOOGLE_CLOUD_PROJECT");
    struct hf_http_fetched fetched = {0};
    struct hf_google_facts facts = {.project = ""};
    char ignored[HF_ERROR_MAX];
    keep(facts.quota_project, credentials->quota_project_id);
    keep(facts.quota_project,
         hf_slice_text(options->quota_project != NULL ? options->quota_project : ""));
    keep(facts.project, credentials->project_id);
    keep(facts.project, hf_slice_text(named != NULL ? named : ""));
    keep(facts.project, hf_slice_text(options->project != NULL ? options->project : ""));
    bool is_machine = credentials->kind == HF_GOOGLE_METADATA;
    if (is_machine && facts.project[0] == '\0' &&
        ask_metadata(session, "project/project-id", &fetched, ignored) == HF_OK) {
        keep(facts.project, hf_slice_of(fetched.body.data, fetched.body.size));
    }
    if (is_machine && options->wants_zone &&
        ask_metadata(session, "instance/zone", &fetched, ignored) == HF_OK) {
        keep_region(facts.region, hf_slice_of(fetched.body.data, fetched.body.size));
    }
    hf_bytes_release(&fetched.body);
    pthread_mutex_lock(&session->lock);
    session->facts = facts;
    pthread_mutex_unlock(&session->lock);
}

/* ---- the keeper's thread ---- */

static enum hf_status fetch_token(void *user, struct hf_token *ret_token, char *reterr)
{
    struct hf_google_session *session = user;
    struct hf_google_credentials credentials;
    enum hf_status status = hf_google_credentials_find(&credentials, reterr);
    if (status == HF_OK) {
        status = credentials.kind == HF_GOOGLE_SERVICE_ACCOUNT
                     ? ask_as_service(session, &credentials, ret_token, reterr)
                 : credentials.kind == HF_GOOGLE_USER
                     ? ask_as_user(session, &credentials, ret_token, reterr)
                     : ask_the_machine(session, ret_token, reterr);
    }
    if (status == HF_OK) {
        find_facts(session, &credentials);
    }
    hf_google_credentials_release(&credentials);
    return status;
}

static void wake(void *user)
{
    struct hf_google_session *session = user;
    hf_http_fetcher_stop(session->fetcher);
}

static void on_failed(void *user, const char *why)
{
    const struct hf_google_session *session = user;
    hf_node_log(session->options.node, HF_LOG_WARN, "no token of Google Cloud: %s", why);
}

/* ---- what senders ask ---- */

enum hf_status hf_google_session_add(struct hf_google_session *session, const char *header,
                                     struct hf_header_sink *sink)
{
    return hf_token_keeper_add(session->keeper, header, sink);
}

bool hf_google_session_copy(struct hf_google_session *session, char ret_header[HF_TOKEN_MAX])
{
    return hf_token_keeper_copy(session->keeper, ret_header);
}

void hf_google_session_refused(struct hf_google_session *session)
{
    hf_token_keeper_refused(session->keeper);
}

void hf_google_session_explain(struct hf_google_session *session, char *ret_text, size_t room)
{
    hf_token_keeper_explain(session->keeper, ret_text, room);
}

void hf_google_session_look(struct hf_google_session *session, struct hf_google_facts *ret_facts)
{
    pthread_mutex_lock(&session->lock);
    *ret_facts = session->facts;
    pthread_mutex_unlock(&session->lock);
}

/* ---- life ---- */

enum hf_status hf_google_session_new(const struct hf_google_session_options *options,
                                     struct hf_google_session **ret_session, char *reterr)
{
    struct hf_google_session *session = calloc(1, sizeof(*session));
    if (session == NULL) {
        snprintf(reterr, HF_ERROR_MAX, "no memory for the tokens");
        return HF_NOMEM;
    }
    session->options = *options;
    pthread_mutex_init(&session->lock, NULL);
    const struct hf_token_keeper_options keeper = {
        .fetch = fetch_token,
        .wake = wake,
        .on_failed = on_failed,
        .buffer_ns = BUFFER_NS,
        .user = session,
    };
    const struct hf_http_client_options http = {.user_agent = NULL};
    snprintf(reterr, HF_ERROR_MAX, "no memory for the tokens");
    enum hf_status status = hf_token_keeper_new(&keeper, &session->keeper);
    status = status == HF_OK ? hf_http_fetcher_new(&http, &session->fetcher, reterr) : status;
    if (status != HF_OK) {
        hf_google_session_free(session);
        return status;
    }
    *ret_session = session;
    return HF_OK;
}

enum hf_status hf_google_session_start(struct hf_google_session *session, char *reterr)
{
    enum hf_status status = hf_token_keeper_start(session->keeper, reterr);
    if (status == HF_OK) {
        hf_token_keeper_wait(session->keeper, hf_clock_monotonic_ns() + HF_TOKEN_START_WAIT_NS);
    }
    return status;
}

void hf_google_session_stop(struct hf_google_session *session)
{
    hf_token_keeper_stop(session->keeper);
}

void hf_google_session_free(struct hf_google_session *session)
{
    if (session == NULL) {
        return;
    }
    hf_token_keeper_free(session->keeper);
    hf_http_fetcher_free(session->fetcher);
    pthread_mutex_destroy(&session->lock);
    free(session);
}
