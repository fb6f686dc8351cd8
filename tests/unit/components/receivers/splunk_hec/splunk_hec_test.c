/* Splunk's codes: for what is on disk, for what is refused and why, and for the paths that take no
 * events. */
#include "tests/unit/components/receivers/asked.h"

extern const struct hf_component hf_receiver_splunk_hec;

#define EVENTS "POST /services/collector HTTP/1.1\r\n"
#define RAW "POST /services/collector/raw"
#define CHANNEL "01234567-89ab-cdef-0123-456789abcdef"
#define SUCCESS "{\"text\":\"Success\",\"code\":0}"

static const char *const pairs[][2] = {{"endpoint", "localhost:0"}, {NULL, NULL}};

static int post(const char *head, const char *body)
{
    return ask(head, body, strlen(body));
}

/* The next batch is committed, and is of the signal and has the text. */
static void take_batch(enum hf_signal signal, const char *text)
{
    struct hf_batch *batch = await_batch();
    assert_int_equal(batch->signal, signal);
    if (!has_bytes(batch, text)) {
        fail_msg("no %s", text);
    }
    answer(HF_OK);
}

static void events_are_answered_after_their_commit(void **state)
{
    struct intake intake;
    char got[16];
    (void)state;
    open_intake(&intake, &hf_receiver_splunk_hec, pairs);
    int fd = post(EVENTS, "{\"event\":\"paid\",\"host\":\"shop\"}{\"event\":{\"a\":1}}");
    struct hf_batch *batch = await_batch();
    assert_int_equal(batch->items, 2);
    assert_int_equal(batch->signal, HF_LOGS);
    assert_true(has_bytes(batch, "paid") && has_bytes(batch, "host.name"));
    assert_int_equal(recv(fd, got, sizeof(got), MSG_DONTWAIT), -1); /* not yet */
    answer(HF_OK);
    struct asked asked = read_answer(fd);
    assert_int_equal(asked.code, 200);
    assert_string_equal(asked.body, SUCCESS);
    assert_non_null(strcasestr(asked.head, "content-type: application/json\r\n"));
    close_intake(&intake);
}

static void events_of_both_kinds_are_answered_once_all_are_on_disk(void **state)
{
    struct intake intake;
    (void)state;
    open_intake(&intake, &hf_receiver_splunk_hec, pairs);
    int fd = post(EVENTS, "{\"event\":\"paid\"}"
                          "{\"event\":\"metric\",\"fields\":{\"metric_name:used\":7}}");
    struct hf_batch *first = await_batch();
    enum hf_signal signal = first->signal;
    assert_true(has_bytes(first, signal == HF_LOGS ? "paid" : "used"));
    answer(HF_OK);
    take_batch(signal == HF_LOGS ? HF_METRICS : HF_LOGS, signal == HF_LOGS ? "used" : "paid");
    assert_answer(fd, 200, SUCCESS);
    fd = post(EVENTS, "{\"event\":\"metric\",\"fields\":{\"metric_name:used\":7}}");
    take_batch(HF_METRICS, "used");
    assert_answer(fd, 200, SUCCESS);
    close_intake(&intake);
}

static void raw_bodies_are_lines_with_what_the_query_says(void **state)
{
    static const char *const whole[][2] = {
        {"endpoint", "localhost:0"}, {"splitting", "none"}, {NULL, NULL}};
    for (int is_whole = 0; is_whole < 2; is_whole++) {
        struct intake intake;
        (void)state;
        open_intake(&intake, &hf_receiver_splunk_hec, is_whole ? whole : pairs);
        int fd = post(RAW "?host=shop&source=till&time=5 HTTP/1.1\r\n", "one\ntwo\n");
        struct hf_batch *batch = await_batch();
        assert_int_equal(batch->items, is_whole ? 1 : 2);
        assert_true(has_bytes(batch, "shop") && has_bytes(batch, "till"));
        answer(HF_OK);
        assert_answer(fd, 200, SUCCESS);
        close_intake(&intake);
    }
}

static void the_token_is_kept_when_told(void **state)
{
    static const char *const keeping[][2] = {
        {"endpoint", "localhost:0"}, {"access_token_passthrough", "true"}, {NULL, NULL}};
    for (int keeps = 0; keeps < 2; keeps++) {
        struct intake intake;
        (void)state;
        open_intake(&intake, &hf_receiver_splunk_hec, keeps ? keeping : pairs);
        int fd = post(EVENTS "Authorization: Splunk t0ken\r\n", "{\"event\":\"paid\"}");
        struct hf_batch *batch = await_batch();
        assert_int_equal(has_bytes(batch, "t0ken"), keeps);
        assert_int_equal(has_bytes(batch, "com.splunk.hec.access_token"), keeps);
        answer(HF_OK);
        assert_answer(fd, 200, SUCCESS);
        close_intake(&intake);
    }
}

static void what_is_refused_has_splunks_code(void **state)
{
    static const struct {
        const char *head, *body;
        int code;
        const char *answer;
    } cases[] = {
        {EVENTS, "", 400, "{\"text\":\"No data\",\"code\":5}"},
        {EVENTS, "{\"event\":\"a\"}{\"event\":", 400,
         "{\"text\":\"Invalid data format\",\"code\":6,\"invalid-event-number\":1}"},
        {EVENTS, "{\"host\":\"a\"}", 400, "\"code\":12,\"invalid-event-number\":0}"},
        {EVENTS, "{\"event\":\"\"}", 400, "\"code\":13,\"invalid-event-number\":0}"},
        {EVENTS, "{\"event\":\"a\",\"fields\":{\"x\":{}}}", 400, "\"code\":15"},
        {EVENTS "X-Splunk-Request-Channel: 7\r\n", "{\"event\":\"a\"}", 400,
         "{\"text\":\"Invalid data channel\",\"code\":11}"},
        {"POST /services/collector?channel= HTTP/1.1\r\n", "{\"event\":\"a\"}", 400,
         "{\"text\":\"Data channel is missing\",\"code\":10}"},
        {RAW "?time=noon HTTP/1.1\r\n", "a", 400, "\"code\":6}"},
        {"POST /services/collector/ack HTTP/1.1\r\n", "{\"acks\":[1]}", 400,
         "{\"text\":\"ACK is disabled\",\"code\":14}"},
        {"PUT /services/collector HTTP/1.1\r\n", "{}", 405, "method is supported"},
        {"GET /services/collector/health HTTP/1.1\r\n", "", 200,
         "{\"text\":\"HEC is healthy\",\"code\":17}"},
        {"GET /services/collector/health/1.0 HTTP/1.1\r\n", "", 200, "\"code\":17"},
    };
    struct intake intake;
    (void)state;
    open_intake(&intake, &hf_receiver_splunk_hec, pairs);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_answer(post(cases[i].head, cases[i].body), cases[i].code, cases[i].answer);
    }
    int fd = post("POST /services/collector?channel=" CHANNEL " HTTP/1.1\r\n", "{\"event\":\"a\"}");
    (void)await_batch();
    answer(HF_FULL);
    assert_answer(fd, 503, "{\"text\":\"Server is busy\",\"code\":9}");
    close_intake(&intake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_are_answered_after_their_commit),
        cmocka_unit_test(events_of_both_kinds_are_answered_once_all_are_on_disk),
        cmocka_unit_test(raw_bodies_are_lines_with_what_the_query_says),
        cmocka_unit_test(the_token_is_kept_when_told),
        cmocka_unit_test(what_is_refused_has_splunks_code),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
