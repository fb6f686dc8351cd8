/*
 * passed_headers: the headers of a message that a proxy passes on: all but those that are about one
 * hop (RFC 9110, 7.6.1) and those that Connection names. Look at all of them, then take all.
 * Copies, with names in lower case; owned by one thread.
 */
#pragma once

#include "http/server.h"
#include "util/compress/compress.h"

#define HF_PASSED_BYTES_MAX (256u * 1024)

/* Zeroed at first. */
struct hf_passed_headers {
    struct hf_bytes hop;  /* what Connection names, between commas */
    struct hf_bytes text; /* name NUL value NUL of each */
    size_t count;
    enum hf_status status; /* HF_NOMEM; HF_TOO_LARGE: more than HF_PASSED_BYTES_MAX */
};

/* Visitors of headers; `user` is the struct. */
void hf_passed_headers_look(void *user, struct hf_slice name, struct hf_slice value);
void hf_passed_headers_take(void *user, struct hf_slice name, struct hf_slice value);
/* One that the proxy adds. */
void hf_passed_headers_put(struct hf_passed_headers *passed, struct hf_slice name,
                           struct hf_slice value);

/* The next one from *at on, which is 0 at first. False: there is none. Borrowed until one is added.
 */
bool hf_passed_headers_next(const struct hf_passed_headers *passed, size_t *at,
                            struct hf_http_answer_header *ret_header);
void hf_passed_headers_release(struct hf_passed_headers *passed);
