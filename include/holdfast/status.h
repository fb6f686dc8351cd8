/*
 * status: what became of a piece of work, named by what the caller must do about it.
 *
 * One table maps each status to its gRPC code, HTTP code and retryability; no other code does.
 * Immutable; any thread.
 */
#pragma once

#include <stdbool.h>

enum hf_status {
    HF_OK = 0,
    HF_AGAIN,           /* a passing fault: try the same again later */
    HF_FULL,            /* no room in the queue or on the disk: push back on the sender */
    HF_BUSY,            /* the memory limit is reached: push back on the sender */
    HF_LIMITED,         /* the sender's rate limit is reached: push back on it */
    HF_CLOSED,          /* shutting down: push back, another instance may take it */
    HF_INVALID,         /* the data is bad: drop it, count it, tell the sender */
    HF_TOO_LARGE,       /* over a size limit: smaller pieces may pass */
    HF_UNSUPPORTED,     /* unknown method, coding or type */
    HF_UNAUTHENTICATED, /* no or wrong credentials */
    HF_FORBIDDEN,       /* credentials that do not suffice */
    HF_NOT_FOUND,       /* no such thing */
    HF_EXISTS,          /* already there */
    HF_DEADLINE,        /* deadline exceeded */
    HF_NOMEM,           /* out of memory, or over a limit on it */
    HF_IO,              /* the operating system refused: errno tells */
    HF_CORRUPT,         /* stored bytes that fail their check */
    HF_STATUS_COUNT
};

#define HF_MUST_USE __attribute__((warn_unused_result))

struct hf_status_row {
    const char *name; /* "full" */
    int grpc_code;    /* google.rpc.Code */
    int http_code;    /* what an OTLP/HTTP receiver answers */
    bool retryable;   /* may the sender try the same bytes again? */
    const char *says; /* one sentence for the answer, when the caller has no better one */
};

/* Returns the row of `status`, which must be below HF_STATUS_COUNT. Never NULL. */
const struct hf_status_row *hf_status_row(enum hf_status status);
