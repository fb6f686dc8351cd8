#include "service.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "texts.h"
#include "util/arena.h"
#include "util/digest.h"
#include "json/json.h"

#define ERROR_MAX 512u
#define ANSWER_ARENA_BYTES ((size_t)64 << 10)

struct hf_aws_service {
    struct hf_aws_service_options options;
    struct hf_http_client *http;
    char url[HF_AWS_URL_MAX]; /* without a slash at its end */
    struct hf_arena arena;    /* for the answer that is read */
};

/* ---- addresses ---- */

bool hf_aws_service_url(const char *name, const char *region, const char *endpoint,
                        char ret_url[HF_AWS_URL_MAX])
{
    int made;
    if (endpoint == NULL || endpoint[0] == '\0') {
        bool is_china = strncmp(region, "cn-", 3) == 0;
        made = snprintf(ret_url, HF_AWS_URL_MAX, "https://%s.%s.amazonaws.com%s", name, region,
                        is_china ? ".cn" : "");
    } else {
        bool has_scheme = strstr(endpoint, "://") != NULL;
        made = snprintf(ret_url, HF_AWS_URL_MAX, "%s%s", has_scheme ? "" : "https://", endpoint);
    }
    if (made <= 0 || (size_t)made >= HF_AWS_URL_MAX) {
        return false;
    }
    for (size_t size = (size_t)made; size != 0 && ret_url[size - 1] == '/'; size--) {
        ret_url[size - 1] = '\0';
    }
    return true;
}

enum hf_status hf_aws_service_new(const struct hf_aws_service_options *options,
                                  struct hf_aws_service **ret_service, char *reterr)
{
    struct hf_aws_service *service = calloc(1, sizeof(*service));
    if (service == NULL) {
        snprintf(reterr, ERROR_MAX, "no memory for the client of %s", options->name);
        return HF_NOMEM;
    }
    service->options = *options;
    service->arena.limit = ANSWER_ARENA_BYTES;
    if (!hf_aws_service_url(options->name, options->region, options->endpoint, service->url) ||
        !hf_http_is_url(service->url)) {
        snprintf(reterr, ERROR_MAX, "endpoint: \"%.200s\" is no URL of a service",
                 options->endpoint != NULL ? options->endpoint : options->region);
        hf_aws_service_free(service);
        return HF_INVALID;
    }
    if (options->loop == NULL) {
        *ret_service = service;
        return HF_OK;
    }
    struct hf_http_client_options http = options->http;
    http.loop = options->loop;
    http.user_agent = options->user_agent;
    http.response_bytes_max = options->response_bytes_max;
    http.follow = HF_HTTP_FOLLOW_NONE; /* a signature is for one host */
    enum hf_status status = hf_http_client_new(&http, &service->http, reterr);
    if (status != HF_OK) {
        hf_aws_service_free(service);
        return status;
    }
    *ret_service = service;
    return HF_OK;
}

void hf_aws_service_free(struct hf_aws_service *service)
{
    if (service == NULL) {
        return;
    }
    if (service->http != NULL) {
        hf_http_client_free(service->http);
    }
    hf_arena_release(&service->arena);
    free(service);
}

/* ---- answers ---- */

static const struct {
    const char *error;
    enum hf_status status;
} words[] = {
    {"Throttling", HF_BUSY},
    {"ThrottlingException", HF_BUSY},
    {"ThrottledException", HF_BUSY},
    {"TooManyRequestsException", HF_BUSY},
    {"LimitExceededException", HF_BUSY},
    {"ServiceUnavailable", HF_BUSY},
    {"ServiceUnavailableException", HF_BUSY},
    {"OperationAbortedException", HF_AGAIN},
    {"InvalidSequenceTokenException", HF_AGAIN},
    {"RequestTimeTooSkewed", HF_UNAUTHENTICATED},
    {"RequestExpired", HF_UNAUTHENTICATED},
    {"ExpiredToken", HF_UNAUTHENTICATED},
    {"ExpiredTokenException", HF_UNAUTHENTICATED},
    {"UnrecognizedClientException", HF_UNAUTHENTICATED},
    {"InvalidClientTokenId", HF_UNAUTHENTICATED},
    {"InvalidSignatureException", HF_UNAUTHENTICATED},
    {"SignatureDoesNotMatch", HF_UNAUTHENTICATED},
    {"IncompleteSignature", HF_UNAUTHENTICATED},
    {"IncompleteSignatureException", HF_UNAUTHENTICATED},
    {"MissingAuthenticationToken", HF_UNAUTHENTICATED},
    {"MissingAuthenticationTokenException", HF_UNAUTHENTICATED},
    {"AuthFailure", HF_UNAUTHENTICATED},
    {"AccessDenied", HF_FORBIDDEN},
    {"AccessDeniedException", HF_FORBIDDEN},
    {"OptInRequired", HF_FORBIDDEN},
    {"NotAuthorized", HF_FORBIDDEN},
    {"ResourceNotFoundException", HF_NOT_FOUND},
    {"ResourceAlreadyExistsException", HF_EXISTS},
    {"DataAlreadyAcceptedException", HF_EXISTS},
    {"InvalidParameterException", HF_INVALID},
    {"InvalidRequestException", HF_INVALID},
    {"ValidationException", HF_INVALID},
    {"ValidationError", HF_INVALID},
    {"SerializationException", HF_INVALID},
    {"RequestEntityTooLargeException", HF_TOO_LARGE},
    {"RequestTooLargeException", HF_TOO_LARGE},
    {"UnknownOperationException", HF_UNSUPPORTED},
};

