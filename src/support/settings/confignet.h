/*
 * confignet: the keys `endpoint`, `transport` and `dialer` of a receiver that connects to one
 * server: one struct, its fields, their check, and the target made of them. As confighttp.h: embed
 * the struct and the rows; the row of `endpoint` is the component's own.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <holdfast/field.h>
#include <holdfast/probe.h>

#include "grpc/target.h"
#include "util/tls/tls.h"

struct hf_net_config {
    const char *endpoint;
    int64_t transport;           /* of hf_net_transports */
    uint64_t connect_timeout_ns; /* 0: none of its own */
};

enum { HF_NET_TCP = 0, HF_NET_TCP4, HF_NET_TCP6, HF_NET_UNIX };
extern const char *const hf_net_transports[];
extern const struct hf_field hf_net_dialer_fields[]; /* of struct hf_net_config */

/* NULL, or a sentence that names the key. */
const char *hf_net_check(const struct hf_net_config *config);

/* Of a configuration that passed the check. `ret_family`: AF_UNSPEC or that of the transport. */
void hf_net_target(const struct hf_net_config *config, struct hf_grpc_target *ret_target,
                   int *ret_family);

/* The server, with TLS unless `tls` is NULL. */
void hf_net_probe(struct hf_probe *probe, const struct hf_net_config *config,
                  const struct hf_tls_config *tls);

/* TLS of an optional section: NULL when it is absent, or is `insecure` without a CA. */
const struct hf_tls_config *hf_net_tls(const struct hf_tls_config *section);

/* clang-format off */
#define HF_NET_FIELDS(owner, at)                                                                   \
    {.key = "transport",                                                                           \
     .type = HF_FIELD_ENUM,                                                                        \
     .offset = offsetof(owner, at.transport),                                                      \
     .choices = hf_net_transports,                                                                 \
     .default_text = "tcp",                                                                        \
     .help = "How it is reached; with unix the endpoint is the path of a socket."},                \
    {.key = "dialer",                                                                              \
     .type = HF_FIELD_STRUCT,                                                                      \
     .offset = offsetof(owner, at),                                                                \
     .inner = hf_net_dialer_fields,                                                                \
     .help = "How it is connected to."}
/* clang-format on */
