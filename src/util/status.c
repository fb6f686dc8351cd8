#include <holdfast/status.h>

#include <assert.h>
#include <stddef.h>

/* gRPC codes: google.rpc.Code. HTTP codes: OTLP specification, "OTLP/HTTP Response". */
static const struct hf_status_row rows[HF_STATUS_COUNT] = {
    [HF_OK] = {"ok", 0, 200, false, "ok"},
    [HF_AGAIN] = {"again", 14, 503, true, "temporary failure, try again later"},
    [HF_FULL] = {"full", 14, 503, true, "the queue or its disk is full, try again later"},
    [HF_BUSY] = {"busy", 14, 429, true, "data refused due to high memory usage"},
    [HF_LIMITED] = {"limited", 8, 429, true, "over the rate limit, try again later"},
    [HF_CLOSED] = {"closed", 14, 503, true, "shutting down, try another instance"},
    [HF_INVALID] = {"invalid", 3, 400, false, "the request is malformed"},
    [HF_TOO_LARGE] = {"too large", 8, 413, false, "the request is over the size limit"},
    [HF_UNSUPPORTED] = {"unsupported", 12, 415, false, "not supported here"},
    [HF_UNAUTHENTICATED] = {"unauthenticated", 16, 401, false, "missing or wrong credentials"},
    [HF_FORBIDDEN] = {"forbidden", 7, 403, false, "permission denied"},
    [HF_NOT_FOUND] = {"not found", 5, 404, false, "not found"},
    [HF_EXISTS] = {"exists", 6, 409, false, "already there"},
    [HF_DEADLINE] = {"deadline", 4, 504, true, "deadline exceeded"},
    [HF_NOMEM] = {"out of memory", 14, 503, true, "out of memory, try again later"},
    [HF_IO] = {"input/output error", 14, 503, true, "the disk failed, try again later"},
    [HF_CORRUPT] = {"corrupt", 15, 500, false, "stored data is damaged"},
};

const struct hf_status_row *hf_status_row(enum hf_status status)
{
    assert((unsigned)status < HF_STATUS_COUNT);
    return &rows[status];
}
