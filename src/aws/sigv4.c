#include "sigv4.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "util/compress/compress.h"
#include "util/digest.h"

#define SIGNED_MAX 24u
#define PAIRS_MAX 64u
#define SCOPE_MAX 512u
#define DATE_SIZE 17u /* with its NUL */
#define SIGNATURE_SIZE 64u

/* ---- parts of a URL ---- */

struct url_parts {
    struct hf_slice host, path, query;
};

static bool split(const char *url, struct url_parts *ret)
{
    const char *host = strstr(url, "://");
    if (host == NULL) {
        return false;
    }
    bool is_https = strncasecmp(url, "https", 5) == 0;
    host += 3;
    size_t size = strcspn(host, "/?#");
    const char *path = host + size;
    const char *at = memchr(host, '@', size);
    ret->host =
        at != NULL ? hf_slice_of(at + 1, size - (size_t)(at + 1 - host)) : hf_slice_of(host, size);
    const char *port = is_https ? ":443" : ":80"; /* which no client sends */
    size_t port_size = strlen(port);
    if (ret->host.size > port_size &&
        memcmp(ret->host.data + ret->host.size - port_size, port, port_size) == 0) {
        ret->host.size -= port_size;
    }
    size = strcspn(path, "?#");
    ret->path = hf_slice_of(path, size);
    const char *query = path[size] == '?' ? path + size + 1 : "";
    ret->query = hf_slice_of(query, strcspn(query, "#"));
    return ret->host.size != 0;
}

/* ---- the canonical request ---- */

static bool put(struct hf_bytes *out, struct hf_slice text)
{
    return hf_bytes_append(out, text) == HF_OK;
}

static bool put_text(struct hf_bytes *out, const char *text)
{
    return put(out, hf_slice_text(text));
}

