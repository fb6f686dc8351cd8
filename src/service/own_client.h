/*
 * own_client: sends own telemetry to one place, by OTLP: gRPC or HTTP with protobuf. One request at
 * a time; no retries of its own. Owned by the thread of its loop.
 */
#pragma once

#include <holdfast/batch.h>

#include "config/config.h"

struct hf_loop;
struct hf_own_client;

/* `push` is borrowed. HF_INVALID and others with a sentence in `reterr` (HF_ERROR_MAX). Before the
 * loop runs, or on its thread. */
HF_MUST_USE enum hf_status hf_own_client_new(const struct hf_push_config *push,
                                             struct hf_loop *loop,
                                             struct hf_own_client **ret_client, char *reterr);
/* Ends what is under way. The loop's thread, or when it no longer runs. NULL is nothing. */
void hf_own_client_free(struct hf_own_client *client);

bool hf_own_client_is_busy(const struct hf_own_client *client);

/* `batch` is borrowed until `done`, which is called once, later, on the loop's thread. `again`: the
 * same may be tried later; `why` is for the log, borrowed, and NULL after a success. Not while it
 * is busy. */
typedef void hf_own_sent(void *user, bool again, const char *why);
void hf_own_client_send(struct hf_own_client *client, const struct hf_batch *batch,
                        uint64_t timeout_ns, hf_own_sent *done, void *user);
