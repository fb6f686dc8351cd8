#include "verdict.h"

#include <stddef.h>
#include <string.h>

struct row {
    int code;
    struct hf_verdict verdict;
};

static const struct row grpc_rows[] = {
    {0, {HF_OK, false}},
    {1, {HF_AGAIN, false}},            /* CANCELLED */
    {2, {HF_AGAIN, true}},             /* UNKNOWN: what a handler's own error becomes */
    {4, {HF_DEADLINE, false}},         /* DEADLINE_EXCEEDED */
    {7, {HF_FORBIDDEN, false}},        /* PERMISSION_DENIED */
    {8, {HF_BUSY, false}},             /* RESOURCE_EXHAUSTED */
    {10, {HF_AGAIN, false}},           /* ABORTED */
    {11, {HF_AGAIN, false}},           /* OUT_OF_RANGE */
    {12, {HF_UNSUPPORTED, false}},     /* UNIMPLEMENTED */
    {13, {HF_AGAIN, true}},            /* INTERNAL */
    {14, {HF_AGAIN, false}},           /* UNAVAILABLE */
    {15, {HF_AGAIN, false}},           /* DATA_LOSS */
    {16, {HF_UNAUTHENTICATED, false}}, /* UNAUTHENTICATED */
};

/* Of 3xx and 5xx only those that differ from the others of their class. */
static const struct row http_rows[] = {
    {401, {HF_UNAUTHENTICATED, false}},
    {402, {HF_FORBIDDEN, false}}, /* the account's state */
    {403, {HF_FORBIDDEN, false}},
    {404, {HF_NOT_FOUND, false}}, /* an ingress during a rollout */
    {405, {HF_UNSUPPORTED, false}},
    {407, {HF_UNAUTHENTICATED, false}}, /* a proxy's word, which says nothing of the data */
    {408, {HF_AGAIN, false}},
    {410, {HF_NOT_FOUND, false}},
    {413, {HF_TOO_LARGE, false}},
    {421, {HF_NOT_FOUND, false}},   /* a host that does not serve this name */
    {425, {HF_AGAIN, false}},       /* too early: the connection's state */
    {426, {HF_UNSUPPORTED, false}}, /* another protocol is wanted */
    {429, {HF_BUSY, false}},
    {499, {HF_AGAIN, false}}, /* a proxy's: this side went first */
    {500, {HF_AGAIN, true}},
    {501, {HF_UNSUPPORTED, false}},
    {505, {HF_UNSUPPORTED, false}},
    {511, {HF_UNAUTHENTICATED, false}}, /* a network that wants a log-in */
};

static const struct hf_verdict *find(const struct row *rows, size_t count, int code)
{
    for (size_t i = 0; i < count; i++) {
        if (rows[i].code == code) {
            return &rows[i].verdict;
        }
    }
    return NULL;
}

struct hf_verdict hf_verdict_of_grpc(int code, const char *message)
{
    const struct hf_verdict *known =
        find(grpc_rows, sizeof(grpc_rows) / sizeof(grpc_rows[0]), code);
    if (code == 8 && strstr(message, "larger than max") != NULL) {
        return (struct hf_verdict){HF_TOO_LARGE,
                                   false}; /* only the text distinguishes it from a busy server */
    }
    if (known != NULL) {
        return *known;
    }
    /* A code that gRPC does not have is read as UNKNOWN, as its libraries do. */
    return code > 16 || code < 0 ? (struct hf_verdict){HF_AGAIN, true}
                                 : (struct hf_verdict){HF_INVALID, false};
}

struct hf_verdict hf_verdict_of_http(int code, const char *message)
{
    const struct hf_verdict *known =
        find(http_rows, sizeof(http_rows) / sizeof(http_rows[0]), code);
    if (known != NULL) {
        return *known;
    }
    if (code >= 200 && code < 300) {
        return (struct hf_verdict){HF_OK, false};
    }
    if (code == 400 && strstr(message, "body too large") != NULL) {
        return (struct hf_verdict){HF_TOO_LARGE, false}; /* the Go collector's server says so */
    }
    /* A redirect is a wrong endpoint, which an operator corrects; every 5xx is the server's state.
     */
    return code >= 400 && code < 500 ? (struct hf_verdict){HF_INVALID, false}
                                     : (struct hf_verdict){HF_AGAIN, false};
}
