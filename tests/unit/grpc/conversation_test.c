/* Calls that stay open between messages. */
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
#define CALL(name)                                                                                 \
    ":method: POST\n:scheme: http\n:authority: x\n:path: /t.S/" name                               \
    "\nte: trailers\ncontent-type: application/grpc\n"
#define TALK CALL("Talk")

struct talk {
    struct rig *rig;
    struct raw_bytes *bytes;
    struct raw_reader *reader;
};

static void say(struct talk *talk)
{
    raw_send(talk->reader->fd, talk->bytes);
    talk->bytes->size = 0;
}

static struct talk greet(void)
{
    struct talk talk = {.rig = rig_new(false), .bytes = calloc(1, sizeof(*talk.bytes))};
    assert_non_null(talk.bytes);
    rig_start(talk.rig);
    talk.reader = raw_reader_new(rig_connect(talk.rig));
    raw_put(talk.bytes, RAW_PREFACE, sizeof(RAW_PREFACE) - 1);
    raw_frame(talk.bytes, NGHTTP2_SETTINGS, 0, 0, NULL, 0);
    return talk;
}

static void end(struct talk *talk)
{
    raw_reader_free(talk->reader);
    free(talk->bytes);
    rig_free(talk->rig);
}

static void expect_message(struct talk *talk, const char *text)
{
    size_t size = strlen(text);
    assert_true(raw_find(talk->reader, NGHTTP2_DATA));
    assert_int_equal(talk->reader->size, 5 + size);
    assert_int_equal(talk->reader->payload[4], size);
    assert_memory_equal(talk->reader->payload + 5, text, size);
}

static void expect_end(struct talk *talk, const char *status)
{
    do {
        assert_true(raw_find(talk->reader, NGHTTP2_HEADERS));
    } while ((talk->reader->flags & END_STREAM) == 0);
    assert_non_null(strstr(talk->reader->headers, status));
}

static struct talk begin(void)
{
    struct talk talk = greet();
    raw_headers(talk.bytes, 1, END_HEADERS, TALK);
    return talk;
}

/* A call that is answered again whenever the answer changes; the client has said all. */
static struct talk begin_watch(void)
{
    struct talk talk = greet();
    atomic_store(&rig_watched, 'a');
    raw_headers(talk.bytes, 1, END_HEADERS, CALL("Watch"));
    raw_message(talk.bytes, 1, END_STREAM, 0, "me", 2);
    say(&talk);
    expect_message(&talk, "mea");
    return talk;
}

static void answers_each_message_while_the_call_stays_open(void **state)
{
    (void)state;
    struct talk talk = begin();
    raw_message(talk.bytes, 1, 0, 0, "one", 3);
    say(&talk);
    expect_message(&talk, "oneone");
    raw_message(talk.bytes, 1, 0, 0, "two", 3);
    say(&talk);
    expect_message(&talk, "twotwo");
    raw_message(talk.bytes, 1, 0, 0, "", 0);
    say(&talk);
    expect_message(&talk, "");
    raw_frame(talk.bytes, NGHTTP2_DATA, END_STREAM, 1, NULL, 0);
    say(&talk);
    expect_end(&talk, "grpc-status: 0\n");
    end(&talk);
}

static void joins_messages_that_come_in_pieces_and_parts_those_that_come_together(void **state)
{
    (void)state;
    struct talk talk = begin();
    raw_frame(talk.bytes, NGHTTP2_DATA, 0, 1, "\0\0", 2);
    raw_frame(talk.bytes, NGHTTP2_DATA, 0, 1, "\0\0\3a", 4);
    say(&talk);
    raw_frame(talk.bytes, NGHTTP2_DATA, END_STREAM, 1, "bc\0\0\0\0\1d", 8);
    say(&talk);
    struct raw_reader *reader = talk.reader;
    char got[64];
    size_t size = 0;
    while (raw_next(reader) && !(reader->type == NGHTTP2_HEADERS && (reader->flags & 1) != 0)) {
        if (reader->type == NGHTTP2_DATA) {
            assert_true(size + reader->size <= sizeof(got));
            memcpy(got + size, reader->payload, reader->size);
            size += reader->size;
        }
    }
    assert_int_equal(size, 18);
    assert_memory_equal(got, "\0\0\0\0\6abcabc\0\0\0\0\2dd", 18);
    assert_non_null(strstr(reader->headers, "grpc-status: 0\n"));
    end(&talk);
}

