/* The server against requests that HTTP/2 forbids (RFC 9113, 5.1, 8.1 to 8.3): each ends its stream
 * or its connection, and no message of it arrives. */
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
#define WHOLE (END_STREAM | END_HEADERS)
#define METHOD ":method: POST\n"
#define SCHEME ":scheme: http\n"
#define AUTHORITY ":authority: x\n"
#define PATH ":path: /t.S/Echo\n"
#define GRPC "te: trailers\ncontent-type: application/grpc\n"
#define ECHO METHOD SCHEME AUTHORITY PATH GRPC

static struct raw_bytes *greeting(void)
{
    struct raw_bytes *bytes = calloc(1, sizeof(*bytes));
    assert_non_null(bytes);
    raw_put(bytes, RAW_PREFACE, sizeof(RAW_PREFACE) - 1);
    raw_frame(bytes, NGHTTP2_SETTINGS, 0, 0, NULL, 0);
    return bytes;
}

static struct raw_reader *converse(const struct rig *rig, struct raw_bytes *bytes)
{
    int fd = rig_connect(rig);
    raw_send(fd, bytes);
    free(bytes);
    return raw_reader_new(fd);
}

static void put_call(struct raw_bytes *bytes, uint32_t stream)
{
    raw_headers(bytes, stream, END_HEADERS, ECHO);
    raw_message(bytes, stream, END_STREAM, 0, "hello", 5);
}

/* Reads until the trailers of a successful answer. */
static void expect_answer(struct raw_reader *reader, uint32_t stream)
{
    do {
        assert_true(raw_find(reader, NGHTTP2_HEADERS));
    } while (reader->stream != stream || (reader->flags & END_STREAM) == 0);
    assert_non_null(strstr(reader->headers, "grpc-status: 0\n"));
}

static void resets_requests_whose_headers_are_forbidden(void **state)
{
    (void)state;
    static const char *const rows[] = {
        SCHEME AUTHORITY PATH GRPC,
        METHOD AUTHORITY PATH GRPC,
        METHOD SCHEME AUTHORITY GRPC,
        METHOD METHOD SCHEME AUTHORITY PATH GRPC,
        METHOD SCHEME SCHEME AUTHORITY PATH GRPC,
        METHOD SCHEME AUTHORITY PATH PATH GRPC,
        METHOD SCHEME AUTHORITY AUTHORITY PATH GRPC,
        METHOD SCHEME PATH "host: x\nhost: y\n" GRPC,
        METHOD SCHEME AUTHORITY ":path: \n" GRPC,
        METHOD SCHEME AUTHORITY ":path: t.S/Echo\n" GRPC,
        METHOD SCHEME AUTHORITY PATH ":status: 200\n" GRPC,
        METHOD SCHEME AUTHORITY PATH ":other: x\n" GRPC,
        METHOD SCHEME AUTHORITY GRPC PATH,
        ECHO "connection: close\n",
        ECHO "keep-alive: 5\n",
        ECHO "proxy-connection: close\n",
        ECHO "transfer-encoding: chunked\n",
        ECHO "upgrade: h2c\n",
        METHOD SCHEME AUTHORITY PATH "te: gzip\ncontent-type: application/grpc\n",
        ECHO "X-Upper: x\n",
        ECHO "x y: z\n",
        ECHO "x\x01y: z\n",
        ECHO "x: a\x01z\n",
        ECHO "x: a\rb\n",
        ECHO "content-length: x\n",
        ECHO "content-length: -1\n",
        ECHO "content-length: 10\ncontent-length: 10\n",
        ECHO "content-length: 10\ncontent-length: 11\n",
        ECHO "content-length: 9\n",
        ECHO "content-length: 11\n",
        ECHO "content-length: 0\n",
    };
    struct rig *rig = rig_new(false);
    rig_start(rig);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct raw_bytes *bytes = greeting();
        raw_headers(bytes, 1, END_HEADERS, rows[i]);
        raw_message(bytes, 1, END_STREAM, 0, "hello", 5);
        put_call(bytes, 3);
        struct raw_reader *reader = converse(rig, bytes);
        bool reset = false, neighbour = false;
        while (!(reset && neighbour) && raw_next(reader)) {
            reset = reset || (reader->type == NGHTTP2_RST_STREAM && reader->stream == 1 &&
                              raw_word(reader->payload) == NGHTTP2_PROTOCOL_ERROR);
            neighbour = neighbour || (reader->type == NGHTTP2_HEADERS && reader->stream == 3);
            if (reader->type == NGHTTP2_HEADERS && reader->stream == 1) {
                fail_msg("row %zu was answered: %s", i, reader->headers);
            }
        }
        if (!reset || !neighbour) {
            fail_msg("row %zu: %s", i, reset ? "its neighbour got no answer" : "no reset");
        }
        raw_reader_free(reader);
    }
    rig_free(rig);
}

