#include "websocket_handshake.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "util/base64.h"
#include "util/digest.h"
#include "util/header_list.h"
#include "util/header_text.h"
#include "util/time/clock.h"

/* What RFC 6455 appends to the key. */
#define MAGIC "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
#define SHA1_SIZE (HF_SHA1_HEX_SIZE / 2)
#define ACCEPT_SIZE HF_BASE64_SIZE(SHA1_SIZE)

/* ---- the request ---- */

static void put(struct hf_bytes *out, enum hf_status *status, struct hf_slice text)
{
    *status = *status == HF_OK ? hf_bytes_append(out, text) : *status;
}

static void put_header(struct hf_bytes *out, enum hf_status *status, struct hf_slice name,
                       struct hf_slice value)
{
    if (!hf_header_is_name(name) || !hf_header_is_value(value)) {
        *status = HF_INVALID;
    }
    put(out, status, name);
    put(out, status, hf_slice_text(": "));
    put(out, status, value);
    put(out, status, hf_slice_text("\r\n"));
}

static void put_own(struct hf_bytes *out, enum hf_status *status,
                    const struct hf_websocket_connect *connect, const char *name, const char *value)
{
    char key[32];
    size_t size = 0;
    for (; name[size] != '\0' && size + 1 < sizeof(key); size++) {
        key[size] = (char)(name[size] >= 'A' && name[size] <= 'Z' ? name[size] + 32 : name[size]);
    }
    key[size] = '\0';
    if (value != NULL && hf_header_find(connect->headers, connect->header_count, key) == NULL) {
        put_header(out, status, hf_slice_text(name), hf_slice_text(value));
    }
}

