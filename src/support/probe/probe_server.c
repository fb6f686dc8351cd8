#include "probe_server.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <holdfast/component.h>

#include "grpc/target.h"
#include "support/scrape/dial.h"
#include "util/proxy.h"
#include "util/time/clock.h"

/* ---- dns ---- */

static struct hf_patience patience_of(const struct hf_probe *probe)
{
    return (struct hf_patience){hf_clock_monotonic_ns() + probe->timeout_ns, -1};
}

static void list_addresses(const struct hf_dial_addresses *found, char *ret_text, size_t room)
{
    size_t size = 0;
    for (size_t i = 0; i < found->count && i < 4; i++) {
        char text[128];
        hf_grpc_address_describe(&found->items[i], text, sizeof(text));
        int written = snprintf(ret_text + size, room - size, "%s%s", i != 0 ? ", " : "", text);
        size += written > 0 && (size_t)written < room - size ? (size_t)written : 0;
    }
    if (found->count > 4) {
        snprintf(ret_text + size, room - size, " and %zu more", found->count - 4);
    }
}

/* False: the name leads nowhere, and a line said so. */
static bool find_addresses(struct hf_probe *probe, const struct hf_grpc_target *target,
                           struct hf_dial_addresses *found)
{
    char text[HF_ERROR_MAX] = "";
    struct hf_patience patience = patience_of(probe);
    if (hf_dial_find(target, &patience, found, text) != HF_OK) {
        hf_probe_say(probe, "dns", target->host, HF_PROBE_FAILED, "%s", text);
        return false;
    }
    struct hf_grpc_address literal;
    if (!hf_grpc_resolve_literal(target, &literal)) {
        list_addresses(found, text, sizeof(text));
        hf_probe_say(probe, "dns", target->host, HF_PROBE_OK, "%s", text);
    }
    return true;
}

/* ---- tcp ---- */

/* The first of the addresses that can be reached; all that cannot are told. */
static int connect_any(struct hf_probe *probe, const struct hf_dial_addresses *found)
{
    int fd = -1;
    for (size_t i = 0; i < found->count && fd < 0; i++) {
        char text[128];
        hf_grpc_address_describe(&found->items[i], text, sizeof(text));
        struct hf_patience patience = patience_of(probe);
        fd = hf_dial_connect(&found->items[i], &patience);
        bool is_last = i + 1 == found->count;
        hf_probe_say(probe, found->items[i].storage.ss_family == AF_UNIX ? "socket" : "tcp", text,
                     fd >= 0   ? HF_PROBE_OK
                     : is_last ? HF_PROBE_FAILED
                               : HF_PROBE_WARNING,
                     "%s", fd >= 0 ? "connected" : strerror(errno));
    }
    return fd;
}

/* ---- tls ---- */

/* Takes over the connection. */
static void try_tls(struct hf_probe *probe, const struct hf_probe_server *server, int fd)
{
    char error[HF_ERROR_MAX] = "";
    struct hf_tls *tls = NULL;
    struct hf_stream *stream = NULL;
    const char *host = server->host != NULL ? server->host : "localhost";
    if (hf_tls_new_client(server->tls, server->alpn, &tls, error) != HF_OK) {
        hf_probe_say(probe, "tls", host, HF_PROBE_FAILED, "%s", error);
        close(fd);
        return;
    }
    enum hf_status status = hf_stream_connect(tls, fd, host, &stream);
    if (status != HF_OK) {
        hf_probe_say(probe, "tls", host, HF_PROBE_FAILED,
                     status == HF_NOT_FOUND ? "the ca_file %s does not exist"
                                            : "the name of the server cannot be checked%s",
                     status == HF_NOT_FOUND ? server->tls->ca_file : "");
        close(fd);
    } else {
        struct hf_patience patience = patience_of(probe);
        enum hf_stream_result result = hf_dial_shake(stream, fd, &patience);
        bool is_late = result == HF_STREAM_WANT_READ || result == HF_STREAM_WANT_WRITE;
        bool is_checked = !server->tls->insecure_skip_verify;
        hf_probe_say(probe, "tls", host,
                     result != HF_STREAM_OK ? HF_PROBE_FAILED
                     : is_checked           ? HF_PROBE_OK
                                            : HF_PROBE_WARNING,
                     "%s",
                     result == HF_STREAM_OK
                         ? (is_checked ? "the certificate is valid"
                                       : "encrypted, but insecure_skip_verify: true: the "
                                         "certificate is not checked")
                     : is_late ? "no answer to the handshake: does the server speak TLS?"
                               : hf_stream_error(stream));
        hf_stream_free(stream);
    }
    hf_tls_free(tls);
}

