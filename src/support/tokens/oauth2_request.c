#include "oauth2_request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <holdfast/component.h>

#include "assertion.h"
#include "http/client.h"
#include "oauth_answer.h"
#include "pdata/json_value.h"
#include "util/file_watch.h"
#include "util/time/clock.h"

#define TIMEOUT_DEFAULT_NS (30 * HF_NS_PER_S)
#define ASSERTION_LIFE_S 1800u
#define ASSERTION_ID_SIZE 16u

static bool given(const char *text)
{
    return text != NULL && text[0] != '\0';
}

/* ---- forms ---- */

static bool has_param(const struct hf_oauth2_config *config, const char *name)
{
    bool found = false;
    for (size_t i = 0; i < config->endpoint_params.count; i++) {
        found = found || strcmp(config->endpoint_params.keys[i], name) == 0;
    }
    return found;
}

static enum hf_status join_scopes(struct hf_bytes *out, const struct hf_string_list *scopes)
{
    enum hf_status status = HF_OK;
    for (size_t i = 0; i < scopes->count && status == HF_OK; i++) {
        status = i != 0 ? hf_bytes_append(out, hf_slice_text(" ")) : HF_OK;
        status = status == HF_OK ? hf_bytes_append(out, hf_slice_text(scopes->items[i])) : status;
    }
    return status;
}

static enum hf_status put_scopes(struct hf_bytes *out, const struct hf_string_list *scopes)
{
    struct hf_bytes joined = {0};
    enum hf_status status = join_scopes(&joined, scopes);
    if (status == HF_OK && joined.size != 0) {
        status = hf_oauth_put_form(out, "scope", hf_slice_of(joined.data, joined.size));
    }
    hf_bytes_release(&joined);
    return status;
}

/* Unless endpoint_params has one for a server that calls it otherwise. */
static enum hf_status put_grant(struct hf_bytes *out, const struct hf_oauth2_config *config,
                                const char *grant)
{
    return has_param(config, "grant_type")
               ? HF_OK
               : hf_oauth_put_form(out, "grant_type", hf_slice_text(grant));
}

/* Each value is a text or a list of texts. */
static enum hf_status put_params(struct hf_bytes *out, const struct hf_value *params)
{
    enum hf_status status = HF_OK;
    for (size_t i = 0; i < params->count && status == HF_OK; i++) {
        const struct hf_value *value = &params->items[i];
        if (value->type != HF_VALUE_LIST) {
            status = hf_oauth_put_form(out, params->keys[i],
                                       hf_slice_text(value->string != NULL ? value->string : ""));
            continue;
        }
        for (size_t j = 0; j < value->count && status == HF_OK; j++) {
            const char *text = value->items[j].string;
            status =
                hf_oauth_put_form(out, params->keys[i], hf_slice_text(text != NULL ? text : ""));
        }
    }
    return status;
}

/* ---- requests ---- */

struct credentials {
    char *id, *secret; /* malloc'd; of an assertion, the key */
};

static void release(struct credentials *credentials, struct hf_bytes *form)
{
    if (credentials->secret != NULL) {
        explicit_bzero(credentials->secret, strlen(credentials->secret));
    }
    free(credentials->id);
    free(credentials->secret);
    if (form->data != NULL) {
        explicit_bzero(form->data, form->size);
    }
    hf_bytes_release(form);
}

/* The text, or the content of the file without blanks at its end. */
static enum hf_status read_one(const char *text, const char *path, char **ret_text, char *reterr)
{
    if (path == NULL || path[0] == '\0') {
        *ret_text = strdup(text != NULL ? text : "");
        if (*ret_text == NULL) {
            snprintf(reterr, HF_ERROR_MAX, "no memory");
            return HF_NOMEM;
        }
        return HF_OK;
    }
    return hf_file_watch_read_secret(path, ret_text, reterr);
}

static enum hf_status make_form(const struct hf_oauth2_config *config,
                                const struct credentials *credentials, enum hf_oauth2_style style,
                                struct hf_bytes *form)
{
    form->size = 0;
    enum hf_status status = put_grant(form, config, "client_credentials");
    status = status == HF_OK ? put_scopes(form, &config->scopes) : status;
    status = status == HF_OK ? put_params(form, &config->endpoint_params) : status;
    if (status == HF_OK && style == HF_OAUTH2_BODY) {
        status = hf_oauth_put_form(form, "client_id", hf_slice_text(credentials->id));
        status = status == HF_OK
                     ? hf_oauth_put_form(form, "client_secret", hf_slice_text(credentials->secret))
                     : status;
    }
    return status;
}

