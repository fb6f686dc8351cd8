/* The server against peers that no library would be: each fault gets its answer, neighbours live
 * on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h> /* needs those before it */

#include "raw_h2.h"
#include "rig.h"

#define END_STREAM NGHTTP2_FLAG_END_STREAM
#define END_HEADERS NGHTTP2_FLAG_END_HEADERS
#define POST ":method: POST\n:scheme: http\n:authority: x\n"
#define GRPC "te: trailers\ncontent-type: application/grpc\n"
#define ECHO POST ":path: /t.S/Echo\n" GRPC

static struct raw_bytes *new_bytes(void)
{
    struct raw_bytes *bytes = calloc(1, sizeof(*bytes));
    assert_non_null(bytes);
    return bytes;
}

static struct raw_bytes *greeting(void)
{
    struct raw_bytes *bytes = new_bytes();
    raw_put(bytes, RAW_PREFACE, sizeof(RAW_PREFACE) - 1);
    raw_frame(bytes, NGHTTP2_SETTINGS, 0, 0, NULL, 0);
    return bytes;
}

static struct raw_reader *converse(const struct rig *rig, const struct raw_bytes *bytes)
{
    int fd = rig_connect(rig);
    raw_send(fd, bytes);
    return raw_reader_new(fd);
}

static void expect_headers(struct raw_reader *reader, const char *const *lines)
{
    assert_true(raw_find(reader, NGHTTP2_HEADERS));
    for (size_t i = 0; lines[i] != NULL; i++) {
        if (strstr(reader->headers, lines[i]) == NULL) {
            fail_msg("no \"%s\" in:\n%s", lines[i], reader->headers);
        }
    }
}

/* In whatever order they come. */
static void expect_successes(struct raw_reader *reader, int count)
{
    while (count > 0) {
        assert_true(raw_find(reader, NGHTTP2_HEADERS));
        assert_true((strstr(reader->headers, ":status: 200\n") != NULL) ==
                    ((reader->flags & END_STREAM) == 0));
        if ((reader->flags & END_STREAM) != 0) {
            assert_non_null(strstr(reader->headers, "grpc-status: 0\n"));
            count--;
        }
    }
}

/* A whole call that works, on a connection of its own. */
static void expect_service(const struct rig *rig)
{
    struct raw_bytes *bytes = greeting();
    raw_headers(bytes, 1, END_HEADERS, ECHO);
    raw_message(bytes, 1, END_STREAM, 0, "hello", 5);
    struct raw_reader *reader = converse(rig, bytes);
    expect_headers(reader, (const char *const[]){":status: 200\n", "application/grpc\n", NULL});
    assert_true(raw_find(reader, NGHTTP2_DATA));
    assert_int_equal(reader->size, 10);
    assert_memory_equal(reader->payload, "\0\0\0\0\5hello", 10);
    expect_headers(reader, (const char *const[]){"grpc-status: 0\n", NULL});
    assert_true((reader->flags & END_STREAM) != 0);
    raw_reader_free(reader);
    free(bytes);
}

