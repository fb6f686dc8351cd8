#include "s3.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "texts.h"
#include "util/digest.h"

#define ERROR_MAX 512u

struct hf_s3 {
    struct hf_s3_options options;
    struct hf_http_client *http;
    char scheme[8];     /* "https" */
    char host[512];     /* with the port, and a path behind it when the endpoint has one */
    bool is_path_style; /* whatever the bucket's name is */
};

/* ---- addresses ---- */

static bool is_address(const char *host)
{
    struct in_addr address;
    char name[64];
    size_t size = strcspn(host, ":/");
    if (host[0] == '[') {
        return true;
    }
    snprintf(name, sizeof(name), "%.*s", (int)(size < sizeof(name) ? size : 0), host);
    return inet_pton(AF_INET, name, &address) == 1;
}

/* May the bucket stand as a label in the name of the host? With TLS no dot may be in it. */
static bool is_label(const struct hf_s3 *s3, const char *bucket)
{
    bool is_plain = strcmp(s3->scheme, "http") == 0;
    size_t size = strlen(bucket);
    for (const char *at = bucket; *at != '\0'; at++) {
        bool good = (*at >= 'a' && *at <= 'z') || (*at >= '0' && *at <= '9') || *at == '-' ||
                    (*at == '.' && is_plain);
        if (!good) {
            return false;
        }
    }
    return size >= 3 && size <= 63;
}

