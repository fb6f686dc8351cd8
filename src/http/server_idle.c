/*
 * server_idle: the connections without a request, and the limits of connections: when there are too
 * many, the one that has been idle for longest goes, of the same peer or of any.
 */
#include <assert.h>
#include <sys/socket.h>

#include "server_greeting.h"
#include "server_internal.h"
#include "util/time/clock.h"

void hf_http_idle_enter(struct hf_http_server *server, struct http_connection *connection)
{
    if (connection->idle_link != NULL || !connection->is_counted) {
        return; /* there already, or as good as closed */
    }
    connection->idle_since_ns = hf_clock_coarse_ns();
    connection->next_idle = NULL;
    connection->idle_link = server->idle_end;
    *server->idle_end = connection;
    server->idle_end = &connection->next_idle;
}

void hf_http_idle_leave(struct hf_http_server *server, struct http_connection *connection)
{
    if (connection->idle_link == NULL) {
        return;
    }
    *connection->idle_link = connection->next_idle;
    if (connection->next_idle != NULL) {
        connection->next_idle->idle_link = connection->idle_link;
    } else {
        server->idle_end = connection->idle_link;
    }
    connection->idle_link = NULL;
}

void hf_http_count_out(struct hf_http_server *server, struct http_connection *connection)
{
    if (connection->is_counted) {
        connection->is_counted = false;
        hf_census_leave(server->census, &connection->who);
    }
}

/* Under the lock. The library sees the end of the socket, and closes it soon; it counts no more. */
static void end(struct hf_http_server *server, struct http_connection *connection, char peer[64])
{
    hf_http_idle_leave(server, connection);
    hf_http_count_out(server, connection);
    memcpy(peer, connection->peer, sizeof(connection->peer));
    (void)shutdown(connection->fd, SHUT_RDWR);
}

static void report(const struct hf_http_server *server, const char *peer, const char *what)
{
    if (server->options.on_error != NULL) {
        server->options.on_error(server->options.user, peer, what);
    }
}

/* Under the lock: the one that has been idle for longest, of all (`who` NULL) or of one peer. */
static struct http_connection *find_idle(const struct hf_http_server *server,
                                         const struct hf_peer *who)
{
    struct http_connection *at = server->idle;
    for (int i = 0; at != NULL && who != NULL && !hf_peer_equal(&at->who, who); i++) {
        at = i < HTTP_SEARCH_MAX ? at->next_idle : NULL;
    }
    return at;
}

/* Whichever has been idle for longer: one that is being greeted, or one that the library has. */
static bool evict(struct hf_http_server *server, const struct hf_peer *who, const char *what)
{
    char peer[64] = "";
    uint64_t greeted_ns = hf_http_greetings_oldest_ns(server->greetings, who);
    pthread_mutex_lock(&server->lock);
    struct http_connection *idle = find_idle(server, who);
    bool is_longest = idle != NULL && idle->idle_since_ns <= greeted_ns;
    if (is_longest) {
        end(server, idle, peer);
    }
    pthread_mutex_unlock(&server->lock);
    if (!is_longest && greeted_ns == UINT64_MAX) {
        return false;
    }
    if (!is_longest) {
        hf_http_greetings_end_oldest(server->greetings, who, peer);
    }
    report(server, peer, what);
    return true;
}

bool hf_http_evict(struct hf_http_server *server)
{
    return evict(server, NULL, "too many connections: an idle one was closed");
}

bool hf_http_count_in(struct hf_http_server *server, const struct hf_peer *who)
{
    enum hf_census_verdict verdict = hf_census_enter(server->census, who);
    bool evicted =
        verdict == HF_CENSUS_PEER_FULL
            ? evict(server, who, "too many connections of one peer: an idle one was closed")
        : verdict == HF_CENSUS_FULL ? hf_http_evict(server)
                                    : false;
    if (evicted) {
        verdict = hf_census_enter(server->census, who);
    }
    return verdict == HF_CENSUS_ADMITTED;
}