static void refuses_each_fault_of_a_request_in_its_own_words(void **state)
{
    (void)state;
    static const struct {
        const char *headers;
        const char *expected[4];
    } rows[] = {
        {POST ":path: /t.S/Echo\nte: trailers\ncontent-type: application/json\n",
         {":status: 415\n", "grpc-status: 3\n"}},
        {POST ":path: /t.S/Echo\nte: trailers\ncontent-type: application/grpcx\n",
         {":status: 415\n"}},
        {POST ":path: /t.S/Echo\nte: trailers\n", {":status: 415\n"}},
        {":method: GET\n:scheme: http\n:authority: x\n:path: /t.S/Echo\n" GRPC,
         {":status: 405\n", "grpc-status: 13\n"}},
        {ECHO "grpc-timeout: 1\n", {":status: 400\n", "grpc-status: 13\n"}},
        {ECHO "grpc-timeout: 123456789S\n", {":status: 400\n"}},
        {ECHO "grpc-timeout: -1S\n", {":status: 400\n"}},
        {ECHO "x-y-bin: ***\n", {":status: 400\n", "grpc-status: 13\n"}},
        {ECHO "grpc-timeout: 0S\n", {":status: 200\n", "grpc-status: 4\n"}},
        {ECHO "grpc-encoding: lz77\n",
         {"grpc-status: 12\n", "lz77",
          "grpc-accept-encoding: identity,gzip,zstd,snappy,deflate\n"}},
        {POST ":path: /t.S/Other\n" GRPC,
         {"grpc-status: 12\n", "grpc-message: unknown method Other for service t.S\n"}},
        {POST ":path: /t.T/Echo\n" GRPC,
         {"grpc-status: 12\n", "grpc-message: unknown service t.T\n"}},
        {POST ":path: /Echo\n" GRPC, {"grpc-status: 12\n", "malformed method name"}},
    };
    struct rig *rig = rig_new(false);
    rig_start(rig);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct raw_bytes *bytes = greeting();
        raw_headers(bytes, 1, END_HEADERS, rows[i].headers); /* and no body: it must not wait */
        struct raw_reader *reader = converse(rig, bytes);
        expect_headers(reader, rows[i].expected);
        assert_true((reader->flags & END_STREAM) != 0);
        assert_true(raw_find(reader, NGHTTP2_RST_STREAM));
        assert_int_equal(raw_word(reader->payload), NGHTTP2_NO_ERROR);
        raw_reader_free(reader);
        free(bytes);
        assert_int_equal(atomic_load(&rig->errors), i + 1);
    }
    assert_int_equal(atomic_load(&rig->messages), 0);
    expect_service(rig);
    rig_free(rig);
}

static void accepts_every_form_of_the_content_type(void **state)
{
    (void)state;
    static const char *const types[] = {"application/grpc", "application/grpc+proto",
                                        "application/grpc+anything", "application/grpc;charset=x"};
    struct rig *rig = rig_new(false);
    rig_start(rig);
    for (size_t i = 0; i < 4; i++) {
        char text[256];
        snprintf(text, sizeof(text), "%scontent-type: %s\n", POST ":path: /t.S/Echo\n", types[i]);
        struct raw_bytes *bytes = greeting();
        raw_headers(bytes, 1, END_HEADERS, text);
        raw_message(bytes, 1, END_STREAM, 0, "", 0);
        struct raw_reader *reader = converse(rig, bytes);
        expect_headers(reader, (const char *const[]){":status: 200\n", NULL});
        expect_headers(reader, (const char *const[]){"grpc-status: 0\n", NULL});
        raw_reader_free(reader);
        free(bytes);
    }
    rig_free(rig);
}

static void refuses_each_fault_of_a_message(void **state)
{
    (void)state;
    static const struct {
        const char *more_headers;
        const void *body;
        size_t size;
        const char *status, *says;
    } rows[] = {
        {"", "", 0, "grpc-status: 13\n", "before its message was whole"},
        {"", "\0\0\0", 3, "grpc-status: 13\n", "before its message was whole"},
        {"", "\0\0\0\0\5four", 9, "grpc-status: 13\n", "before its message was whole"},
        {"", "\0\0\0\0\3four", 9, "grpc-status: 13\n", "more than one message"},
        {"", "\0\0\0\0\1x\0\0\0\0\1y", 12, "grpc-status: 13\n", "more than one message"},
        {"", "\1\0\0\0\1x", 6, "grpc-status: 13\n", "compressed flag set"},
        {"grpc-encoding: identity\n", "\1\0\0\0\1x", 6, "grpc-status: 13\n", "compressed flag set"},
        {"", "\2\0\0\0\1x", 6, "grpc-status: 13\n", "unknown flag"},
        {"", "\0\xff\xff\xff\xff", 5, "grpc-status: 8\n", "larger than max (4294967295 vs."},
        {"grpc-encoding: gzip\n", "\1\0\0\0\3abc", 8, "grpc-status: 13\n", "failed to decompress"},
        {"grpc-encoding: zstd\n", "\1\0\0\0\3abc", 8, "grpc-status: 13\n", "failed to decompress"},
        {"grpc-encoding: snappy\n", "\1\0\0\0\3abc", 8, "grpc-status: 13\n",
         "failed to decompress"},
        {"grpc-encoding: deflate\n", "\1\0\0\0\3abc", 8, "grpc-status: 13\n",
         "failed to decompress"},
    };
    struct rig *rig = rig_new(false);
    rig_start(rig);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[512];
        snprintf(text, sizeof(text), "%s%s", ECHO, rows[i].more_headers);
        struct raw_bytes *bytes = greeting();
        raw_headers(bytes, 1, END_HEADERS, text);
        raw_frame(bytes, NGHTTP2_DATA, END_STREAM, 1, rows[i].body, rows[i].size);
        struct raw_reader *reader = converse(rig, bytes);
        expect_headers(reader, (const char *const[]){rows[i].status, rows[i].says, NULL});
        raw_reader_free(reader);
        free(bytes);
    }
    assert_int_equal(atomic_load(&rig->messages), 0);
    expect_service(rig);
    rig_free(rig);
}

