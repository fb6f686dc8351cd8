/*
 * spoken: which protocol a peer speaks, by the first bytes that it sends, and the text for it and
 * of it when the port is for another. No state; any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* So many bytes are enough to decide. */
#define HF_SPOKEN_BYTES 24u
#define HF_SPOKEN_ANSWER_MAX 512u

enum hf_spoken {
    HF_SPOKEN_UNKNOWN,
    HF_SPOKEN_TLS,          /* a handshake or an alert */
    HF_SPOKEN_HTTP1,        /* a request */
    HF_SPOKEN_HTTP1_ANSWER, /* a status line */
    HF_SPOKEN_HTTP2,        /* the preface of a client */
    HF_SPOKEN_HTTP2_ANSWER, /* the SETTINGS frame of a server */
};

/* By the first bytes that a peer sent. */
enum hf_spoken hf_spoken_of(const uint8_t *bytes, size_t size);

/* The protocol of a port. */
struct hf_spoken_port {
    bool is_grpc; /* else HTTP/1.1 */
    bool is_tls;
    bool is_otlp; /* the same data may come over the other transport, at a port that is known */
};

/* A sentence about a client that speaks that to such a port, with the keys to change; NULL when it
 * is what the port is for, or cannot be told. */
const char *hf_spoken_complaint(enum hf_spoken spoken, struct hf_spoken_port port);

/* What such a client is answered, in clear, in the protocol that it understands best: 400 or 505,
 * or GOAWAY. The size. */
size_t hf_spoken_answer(enum hf_spoken spoken, struct hf_spoken_port port,
                        uint8_t ret_bytes[HF_SPOKEN_ANSWER_MAX]);

/* A sentence about a server that answers our exporter so, with the keys to change; NULL when it is
 * what was expected, or cannot be told. */
const char *hf_spoken_of_server(enum hf_spoken spoken, struct hf_spoken_port expected);
