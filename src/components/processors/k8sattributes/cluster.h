/*
 * cluster: the objects that the processor needs, watched and kept in a table. Opened, started,
 * stopped and closed on the main thread; the table is filled on the Kubernetes client's.
 */
#pragma once

#include <holdfast/node.h>
#include <holdfast/status.h>

#include "extract.h"
#include "support/probe/probe_kubernetes.h"
#include "table.h"

struct k8s_cluster;

/*
 * The cluster of that configuration: the processor of every pipeline shares one. `node` and
 * `config` are borrowed until it is freed. On failure `reterr` (HF_ERROR_MAX) is a sentence.
 */
HF_MUST_USE enum hf_status k8s_cluster_open(const struct hf_node *node,
                                            const struct k8s_config *config,
                                            struct k8s_cluster **ret_cluster, char *reterr);
/* The first start starts the watches, the last stop ends them, the last close frees. */
HF_MUST_USE enum hf_status k8s_cluster_start(struct k8s_cluster *cluster, char *reterr);
void k8s_cluster_stop(struct k8s_cluster *cluster);
void k8s_cluster_close(struct k8s_cluster *cluster);

/* Any thread. The record's reference is the caller's; NULL: none. A key that is not known may wait
 * a moment for its pod (patience.h). */
struct k8s_record *k8s_cluster_find(struct k8s_cluster *cluster, struct hf_slice key);
/* By uid, or by name of namespaces and nodes. */
struct k8s_record *k8s_cluster_look_up(struct k8s_cluster *cluster, char key_kind,
                                       enum k8s_kind kind, struct hf_slice text);

/* The rights that it takes to watch what these rules need. Returns how many there are. */
size_t k8s_cluster_rights(const struct k8s_rules *rules, const struct k8s_config *config,
                          struct hf_probe_right ret_rights[K8S_KIND_COUNT]);