static void takes_a_call_in_single_bytes(void **state)
{
    (void)state;
    struct rig *rig = rig_new(false);
    rig_start(rig);
    struct raw_bytes *bytes = greeting();
    raw_headers(bytes, 1, END_HEADERS, ECHO);
    static const char message[] = "\0\0\0\0\5hello";
    for (size_t i = 0; i < 10; i++) {
        raw_frame(bytes, NGHTTP2_DATA, 0, 1, message + i, 1);
        raw_frame(bytes, NGHTTP2_DATA, 0, 1, NULL, 0);
    }
    raw_frame(bytes, NGHTTP2_DATA, END_STREAM, 1, NULL, 0);
    int fd = rig_connect(rig);
    for (size_t i = 0; i < bytes->size; i++) {
        assert_int_equal(send(fd, bytes->data + i, 1, MSG_NOSIGNAL), 1);
    }
    struct raw_reader *reader = raw_reader_new(fd);
    assert_true(raw_find(reader, NGHTTP2_DATA));
    assert_memory_equal(reader->payload, message, 10);
    expect_headers(reader, (const char *const[]){"grpc-status: 0\n", NULL});
    raw_reader_free(reader);
    free(bytes);
    rig_free(rig);
}

/* The connection is ended, with GOAWAY of that code where there can be one. */
static void expect_goaway(struct raw_reader *reader, uint32_t code)
{
    assert_true(raw_find(reader, NGHTTP2_GOAWAY));
    assert_int_equal(raw_word(reader->payload + 4), code);
    while (raw_next(reader)) {
    }
}

/* All that the server says until it is done, as text. */
static void hear_all(int fd, char *text, size_t room)
{
    size_t size = 0;
    for (ssize_t got; (got = recv(fd, text + size, room - 1 - size, 0)) > 0;) {
        size += (size_t)got;
    }
    text[size] = '\0';
}

static void ends_connections_that_speak_something_else(void **state)
{
    (void)state;
    static const struct {
        const char *text, *answer, *says;
    } rows[] = {
        {"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 505 ", "speaks HTTP/1.1 to a port of gRPC"},
        {"\x16\x03\x01\x02\x01\x01\x01\x01\xfc\x03\x03", "HTTP/1.1 400 ", "speaks TLS"},
        {"xPRI * HTTP/2.0\r\n\r\nXX\r\n\r\n", "", "not an HTTP/2 client"},
    };
    struct rig *rig = rig_new(false);
    rig_start(rig);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct raw_bytes *bytes = new_bytes();
        char text[1024];
        raw_put(bytes, rows[i].text, strlen(rows[i].text));
        int fd = rig_connect(rig);
        raw_send(fd, bytes);
        hear_all(fd, text, sizeof(text));
        close(fd);
        free(bytes);
        assert_memory_equal(text, rows[i].answer, strlen(rows[i].answer));
        assert_int_equal(atomic_load(&rig->errors), i + 1);
        pthread_mutex_lock(&rig->lock);
        assert_non_null(strstr(rig->last_error, rows[i].says));
        pthread_mutex_unlock(&rig->lock);
    }
    expect_service(rig);
    rig_free(rig);
}

