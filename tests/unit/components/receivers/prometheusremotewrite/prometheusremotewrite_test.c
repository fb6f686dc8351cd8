/* Both versions of remote write: told apart by the content type, answered with what was written
 * once it is on disk. */
#include "tests/unit/components/receivers/asked.h"

#include "util/compress/compress.h"

extern const struct hf_component hf_receiver_prometheusremotewrite;

#define PUSH "POST /api/v1/write HTTP/1.1\r\nContent-Encoding: snappy\r\nContent-Type: "
#define TYPE "application/x-protobuf"
#define TYPE_2 TYPE ";proto=io.prometheus.write.v2.Request"
#define SAMPLE "\x09\0\0\0\0\0\0\xf0\x3f\x10\x01" /* 1 at the time 1 */
/* The series up{job="shop"} with a sample. */
#define WRITE_1                                                                                    \
    "\x0a\x2a\x0a\x0e\x0a\x08__name__\x12\x02up\x0a\x0b\x0a\x03job\x12\x04shop\x12\x0b" SAMPLE
/* Symbols, and the same series by their numbers. */
#define SYMBOLS_2 "\x22\0\x22\x08__name__\x22\x02up\x22\x03job\x22\x04shop"
#define WRITE_2 SYMBOLS_2 "\x2a\x13\x0a\x04\x01\x02\x03\x04\x12\x0b" SAMPLE
/* The same, and a series whose label has no name. */
#define PARTIAL_2 WRITE_2 "\x2a\x11\x0a\x02\x03\x04\x12\x0b" SAMPLE

static const char *const pairs[][2] = {{"endpoint", "localhost:0"}, {NULL, NULL}};

static int push(const char *head, const void *body, size_t size)
{
    struct hf_bytes packed = {.size = 0};
    struct hf_slice piece = hf_slice_of(body, size);
    assert_int_equal(hf_encode(HF_SNAPPY_BLOCK, 0, &piece, 1, &packed), HF_OK);
    int fd = ask(head, packed.data, packed.size);
    hf_bytes_release(&packed);
    return fd;
}

static void assert_written(int fd, int code, const char *samples)
{
    struct asked asked = read_answer(fd);
    char line[128];
    snprintf(line, sizeof(line), "X-Prometheus-Remote-Write-Samples-Written: %s\r\n", samples);
    if (asked.code != code || strcasestr(asked.head, line) == NULL) {
        fail_msg("%d\n%s%s, wanted %d with %s", asked.code, asked.head, asked.body, code, line);
    }
    assert_non_null(strcasestr(asked.head, "X-Prometheus-Remote-Write-Histograms-Written: 0\r\n"));
    assert_non_null(strcasestr(asked.head, "X-Prometheus-Remote-Write-Exemplars-Written: 0\r\n"));
}

static void what_was_written_is_told_after_its_commit(void **state)
{
    static const struct {
        const char *head, *body;
        size_t size;
    } cases[] = {
        {PUSH TYPE "\r\n", WRITE_1, sizeof(WRITE_1) - 1},
        {PUSH "Application/X-Protobuf ; proto=prometheus.WriteRequest\r\n", WRITE_1,
         sizeof(WRITE_1) - 1},
        {PUSH TYPE_2 "\r\n", WRITE_2, sizeof(WRITE_2) - 1},
        {PUSH TYPE "; x=y; proto=io.prometheus.write.v2.Request\r\n", WRITE_2, sizeof(WRITE_2) - 1},
    };
    struct intake intake;
    char got[16];
    (void)state;
    open_intake(&intake, &hf_receiver_prometheusremotewrite, pairs);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int fd = push(cases[i].head, cases[i].body, cases[i].size);
        struct hf_batch *batch = await_batch();
        assert_int_equal(batch->items, 1);
        assert_int_equal(batch->signal, HF_METRICS);
        assert_true(has_bytes(batch, "up") && has_bytes(batch, "shop"));
        assert_int_equal(recv(fd, got, sizeof(got), MSG_DONTWAIT), -1); /* not yet */
        answer(HF_OK);
        assert_written(fd, 204, "1");
    }
    close_intake(&intake);
}

static void a_series_that_is_refused_does_not_hold_up_the_others(void **state)
{
    struct intake intake;
    (void)state;
    open_intake(&intake, &hf_receiver_prometheusremotewrite, pairs);
    int fd = push(PUSH TYPE_2 "\r\n", PARTIAL_2, sizeof(PARTIAL_2) - 1);
    assert_int_equal(await_batch()->items, 1);
    answer(HF_OK);
    assert_written(fd, 400, "1");
    close_intake(&intake);
}

/* Prometheus gives up what is answered with 429, and sends again what is answered with 503. */
static void a_full_queue_is_told_so_that_it_is_sent_again(void **state)
{
    static const enum hf_status statuses[] = {HF_FULL, HF_AGAIN};
    struct intake intake;
    (void)state;
    open_intake(&intake, &hf_receiver_prometheusremotewrite, pairs);
    for (size_t i = 0; i < 2; i++) {
        int fd = push(PUSH TYPE "\r\n", WRITE_1, sizeof(WRITE_1) - 1);
        (void)await_batch();
        answer(statuses[i]);
        assert_written(fd, 503, "0");
    }
    close_intake(&intake);
}

static void what_is_no_remote_write_is_refused(void **state)
{
    static const char *const types[] = {"text/plain", TYPE ";proto=io.prometheus.write.v3.Request",
                                        TYPE "x"};
    struct intake intake;
    char head[256];
    (void)state;
    open_intake(&intake, &hf_receiver_prometheusremotewrite, pairs);
    assert_answer(ask("POST /write HTTP/1.1\r\n", "", 0), 404, "404 page not found");
    assert_answer(ask("PUT /api/v1/write HTTP/1.1\r\n", "", 0), 405, "supported: [POST]");
    assert_answer(ask("POST /api/v1/write HTTP/1.1\r\n", "", 0), 415, "unsupported media type");
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        snprintf(head, sizeof(head), "%s%s\r\n", PUSH, types[i]);
        assert_answer(push(head, WRITE_1, sizeof(WRITE_1) - 1), 415, "io.prometheus.write.v2");
    }
    assert_answer(push(PUSH TYPE "\r\n", "\x0a\x7f", 2), 400, "");
    assert_answer(ask(PUSH TYPE "\r\n", "\xff\xff", 2), 400, "");
    close_intake(&intake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_written_is_told_after_its_commit),
        cmocka_unit_test(a_series_that_is_refused_does_not_hold_up_the_others),
        cmocka_unit_test(a_full_queue_is_told_so_that_it_is_sent_again),
        cmocka_unit_test(what_is_no_remote_write_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
