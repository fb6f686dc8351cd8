#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "http/server.h"
#include "tests/unit/http/plain_client.h"

/* What on_headers does with the paths /later/good, /later/bad and /later/asleep. */
struct doorman {
    struct hf_http_server *server;
    struct sockaddr_in address;
    sem_t held, asleep, awake;
    struct hf_http_request *request;
    int asked, gone, ended;
};

static void answer_text(struct hf_http_request *request, int status, const char *text)
{
    const struct hf_http_answer answer = {
        .status = status, .content_type = "text/plain", .body = hf_slice_text(text)};
    hf_http_answer(request, &answer);
}

static enum hf_status on_headers_later(void *user, struct hf_http_request *request)
{
    struct doorman *doorman = user;
    doorman->asked++;
    if (strcmp(hf_http_path(request), "/later/asleep") == 0) {
        sem_post(&doorman->asleep);
        while (sem_wait(&doorman->awake) != 0) {
        }
        return HF_OK;
    }
    if (*hf_http_request_data(request) == NULL) {
        *hf_http_request_data(request) = doorman;
        doorman->request = request;
        hf_http_hold(request);
        sem_post(&doorman->held);
        return HF_OK;
    }
    if (strcmp(hf_http_path(request), "/later/bad") == 0) {
        answer_text(request, 401, "not you");
        return HF_UNAUTHENTICATED;
    }
    return HF_OK;
}

/* Says the path and the body. */
static void on_request(void *user, struct hf_http_request *request, enum hf_status fault)
{
    char text[200];
    struct hf_slice raw = hf_http_request_body(request)->raw;
    (void)user;
    assert_int_equal(fault, HF_OK);
    snprintf(text, sizeof(text), "path=%s raw=%.*s", hf_http_path(request), (int)raw.size,
             (const char *)raw.data);
    answer_text(request, 200, text);
}

static void on_gone(void *user, struct hf_http_request *request)
{
    struct doorman *doorman = user;
    assert_ptr_equal(*hf_http_request_data(request), doorman);
    doorman->gone++;
}

static void on_end(void *user)
{
    struct doorman *doorman = user;
    doorman->ended++;
}

static struct doorman *new_doorman(void)
{
    struct doorman *doorman = calloc(1, sizeof(*doorman));
    assert_non_null(doorman);
    sem_init(&doorman->held, 0, 0);
    sem_init(&doorman->asleep, 0, 0);
    sem_init(&doorman->awake, 0, 0);
    socklen_t size = sizeof(doorman->address);
    char error[512] = "";
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    doorman->address =
        (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    assert_int_equal(bind(fd, (struct sockaddr *)&doorman->address, size), 0);
    assert_int_equal(listen(fd, 64), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&doorman->address, &size), 0);
    const struct hf_http_server_options options = {.listen_fd = fd,
                                                   .on_headers = on_headers_later,
                                                   .on_request = on_request,
                                                   .on_gone = on_gone,
                                                   .on_end = on_end,
                                                   .user = doorman};
    assert_int_equal(hf_http_server_new(&options, &doorman->server, error), HF_OK);
    return doorman;
}

static void free_doorman(struct doorman *doorman)
{
    hf_http_server_free(doorman->server);
    assert_int_equal(doorman->ended, 1);
    sem_destroy(&doorman->held);
    sem_destroy(&doorman->asleep);
    sem_destroy(&doorman->awake);
    free(doorman);
}

static int dial(const struct doorman *doorman)
{
    return dial_to(&doorman->address);
}

static void await(sem_t *semaphore)
{
    while (sem_wait(semaphore) != 0) {
    }
}

static void asks_again_when_a_request_goes_on(void **state)
{
    (void)state;
    static const struct {
        const char *request, *answer;
    } rows[] = {
        {"GET /later/good HTTP/1.1\r\nHost: x\r\n\r\n", "path=/later/good"},
        {"POST /later/good HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello", "raw=hello"},
        {"GET /later/bad HTTP/1.1\r\nHost: x\r\n\r\n", "401"},
        {"POST /later/bad HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello", "401"},
        {"POST /later/bad HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n",
         "HTTP/1.1 401"},
    };
    struct doorman *doorman = new_doorman();
    for (int i = 0; i < (int)(sizeof(rows) / sizeof(rows[0])); i++) {
        char text[4096];
        int fd = dial(doorman);
        say(fd, rows[i].request);
        await(&doorman->held);
        assert_true(hf_http_is_alive(doorman->request));
        hf_http_go_on(doorman->request);
        assert_says(hear(fd, text, sizeof(text)), rows[i].answer);
        close(fd);
    }
    assert_int_equal(doorman->asked, 10);
    free_doorman(doorman);
}

static void knows_that_the_client_of_a_held_request_has_gone(void **state)
{
    (void)state;
    struct doorman *doorman = new_doorman();
    int fd = dial(doorman);
    say(fd, "GET /later/good HTTP/1.1\r\nHost: x\r\n\r\n");
    await(&doorman->held);
    close(fd);
    struct hf_http_request *request = doorman->request;
    while (hf_http_is_alive(request)) {
        assert_int_equal(sched_yield(), 0);
    }
    hf_http_go_on(request);
    free_doorman(doorman);
}

static void stops_with_a_request_on_hold(void **state)
{
    (void)state;
    struct doorman *doorman = new_doorman();
    int fd = dial(doorman);
    say(fd, "GET /later/good HTTP/1.1\r\nHost: x\r\n\r\n");
    await(&doorman->held);
    struct hf_http_request *request = doorman->request;
    hf_http_server_stop(doorman->server, 1000000);
    assert_int_equal(doorman->gone, 1);
    assert_false(hf_http_is_alive(request));
    hf_http_go_on(request);
    close(fd);
    free_doorman(doorman);
}

static void does_not_wait_for_a_handler_that_is_blocked(void **state)
{
    (void)state;
    struct doorman *doorman = new_doorman();
    int fd = dial(doorman);
    say(fd, "GET /later/asleep HTTP/1.1\r\nHost: x\r\n\r\n");
    await(&doorman->asleep);
    hf_http_server_stop(doorman->server, 1000000);
    assert_int_equal(doorman->ended, 0);
    sem_post(&doorman->awake);
    close(fd);
    free_doorman(doorman);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(asks_again_when_a_request_goes_on),
        cmocka_unit_test(knows_that_the_client_of_a_held_request_has_gone),
        cmocka_unit_test(stops_with_a_request_on_hold),
        cmocka_unit_test(does_not_wait_for_a_handler_that_is_blocked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
