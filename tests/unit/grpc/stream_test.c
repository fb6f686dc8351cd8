/* Calls of many messages: one at a time for their user, and how they end. */
#include <semaphore.h>
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
#define CALL                                                                                       \
    ":method: POST\n:scheme: http\n:authority: x\n:path: /t.S/Send\nte: trailers\n"                \
    "content-type: application/grpc\n"

/* What the user of the call has seen; written on the loop's thread before `handed` tells. */
static struct {
    char seen[256];
    size_t size;
    struct hf_grpc_call *call;
    sem_t handed;
    struct hf_task task;
    int refusal; /* 0: the next one */
} user;

struct stream {
    struct rig *rig;
    struct raw_bytes *bytes;
    struct raw_reader *reader;
};

static void take_message(void *rig, struct hf_grpc_call *call)
{
    const struct hf_grpc_message *message = hf_grpc_call_message(call);
    (void)rig;
    assert_true(user.size + message->raw.size + 1 < sizeof(user.seen));
    if (message->raw.size != 0) {
        memcpy(user.seen + user.size, message->raw.data, message->raw.size);
    }
    user.size += message->raw.size;
    user.seen[user.size++] = ';';
    user.seen[user.size] = '\0';
    user.call = call;
    sem_post(&user.handed);
}

static void let_go(struct hf_task *task)
{
    (void)task;
    if (user.refusal != 0) {
        hf_grpc_call_answer(user.call, &(struct hf_grpc_answer){.code = user.refusal});
    } else {
        hf_grpc_call_next(user.call);
    }
}

/* The user is done with its message. */
static void go_on(int refusal)
{
    struct hf_loop *loop = hf_grpc_call_loop(user.call);
    user.refusal = refusal;
    user.task.run = let_go;
    hf_loop_post(loop, &user.task);
}

static void await(const char *seen)
{
    while (sem_wait(&user.handed) != 0) {
    }
    assert_string_equal(user.seen, seen);
}

static struct stream begin(void)
{
    static const struct hf_grpc_method methods[] = {{.path = "/t.S/Send", .streams = true}};
    struct stream stream = {.rig = rig_new(false), .bytes = calloc(1, sizeof(*stream.bytes))};
    assert_non_null(stream.bytes);
    memset(&user, 0, sizeof(user));
    sem_init(&user.handed, 0, 0);
    stream.rig->options.methods = methods;
    stream.rig->options.method_count = 1;
    stream.rig->options.on_message = take_message;
    rig_start(stream.rig);
    stream.reader = raw_reader_new(rig_connect(stream.rig));
    raw_put(stream.bytes, RAW_PREFACE, sizeof(RAW_PREFACE) - 1);
    raw_frame(stream.bytes, NGHTTP2_SETTINGS, 0, 0, NULL, 0);
    raw_headers(stream.bytes, 1, END_HEADERS, CALL);
    return stream;
}

static void say(struct stream *stream)
{
    raw_send(stream->reader->fd, stream->bytes);
    stream->bytes->size = 0;
}

static void expect_end(struct stream *stream, const char *status)
{
    do {
        assert_true(raw_find(stream->reader, NGHTTP2_HEADERS));
    } while ((stream->reader->flags & END_STREAM) == 0);
    assert_non_null(strstr(stream->reader->headers, status));
}

static void end(struct stream *stream)
{
    raw_reader_free(stream->reader);
    free(stream->bytes);
    rig_free(stream->rig);
    sem_destroy(&user.handed);
}

static void messages_are_handed_over_one_at_a_time(void **state)
{
    (void)state;
    struct stream stream = begin();
    int waiting;
    raw_frame(stream.bytes, NGHTTP2_DATA, 0, 1, "\0\0\0\0\1a\0\0\0\0\2bc\0\0\0\0\0\0\0", 20);
    say(&stream);
    await("a;");
    assert_int_equal(sem_getvalue(&user.handed, &waiting), 0);
    assert_int_equal(waiting, 0);
    raw_frame(stream.bytes, NGHTTP2_DATA, END_STREAM, 1, "\0\0\1d", 4);
    say(&stream);
    go_on(0);
    await("a;bc;");
    go_on(0);
    await("a;bc;;");
    go_on(0);
    await("a;bc;;d;");
    go_on(0);
    expect_end(&stream, "grpc-status: 0\n");
    end(&stream);
}