static bool is_unreserved(uint8_t byte)
{
    return (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') ||
           (byte >= '0' && byte <= '9') || strchr("-._~/", byte) != NULL;
}

/* False: it does not fit. */
static bool put_escaped(char *room, size_t size, size_t *used, const char *text)
{
    static const char digits[] = "0123456789ABCDEF";
    for (const uint8_t *at = (const uint8_t *)text; *at != 0; at++) {
        if (*used + 4 > size) {
            return false;
        }
        if (is_unreserved(*at)) {
            room[(*used)++] = (char)*at;
        } else {
            room[(*used)++] = '%';
            room[(*used)++] = digits[*at >> 4];
            room[(*used)++] = digits[*at & 15];
        }
    }
    room[*used] = '\0';
    return true;
}

enum hf_status hf_s3_url(const struct hf_s3 *s3, const char *bucket, const char *key,
                         const char *query, char ret_url[HF_S3_URL_MAX])
{
    bool in_path = s3->is_path_style || !is_label(s3, bucket);
    int made = in_path || bucket[0] == '\0'
                   ? snprintf(ret_url, HF_S3_URL_MAX, "%s://%s/", s3->scheme, s3->host)
                   : snprintf(ret_url, HF_S3_URL_MAX, "%s://%s.%s/", s3->scheme, bucket, s3->host);
    size_t used = (size_t)made;
    bool fits = made > 0 && used < HF_S3_URL_MAX;
    if (fits && in_path && bucket[0] != '\0') {
        fits = put_escaped(ret_url, HF_S3_URL_MAX, &used, bucket);
        if (fits && key[0] != '\0') {
            ret_url[used++] = '/';
        }
    }
    fits = fits && put_escaped(ret_url, HF_S3_URL_MAX, &used, key);
    if (fits && query != NULL && query[0] != '\0') {
        made = snprintf(ret_url + used, HF_S3_URL_MAX - used, "?%s", query);
        fits = made > 0 && (size_t)made < HF_S3_URL_MAX - used;
    }
    return fits ? HF_OK : HF_TOO_LARGE;
}

static bool read_endpoint(struct hf_s3 *s3)
{
    const struct hf_s3_options *options = &s3->options;
    const char *endpoint = options->endpoint;
    const char *scheme = options->disable_ssl ? "http" : "https";
    int made;
    if (endpoint == NULL || endpoint[0] == '\0') {
        bool is_china = strncmp(options->region, "cn-", 3) == 0;
        made = snprintf(s3->host, sizeof(s3->host), "s3.%s.amazonaws.com%s", options->region,
                        is_china ? ".cn" : "");
    } else {
        const char *host = strstr(endpoint, "://");
        if (host != NULL) {
            scheme = strncasecmp(endpoint, "http:", 5) == 0 ? "http" : "https";
        }
        host = host != NULL ? host + 3 : endpoint;
        made = snprintf(s3->host, sizeof(s3->host), "%s", host);
    }
    snprintf(s3->scheme, sizeof(s3->scheme), "%s", scheme);
    size_t size = strlen(s3->host);
    while (size != 0 && s3->host[size - 1] == '/') {
        s3->host[--size] = '\0';
    }
    s3->is_path_style = options->force_path_style || is_address(s3->host);
    return made > 0 && (size_t)made < sizeof(s3->host) && size != 0;
}

enum hf_status hf_s3_new(const struct hf_s3_options *options, struct hf_s3 **ret_s3, char *reterr)
{
    struct hf_s3 *s3 = calloc(1, sizeof(*s3));
    if (s3 == NULL) {
        snprintf(reterr, ERROR_MAX, "no memory for the client of S3");
        return HF_NOMEM;
    }
    s3->options = *options;
    if (!read_endpoint(s3)) {
        snprintf(reterr, ERROR_MAX, "endpoint: not the address of a store");
        free(s3);
        return HF_INVALID;
    }
    const struct hf_http_client_options http = {
        .loop = options->loop,
        .user_agent = options->user_agent,
        .follow = HF_HTTP_FOLLOW_NONE, /* a signature is for one host */
        .response_bytes_max = options->response_bytes_max,
    };
    enum hf_status status =
        options->loop != NULL ? hf_http_client_new(&http, &s3->http, reterr) : HF_OK;
    if (status != HF_OK) {
        free(s3);
        return status;
    }
    *ret_s3 = s3;
    return HF_OK;
}

void hf_s3_free(struct hf_s3 *s3)
{
    if (s3 != NULL) {
        if (s3->http != NULL) {
            hf_http_client_free(s3->http);
        }
        free(s3);
    }
}

/* ---- answers ---- */

static bool decode_entity(struct hf_slice *at, char *ret)
{
    static const struct {
        const char *name;
        char is;
    } known[] = {{"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''}};
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        size_t size = strlen(known[i].name);
        if (at->size >= size && memcmp(at->data, known[i].name, size) == 0) {
            *at = hf_slice_of(at->data + size, at->size - size);
            *ret = known[i].is;
            return true;
        }
    }
    return false;
}

bool hf_s3_next_text(struct hf_slice *xml, const char *name, char *room, size_t size)
{
    struct hf_slice text = aws_xml_text(*xml, name);
    size_t used = 0;
    if (text.data == NULL || size == 0) {
        return false;
    }
    const uint8_t *end = xml->data + xml->size;
    *xml = hf_slice_of(text.data + text.size, (size_t)(end - text.data) - text.size);
    while (text.size != 0) {
        char byte = (char)text.data[0];
        if (byte != '&' || !decode_entity(&text, &byte)) {
            text = hf_slice_of(text.data + 1, text.size - 1);
        }
        if (used + 1 >= size) {
            return false;
        }
        room[used++] = byte;
    }
    room[used] = '\0';
    return true;
}

/* What S3 says with a code of its own. Content is never the reason. */
static const struct {
    const char *code;
    enum hf_status status;
    bool is_about_credentials;
} words[] = {
    {"ExpiredToken", HF_UNAUTHENTICATED, true},
    {"InvalidAccessKeyId", HF_UNAUTHENTICATED, true},
    {"InvalidToken", HF_UNAUTHENTICATED, true},
    {"SignatureDoesNotMatch", HF_UNAUTHENTICATED, true},
    {"TokenRefreshRequired", HF_UNAUTHENTICATED, true},
    {"EntityTooLarge", HF_TOO_LARGE, false},
    {"KeyTooLongError", HF_INVALID, false},
    {"RequestTimeout", HF_AGAIN, false},
    {"IncompleteBody", HF_AGAIN, false},
    {"BadDigest", HF_AGAIN, false},
    {"XAmzContentSHA256Mismatch", HF_AGAIN, false},
    {"InternalError", HF_AGAIN, false},
    {"SlowDown", HF_BUSY, false},
    {"NoSuchUpload", HF_AGAIN, false}, /* it begins from the start */
    {"InvalidPart", HF_AGAIN, false},
};

static enum hf_status status_of_code(int code)
{
    switch (code) {
    case 401:
        return HF_UNAUTHENTICATED;
    case 404:
        return HF_NOT_FOUND;
    case 413:
        return HF_TOO_LARGE;
    case 429:
    case 503:
        return HF_BUSY;
    case 501:
        return HF_UNSUPPORTED;
    case 307:
    case 408:
    case 409:
    case 412:
        return HF_AGAIN;
    default:
        return code >= 500 ? HF_AGAIN : HF_FORBIDDEN;
    }
}

static void judge(struct hf_s3 *s3, const struct hf_http_result *answer, struct hf_s3_result *ret)
{
    char message[160] = "";
    struct hf_slice xml = answer->body, again = answer->body;
    bool has_code = hf_s3_next_text(&xml, "Code", ret->error, sizeof(ret->error));
    bool has_message = hf_s3_next_text(&again, "Message", message, sizeof(message));
    ret->status = status_of_code(answer->code);
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcmp(words[i].code, ret->error) == 0) {
            ret->status = words[i].status;
            if (words[i].is_about_credentials) {
                hf_aws_session_refused(s3->options.session);
            }
        }
    }
    if (has_code) {
        snprintf(ret->message, sizeof(ret->message), "%s: %s", ret->error,
                 has_message ? message : "");
    } else if (answer->code == 301) {
        snprintf(ret->message, sizeof(ret->message),
                 "HTTP status 301: the bucket is in another region");
    } else {
        snprintf(ret->message, sizeof(ret->message), "HTTP status %d", answer->code);
    }
    if (answer->has_retry_after) {
        ret->retry_after_ns = answer->retry_after_ns;
    }
}

