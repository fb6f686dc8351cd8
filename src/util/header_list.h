/*
 * header_list: the headers of one outgoing request: those of the configuration, then what an
 * authenticator adds, which replaces a configured one of the same name. Copies into its own room.
 * Owned by the sender's thread.
 */
#pragma once

#include <holdfast/auth.h>
#include <holdfast/field.h>

#define HF_HEADERS_MAX 64
#define HF_HEADER_BYTES_MAX 16384

struct hf_header_list {
    struct hf_header_sink sink;
    struct hf_header items[HF_HEADERS_MAX]; /* names in lower case, into `bytes` */
    size_t count;
    char bytes[HF_HEADER_BYTES_MAX];
    size_t used;
};

/*
 * Begins anew: `configured`, then those of `auth` (NULL: none) for records of that client metadata.
 * What the authenticator answers when it has no credentials; HF_AGAIN when there are more headers
 * than fit: that is no fault of the data, which must not be cut smaller for it.
 */
HF_MUST_USE enum hf_status hf_header_list_fill(struct hf_header_list *list,
                                               const struct hf_string_map *configured,
                                               const struct hf_auth *auth, void *auth_self,
                                               struct hf_slice meta);
