/*
 * server_admit: what becomes of an accepted connection after its greeting: it is given to the
 * library, or counted no more; and its peer's name, in messages.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <sys/socket.h>

#include "server_greeting.h"
#include "server_internal.h"

void hf_http_format_peer(const struct sockaddr *address, char *out, size_t size)
{
    char host[INET6_ADDRSTRLEN] = "";
    if (address != NULL && address->sa_family == AF_INET) {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)address;
        inet_ntop(AF_INET, &v4->sin_addr, host, sizeof(host));
        snprintf(out, size, "%s:%u", host, ntohs(v4->sin_port));
    } else if (address != NULL && address->sa_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(const void *)address;
        bool mapped = IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr);
        inet_ntop(mapped ? AF_INET : AF_INET6, v6->sin6_addr.s6_addr + (mapped ? 12 : 0), host,
                  sizeof(host));
        snprintf(out, size, mapped ? "%s:%u" : "[%s]:%u", host, ntohs(v6->sin6_port));
    } else {
        snprintf(out, size, "unix");
    }
}

void hf_http_server_complain(const struct hf_http_server *server,
                             const struct sockaddr_storage *address, const char *what)
{
    if (server->options.on_error != NULL) {
        char peer[64];
        hf_http_format_peer((const struct sockaddr *)address, peer, sizeof(peer));
        server->options.on_error(server->options.user, peer, what);
    }
}

void hf_http_end_greeting(struct hf_http_server *server)
{
    pthread_mutex_lock(&server->lock);
    atomic_fetch_sub(&server->greeting_count, 1);
    if (server->closing) {
        pthread_cond_broadcast(&server->changed);
    }
    pthread_mutex_unlock(&server->lock);
}

static void leave(struct hf_http_server *server, const struct sockaddr_storage *address)
{
    struct hf_peer who = hf_peer_of_address((const struct sockaddr *)address);
    hf_census_leave(server->census, &who);
}

void hf_http_server_uncount(struct hf_http_server *server, const struct sockaddr_storage *address)
{
    leave(server, address);
    hf_http_end_greeting(server);
}

void hf_http_server_admit(struct hf_http_server *server, int fd,
                          const struct sockaddr_storage *address, socklen_t size)
{
    if (MHD_add_connection(server->daemon, fd, (const struct sockaddr *)address, size) != MHD_YES) {
        hf_http_server_uncount(server, address); /* the library has closed the socket */
    }
}
