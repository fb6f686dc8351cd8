/*
 * redis_client: one connection to a Redis server, kept from one scrape to the next, over which one
 * command at a time is asked and waited for.
 *
 * init and release: the main thread; ask: one other thread, as struct hf_patience says.
 */
#pragma once

#include <holdfast/node.h>

#include "resp.h"
#include "support/scrape/dial.h"

struct redis_client_options {
    struct hf_node *node;
    struct hf_grpc_target target;
    int family;                      /* AF_UNSPEC: any */
    const struct hf_tls_config *tls; /* NULL: in clear */
    const char *username, *password; /* NULL or "": none */
    uint64_t connect_timeout_ns;     /* 0: as long as the patience lasts */
};

struct redis_client {
    struct redis_client_options options;
    struct hf_tls *tls;
    struct hf_stream *stream; /* NULL: not connected */
    int fd;                   /* the stream's */
    struct hf_bytes out, in;
};

/* The options' pointers are borrowed. On failure `reterr` (HF_ERROR_MAX) has a sentence. */
HF_MUST_USE enum hf_status redis_client_init(struct redis_client *client,
                                             const struct redis_client_options *options,
                                             char *reterr);
/* A zeroed struct is nothing. */
void redis_client_release(struct redis_client *client);

/*
 * Connects and signs in if need be, asks, and gives the text of the answer, which is borrowed until
 * the next call. An error of the server is HF_INVALID. Otherwise `reterr` (HF_ERROR_MAX) says what
 * failed; HF_CLOSED: told to stop.
 */
HF_MUST_USE enum hf_status redis_client_ask(struct redis_client *client, const char *const *words,
                                            size_t count, const struct hf_patience *patience,
                                            struct hf_slice *ret_text, char *reterr);