/* "Basic " and base64 of id:secret, each escaped as in a form. */
static enum hf_status make_basic(const struct credentials *credentials, struct hf_bytes *ret)
{
    struct hf_bytes pair = {0};
    enum hf_status status = hf_oauth_escape(&pair, hf_slice_text(credentials->id));
    status = status == HF_OK ? hf_bytes_append(&pair, hf_slice_text(":")) : status;
    status = status == HF_OK ? hf_oauth_escape(&pair, hf_slice_text(credentials->secret)) : status;
    status = status == HF_OK ? hf_bytes_append(ret, hf_slice_text("Basic ")) : status;
    status = status == HF_OK ? hf_bytes_reserve(ret, ret->size + (pair.size + 2) / 3 * 4) : status;
    if (status == HF_OK) {
        ret->size +=
            hf_json_print_base64(hf_slice_of(pair.data, pair.size), (char *)ret->data + ret->size);
    }
    hf_bytes_release(&pair);
    return status;
}

/* `basic`: the header authorization; empty: none. */
static enum hf_status post(struct hf_http_fetcher *fetcher, const struct hf_oauth2_config *config,
                           const struct hf_bytes *form, const struct hf_bytes *basic,
                           struct hf_http_fetched *fetched)
{
    struct hf_header headers[2] = {{hf_slice_text("accept"), hf_slice_text("application/json")},
                                   {hf_slice_text("authorization"), HF_EMPTY_SLICE}};
    headers[1].value = hf_slice_of(basic->data, basic->size);
    const struct hf_http_fetch fetch = {
        .method = "POST",
        .url = config->token_url,
        .content_type = "application/x-www-form-urlencoded",
        .body = hf_slice_of(form->data, form->size),
        .headers = headers,
        .header_count = basic->size != 0 ? 2 : 1,
        .timeout_ns = config->timeout_ns != 0 ? config->timeout_ns : TIMEOUT_DEFAULT_NS,
    };
    return hf_http_fetch(fetcher, &fetch, fetched);
}

static enum hf_status ask(struct hf_http_fetcher *fetcher, const struct hf_oauth2_config *config,
                          const struct credentials *credentials, enum hf_oauth2_style style,
                          struct hf_bytes *form, struct hf_http_fetched *fetched)
{
    struct hf_bytes basic = {0};
    enum hf_status status = make_form(config, credentials, style, form);
    if (status == HF_OK && style == HF_OAUTH2_HEADER) {
        status = make_basic(credentials, &basic);
    }
    status = status == HF_OK ? post(fetcher, config, form, &basic, fetched) : status;
    hf_bytes_release(&basic);
    return status;
}

/* Tries the header first, which servers have to know, then the body, which many want. */
static enum hf_status ask_in_a_style(struct hf_http_fetcher *fetcher,
                                     const struct hf_oauth2_config *config,
                                     const struct credentials *credentials,
                                     enum hf_oauth2_style *style, struct hf_bytes *form,
                                     struct hf_http_fetched *fetched)
{
    enum hf_oauth2_style first = *style != HF_OAUTH2_UNKNOWN ? *style : HF_OAUTH2_HEADER;
    enum hf_status status = ask(fetcher, config, credentials, first, form, fetched);
    bool is_refused = status == HF_OK && fetched->code >= 400 && fetched->code < 500;
    if (is_refused && *style == HF_OAUTH2_UNKNOWN) {
        first = HF_OAUTH2_BODY;
        status = ask(fetcher, config, credentials, first, form, fetched);
    }
    if (status == HF_OK && fetched->code >= 200 && fetched->code < 300) {
        *style = first;
    }
    return status;
}

/* ---- an assertion ---- */

static enum hf_status sign_assertion(const struct hf_oauth2_config *config,
                                     const struct credentials *credentials, struct hf_bytes *out)
{
    static const char digits[] = "0123456789abcdef";
    uint8_t random[ASSERTION_ID_SIZE];
    char id[2 * ASSERTION_ID_SIZE];
    struct hf_bytes scopes = {0};
    bool has_id = getrandom(random, sizeof(random), 0) == (ssize_t)sizeof(random);
    for (size_t i = 0; has_id && i < sizeof(random); i++) {
        id[2 * i] = digits[random[i] >> 4];
        id[2 * i + 1] = digits[random[i] & 15];
    }
    enum hf_status status = join_scopes(&scopes, &config->scopes);
    const struct hf_assertion assertion = {
        .algorithm = given(config->jwt.algorithm) ? config->jwt.algorithm : "RS256",
        .key = hf_slice_text(credentials->secret),
        .key_id = hf_slice_text(given(config->jwt.key_id) ? config->jwt.key_id : ""),
        .issuer = hf_slice_text(given(config->jwt.issuer) ? config->jwt.issuer : credentials->id),
        .subject = hf_slice_text(credentials->id),
        .audience =
            hf_slice_text(given(config->jwt.audience) ? config->jwt.audience : config->token_url),
        .scope = hf_slice_of(scopes.data, scopes.size),
        .claims = &config->jwt.claims,
        .id = has_id ? hf_slice_of(id, sizeof(id)) : HF_EMPTY_SLICE,
        .life_s = ASSERTION_LIFE_S,
    };
    status = status == HF_OK ? hf_assertion_make(&assertion, out) : status;
    hf_bytes_release(&scopes);
    return status;
}

