/*
 * library: libpq, PostgreSQL's client library, loaded when the first component that asks such a
 * server is opened. See docs/decisions/libpq.md.
 *
 * The functions are members under their names without "PQ". Immutable once loaded; any thread.
 */
#pragma once

#include <libpq-fe.h>

/* Every function that is used. */
#define HF_PG_FUNCTIONS(X)                                                                         \
    X(clear)                                                                                       \
    X(connectPoll)                                                                                 \
    X(connectStartParams)                                                                          \
    X(consumeInput)                                                                                \
    X(errorMessage)                                                                                \
    X(finish)                                                                                      \
    X(flush)                                                                                       \
    X(getResult)                                                                                   \
    X(getisnull)                                                                                   \
    X(getlength)                                                                                   \
    X(getvalue)                                                                                    \
    X(isBusy)                                                                                      \
    X(nfields)                                                                                     \
    X(ntuples)                                                                                     \
    X(resultErrorMessage)                                                                          \
    X(resultStatus)                                                                                \
    X(sendQueryParams)                                                                             \
    X(serverVersion)                                                                               \
    X(setNoticeProcessor)                                                                          \
    X(setSingleRowMode)                                                                            \
    X(setnonblocking)                                                                              \
    X(socket)                                                                                      \
    X(status)

struct hf_pg_library {
#define HF_PG_MEMBER(name) __typeof__(PQ##name) *name;
    HF_PG_FUNCTIONS(HF_PG_MEMBER)
#undef HF_PG_MEMBER
};

/* NULL: it cannot be loaded; `reterr` (HF_ERROR_MAX) says what to do. It is never unloaded. Main
 * thread. */
const struct hf_pg_library *hf_pg_library(char *reterr);
