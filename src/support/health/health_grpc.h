/*
 * health_grpc: gRPC's health service of the second version: Check, and Watch, which sends the
 * present state and then each change of it. The service is "" for the whole process,
 * "extensions", or the id of a pipeline. The main thread opens, starts, stops and closes it.
 */
#pragma once

#include "health.h"

struct hf_health_grpc;

/* Listens. `rule` and `config` are borrowed until close. On failure `reterr` (HF_ERROR_MAX) is a
 * sentence, as of start. Main thread, as all of these. */
HF_MUST_USE enum hf_status hf_health_grpc_open(struct hf_node *node,
                                               const struct hf_health_grpc_config *config,
                                               const struct hf_health_rule *rule,
                                               struct hf_health_grpc **ret_grpc, char *reterr);
/* Finds the authenticator, and serves. All extensions are open by now. */
HF_MUST_USE enum hf_status hf_health_grpc_start(struct hf_health_grpc *grpc, char *reterr);
/* NULL is nothing, here and below. */
void hf_health_grpc_stop(struct hf_health_grpc *grpc);
void hf_health_grpc_close(struct hf_health_grpc *grpc);