static void ends_connections_whose_frames_are_wrong(void **state)
{
    (void)state;
    static const struct {
        uint8_t type, flags;
        uint32_t stream;
        const char *payload;
        size_t size;
        uint32_t code;
    } rows[] = {
        {NGHTTP2_DATA, 0, 0, "x", 1, NGHTTP2_PROTOCOL_ERROR},
        {NGHTTP2_HEADERS, END_HEADERS, 2, "\x82", 1, NGHTTP2_PROTOCOL_ERROR},
        {NGHTTP2_SETTINGS, 0, 0, "x", 1, NGHTTP2_FRAME_SIZE_ERROR},
        {NGHTTP2_SETTINGS, 0, 1, "", 0, NGHTTP2_PROTOCOL_ERROR},
        {NGHTTP2_PING, 0, 0, "short", 5, NGHTTP2_FRAME_SIZE_ERROR},
        {NGHTTP2_WINDOW_UPDATE, 0, 0, "\0\0\0\0", 4, NGHTTP2_PROTOCOL_ERROR},
        {NGHTTP2_HEADERS, END_HEADERS, 1, "\xff\xff\xff\xff\xff\xff", 6, NGHTTP2_COMPRESSION_ERROR},
        {NGHTTP2_CONTINUATION, END_HEADERS, 1, "", 0, NGHTTP2_PROTOCOL_ERROR},
    };
    struct rig *rig = rig_new(false);
    rig_start(rig);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct raw_bytes *bytes = greeting();
        raw_frame(bytes, rows[i].type, rows[i].flags, rows[i].stream, rows[i].payload,
                  rows[i].size);
        struct raw_reader *reader = converse(rig, bytes);
        expect_goaway(reader, rows[i].code);
        raw_reader_free(reader);
        free(bytes);
        assert_true(atomic_load(&rig->errors) > 0);
    }
    expect_service(rig);
    rig_free(rig);
}

static void bounds_the_headers_of_a_call(void **state)
{
    (void)state;
    struct rig *rig = rig_new(false);
    rig_start(rig);
    char text[20000] = ECHO "x-big: ";
    size_t size = strlen(text);
    memset(text + size, 'a', 16000);
    text[size + 16000] = '\n';
    struct raw_bytes *bytes = greeting();
    raw_headers(bytes, 1, END_HEADERS, text);
    raw_message(bytes, 1, END_STREAM, 0, "", 0);
    struct raw_reader *reader = converse(rig, bytes);
    expect_headers(reader, (const char *const[]){":status: 200\n", NULL});
    expect_headers(reader, (const char *const[]){"grpc-status: 0\n", NULL});
    raw_reader_free(reader);
    free(bytes);

    char many[8192] = ECHO;
    for (size_t i = 0; i < 65; i++) {
        strncat(many, "x-many: y\n", sizeof(many) - strlen(many) - 1);
    }
    memset(text + size, 'a', 17000);
    text[size + 17000] = '\n';
    const char *const excesses[] = {text, many};
    for (size_t i = 0; i < 2; i++) {
        bytes = greeting();
        raw_headers(bytes, 1, END_HEADERS, excesses[i]);
        reader = converse(rig, bytes);
        expect_headers(reader, (const char *const[]){"grpc-status: 8\n", NULL});
        raw_reader_free(reader);
        free(bytes);
    }
    expect_service(rig);
    rig_free(rig);
}

/* A few bytes that stand for megabytes: an entry of the dynamic table, named again and again. */
static void survives_a_header_bomb(void **state)
{
    (void)state;
    struct rig *rig = rig_new(false);
    rig_start(rig);
    struct raw_bytes *bytes = greeting(), *block = new_bytes();
    char value[3900];
    memset(value, 'a', sizeof(value));
    raw_put(block, "\x40\x01x", 3); /* literal with incremental indexing, name "x" */
    raw_hpack_number(block, sizeof(value));
    raw_put(block, value, sizeof(value));
    for (size_t i = 0; i < 12000; i++) {
        raw_put(block, "\xbe", 1); /* index 62: the newest entry */
    }
    raw_frame(bytes, NGHTTP2_HEADERS, END_HEADERS, 1, block->data, block->size);
    struct raw_reader *reader = converse(rig, bytes);
    expect_goaway(reader, NGHTTP2_ENHANCE_YOUR_CALM);
    raw_reader_free(reader);
    free(bytes);
    free(block);
    expect_service(rig);
    rig_free(rig);
}