static void ends_connections_that_go_on_with_a_closed_stream(void **state)
{
    (void)state;
    enum { DATA_AFTER_END, HEADERS_AFTER_END, DATA_AFTER_RESET, HEADERS_AFTER_RESET, LOWER, COUNT };
    struct rig *rig = rig_new(false);
    rig_start(rig);
    for (int row = 0; row < COUNT; row++) {
        struct raw_bytes *bytes = greeting();
        bool resets = row == DATA_AFTER_RESET || row == HEADERS_AFTER_RESET;
        if (resets) {
            raw_headers(bytes, 5, END_HEADERS, ECHO);
            raw_frame(bytes, NGHTTP2_RST_STREAM, 0, 5, "\0\0\0\x08", 4);
        } else {
            put_call(bytes, 5);
        }
        struct raw_reader *reader = converse(rig, bytes);
        if (!resets) {
            expect_answer(reader, 5);
        }
        bytes = calloc(1, sizeof(*bytes));
        assert_non_null(bytes);
        if (row == DATA_AFTER_END || row == DATA_AFTER_RESET) {
            raw_message(bytes, 5, END_STREAM, 0, "hello", 5);
        } else {
            raw_headers(bytes, row == LOWER ? 3 : 5, END_HEADERS, ECHO);
        }
        raw_send(reader->fd, bytes);
        free(bytes);
        if (!raw_find(reader, NGHTTP2_GOAWAY)) {
            fail_msg("row %d: no GOAWAY", row);
        }
        assert_int_equal(raw_word(reader->payload + 4),
                         row == LOWER ? NGHTTP2_PROTOCOL_ERROR : NGHTTP2_STREAM_CLOSED);
        while (raw_next(reader)) {
        }
        raw_reader_free(reader);
    }
    rig_free(rig);
}

static void ignores_what_was_on_its_way_to_a_stream_that_it_ended(void **state)
{
    (void)state;
    struct rig *rig = rig_new(false);
    rig_start(rig);
    struct raw_bytes *bytes = greeting();
    raw_headers(bytes, 1, END_HEADERS, METHOD SCHEME AUTHORITY ":path: /t.S/None\n" GRPC);
    struct raw_reader *reader = converse(rig, bytes);
    assert_true(raw_find(reader, NGHTTP2_RST_STREAM));
    assert_int_equal(raw_word(reader->payload), NGHTTP2_NO_ERROR);
    bytes = calloc(1, sizeof(*bytes));
    assert_non_null(bytes);
    raw_message(bytes, 1, 0, 0, "hello", 5);
    raw_headers(bytes, 1, WHOLE, "x-trailer: y\n");
    raw_frame(bytes, NGHTTP2_WINDOW_UPDATE, 0, 1, "\0\0\0\1", 4);
    put_call(bytes, 3);
    raw_send(reader->fd, bytes);
    free(bytes);
    expect_answer(reader, 3);
    raw_reader_free(reader);
    rig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(resets_requests_whose_headers_are_forbidden),
        cmocka_unit_test(ends_connections_that_go_on_with_a_closed_stream),
        cmocka_unit_test(ignores_what_was_on_its_way_to_a_stream_that_it_ended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
