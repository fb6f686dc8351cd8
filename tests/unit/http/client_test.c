#include "client_fixture.h"

static void sends_the_pieces_as_one_body(void **state)
{
    (void)state;
    struct fixture fixture;
    char url[100];
    start(&fixture, 0, (struct hf_http_client_options){0});
    const struct hf_slice pieces[] = {hf_slice_text("one "), HF_EMPTY_SLICE, hf_slice_text("two "),
                                      hf_slice_text("three")};
    const struct hf_header headers[] = {{hf_slice_text("x-word"), hf_slice_text("yes")},
                                        {hf_slice_text("x-empty"), HF_EMPTY_SLICE}};
    struct reply reply = {.call = {.method = "POST",
                                   .url = url_of(&fixture, "/v1", url),
                                   .content_type = "text/x-mine",
                                   .pieces = pieces,
                                   .piece_count = 4,
                                   .headers = headers,
                                   .header_count = 2}};
    begin(&fixture, &reply);
    await(&fixture);
    assert_int_equal(reply.status, HF_OK);
    assert_int_equal(reply.code, 200);
    assert_string_equal(reply.type, "text/x-echo");
    assert_says(reply.body, "POST /v1 type=text/x-mine word=yes agent=Test/1 host=127.0.0.1:");
    assert_says(reply.body, "expect=0 coding=identity raw=one two three");
    end(&fixture);
}

static void names_the_coding(void **state)
{
    (void)state;
    struct fixture fixture;
    char url[100];
    start(&fixture, 0, (struct hf_http_client_options){0});
    struct hf_slice text = hf_slice_text("coded text");
    struct hf_bytes coded = {0};
    assert_int_equal(hf_encode(HF_ZSTD, 0, &text, 1, &coded), HF_OK);
    struct hf_slice piece = hf_slice_of(coded.data, coded.size);
    struct reply reply = {.call = {.method = "POST",
                                   .url = url_of(&fixture, "/", url),
                                   .content_encoding = "zstd",
                                   .pieces = &piece,
                                   .piece_count = 1}};
    begin(&fixture, &reply);
    await(&fixture);
    assert_says(reply.body, "coding=zstd raw=coded text");
    hf_bytes_release(&coded);
    end(&fixture);
}

static void uses_other_methods_and_no_body(void **state)
{
    (void)state;
    static const char *const methods[] = {"GET", "DELETE", "POST", "HEAD"};
    struct fixture fixture;
    char url[100];
    start(&fixture, 0, (struct hf_http_client_options){0});
    for (size_t i = 0; i < 4; i++) {
        struct reply reply = {.call = {.method = methods[i], .url = url_of(&fixture, "/m", url)}};
        begin(&fixture, &reply);
        await(&fixture);
        assert_int_equal(reply.status, HF_OK);
        assert_int_equal(reply.code, 200);
        assert_int_equal(strncmp(reply.body, methods[i], strlen(methods[i])) == 0,
                         strcmp(methods[i], "HEAD") != 0);
    }
    end(&fixture);
}

static void sends_large_bodies_and_keeps_connections(void **state)
{
    (void)state;
    struct fixture fixture;
    char url[100];
    start(&fixture, 0, (struct hf_http_client_options){0});
    size_t size = 3000001;
    uint8_t *bytes = malloc(size);
    assert_non_null(bytes);
    for (size_t i = 0; i < size; i++) {
        bytes[i] = (uint8_t)(i % 251);
    }
    const struct hf_slice pieces[] = {hf_slice_of(bytes, 1), hf_slice_of(bytes + 1, 1999999),
                                      hf_slice_of(bytes + 2000000, size - 2000000)};
    for (int round = 0; round < 4; round++) {
        struct reply reply = {.call = {.method = "POST",
                                       .url = url_of(&fixture, "/", url),
                                       .pieces = pieces,
                                       .piece_count = 3}};
        begin(&fixture, &reply);
        await(&fixture);
        assert_int_equal(reply.code, 200);
        assert_int_equal(fixture.body_size, size);
        assert_true(fixture.body_is_right);
    }
    assert_int_equal(fixture.peer_count, 1);
    free(bytes);
    end(&fixture);
}

