#include "listeners.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "occupied.h"

#define BACKLOG 4096 /* the kernel cuts it to net.core.somaxconn */
#define UNIX_SCHEME "unix://"
#define UNIXGRAM_SCHEME "unixgram://"
#define UDP_SCHEME "udp://"

struct listener {
    struct listener *next;
    char *endpoint;
    int fd;
    unsigned round;
};

struct hf_listeners {
    pthread_mutex_t lock; /* guards what follows */
    struct listener *first;
    unsigned round;
};

enum hf_status hf_listeners_new(struct hf_listeners **ret_listeners)
{
    struct hf_listeners *listeners = calloc(1, sizeof(*listeners));
    if (listeners == NULL) {
        return HF_NOMEM;
    }
    pthread_mutex_init(&listeners->lock, NULL);
    *ret_listeners = listeners;
    return HF_OK;
}

static bool is_unixgram(const char *endpoint)
{
    return strncmp(endpoint, UNIXGRAM_SCHEME, strlen(UNIXGRAM_SCHEME)) == 0;
}

static const char *unix_path(const char *endpoint)
{
    if (is_unixgram(endpoint)) {
        return endpoint + strlen(UNIXGRAM_SCHEME);
    }
    if (strncmp(endpoint, UNIX_SCHEME, strlen(UNIX_SCHEME)) == 0) {
        return endpoint + strlen(UNIX_SCHEME);
    }
    if (strncmp(endpoint, "unix:", 5) == 0) {
        return endpoint + 5;
    }
    return endpoint[0] == '/' ? endpoint : NULL; /* with transport: unix, a bare path */
}

static void close_listener(struct listener *listener)
{
    const char *path = unix_path(listener->endpoint);
    if (path != NULL) {
        unlink(path);
    }
    close(listener->fd);
    free(listener->endpoint);
    free(listener);
}

void hf_listeners_free(struct hf_listeners *listeners)
{
    if (listeners == NULL) {
        return;
    }
    while (listeners->first != NULL) {
        struct listener *listener = listeners->first;
        listeners->first = listener->next;
        close_listener(listener);
    }
    pthread_mutex_destroy(&listeners->lock);
    free(listeners);
}

/* A socket file whose owner is gone answers ECONNREFUSED: it is stale and may be removed. */
static bool is_stale(const struct sockaddr_un *address, int type)
{
    struct stat info;
    if (stat(address->sun_path, &info) != 0 || !S_ISSOCK(info.st_mode)) {
        return false;
    }
    int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
    bool stale = fd >= 0 && connect(fd, (const struct sockaddr *)address, sizeof(*address)) != 0 &&
                 errno == ECONNREFUSED;
    if (fd >= 0) {
        close(fd);
    }
    return stale;
}

/* Never wider than it is to be, not even for a moment. */
static bool bind_unix(int fd, const struct sockaddr_un *address, int mode)
{
    mode_t mask = mode != HF_LISTENERS_MODE_UMASK ? umask(0777 & ~(mode_t)mode) : 0;
    bool bound = bind(fd, (const struct sockaddr *)address, sizeof(*address)) == 0;
    int error = errno;
    if (mode != HF_LISTENERS_MODE_UMASK) {
        umask(mask);
    }
    errno = error;
    return bound;
}

static const char *unix_advice(const char *path, int error)
{
    return error == EADDRINUSE ? hf_occupied_by(path) : "make its directory writable for this user";
}

static enum hf_status listen_unix(const char *path, int type, int mode, int *ret_fd, char *reterr)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (path[0] == '\0' || strlen(path) >= sizeof(address.sun_path)) {
        snprintf(reterr, 512, "endpoint unix://%s: the path is empty or longer than %zu bytes",
                 path, sizeof(address.sun_path) - 1);
        return HF_INVALID;
    }
    memcpy(address.sun_path, path, strlen(path) + 1);
    if (is_stale(&address, type)) {
        unlink(path);
    }
    int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || !bind_unix(fd, &address, mode) ||
        (type == SOCK_STREAM && listen(fd, BACKLOG) != 0)) {
        int error = errno;
        snprintf(reterr, 512, "cannot listen on the socket %s as uid %u: %s; %s", path,
                 (unsigned)geteuid(), strerror(error), unix_advice(path, error));
        if (fd >= 0) {
            close(fd);
        }
        return HF_IO;
    }
    *ret_fd = fd;
    return HF_OK;
}

