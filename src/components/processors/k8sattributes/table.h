/*
 * table: the objects of the cluster by the keys under which telemetry looks for them.
 *
 * Found by any thread, under a read lock that is held for one look-up; changed by one thread, which
 * makes everything outside of the lock. An object that is gone stays for a while: telemetry of it
 * is still on its way.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "record.h"

#define K8S_KEY_MAX 1024u /* a longer one is no key */

struct k8s_table;

HF_MUST_USE enum hf_status k8s_table_new(struct k8s_table **ret_table);
void k8s_table_free(struct k8s_table *table);

/* The record under `key`, with a reference for the caller; NULL: none. Of several the one that is
 * not gone, then that of the highest rank. Any thread. */
struct k8s_record *k8s_table_find(struct k8s_table *table, struct hf_slice key);

/* ---- the changing thread ---- */

/* Puts the object with that identity under those keys, in place of what it was before. Takes over
 * the reference. HF_NOMEM: it is as before. */
HF_MUST_USE enum hf_status k8s_table_put(struct k8s_table *table, struct hf_slice identity,
                                         struct k8s_record *record, const struct hf_slice *keys,
                                         size_t key_count);
/* It is gone at `now_ns`, and forgotten by the sweep that is `grace_ns` later. 0: at once. */
void k8s_table_remove(struct k8s_table *table, struct hf_slice identity, uint64_t now_ns,
                      uint64_t grace_ns);
void k8s_table_sweep(struct k8s_table *table, uint64_t now_ns);
/* Keys in it. */
size_t k8s_table_size(const struct k8s_table *table);
