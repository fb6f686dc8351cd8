#include "server_greeting.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "server_internal.h"
#include "util/spoken.h"
#include "util/time/clock.h"

#define EVENTS_A_TURN 64
/* As for the headers, of which they are the beginning. */
#define WAIT_NS (60 * HF_NS_PER_S)
/* A socket closed with unread bytes would take back the answer that the peer has not read. */
#define LINGER_NS HF_NS_PER_S
#define DISCARD_READS_MAX 16

struct greeting {
    struct greeting *next, **link;
    int fd;
    bool is_answered; /* what still comes is thrown away */
    uint64_t begun_ns, end_ns;
    struct hf_peer who;
    struct sockaddr_storage address;
    socklen_t address_size;
};

struct http_greetings {
    struct hf_http_server *server;
    int epoll_fd;
    struct greeting *first, **end; /* in the order of their arrival */
};

enum hf_status hf_http_greetings_new(struct hf_http_server *server,
                                     struct http_greetings **ret_greetings)
{
    struct http_greetings *greetings = calloc(1, sizeof(*greetings));
    if (greetings == NULL) {
        return HF_NOMEM;
    }
    greetings->server = server;
    greetings->end = &greetings->first;
    greetings->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (greetings->epoll_fd < 0) {
        free(greetings);
        return HF_IO;
    }
    *ret_greetings = greetings;
    return HF_OK;
}

int hf_http_greetings_fd(const struct http_greetings *greetings)
{
    return greetings->epoll_fd;
}

/* Out of the list; the socket is the caller's. */
static void forget(struct http_greetings *greetings, struct greeting *greeting)
{
    *greeting->link = greeting->next;
    if (greeting->next != NULL) {
        greeting->next->link = greeting->link;
    } else {
        greetings->end = greeting->link;
    }
    free(greeting);
}

static void end(struct http_greetings *greetings, struct greeting *greeting)
{
    close(greeting->fd);
    hf_http_server_uncount(greetings->server, &greeting->address);
    forget(greetings, greeting);
}

static void pass_on(struct http_greetings *greetings, struct greeting *greeting)
{
    (void)epoll_ctl(greetings->epoll_fd, EPOLL_CTL_DEL, greeting->fd, NULL);
    hf_http_server_admit(greetings->server, greeting->fd, &greeting->address,
                         greeting->address_size);
    forget(greetings, greeting);
}

static void throw_away(struct http_greetings *greetings, struct greeting *greeting)
{
    char bytes[4096];
    for (int i = 0; i < DISCARD_READS_MAX; i++) {
        ssize_t got = recv(greeting->fd, bytes, sizeof(bytes), MSG_DONTWAIT);
        if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) {
            end(greetings, greeting);
            return;
        }
        if (got < 0) {
            return;
        }
    }
}

static struct hf_spoken_port port_of(const struct hf_http_server *server)
{
    return (struct hf_spoken_port){.is_tls = server->tls != NULL,
                                   .is_otlp = server->options.is_otlp};
}

static void turn_away(struct http_greetings *greetings, struct greeting *greeting,
                      enum hf_spoken spoken, const char *complaint)
{
    uint8_t answer[HF_SPOKEN_ANSWER_MAX];
    const struct hf_spoken_port port = port_of(greetings->server);
    hf_http_server_complain(greetings->server, &greeting->address, complaint);
    size_t size = hf_spoken_answer(spoken, port, answer);
    /* A fresh socket takes this much at once; if not, there is nothing more to do for the peer. */
    ssize_t sent = send(greeting->fd, answer, size, MSG_NOSIGNAL | MSG_DONTWAIT);
    (void)sent;
    (void)shutdown(greeting->fd, SHUT_WR);
    greeting->is_answered = true;
    greeting->end_ns = hf_clock_coarse_ns() + LINGER_NS;
    throw_away(greetings, greeting);
}

static void hear(struct http_greetings *greetings, struct greeting *greeting)
{
    uint8_t bytes[HF_SPOKEN_BYTES];
    const struct hf_spoken_port port = port_of(greetings->server);
    ssize_t got = recv(greeting->fd, bytes, sizeof(bytes), MSG_PEEK | MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    if (got <= 0) {
        end(greetings, greeting); /* a look whether the port is open */
        return;
    }
    enum hf_spoken spoken = hf_spoken_of(bytes, (size_t)got);
    const char *complaint = hf_spoken_complaint(spoken, port);
    if (complaint != NULL) {
        turn_away(greetings, greeting, spoken, complaint);
    } else {
        pass_on(greetings, greeting);
    }
}

void hf_http_greetings_take(struct http_greetings *greetings, int fd,
                            const struct sockaddr_storage *address, socklen_t size)
{
    struct greeting *greeting = calloc(1, sizeof(*greeting));
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = greeting};
    if (greeting == NULL || epoll_ctl(greetings->epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0) {
        free(greeting);
        close(fd);
        hf_http_server_uncount(greetings->server, address);
        return;
    }
    greeting->fd = fd;
    greeting->begun_ns = hf_clock_coarse_ns();
    greeting->end_ns = greeting->begun_ns + WAIT_NS;
    greeting->who = hf_peer_of_address((const struct sockaddr *)address);
    greeting->address = *address;
    greeting->address_size = size;
    greeting->link = greetings->end;
    *greetings->end = greeting;
    greetings->end = &greeting->next;
}

void hf_http_greetings_turn(struct http_greetings *greetings)
{
    struct epoll_event events[EVENTS_A_TURN];
    int count = epoll_wait(greetings->epoll_fd, events, EVENTS_A_TURN, 0);
    for (int i = 0; i < count; i++) {
        struct greeting *greeting = events[i].data.ptr;
        if (greeting->is_answered) {
            throw_away(greetings, greeting);
        } else {
            hear(greetings, greeting);
        }
    }
}

void hf_http_greetings_sweep(struct http_greetings *greetings, uint64_t now_ns)
{
    for (struct greeting *at = greetings->first, *next; at != NULL; at = next) {
        next = at->next;
        if (now_ns >= at->end_ns) {
            end(greetings, at);
        }
    }
}

static struct greeting *find_oldest(const struct http_greetings *greetings,
                                    const struct hf_peer *who)
{
    struct greeting *at = greetings->first;
    for (int i = 0; at != NULL && who != NULL && !hf_peer_equal(&at->who, who); i++) {
        at = i < HTTP_SEARCH_MAX ? at->next : NULL;
    }
    return at;
}

uint64_t hf_http_greetings_oldest_ns(const struct http_greetings *greetings,
                                     const struct hf_peer *who)
{
    const struct greeting *oldest = find_oldest(greetings, who);
    return oldest != NULL ? oldest->begun_ns : UINT64_MAX;
}

void hf_http_greetings_end_oldest(struct http_greetings *greetings, const struct hf_peer *who,
                                  char ret_peer[64])
{
    struct greeting *oldest = find_oldest(greetings, who);
    assert(oldest != NULL);
    hf_http_format_peer((const struct sockaddr *)&oldest->address, ret_peer, 64);
    end(greetings, oldest);
}

void hf_http_greetings_free(struct http_greetings *greetings)
{
    if (greetings == NULL) {
        return;
    }
    while (greetings->first != NULL) {
        end(greetings, greetings->first);
    }
    close(greetings->epoll_fd);
    free(greetings);
}
