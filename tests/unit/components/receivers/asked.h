/*
 * asked: what tests of receivers over HTTP share, besides intake.h: one request on a connection of
 * its own, and its answer. It is included, not linked.
 */
#pragma once

#include "tests/unit/components/receivers/intake.h"

#define ASKED_TEXT_MAX 4096

struct asked {
    int code;
    char head[ASKED_TEXT_MAX]; /* with the status line, each line with its CR LF */
    char body[ASKED_TEXT_MAX];
};

/* `head`: the request line and headers, each with its CR LF, but for Host, Connection and length.
 * The connection, to be read. */
static inline int ask(const char *head, const void *body, size_t size)
{
    char text[1024];
    int fd = connect_to_it();
    int length =
        snprintf(text, sizeof(text),
                 "%sHost: a\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n", head, size);
    assert_int_equal(send(fd, text, (size_t)length, MSG_NOSIGNAL), length);
    assert_int_equal(send(fd, body, size, MSG_NOSIGNAL), size);
    return fd;
}

static inline struct asked read_answer(int fd)
{
    struct asked asked = {0};
    char text[ASKED_TEXT_MAX];
    size_t got = 0;
    for (ssize_t more; (more = recv(fd, text + got, sizeof(text) - 1 - got, 0)) > 0;) {
        got += (size_t)more;
    }
    text[got] = '\0';
    close(fd);
    const char *body = strstr(text, "\r\n\r\n");
    assert_non_null(body);
    asked.code = (int)strtol(text + 9, NULL, 10);
    snprintf(asked.head, sizeof(asked.head), "%.*s", (int)(body + 2 - text), text);
    snprintf(asked.body, sizeof(asked.body), "%s", body + 4);
    return asked;
}

static inline void assert_answer(int fd, int code, const char *part)
{
    struct asked asked = read_answer(fd);
    if (asked.code != code || strstr(asked.body, part) == NULL) {
        fail_msg("%d %s, wanted %d with \"%s\"", asked.code, asked.body, code, part);
    }
}