static void carries_many_requests_at_once(void **state)
{
    (void)state;
    struct fixture fixture;
    char url[100];
    start(&fixture, 0, (struct hf_http_client_options){.max_conns = 4});
    struct reply replies[40];
    struct hf_slice piece = hf_slice_text("x");
    for (size_t i = 0; i < 40; i++) {
        replies[i] = (struct reply){.call = {.method = "POST",
                                             .url = url_of(&fixture, "/", url),
                                             .pieces = &piece,
                                             .piece_count = 1}};
        begin(&fixture, &replies[i]);
    }
    await(&fixture);
    for (size_t i = 0; i < 40; i++) {
        assert_int_equal(replies[i].status, HF_OK);
        assert_int_equal(replies[i].code, 200);
    }
    assert_true(fixture.peer_count <= 4);
    end(&fixture);
}

static void reads_retry_after(void **state)
{
    (void)state;
    struct fixture fixture;
    char url[100];
    start(&fixture, 0, (struct hf_http_client_options){0});
    struct reply reply = {.call = {.method = "POST", .url = url_of(&fixture, "/busy", url)}};
    begin(&fixture, &reply);
    await(&fixture);
    assert_int_equal(reply.status, HF_OK);
    assert_int_equal(reply.code, 503);
    assert_int_equal(reply.retry_after_ns, 17 * HF_NS_PER_S);
    end(&fixture);
}

static void keeps_the_beginning_of_a_long_answer(void **state)
{
    (void)state;
    struct fixture fixture;
    char url[100];
    start(&fixture, 0, (struct hf_http_client_options){.response_bytes_max = 1000});
    for (int round = 0; round < 2; round++) {
        struct reply reply = {.call = {.method = "GET", .url = url_of(&fixture, "/large", url)}};
        begin(&fixture, &reply);
        await(&fixture);
        assert_int_equal(reply.status, HF_OK);
        assert_int_equal(reply.body_size, 1000);
    }
    assert_int_equal(fixture.peer_count, 1);
    end(&fixture);
}

static void does_not_send_line_breaks_in_headers(void **state)
{
    (void)state;
    struct fixture fixture;
    char url[100];
    start(&fixture, 0, (struct hf_http_client_options){0});
    const struct hf_header bad = {hf_slice_text("x-word"), hf_slice_text("a\r\nX-Evil: 1")};
    struct reply reply = {.call = {.method = "POST",
                                   .url = url_of(&fixture, "/", url),
                                   .headers = &bad,
                                   .header_count = 1}};
    begin(&fixture, &reply);
    await(&fixture);
    assert_int_equal(reply.status, HF_INVALID);
    assert_says(reply.error, "cannot be formed");
    assert_int_equal(fixture.peer_count, 0);
    end(&fixture);
}

static void sends_a_header_of_the_caller_instead_of_its_own(void **state)
{
    (void)state;
    struct fixture fixture;
    char url[100];
    start(&fixture, 0, (struct hf_http_client_options){0});
    const struct hf_header headers[] = {{hf_slice_text("content-type"), hf_slice_text("text/own")},
                                        {hf_slice_text("content-encoding"), hf_slice_text("zstd")},
                                        {hf_slice_text("user-agent"), hf_slice_text("Own/2")},
                                        {hf_slice_text("host"), hf_slice_text("own.example")}};
    struct hf_slice piece = hf_slice_text("x");
    struct reply reply = {.call = {.method = "POST",
                                   .url = url_of(&fixture, "/v1", url),
                                   .content_type = "text/x-mine",
                                   .content_encoding = "identity",
                                   .pieces = &piece,
                                   .piece_count = 1,
                                   .headers = headers,
                                   .header_count = 4}};
    begin(&fixture, &reply);
    await(&fixture);
    assert_int_equal(reply.code, 413); /* no zstd */
    assert_says(reply.body, "POST /v1 type=text/own word= agent=Own/2 host=own.example ");
    end(&fixture);
}