static void the_end_waits_for_the_last_message(void **state)
{
    (void)state;
    struct stream stream = begin();
    raw_message(stream.bytes, 1, END_STREAM, 0, "only", 4);
    say(&stream);
    await("only;");
    go_on(0);
    expect_end(&stream, "grpc-status: 0\n");
    end(&stream);
}

static void a_refusal_ends_the_call(void **state)
{
    (void)state;
    struct stream stream = begin();
    raw_frame(stream.bytes, NGHTTP2_DATA, 0, 1, "\0\0\0\0\1a\0\0\0\0\1b", 12);
    say(&stream);
    await("a;");
    go_on(3);
    expect_end(&stream, "grpc-status: 3\n");
    assert_string_equal(user.seen, "a;");
    end(&stream);
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
        {"\2\0\0\0\0", 5, 0, "grpc-status: 13\n"},           /* an unknown flag */
        {"\1\0\0\0\1x", 6, 0, "grpc-status: 13\n"},          /* compressed, in no coding */
        {"\0\1\0\0\0", 5, 0, "grpc-status: 8\n"},            /* 16 MiB */
        {"\0\0\0\0\2x", 6, END_STREAM, "grpc-status: 13\n"}, /* cut short */
        {"\0\0", 2, END_STREAM, "grpc-status: 13\n"},        /* likewise */
        {"", 0, END_STREAM, "grpc-status: 0\n"},             /* nothing was said */
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct stream stream = begin();
        raw_frame(stream.bytes, NGHTTP2_DATA, rows[i].flags, 1, rows[i].data, rows[i].size);
        say(&stream);
        expect_end(&stream, rows[i].status);
        end(&stream);
    }
}

/* More than a window of the stream, which opens again when the user has caught up. */
static void a_busy_user_slows_the_client(void **state)
{
    (void)state;
    struct stream stream = begin();
    static char large[16 * 1024 - 5];
    memset(large, 'x', sizeof(large));
    raw_message(stream.bytes, 1, 0, 0, "a", 1);
    say(&stream);
    await("a;");
    /* Within the window of one who has not read the settings; none of it is handed over. */
    for (int i = 0; i < 3; i++) {
        raw_message(stream.bytes, 1, 0, 0, large, 40);
    }
    say(&stream);
    for (int i = 0; i < 3; i++) {
        go_on(0);
        while (sem_wait(&user.handed) != 0) {
        }
    }
    assert_int_equal(user.size, 2 + 3 * 41);
    go_on(0);
    raw_frame(stream.bytes, NGHTTP2_DATA, END_STREAM, 1, NULL, 0);
    say(&stream);
    expect_end(&stream, "grpc-status: 0\n");
    end(&stream);
}

static void a_client_that_goes_takes_nothing_with_it(void **state)
{
    (void)state;
    struct stream stream = begin();
    raw_message(stream.bytes, 1, 0, 0, "a", 1);
    raw_message(stream.bytes, 1, 0, 0, "b", 1);
    say(&stream);
    await("a;");
    raw_reader_free(stream.reader);
    stream.reader = raw_reader_new(rig_connect(stream.rig));
    /* The call is still its user's; what came behind it is gone with the connection or comes. */
    go_on(0);
    end(&stream);
}

static void ends_between_messages_when_the_server_stops(void **state)
{
    (void)state;
    struct stream stream = begin();
    raw_message(stream.bytes, 1, 0, 0, "a", 1);
    say(&stream);
    await("a;");
    go_on(0);
    rig_stop(stream.rig, UINT64_C(3600) * 1000000000);
    expect_end(&stream, "grpc-status: 14\n");
    end(&stream);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_are_handed_over_one_at_a_time),
        cmocka_unit_test(the_end_waits_for_the_last_message),
        cmocka_unit_test(a_refusal_ends_the_call),
        cmocka_unit_test(ends_with_the_status_of_what_it_cannot_take),
        cmocka_unit_test(a_busy_user_slows_the_client),
        cmocka_unit_test(a_client_that_goes_takes_nothing_with_it),
        cmocka_unit_test(ends_between_messages_when_the_server_stops),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