static void ends_a_flood_of(const struct rig *rig, const struct raw_bytes *flood)
{
    struct raw_reader *reader = converse(rig, flood);
    bool ended = raw_find(reader, NGHTTP2_GOAWAY);
    /* Either it says why, or it is cut off while we still write. */
    if (ended) {
        uint32_t code = raw_word(reader->payload + 4);
        assert_int_not_equal(code, NGHTTP2_NO_ERROR);
        while (raw_next(reader)) {
        }
    }
    raw_reader_free(reader);
    expect_service(rig);
}

static void ends_rapid_resets(void **state)
{
    (void)state;
    struct rig *rig = rig_new(false);
    rig_start(rig);
    struct raw_bytes *bytes = greeting();
    for (uint32_t i = 0; i < 1500; i++) {
        raw_headers(bytes, 2 * i + 1, END_HEADERS, ECHO);
        raw_frame(bytes, NGHTTP2_RST_STREAM, 0, 2 * i + 1, "\0\0\0\x08", 4);
    }
    ends_a_flood_of(rig, bytes);
    rig_expect_error(rig, "too many resets");
    free(bytes);
    rig_free(rig);
}

static void ends_floods_of_pings_settings_and_continuations(void **state)
{
    (void)state;
    struct rig *rig = rig_new(false);
    rig_start(rig);
    struct raw_bytes *bytes = greeting();
    for (int i = 0; i < 4; i++) {
        raw_frame(bytes, NGHTTP2_PING, 0, 0, "12345678", 8);
    }
    struct raw_reader *reader = converse(rig, bytes);
    assert_true(raw_find(reader, NGHTTP2_GOAWAY));
    assert_int_equal(raw_word(reader->payload + 4), NGHTTP2_ENHANCE_YOUR_CALM);
    assert_memory_equal(reader->payload + 8, "too_many_pings", 14);
    raw_reader_free(reader);
    free(bytes);

    bytes = greeting();
    for (int i = 0; i < 5000; i++) {
        raw_frame(bytes, NGHTTP2_SETTINGS, 0, 0, NULL, 0);
    }
    struct raw_reader *settings = converse(rig, bytes);
    while (raw_next(settings)) {
        if (settings->type == NGHTTP2_GOAWAY) {
            break;
        }
        /* Each is acknowledged, which is all that it costs. */
        if (settings->type == NGHTTP2_SETTINGS && settings->flags != 0) {
            break;
        }
    }
    raw_reader_free(settings);
    free(bytes);

    bytes = greeting();
    raw_headers(bytes, 1, 0, ECHO);
    for (int i = 0; i < 2000; i++) {
        raw_frame(bytes, NGHTTP2_CONTINUATION, 0, 1, "\x10\x01y\x01z", 5);
    }
    ends_a_flood_of(rig, bytes);
    free(bytes);
    rig_free(rig);
}

static void refuses_streams_over_their_limit(void **state)
{
    (void)state;
    struct rig *rig = rig_new(false);
    rig->options.streams_max = 3;
    rig_start(rig);
    struct raw_bytes *bytes = greeting();
    for (uint32_t i = 0; i < 4; i++) {
        raw_headers(bytes, 2 * i + 1, END_HEADERS, POST ":path: /t.S/Hold\n" GRPC);
        raw_message(bytes, 2 * i + 1, END_STREAM, 0, "x", 1);
    }
    struct raw_reader *first = converse(rig, bytes);
    assert_true(raw_find(first, NGHTTP2_RST_STREAM));
    assert_int_equal(first->stream, 7);
    assert_int_equal(raw_word(first->payload), NGHTTP2_REFUSED_STREAM);
    rig_await_held(rig, 3);
    rig_let_go(rig);
    expect_successes(first, 3);
    raw_reader_free(first);
    free(bytes);
    rig_free(rig);
}

