/*
 * xray_http: the member http, of attributes of old and new semantic conventions.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "bulk/pair.h"
#include "pdata/any.h"
#include "xray_span.h"

/* What an attribute stands for. */
enum part {
    METHOD = 0,
    CLIENT_IP,
    USER_AGENT,
    STATUS,
    URL,
    SCHEME,
    HOST,
    TARGET,
    SERVER_NAME,
    HOST_PORT,
    HOST_NAME,
    NET_HOST_NAME,
    PEER_NAME,
    PEER_PORT,
    PEER_IP,
    PEER_ADDRESS,
    CLIENT_ADDRESS,
    PATH,
    QUERY,
    SERVER_ADDRESS,
    SERVER_PORT,
    PART_COUNT
};

static const struct {
    const char *key;
    enum part part;
    bool is_http; /* there is a member http at all */
    bool is_url;  /* there is a URL */
} keys[] = {
    {"http.method", METHOD, true, false},
    {"http.request.method", METHOD, true, false},
    {"http.client_ip", CLIENT_IP, true, false},
    {"http.user_agent", USER_AGENT, true, false},
    {"user_agent.original", USER_AGENT, true, false},
    {"http.status_code", STATUS, true, false},
    {"http.response.status_code", STATUS, true, false},
    {"http.url", URL, true, true},
    {"url.full", URL, true, true},
    {"http.scheme", SCHEME, true, false},
    {"url.scheme", SCHEME, true, false},
    {"http.host", HOST, true, true},
    {"http.target", TARGET, true, false},
    {"http.server_name", SERVER_NAME, true, true},
    {"net.host.port", HOST_PORT, true, false},
    {"host.name", HOST_NAME, false, true},
    {"net.host.name", NET_HOST_NAME, false, true},
    {"net.peer.name", PEER_NAME, false, true},
    {"net.peer.port", PEER_PORT, false, false},
    {"net.peer.ip", PEER_IP, false, true},
    {"network.peer.address", PEER_ADDRESS, false, false},
    {"client.address", CLIENT_ADDRESS, false, false},
    {"url.path", PATH, true, false},
    {"url.query", QUERY, true, false},
    {"server.address", SERVER_ADDRESS, false, true},
    {"server.port", SERVER_PORT, false, false},
};

struct http {
    struct hf_slice parts[PART_COUNT]; /* without data: not there */
    struct hf_slice client_ip;
    char ports[PART_COUNT][24]; /* numbers as texts */
    int64_t status;
    bool has_http, has_url, has_peer;
};

static bool is_address(struct hf_slice text)
{
    char room[INET6_ADDRSTRLEN + 1];
    struct in6_addr address;
    if (text.size == 0 || text.size >= sizeof(room)) {
        return false;
    }
    memcpy(room, text.data, text.size);
    room[text.size] = '\0';
    return inet_pton(AF_INET, room, &address) == 1 || inet_pton(AF_INET6, room, &address) == 1;
}

static void note_address(struct http *http, enum part part, struct hf_slice text)
{
    bool is_good = is_address(text);
    if (part == CLIENT_IP || (part == CLIENT_ADDRESS && is_good)) {
        http->client_ip = text;
    } else if (part == PEER_IP || (part == PEER_ADDRESS && is_good)) {
        http->client_ip = http->client_ip.size == 0 ? text : http->client_ip;
        http->has_peer = http->has_url = true;
    }
}

static void note(struct http *http, size_t which, struct hf_slice value)
{
    enum part part = keys[which].part;
    struct hf_any any = hf_any_read(value);
    struct hf_slice text = xray_string(value);
    bool is_port = part == HOST_PORT || part == PEER_PORT || part == SERVER_PORT;
    http->has_http |= keys[which].is_http;
    http->has_url |= keys[which].is_url;
    if (part == STATUS) {
        http->status = any.type == HF_ANY_INT ? any.integer : 0;
    }
    if (is_port && text.size == 0) {
        int size = snprintf(http->ports[part], sizeof(http->ports[part]), "%lld",
                            any.type == HF_ANY_INT ? (long long)any.integer : 0LL);
        text = hf_slice_of(http->ports[part], (size_t)size);
    }
    http->parts[part] = text;
    note_address(http, part, text);
}

static void gather(struct xray_span *span, struct http *http)
{
    for (size_t i = 0; i < span->count; i++) {
        struct xray_attribute *one = &span->attributes[i];
        for (size_t at = 0; at < sizeof(keys) / sizeof(keys[0]); at++) {
            if (hf_slice_is(one->key, keys[at].key)) {
                one->is_taken = true;
                note(http, at, one->value);
            }
        }
    }
}

/* ---- the URL ---- */

static bool is_there(const struct http *http, enum part part)
{
    return http->parts[part].data != NULL;
}

