/* What counts as sent, with servers that read, that hang up and that do nothing. */
#include "components/exporters/syslog/syslog_peer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h> /* needs those before it */

#include <holdfast/ref.h>

#include "tests/support/node_stub.c"
#include "util/time/clock.h"

enum manners { READS, READS_SLOWLY, HANGS_UP, HANGS_UP_LATER, DOES_NOTHING };

/* A server on a Unix socket, a peer of it, and the exporter that hears of outcomes. */
struct fixture {
    struct hf_node node;
    struct hf_loop *loop;
    char directory[32];
    int listener, connection;
    enum manners manners;
    unsigned accepted;
    struct hf_io on_accept, on_read;
    struct hf_timer pause;
    size_t received;
    struct syslog_peer *peer;
    unsigned ended;
    enum hf_status status;
    char why[600];
};

static void hang_up(struct fixture *fixture)
{
    if (fixture->connection >= 0) {
        hf_loop_remove(fixture->loop, fixture->connection, &fixture->on_read);
        close(fixture->connection);
        fixture->connection = -1;
    }
}

static void read_connection(struct hf_io *io, uint32_t events)
{
    struct fixture *fixture = HF_CONTAINER(io, struct fixture, on_read);
    char room[65536];
    (void)events;
    ssize_t got = recv(fixture->connection, room, sizeof(room), MSG_DONTWAIT);
    if (got <= 0 || fixture->manners == HANGS_UP_LATER) {
        hang_up(fixture);
        return;
    }
    fixture->received += (size_t)got;
    if (fixture->manners == READS_SLOWLY) {
        assert_int_equal(hf_loop_change(fixture->loop, fixture->connection, 0, io), HF_OK);
        assert_int_equal(hf_loop_timer_set(fixture->loop, &fixture->pause,
                                           hf_loop_now_ns(fixture->loop) + 40 * HF_NS_PER_MS),
                         HF_OK);
    }
}

static void read_again(struct hf_timer *timer, uint64_t now_ns)
{
    struct fixture *fixture = HF_CONTAINER(timer, struct fixture, pause);
    (void)now_ns;
    assert_int_equal(hf_loop_change(fixture->loop, fixture->connection, EPOLLIN, &fixture->on_read),
                     HF_OK);
}

static void take_connection(struct hf_io *io, uint32_t events)
{
    struct fixture *fixture = HF_CONTAINER(io, struct fixture, on_accept);
    (void)events;
    hang_up(fixture);
    fixture->accepted++;
    fixture->connection = accept(fixture->listener, NULL, NULL);
    assert_true(fixture->connection >= 0);
    uint32_t wanted = fixture->manners == DOES_NOTHING ? 0 : EPOLLIN;
    assert_int_equal(hf_loop_add(fixture->loop, fixture->connection, wanted, &fixture->on_read),
                     HF_OK);
    if (fixture->manners == HANGS_UP) {
        hang_up(fixture);
    }
}

static void on_done(void *user, enum hf_status status, const char *why)
{
    struct fixture *fixture = user;
    fixture->ended++;
    fixture->status = status;
    snprintf(fixture->why, sizeof(fixture->why), "%s", why != NULL ? why : "");
    hf_loop_stop(fixture->loop);
}

static void begin(struct fixture *fixture, enum manners manners)
{
    *fixture = (struct fixture){.directory = "/tmp/holdfast-XXXXXX",
                                .connection = -1,
                                .manners = manners,
                                .on_accept.ready = take_connection,
                                .on_read.ready = read_connection,
                                .pause.fire = read_again};
    node_stub_init(&fixture->node);
    assert_non_null(mkdtemp(fixture->directory));
    assert_int_equal(hf_loop_new(&fixture->loop), HF_OK);
    struct syslog_peer_options options = {.node = &fixture->node,
                                          .loop = fixture->loop,
                                          .target = {.is_unix = true},
                                          .server_name = "",
                                          .done = on_done,
                                          .user = fixture};
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof(address.sun_path), "%s/s", fixture->directory);
    snprintf(options.target.host, sizeof(options.target.host), "%s", address.sun_path);
    fixture->listener = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_true(fixture->listener >= 0);
    assert_int_equal(bind(fixture->listener, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(fixture->listener, 8), 0);
    assert_int_equal(hf_loop_add(fixture->loop, fixture->listener, EPOLLIN, &fixture->on_accept),
                     HF_OK);
    assert_int_equal(syslog_peer_new(&options, &fixture->peer), HF_OK);
}

static void end(struct fixture *fixture)
{
    char path[64];
    syslog_peer_free(fixture->peer);
    hang_up(fixture);
    hf_loop_remove(fixture->loop, fixture->listener, &fixture->on_accept);
    close(fixture->listener);
    hf_loop_free(fixture->loop);
    snprintf(path, sizeof(path), "%s/s", fixture->directory);
    unlink(path);
    rmdir(fixture->directory);
}

