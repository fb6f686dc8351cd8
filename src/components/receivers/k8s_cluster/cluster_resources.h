/*
 * cluster_resources: the resource attributes of k8s_cluster, as a table.
 */
#pragma once

#include "support/scrape/metric_table.h"

#define CLUSTER_RESOURCES(X)                                                                       \
    X(R_CONTAINER_ID, "container.id", on, "Id of the container.")                                  \
    X(R_IMAGE_NAME, "container.image.name", on, "Name of its image.")                              \
    X(R_IMAGE_TAG, "container.image.tag", on, "Tag of its image.")                                 \
    X(R_RUNTIME, "container.runtime", off, "Container runtime of the node.")                       \
    X(R_RUNTIME_VERSION, "container.runtime.version", off, "Its version.")                         \
    X(R_CONTAINER_NAME, "k8s.container.name", on, "Name of the container.")                        \
    X(R_LAST_REASON, "k8s.container.status.last_terminated_reason", off,                           \
      "Why the container ended last.")                                                             \
    X(R_CRONJOB_NAME, "k8s.cronjob.name", on, "Name of the cron job.")                             \
    X(R_CRONJOB_UID, "k8s.cronjob.uid", on, "UID of the cron job.")                                \
    X(R_DAEMONSET_NAME, "k8s.daemonset.name", on, "Name of the daemon set.")                       \
    X(R_DAEMONSET_UID, "k8s.daemonset.uid", on, "UID of the daemon set.")                          \
    X(R_DEPLOYMENT_NAME, "k8s.deployment.name", on, "Name of the deployment.")                     \
    X(R_DEPLOYMENT_UID, "k8s.deployment.uid", on, "UID of the deployment.")                        \
    X(R_HPA_NAME, "k8s.hpa.name", on, "Name of the autoscaler.")                                   \
    X(R_HPA_TARGET_VERSION, "k8s.hpa.scaletargetref.apiversion", off,                              \
      "API version of what it scales.")                                                            \
    X(R_HPA_TARGET_KIND, "k8s.hpa.scaletargetref.kind", off, "Kind of what it scales.")            \
    X(R_HPA_TARGET_NAME, "k8s.hpa.scaletargetref.name", off, "Name of what it scales.")            \
    X(R_HPA_UID, "k8s.hpa.uid", on, "UID of the autoscaler.")                                      \
    X(R_JOB_NAME, "k8s.job.name", on, "Name of the job.")                                          \
    X(R_JOB_UID, "k8s.job.uid", on, "UID of the job.")                                             \
    X(R_KUBELET_VERSION, "k8s.kubelet.version", off, "Version of the node's kubelet.")             \
    X(R_NAMESPACE_NAME, "k8s.namespace.name", on, "Name of the namespace.")                        \
    X(R_NAMESPACE_UID, "k8s.namespace.uid", on, "UID of the namespace.")                           \
    X(R_NODE_NAME, "k8s.node.name", on, "Name of the node.")                                       \
    X(R_NODE_UID, "k8s.node.uid", on, "UID of the node.")                                          \
    X(R_PV_NAME, "k8s.persistentvolume.name", on, "Name of the volume.")                           \
    X(R_PV_RECLAIM, "k8s.persistentvolume.reclaim_policy", off,                                    \
      "What becomes of the volume after its claim.")                                               \
    X(R_PV_UID, "k8s.persistentvolume.uid", on, "UID of the volume.")                              \
    X(R_PVC_NAME, "k8s.persistentvolumeclaim.name", on, "Name of the claim.")                      \
    X(R_PVC_UID, "k8s.persistentvolumeclaim.uid", on, "UID of the claim.")                         \
    X(R_POD_NAME, "k8s.pod.name", on, "Name of the pod.")                                          \
    X(R_POD_QOS, "k8s.pod.qos_class", off, "Quality of service class of the pod.")                 \
    X(R_POD_UID, "k8s.pod.uid", on, "UID of the pod.")                                             \
    X(R_REPLICASET_NAME, "k8s.replicaset.name", on, "Name of the replica set.")                    \
    X(R_REPLICASET_UID, "k8s.replicaset.uid", on, "UID of the replica set.")                       \
    X(R_CONTROLLER_NAME, "k8s.replicationcontroller.name", on,                                     \
      "Name of the replication controller.")                                                       \
    X(R_CONTROLLER_UID, "k8s.replicationcontroller.uid", on, "UID of the replication controller.") \
    X(R_QUOTA_NAME, "k8s.resourcequota.name", on, "Name of the quota.")                            \
    X(R_QUOTA_UID, "k8s.resourcequota.uid", on, "UID of the quota.")                               \
    X(R_SERVICE_NAME, "k8s.service.name", on, "Name of the service.")                              \
    X(R_SERVICE_NOT_READY, "k8s.service.publish_not_ready_addresses", off,                         \
      "Are addresses published that are not ready?")                                               \
    X(R_SERVICE_TRAFFIC, "k8s.service.traffic_distribution", off, "How traffic is spread.")        \
    X(R_SERVICE_TYPE, "k8s.service.type", on, "Type of the service.")                              \
    X(R_SERVICE_UID, "k8s.service.uid", on, "UID of the service.")                                 \
    X(R_STORAGE_CLASS, "k8s.storageclass.name", on, "Storage class of the volume or claim.")       \
    X(R_STATEFULSET_NAME, "k8s.statefulset.name", on, "Name of the stateful set.")                 \
    X(R_STATEFULSET_UID, "k8s.statefulset.uid", on, "UID of the stateful set.")                    \
    X(R_CLUSTERQUOTA_NAME, "openshift.clusterquota.name", on, "Name of the cluster's quota.")      \
    X(R_CLUSTERQUOTA_UID, "openshift.clusterquota.uid", on, "UID of the cluster's quota.")         \
    X(R_OS_DESCRIPTION, "os.description", off, "Operating system of the node.")                    \
    X(R_OS_TYPE, "os.type", off, "Type of the node's operating system.")

enum { CLUSTER_RESOURCES(HF_RESOURCE_ID) CLUSTER_RESOURCE_COUNT };