static bool split_endpoint(const char *endpoint, char *host, size_t host_room,
                           const char **ret_port)
{
    const char *colon = strrchr(endpoint, ':');
    if (colon == NULL || colon[1] == '\0') {
        return false;
    }
    size_t size = (size_t)(colon - endpoint);
    const char *from = endpoint;
    if (size >= 2 && from[0] == '[' && from[size - 1] == ']') {
        from++;
        size -= 2;
    }
    if (size >= host_room) {
        return false;
    }
    memcpy(host, from, size);
    host[size] = '\0';
    *ret_port = colon + 1;
    return true;
}

/*
 * Every connection inherits it: who is gone without a goodbye is found out in some minutes, as by
 * the Go collector, and does not hold a place for ever. Only tuning: the socket works without.
 */
static void look_after_peers(int fd)
{
    int on = 1, idle_s = 15, interval_s = 15, count = 9;
    (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof(idle_s));
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval_s, sizeof(interval_s));
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof(count));
}

static int open_socket(const struct addrinfo *address)
{
    int on = 1;
    int off = 0;
    bool is_stream = address->ai_socktype == SOCK_STREAM;
    int fd = socket(address->ai_family, address->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return -1;
    }
    if (is_stream) {
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
        look_after_peers(fd);
    }
    if (address->ai_family == AF_INET6) {
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
    }
    if (bind(fd, address->ai_addr, address->ai_addrlen) != 0 ||
        (is_stream && listen(fd, BACKLOG) != 0)) {
        int error = errno;
        close(fd);
        errno = error;
        return -1;
    }
    return fd;
}

/* The first address of the family, or of any, on which listening works. */
static int open_first(const struct addrinfo *found, int family)
{
    int fd = -1;
    for (const struct addrinfo *a = found; a != NULL && fd < 0; a = a->ai_next) {
        fd = family == AF_UNSPEC || a->ai_family == family ? open_socket(a) : -1;
    }
    return fd;
}

static const char *advice(int error)
{
    switch (error) {
    case EADDRINUSE:
        return "another process has this port: stop it, or choose another port";
    case EACCES:
        return "ports below 1024 need the right CAP_NET_BIND_SERVICE: grant it, or choose a higher "
               "port";
    case EADDRNOTAVAIL:
        return "this machine has no such address: use 0.0.0.0 or one of its own";
    default:
        return "check the endpoint";
    }
}

/* TCP; UDP for an endpoint of that scheme. */
static enum hf_status listen_inet(const char *endpoint, int *ret_fd, char *reterr)
{
    bool is_udp = strncmp(endpoint, UDP_SCHEME, strlen(UDP_SCHEME)) == 0;
    char host[256];
    const char *port;
    struct addrinfo *found = NULL;
    struct addrinfo hints = {.ai_socktype = is_udp ? SOCK_DGRAM : SOCK_STREAM,
                             .ai_flags = AI_PASSIVE};
    endpoint += is_udp ? strlen(UDP_SCHEME) : 0;
    if (!split_endpoint(endpoint, host, sizeof(host), &port)) {
        snprintf(reterr, 512, "endpoint \"%s\": expected host:port or unix:///path", endpoint);
        return HF_INVALID;
    }
    int rc = getaddrinfo(host[0] != '\0' ? host : NULL, port, &hints, &found);
    if (rc != 0) {
        snprintf(reterr, 512, "endpoint \"%s\": %s; check the host name", endpoint,
                 gai_strerror(rc));
        return HF_IO;
    }
    /*
     * ":4317" means every address: one IPv6 socket takes both families; without IPv6 the next entry
     * serves. A name means its IPv4 address if it has one, as with Go: "localhost" is 127.0.0.1 to
     * most who send there, and the resolver puts ::1 first.
     */
    errno = 0;
    int fd = open_first(found, host[0] == '\0' ? AF_INET6 : AF_INET);
    if (fd < 0 && errno != EADDRINUSE && errno != EACCES) {
        fd = open_first(found, AF_UNSPEC);
    }
    int error = errno;
    freeaddrinfo(found);
    if (fd < 0) {
        snprintf(reterr, 512, "cannot listen on %s as uid %u: %s; %s", endpoint,
                 (unsigned)geteuid(), strerror(error), advice(error));
        return HF_IO;
    }
    *ret_fd = fd;
    return HF_OK;
}

