/* The request that begins a WebSocket, and the answers to it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h> /* needs those before it */

#include "http/websocket_handshake.h"

/* The key and its answer are the example of RFC 6455. */
#define KEY "dGhlIHNhbXBsZSBub25jZQ=="
#define ACCEPT "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

static void the_request_has_its_headers_and_ours(void **state)
{
    (void)state;
    struct hf_bytes out = {0};
    const struct hf_header headers[] = {{hf_slice_text("x-a"), hf_slice_text("1")}};
    const struct hf_websocket_connect connect = {.headers = headers, .header_count = 1};
    assert_int_equal(
        hf_websocket_write_request(&out, "https://h.test:4320/v1/a?b=c", "me/1", KEY, &connect),
        HF_OK);
    static const char wanted[] =
        "GET /v1/a?b=c HTTP/1.1\r\nHost: h.test:4320\r\nUser-Agent: me/1\r\n"
        "Upgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: " KEY "\r\nSec-WebSocket-Version: 13\r\n"
        "x-a: 1\r\n\r\n";
    assert_int_equal(out.size, sizeof(wanted) - 1);
    assert_memory_equal(out.data, wanted, out.size);
    hf_bytes_release(&out);
}

static void own_headers_stand_instead_and_bad_ones_are_refused(void **state)
{
    (void)state;
    struct hf_bytes out = {0};
    const struct hf_header host[] = {{hf_slice_text("host"), hf_slice_text("other")}};
    const struct hf_header bad[] = {{hf_slice_text("a"), hf_slice_text("1\r\nb: 2")}};
    const struct hf_websocket_connect with_host = {.headers = host, .header_count = 1};
    const struct hf_websocket_connect with_bad = {.headers = bad, .header_count = 1};
    assert_int_equal(hf_websocket_write_request(&out, "http://h/", NULL, KEY, &with_host), HF_OK);
    assert_null(memmem(out.data, out.size, "Host: h", 7));
    assert_non_null(memmem(out.data, out.size, "host: other", 11));
    assert_int_equal(hf_websocket_write_request(&out, "http://h/", NULL, KEY, &with_bad),
                     HF_INVALID);
    hf_bytes_release(&out);
}

static void only_the_right_answer_opens_it(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum hf_status status;
        int code;
        uint64_t retry_after_ns;
    } rows[] = {
        {"HTTP/1.1 101 X\r\nUpgrade: WebSocket\r\nSec-WebSocket-Accept:  " ACCEPT " \r\n\r\n",
         HF_OK, 0, 0},
        {"HTTP/1.1 101 X\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: x\r\n\r\n", HF_AGAIN, 0, 0},
        {"HTTP/1.1 101 X\r\nSec-WebSocket-Accept: " ACCEPT "\r\n\r\n", HF_AGAIN, 0, 0},
        {"HTTP/1.1 200 OK\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: " ACCEPT "\r\n\r\n",
         HF_AGAIN, 200, 0},
        {"HTTP/1.1 503 No\r\nretry-after: 7\r\n\r\n", HF_AGAIN, 503, UINT64_C(7000000000)},
        {"HTTP/1.1 503 No\r\nretry-after: soon\r\n\r\n", HF_AGAIN, 503, 0},
        {"HTTP/1.1 302 No\r\nLocation: ws://b/\r\n\r\n", HF_AGAIN, 302, 0},
        {"HTTP/1.1 1x1 No\r\n\r\n", HF_AGAIN, 0, 0},
        {"HTTP/1.1\r\n\r\n", HF_AGAIN, 0, 0},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct hf_websocket_refusal refusal = {.code = 0};
        struct hf_slice text = hf_slice_text(rows[i].text);
        size_t size = 0;
        assert_int_equal(hf_websocket_answer_size(text, &size), HF_OK);
        assert_int_equal(size, text.size);
        assert_int_equal(hf_websocket_read_answer(text, KEY, &refusal), rows[i].status);
        assert_int_equal(refusal.code, rows[i].code);
        assert_int_equal(refusal.retry_after_ns, rows[i].retry_after_ns);
        assert_true((refusal.why[0] == '\0') == (rows[i].status == HF_OK));
    }
}

static void the_head_of_an_answer_has_an_end(void **state)
{
    (void)state;
    static char long_one[HF_WEBSOCKET_ANSWER_MAX + 1];
    size_t size = 0;
    memset(long_one, 'x', sizeof(long_one));
    memcpy(long_one, "HTTP/1.1 ", 9);
    assert_int_equal(hf_websocket_answer_size(HF_EMPTY_SLICE, &size), HF_AGAIN);
    assert_int_equal(hf_websocket_answer_size(hf_slice_text("HT"), &size), HF_AGAIN);
    assert_int_equal(hf_websocket_answer_size(hf_slice_text("SSH-"), &size), HF_INVALID);
    assert_int_equal(hf_websocket_answer_size(hf_slice_text("HTTP/1.1 101 X\r\na: b\r\n"), &size),
                     HF_AGAIN);
    assert_int_equal(hf_websocket_answer_size(hf_slice_of(long_one, sizeof(long_one)), &size),
                     HF_INVALID);
}

static void urls_of_websockets(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool is_url;
    } rows[] = {{"ws://a", true},   {"wss://a:1/b?c", true}, {"WSS://a", true}, {"http://a", false},
                {"ws:///b", false}, {"ws://", false},        {"ws", false},     {"", false},
                {"wss//a", false}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(hf_websocket_is_url(rows[i].text), rows[i].is_url);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_request_has_its_headers_and_ours),
        cmocka_unit_test(own_headers_stand_instead_and_bad_ones_are_refused),
        cmocka_unit_test(only_the_right_answer_opens_it),
        cmocka_unit_test(the_head_of_an_answer_has_an_end),
        cmocka_unit_test(urls_of_websockets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
