/* The client against servers that answer in every wrong way: each becomes one clear result. */
#include <grpc/client.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <time.h>

#include <cmocka.h> /* needs those before it */

#include <holdfast/ref.h>

#include "raw_h2.h"

#define END_STREAM NGHTTP2_FLAG_END_STREAM
#define END_HEADERS NGHTTP2_FLAG_END_HEADERS
#define OK_HEADERS ":status: 200\ncontent-type: application/grpc\n"
#define RETRY_INFO "CA4SAXgaMAoodHlwZS5nb29nbGVhcGlzLmNvbS9nb29nbGUucnBjLlJldHJ5SW5mbxIECgIIAg"

/* What the server sends to the n-th request that it sees, on whichever connection. */
struct script {
    void (*say)(struct raw_bytes *bytes, uint32_t stream, int number);
    bool hang_up; /* after each answer */
};

struct fake {
    int listener;
    char target[64];
    pthread_t thread;
    struct script script;
    int requests; /* the thread's, until it is joined */
};

static void serve(struct fake *fake, int fd)
{
    struct raw_bytes *bytes = calloc(1, sizeof(*bytes));
    assert_non_null(bytes);
    raw_frame(bytes, NGHTTP2_SETTINGS, 0, 0, NULL, 0);
    raw_send(fd, bytes);
    char preface[24];
    struct raw_reader *reader = raw_reader_new(fd);
    bool open = raw_read_all(fd, preface, sizeof(preface));
    while (open && raw_find(reader, NGHTTP2_HEADERS)) {
        bytes->size = 0;
        fake->script.say(bytes, reader->stream, ++fake->requests);
        raw_send(fd, bytes);
        if (fake->script.hang_up) {
            shutdown(fd, SHUT_WR);
        }
    }
    raw_reader_free(reader);
    free(bytes);
}

static void *fake_main(void *argument)
{
    struct fake *fake = argument;
    for (;;) {
        int fd = accept(fake->listener, NULL, NULL);
        if (fd < 0) {
            return NULL; /* the listener was shut down */
        }
        serve(fake, fd);
    }
}

static void fake_start(struct fake *fake, const struct script *script)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    memset(fake, 0, sizeof(*fake));
    fake->script = *script;
    fake->listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fake->listener, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(fake->listener, 8), 0);
    assert_int_equal(getsockname(fake->listener, (struct sockaddr *)&address, &size), 0);
    snprintf(fake->target, sizeof(fake->target), "127.0.0.1:%u", ntohs(address.sin_port));
    assert_int_equal(pthread_create(&fake->thread, NULL, fake_main, fake), 0);
}

static void fake_stop(struct fake *fake)
{
    shutdown(fake->listener, SHUT_RDWR);
    pthread_join(fake->thread, NULL);
    close(fake->listener);
}

struct outcome {
    struct hf_grpc_request request;
    struct hf_loop *loop;
    int code;
    bool has_retry_info;
    uint64_t retry_delay_ns;
    char message[1024];
    char response[64];
    size_t size;
};

static void on_done(struct hf_grpc_request *request, const struct hf_grpc_result *result)
{
    struct outcome *outcome = HF_CONTAINER(request, struct outcome, request);
    outcome->code = result->code;
    outcome->has_retry_info = result->has_retry_info;
    outcome->retry_delay_ns = result->retry_delay_ns;
    snprintf(outcome->message, sizeof(outcome->message), "%s", result->message);
    outcome->size = result->response.size;
    assert_true(outcome->size < sizeof(outcome->response));
    if (outcome->size != 0) {
        memcpy(outcome->response, result->response.data, outcome->size);
    }
    hf_loop_stop(outcome->loop);
}

/* One call to a server that follows the script; returns how many requests that one saw. */
static int ask(const struct script *script, struct outcome *ret_outcome)
{
    struct fake fake;
    fake_start(&fake, script);
    memset(ret_outcome, 0, sizeof(*ret_outcome));
    assert_int_equal(hf_loop_new(&ret_outcome->loop), HF_OK);
    char error[512] = "";
    struct hf_grpc_client *client = NULL;
    const struct hf_grpc_client_options options = {
        .loop = ret_outcome->loop, .target = fake.target, .response_bytes_max = 1000};
    assert_int_equal(hf_grpc_client_new(&options, &client, error), HF_OK);
    struct hf_slice body = hf_slice_text("a request");
    ret_outcome->request = (struct hf_grpc_request){
        .path = "/t.S/M", .pieces = &body, .piece_count = 1, .done = on_done};
    hf_grpc_client_call(client, &ret_outcome->request);
    hf_loop_run(ret_outcome->loop);
    hf_grpc_client_free(client);
    hf_loop_free(ret_outcome->loop);
    fake_stop(&fake);
    return fake.requests;
}

