#include "spoken.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define METHOD_MAX 16u
#define GOAWAY_HTTP_1_1_REQUIRED 0xd
#define GOAWAY_INADEQUATE_SECURITY 0xc

static bool begins(const uint8_t *bytes, size_t size, const char *text, size_t least)
{
    size_t length = strlen(text);
    size_t compared = size < length ? size : length;
    return compared >= least && memcmp(bytes, text, compared) == 0;
}

/* A method and the blank behind it. */
static bool is_request(const uint8_t *bytes, size_t size)
{
    size_t letters = 0;
    while (letters < size && letters < METHOD_MAX && bytes[letters] >= 'A' &&
           bytes[letters] <= 'Z') {
        letters++;
    }
    return letters >= 3 && letters < size && bytes[letters] == ' ';
}

static bool is_tls(const uint8_t *bytes, size_t size)
{
    bool kind = size >= 3 && (bytes[0] == 0x16 || bytes[0] == 0x15);
    return kind && bytes[1] == 3 && bytes[2] <= 4;
}

/* The head of a SETTINGS frame: its length in whole settings of 6 bytes, on the stream 0. */
static bool is_settings(const uint8_t *bytes, size_t size)
{
    static const uint8_t rest[] = {4, 0, 0, 0, 0, 0};
    return size >= 9 && bytes[0] == 0 && (bytes[1] << 8 | bytes[2]) % 6 == 0 &&
           memcmp(bytes + 3, rest, sizeof(rest)) == 0;
}

enum hf_spoken hf_spoken_of(const uint8_t *bytes, size_t size)
{
    if (is_tls(bytes, size)) {
        return HF_SPOKEN_TLS;
    }
    if (begins(bytes, size, "PRI * HTTP/2.0\r\n", 4)) {
        return HF_SPOKEN_HTTP2;
    }
    if (begins(bytes, size, "HTTP/1.", 5)) {
        return HF_SPOKEN_HTTP1_ANSWER;
    }
    if (is_settings(bytes, size)) {
        return HF_SPOKEN_HTTP2_ANSWER;
    }
    return is_request(bytes, size) ? HF_SPOKEN_HTTP1 : HF_SPOKEN_UNKNOWN;
}

static const char *http1_to_grpc(struct hf_spoken_port port)
{
    if (port.is_otlp) {
        return port.is_tls ? "speaks HTTP/1.1 in clear, not TLS, to a port of gRPC with TLS: set "
                             "the client's endpoint to that of protocols::http, usually port "
                             "4318, or its protocol to grpc with https://"
                           : "speaks HTTP/1.1 to a port of gRPC: set the client's endpoint to "
                             "that of protocols::http, usually port 4318, or its protocol to grpc";
    }
    return port.is_tls ? "speaks HTTP/1.1 in clear, not TLS, to a port of gRPC with TLS: set the "
                         "client's protocol to gRPC with TLS"
                       : "speaks HTTP/1.1 to a port of gRPC: set the client's protocol to gRPC";
}

static const char *complaint_of_grpc(enum hf_spoken spoken, struct hf_spoken_port port)
{
    if (spoken == HF_SPOKEN_TLS && !port.is_tls) {
        return port.is_otlp ? "speaks TLS to a port in clear: set protocols::grpc::tls here, or at "
                              "the client tls::insecure: true or http:// in its endpoint"
                            : "speaks TLS to a port in clear: set this endpoint's tls here, or "
                              "turn TLS off at the client";
    }
    if (spoken == HF_SPOKEN_HTTP1) {
        return http1_to_grpc(port);
    }
    if (spoken == HF_SPOKEN_HTTP2 && port.is_tls) {
        return port.is_otlp ? "speaks gRPC in clear, not TLS, to a port with TLS: set at the "
                              "client tls::insecure: false or https:// in its endpoint, or take "
                              "protocols::grpc::tls away here"
                            : "speaks gRPC in clear, not TLS, to a port with TLS: turn TLS on at "
                              "the client, or remove this endpoint's tls here";
    }
    return NULL;
}

static const char *http2_to_http1(struct hf_spoken_port port)
{
    if (port.is_otlp) {
        return port.is_tls ? "speaks HTTP/2 (gRPC) in clear, not TLS, to a port of HTTP/1.1 with "
                             "TLS: set the client's endpoint to that of protocols::grpc, usually "
                             "port 4317, or its protocol to http/protobuf with https://"
                           : "speaks HTTP/2 (gRPC) to a port of HTTP/1.1: set the client's "
                             "endpoint to that of protocols::grpc, usually port 4317, or its "
                             "protocol to http/protobuf";
    }
    return port.is_tls ? "speaks HTTP/2 (gRPC) in clear, not TLS, to a port of HTTP/1.1 with TLS: "
                         "set the client's protocol to HTTP/1.1 with https://"
                       : "speaks HTTP/2 (gRPC) to a port of HTTP/1.1: set the client's protocol "
                         "to HTTP/1.1";
}

