/* spoken: protocols by their first bytes, and what is said of a wrong one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "util/spoken.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))
#define BYTES(text) (text), sizeof(text) - 1

static void knows_protocols_by_their_first_bytes(void **state)
{
    static const struct {
        const char *bytes;
        size_t size;
        enum hf_spoken spoken;
    } rows[] = {
        {BYTES("\x16\x03\x01\x02\x00\x01"), HF_SPOKEN_TLS},
        {BYTES("\x15\x03\x03\x00\x02"), HF_SPOKEN_TLS},
        {BYTES("\x16\x03"), HF_SPOKEN_UNKNOWN},
        {BYTES("\x16\x09\x01"), HF_SPOKEN_UNKNOWN},
        {BYTES("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), HF_SPOKEN_HTTP2},
        {BYTES("PRI * HT"), HF_SPOKEN_HTTP2},
        {BYTES("PRI "), HF_SPOKEN_HTTP2}, /* may be all that has come: it is no method */
        {BYTES("PRI"), HF_SPOKEN_UNKNOWN},
        {BYTES("POST /v1/traces HTTP/1.1"), HF_SPOKEN_HTTP1},
        {BYTES("GET /"), HF_SPOKEN_HTTP1},
        {BYTES("OPTIONS *"), HF_SPOKEN_HTTP1},
        {BYTES("get / HTTP/1.1"), HF_SPOKEN_UNKNOWN},
        {BYTES("ABCDEFGHIJKLMNOPQRSTUVW "), HF_SPOKEN_UNKNOWN},
        {BYTES("HTTP/1.1 400 Bad"), HF_SPOKEN_HTTP1_ANSWER},
        {BYTES("HTTP/"), HF_SPOKEN_HTTP1_ANSWER},
        {BYTES("\0\0\x12\4\0\0\0\0\0\0\3"), HF_SPOKEN_HTTP2_ANSWER},
        {BYTES("\0\0\x11\4\0\0\0\0\0\0\3"), HF_SPOKEN_UNKNOWN},
        {BYTES(""), HF_SPOKEN_UNKNOWN},
        {BYTES("\0\0\0\0\0\0\0\0\0\0\0\0"), HF_SPOKEN_UNKNOWN},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        enum hf_spoken spoken = hf_spoken_of((const uint8_t *)rows[i].bytes, rows[i].size);
        assert_int_equal(spoken, rows[i].spoken);
    }
}

static const struct hf_spoken_port http = {false, false, true}, https = {false, true, true},
                                   grpc = {true, false, true}, grpcs = {true, true, true};
/* Of another protocol than OTLP. */
static const struct hf_spoken_port own_http = {false, false, false},
                                   own_https = {false, true, false},
                                   own_grpc = {true, false, false}, own_grpcs = {true, true, false};

static void names_the_key_to_change_for_a_wrong_client(void **state)
{
    const struct {
        enum hf_spoken spoken;
        struct hf_spoken_port port;
        const char *says, *key;
    } rows[] = {
        {HF_SPOKEN_TLS, grpc, "speaks TLS", "protocols::grpc::tls"},
        {HF_SPOKEN_TLS, http, "speaks TLS", "tls"},
        {HF_SPOKEN_TLS, https, NULL, NULL},
        {HF_SPOKEN_TLS, grpcs, NULL, NULL},
        {HF_SPOKEN_HTTP1, grpc, "speaks HTTP/1.1 to a port of gRPC", "protocols::http"},
        {HF_SPOKEN_HTTP1, grpcs, "speaks HTTP/1.1 in clear", "protocols::http"},
        {HF_SPOKEN_HTTP1, https, "speaks HTTP in clear", "https://"},
        {HF_SPOKEN_HTTP1, http, NULL, NULL},
        {HF_SPOKEN_HTTP2, grpcs, "speaks gRPC in clear", "tls::insecure: false"},
        {HF_SPOKEN_HTTP2, http, "speaks HTTP/2 (gRPC)", "protocols::grpc"},
        {HF_SPOKEN_HTTP2, https, "speaks HTTP/2 (gRPC) in clear", "protocols::grpc"},
        {HF_SPOKEN_HTTP2, grpc, NULL, NULL},
        {HF_SPOKEN_UNKNOWN, grpc, NULL, NULL},
        {HF_SPOKEN_TLS, own_grpc, "speaks TLS", "this endpoint's tls"},
        {HF_SPOKEN_TLS, own_http, "speaks TLS", "this endpoint's tls"},
        {HF_SPOKEN_HTTP1, own_grpc, "speaks HTTP/1.1 to a port of gRPC", "protocol to gRPC"},
        {HF_SPOKEN_HTTP1, own_grpcs, "speaks HTTP/1.1 in clear", "gRPC with TLS"},
        {HF_SPOKEN_HTTP2, own_grpcs, "speaks gRPC in clear", "this endpoint's tls"},
        {HF_SPOKEN_HTTP2, own_http, "speaks HTTP/2 (gRPC)", "protocol to HTTP/1.1"},
        {HF_SPOKEN_HTTP2, own_https, "speaks HTTP/2 (gRPC) in clear", "https://"},
        {HF_SPOKEN_HTTP2, own_grpc, NULL, NULL},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *says = hf_spoken_complaint(rows[i].spoken, rows[i].port);
        assert_int_equal(says == NULL, rows[i].says == NULL);
        if (says != NULL) {
            assert_non_null(strstr(says, rows[i].says));
            assert_non_null(strstr(says, rows[i].key));
            if (!rows[i].port.is_otlp) { /* what only a receiver of OTLP has */
                assert_null(strstr(says, "431"));
                assert_null(strstr(says, "protocols::"));
            }
        }
    }
}

