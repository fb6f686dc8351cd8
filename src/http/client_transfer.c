/*
 * client_transfer: what one request asks of libcurl.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "client_internal.h"
#include "client_redirect.h"
#include "util/header_list.h"
#include "util/header_text.h"
#include "util/proxy.h"
#include "util/time/clock.h"

#define HEADER_LINE_MAX (HF_HEADER_BYTES_MAX + 8)
#define HOST_LINE_MAX 1024
#define CONNECT_TIMEOUT_MS 30000L
/* One write's worth. Of what goes through libcurl's buffer a body is copied once. */
#define UPLOAD_BUFFER_BYTES (256L * 1024)

#define RESPONSE_BYTES_DEFAULT 65536u

static bool given(const char *text)
{
    return text != NULL && text[0] != '\0';
}

static size_t read_body(char *out, size_t unit, size_t count, void *user)
{
    struct http_transfer *transfer = user;
    const struct hf_http_call *call = transfer->call;
    size_t room = unit * count, used = 0;
    while (used < room && transfer->piece < call->piece_count) {
        const struct hf_slice *piece = &call->pieces[transfer->piece];
        size_t left = piece->size - transfer->piece_offset;
        size_t size = left < room - used ? left : room - used;
        if (size != 0) {
            memcpy(out + used, piece->data + transfer->piece_offset, size);
        }
        used += size;
        transfer->piece_offset += size;
        if (transfer->piece_offset == piece->size) {
            transfer->piece++;
            transfer->piece_offset = 0;
        }
    }
    return used;
}

/* libcurl goes back to the beginning when a kept connection was dead. */
static int seek_body(void *user, curl_off_t offset, int origin)
{
    struct http_transfer *transfer = user;
    if (origin != SEEK_SET || offset < 0) {
        return CURL_SEEKFUNC_CANTSEEK;
    }
    uint64_t left = (uint64_t)offset;
    transfer->piece = 0;
    transfer->piece_offset = 0;
    while (transfer->piece < transfer->call->piece_count &&
           left >= transfer->call->pieces[transfer->piece].size) {
        left -= transfer->call->pieces[transfer->piece++].size;
    }
    transfer->piece_offset = (size_t)left;
    return CURL_SEEKFUNC_OK;
}

static bool is_for_chunk(const struct hf_http_call *call, long code)
{
    return (code >= 200 && code < 300) || (call->is_whole && code >= 400);
}

static size_t write_body(char *data, size_t unit, size_t count, void *user)
{
    struct http_transfer *transfer = user;
    size_t size = unit * count;
    long code = 0;
    curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &code);
    /* Without a status line it is another protocol, of which the beginning tells all. */
    transfer->is_unframed = code == 0;
    if (transfer->call->chunk != NULL && is_for_chunk(transfer->call, code)) {
        enum hf_http_flow flow = transfer->call->chunk(transfer->call, hf_slice_of(data, size));
        transfer->call->is_paused = flow == HF_HTTP_PAUSE;
        return flow == HF_HTTP_GO_ON ? size : flow == HF_HTTP_PAUSE ? CURL_WRITEFUNC_PAUSE : 0;
    }
    size_t room = transfer->body.capacity - transfer->body.size;
    size_t kept = size < room ? size : room;
    /* Beyond the room it is read and thrown away, so that the connection can be kept. */
    enum hf_status status = hf_bytes_append(&transfer->body, hf_slice_of(data, kept));
    return status == HF_OK && !transfer->is_unframed ? size : 0;
}

static enum hf_status add_line(struct curl_slist **list, const char *line)
{
    struct curl_slist *longer = curl_slist_append(*list, line);
    if (longer == NULL) {
        return HF_NOMEM;
    }
    *list = longer;
    return HF_OK;
}

static enum hf_status add_header(struct http_transfer *transfer, struct hf_slice name,
                                 struct hf_slice value)
{
    char line[HEADER_LINE_MAX];
    /* A line break would begin a header, or a request, of another's. */
    if (!hf_header_is_name(name) || !hf_header_is_value(value) ||
        name.size + value.size + 4 > sizeof(line)) {
        snprintf(transfer->error, sizeof(transfer->error),
                 "a header is not sendable: too long, or with a line break in it");
        return HF_INVALID;
    }
    /* libcurl sends a header without a value only when it ends with a semicolon. */
    snprintf(line, sizeof(line), value.size == 0 ? "%.*s;" : "%.*s: %.*s", (int)name.size,
             (const char *)name.data, (int)value.size, (const char *)value.data);
    return add_line(&transfer->headers, line);
}