/* Two connections at once; whose limit it is makes no difference to the only peer. */
static void keep_to_two_connections(struct rig *rig)
{
    rig_start(rig);
    struct raw_bytes *hello = greeting(), *busy = greeting();
    raw_headers(busy, 1, END_HEADERS, POST ":path: /t.S/Hold\n" GRPC);
    raw_message(busy, 1, END_STREAM, 0, "x", 1);
    struct raw_reader *first = converse(rig, busy);
    rig_await_held(rig, 1);
    struct raw_reader *idle = converse(rig, hello);
    assert_true(raw_find(idle, NGHTTP2_SETTINGS));

    /* The idle one goes, and is told so; the busy one stays, though it is older. */
    struct raw_reader *third = converse(rig, busy);
    assert_true(raw_find(idle, NGHTTP2_GOAWAY));
    assert_int_equal(raw_word(idle->payload + 4), NGHTTP2_NO_ERROR);
    assert_false(raw_next(idle));
    rig_await_held(rig, 2);
    /* Nothing is idle now. */
    struct raw_reader *refused = converse(rig, hello);
    assert_false(raw_next(refused));

    rig_let_go(rig);
    expect_successes(first, 1);
    expect_successes(third, 1);
    struct raw_reader *readers[] = {first, idle, third, refused};
    for (size_t i = 0; i < sizeof(readers) / sizeof(readers[0]); i++) {
        raw_reader_free(readers[i]);
    }
    free(hello);
    free(busy);
    rig_free(rig);
}

static void closes_an_idle_connection_for_a_new_one(void **state)
{
    (void)state;
    struct rig *rig = rig_new(false);
    rig->options.connections_max = 2;
    keep_to_two_connections(rig);
    rig = rig_new(false);
    rig->options.connections_per_peer_max = 2;
    keep_to_two_connections(rig);
}

static void an_answer_to_a_stream_that_was_reset_goes_nowhere(void **state)
{
    (void)state;
    struct rig *rig = rig_new(false);
    rig_start(rig);
    struct raw_bytes *bytes = greeting();
    raw_headers(bytes, 1, END_HEADERS, POST ":path: /t.S/Hold\n" GRPC);
    raw_message(bytes, 1, END_STREAM, 0, "x", 1);
    struct raw_reader *reader = converse(rig, bytes);
    rig_await_held(rig, 1);
    bytes->size = 0;
    raw_frame(bytes, NGHTTP2_RST_STREAM, 0, 1, "\0\0\0\x08", 4);
    raw_headers(bytes, 3, END_HEADERS, ECHO);
    raw_message(bytes, 3, END_STREAM, 0, "x", 1);
    raw_send(reader->fd, bytes);
    expect_headers(reader, (const char *const[]){":status: 200\n", NULL});
    assert_int_equal(reader->stream, 3);
    rig_let_go(rig);
    /* And to a connection that is gone. */
    bytes->size = 0;
    raw_headers(bytes, 5, END_HEADERS, POST ":path: /t.S/Hold\n" GRPC);
    raw_message(bytes, 5, END_STREAM, 0, "x", 1);
    raw_send(reader->fd, bytes);
    rig_await_held(rig, 1);
    raw_reader_free(reader);
    expect_service(rig);
    rig_let_go(rig);
    expect_service(rig);
    free(bytes);
    rig_free(rig);
}

static void opens_no_window_while_too_much_waits_for_answers(void **state)
{
    (void)state;
    struct rig *rig = rig_new(false);
    rig->options.buffered_bytes_max = 256000;
    rig->options.connection_window = 65535;
    rig_start(rig);
    char *body = calloc(1, 16000);
    assert_non_null(body);
    struct raw_bytes *bytes = greeting();
    struct raw_reader *readers[3];
    /* Three times 65,000 bytes are held, and none of their connections may go on. */
    for (int i = 0; i < 3; i++) {
        bytes->size = 0;
        raw_put(bytes, RAW_PREFACE, sizeof(RAW_PREFACE) - 1);
        raw_frame(bytes, NGHTTP2_SETTINGS, 0, 0, NULL, 0);
        for (uint32_t j = 0; j < 4; j++) {
            raw_headers(bytes, 2 * j + 1, END_HEADERS, POST ":path: /t.S/Hold\n" GRPC);
            raw_message(bytes, 2 * j + 1, END_STREAM, 0, body, 16000);
        }
        readers[i] = converse(rig, bytes);
        rig_await_held(rig, 4 * (i + 1));
    }
    /* The next is refused for now, as soon as its loop has taken notice of what the other holds. */
    bytes->size = 0;
    raw_put(bytes, RAW_PREFACE, sizeof(RAW_PREFACE) - 1);
    raw_frame(bytes, NGHTTP2_SETTINGS, 0, 0, NULL, 0);
    raw_headers(bytes, 1, END_HEADERS, ECHO);
    raw_message(bytes, 1, END_STREAM, 0, body, 16000);
    bool refused = false;
    for (int i = 0; i < 1000 && !refused; i++) {
        struct raw_reader *reader = converse(rig, bytes);
        assert_true(raw_find(reader, NGHTTP2_HEADERS));
        refused = strstr(reader->headers, "grpc-status: 14\n") != NULL &&
                  strstr(reader->headers, "grpc-status-details-bin: ") != NULL;
        raw_reader_free(reader);
    }
    assert_true(refused);
    rig_let_go(rig);
    for (int i = 0; i < 3; i++) {
        expect_successes(readers[i], 4);
    }
    for (int i = 0; i < 3; i++) {
        raw_reader_free(readers[i]);
    }
    expect_service(rig);
    free(body);
    free(bytes);
    rig_free(rig);
}