static struct hf_slice first_of(const struct http *http, const enum part *parts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (is_there(http, parts[i])) {
            return http->parts[parts[i]];
        }
    }
    return HF_EMPTY_SLICE;
}

static void add(struct hf_bytes *out, struct hf_slice text, bool *good)
{
    *good = *good && hf_bytes_append(out, text) == HF_OK;
}

static void put_url(const struct http *http, bool is_server, struct hf_json_writer *writer)
{
    static const enum part server_hosts[] = {SERVER_NAME, NET_HOST_NAME, HOST_NAME, SERVER_ADDRESS};
    static const enum part server_ports[] = {HOST_PORT, SERVER_PORT};
    static const enum part client_hosts[] = {PEER_NAME, PEER_IP};
    static const enum part client_ports[] = {PEER_PORT};
    struct hf_slice scheme = is_there(http, SCHEME) ? http->parts[SCHEME] : hf_slice_text("http");
    struct hf_slice host = http->parts[HOST], port = HF_EMPTY_SLICE;
    if (is_there(http, URL)) {
        xray_put_text(writer, "url", http->parts[URL]);
        return;
    }
    if (!is_there(http, HOST)) {
        host = is_server ? first_of(http, server_hosts, 4) : first_of(http, client_hosts, 2);
        port = is_server ? first_of(http, server_ports, 2) : first_of(http, client_ports, 1);
    }
    struct hf_bytes url = {0};
    bool good = true;
    bool is_default = (hf_slice_is(scheme, "http") && hf_slice_is(port, "80")) ||
                      (hf_slice_is(scheme, "https") && hf_slice_is(port, "443"));
    add(&url, scheme, &good);
    add(&url, hf_slice_text("://"), &good);
    add(&url, host, &good);
    if (port.size != 0 && !is_default) {
        add(&url, hf_slice_text(":"), &good);
        add(&url, port, &good);
    }
    if (is_there(http, TARGET)) {
        add(&url, http->parts[TARGET], &good);
    } else {
        struct hf_slice query = http->parts[QUERY];
        add(&url, is_there(http, PATH) ? http->parts[PATH] : hf_slice_text("/"), &good);
        if (is_there(http, QUERY) && (query.size == 0 || query.data[0] != '?')) {
            add(&url, hf_slice_text("?"), &good);
        }
        add(&url, query, &good);
    }
    xray_put_text(writer, "url", hf_slice_of(url.data, url.size));
    writer->failed |= !good;
    hf_bytes_release(&url);
}

/* ---- the answer ---- */

static int64_t size_in(struct hf_slice owner, uint32_t number)
{
    struct hf_slice type, size;
    if (!hf_bulk_pair_find(owner, number, "message.type", &type) ||
        !hf_slice_is(xray_string(type), "RECEIVED") ||
        !hf_bulk_pair_find(owner, number, "messaging.message_payload_size_bytes", &size)) {
        return 0;
    }
    struct hf_any any = hf_any_read(size);
    return any.type == HF_ANY_INT ? any.integer : 0;
}

static int64_t answer_size(const struct xray_span *span)
{
    int64_t size = size_in(span->bytes, HF_BULK_SPAN_ATTRIBUTES);
    struct hf_wire wire = hf_wire_of(span->bytes);
    struct hf_slice event;
    while (size == 0 && hf_wire_each(&wire, HF_BULK_SPAN_EVENTS, &event)) {
        size = size_in(event, HF_BULK_EVENT_ATTRIBUTES);
    }
    return size;
}

void xray_put_http(struct xray_span *span, struct hf_json_writer *writer)
{
    struct http http = {0};
    gather(span, &http);
    if (!http.has_http || span->role == XRAY_SERVICE) {
        return;
    }
    HF_JSON_WRITE_KEY(writer, "http");
    hf_json_write_open(writer, '{');
    HF_JSON_WRITE_KEY(writer, "request");
    hf_json_write_open(writer, '{');
    if (!http.has_peer && http.client_ip.size != 0) {
        xray_put_bool(writer, "x_forwarded_for", true);
    }
    xray_put_text(writer, "method", http.parts[METHOD]);
    if (http.has_url) {
        put_url(&http, span->span.kind == XRAY_SERVER, writer);
    }
    xray_put_text(writer, "user_agent", http.parts[USER_AGENT]);
    xray_put_text(writer, "client_ip", http.client_ip);
    hf_json_write_close(writer, '}');
    HF_JSON_WRITE_KEY(writer, "response");
    hf_json_write_open(writer, '{');
    if (is_there(&http, STATUS)) {
        HF_JSON_WRITE_KEY(writer, "status");
        hf_json_write_i64(writer, http.status);
    }
    HF_JSON_WRITE_KEY(writer, "content_length");
    hf_json_write_i64(writer, answer_size(span));
    hf_json_write_close(writer, '}');
    hf_json_write_close(writer, '}');
}