/* The end of a multipart upload may fail behind an answer 200. */
static bool is_error(struct hf_slice body)
{
    return body.size != 0 && memmem(body.data, body.size, "<Error>", 7) != NULL;
}

static void on_done(struct hf_http_call *http, const struct hf_http_result *answer)
{
    struct hf_s3_call *call = HF_CONTAINER(http, struct hf_s3_call, http);
    struct hf_s3_result result = {
        .status = answer->status,
        .code = answer->code,
        .body = answer->body,
        .etag = "",
    };
    const char *etag = hf_http_result_header(answer, "ETag");
    result.etag = etag != NULL ? etag : "";
    bool is_good = answer->code >= 200 && answer->code < 300;
    if (answer->status != HF_OK) {
        snprintf(result.message, sizeof(result.message), "%s",
                 answer->error != NULL ? answer->error : "no answer");
    } else if (!is_good || (strcmp(call->method, "POST") == 0 && is_error(answer->body))) {
        judge(call->s3, answer, &result);
    }
    call->done(call, &result);
}

static enum hf_http_flow on_chunk(struct hf_http_call *http, struct hf_slice bytes)
{
    struct hf_s3_call *call = HF_CONTAINER(http, struct hf_s3_call, http);
    return call->chunk(call, bytes);
}

/* ---- calls ---- */

static void add_header(struct hf_s3_call *call, size_t *count, const char *name, const char *value)
{
    call->sent[(*count)++] = (struct hf_header){hf_slice_text(name), hf_slice_text(value)};
}

