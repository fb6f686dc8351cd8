/*
 * cluster_metrics: the metrics of k8s_cluster, as a table. The metrics of a
 * node's conditions and allocatable resources have names from the configuration: their ids follow
 * those of the table.
 */
#pragma once

#include "support/scrape/metric_table.h"

#define CLUSTER_POD(X)                                                                             \
    X(POD_PHASE, "k8s.pod.phase", "", GAUGE, on,                                                   \
      "Phase of the pod: 1 Pending, 2 Running, 3 Succeeded, 4 Failed, 5 Unknown.")                 \
    X(POD_STATUS_REASON, "k8s.pod.status_reason", "", GAUGE, off,                                  \
      "Why the pod is in its state: 1 Evicted, 2 NodeAffinity, 3 NodeLost, 4 Shutdown, 5 "         \
      "UnexpectedAdmissionError, 6 another reason or none.")

#define CLUSTER_CONTAINER(X)                                                                       \
    X(CONTAINER_CPU_REQUEST, "k8s.container.cpu_request", "{cpu}", GAUGE, on,                      \
      "CPUs that the container requests.")                                                         \
    X(CONTAINER_CPU_LIMIT, "k8s.container.cpu_limit", "{cpu}", GAUGE, on,                          \
      "CPUs that the container may use.")                                                          \
    X(CONTAINER_MEMORY_REQUEST, "k8s.container.memory_request", "By", GAUGE, on,                   \
      "Memory that the container requests.")                                                       \
    X(CONTAINER_MEMORY_LIMIT, "k8s.container.memory_limit", "By", GAUGE, on,                       \
      "Memory that the container may use.")                                                        \
    X(CONTAINER_STORAGE_REQUEST, "k8s.container.storage_request", "By", GAUGE, on,                 \
      "Storage that the container requests.")                                                      \
    X(CONTAINER_STORAGE_LIMIT, "k8s.container.storage_limit", "By", GAUGE, on,                     \
      "Storage that the container may use.")                                                       \
    X(CONTAINER_EPHEMERAL_REQUEST, "k8s.container.ephemeralstorage_request", "By", GAUGE, on,      \
      "Ephemeral storage that the container requests.")                                            \
    X(CONTAINER_EPHEMERAL_LIMIT, "k8s.container.ephemeralstorage_limit", "By", GAUGE, on,          \
      "Ephemeral storage that the container may use.")                                             \
    X(CONTAINER_RESTARTS, "k8s.container.restarts", "{restart}", GAUGE, on,                        \
      "Restarts of the container that the kubelet remembers.")                                     \
    X(CONTAINER_READY, "k8s.container.ready", "", GAUGE, on,                                       \
      "1 when the container has passed its readiness probe, else 0.")                              \
    X(CONTAINER_STATE, "k8s.container.status.state", "{container}", UPDOWN, off,                   \
      "1 for the state that the container is in, 0 for the others.")                               \
    X(CONTAINER_REASON, "k8s.container.status.reason", "{container}", UPDOWN, off,                 \
      "1 for the reason of the container's state, 0 for the others.")

#define CLUSTER_WORKLOAD(X)                                                                        \
    X(DEPLOYMENT_DESIRED, "k8s.deployment.desired", "{pod}", GAUGE, on,                            \
      "Pods that the deployment wants.")                                                           \
    X(DEPLOYMENT_AVAILABLE, "k8s.deployment.available", "{pod}", GAUGE, on,                        \
      "Pods of the deployment that are available.")                                                \
    X(CRONJOB_ACTIVE, "k8s.cronjob.active_jobs", "{job}", GAUGE, on,                               \
      "Jobs of the cron job that run.")                                                            \
    X(DAEMONSET_CURRENT, "k8s.daemonset.current_scheduled_nodes", "{node}", GAUGE, on,             \
      "Nodes that run the daemon pod and should.")                                                 \
    X(DAEMONSET_DESIRED, "k8s.daemonset.desired_scheduled_nodes", "{node}", GAUGE, on,             \
      "Nodes that should run the daemon pod.")                                                     \
    X(DAEMONSET_MISSCHEDULED, "k8s.daemonset.misscheduled_nodes", "{node}", GAUGE, on,             \
      "Nodes that run the daemon pod and should not.")                                             \
    X(DAEMONSET_READY, "k8s.daemonset.ready_nodes", "{node}", GAUGE, on,                           \
      "Nodes on which the daemon pod is ready.")                                                   \
    X(JOB_ACTIVE, "k8s.job.active_pods", "{pod}", GAUGE, on, "Pods of the job that run.")          \
    X(JOB_DESIRED, "k8s.job.desired_successful_pods", "{pod}", GAUGE, on,                          \
      "Pods that are to succeed.")                                                                 \
    X(JOB_FAILED, "k8s.job.failed_pods", "{pod}", GAUGE, on, "Pods of the job that failed.")       \
    X(JOB_PARALLEL, "k8s.job.max_parallel_pods", "{pod}", GAUGE, on,                               \
      "Pods that may run at a time.")                                                              \
    X(JOB_SUCCESSFUL, "k8s.job.successful_pods", "{pod}", GAUGE, on,                               \
      "Pods of the job that succeeded.")                                                           \
    X(REPLICASET_DESIRED, "k8s.replicaset.desired", "{pod}", GAUGE, on,                            \
      "Pods that the replica set wants.")                                                          \
    X(REPLICASET_AVAILABLE, "k8s.replicaset.available", "{pod}", GAUGE, on,                        \
      "Pods of the replica set that are available.")                                               \
    X(CONTROLLER_DESIRED, "k8s.replication_controller.desired", "{pod}", GAUGE, on,                \
      "Pods that the replication controller wants.")                                               \
    X(CONTROLLER_AVAILABLE, "k8s.replication_controller.available", "{pod}", GAUGE, on,            \
      "Pods of the replication controller that are available.")                                    \
    X(STATEFULSET_DESIRED, "k8s.statefulset.desired_pods", "{pod}", GAUGE, on,                     \
      "Pods that the stateful set wants.")                                                         \
    X(STATEFULSET_READY, "k8s.statefulset.ready_pods", "{pod}", GAUGE, on,                         \
      "Pods of the stateful set that are ready.")                                                  \
    X(STATEFULSET_CURRENT, "k8s.statefulset.current_pods", "{pod}", GAUGE, on,                     \
      "Pods of the stateful set's current revision.")                                              \
    X(STATEFULSET_AVAILABLE, "k8s.statefulset.pod.available", "{pod}", UPDOWN, off,                \
      "Pods of the stateful set that are available.")                                              \
    X(STATEFULSET_UPDATED, "k8s.statefulset.updated_pods", "{pod}", GAUGE, on,                     \
      "Pods of the stateful set's new revision.")

#include "cluster_other_metrics.h"

#define CLUSTER_METRICS(X) CLUSTER_POD(X) CLUSTER_CONTAINER(X) CLUSTER_WORKLOAD(X) CLUSTER_OTHER(X)

enum { CLUSTER_METRICS(HF_METRIC_ID) CLUSTER_METRIC_COUNT };