static void connects_to_a_unix_socket(void **state)
{
    (void)state;
    char directory[] = "/tmp/hf-client-XXXXXX";
    assert_non_null(mkdtemp(directory));
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof(address.sun_path), "%s/s", directory);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(fd, 4), 0);
    struct fixture fixture = {0};
    char error[512];
    pthread_mutex_init(&fixture.lock, NULL);
    const struct hf_http_server_options server = {
        .listen_fd = fd, .on_request = on_request, .user = &fixture};
    assert_int_equal(hf_http_server_new(&server, &fixture.server, error), HF_OK);
    start_client(&fixture, (struct hf_http_client_options){.unix_socket = address.sun_path});
    struct reply reply = {.call = {.method = "POST", .url = "http://localhost/v1/traces"}};
    begin(&fixture, &reply);
    await(&fixture);
    assert_int_equal(reply.status, HF_OK);
    assert_says(reply.body, "POST /v1/traces");
    assert_string_equal(fixture.peers[0], "unix");
    end(&fixture);
    unlink(address.sun_path);
    rmdir(directory);
}

static void goes_through_the_proxy_it_is_told(void **state)
{
    (void)state;
    struct fixture fixture;
    char proxy[100];
    struct fixture unused;
    start(&unused, 0, (struct hf_http_client_options){0});
    start(&fixture, 0, (struct hf_http_client_options){.proxy_url = url_of(&unused, "", proxy)});
    struct reply reply = {.call = {.method = "POST", .url = "http://backend.invalid/v1/x"}};
    begin(&fixture, &reply);
    await(&fixture);
    assert_int_equal(reply.status, HF_OK);
    assert_says(reply.body, "host=backend.invalid");
    assert_int_equal(unused.peer_count, 1);
    end(&fixture);
    end(&unused);
}

static void goes_past_the_proxy_where_it_is_told(void **state)
{
    (void)state;
    struct fixture fixture;
    char url[100];
    start(&fixture, 0,
          (struct hf_http_client_options){.proxy_url = "http://proxy.invalid:1",
                                          .no_proxy = "10.0.0.0/8,127.0.0.0/8"});
    struct reply reply = {.call = {.method = "POST", .url = url_of(&fixture, "/v1/x", url)}};
    begin(&fixture, &reply);
    await(&fixture);
    assert_int_equal(reply.status, HF_OK);
    assert_says(reply.body, "POST /v1/x");
    end(&fixture);
}

/* A call whose answer streams: pauses at every third piece and goes on with the turn's end. */
struct streamed {
    struct reply reply;
    struct hf_task resume;
    size_t size, pieces, pauses, stop_after;
    bool cancel;
};

static void on_resume(struct hf_task *task)
{
    struct streamed *streamed = HF_CONTAINER(task, struct streamed, resume);
    struct hf_http_client *client = streamed->reply.fixture->client;
    if (streamed->cancel) {
        hf_http_client_cancel(client, &streamed->reply.call);
    } else {
        hf_http_client_resume(client, &streamed->reply.call);
    }
}

static enum hf_http_flow on_chunk(struct hf_http_call *call, struct hf_slice bytes)
{
    struct streamed *streamed =
        HF_CONTAINER(HF_CONTAINER(call, struct reply, call), struct streamed, reply);
    if (++streamed->pieces == streamed->stop_after) {
        return HF_HTTP_STOP;
    }
    if (streamed->pieces % 3 == 2) {
        streamed->pauses++;
        streamed->resume.run = on_resume;
        hf_loop_defer(streamed->reply.fixture->loop, &streamed->resume);
        return HF_HTTP_PAUSE;
    }
    for (size_t i = 0; i < bytes.size; i++) {
        assert_int_equal(bytes.data[i], 'L');
    }
    streamed->size += bytes.size;
    return HF_HTTP_GO_ON;
}