static void say_ok(struct raw_bytes *bytes, uint32_t stream, int number)
{
    (void)number;
    raw_headers(bytes, stream, END_HEADERS, OK_HEADERS);
    raw_message(bytes, stream, 0, 0, "fine", 4);
    raw_headers(bytes, stream, END_HEADERS | END_STREAM, "grpc-status: 0\n");
}

static void say_ok_without_a_word(struct raw_bytes *bytes, uint32_t stream, int number)
{
    (void)number;
    raw_headers(bytes, stream, END_HEADERS | END_STREAM, OK_HEADERS "grpc-status: 0\n");
}

static void say_ok_in_an_unknown_coding(struct raw_bytes *bytes, uint32_t stream, int number)
{
    (void)number;
    raw_headers(bytes, stream, END_HEADERS, OK_HEADERS "grpc-encoding: lz77\n");
    raw_message(bytes, stream, 0, 1, "????", 4);
    raw_headers(bytes, stream, END_HEADERS | END_STREAM, "grpc-status: 0\n");
}

static void say_later(struct raw_bytes *bytes, uint32_t stream, int number)
{
    (void)number;
    raw_headers(bytes, stream, END_HEADERS | END_STREAM,
                OK_HEADERS "grpc-status: 14\ngrpc-message: sp%C3%A4ter\n"
                           "grpc-status-details-bin: " RETRY_INFO "\n");
}

static void say_nonsense_in_the_trailers(struct raw_bytes *bytes, uint32_t stream, int number)
{
    (void)number;
    raw_headers(bytes, stream, END_HEADERS | END_STREAM,
                OK_HEADERS "grpc-status: many\ngrpc-message: %zz%\n"
                           "grpc-status-details-bin: !!!\n");
}

static void say_503(struct raw_bytes *bytes, uint32_t stream, int number)
{
    (void)number;
    raw_headers(bytes, stream, END_HEADERS, ":status: 503\ncontent-type: text/plain\n");
    raw_frame(bytes, NGHTTP2_DATA, END_STREAM, stream, "no healthy upstream", 19);
}

static void say_404(struct raw_bytes *bytes, uint32_t stream, int number)
{
    (void)number;
    raw_headers(bytes, stream, END_HEADERS | END_STREAM, ":status: 404\n");
}

static void say_500(struct raw_bytes *bytes, uint32_t stream, int number)
{
    (void)number;
    raw_headers(bytes, stream, END_HEADERS | END_STREAM, ":status: 500\n");
}

static void say_no_status(struct raw_bytes *bytes, uint32_t stream, int number)
{
    (void)number;
    raw_headers(bytes, stream, END_HEADERS, OK_HEADERS);
    raw_message(bytes, stream, END_STREAM, 0, "fine", 4);
}

static void say_reset(struct raw_bytes *bytes, uint32_t stream, int number)
{
    (void)number;
    raw_frame(bytes, NGHTTP2_RST_STREAM, 0, stream, "\0\0\0\2", 4);
}

static void say_too_much(struct raw_bytes *bytes, uint32_t stream, int number)
{
    (void)number;
    static const char body[1001] = {0};
    raw_headers(bytes, stream, END_HEADERS, OK_HEADERS);
    raw_message(bytes, stream, 0, 0, body, sizeof(body));
    raw_headers(bytes, stream, END_HEADERS | END_STREAM, "grpc-status: 0\n");
}

static void say_http_1(struct raw_bytes *bytes, uint32_t stream, int number)
{
    static const char text[] = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n";
    (void)stream;
    (void)number;
    raw_put(bytes, text, sizeof(text) - 1);
}

static void say_a_page(struct raw_bytes *bytes, uint32_t stream, int number)
{
    (void)number;
    raw_headers(bytes, stream, END_HEADERS, ":status: 200\ncontent-type: text/html\n");
    raw_frame(bytes, NGHTTP2_DATA, END_STREAM, stream, "<html>log in", 12);
}