static struct listener *find(const struct hf_listeners *listeners, const char *endpoint)
{
    struct listener *listener = listeners->first;
    while (listener != NULL && strcmp(listener->endpoint, endpoint) != 0) {
        listener = listener->next;
    }
    return listener;
}

enum hf_status hf_listeners_get(struct hf_listeners *listeners, const char *endpoint, int *ret_fd,
                                char *reterr)
{
    return hf_listeners_get_mode(listeners, endpoint, HF_LISTENERS_MODE_UMASK, ret_fd, reterr);
}

enum hf_status hf_listeners_open(const char *endpoint, int mode, int *ret_fd, char *reterr)
{
    const char *path = unix_path(endpoint);
    int type = is_unixgram(endpoint) ? SOCK_DGRAM : SOCK_STREAM;
    return path != NULL ? listen_unix(path, type, mode, ret_fd, reterr)
                        : listen_inet(endpoint, ret_fd, reterr);
}

/* Under the lock. */
static enum hf_status get(struct hf_listeners *listeners, const char *endpoint, int mode,
                          int *ret_fd, char *reterr)
{
    const char *path = unix_path(endpoint);
    struct listener *listener = find(listeners, endpoint);
    if (listener != NULL && listener->round == listeners->round) {
        snprintf(reterr, 512,
                 "cannot listen on %s: another part of this configuration listens there; choose "
                 "another port",
                 endpoint);
        return HF_INVALID;
    }
    if (listener != NULL && path != NULL && mode != HF_LISTENERS_MODE_UMASK &&
        chmod(path, (mode_t)mode) != 0) {
        snprintf(reterr, 512, "cannot set the mode of the socket %s: %s", path, strerror(errno));
        return HF_IO;
    }
    if (listener == NULL) {
        int fd = -1;
        enum hf_status status = hf_listeners_open(endpoint, mode, &fd, reterr);
        if (status != HF_OK) {
            return status;
        }
        listener = calloc(1, sizeof(*listener));
        char *copy = strdup(endpoint);
        if (listener == NULL || copy == NULL) {
            free(listener);
            free(copy);
            close(fd);
            snprintf(reterr, 512, "out of memory");
            return HF_NOMEM;
        }
        *listener = (struct listener){.next = listeners->first, .endpoint = copy, .fd = fd};
        listeners->first = listener;
    }
    listener->round = listeners->round;
    int duplicate = fcntl(listener->fd, F_DUPFD_CLOEXEC, 0);
    if (duplicate < 0) {
        snprintf(reterr, 512, "endpoint %s: %s", endpoint, strerror(errno));
        return HF_IO;
    }
    *ret_fd = duplicate;
    return HF_OK;
}

enum hf_status hf_listeners_get_mode(struct hf_listeners *listeners, const char *endpoint, int mode,
                                     int *ret_fd, char *reterr)
{
    pthread_mutex_lock(&listeners->lock);
    enum hf_status status = get(listeners, endpoint, mode, ret_fd, reterr);
    pthread_mutex_unlock(&listeners->lock);
    return status;
}

bool hf_listeners_keep(struct hf_listeners *listeners, const char *endpoint)
{
    pthread_mutex_lock(&listeners->lock);
    struct listener *listener = find(listeners, endpoint);
    bool is_kept = listener != NULL && listener->round != listeners->round;
    if (is_kept) {
        listener->round = listeners->round;
    }
    pthread_mutex_unlock(&listeners->lock);
    return is_kept;
}

void hf_listeners_begin_round(struct hf_listeners *listeners)
{
    pthread_mutex_lock(&listeners->lock);
    listeners->round++;
    pthread_mutex_unlock(&listeners->lock);
}

void hf_listeners_end_round(struct hf_listeners *listeners)
{
    pthread_mutex_lock(&listeners->lock);
    for (struct listener **at = &listeners->first; *at != NULL;) {
        struct listener *listener = *at;
        if (listener->round != listeners->round) {
            *at = listener->next;
            close_listener(listener);
        } else {
            at = &listener->next;
        }
    }
    pthread_mutex_unlock(&listeners->lock);
}