/* One of the call's own, unless a header of the caller's stands instead. */
static enum hf_status add_own(struct http_transfer *transfer, const char *name, const char *key,
                              const char *value)
{
    const struct hf_http_call *call = transfer->call;
    if (value == NULL || hf_header_find(call->headers, call->header_count, key) != NULL) {
        return HF_OK;
    }
    return add_header(transfer, hf_slice_text(name), hf_slice_text(value));
}

static enum hf_status set_headers(struct http_transfer *transfer,
                                  const struct http_client_settings *settings)
{
    const struct hf_http_call *call = transfer->call;
    /* A body is sent at once, not after a round trip; and what libcurl adds is not wanted. */
    enum hf_status status = add_line(&transfer->headers, "Expect:");
    if (status == HF_OK) {
        status = add_line(&transfer->headers, "Accept:");
    }
    if (status == HF_OK && call->content_type == NULL &&
        hf_header_find(call->headers, call->header_count, "content-type") == NULL) {
        status = add_line(&transfer->headers, "Content-Type:"); /* else a body would have one */
    }
    if (status == HF_OK) {
        status = add_own(transfer, "Content-Type", "content-type", call->content_type);
    }
    if (status == HF_OK) {
        status = add_own(transfer, "Content-Encoding", "content-encoding", call->content_encoding);
    }
    if (status == HF_OK && !transfer->is_elsewhere) {
        status = add_own(transfer, "Authorization", "authorization", settings->authorization);
    }
    for (size_t i = 0; i < call->header_count && status == HF_OK; i++) {
        if (!transfer->is_elsewhere || hf_http_redirect_keeps(call->headers[i].name)) {
            status = add_header(transfer, call->headers[i].name, call->headers[i].value);
        }
    }
    if (status == HF_OK) {
        curl_easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, transfer->headers);
    }
    return status;
}

static void set_body(struct http_transfer *transfer)
{
    const struct hf_http_call *call = transfer->call;
    curl_off_t size = 0;
    for (size_t i = 0; i < call->piece_count; i++) {
        size += (curl_off_t)call->pieces[i].size;
    }
    bool is_post = strcmp(call->method, "POST") == 0;
    if (is_post || size != 0) {
        curl_easy_setopt(transfer->easy, CURLOPT_POST, 1L);
        curl_easy_setopt(transfer->easy, CURLOPT_POSTFIELDSIZE_LARGE, size);
        curl_easy_setopt(transfer->easy, CURLOPT_READFUNCTION, read_body);
        curl_easy_setopt(transfer->easy, CURLOPT_READDATA, transfer);
        curl_easy_setopt(transfer->easy, CURLOPT_SEEKFUNCTION, seek_body);
        curl_easy_setopt(transfer->easy, CURLOPT_SEEKDATA, transfer);
        curl_easy_setopt(transfer->easy, CURLOPT_UPLOAD_BUFFERSIZE, UPLOAD_BUFFER_BYTES);
    }
    if (!is_post && (size != 0 || strcmp(call->method, "GET") != 0)) {
        curl_easy_setopt(transfer->easy, CURLOPT_CUSTOMREQUEST, call->method);
    } else if (!is_post) {
        curl_easy_setopt(transfer->easy, CURLOPT_HTTPGET, 1L);
    }
    if (strcmp(call->method, "HEAD") == 0) {
        curl_easy_setopt(transfer->easy, CURLOPT_NOBODY, 1L);
    }
}

/*
 * The URL with another host: libcurl then asks for and verifies that name, while connect_to leads
 * it to the real one, and the Host header stays what it was.
 */