void hf_probe_server(struct hf_probe *probe, const struct hf_probe_server *server)
{
    struct hf_grpc_target target = {.is_unix = server->path != NULL};
    struct hf_dial_addresses *found = calloc(1, sizeof(*found));
    snprintf(target.host, sizeof(target.host), "%s",
             server->path != NULL ? server->path : server->host);
    snprintf(target.port, sizeof(target.port), "%s", server->port != NULL ? server->port : "");
    if (found == NULL) {
        hf_probe_say(probe, "dns", target.host, HF_PROBE_FAILED, "out of memory");
        return;
    }
    int fd = find_addresses(probe, &target, found) ? connect_any(probe, found) : -1;
    if (fd >= 0 && server->tls != NULL) {
        try_tls(probe, server, fd);
    } else if (fd >= 0) {
        close(fd);
    }
    free(found);
}

/* ---- clients ---- */

/* A proxy looks up and connects; only the export tells whether that works. */
static bool is_behind_proxy(struct hf_probe *probe, const char *configured, bool https,
                            const char *host, const char *port)
{
    const char *proxy = configured != NULL && configured[0] != '\0'
                            ? configured
                            : hf_proxy_of_environment(https, host, port);
    if (proxy != NULL && proxy[0] != '\0') {
        hf_probe_say(probe, "tcp", host, HF_PROBE_WARNING,
                     "goes through a proxy: only the export is tried");
        return true;
    }
    return false;
}

void hf_probe_grpc_client(struct hf_probe *probe, const struct hf_grpc_client_config *config)
{
    struct hf_grpc_endpoint endpoint;
    struct hf_grpc_target target;
    hf_grpc_client_endpoint(config, &endpoint);
    if (hf_grpc_target_parse(endpoint.target, &target) != HF_OK) {
        hf_probe_say(probe, "dns", config->endpoint, HF_PROBE_FAILED, "names no host and port");
        return;
    }
    if (!target.is_unix &&
        is_behind_proxy(probe, config->proxy_url, !endpoint.is_plain, target.host, target.port)) {
        return;
    }
    const struct hf_probe_server server = {
        .host = target.is_unix ? NULL : target.host,
        .port = target.port,
        .path = target.is_unix ? target.host : NULL,
        .tls = endpoint.is_plain ? NULL : &config->tls,
        .alpn = "h2",
    };
    hf_probe_server(probe, &server);
}

/* Of scheme://[user@]host[:port][/...]. */
struct url_parts {
    char host[256], port[8];
    bool https;
};

static bool split_url(const char *url, struct url_parts *ret)
{
    const char *begin = strstr(url, "://");
    if (begin == NULL) {
        return false;
    }
    ret->https = strncasecmp(url, "https", 5) == 0;
    begin += 3;
    const char *end = begin + strcspn(begin, "/?#");
    const char *at = memrchr(begin, '@', (size_t)(end - begin));
    begin = at != NULL ? at + 1 : begin;
    bool is_v6 = begin[0] == '[';
    const char *close = is_v6 ? memchr(begin, ']', (size_t)(end - begin)) : begin;
    if (close == NULL || begin == end) {
        return false;
    }
    const char *colon = memchr(close, ':', (size_t)(end - close));
    const char *last = colon != NULL ? colon : end;
    int size = (int)(last - begin) - (is_v6 ? 2 : 0);
    snprintf(ret->host, sizeof(ret->host), "%.*s", size, begin + (is_v6 ? 1 : 0));
    snprintf(ret->port, sizeof(ret->port), "%.*s", colon != NULL ? (int)(end - colon) - 1 : 3,
             colon != NULL ? colon + 1
             : ret->https  ? "443"
                           : "80");
    return size > 0;
}

void hf_probe_http_client(struct hf_probe *probe, const struct hf_http_client_config *config,
                          const char *url)
{
    struct url_parts parts;
    url = url != NULL && url[0] != '\0' ? url : config->endpoint;
    if (url == NULL || url[0] == '\0') {
        return;
    }
    const char *path = hf_http_unix_path(url);
    if (path != NULL) {
        const struct hf_probe_server server = {.path = path};
        hf_probe_server(probe, &server);
        return;
    }
    if (!split_url(url, &parts)) {
        hf_probe_say(probe, "dns", url, HF_PROBE_FAILED, "names no host");
        return;
    }
    if (is_behind_proxy(probe, config->proxy_url, parts.https, parts.host, parts.port)) {
        return;
    }
    const struct hf_probe_server server = {
        .host = parts.host,
        .port = parts.port,
        .tls = parts.https ? &config->tls : NULL,
        .alpn = "http/1.1",
    };
    hf_probe_server(probe, &server);
}

void hf_probe_own_tls(struct hf_probe *probe, const struct hf_tls_config *tls)
{
    char error[HF_ERROR_MAX] = "";
    struct hf_tls *made = NULL;
    if (tls == NULL) {
        return;
    }
    enum hf_status status = hf_tls_new_server(tls, "", &made, error);
    const char *what = tls->cert_file != NULL ? tls->cert_file : "cert_pem";
    hf_probe_say(probe, "tls", what, status == HF_OK ? HF_PROBE_OK : HF_PROBE_FAILED, "%s",
                 status == HF_OK ? "certificate and key fit" : error);
    hf_tls_free(made);
}
