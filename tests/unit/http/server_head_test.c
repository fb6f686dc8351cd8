#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http/server_head.h"
#include "tests/support/cut_head.h"

#define START "POST /v1/traces HTTP/1.1\r\n"
#define HOST "Host: x\r\n"
#define BYTES(text) text, sizeof(text) - 1

/* What the check says of a whole head. */
static struct http_refusal check(const char *text, size_t size, bool with_lines)
{
    char *copy = malloc(size);
    assert_non_null(copy);
    memcpy(copy, text, size);
    struct cut_head cut;
    if (!cut_head(&cut, copy, size)) {
        fail_msg("the library would have refused it: %s", text);
    }
    struct http_refusal refusal = cut_check(&cut, with_lines);
    cut_release(&cut);
    free(copy);
    return refusal;
}

static void lets_heads_with_one_meaning_pass(void **state)
{
    (void)state;
    static const char *const rows[] = {
        START HOST "\r\n",
        START HOST "Content-Length: 5\r\n\r\n",
        START HOST "Content-Length:5 \t\r\n\r\n",
        START "content-length: 0\r\nhOST: x:4318\r\n\r\n",
        START HOST "Transfer-Encoding: chunked\r\n\r\n",
        START HOST "Transfer-Encoding:\t CHUNKED \r\n\r\n",
        START "Host:\r\n\r\n",
        START "Host: [::1]:4318\r\n\r\n",
        START HOST "X:\r\nY: \r\nZ:a \t\r\n\r\n",
        START HOST "X: \xc3\xa9 a\tb\r\n\r\n",
        START HOST "!#$%&'*+-.^_`|~09azAZ: x\r\n\r\n",
        "GET /?a=b%41&c HTTP/1.1\r\n" HOST "\r\n",
        "\r\n" START HOST "\r\n",
        "GET / HTTP/1.2\r\n" HOST "\r\n",
        "GET / HTTP/1.0\r\n\r\n",
        "GET / HTTP/1.0\r\n" HOST "Content-Length: 5\r\n\r\n",
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        for (int with_lines = 0; with_lines < 2; with_lines++) {
            struct http_refusal refusal = check(rows[i], strlen(rows[i]), with_lines == 1);
            if (refusal.status != 0) {
                fail_msg("row %zu: %s", i, refusal.text);
            }
        }
    }
}

