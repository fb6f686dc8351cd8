/* A request and its answer through the forwarder, byte for byte: the backend is a plain socket. */
#include <pthread.h>

#include "tests/unit/components/extensions/pages.h"

extern const struct hf_component hf_extension_http_forwarder;

enum { TEXT_MAX = 8192 };

/* Takes one request and answers it with `answer`. */
struct backend {
    int fd;
    char endpoint[64];
    const char *answer;
    char request[TEXT_MAX];
    pthread_t thread;
};

static size_t hear(int fd, char text[TEXT_MAX])
{
    size_t size = 0, wanted = SIZE_MAX;
    while (size < wanted && size + 1 < TEXT_MAX) {
        ssize_t got = recv(fd, text + size, TEXT_MAX - 1 - size, 0);
        if (got <= 0) {
            break;
        }
        size += (size_t)got;
        text[size] = '\0';
        const char *end = strstr(text, "\r\n\r\n");
        const char *length = strcasestr(text, "content-length:");
        if (end != NULL) {
            wanted =
                (size_t)(end - text) + 4 + (length != NULL ? strtoul(length + 15, NULL, 10) : 0);
        }
    }
    text[size] = '\0';
    return size;
}

static void *backend_main(void *user)
{
    struct backend *backend = user;
    int fd = accept(backend->fd, NULL, NULL);
    (void)hear(fd, backend->request);
    (void)send(fd, backend->answer, strlen(backend->answer), MSG_NOSIGNAL);
    close(fd);
    return NULL;
}

static void open_backend(struct backend *backend, const char *answer)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    *backend = (struct backend){.answer = answer};
    backend->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(backend->fd, (const struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(backend->fd, 4), 0);
    assert_int_equal(getsockname(backend->fd, (struct sockaddr *)&address, &size), 0);
    snprintf(backend->endpoint, sizeof(backend->endpoint), "http://127.0.0.1:%d",
             ntohs(address.sin_port));
    if (answer != NULL) {
        assert_int_equal(pthread_create(&backend->thread, NULL, backend_main, backend), 0);
    }
}

static void close_backend(struct backend *backend)
{
    if (backend->answer != NULL) {
        assert_int_equal(pthread_join(backend->thread, NULL), 0);
    }
    close(backend->fd);
}

/* What the forwarder that listens says to `request`. */
static void exchange(const char *request, char ret_answer[TEXT_MAX])
{
    struct sockaddr_in address;
    socklen_t size = sizeof(address);
    assert_int_equal(getsockname(listening_fd, (struct sockaddr *)&address, &size), 0);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&address, size), 0);
    assert_int_equal(send(fd, request, strlen(request), 0), strlen(request));
    size_t got = 0;
    for (ssize_t more; (more = recv(fd, ret_answer + got, TEXT_MAX - 1 - got, 0)) > 0;) {
        got += (size_t)more;
    }
    ret_answer[got] = '\0';
    close(fd);
}

static void assert_says(const char *text, const char *part)
{
    if (strcasestr(text, part) == NULL) {
        fail_msg("no \"%s\" in \"%s\"", part, text);
    }
}

static void assert_silent_on(const char *text, const char *part)
{
    if (strcasestr(text, part) != NULL) {
        fail_msg("\"%s\" in \"%s\"", part, text);
    }
}

/* One exchange with a backend that answers so. */
static void forward(const char *const more[2], const char *request, const char *answer,
                    char ret_request[TEXT_MAX], char ret_answer[TEXT_MAX])
{
    struct backend backend;
    struct pages pages;
    open_backend(&backend, answer);
    open_pages(&pages, &hf_extension_http_forwarder,
               (const char *const[][2]){
                   {"egress.endpoint", backend.endpoint}, {more[0], more[1]}, {NULL, NULL}});
    exchange(request, ret_answer);
    close_backend(&backend);
    close_pages(&pages);
    memcpy(ret_request, backend.request, TEXT_MAX);
}

static char request[TEXT_MAX], answer[TEXT_MAX];

static void a_request_keeps_what_is_its_own(void **state)
{
    (void)state;
    forward((const char *const[]){"egress.headers.X-Token", "secret"},
            "PUT /v2/../a%2fb?q=%20x&y#z HTTP/1.1\r\nHost: in.test:80\r\nX-Token: guess\r\n"
            "X-Word: one\r\nX-Word: two\r\nX-Hop: 1\r\nConnection: close, x-hop\r\n"
            "User-Agent: me\r\nContent-Length: 4\r\n\r\nbody",
            "HTTP/1.1 201 Made\r\nContent-Length: 5\r\nSet-Cookie: a=b\r\nSet-Cookie: c=d\r\n"
            "X-Hop: 1\r\nConnection: close, x-hop\r\nContent-Type: text/x-a\r\n\r\nhello",
            request, answer);
    assert_int_equal(strncmp(request, "PUT /v2/../a%2fb?q=%20x&y%23z HTTP/1.1\r\n", 40), 0);
    assert_says(request, "\r\nHost: 127.0.0.1:");
    assert_says(request, "\r\nx-token: secret\r\n");
    assert_silent_on(request, "guess");
    assert_says(request, "\r\nx-word: one\r\nx-word: two\r\n");
    assert_says(request, "\r\nuser-agent: me\r\n");
    assert_says(request, "\r\nvia: HTTP/1.1 in.test:80\r\n");
    assert_silent_on(request, "x-hop");
    assert_silent_on(request, "content-type");
    assert_says(request, "\r\n\r\nbody");
    assert_int_equal(strncmp(answer, "HTTP/1.1 201 ", 13), 0);
    assert_says(answer, "\r\nset-cookie: a=b\r\nset-cookie: c=d\r\n");
    assert_says(answer, "\r\ncontent-type: text/x-a\r\n");
    assert_says(answer, "\r\nvia: HTTP/1.1 in.test:80\r\n");
    assert_silent_on(answer, "x-hop");
    assert_says(answer, "\r\n\r\nhello");
}