static void stream(struct fixture *fixture, struct streamed *streamed)
{
    char url[100];
    start(fixture, 0, (struct hf_http_client_options){0});
    streamed->reply.call = (struct hf_http_call){
        .method = "GET", .url = url_of(fixture, "/large", url), .chunk = on_chunk};
    begin(fixture, &streamed->reply);
    await(fixture);
    end(fixture);
}

static void streams_an_answer_piece_by_piece(void **state)
{
    (void)state;
    struct fixture fixture;
    struct streamed streamed = {.size = 0};
    stream(&fixture, &streamed);
    assert_int_equal(streamed.reply.status, HF_OK);
    assert_int_equal(streamed.size, 200000);
    assert_int_equal(streamed.reply.body_size, 0);
    assert_true(streamed.pauses > 1);
}

static void ends_a_stream_that_is_stopped_or_cancelled(void **state)
{
    (void)state;
    struct fixture fixture;
    struct streamed stopped = {.stop_after = 4}, cancelled = {.cancel = true};
    stream(&fixture, &stopped);
    assert_int_equal(stopped.reply.status, HF_AGAIN);
    assert_int_equal(stopped.pieces, 4);
    stream(&fixture, &cancelled);
    assert_int_equal(cancelled.reply.status, HF_CLOSED);
    assert_int_equal(cancelled.pieces, 2);
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void sends_the_token_of_a_file_that_is_renewed_after_a_401(void **state)
{
    (void)state;
    struct fixture fixture;
    char path[] = "/tmp/holdfast-token-XXXXXX", url[100];
    static const char *const wanted[] = {"token=Bearer one ", "token=Bearer one ",
                                         "token=Bearer two "};
    close(mkstemp(path));
    write_file(path, "one\n");
    start(&fixture, 0, (struct hf_http_client_options){.bearer_token_file = path});
    for (size_t i = 0; i < 3; i++) {
        struct reply reply = {
            .call = {.method = "GET", .url = url_of(&fixture, i == 1 ? "/denied" : "/", url)}};
        begin(&fixture, &reply);
        await(&fixture);
        assert_says(reply.body, wanted[i]);
        write_file(path, "two, which is longer\n");
        write_file(path, "two\n");
    }
    end(&fixture);
    unlink(path);
}

int main(void)
{
    /* What the machine's environment says is not what is tested. */
    unsetenv("http_proxy");
    unsetenv("HTTP_PROXY");
    unsetenv("all_proxy");
    unsetenv("ALL_PROXY");
    unsetenv("no_proxy");
    unsetenv("NO_PROXY");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sends_the_pieces_as_one_body),
        cmocka_unit_test(names_the_coding),
        cmocka_unit_test(uses_other_methods_and_no_body),
        cmocka_unit_test(sends_large_bodies_and_keeps_connections),
        cmocka_unit_test(carries_many_requests_at_once),
        cmocka_unit_test(reads_retry_after),
        cmocka_unit_test(keeps_the_beginning_of_a_long_answer),
        cmocka_unit_test(does_not_send_line_breaks_in_headers),
        cmocka_unit_test(sends_a_header_of_the_caller_instead_of_its_own),
        cmocka_unit_test(connects_to_a_unix_socket),
        cmocka_unit_test(goes_through_the_proxy_it_is_told),
        cmocka_unit_test(goes_past_the_proxy_where_it_is_told),
        cmocka_unit_test(streams_an_answer_piece_by_piece),
        cmocka_unit_test(ends_a_stream_that_is_stopped_or_cancelled),
        cmocka_unit_test(sends_the_token_of_a_file_that_is_renewed_after_a_401),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