static const char *complaint_of_http(enum hf_spoken spoken, struct hf_spoken_port port)
{
    if (spoken == HF_SPOKEN_TLS && !port.is_tls) {
        return "speaks TLS to a port in clear: set this endpoint's tls here, or http:// in the "
               "client's endpoint";
    }
    if (spoken == HF_SPOKEN_HTTP1 && port.is_tls) {
        return "speaks HTTP in clear, not TLS, to a port with TLS: set https:// in the client's "
               "endpoint, or take this endpoint's tls away here";
    }
    return spoken == HF_SPOKEN_HTTP2 ? http2_to_http1(port) : NULL;
}

const char *hf_spoken_complaint(enum hf_spoken spoken, struct hf_spoken_port port)
{
    return port.is_grpc ? complaint_of_grpc(spoken, port) : complaint_of_http(spoken, port);
}

/* The same, said to the client itself, in a few words. */
static const char *words_for(enum hf_spoken spoken, struct hf_spoken_port port)
{
    if (port.is_tls) {
        return port.is_grpc ? "This port wants TLS and gRPC."
                            : "This port wants TLS: use https://.";
    }
    if (spoken == HF_SPOKEN_TLS) {
        return "This port is without TLS: use http:// or tls::insecure: true.";
    }
    if (port.is_otlp) {
        return port.is_grpc ? "This port is for gRPC; OTLP/HTTP has its own, usually 4318."
                            : "This port is for HTTP/1.1; OTLP/gRPC has its own, usually 4317.";
    }
    return port.is_grpc ? "This port is for gRPC only." : "This port is for HTTP/1.1 only.";
}

static size_t answer_http1(enum hf_spoken spoken, struct hf_spoken_port port, char *out)
{
    /* 505: it is the version that is wrong, not the request. */
    bool version = spoken == HF_SPOKEN_HTTP1 && port.is_grpc && !port.is_tls;
    const char *words = words_for(spoken, port);
    int size = snprintf(out, HF_SPOKEN_ANSWER_MAX,
                        "HTTP/1.1 %s\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\n"
                        "Connection: close\r\n\r\n%s\n",
                        version ? "505 HTTP Version Not Supported" : "400 Bad Request",
                        strlen(words) + 1, words);
    assert(size > 0 && (size_t)size < HF_SPOKEN_ANSWER_MAX);
    return (size_t)size;
}

/* An empty SETTINGS frame, without which a client takes nothing, and GOAWAY with the words. */
static size_t answer_http2(struct hf_spoken_port port, uint8_t *out)
{
    const char *words = words_for(HF_SPOKEN_HTTP2, port);
    size_t size = strlen(words);
    const uint8_t head[] = {
        0,
        0,
        0,
        4,
        0,
        0,
        0,
        0,
        0, /* SETTINGS */
        0,
        0,
        (uint8_t)(8 + size),
        7,
        0,
        0,
        0,
        0,
        0, /* GOAWAY */
        0,
        0,
        0,
        0,
        0,
        0,
        0, /* the last stream, and the code */
        port.is_tls ? GOAWAY_INADEQUATE_SECURITY : GOAWAY_HTTP_1_1_REQUIRED,
    };
    assert(size < 200);
    memcpy(out, head, sizeof(head));
    memcpy(out + sizeof(head), words, size);
    return sizeof(head) + size;
}

size_t hf_spoken_answer(enum hf_spoken spoken, struct hf_spoken_port port,
                        uint8_t ret_bytes[HF_SPOKEN_ANSWER_MAX])
{
    return spoken == HF_SPOKEN_HTTP2 ? answer_http2(port, ret_bytes)
                                     : answer_http1(spoken, port, (char *)ret_bytes);
}

const char *hf_spoken_of_server(enum hf_spoken spoken, struct hf_spoken_port expected)
{
    switch (spoken) {
    case HF_SPOKEN_TLS:
        return expected.is_tls    ? NULL
               : expected.is_grpc ? "the server speaks TLS on this port: set tls::insecure: false, "
                                    "or https:// in the endpoint"
                                  : "the server speaks TLS on this port: set https:// in the "
                                    "endpoint";
    case HF_SPOKEN_HTTP1_ANSWER:
        if (!expected.is_grpc && !expected.is_tls) {
            return NULL;
        }
        return expected.is_tls
                   ? "the server speaks HTTP in clear on this port, not TLS: set http:// "
                     "in the endpoint (tls::insecure: true for gRPC), or another port"
                   : "the server speaks HTTP/1.1 on this port, not gRPC: set the "
                     "endpoint to its gRPC port, usually 4317, or use the exporter "
                     "otlphttp";
    case HF_SPOKEN_HTTP2_ANSWER:
        if (expected.is_tls) {
            return "the server speaks HTTP/2 in clear on this port, not TLS: set tls::insecure: "
                   "true, or http:// in the endpoint";
        }
        return expected.is_grpc ? NULL
                                : "the server speaks HTTP/2 (gRPC) on this port, not HTTP/1.1: set "
                                  "the endpoint to its HTTP port, usually 4318, or use the "
                                  "exporter otlp";
    default:
        return NULL;
    }
}