/* The target of the request, and the host as the URL has it. */
static enum hf_status split_url(const char *url, char ret_target[HF_URL_BYTES_MAX],
                                char ret_host[HF_URL_BYTES_MAX])
{
    char *path = NULL, *query = NULL, *host = NULL, *port = NULL;
    CURLU *parts = curl_url();
    bool ok = parts != NULL && curl_url_set(parts, CURLUPART_URL, url, 0) == CURLUE_OK &&
              curl_url_get(parts, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
              curl_url_get(parts, CURLUPART_PATH, &path, 0) == CURLUE_OK;
    if (ok) {
        (void)curl_url_get(parts, CURLUPART_QUERY, &query, 0);
        (void)curl_url_get(parts, CURLUPART_PORT, &port, 0);
        int target_size = snprintf(ret_target, HF_URL_BYTES_MAX, "%s%s%s", path,
                                   query != NULL ? "?" : "", query != NULL ? query : "");
        int host_size = snprintf(ret_host, HF_URL_BYTES_MAX, "%s%s%s", host,
                                 port != NULL ? ":" : "", port != NULL ? port : "");
        ok = target_size < HF_URL_BYTES_MAX && host_size < HF_URL_BYTES_MAX &&
             strpbrk(ret_target, " \r\n") == NULL;
    }
    curl_free(path);
    curl_free(query);
    curl_free(host);
    curl_free(port);
    curl_url_cleanup(parts);
    return ok ? HF_OK : HF_INVALID;
}

enum hf_status hf_websocket_write_request(struct hf_bytes *out, const char *url,
                                          const char *user_agent, const char *key,
                                          const struct hf_websocket_connect *connect)
{
    char target[HF_URL_BYTES_MAX], host[HF_URL_BYTES_MAX];
    enum hf_status status = split_url(url, target, host);
    put(out, &status, hf_slice_text("GET "));
    put(out, &status, status == HF_OK ? hf_slice_text(target) : HF_EMPTY_SLICE);
    put(out, &status, hf_slice_text(" HTTP/1.1\r\n"));
    if (status == HF_OK) {
        put_own(out, &status, connect, "Host", host);
        put_own(out, &status, connect, "User-Agent", user_agent);
        put_header(out, &status, hf_slice_text("Upgrade"), hf_slice_text("websocket"));
        put_header(out, &status, hf_slice_text("Connection"), hf_slice_text("Upgrade"));
        put_header(out, &status, hf_slice_text("Sec-WebSocket-Key"), hf_slice_text(key));
        put_header(out, &status, hf_slice_text("Sec-WebSocket-Version"), hf_slice_text("13"));
    }
    for (size_t i = 0; i < connect->header_count && status == HF_OK; i++) {
        put_header(out, &status, connect->headers[i].name, connect->headers[i].value);
    }
    put(out, &status, hf_slice_text("\r\n"));
    return status;
}

/* ---- the answer ---- */

enum hf_status hf_websocket_answer_size(struct hf_slice in, size_t *ret_size)
{
    static const char begins[] = "HTTP/1.";
    size_t known = in.size < sizeof(begins) - 1 ? in.size : sizeof(begins) - 1;
    if (known != 0 && memcmp(in.data, begins, known) != 0) {
        return HF_INVALID;
    }
    const uint8_t *end = in.size >= 4 ? memmem(in.data, in.size, "\r\n\r\n", 4) : NULL;
    if (end != NULL) {
        *ret_size = (size_t)(end - in.data) + 4;
    }
    if (end == NULL && in.size < HF_WEBSOCKET_ANSWER_MAX) {
        return HF_AGAIN;
    }
    return end != NULL && *ret_size <= HF_WEBSOCKET_ANSWER_MAX ? HF_OK : HF_INVALID;
}

/* The line in front of `*rest`, which moves behind it; false: there is none. */
static bool next_line(struct hf_slice *rest, struct hf_slice *ret_line)
{
    const uint8_t *end = rest->size != 0 ? memmem(rest->data, rest->size, "\r\n", 2) : NULL;
    if (end == NULL) {
        return false;
    }
    *ret_line = hf_slice_of(rest->data, (size_t)(end - rest->data));
    *rest = hf_slice_of(end + 2, rest->size - ret_line->size - 2);
    return true;
}

/* The first header of that name; empty: there is none. */
static struct hf_slice find(struct hf_slice head, const char *name)
{
    struct hf_slice line;
    size_t size = strlen(name);
    while (next_line(&head, &line)) {
        if (line.size > size && line.data[size] == ':' &&
            strncasecmp((const char *)line.data, name, size) == 0) {
            return hf_header_trim(hf_slice_of(line.data + size + 1, line.size - size - 1));
        }
    }
    return HF_EMPTY_SLICE;
}

/* "HTTP/1.1 101 ..." */
static int code_of(struct hf_slice line)
{
    int code = 0;
    if (line.size < 12 || line.data[8] != ' ') {
        return 0;
    }
    for (size_t i = 9; i < 12; i++) {
        if (line.data[i] < '0' || line.data[i] > '9') {
            return 0;
        }
        code = 10 * code + (line.data[i] - '0');
    }
    return code;
}

static void take_retry_after(struct hf_slice value, struct hf_websocket_refusal *refusal)
{
    uint64_t seconds = 0;
    bool is_number = value.size > 0 && value.size < 9;
    for (size_t i = 0; i < value.size && is_number; i++) {
        is_number = value.data[i] >= '0' && value.data[i] <= '9';
        seconds = 10 * seconds + (uint64_t)(value.data[i] - '0');
    }
    char text[64] = "";
    if (!is_number && value.size != 0 && value.size < sizeof(text)) {
        memcpy(text, value.data, value.size);
        time_t then = curl_getdate(text, NULL);
        time_t now = (time_t)(hf_clock_unix_ns() / HF_NS_PER_S);
        is_number = then >= 0;
        seconds = is_number && then > now ? (uint64_t)(then - now) : 0;
    }
    refusal->has_retry_after = is_number;
    refusal->retry_after_ns = is_number ? seconds * HF_NS_PER_S : 0;
}

static bool is_accepted(struct hf_slice accept, const char *key)
{
    char hex[HF_SHA1_HEX_SIZE + 1] = "", text[HF_WEBSOCKET_KEY_SIZE + sizeof(MAGIC)];
    char wanted[ACCEPT_SIZE];
    uint8_t bytes[SHA1_SIZE];
    snprintf(text, sizeof(text), "%s" MAGIC, key);
    /* Without SHA-1 (FIPS) there is nothing to compare with; the key only finds broken caches. */
    if (hf_digest_sha1(hf_slice_text(text), hex) != HF_OK) {
        return accept.size == ACCEPT_SIZE;
    }
    for (size_t i = 0; i < SHA1_SIZE; i++) {
        const char pair[] = {hex[2 * i], hex[2 * i + 1], '\0'};
        bytes[i] = (uint8_t)strtoul(pair, NULL, 16);
    }
    size_t size = hf_base64_print(hf_slice_of(bytes, sizeof(bytes)), wanted);
    return hf_slice_equal(accept, hf_slice_of(wanted, size));
}

enum hf_status hf_websocket_read_answer(struct hf_slice head, const char *key,
                                        struct hf_websocket_refusal *ret_refusal)
{
    struct hf_slice line = HF_EMPTY_SLICE;
    struct hf_websocket_refusal refusal = {.code = 0};
    int code = next_line(&head, &line) ? code_of(line) : 0;
    struct hf_slice upgrade = find(head, "upgrade"), location = find(head, "location");
    if (code == 101 && upgrade.size == 9 &&
        strncasecmp((const char *)upgrade.data, "websocket", 9) == 0 &&
        is_accepted(find(head, "sec-websocket-accept"), key)) {
        return HF_OK;
    }
    refusal.code = code != 101 ? code : 0;
    if (code >= 300 && code < 400 && location.size != 0) {
        snprintf(refusal.why, sizeof(refusal.why),
                 "the server answered %d and leads to %.*s: write that as the endpoint", code,
                 location.size < 120 ? (int)location.size : 120, (const char *)location.data);
    } else if (code != 101) {
        snprintf(refusal.why, sizeof(refusal.why), "the server answered %d, not 101", code);
    } else {
        snprintf(refusal.why, sizeof(refusal.why), "the server's handshake is wrong");
    }
    take_retry_after(find(head, "retry-after"), &refusal);
    *ret_refusal = refusal;
    return HF_AGAIN;
}