static void say_nothing(struct raw_bytes *bytes, uint32_t stream, int number)
{
    (void)bytes;
    (void)stream;
    (void)number;
}

static void makes_one_result_of_each_answer(void **state)
{
    (void)state;
    static const struct {
        struct script script;
        int code;
        const char *says, *response;
        uint64_t retry_delay_ns;
    } rows[] = {
        {{say_ok, false}, 0, "", "fine", 0},
        {{say_ok, true}, 0, "", "fine", 0},
        {{say_ok_without_a_word, false}, 0, "", "", 0},
        {{say_ok_in_an_unknown_coding, false}, 0, "", "", 0},
        {{say_later, false}, 14, "sp\xc3\xa4ter", "", 2000000000},
        {{say_nonsense_in_the_trailers, false}, 2, "%zz%", "", 0},
        {{say_503, false}, 14, "HTTP status 503", "", 0},
        {{say_404, false}, 12, "HTTP status 404", "", 0},
        {{say_500, false}, 2, "HTTP status 500", "", 0},
        {{say_no_status, false}, 14, "without grpc-status", "", 0},
        {{say_reset, false}, 14, "without grpc-status", "", 0},
        {{say_too_much, false}, 8, "over the limit", "", 0},
        {{say_a_page, false}, 14, "no gRPC message", "", 0},
        {{say_http_1, false}, 14, "", "", 0},
        {{say_nothing, true}, 14, "closed by the peer", "", 0},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct outcome outcome;
        int requests = ask(&rows[i].script, &outcome);
        if (outcome.code != rows[i].code || strstr(outcome.message, rows[i].says) == NULL) {
            fail_msg("row %zu: %d %s", i, outcome.code, outcome.message);
        }
        assert_int_equal(requests, 1); /* none of these is sent again by the client itself */
        assert_int_equal(outcome.size, strlen(rows[i].response));
        assert_memory_equal(outcome.response, rows[i].response, outcome.size);
        assert_int_equal(outcome.has_retry_info, rows[i].retry_delay_ns != 0);
        assert_int_equal(outcome.retry_delay_ns, rows[i].retry_delay_ns);
    }
}

static void refuse_the_first(struct raw_bytes *bytes, uint32_t stream, int number)
{
    if (number == 1) {
        raw_frame(bytes, NGHTTP2_RST_STREAM, 0, stream, "\0\0\0\7", 4);
    } else {
        say_ok(bytes, stream, number);
    }
}

static void refuse_all(struct raw_bytes *bytes, uint32_t stream, int number)
{
    (void)number;
    raw_frame(bytes, NGHTTP2_RST_STREAM, 0, stream, "\0\0\0\7", 4);
}

static void leave_before_the_first(struct raw_bytes *bytes, uint32_t stream, int number)
{
    if (number == 1) {
        raw_frame(bytes, NGHTTP2_GOAWAY, 0, 0, "\0\0\0\0\0\0\0\0bye", 11);
    } else {
        say_ok(bytes, stream, number);
    }
}

static void leave_after_the_first(struct raw_bytes *bytes, uint32_t stream, int number)
{
    raw_frame(bytes, NGHTTP2_GOAWAY, 0, 0, "\0\0\0\1\0\0\0\0", 8);
    say_ok(bytes, stream, number);
}

static void sends_again_once_what_the_server_did_not_take(void **state)
{
    (void)state;
    static const struct {
        struct script script;
        int requests, code;
    } rows[] = {
        {{refuse_the_first, false}, 2, 0},       {{refuse_all, false}, 2, 14},
        {{leave_before_the_first, false}, 2, 0}, {{leave_before_the_first, true}, 2, 0},
        {{leave_after_the_first, false}, 1, 0},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct outcome outcome;
        int requests = ask(&rows[i].script, &outcome);
        if (outcome.code != rows[i].code || requests != rows[i].requests) {
            fail_msg("row %zu: %d %s, %d requests", i, outcome.code, outcome.message, requests);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(makes_one_result_of_each_answer),
        cmocka_unit_test(sends_again_once_what_the_server_did_not_take),
    };
    return cmocka_run_group_tests_name("answers", tests, NULL, NULL);
}