static enum hf_status ask_by_assertion(struct hf_http_fetcher *fetcher,
                                       const struct hf_oauth2_config *config,
                                       const struct credentials *credentials, struct hf_bytes *form,
                                       struct hf_http_fetched *fetched)
{
    static const struct hf_bytes no_basic;
    struct hf_bytes assertion = {0};
    enum hf_status status = sign_assertion(config, credentials, &assertion);
    if (status != HF_OK) {
        snprintf(fetched->why, sizeof(fetched->why), "%s",
                 status == HF_INVALID ? "client_certificate_key is no RSA key in PEM"
                                      : "the assertion cannot be signed");
    }
    status = status == HF_OK ? put_grant(form, config, HF_ASSERTION_GRANT) : status;
    status = status == HF_OK
                 ? hf_oauth_put_form(form, "assertion", hf_slice_of(assertion.data, assertion.size))
                 : status;
    status = status == HF_OK ? put_scopes(form, &config->scopes) : status;
    status = status == HF_OK ? put_params(form, &config->endpoint_params) : status;
    status = status == HF_OK ? post(fetcher, config, form, &no_basic, fetched) : status;
    hf_bytes_release(&assertion);
    return status;
}

enum hf_status hf_oauth2_request_token(struct hf_http_fetcher *fetcher,
                                       const struct hf_oauth2_config *config,
                                       enum hf_oauth2_style *style, struct hf_token *ret_token,
                                       char *reterr)
{
    struct credentials credentials = {0};
    struct hf_bytes form = {0};
    struct hf_http_fetched fetched = {0};
    enum hf_status status =
        read_one(config->client_id, config->client_id_file, &credentials.id, reterr);
    bool is_signed = config->grant_type == HF_OAUTH2_JWT_BEARER;
    if (status == HF_OK) {
        status = is_signed
                     ? read_one(config->jwt.key, config->jwt.key_file, &credentials.secret, reterr)
                     : read_one(config->client_secret, config->client_secret_file,
                                &credentials.secret, reterr);
    }
    if (status == HF_OK) {
        status = is_signed ? ask_by_assertion(fetcher, config, &credentials, &form, &fetched)
                           : ask_in_a_style(fetcher, config, &credentials, style, &form, &fetched);
        if (status != HF_OK) {
            snprintf(reterr, HF_ERROR_MAX, "the token endpoint %.200s: %s", config->token_url,
                     fetched.why[0] != '\0' ? fetched.why : "no answer");
        } else if (fetched.code < 200 || fetched.code >= 300) {
            hf_oauth_say_refusal(&fetched, config->token_url, reterr);
            status = fetched.code < 500 ? HF_UNAUTHENTICATED : HF_AGAIN;
        } else {
            status = hf_oauth_read_answer(hf_slice_of(fetched.body.data, fetched.body.size),
                                          "access_token", ret_token, reterr);
        }
    }
    if (fetched.body.data != NULL) {
        explicit_bzero(fetched.body.data, fetched.body.size);
    }
    hf_bytes_release(&fetched.body);
    release(&credentials, &form);
    return status;
}

/* ---- keys ---- */

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

static const char *check_jwt(const struct hf_oauth2_config *config)
{
    const char *algorithm = config->jwt.algorithm;
    if (!given(config->jwt.key) && !given(config->jwt.key_file)) {
        return "no client_certificate_key provided: set client_certificate_key or "
               "client_certificate_key_file";
    }
    if (given(algorithm) && strcmp(algorithm, "RS256") != 0 && strcmp(algorithm, "RS384") != 0 &&
        strcmp(algorithm, "RS512") != 0) {
        return "signature_algorithm: expected RS256, RS384 or RS512";
    }
    if (config->jwt.claims.type != HF_VALUE_NONE && config->jwt.claims.type != HF_VALUE_MAP) {
        return "claims: expected a map of names to values";
    }
    if (has_param(config, "assertion") ||
        (config->scopes.count != 0 && has_param(config, "scope"))) {
        return "endpoint_params: assertion and scope are set by the grant itself";
    }
    return NULL;
}

const char *hf_oauth2_check(const struct hf_oauth2_config *config)
{
    if (!given(config->client_id) && !given(config->client_id_file)) {
        return "no client_id provided: set client_id or client_id_file";
    }
    const char *wrong = config->grant_type == HF_OAUTH2_JWT_BEARER ? check_jwt(config)
                        : !given(config->client_secret) && !given(config->client_secret_file)
                            ? "no client_secret provided: set client_secret or client_secret_file"
                            : NULL;
    if (wrong != NULL) {
        return wrong;
    }
    if (!given(config->token_url) || !hf_http_is_url(config->token_url)) {
        return "token_url: expected the URL of the token endpoint, as https://host/oauth2/token";
    }
    wrong = check_params(&config->endpoint_params);
    return wrong != NULL ? wrong : hf_tls_client_check(&config->tls);
}