static void names_no_port_of_otlp_for_other_protocols(void **state)
{
    static const struct {
        enum hf_spoken spoken;
        const struct hf_spoken_port *port;
        const char *says;
    } rows[] = {
        {HF_SPOKEN_HTTP1, &own_grpc, "This port is for gRPC only."},
        {HF_SPOKEN_HTTP2, &own_http, "This port is for HTTP/1.1 only."},
        {HF_SPOKEN_HTTP1, &own_grpcs, "This port wants TLS and gRPC."},
    };
    uint8_t bytes[HF_SPOKEN_ANSWER_MAX];
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        size_t size = hf_spoken_answer(rows[i].spoken, *rows[i].port, bytes);
        assert_non_null(memmem(bytes, size, rows[i].says, strlen(rows[i].says)));
        assert_null(memmem(bytes, size, "OTLP", 4));
    }
}

static void answers_in_the_protocol_of_the_client(void **state)
{
    uint8_t bytes[HF_SPOKEN_ANSWER_MAX];
    (void)state;
    size_t size = hf_spoken_answer(HF_SPOKEN_HTTP1, https, bytes);
    assert_memory_equal(bytes, "HTTP/1.1 400 ", 13);
    assert_non_null(memmem(bytes, size, "This port wants TLS", 19));
    size = hf_spoken_answer(HF_SPOKEN_HTTP1, grpc, bytes);
    assert_memory_equal(bytes, "HTTP/1.1 505 ", 13);
    assert_non_null(memmem(bytes, size, "4318", 4));
    size = hf_spoken_answer(HF_SPOKEN_TLS, http, bytes);
    assert_memory_equal(bytes, "HTTP/1.1 400 ", 13);
    size = hf_spoken_answer(HF_SPOKEN_HTTP2, http, bytes);
    assert_int_equal(hf_spoken_of(bytes, size), HF_SPOKEN_HTTP2_ANSWER);
    assert_int_equal(bytes[9 + 3], 7); /* GOAWAY */
    assert_int_equal(bytes[11], size - 18);
    assert_int_equal(bytes[25], 0xd);
    size = hf_spoken_answer(HF_SPOKEN_HTTP2, grpcs, bytes);
    assert_int_equal(bytes[25], 0xc);
}

static void names_the_key_to_change_for_a_wrong_server(void **state)
{
    const struct {
        enum hf_spoken spoken;
        struct hf_spoken_port expected;
        const char *key;
    } rows[] = {
        {HF_SPOKEN_TLS, grpc, "tls::insecure: false"},
        {HF_SPOKEN_TLS, http, "https://"},
        {HF_SPOKEN_TLS, https, NULL},
        {HF_SPOKEN_HTTP1_ANSWER, grpc, "otlphttp"},
        {HF_SPOKEN_HTTP1_ANSWER, grpcs, "http://"},
        {HF_SPOKEN_HTTP1_ANSWER, http, NULL},
        {HF_SPOKEN_HTTP2_ANSWER, http, "exporter otlp"},
        {HF_SPOKEN_HTTP2_ANSWER, grpcs, "tls::insecure: true"},
        {HF_SPOKEN_HTTP2_ANSWER, grpc, NULL},
        {HF_SPOKEN_UNKNOWN, grpc, NULL},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *says = hf_spoken_of_server(rows[i].spoken, rows[i].expected);
        assert_int_equal(says == NULL, rows[i].key == NULL);
        assert_true(says == NULL || strstr(says, rows[i].key) != NULL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_protocols_by_their_first_bytes),
        cmocka_unit_test(names_the_key_to_change_for_a_wrong_client),
        cmocka_unit_test(names_no_port_of_otlp_for_other_protocols),
        cmocka_unit_test(answers_in_the_protocol_of_the_client),
        cmocka_unit_test(names_the_key_to_change_for_a_wrong_server),
    };
    return cmocka_run_group_tests_name("spoken", tests, NULL, NULL);
}