static void begin_sending(struct fixture *fixture, const char *bytes, size_t size,
                          uint64_t within_ns)
{
    const struct syslog_sending sending = {
        .bytes = hf_slice_of(bytes, size),
        .deadline_ns = within_ns != 0 ? hf_clock_monotonic_ns() + within_ns : 0};
    syslog_peer_send(fixture->peer, &sending);
}

static void send_all(struct fixture *fixture, const char *bytes, size_t size, uint64_t within_ns)
{
    unsigned before = fixture->ended;
    begin_sending(fixture, bytes, size, within_ns);
    if (fixture->ended == before) {
        hf_loop_run(fixture->loop);
    }
    assert_int_equal(fixture->ended, before + 1);
}

static void what_the_server_reads_is_sent(void **state)
{
    static char much[1 << 20];
    struct fixture fixture;
    (void)state;
    begin(&fixture, READS);
    send_all(&fixture, "one\n", 4, 0);
    assert_int_equal(fixture.status, HF_OK);
    assert_int_equal(fixture.received, 4);
    send_all(&fixture, much, sizeof(much), 0);
    assert_int_equal(fixture.status, HF_OK);
    assert_int_equal(fixture.received, sizeof(much) + 4);
    assert_int_equal(fixture.accepted, 1);
    end(&fixture);
}

static void a_server_that_hangs_up_has_taken_nothing(void **state)
{
    static const enum manners rude[] = {HANGS_UP, HANGS_UP_LATER};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct fixture fixture;
        begin(&fixture, rude[i]);
        send_all(&fixture, "one\n", 4, 0);
        assert_int_equal(fixture.status, HF_IO);
        assert_string_not_equal(fixture.why, "");
        fixture.manners = READS;
        send_all(&fixture, "one\n", 4, 0);
        assert_int_equal(fixture.status, HF_OK);
        assert_int_equal(fixture.received, 4);
        assert_int_equal(fixture.accepted, 2);
        end(&fixture);
    }
}

static void a_connection_that_was_closed_meanwhile_is_made_again(void **state)
{
    struct fixture fixture;
    (void)state;
    begin(&fixture, READS);
    send_all(&fixture, "one\n", 4, 0);
    hang_up(&fixture);
    send_all(&fixture, "two\n", 4, 0);
    assert_int_equal(fixture.status, HF_OK);
    assert_int_equal(fixture.received, 8);
    assert_int_equal(fixture.accepted, 2);
    end(&fixture);
}

static void a_server_that_reads_nothing_has_until_the_deadline(void **state)
{
    static char much[1 << 20];
    static const size_t sizes[] = {4, sizeof(much)}; /* in the socket's buffer, and not */
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct fixture fixture;
        begin(&fixture, DOES_NOTHING);
        send_all(&fixture, much, sizes[i], 50 * HF_NS_PER_MS);
        assert_int_equal(fixture.status, HF_DEADLINE);
        end(&fixture);
    }
}

static void a_server_that_reads_slowly_has_more_time(void **state)
{
    static char much[2 << 20];
    struct fixture fixture;
    (void)state;
    begin(&fixture, READS_SLOWLY);
    uint64_t begun_ns = hf_clock_monotonic_ns();
    send_all(&fixture, much, sizeof(much), 600 * HF_NS_PER_MS);
    assert_int_equal(fixture.status, HF_OK);
    assert_int_equal(fixture.received, sizeof(much));
    assert_true(hf_clock_monotonic_ns() - begun_ns > 600 * HF_NS_PER_MS);
    hf_loop_timer_stop(fixture.loop, &fixture.pause);
    end(&fixture);
}

static void without_a_server_it_fails(void **state)
{
    struct fixture fixture;
    char path[64];
    (void)state;
    begin(&fixture, READS);
    snprintf(path, sizeof(path), "%s/s", fixture.directory);
    unlink(path);
    send_all(&fixture, "one\n", 4, 0);
    assert_int_equal(fixture.status, HF_IO);
    assert_non_null(strstr(fixture.why, "No such file"));
    end(&fixture);
}

static void it_may_be_freed_while_it_sends(void **state)
{
    struct fixture fixture;
    (void)state;
    begin(&fixture, READS);
    begin_sending(&fixture, "one\n", 4, 0);
    end(&fixture);
    assert_int_equal(fixture.ended, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_server_reads_is_sent),
        cmocka_unit_test(a_server_that_hangs_up_has_taken_nothing),
        cmocka_unit_test(a_connection_that_was_closed_meanwhile_is_made_again),
        cmocka_unit_test(a_server_that_reads_nothing_has_until_the_deadline),
        cmocka_unit_test(a_server_that_reads_slowly_has_more_time),
        cmocka_unit_test(without_a_server_it_fails),
        cmocka_unit_test(it_may_be_freed_while_it_sends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