static void a_get_may_have_a_body_and_a_url_a_host(void **state)
{
    (void)state;
    forward((const char *const[]){NULL, NULL},
            "GET http://elsewhere.test?q HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
            "Content-Length: 2\r\n\r\nhi",
            "HTTP/1.1 500 No\r\nContent-Length: 3\r\n\r\nwhy", request, answer);
    assert_int_equal(strncmp(request, "GET /?q HTTP/1.1\r\n", 18), 0);
    assert_says(request, "\r\n\r\nhi");
    assert_int_equal(strncmp(answer, "HTTP/1.1 500 ", 13), 0);
    assert_says(answer, "\r\n\r\nwhy");
}

static void a_head_tells_the_size(void **state)
{
    (void)state;
    forward((const char *const[]){NULL, NULL},
            "HEAD /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
            "HTTP/1.1 200 HEAD\r\nContent-Length: 12345\r\n\r\n", request, answer);
    assert_int_equal(strncmp(request, "HEAD /a HTTP/1.1\r\n", 18), 0);
    assert_says(answer, "\r\nContent-Length: 12345\r\n");
}

static void an_answer_that_is_cut_off_is_no_answer(void **state)
{
    (void)state;
    forward((const char *const[]){NULL, NULL},
            "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
            "HTTP/1.1 400 No\r\nContent-Length: 30\r\n\r\nhalf", request, answer);
    assert_int_equal(strncmp(answer, "HTTP/1.1 502 ", 13), 0);
    assert_says(answer, "the answer has not come whole\n");
    assert_says(answer, "X-Content-Type-Options: nosniff");
}

static void a_backend_that_is_not_there_or_silent_is_502(void **state)
{
    struct backend backend;
    struct pages pages;
    (void)state;
    open_backend(&backend, NULL); /* the kernel accepts, and no program answers */
    open_pages(&pages, &hf_extension_http_forwarder,
               (const char *const[][2]){{"egress.endpoint", backend.endpoint},
                                        {"egress.timeout", "100ms"},
                                        {NULL, NULL}});
    exchange("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", answer);
    assert_int_equal(strncmp(answer, "HTTP/1.1 502 ", 13), 0);
    assert_true(node_stub_wait_log(&pages.node, "was not forwarded"));
    close_backend(&backend);
    exchange("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", answer);
    assert_int_equal(strncmp(answer, "HTTP/1.1 502 ", 13), 0);
    assert_says(answer, "connect");
    exchange("OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", answer);
    assert_int_equal(strncmp(answer, "HTTP/1.1 400 ", 13), 0);
    close_pages(&pages);
}

static void a_stop_waits_for_no_backend(void **state)
{
    static const char head[] = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    struct backend backend;
    struct pages pages;
    struct sockaddr_in address;
    socklen_t size = sizeof(address);
    (void)state;
    open_backend(&backend, NULL);
    open_pages(&pages, &hf_extension_http_forwarder,
               (const char *const[][2]){
                   {"egress.endpoint", backend.endpoint}, {"egress.timeout", "0s"}, {NULL, NULL}});
    assert_int_equal(getsockname(listening_fd, (struct sockaddr *)&address, &size), 0);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&address, size), 0);
    assert_int_equal(send(fd, head, sizeof(head) - 1, 0), sizeof(head) - 1);
    int taken = accept(backend.fd, NULL, NULL); /* it is under way */
    assert_true(taken >= 0);
    close_pages(&pages);
    assert_true(recv(fd, answer, sizeof(answer), 0) <= 0);
    close(taken);
    close(fd);
    close_backend(&backend);
}

static void an_endpoint_is_wanted_and_its_path_is_not(void **state)
{
    struct made_config made;
    struct pages pages;
    (void)state;
    made_config(&made, &hf_extension_http_forwarder, (const char *const[][2]){{NULL, NULL}});
    assert_says(hf_extension_http_forwarder.check(made.config), "egress::endpoint is required");
    made_config_release(&made);
    open_pages(&pages, &hf_extension_http_forwarder,
               (const char *const[][2]){{"egress.endpoint", "http://a.test:1/base"}, {NULL, NULL}});
    assert_says(pages.node.log, "of egress::endpoint only http://a.test:1 is used");
    assert_says(pages.node.log, "ingress::endpoint is not set");
    close_pages(&pages);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_keeps_what_is_its_own),
        cmocka_unit_test(a_get_may_have_a_body_and_a_url_a_host),
        cmocka_unit_test(a_head_tells_the_size),
        cmocka_unit_test(an_answer_that_is_cut_off_is_no_answer),
        cmocka_unit_test(a_backend_that_is_not_there_or_silent_is_502),
        cmocka_unit_test(a_stop_waits_for_no_backend),
        cmocka_unit_test(an_endpoint_is_wanted_and_its_path_is_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
