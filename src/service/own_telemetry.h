/*
 * own_telemetry: sends the process's own metrics, log lines and spans by OTLP, as
 * service::telemetry says, on a thread of its own.
 *
 * Own telemetry goes straight to its destination and never into a queue of the process, so that it
 * causes none of itself; what these sendings log is not sent either. Lines and spans wait in memory
 * within max_queue_size: what finds no room is dropped and counted. Metrics are read when
 * they are sent. Main thread, as all of these.
 */
#pragma once

#include "config/config.h"
#include "node/node.h"

struct hf_own_telemetry;

/* `config` and `instance` are borrowed until it is freed. `*ret` is NULL when there is nothing to
 * send. HF_INVALID and others with a sentence in `reterr` (HF_ERROR_MAX). */
HF_MUST_USE enum hf_status hf_own_telemetry_new(const struct hf_host *host,
                                                const struct hf_telemetry_config *config,
                                                const char *instance, struct hf_own_telemetry **ret,
                                                char *reterr);
/* Sends what is left, for a moment at most. NULL is nothing. */
void hf_own_telemetry_free(struct hf_own_telemetry *own);