static void refuses_what_names_and_values_betray(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int status;
        const char *why;
    } rows[] = {
        {START HOST "Content-Length: 5\r\nContent-Length: 6\r\n\r\n", 400, "more than one Content"},
        {START HOST "Content-Length: 5\r\ncontent-length: 5\r\n\r\n", 400, "more than one Content"},
        {START HOST "Content-Length: 5,5\r\n\r\n", 400, "is no number"},
        {START HOST "Content-Length: +5\r\n\r\n", 400, "is no number"},
        {START HOST "Content-Length: 0x5\r\n\r\n", 400, "is no number"},
        {START HOST "Content-Length:\r\n\r\n", 400, "is no number"},
        {START HOST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", 400, "both"},
        {START HOST "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n", 400, "both"},
        {START HOST "Transfer-Encoding: identity\r\nContent-Length: 5\r\n\r\n", 400, "both"},
        {START HOST "Transfer-Encoding: chunked, chunked\r\n\r\n", 400, "the last"},
        {START HOST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", 400,
         "the last"},
        {START HOST "Transfer-Encoding: chunked, gzip\r\n\r\n", 400, "the last"},
        {START HOST "Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n", 400, "the last"},
        {START HOST "Transfer-Encoding:\r\n\r\n", 400, "no list"},
        {START HOST "Transfer-Encoding: chunked,\r\n\r\n", 400, "no list"},
        {START HOST "Transfer-Encoding: ,chunked\r\n\r\n", 400, "no list"},
        {START HOST "Transfer-Encoding: \"chunked\"\r\n\r\n", 400, "no list"},
        {START HOST "Transfer-Encoding: gzip, chunked\r\n\r\n", 501, "other than chunked"},
        {START HOST "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n", 501,
         "other than chunked"},
        {START HOST "Transfer-Encoding: gzip\r\n\r\n", 501, "other than chunked"},
        {START HOST "Transfer-Encoding: identity\r\n\r\n", 501, "other than chunked"},
        {START HOST "Transfer-Encoding: xchunked\r\n\r\n", 501, "other than chunked"},
        {"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400, "HTTP/1.0"},
        {START HOST "Transfer-Encoding : chunked\r\n\r\n", 400, "name of a header"},
        {START HOST "Content-Length\t: 5\r\n\r\n", 400, "name of a header"},
        {START HOST ": x\r\n\r\n", 400, "name of a header"},
        {START HOST "X Y: x\r\n\r\n", 400, "name of a header"},
        {START HOST "X\xe9: x\r\n\r\n", 400, "name of a header"},
        {START " Host: x\r\n\r\n", 400, "name of a header"},
        {START HOST "X: a\x01\r\n\r\n", 400, "control"},
        {START HOST "X: a\rTransfer-Encoding: chunked\r\n\r\n", 400, "control"},
        {START HOST "X: a\x7f\r\n\r\n", 400, "control"},
        {START HOST "X: a\r\r\n\r\n", 400, "control"},
        {START "\r\n", 400, "no Host"},
        {START HOST HOST "\r\n", 400, "more than one Host"},
        {"GET / HTTP/1.0\r\n" HOST HOST "\r\n", 400, "more than one Host"},
        {START "Host: x, y\r\n\r\n", 400, "Host is no host"},
        {START "Host: x/y\r\n\r\n", 400, "Host is no host"},
        {START "Host: a@x\r\n\r\n", 400, "Host is no host"},
        {"G(T / HTTP/1.1\r\n" HOST "\r\n", 400, "the method"},
        {"G\x01T / HTTP/1.1\r\n" HOST "\r\n", 400, "the method"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        for (int with_lines = 0; with_lines < 2; with_lines++) {
            struct http_refusal refusal = check(rows[i].text, strlen(rows[i].text), with_lines);
            assert_int_equal(refusal.status, rows[i].status);
            if (strstr(refusal.text, rows[i].why) == NULL) {
                fail_msg("row %zu: \"%s\" instead of \"%s\"", i, refusal.text, rows[i].why);
            }
        }
    }
}

static void refuses_what_only_the_lines_betray(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t size;
        const char *why;
    } rows[] = {
        {BYTES("POST /v1/traces HTTP/1.1\n" HOST "\r\n"), "request line"},
        {BYTES("POST  /v1/traces HTTP/1.1\r\n" HOST "\r\n"), "request line"},
        {BYTES("POST /v1/traces\0x HTTP/1.1\r\n" HOST "\r\n"), "request line"},
        {BYTES("PO\0ST /v1/traces HTTP/1.1\r\n" HOST "\r\n"), "request line"},
        {BYTES(START "Host: x\n\r\n"), "a line"},
        {BYTES(START HOST "\n"), "a line"},
        {BYTES(START HOST "X: a\nContent-Length: 5\r\n\r\n"), "a line"},
        {BYTES(START HOST "X: a\0b\r\n\r\n"), "a line"},
        {BYTES(START HOST "X: a\0\r\n\r\n"), "a line"},
        {BYTES(START HOST "X: a\0\0Y: b\r\n\r\n"), "a line"},
        {BYTES(START HOST "X: a\0\0\0\0\r\nY: b\r\n\r\n"), "a line"},
        {BYTES(START HOST "\0X: a\r\nY: b\r\n\r\n"), "a line"},
        {BYTES(START HOST "X: a\r\n b\r\n\r\n"), "a line"},
        {BYTES(START HOST "X: a\r\n\tb\r\nY: c\r\n\r\n"), "a line"},
        {BYTES(START "Host: x\r\n \r\n\r\n"), "a line"},
        {BYTES(START HOST "Content-Length:\r\n 5\r\n\r\n"), "a line"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct http_refusal refusal = check(rows[i].text, rows[i].size, true);
        if (refusal.status != 400 || strstr(refusal.text, rows[i].why) == NULL) {
            fail_msg("row %zu: %d %s", i, refusal.status, refusal.text);
        }
    }
}

static void knows_uris(void **state)
{
    (void)state;
    static const struct {
        const char *uri;
        bool sound;
    } rows[] = {
        {"/", true},          {"/v1/traces?a=b#c", true},
        {"//x", true},        {"http://x:4318/v1", true},
        {"*", true},          {"/%41%7f", true},
        {"/\xc3\xa9", true},  {"", false},
        {"v1/traces", false}, {"x:80", false},
        {"://x", false},      {"/a%00b", false},
        {"/a%00", false},     {"/a b", false},
        {"/a\tb", false},     {"/a\rb", false},
        {"/a\x01", false},    {"/a\x7f", false},
        {"*x", false},        {"/%0", true},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        size_t size = 0;
        assert_int_equal(hf_http_uri_is_sound(rows[i].uri, &size), rows[i].sound);
        assert_int_equal(size, strlen(rows[i].uri));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lets_heads_with_one_meaning_pass),
        cmocka_unit_test(refuses_what_names_and_values_betray),
        cmocka_unit_test(refuses_what_only_the_lines_betray),
        cmocka_unit_test(knows_uris),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