static enum hf_status set_overridden_url(struct http_transfer *transfer, const char *name)
{
    char line[HOST_LINE_MAX];
    char *host = NULL, *port = NULL, *explicit_port = NULL, *url = NULL;
    CURLU *parts = curl_url();
    bool ok = parts != NULL &&
              curl_url_set(parts, CURLUPART_URL, hf_http_transfer_url(transfer), 0) == 0 &&
              curl_url_get(parts, CURLUPART_HOST, &host, 0) == 0 &&
              curl_url_get(parts, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == 0;
    (void)(ok && curl_url_get(parts, CURLUPART_PORT, &explicit_port, 0));
    ok = ok && curl_url_set(parts, CURLUPART_HOST, name, 0) == 0 &&
         curl_url_get(parts, CURLUPART_URL, &url, 0) == 0;
    enum hf_status status = ok ? HF_OK : HF_AGAIN;
    if (ok) {
        snprintf(line, sizeof(line), "%s:%s:%s:%s", name, port, host, port);
        status = add_line(&transfer->connect_to, line);
    }
    const struct hf_http_call *call = transfer->call;
    if (status == HF_OK && hf_header_find(call->headers, call->header_count, "host") == NULL) {
        snprintf(line, sizeof(line), "Host: %s%s%s", host, explicit_port != NULL ? ":" : "",
                 explicit_port != NULL ? explicit_port : "");
        status = add_line(&transfer->headers, line);
    }
    if (status == HF_OK) {
        curl_easy_setopt(transfer->easy, CURLOPT_URL, url);
        curl_easy_setopt(transfer->easy, CURLOPT_CONNECT_TO, transfer->connect_to);
    } else if (status == HF_AGAIN) {
        snprintf(transfer->error, sizeof(transfer->error),
                 "the URL or server_name_override is bad");
    }
    curl_free(host);
    curl_free(port);
    curl_free(explicit_port);
    curl_free(url);
    curl_url_cleanup(parts);
    return status;
}

/* What the environment says of the URL's host. */
/* The proxy on the way to the URL; NULL: none. The key wins over the environment. */
static const char *proxy_of(const char *url, bool https,
                            const struct hf_http_client_options *options)
{
    char *host = NULL, *port = NULL;
    const char *proxy = NULL;
    CURLU *parts = curl_url();
    if (parts != NULL && curl_url_set(parts, CURLUPART_URL, url, 0) == 0 &&
        curl_url_get(parts, CURLUPART_HOST, &host, 0) == 0 &&
        curl_url_get(parts, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == 0) {
        size_t size = strlen(host);
        bool v6 = size > 1 && host[0] == '[' && host[size - 1] == ']';
        if (v6) {
            host[size - 1] = '\0';
        }
        const char *name = v6 ? host + 1 : host;
        if (given(options->proxy_url)) {
            proxy = hf_proxy_is_excepted(options->no_proxy, name, port) ? NULL : options->proxy_url;
        } else if (!options->no_environment) {
            proxy = hf_proxy_of_environment(https, name, port);
        }
    }
    curl_free(host);
    curl_free(port);
    curl_url_cleanup(parts);
    return proxy;
}

/* libcurl's own reading of the environment differs from Go's. */
static void set_proxy(CURL *easy, const char *url, bool https,
                      const struct hf_http_client_options *options)
{
    const char *proxy = options->unix_socket == NULL ? proxy_of(url, https, options) : NULL;
    curl_easy_setopt(easy, CURLOPT_PROXY, proxy != NULL ? proxy : "");
    curl_easy_setopt(easy, CURLOPT_NOPROXY, "");
}

static void set_common(struct http_transfer *transfer, const struct hf_http_client_options *options,
                       uint64_t timeout_ns)
{
    CURL *easy = transfer->easy;
    curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->error);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 1L);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
    /* So that what is no HTTP/1 is seen at all: see write_body(). */
    curl_easy_setopt(easy, CURLOPT_HTTP09_ALLOWED, 1L);
    /* Else ending a request waits for the thread that resolves its name. */
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS);
    /* Connections are kept, so names are looked up rarely, and mostly because one has moved. */
    curl_easy_setopt(easy, CURLOPT_DNS_CACHE_TIMEOUT, 0L);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, write_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
    if (timeout_ns != 0) {
        uint64_t ms = (timeout_ns + HF_NS_PER_MS - 1) / HF_NS_PER_MS;
        curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, ms > INT32_MAX ? (long)INT32_MAX : (long)ms);
    }
    if (options->user_agent != NULL) {
        curl_easy_setopt(easy, CURLOPT_USERAGENT, options->user_agent);
    }
    if (options->unix_socket != NULL) {
        curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, options->unix_socket);
    }
    if (options->probe_idle_ns != 0) {
        curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
        curl_easy_setopt(easy, CURLOPT_TCP_KEEPIDLE, (long)(options->probe_idle_ns / HF_NS_PER_S));
        curl_easy_setopt(easy, CURLOPT_TCP_KEEPINTVL, 10L);
    }
    if (options->keeps_path) {
        curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
    }
    if (options->keeps_certificate) {
        curl_easy_setopt(easy, CURLOPT_CERTINFO, 1L);
    }
    if (options->accept_gzip) {
        curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "gzip");
    }
    if (options->disable_keep_alives) {
        curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
    }
    if (options->idle_timeout_ns != 0) {
        uint64_t seconds = (options->idle_timeout_ns + HF_NS_PER_S - 1) / HF_NS_PER_S;
        curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN,
                         seconds > INT32_MAX ? (long)INT32_MAX : (long)seconds);
    }
}