static bool is_unreserved(uint8_t byte)
{
    return (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') ||
           (byte >= '0' && byte <= '9') || byte == '-' || byte == '.' || byte == '_' || byte == '~';
}

static bool put_byte(struct hf_bytes *out, uint8_t byte, bool is_escaped)
{
    static const char digits[] = "0123456789ABCDEF";
    const char escaped[] = {'%', digits[byte >> 4], digits[byte & 15]};
    return is_escaped && !is_unreserved(byte) ? put(out, hf_slice_of(escaped, sizeof(escaped)))
                                              : put(out, hf_slice_of(&byte, 1));
}

/* The path as it is sent, each segment escaped once more for services that want it so. */
static bool put_path(struct hf_bytes *out, struct hf_slice path, bool is_escaped_again)
{
    bool good = path.size != 0 || put_text(out, "/");
    for (size_t i = 0; i < path.size && good; i++) {
        good = put_byte(out, path.data[i], is_escaped_again && path.data[i] != '/');
    }
    return good;
}

bool hf_sigv4_put_escaped(struct hf_bytes *out, const char *text)
{
    bool good = true;
    for (; *text != '\0' && good; text++) {
        good = put_byte(out, (uint8_t)*text, true);
    }
    return good;
}

struct pair {
    struct hf_slice name, value;
};

static int compare_pairs(const void *left, const void *right)
{
    const struct pair *a = left, *b = right;
    int order = hf_slice_compare(a->name, b->name);
    return order != 0 ? order : hf_slice_compare(a->value, b->value);
}

/* The parameters by name, each with "=". */
static bool put_query(struct hf_bytes *out, struct hf_slice query)
{
    struct pair pairs[PAIRS_MAX];
    size_t count = 0;
    while (query.size != 0) {
        const uint8_t *end = memchr(query.data, '&', query.size);
        struct hf_slice one =
            end != NULL ? hf_slice_of(query.data, (size_t)(end - query.data)) : query;
        query = end != NULL ? hf_slice_of(end + 1, query.size - one.size - 1) : HF_EMPTY_SLICE;
        const uint8_t *equals = one.size != 0 ? memchr(one.data, '=', one.size) : NULL;
        size_t name = equals != NULL ? (size_t)(equals - one.data) : one.size;
        if (one.size == 0) {
            continue;
        }
        if (count == PAIRS_MAX) {
            return false;
        }
        pairs[count++] = (struct pair){hf_slice_of(one.data, name),
                                       equals != NULL ? hf_slice_of(equals + 1, one.size - name - 1)
                                                      : HF_EMPTY_SLICE};
    }
    qsort(pairs, count, sizeof(*pairs), compare_pairs);
    bool good = true;
    for (size_t i = 0; i < count && good; i++) {
        good = (i == 0 || put_text(out, "&")) && put(out, pairs[i].name) && put_text(out, "=") &&
               put(out, pairs[i].value);
    }
    return good;
}

struct signed_headers {
    struct pair items[SIGNED_MAX];
    size_t count;
};

static bool add_header(struct signed_headers *list, struct hf_slice name, struct hf_slice value)
{
    if (list->count == SIGNED_MAX) {
        return false;
    }
    list->items[list->count++] = (struct pair){name, value};
    return true;
}

static bool is_signed(struct hf_slice name)
{
    return (name.size > 6 && memcmp(name.data, "x-amz-", 6) == 0) || hf_slice_is(name, "range") ||
           hf_slice_is(name, "date");
}

static bool list_headers(const struct hf_aws_credentials *credentials,
                         const struct hf_sigv4_request *request, struct hf_slice host,
                         const char *date, struct signed_headers *list)
{
    bool good = add_header(list, hf_slice_text("host"), host) &&
                add_header(list, hf_slice_text("x-amz-date"), hf_slice_text(date));
    if (good && request->has_payload_header) {
        good = add_header(list, hf_slice_text("x-amz-content-sha256"),
                          hf_slice_text(request->payload_sha256));
    }
    if (good && credentials->session_token[0] != '\0') {
        good = add_header(list, hf_slice_text("x-amz-security-token"),
                          hf_slice_text(credentials->session_token));
    }
    for (size_t i = 0; i < request->header_count && good; i++) {
        if (is_signed(request->headers[i].name)) {
            good = add_header(list, request->headers[i].name, request->headers[i].value);
        }
    }
    qsort(list->items, list->count, sizeof(*list->items), compare_pairs);
    return good;
}

static bool put_names(struct hf_bytes *out, const struct signed_headers *list)
{
    bool good = true;
    for (size_t i = 0; i < list->count && good; i++) {
        good = (i == 0 || put_text(out, ";")) && put(out, list->items[i].name);
    }
    return good;
}

static bool put_request(struct hf_bytes *out, const struct hf_sigv4_request *request,
                        const struct url_parts *parts, const struct signed_headers *list)
{
    bool good = put_text(out, request->method) && put_text(out, "\n") &&
                put_path(out, parts->path, strcmp(request->service, "s3") != 0) &&
                put_text(out, "\n") && put_query(out, parts->query) && put_text(out, "\n");
    for (size_t i = 0; i < list->count && good; i++) {
        good = put(out, list->items[i].name) && put_text(out, ":") &&
               put(out, list->items[i].value) && put_text(out, "\n");
    }
    return good && put_text(out, "\n") && put_names(out, list) && put_text(out, "\n") &&
           put_text(out, request->payload_sha256);
}

/* ---- the signature ---- */

static enum hf_status make_key(const char *secret, const char *const steps[4],
                               uint8_t ret_key[HF_SHA256_SIZE])
{
    char first[HF_AWS_TEXT_MAX + 4];
    snprintf(first, sizeof(first), "AWS4%s", secret);
    enum hf_status status =
        hf_digest_hmac_sha256(hf_slice_text(first), hf_slice_text(steps[0]), ret_key);
    for (size_t i = 1; i < 4 && status == HF_OK; i++) {
        uint8_t key[HF_SHA256_SIZE];
        memcpy(key, ret_key, sizeof(key));
        status =
            hf_digest_hmac_sha256(hf_slice_of(key, sizeof(key)), hf_slice_text(steps[i]), ret_key);
    }
    explicit_bzero(first, sizeof(first));
    return status;
}

static enum hf_status sign_text(const struct hf_aws_credentials *credentials,
                                const struct hf_sigv4_request *request, const char *date,
                                const char *scope, const char *request_hash, char *ret_hex)
{
    char day[9], text[1024];
    size_t size;
    uint8_t key[HF_SHA256_SIZE];
    snprintf(day, sizeof(day), "%.8s", date);
    const char *const steps[4] = {day, request->region, request->service, "aws4_request"};
    int used =
        snprintf(text, sizeof(text), "AWS4-HMAC-SHA256\n%s\n%s\n%.64s", date, scope, request_hash);
    if (used < 0 || (size_t)used >= sizeof(text)) {
        return HF_INVALID;
    }
    enum hf_status status = make_key(credentials->secret_key, steps, key);
    if (status == HF_OK) {
        status = hf_digest_hmac_hex(HF_DIGEST_SHA256, hf_slice_of(key, sizeof(key)),
                                    hf_slice_of(text, (size_t)used), ret_hex, &size);
    }
    explicit_bzero(key, sizeof(key));
    return status;
}

static bool put_date(uint64_t time_s, char date[DATE_SIZE])
{
    time_t seconds = (time_t)time_s;
    struct tm parts;
    return gmtime_r(&seconds, &parts) != NULL &&
           strftime(date, DATE_SIZE, "%Y%m%dT%H%M%SZ", &parts) == 16;
}

static enum hf_status put_scope(const struct hf_sigv4_request *request, const char *date,
                                char scope[SCOPE_MAX])
{
    int size = snprintf(scope, SCOPE_MAX, "%.8s/%s/%s/aws4_request", date, request->region,
                        request->service);
    return size > 0 && size < (int)SCOPE_MAX ? HF_OK : HF_INVALID;
}

/* The signature of a request, in hexadecimal digits. */
static enum hf_status sign_request(const struct hf_aws_credentials *credentials,
                                   const struct hf_sigv4_request *request,
                                   const struct url_parts *parts, const struct signed_headers *list,
                                   const char *date, char ret_hex[HF_DIGEST_HEX_MAX])
{
    struct hf_bytes canonical = {0};
    char scope[SCOPE_MAX], hash[HF_SHA256_HEX_SIZE];
    enum hf_status status = put_scope(request, date, scope);
    if (status == HF_OK && !put_request(&canonical, request, parts, list)) {
        status = HF_INVALID;
    }
    if (status == HF_OK) {
        status = hf_digest_sha256(hf_slice_of(canonical.data, canonical.size), hash);
    }
    if (status == HF_OK) {
        status = sign_text(credentials, request, date, scope, hash, ret_hex);
    }
    hf_bytes_release(&canonical);
    return status;
}

enum hf_status hf_sigv4_sign(const struct hf_aws_credentials *credentials,
                             const struct hf_sigv4_request *request, struct hf_sigv4 *ret)
{
    struct url_parts parts;
    struct signed_headers list = {.count = 0};
    struct hf_bytes names = {0};
    char scope[SCOPE_MAX], signature[HF_DIGEST_HEX_MAX];
    if (!split(request->url, &parts) || !put_date(request->time_s, ret->date) ||
        !list_headers(credentials, request, parts.host, ret->date, &list)) {
        return HF_INVALID;
    }
    enum hf_status status = put_scope(request, ret->date, scope);
    if (status == HF_OK) {
        status = put_names(&names, &list) ? HF_OK : HF_INVALID;
    }
    if (status == HF_OK) {
        status = sign_request(credentials, request, &parts, &list, ret->date, signature);
    }
    if (status == HF_OK) {
        int size = snprintf(
            ret->authorization, sizeof(ret->authorization),
            "AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=%.*s, Signature=%.64s",
            credentials->access_key, scope, (int)names.size, (const char *)names.data, signature);
        status = size > 0 && (size_t)size < sizeof(ret->authorization) ? HF_OK : HF_INVALID;
    }
    hf_bytes_release(&names);
    return status;
}

/* ---- in the URL ---- */

/* The parameters that are signed. */
static bool put_parameters(struct hf_bytes *out, const struct hf_aws_credentials *credentials,
                           const char *date, const char *scope, uint32_t expires_s)
{
    char expires[16];
    snprintf(expires, sizeof(expires), "%" PRIu32, expires_s);
    bool good = put_text(out, "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=") &&
                hf_sigv4_put_escaped(out, credentials->access_key) && put_text(out, "%2F") &&
                hf_sigv4_put_escaped(out, scope) && put_text(out, "&X-Amz-Date=") &&
                put_text(out, date) && put_text(out, "&X-Amz-Expires=") && put_text(out, expires);
    if (good && credentials->session_token[0] != '\0') {
        good = put_text(out, "&X-Amz-Security-Token=") &&
               hf_sigv4_put_escaped(out, credentials->session_token);
    }
    return good && put_text(out, "&X-Amz-SignedHeaders=host");
}

enum hf_status hf_sigv4_presign(const struct hf_aws_credentials *credentials,
                                const struct hf_sigv4_request *request, uint32_t expires_s,
                                struct hf_bytes *out)
{
    struct url_parts parts;
    struct signed_headers list = {.count = 0};
    struct hf_bytes query = {0};
    char date[DATE_SIZE], scope[SCOPE_MAX], signature[HF_DIGEST_HEX_MAX];
    if (!split(request->url, &parts) || !put_date(request->time_s, date) ||
        !add_header(&list, hf_slice_text("host"), parts.host)) {
        return HF_INVALID;
    }
    enum hf_status status = put_scope(request, date, scope);
    if (status == HF_OK &&
        !((parts.query.size == 0 || (put(&query, parts.query) && put_text(&query, "&"))) &&
          put_parameters(&query, credentials, date, scope, expires_s))) {
        status = HF_NOMEM;
    }
    if (status == HF_OK) {
        parts.query = hf_slice_of(query.data, query.size);
        status = sign_request(credentials, request, &parts, &list, date, signature);
    }
    if (status == HF_OK &&
        !(put(out, hf_slice_of(request->url, strcspn(request->url, "?#"))) && put_text(out, "?") &&
          put(out, parts.query) && put_text(out, "&X-Amz-Signature=") &&
          put(out, hf_slice_of(signature, SIGNATURE_SIZE)))) {
        status = HF_NOMEM;
    }
    hf_bytes_release(&query);
    return status;
}
