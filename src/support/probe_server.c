#include "probe_server.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <holdfast/component.h>

#include "grpc/resolve.h"
#include "grpc/target.h"
#include "util/clock.h"
#include "util/loop.h"
#include "util/proxy.h"

/* ---- dns ---- */

/* A look-up that is waited for on a loop of its own. */
struct lookup {
    struct hf_timer timer;
    struct hf_loop *loop;
    struct hf_grpc_lookup *running;
    struct hf_grpc_address addresses[HF_GRPC_ADDRESSES_MAX];
    size_t count;
    char error[HF_PROBE_TEXT_MAX];
};

static void on_found(void *user, const struct hf_grpc_lookup_result *result)
{
    struct lookup *lookup = user;
    lookup->running = NULL;
    lookup->count = result->count;
    if (result->count != 0) {
        memcpy(lookup->addresses, result->addresses, result->count * sizeof(lookup->addresses[0]));
    }
    snprintf(lookup->error, sizeof(lookup->error), "%s",
             result->error != NULL ? result->error : "");
    hf_loop_stop(lookup->loop);
}

static void on_late(struct hf_timer *timer, uint64_t now_ns)
{
    struct lookup *lookup = HF_CONTAINER(timer, struct lookup, timer);
    (void)now_ns;
    hf_grpc_resolve_cancel(lookup->running);
    lookup->running = NULL;
    snprintf(lookup->error, sizeof(lookup->error), "the name server does not answer");
    hf_loop_stop(lookup->loop);
}

static void resolve(struct lookup *lookup, const struct hf_grpc_target *target, uint64_t timeout_ns)
{
    snprintf(lookup->error, sizeof(lookup->error), "out of memory");
    if (hf_loop_new(&lookup->loop) != HF_OK) {
        return;
    }
    lookup->timer.fire = on_late;
    if (hf_grpc_resolve_start(lookup->loop, target, on_found, lookup, &lookup->running) == HF_OK &&
        hf_loop_timer_set(lookup->loop, &lookup->timer, hf_clock_monotonic_ns() + timeout_ns) ==
            HF_OK) {
        hf_loop_run(lookup->loop);
    }
    hf_loop_free(lookup->loop);
}

static void list_addresses(const struct lookup *lookup, char *ret_text, size_t room)
{
    size_t size = 0;
    for (size_t i = 0; i < lookup->count && i < 4; i++) {
        char text[128];
        hf_grpc_address_describe(&lookup->addresses[i], text, sizeof(text));
        int written = snprintf(ret_text + size, room - size, "%s%s", i != 0 ? ", " : "", text);
        size += written > 0 && (size_t)written < room - size ? (size_t)written : 0;
    }
    if (lookup->count > 4) {
        snprintf(ret_text + size, room - size, " and %zu more", lookup->count - 4);
    }
}

/* False: the name leads nowhere, and a line said so. */
static bool find_addresses(struct hf_probe *probe, const struct hf_grpc_target *target,
                           struct lookup *lookup)
{
    char text[HF_PROBE_TEXT_MAX] = "";
    if (hf_grpc_resolve_literal(target, &lookup->addresses[0])) {
        lookup->count = 1;
        return true;
    }
    resolve(lookup, target, probe->timeout_ns);
    if (lookup->count == 0) {
        hf_probe_say(probe, "dns", target->host, HF_PROBE_FAILED, "%s", lookup->error);
        return false;
    }
    list_addresses(lookup, text, sizeof(text));
    hf_probe_say(probe, "dns", target->host, HF_PROBE_OK, "%s", text);
    return true;
}

/* ---- tcp ---- */

/* Waits for `events`; false: the time is over. */
static bool wait_for(int fd, short events, uint64_t until_ns)
{
    struct pollfd ready = {fd, events, 0};
    for (;;) {
        uint64_t now_ns = hf_clock_monotonic_ns();
        if (now_ns >= until_ns) {
            return false;
        }
        int rc = poll(&ready, 1, (int)((until_ns - now_ns) / HF_NS_PER_MS) + 1);
        if (rc > 0 || (rc < 0 && errno != EINTR)) {
            return rc > 0;
        }
    }
}

/* A connected socket; -1 with errno. */
static int connect_to(const struct hf_grpc_address *address, uint64_t timeout_ns)
{
    int error = 0;
    socklen_t size = sizeof(error);
    int fd = socket(address->storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return -1;
    }
    int rc = connect(fd, (const struct sockaddr *)&address->storage, address->size);
    if (rc != 0 && errno == EINPROGRESS) {
        bool in_time = wait_for(fd, POLLOUT, hf_clock_monotonic_ns() + timeout_ns);
        getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
        rc = in_time && error == 0 ? 0 : -1;
        errno = in_time ? error : ETIMEDOUT;
    }
    if (rc != 0) {
        error = errno;
        close(fd);
        errno = error;
        return -1;
    }
    return fd;
}

/* The first of the addresses that can be reached; all that cannot are told. */
static int connect_any(struct hf_probe *probe, const struct lookup *lookup)
{
    int fd = -1;
    for (size_t i = 0; i < lookup->count && fd < 0; i++) {
        char text[128];
        hf_grpc_address_describe(&lookup->addresses[i], text, sizeof(text));
        fd = connect_to(&lookup->addresses[i], probe->timeout_ns);
        bool is_last = i + 1 == lookup->count;
        hf_probe_say(probe, lookup->addresses[i].storage.ss_family == AF_UNIX ? "socket" : "tcp",
                     text,
                     fd >= 0   ? HF_PROBE_OK
                     : is_last ? HF_PROBE_FAILED
                               : HF_PROBE_WARNING,
                     "%s", fd >= 0 ? "connected" : strerror(errno));
    }
    return fd;
}

/* ---- tls ---- */

static enum hf_stream_result shake_hands(struct hf_stream *stream, int fd, uint64_t timeout_ns)
{
    uint64_t until_ns = hf_clock_monotonic_ns() + timeout_ns;
    enum hf_stream_result result = hf_stream_handshake(stream);
    while (result == HF_STREAM_WANT_READ || result == HF_STREAM_WANT_WRITE) {
        if (!wait_for(fd, result == HF_STREAM_WANT_READ ? POLLIN : POLLOUT, until_ns)) {
            return result; /* late */
        }
        result = hf_stream_handshake(stream);
    }
    return result;
}

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
        enum hf_stream_result result = shake_hands(stream, fd, probe->timeout_ns);
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
    struct lookup *lookup = calloc(1, sizeof(*lookup));
    snprintf(target.host, sizeof(target.host), "%s",
             server->path != NULL ? server->path : server->host);
    snprintf(target.port, sizeof(target.port), "%s", server->port != NULL ? server->port : "");
    if (lookup == NULL) {
        hf_probe_say(probe, "dns", target.host, HF_PROBE_FAILED, "out of memory");
        return;
    }
    int fd = find_addresses(probe, &target, lookup) ? connect_any(probe, lookup) : -1;
    if (fd >= 0 && server->tls != NULL) {
        try_tls(probe, server, fd);
    } else if (fd >= 0) {
        close(fd);
    }
    free(lookup);
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
