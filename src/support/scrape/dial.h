/*
 * dial: connections that are waited for, for threads that do nothing else meanwhile, as those of
 * receivers that ask a server at an interval. No state; each call belongs to its thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/status.h>

#include "grpc/resolve.h"
#include "util/patience.h"
#include "util/tls/tls.h"

struct hf_dial_addresses {
    struct hf_grpc_address items[HF_GRPC_ADDRESSES_MAX];
    size_t count;
};

/* The addresses of a name, of a literal or of a socket's path. Otherwise one sentence in `reterr`
 * (HF_ERROR_MAX): HF_NOT_FOUND, HF_DEADLINE, HF_CLOSED, HF_NOMEM. */
HF_MUST_USE enum hf_status hf_dial_find(const struct hf_grpc_target *target,
                                        const struct hf_patience *patience,
                                        struct hf_dial_addresses *ret_addresses, char *reterr);

/* A connected socket that does not block, the caller's; -1 with errno (ECANCELED: told to stop). */
int hf_dial_connect(const struct hf_grpc_address *address, const struct hf_patience *patience);

/* Both, trying the addresses of that family (AF_UNSPEC: any) in their order. -1 with errno, as
 * above: `reterr` says why. */
int hf_dial(const struct hf_grpc_target *target, int family, const struct hf_patience *patience,
            char *reterr);

/* For libraries that connect by themselves: calls `connect` with one address of the target after
 * the other, as digits (or the path of a socket), as long as it says HF_AGAIN. The last answer, or
 * as hf_dial_find(). */
HF_MUST_USE enum hf_status
hf_dial_each(const struct hf_grpc_target *target, int family, const struct hf_patience *patience,
             enum hf_status (*connect)(void *user, const char *address, char *reterr), void *user,
             char *reterr);

/* Until `timeout_ns` from now at the latest; 0: as it is. */
struct hf_patience hf_dial_patience(const struct hf_patience *patience, uint64_t timeout_ns);

/* Shakes hands; WANT_READ or WANT_WRITE: the time is over, or told to stop. */
enum hf_stream_result hf_dial_shake(struct hf_stream *stream, int fd,
                                    const struct hf_patience *patience);
