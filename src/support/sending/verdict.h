/*
 * verdict: what the delivery must do about the code of a backend's answer. One table for gRPC and
 * one for HTTP; no exporter of OTLP has another.
 *
 * What is about the endpoint, or passes, never costs a record: it is retried. Only what is about
 * the request itself is refused for good. Pure; any thread.
 */
#pragma once

#include <stdbool.h>

#include <holdfast/status.h>

struct hf_verdict {
    enum hf_status status; /* as in struct hf_outcome */
    bool is_suspect;       /* the server failed, and the request may be why */
};

/* `message`: the backend's words, "" when it has none: only they report some limits. */
struct hf_verdict hf_verdict_of_grpc(int code, const char *message);
struct hf_verdict hf_verdict_of_http(int code, const char *message);