enum hf_status hf_http_transfer_set_up(struct http_transfer *transfer,
                                       const struct http_client_settings *settings,
                                       uint64_t timeout_ns)
{
    const struct hf_http_client_options *options = &settings->options;
    size_t body_max =
        options->response_bytes_max != 0 ? options->response_bytes_max : RESPONSE_BYTES_DEFAULT;
    enum hf_status status = hf_bytes_reserve(&transfer->body, body_max);
    if (status != HF_OK) {
        return status;
    }
    transfer->body.size = 0;
    transfer->error[0] = '\0';
    transfer->is_unframed = false;
    transfer->piece = transfer->piece_offset = 0;
    set_common(transfer, options, timeout_ns);
    const char *url = hf_http_transfer_url(transfer);
    bool https = strncasecmp(url, "https://", 8) == 0;
    set_proxy(transfer->easy, url, https, options);
    set_body(transfer);
    if (https && settings->has_tls) {
        transfer->pems = hf_http_client_tls_apply(&settings->tls, transfer->easy);
    }
    if (https && settings->has_tls && transfer->is_elsewhere) {
        /* The client's certificate is a credential like others. */
        curl_easy_setopt(transfer->easy, CURLOPT_SSLCERT_BLOB, NULL);
        curl_easy_setopt(transfer->easy, CURLOPT_SSLKEY_BLOB, NULL);
    }
    if (https && settings->has_tls && !transfer->is_elsewhere &&
        given(settings->tls.config.server_name_override)) {
        status = set_overridden_url(transfer, settings->tls.config.server_name_override);
    } else if (curl_easy_setopt(transfer->easy, CURLOPT_URL, url) != CURLE_OK) {
        status = HF_NOMEM;
    }
    return status == HF_OK ? set_headers(transfer, settings) : status;
}

bool hf_http_is_url(const char *text)
{
    const char *host = strstr(text, "://");
    CURLU *url = curl_url();
    char *scheme = NULL;
    bool good = url != NULL && host != NULL && host[3] != '/' &&
                curl_url_set(url, CURLUPART_URL, text, 0) == CURLUE_OK &&
                curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
                (strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0);
    curl_free(scheme);
    curl_url_cleanup(url);
    return good;
}

const char *hf_http_transfer_error(struct http_transfer *transfer, CURLcode code)
{
    static const char before[] = " after ";
    static const char *const units[] = {" milliseconds", " ms"};
    char *at = strstr(transfer->error, before);
    if (at != NULL) {
        const char *end = at + sizeof(before) - 1;
        end += strspn(end, "0123456789");
        for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
            if (strncmp(end, units[i], strlen(units[i])) == 0) {
                end += strlen(units[i]);
                memmove(at, end, strlen(end) + 1);
                break;
            }
        }
    }
    return transfer->error[0] != '\0' ? transfer->error : curl_easy_strerror(code);
}
