/*
 * resolve: names to addresses, without holding up the loop.
 *
 * getaddrinfo may block for minutes, so each look-up has a thread of its own that ends by
 * itself. The answer arrives on the loop. A look-up that is cancelled is forgotten: its thread may
 * end long after, and touches neither the loop nor the asker then.
 */
#pragma once

#include <sys/socket.h>

#include "target.h"
#include "util/loop.h"

#define HF_GRPC_ADDRESSES_MAX 64

struct hf_grpc_address {
    struct sockaddr_storage storage;
    socklen_t size;
};

/* "10.0.0.7:4317", "[::1]:4317", "/run/x.sock". */
void hf_grpc_address_describe(const struct hf_grpc_address *address, char *ret_text, size_t room);
bool hf_grpc_address_equal(const struct hf_grpc_address *a, const struct hf_grpc_address *b);

/* Paths of sockets and literal addresses: no look-up is needed. False for a name. */
HF_MUST_USE bool hf_grpc_resolve_literal(const struct hf_grpc_target *target,
                                         struct hf_grpc_address *ret_address);

struct hf_grpc_lookup;
struct hf_grpc_lookup_result {
    const struct hf_grpc_address *addresses; /* in the order to try them */
    size_t count;
    const char *error; /* NULL when there are addresses */
};

/* `done` is called once on the loop, unless cancelled before. HF_NOMEM. */
HF_MUST_USE enum hf_status
hf_grpc_resolve_start(struct hf_loop *loop, const struct hf_grpc_target *target,
                      void (*done)(void *user, const struct hf_grpc_lookup_result *result),
                      void *user, struct hf_grpc_lookup **ret_lookup);
/* The loop's thread, before `done`. */
void hf_grpc_resolve_cancel(struct hf_grpc_lookup *lookup);