/* URL, signature and headers. */
static enum hf_status prepare(struct hf_s3 *s3, struct hf_s3_call *call, size_t *ret_headers)
{
    size_t count = call->header_count;
    if (count != 0) {
        memcpy(call->sent, call->headers, count * sizeof(*call->headers));
    }
    if (hf_s3_url(s3, call->bucket, call->key, call->query, call->url) != HF_OK) {
        return HF_INVALID;
    }
    const struct hf_sigv4_request request = {
        .method = call->method,
        .url = call->url,
        .region = s3->options.region,
        .service = "s3",
        .headers = call->headers,
        .header_count = call->header_count,
        .payload_sha256 = call->payload_sha256,
        .has_payload_header = true,
    };
    call->payload_sha256[HF_SHA256_HEX_SIZE] = '\0';
    enum hf_status status =
        hf_digest_sha256_pieces(call->pieces, call->piece_count, call->payload_sha256);
    status = status == HF_OK ? hf_aws_session_sign(s3->options.session, &request, &call->signature)
                             : status;
    if (status != HF_OK) {
        return HF_UNAUTHENTICATED;
    }
    add_header(call, &count, "x-amz-content-sha256", call->payload_sha256);
    add_header(call, &count, "x-amz-date", call->signature.made.date);
    add_header(call, &count, "authorization", call->signature.made.authorization);
    if (call->signature.token[0] != '\0') {
        add_header(call, &count, "x-amz-security-token", call->signature.token);
    }
    *ret_headers = count;
    return HF_OK;
}

static const char *unsent(enum hf_status status)
{
    return status == HF_INVALID ? "the bucket and the key make no URL"
                                : "there are no credentials of AWS to sign with";
}

void hf_s3_call(struct hf_s3 *s3, struct hf_s3_call *call)
{
    assert(call->header_count <= HF_S3_HEADERS_MAX);
    size_t count = 0;
    call->s3 = s3;
    enum hf_status status = prepare(s3, call, &count);
    if (status != HF_OK) {
        struct hf_s3_result result = {.status = status, .etag = ""};
        snprintf(result.message, sizeof(result.message), "%s", unsent(status));
        call->done(call, &result);
        return;
    }
    call->http = (struct hf_http_call){
        .method = call->method,
        .url = call->url,
        /* libcurl would call a body a form. */
        .content_type =
            call->content_type != NULL ? call->content_type : "application/octet-stream",
        .content_encoding = call->content_encoding,
        .pieces = call->pieces,
        .piece_count = call->piece_count,
        .headers = call->sent,
        .header_count = count,
        .deadline_ns = call->deadline_ns,
        .chunk = call->chunk != NULL ? on_chunk : NULL,
        .done = on_done,
    };
    hf_http_client_call(s3->http, &call->http);
}

struct hf_s3_result hf_s3_fetch(struct hf_s3 *s3, struct hf_http_fetcher *fetcher,
                                struct hf_s3_call *call, uint64_t timeout_ns,
                                struct hf_http_fetched *fetched)
{
    struct hf_s3_result result = {.etag = ""};
    size_t count = 0;
    call->method = "GET";
    result.status = prepare(s3, call, &count);
    if (result.status != HF_OK) {
        snprintf(result.message, sizeof(result.message), "%s", unsent(result.status));
        return result;
    }
    const struct hf_http_fetch fetch = {.method = "GET",
                                        .url = call->url,
                                        .headers = call->sent,
                                        .header_count = count,
                                        .timeout_ns = timeout_ns};
    fetched->body.size = 0;
    result.status = hf_http_fetch(fetcher, &fetch, fetched);
    result.code = fetched->code;
    if (result.status != HF_OK) {
        snprintf(result.message, sizeof(result.message), "%.250s", fetched->why);
    } else if (fetched->code < 200 || fetched->code >= 300) {
        const struct hf_http_result answer = {
            .status = HF_OK,
            .code = fetched->code,
            .body = hf_slice_of(fetched->body.data, fetched->body.size)};
        judge(s3, &answer, &result);
    }
    return result;
}

bool hf_s3_escape(const char *text, char *room, size_t size)
{
    size_t used = 0;
    room[0] = '\0';
    for (; *text != '\0'; text++) {
        const char one[] = {*text, '\0'};
        if (used + 4 > size) {
            return false;
        }
        if (*text == '/') {
            used += (size_t)snprintf(room + used, size - used, "%%2F");
        } else if (!put_escaped(room, size, &used, one)) {
            return false;
        }
    }
    return true;
}