static void ends_with_the_status_of_what_it_cannot_take(void **state)
{
    (void)state;
    static const struct {
        const char *data;
        size_t size;
        uint8_t flags;
        const char *status;
    } rows[] = {
        {"\0\0\0\0\2no", 7, 0, "grpc-status: 3\n"},          /* refused by the method */
        {"\2\0\0\0\0", 5, 0, "grpc-status: 13\n"},           /* an unknown flag */
        {"\1\0\0\0\1x", 6, 0, "grpc-status: 12\n"},          /* compressed */
        {"\0\0\1\0\0", 5, 0, "grpc-status: 8\n"},            /* 64 KiB */
        {"\0\0\0\0\2x", 6, END_STREAM, "grpc-status: 13\n"}, /* cut short */
        {"", 0, END_STREAM, "grpc-status: 0\n"},             /* nothing was asked */
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct talk talk = begin();
        raw_frame(talk.bytes, NGHTTP2_DATA, rows[i].flags, 1, rows[i].data, rows[i].size);
        say(&talk);
        expect_end(&talk, rows[i].status);
        end(&talk);
    }
}

static void allows_few_of_them_on_a_connection(void **state)
{
    (void)state;
    struct talk talk = begin();
    for (uint32_t stream = 1; stream <= 17; stream += 2) {
        if (stream != 1) {
            raw_headers(talk.bytes, stream, END_HEADERS, TALK);
        }
        raw_message(talk.bytes, stream, 0, 0, "x", 1);
    }
    say(&talk);
    expect_end(&talk, "grpc-status: 8\n");
    assert_int_equal(talk.reader->stream, 17);
    end(&talk);
}

static void bounds_what_a_client_leaves_unread(void **state)
{
    (void)state;
    struct talk talk = begin();
    static char large[8 * 1024];
    memset(large, 'x', sizeof(large));
    for (int i = 0; i < 7; i++) { /* within the window of one who has not read the settings */
        raw_message(talk.bytes, 1, 0, 0, large, sizeof(large));
    }
    say(&talk);
    /* The window lets 64 KiB through; the status comes behind what was to be sent. */
    raw_frame(talk.bytes, NGHTTP2_WINDOW_UPDATE, 0, 1, "\0\x10\0\0", 4);
    raw_frame(talk.bytes, NGHTTP2_WINDOW_UPDATE, 0, 0, "\0\x10\0\0", 4);
    say(&talk);
    expect_end(&talk, "grpc-status: 8\n");
    end(&talk);
}

static void holds_up_no_stop(void **state)
{
    (void)state;
    struct talk talk = begin();
    raw_message(talk.bytes, 1, 0, 0, "x", 1);
    say(&talk);
    expect_message(&talk, "xx");
    rig_stop(talk.rig, UINT64_C(3600) * 1000000000);
    expect_end(&talk, "grpc-status: 14\n");
    end(&talk);
}

static void answers_again_when_the_answer_changes(void **state)
{
    (void)state;
    struct talk talk = begin_watch();
    atomic_store(&rig_watched, 'b');
    expect_message(&talk, "meb");
    atomic_store(&rig_watched, 'c');
    expect_message(&talk, "mec");
    atomic_store(&rig_watched, '!');
    expect_end(&talk, "grpc-status: 5\n");
    end(&talk);
}

static void ends_a_watch_with_the_client_or_the_server(void **state)
{
    (void)state;
    struct talk talk = begin_watch();
    raw_frame(talk.bytes, NGHTTP2_RST_STREAM, 0, 1, "\0\0\0\x08", 4);
    raw_headers(talk.bytes, 3, END_HEADERS, CALL("Watch"));
    raw_message(talk.bytes, 3, END_STREAM, 0, "", 0);
    say(&talk);
    expect_message(&talk, "a");
    rig_stop(talk.rig, UINT64_C(3600) * 1000000000);
    expect_end(&talk, "grpc-status: 14\n");
    end(&talk);
}

static void takes_one_message_of_a_watch(void **state)
{
    (void)state;
    struct talk talk = greet();
    atomic_store(&rig_watched, 'a');
    raw_headers(talk.bytes, 1, END_HEADERS, CALL("Watch"));
    raw_message(talk.bytes, 1, 0, 0, "x", 1);
    raw_message(talk.bytes, 1, 0, 0, "y", 1);
    say(&talk);
    expect_message(&talk, "xa");
    expect_end(&talk, "grpc-status: 13\n");
    end(&talk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_each_message_while_the_call_stays_open),
        cmocka_unit_test(joins_messages_that_come_in_pieces_and_parts_those_that_come_together),
        cmocka_unit_test(ends_with_the_status_of_what_it_cannot_take),
        cmocka_unit_test(allows_few_of_them_on_a_connection),
        cmocka_unit_test(bounds_what_a_client_leaves_unread),
        cmocka_unit_test(holds_up_no_stop),
        cmocka_unit_test(answers_again_when_the_answer_changes),
        cmocka_unit_test(ends_a_watch_with_the_client_or_the_server),
        cmocka_unit_test(takes_one_message_of_a_watch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
