/*
 * response: what an OTLP/HTTP backend says in its answer's body. Whatever the bytes are, nothing is
 * believed beyond what they hold; what cannot be read says nothing. Any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/slice.h>

#define HF_RESPONSE_TEXT_MAX 257 /* 256 bytes and a NUL */

struct hf_response {
    uint64_t rejected;                  /* items of a partial success */
    char message[HF_RESPONSE_TEXT_MAX]; /* error_message, or the message of a Status; printable; ""
                                           when none */
};

/*
 * Reads an ExportXServiceResponse (`success`) or a google.rpc.Status, as protobuf or JSON by
 * `content_type`. The text of an error page of another type is its message.
 */
void hf_response_read(struct hf_slice content_type, struct hf_slice body, bool success,
                      struct hf_response *ret);