static void closes_what_idles_and_what_does_not_answer_pings(void **state)
{
    (void)state;
    struct rig *rig = rig_new(false);
    rig->options.max_connection_idle_ns = 30000000;
    rig_start(rig);
    struct raw_bytes *bytes = greeting();
    struct raw_reader *reader = converse(rig, bytes);
    assert_true(raw_find(reader, NGHTTP2_GOAWAY));
    assert_int_equal(raw_word(reader->payload), 0x7fffffff); /* the notice */
    assert_true(raw_find(reader, NGHTTP2_GOAWAY));
    assert_int_equal(raw_word(reader->payload), 0);
    assert_int_equal(raw_word(reader->payload + 4), NGHTTP2_NO_ERROR);
    assert_false(raw_next(reader));
    raw_reader_free(reader);
    rig_free(rig);

    rig = rig_new(false);
    rig->options.keepalive_time_ns = 30000000;
    rig->options.keepalive_timeout_ns = 30000000;
    rig_start(rig);
    reader = converse(rig, bytes);
    assert_true(raw_find(reader, NGHTTP2_PING));
    assert_false(raw_find(reader, NGHTTP2_DATA));
    rig_expect_error(rig, "no answer to a keepalive ping");
    raw_reader_free(reader);
    free(bytes);
    rig_free(rig);
}

static void stops_with_clients_that_say_nothing(void **state)
{
    (void)state;
    struct rig *rig = rig_new(false);
    rig_start(rig);
    struct raw_bytes *bytes = greeting();
    struct raw_reader *reader = converse(rig, bytes);
    int silent = rig_connect(rig);
    assert_true(raw_find(reader, NGHTTP2_SETTINGS));
    rig_stop(rig, 10000000000);
    assert_true(raw_find(reader, NGHTTP2_GOAWAY));
    struct raw_reader *other = raw_reader_new(silent);
    while (raw_next(other)) { /* its end comes, or this test does not */
    }
    raw_reader_free(other);
    raw_reader_free(reader);
    free(bytes);
    rig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_each_fault_of_a_request_in_its_own_words),
        cmocka_unit_test(accepts_every_form_of_the_content_type),
        cmocka_unit_test(refuses_each_fault_of_a_message),
        cmocka_unit_test(takes_a_call_in_single_bytes),
        cmocka_unit_test(ends_connections_that_speak_something_else),
        cmocka_unit_test(ends_connections_whose_frames_are_wrong),
        cmocka_unit_test(bounds_the_headers_of_a_call),
        cmocka_unit_test(survives_a_header_bomb),
        cmocka_unit_test(ends_rapid_resets),
        cmocka_unit_test(ends_floods_of_pings_settings_and_continuations),
        cmocka_unit_test(refuses_streams_over_their_limit),
        cmocka_unit_test(closes_an_idle_connection_for_a_new_one),
        cmocka_unit_test(an_answer_to_a_stream_that_was_reset_goes_nowhere),
        cmocka_unit_test(opens_no_window_while_too_much_waits_for_answers),
        cmocka_unit_test(closes_what_idles_and_what_does_not_answer_pings),
        cmocka_unit_test(stops_with_clients_that_say_nothing),
    };
    return cmocka_run_group_tests_name("server", tests, NULL, NULL);
}
