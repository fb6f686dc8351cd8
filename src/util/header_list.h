/*
 * header_list: the headers of one outgoing request: those of the configuration, then what an
 * authenticator adds, which replaces a configured one of the same name. Copies into its own room,
 * without the blanks around a value. Owned by the delivery's thread.
 */
#pragma once

#include <holdfast/auth.h>
#include <holdfast/field.h>

#define HF_HEADERS_MAX 64
#define HF_HEADER_BYTES_MAX 16384

/* HTTP sends every value as it is. gRPC sends the values of names in -bin as base64, so they may be
 * any bytes, and leaves out an authenticator's headers that are its own (header_text.h). */
enum hf_header_use { HF_HEADERS_HTTP, HF_HEADERS_GRPC };

struct hf_header_list {
    struct hf_header_sink sink;
    enum hf_header_use use;
    struct hf_header items[HF_HEADERS_MAX]; /* names in lower case, into `bytes` */
    size_t count;
    char bytes[HF_HEADER_BYTES_MAX];
    size_t used;
    char why[256]; /* what is wrong, when the list could not be filled */
};

/*
 * Begins a new list: `configured`, then those of `auth` (NULL: none) for records of that client
 * metadata. HF_INVALID: these records' metadata makes a header that cannot be sent, now or later.
 * HF_AGAIN: more headers than fit, which is no fault of the data and must not make it smaller. Else
 * what the authenticator answers when it has no credentials. `why` is a sentence about either.
 */
HF_MUST_USE enum hf_status hf_header_list_fill(struct hf_header_list *list, enum hf_header_use use,
                                               const struct hf_string_map *configured,
                                               const struct hf_auth *auth, void *auth_self,
                                               struct hf_slice meta);

/* What the authenticator answered, also when it signed: other than HF_OK makes `why` a sentence
 * about it, unless there is one already. */
void hf_header_list_tell(struct hf_header_list *list, enum hf_status status);

/* The value of that name in lower case among headers; NULL: absent. */
const struct hf_header *hf_header_find(const struct hf_header *headers, size_t count,
                                       const char *name);
