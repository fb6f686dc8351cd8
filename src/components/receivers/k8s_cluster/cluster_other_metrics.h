/*
 * cluster_other_metrics: the metrics of k8s_cluster that are neither of pods nor of workloads.
 */
#pragma once

#include "support/scrape/metric_table.h"

#define CLUSTER_OTHER(X)                                                                           \
    X(HPA_MAX, "k8s.hpa.max_replicas", "{pod}", GAUGE, on, "Most replicas of the autoscaler.")     \
    X(HPA_MIN, "k8s.hpa.min_replicas", "{pod}", GAUGE, on, "Fewest replicas of the autoscaler.")   \
    X(HPA_CURRENT, "k8s.hpa.current_replicas", "{pod}", GAUGE, on,                                 \
      "Replicas that the autoscaler sees.")                                                        \
    X(HPA_DESIRED, "k8s.hpa.desired_replicas", "{pod}", GAUGE, on,                                 \
      "Replicas that the autoscaler wants.")                                                       \
    X(NAMESPACE_PHASE, "k8s.namespace.phase", "", GAUGE, on,                                       \
      "Phase of the namespace: 1 Active, 0 Terminating, -1 not known.")                            \
    X(QUOTA_HARD, "k8s.resource_quota.hard_limit", "{resource}", GAUGE, on,                        \
      "Limit of a resource in the namespace; of CPU in thousandths.")                              \
    X(QUOTA_USED, "k8s.resource_quota.used", "{resource}", GAUGE, on,                              \
      "Use of a resource in the namespace; of CPU in thousandths.")                                \
    X(CLUSTERQUOTA_LIMIT, "openshift.clusterquota.limit", "{resource}", GAUGE, on,                 \
      "Limit of a resource in the quota's namespaces.")                                            \
    X(CLUSTERQUOTA_USED, "openshift.clusterquota.used", "{resource}", GAUGE, on,                   \
      "Use of a resource in the quota's namespaces.")                                              \
    X(APPLIEDQUOTA_LIMIT, "openshift.appliedclusterquota.limit", "{resource}", GAUGE, on,          \
      "Limit of a resource in one namespace of the quota.")                                        \
    X(APPLIEDQUOTA_USED, "openshift.appliedclusterquota.used", "{resource}", GAUGE, on,            \
      "Use of a resource in one namespace of the quota.")                                          \
    X(NODE_CONDITION, "k8s.node.condition", "{condition}", GAUGE, off,                             \
      "State of a condition of the node: 1 true, 0 false, -1 not known.")                          \
    X(PV_PHASE, "k8s.persistentvolume.status.phase", "{persistentvolume}", UPDOWN, off,            \
      "1 for the phase that the volume is in, 0 for the others.")                                  \
    X(PV_CAPACITY, "k8s.persistentvolume.storage.capacity", "By", UPDOWN, off,                     \
      "Size of the volume.")                                                                       \
    X(PVC_PHASE, "k8s.persistentvolumeclaim.status.phase", "{persistentvolumeclaim}", UPDOWN, off, \
      "1 for the phase that the claim is in, 0 for the others.")                                   \
    X(PVC_CAPACITY, "k8s.persistentvolumeclaim.storage.capacity", "By", UPDOWN, off,               \
      "Size of the claim's volume.")                                                               \
    X(PVC_REQUEST, "k8s.persistentvolumeclaim.storage.request", "By", UPDOWN, off,                 \
      "Size that the claim asks for.")                                                             \
    X(SERVICE_ENDPOINTS, "k8s.service.endpoint.count", "{endpoint}", GAUGE, off,                   \
      "Endpoints of the service, by condition, address type and zone.")                            \
    X(SERVICE_INGRESS, "k8s.service.load_balancer.ingress.count", "{ingress}", GAUGE, off,         \
      "Addresses of the service's load balancer.")
