/*
 * otlp_admission: the credentials of a request: decided at once, or by an admission that the
 * request waits for, suspended. Either transport; the fields say whose they are.
 */
#pragma once

#include <stdatomic.h>

#include <holdfast/ref.h>

#include "otlp_receiver.h"
#include "util/loop.h"

struct hf_grpc_call;
struct hf_http_request;

/* To a sender whose credentials could not be looked at in time. */
#define OTLP_BUSY_CHECKING "too many credentials are being checked, try again later"

/* A request that waits, suspended, for the check of its credentials. */
struct otlp_admission {
    struct hf_auth_wait wait;
    struct hf_ref ref;     /* the request's and, until it is decided, the check's */
    enum hf_status status; /* once decided */
    atomic_bool gone;      /* its request is no more */
    void (*decided)(struct otlp_admission *admission); /* any thread; drops the check's reference */
    bool (*is_alive)(struct otlp_admission *admission); /* any thread; NULL: `gone` tells all */
    struct hf_grpc_call *call; /* gRPC: its loop's thread; NULL when it is no more */
    struct hf_task task;
    struct hf_loop *loop;
    void *server; /* struct otlp_grpc, while there is the call */
    struct hf_http_request *request;
    struct hf_meta_writer meta[]; /* one, when the client's attributes are wanted */
};

/* With both references; NULL: out of memory. */
struct otlp_admission *otlp_admission_new(const struct otlp_wanted *wanted,
                                          void (*decided)(struct otlp_admission *admission));

/* Decides on a request at once: true. False: it takes time, and an admission. */
HF_MUST_USE bool otlp_check_auth(const struct otlp_auth *auth,
                                 const struct hf_auth_request *request, enum hf_status *ret_status);

/* Adds the attributes of the authenticated client that are wanted: those of its admission, or by
 * one more check. HF_UNAUTHENTICATED when its credentials have just been withdrawn, HF_AGAIN when
 * they have changed. */
HF_MUST_USE enum hf_status otlp_add_auth(const struct otlp_auth *auth,
                                         const struct otlp_wanted *wanted,
                                         const struct hf_auth_request *request,
                                         const struct otlp_admission *admission,
                                         struct hf_meta_writer *meta);
