/*
 * patience: how long telemetry waits for a pod that the cluster has not shown yet. A pod sends
 * before its watch says that it is there, and a process takes telemetry before the first list has
 * come: a sender whose pod is unknown waits a moment, and then goes on without its attributes.
 *
 * A wait holds a receiving thread, so there are few: each sender waits once in
 * K8S_PATIENCE_AGAIN_NS, and all together at most a fifth of the time. Any thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <holdfast/status.h>

#define K8S_PATIENCE_NS (UINT64_C(100) * 1000 * 1000)
#define K8S_PATIENCE_AGAIN_NS (UINT64_C(10) * 1000 * 1000 * 1000)
/* Waiting time that is gained in a second, and that is saved at most. */
#define K8S_PATIENCE_PER_SECOND_NS (UINT64_C(200) * 1000 * 1000)
#define K8S_PATIENCE_SAVED_NS (UINT64_C(400) * 1000 * 1000)

struct k8s_patience;

HF_MUST_USE enum hf_status k8s_patience_new(struct k8s_patience **ret_patience);
void k8s_patience_free(struct k8s_patience *patience);

/* May the sender with that hash wait now? Then its next wait is K8S_PATIENCE_AGAIN_NS later, and
 * the time is spent. */
HF_MUST_USE bool k8s_patience_grant(struct k8s_patience *patience, uint64_t sender,
                                    uint64_t now_ns);

/* Something has changed: all that wait look again. */
void k8s_patience_wake(struct k8s_patience *patience);
/* Waits until `is_there` says so, which is asked after every change, or K8S_PATIENCE_NS have
 * passed. What it said last. */
bool k8s_patience_wait(struct k8s_patience *patience, bool (*is_there)(void *user), void *user);