enum hf_status hf_aws_error_status(const char *error)
{
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcmp(words[i].error, error) == 0) {
            return words[i].status;
        }
    }
    return HF_OK;
}

static enum hf_status status_of_code(int code)
{
    switch (code) {
    case 400:
        return HF_INVALID;
    case 401:
        return HF_UNAUTHENTICATED;
    case 403:
        return HF_FORBIDDEN;
    case 404:
        return HF_UNSUPPORTED; /* no such service there */
    case 413:
        return HF_TOO_LARGE;
    case 429:
    case 503:
        return HF_BUSY;
    default:
        return code >= 500 || code == 408 ? HF_AGAIN : HF_UNSUPPORTED;
    }
}

/* "com.amazonaws.logs#ThrottlingException" and "ThrottlingException:http://..." are that name. */
static void put_name(struct hf_slice text, char ret_name[HF_AWS_ERROR_NAME_MAX])
{
    const uint8_t *hash = text.size != 0 ? memchr(text.data, '#', text.size) : NULL;
    if (hash != NULL) {
        text = hf_slice_of(hash + 1, text.size - (size_t)(hash + 1 - text.data));
    }
    const uint8_t *colon = text.size != 0 ? memchr(text.data, ':', text.size) : NULL;
    text.size = colon != NULL ? (size_t)(colon - text.data) : text.size;
    if (!aws_put_slice(text, ret_name, HF_AWS_ERROR_NAME_MAX)) {
        ret_name[0] = '\0';
    }
}

static void read_error(struct hf_aws_service *service, const struct hf_http_result *answer,
                       struct hf_aws_result *ret)
{
    const struct hf_json *root = NULL;
    const char *header = hf_http_result_header(answer, "x-amzn-ErrorType");
    char why[HF_JSON_ERROR_MAX];
    if (header != NULL) {
        put_name(hf_slice_text(header), ret->error);
    }
    hf_arena_reset(&service->arena);
    if (hf_json_read(answer->body, &service->arena, &root, why) != HF_OK) {
        root = NULL;
    }
    if (ret->error[0] == '\0') {
        struct hf_slice type = hf_json_text_of(root, "__type");
        put_name(type.size != 0 ? type : hf_json_text_of(root, "code"), ret->error);
    }
    struct hf_slice text = hf_json_text_of(root, "message");
    text = text.size != 0 ? text : hf_json_text_of(root, "Message");
    if (ret->error[0] == '\0' && text.size == 0) {
        snprintf(ret->message, sizeof(ret->message), "HTTP status %d", answer->code);
    } else {
        snprintf(ret->message, sizeof(ret->message), "%s%s%.*s",
                 ret->error[0] != '\0' ? ret->error : "HTTP error", text.size != 0 ? ": " : "",
                 (int)(text.size < 200 ? text.size : 200), (const char *)text.data);
    }
}

static void judge(struct hf_aws_service *service, const struct hf_http_result *answer,
                  struct hf_aws_result *ret)
{
    read_error(service, answer, ret);
    enum hf_status known = hf_aws_error_status(ret->error);
    ret->status = known != HF_OK ? known : status_of_code(answer->code);
    if (ret->status == HF_UNAUTHENTICATED) {
        hf_aws_session_refused(service->options.session);
    }
    if (answer->has_retry_after) {
        ret->retry_after_ns = answer->retry_after_ns;
    }
}

