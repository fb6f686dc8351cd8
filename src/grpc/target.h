/*
 * target: where a client connects to: a target's text taken apart, and the HTTP proxy on the way.
 * No state; any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <holdfast/status.h>

struct hf_grpc_target {
    bool is_unix;
    char host[256]; /* without brackets; or the path of the socket */
    char port[8];
};

/*
 * host:port, [v6]:port, dns:///host:port, dns://server/host:port, passthrough:///host:port,
 * unix:path, unix:///path. HF_INVALID.
 */
HF_MUST_USE enum hf_status hf_grpc_target_parse(const char *text,
                                                struct hf_grpc_target *ret_target);

struct hf_grpc_proxy {
    struct hf_grpc_target target;
    char authorization[512]; /* the value of Proxy-Authorization; "" without credentials */
};

/* http://[user:password@]host[:port], or the same without scheme. HF_INVALID; HF_UNSUPPORTED: the
 * proxy itself wants https or is no HTTP proxy. */
HF_MUST_USE enum hf_status hf_grpc_proxy_parse(const char *url, struct hf_grpc_proxy *ret_proxy);
