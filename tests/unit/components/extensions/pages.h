/*
 * pages: what tests of extensions with pages share: a node in a made-up graph, whose components
 * fare as the test says, and a client of plain sockets. It is included, not linked.
 */
#pragma once

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/node_stub.c"
#include "tests/unit/made_config.h"

#include <holdfast/overview.h>

static int listening_fd = -1;
static enum hf_state exporter_state = HF_STATE_OK;
static const char *not_durable; /* why; NULL: it is */

/* ---- what the graph lends ---- */

enum hf_status hf_node_listen_mode(struct hf_node *node, const char *endpoint, const char *mode,
                                   int *ret_fd, char *reterr)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    (void)node, (void)endpoint, (void)mode, (void)reterr;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(fd, 16), 0);
    listening_fd = dup(fd);
    *ret_fd = fd;
    return HF_OK;
}

enum hf_status hf_node_listen(struct hf_node *node, const char *endpoint, int *ret_fd, char *reterr)
{
    return hf_node_listen_mode(node, endpoint, NULL, ret_fd, reterr);
}

bool hf_node_explain_durable(const struct hf_node *node, char *ret_why)
{
    (void)node;
    snprintf(ret_why, HF_ERROR_MAX, "%s", not_durable != NULL ? not_durable : "");
    return not_durable == NULL;
}

bool hf_node_is_succeeded(const struct hf_node *node)
{
    (void)node;
    return false;
}

void hf_node_hold(struct hf_node *node)
{
    (void)node;
}

void hf_node_release(struct hf_node *node)
{
    (void)node;
}

struct hf_own_spans *hf_node_own_spans(const struct hf_node *node)
{
    (void)node;
    return NULL;
}

char *hf_node_print_config(const struct hf_node *node, bool json)
{
    (void)node;
    return strdup(json ? "{\"receivers\":{}}" : "receivers: {}\n");
}

const char *hf_state_name(enum hf_state state)
{
    static const char *const names[HF_STATE_COUNT] = {
        "StatusNone",           "StatusStarting",   "StatusOK",       "StatusRecoverableError",
        "StatusPermanentError", "StatusFatalError", "StatusStopping", "StatusStopped"};
    return names[state];
}

void hf_node_view_components(const struct hf_node *node,
                             void (*visit)(void *user, const struct hf_component_view *view),
                             void *user)
{
    static const struct hf_component kinds[] = {
        {.type = "ext", .help = "An extension.", .kind = HF_EXTENSION},
        {.type = "in", .help = "A receiver.", .kind = HF_RECEIVER},
        {.type = "out", .help = "An exporter.", .kind = HF_EXPORTER}};
    static const char *const ids[] = {"ext", "in", "out/1"};
    (void)node;
    for (size_t i = 0; i < 3; i++) {
        struct hf_component_view view = {
            .component = &kinds[i],
            .id = ids[i],
            .pipeline_id = i == 0 ? NULL : "logs/a",
            .signal = HF_LOGS,
            .place = kinds[i].kind,
            .look = {.state = i == 2 ? exporter_state : HF_STATE_OK, .since_unix_ns = 1000000000},
        };
        if (view.look.state != HF_STATE_OK) {
            snprintf(view.look.error, sizeof(view.look.error), "no key");
        }
        visit(user, &view);
    }
}

/* ---- an extension with pages ---- */

struct pages {
    struct hf_node node;
    struct made_config made;
    const struct hf_component *component;
    void *self;
};

static inline void open_pages(struct pages *pages, const struct hf_component *component,
                              const char *const pairs[][2])
{
    char error[HF_ERROR_MAX] = "";
    *pages = (struct pages){.component = component, .node = {.id = component->type}};
    node_stub_init(&pages->node);
    exporter_state = HF_STATE_OK;
    not_durable = NULL;
    made_config(&pages->made, component, pairs);
    const char *wrong = component->check(pages->made.config);
    if (wrong != NULL ||
        component->open(&pages->node, pages->made.config, &pages->self, error) != HF_OK ||
        component->start(pages->self, error) != HF_OK) {
        fail_msg("%s", wrong != NULL ? wrong : error);
    }
}

static inline void close_pages(struct pages *pages)
{
    pages->component->stop(pages->self);
    pages->component->close(pages->self);
    made_config_release(&pages->made);
    close(listening_fd);
}

/* The code of the answer to a GET; its body in `ret_body`. */
static inline int get_page(const char *path, char ret_body[16384])
{
    struct sockaddr_in address;
    socklen_t size = sizeof(address);
    char text[32768];
    size_t got = 0;
    ssize_t more = 0;
    assert_int_equal(getsockname(listening_fd, (struct sockaddr *)&address, &size), 0);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&address, size), 0);
    int length = snprintf(text, sizeof(text),
                          "GET %s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", path);
    assert_int_equal(send(fd, text, (size_t)length, 0), length);
    while ((more = recv(fd, text + got, sizeof(text) - 1 - got, 0)) > 0) {
        got += (size_t)more;
    }
    close(fd);
    text[got] = '\0';
    const char *body = strstr(text, "\r\n\r\n");
    assert_non_null(body);
    snprintf(ret_body, 16384, "%s", body + 4);
    return (int)strtol(text + 9, NULL, 10);
}

static inline void assert_page(const char *path, int code, const char *part)
{
    char body[16384];
    int found = get_page(path, body);
    if (found != code || strstr(body, part) == NULL) {
        fail_msg("%s: %d, wanted %d with \"%s\": %s", path, found, code, part, body);
    }
}