static void on_done(struct hf_http_call *http, const struct hf_http_result *answer)
{
    struct hf_aws_call *call = HF_CONTAINER(http, struct hf_aws_call, http);
    struct hf_aws_result result = {
        .status = answer->status, .code = answer->code, .body = answer->body};
    if (answer->status != HF_OK) {
        snprintf(result.message, sizeof(result.message), "%s",
                 answer->error != NULL ? answer->error : "no answer");
    } else if (answer->code < 200 || answer->code >= 300) {
        judge(call->service, answer, &result);
    }
    call->done(call, &result);
}

/* ---- calls ---- */

static void add_header(struct hf_aws_call *call, size_t *count, const char *name, const char *value)
{
    if (value != NULL && value[0] != '\0') {
        call->sent[(*count)++] = (struct hf_header){hf_slice_text(name), hf_slice_text(value)};
    }
}

static enum hf_status prepare(struct hf_aws_service *service, struct hf_aws_call *call,
                              size_t *ret_headers)
{
    size_t count = 0;
    int made = snprintf(call->url, sizeof(call->url), "%s%s", service->url, call->path);
    if (made < 0 || (size_t)made >= sizeof(call->url)) {
        return HF_UNSUPPORTED;
    }
    add_header(call, &count, "x-amz-target", call->target);
    const struct hf_sigv4_request request = {
        .method = "POST",
        .url = call->url,
        .region = service->options.region,
        .service = service->options.name,
        .headers = call->sent,
        .header_count = count,
        .payload_sha256 = call->payload_sha256,
    };
    call->payload_sha256[HF_SHA256_HEX_SIZE] = '\0';
    enum hf_status status =
        hf_digest_sha256_pieces(call->pieces, call->piece_count, call->payload_sha256);
    if (status == HF_OK) {
        status = hf_aws_session_sign(service->options.session, &request, &call->signature);
    }
    if (status != HF_OK) {
        return HF_UNAUTHENTICATED;
    }
    add_header(call, &count, "x-amzn-logs-format", call->format);
    add_header(call, &count, "x-amz-date", call->signature.made.date);
    add_header(call, &count, "authorization", call->signature.made.authorization);
    add_header(call, &count, "x-amz-security-token", call->signature.token);
    *ret_headers = count;
    return HF_OK;
}

static struct hf_aws_result unsent(enum hf_status status)
{
    struct hf_aws_result result = {.status = status};
    snprintf(result.message, sizeof(result.message), "%s",
             status == HF_UNSUPPORTED ? "endpoint: the URL is too long"
                                      : "there are no credentials of AWS to sign with");
    return result;
}

void hf_aws_call(struct hf_aws_service *service, struct hf_aws_call *call)
{
    size_t count = 0;
    call->service = service;
    enum hf_status status = prepare(service, call, &count);
    if (status != HF_OK) {
        const struct hf_aws_result result = unsent(status);
        call->done(call, &result);
        return;
    }
    call->http = (struct hf_http_call){
        .method = "POST",
        .url = call->url,
        .content_type = call->content_type,
        .pieces = call->pieces,
        .piece_count = call->piece_count,
        .headers = call->sent,
        .header_count = count,
        .deadline_ns = call->deadline_ns,
        .done = on_done,
    };
    hf_http_client_call(service->http, &call->http);
}

struct hf_aws_result hf_aws_fetch(struct hf_aws_service *service, struct hf_http_fetcher *fetcher,
                                  struct hf_aws_call *call, uint64_t timeout_ns,
                                  struct hf_http_fetched *fetched)
{
    size_t count = 0;
    enum hf_status status = prepare(service, call, &count);
    if (status != HF_OK) {
        return unsent(status);
    }
    const struct hf_http_fetch fetch = {.method = "POST",
                                        .url = call->url,
                                        .content_type = call->content_type,
                                        .body = call->piece_count != 0 ? call->pieces[0]
                                                                       : HF_EMPTY_SLICE,
                                        .headers = call->sent,
                                        .header_count = count,
                                        .timeout_ns = timeout_ns};
    fetched->body.size = 0;
    struct hf_aws_result result = {.status = hf_http_fetch(fetcher, &fetch, fetched)};
    result.code = fetched->code;
    result.body = hf_slice_of(fetched->body.data, fetched->body.size);
    if (result.status != HF_OK) {
        snprintf(result.message, sizeof(result.message), "%.250s", fetched->why);
    } else if (fetched->code < 200 || fetched->code >= 300) {
        const struct hf_http_result answer = {
            .status = HF_OK, .code = fetched->code, .body = result.body};
        judge(service, &answer, &result);
    }
    return result;
}
