/*
 * ingress_auth: the credentials of a request, decided at once or by an admission that the request
 * waits for, suspended; and the client's metadata that travel with its batch. Either transport.
 */
#pragma once

#include <stdatomic.h>

#include <holdfast/auth.h>
#include <holdfast/meta.h>
#include <holdfast/ref.h>

#include "support/settings/configauth.h"
#include "util/loop.h"

struct hf_grpc_call;
struct hf_http_request;

/* The attributes of clients that components downstream read. */
struct hf_ingress_wanted {
    const struct hf_node *node;
    const char *const *keys; /* headers, and "auth.NAME" for what the authenticator tells */
    size_t key_count;
    bool headers, peer, auth; /* is there any of that kind? */
};

/* Logs it when headers are wanted that the listener does not keep; `key` is the path of its section
 * in the configuration, with "::" behind it unless it is "". */
void hf_ingress_find_wanted(const struct hf_node *node, const char *key, bool include_metadata,
                            struct hf_ingress_wanted *ret_wanted);
bool hf_ingress_wants_header(const struct hf_ingress_wanted *wanted, struct hf_slice name);

/* A request that waits, suspended, for the check of its credentials. */
struct hf_admission {
    struct hf_auth_wait wait;
    struct hf_ref ref;     /* the request's and, until it is decided, the check's */
    enum hf_status status; /* once decided */
    atomic_bool gone;      /* its request is no more */
    void (*decided)(struct hf_admission *admission);  /* any thread; drops the check's reference */
    bool (*is_alive)(struct hf_admission *admission); /* any thread; NULL: `gone` tells all */
    struct hf_grpc_call *call; /* gRPC: its loop's thread; NULL when it is no more */
    struct hf_task task;
    struct hf_loop *loop;
    void *server; /* of the call, while there is one: for `refuse` */
    void (*refuse)(void *server, struct hf_grpc_call *call, enum hf_status status);
    struct hf_http_request *request;
    struct hf_meta_writer meta[]; /* one, when the client's attributes are wanted */
};

/* With both references; NULL: out of memory. */
struct hf_admission *hf_admission_new(const struct hf_ingress_wanted *wanted,
                                      void (*decided)(struct hf_admission *admission));

/* True: decided at once, and `ret_status` is HF_OK or HF_UNAUTHENTICATED. False: it takes time, and
 * an admission. */
HF_MUST_USE bool hf_ingress_check_auth(const struct hf_auth_ref *auth,
                                       const struct hf_auth_request *request,
                                       enum hf_status *ret_status);

/*
 * Begins the metadata of a batch: the peer, and the attributes of the authenticated client that are
 * wanted: those of its admission, or by one more check. HF_UNAUTHENTICATED when its credentials
 * have just been withdrawn, HF_AGAIN when they have changed. What does not fit is left out.
 */
HF_MUST_USE enum hf_status hf_ingress_begin_meta(const struct hf_auth_ref *auth,
                                                 const struct hf_ingress_wanted *wanted,
                                                 const struct hf_auth_request *request,
                                                 const struct hf_admission *admission,
                                                 struct hf_meta_writer *meta);

#define HF_INGRESS_REFUSAL_MAX 256

/*
 * Keeps a header or metadata value if it is wanted. HF_INVALID, with a sentence in `reterr`
 * (HF_INGRESS_REFUSAL_MAX), when it is to become a header of an outgoing request and cannot: the
 * request is refused, since it could never be sent.
 */
HF_MUST_USE enum hf_status hf_ingress_keep_header(const struct hf_ingress_wanted *wanted,
                                                  struct hf_slice name, struct hf_slice value,
                                                  struct hf_meta_writer *meta, char *reterr);
