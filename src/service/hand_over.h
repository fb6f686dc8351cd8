/*
 * hand_over: `holdfast drain --to ENDPOINT`: the exporters of a running process give their backlog
 * to a peer over OTLP/gRPC in place of their backends. Each keeps its place in its queues: the
 * configuration is loaded again with all exporters replaced by one to the peer, and takes over as
 * at any reload. A meeting place of the control thread, which asks, and the main thread, which
 * loads.
 */
#pragma once

#include <stdbool.h>

#include "config/config.h"

struct hf_hand_over;

/* HF_NOMEM. */
HF_MUST_USE enum hf_status hf_hand_over_new(struct hf_hand_over **ret_hand_over);
void hf_hand_over_free(struct hf_hand_over *hand_over);

/* NULL, or what is wrong with the endpoint: http://host:port or https://host:port is expected. */
const char *hf_hand_over_check(const char *endpoint);

/*
 * Any thread: from the next reload on, which it causes when something changes. `endpoint` NULL: to
 * the backends again. False, with `reterr` (HF_ERROR_MAX): the reload for that endpoint has failed,
 * or memory ran out.
 */
HF_MUST_USE bool hf_hand_over_ask(struct hf_hand_over *hand_over, const char *endpoint,
                                  char *reterr);

/* Main thread, at a load: replaces the exporters when that was asked for. HF_INVALID with `reterr`
 * (HF_ERROR_MAX). `components` is the registry. */
HF_MUST_USE enum hf_status hf_hand_over_apply(struct hf_hand_over *hand_over,
                                              const struct hf_component *const *components,
                                              struct hf_config *config, char *reterr);
/* Main thread: the reload with what was applied has failed; those who ask are told. */
void hf_hand_over_fail(struct hf_hand_over *hand_over, const char *why);
