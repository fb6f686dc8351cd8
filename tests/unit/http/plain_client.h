/*
 * plain_client: a client of plain sockets, for tests of the server. It is included, not linked.
 */
#pragma once

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define WAIT_MS 10000

/* A connection whose reads wait for WAIT_MS. */
static inline int dial_to(const struct sockaddr_in *address)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const struct timeval patience = {.tv_sec = WAIT_MS / 1000};
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)address, sizeof(*address)), 0);
    return fd;
}

static inline void put(int fd, const void *data, size_t size)
{
    const char *at = data;
    while (size != 0) {
        ssize_t sent = send(fd, at, size, MSG_NOSIGNAL);
        assert_true(sent > 0);
        at += sent;
        size -= (size_t)sent;
    }
}

static inline void say(int fd, const char *text)
{
    put(fd, text, strlen(text));
}

/* One whole response, headers and body, as text. "" when the connection was closed. */
static inline const char *hear(int fd, char *text, size_t capacity)
{
    size_t used = 0, wanted = SIZE_MAX;
    text[0] = '\0';
    while (used < wanted && used + 1 < capacity) {
        /* Not beyond this response: the next one may be there already. */
        size_t step = wanted == SIZE_MAX ? 1 : wanted - used;
        ssize_t got = recv(fd, text + used, step, 0);
        if (got <= 0) {
            break;
        }
        used += (size_t)got;
        text[used] = '\0';
        const char *end = wanted == SIZE_MAX ? strstr(text, "\r\n\r\n") : NULL;
        if (end != NULL) {
            const char *length = strcasestr(text, "Content-Length:");
            wanted = (size_t)(end - text) + 4 +
                     (length == NULL ? 0 : (size_t)strtoul(length + 15, NULL, 10));
        }
    }
    return text;
}

static inline void assert_says(const char *text, const char *part)
{
    if (strstr(text, part) == NULL) {
        fail_msg("no \"%s\" in \"%s\"", part, text);
    }
}
