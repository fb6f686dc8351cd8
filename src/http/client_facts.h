/*
 * client_facts: what an exchange over HTTP was like: the headers of the answer, how long its parts
 * took, how much came, and the server's certificate. In `done` of a call; the loop's thread.
 */
#pragma once

#include "client.h"

/* Of the last request, where redirects have led on. Parts that did not take place, as on a kept
 * connection, are 0. */
struct hf_http_facts {
    uint64_t lookup_ns, connect_ns, handshake_ns;
    uint64_t request_ns;         /* from the beginning until the request goes out */
    uint64_t response_ns;        /* from the first byte of the answer to the last */
    uint64_t body_bytes;         /* of the answer, as it came */
    struct hf_slice certificate; /* PEM; empty: none, or it was not asked for by the options, or the
                                    connection was made for an earlier request */
};

/* Every header of the answer, in the order in which they came. Slices are borrowed as long as the
 * result; behind each is a NUL. */
void hf_http_result_header_each(const struct hf_http_result *result,
                                void (*visit)(void *user, struct hf_slice name,
                                              struct hf_slice value),
                                void *user);

/* Slices are borrowed as long as the result. */
void hf_http_result_facts(const struct hf_http_result *result, struct hf_http_facts *ret_facts);
