/*
 * grpc_admission: the check of credentials in `on_headers` of a gRPC server: at once, or by an
 * admission (ingress_auth.h) that is kept in the call's slot, and for which the call is held. The
 * loop's thread of the call.
 */
#pragma once

#include "grpc/server.h"
#include "ingress_auth.h"

/* What an authenticator looks at. */
struct hf_auth_request hf_grpc_admission_shown(struct hf_grpc_call *call);

/*
 * In on_headers: the call goes on, or is refused by `refuse`, now or when it is known. `server` is
 * what `refuse` gets, and outlives the call.
 */
void hf_grpc_admission_check(const struct hf_auth_ref *auth, const struct hf_ingress_wanted *wanted,
                             struct hf_grpc_call *call,
                             void (*refuse)(void *server, struct hf_grpc_call *call,
                                            enum hf_status status),
                             void *server);

/* The server's on_gone, where nothing else is kept in the call's slot. */
void hf_grpc_admission_gone(void *user, struct hf_grpc_call *call);
