/*
 * auth: what an authenticating extension offers to servers and to clients.
 */
#pragma once

#include "meta.h"
#include "slice.h"
#include "status.h"

struct hf_header {
    struct hf_slice name, value; /* name in lower case */
};

/* Collects headers to send; `add` copies. */
struct hf_header_sink {
    enum hf_status (*add)(struct hf_header_sink *sink, struct hf_slice name, struct hf_slice value);
};

struct hf_auth {
    /*
     * Server side; NULL when the extension has none. Any thread. `header` finds a request header by
     * its lower-case name (empty slice: absent). HF_OK, or HF_UNAUTHENTICATED. May add HF_META_AUTH
     * entries to `meta`.
     */
    enum hf_status (*check)(void *self, struct hf_slice (*header)(void *request, const char *name),
                            void *request, struct hf_meta_writer *meta);
    /*
     * Client side; NULL when there is none. The sender's thread. Adds the headers of one outgoing
     * request, whose records carry the client metadata `meta`. HF_INVALID only when that metadata
     * makes a header that cannot be sent: these records are refused for good. A credential that
     * cannot be sent is HF_UNAUTHENTICATED.
     */
    enum hf_status (*headers)(void *self, struct hf_slice meta, struct hf_header_sink *sink);
    /*
     * Client side: the metadata keys whose values change what `headers` adds (headers_setter's
     * from_context). The graph makes receivers keep them and never sends records with different
     * values in one request.
     */
    const char *const *(*context_keys)(void *self, size_t *ret_count);
    /*
     * Those of the context keys whose values become a header as they are: receivers refuse a
     * request in which such a value cannot be one. NULL when there are none.
     */
    const char *const *(*header_keys)(void *self, size_t *ret_count);
};
