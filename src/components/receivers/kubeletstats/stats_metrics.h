/*
 * stats_metrics: the metrics and resource attributes of kubeletstats, as tables.
 */
#pragma once

#include "support/scrape/metric_table.h"

/* What node, pod and container have in common. */
#define KUBELET_CPU(X, P, p, what)                                                                 \
    X(P##_CPU_TIME, p ".cpu.time", "s", COUNTER, on, "CPU time of the " what " since its start.")  \
    X(P##_CPU_USAGE, p ".cpu.usage", "{cpu}", GAUGE, on,                                           \
      "CPU use of the " what ", in cores, over the kubelet's own window.")
#define KUBELET_FILESYSTEM(X, P, p, what)                                                          \
    X(P##_FS_AVAILABLE, p ".filesystem.available", "By", GAUGE, on,                                \
      "Bytes that are free in the file system of the " what ".")                                   \
    X(P##_FS_CAPACITY, p ".filesystem.capacity", "By", GAUGE, on,                                  \
      "Size of the file system of the " what ".")                                                  \
    X(P##_FS_USAGE, p ".filesystem.usage", "By", GAUGE, on,                                        \
      "Bytes that the " what " uses of its file system.")
#define KUBELET_MEMORY(X, P, p, what)                                                              \
    X(P##_MEMORY_AVAILABLE, p ".memory.available", "By", GAUGE, on,                                \
      "Memory that is left to the " what ".")                                                      \
    X(P##_MEMORY_USAGE, p ".memory.usage", "By", GAUGE, on, "Memory that the " what " uses.")      \
    X(P##_MEMORY_RSS, p ".memory.rss", "By", GAUGE, on, "Resident memory of the " what ".")        \
    X(P##_MEMORY_WORKING_SET, p ".memory.working_set", "By", GAUGE, on,                            \
      "Memory that the " what " has touched lately.")                                              \
    X(P##_MEMORY_PAGE_FAULTS, p ".memory.page_faults", "1", GAUGE, on,                             \
      "Page faults of the " what ".")                                                              \
    X(P##_MEMORY_MAJOR_PAGE_FAULTS, p ".memory.major_page_faults", "1", GAUGE, on,                 \
      "Page faults of the " what " that read from disk.")
#define KUBELET_NETWORK(X, P, p, what)                                                             \
    X(P##_NETWORK_IO, p ".network.io", "By", COUNTER, on, "Bytes on the network of the " what ".") \
    X(P##_NETWORK_ERRORS, p ".network.errors", "1", COUNTER, on,                                   \
      "Errors on the network of the " what ".")
#define KUBELET_UTILIZATION(X, P, p, what)                                                         \
    X(P##_CPU_NODE_UTILIZATION, p ".cpu.node.utilization", "1", GAUGE, off,                        \
      "CPU use of the " what " as a share of the node's capacity.")                                \
    X(P##_CPU_LIMIT_UTILIZATION, p ".cpu_limit_utilization", "1", GAUGE, off,                      \
      "CPU use of the " what " as a share of its limit.")                                          \
    X(P##_CPU_REQUEST_UTILIZATION, p ".cpu_request_utilization", "1", GAUGE, off,                  \
      "CPU use of the " what " as a share of its request.")                                        \
    X(P##_MEMORY_NODE_UTILIZATION, p ".memory.node.utilization", "1", GAUGE, off,                  \
      "Memory of the " what " as a share of the node's capacity.")                                 \
    X(P##_MEMORY_LIMIT_UTILIZATION, p ".memory_limit_utilization", "1", GAUGE, off,                \
      "Memory of the " what " as a share of its limit.")                                           \
    X(P##_MEMORY_REQUEST_UTILIZATION, p ".memory_request_utilization", "1", GAUGE, off,            \
      "Memory of the " what " as a share of its request.")

#define KUBELET_METRICS(X)                                                                         \
    KUBELET_CPU(X, CONTAINER, "container", "container")                                            \
    KUBELET_FILESYSTEM(X, CONTAINER, "container", "container")                                     \
    KUBELET_MEMORY(X, CONTAINER, "container", "container")                                         \
    X(CONTAINER_UPTIME, "container.uptime", "s", COUNTER, off, "Age of the container.")            \
    KUBELET_UTILIZATION(X, CONTAINER, "k8s.container", "container")                                \
    X(CONTAINER_EPHEMERAL_USAGE, "k8s.container.ephemeral_storage.usage", "By", UPDOWN, off,       \
      "Bytes that the container's root file system and logs use.")                                 \
    KUBELET_CPU(X, NODE, "k8s.node", "node")                                                       \
    KUBELET_FILESYSTEM(X, NODE, "k8s.node", "node")                                                \
    X(NODE_FS_INODES, "k8s.node.filesystem.inode.count", "{inode}", UPDOWN, off,                   \
      "Inodes of the node's root file system.")                                                    \
    X(NODE_FS_INODES_FREE, "k8s.node.filesystem.inode.free", "{inode}", UPDOWN, off,               \
      "Inodes that are free in the node's root file system.")                                      \
    KUBELET_MEMORY(X, NODE, "k8s.node", "node")                                                    \
    KUBELET_NETWORK(X, NODE, "k8s.node", "node")                                                   \
    X(NODE_PID_LIMIT, "k8s.node.pid.limit", "{thread}", UPDOWN, off,                               \
      "Processes and threads that the node may have.")                                             \
    X(NODE_PID_USAGE, "k8s.node.pid.usage", "{thread}", UPDOWN, off,                               \
      "Processes and threads that the node has.")                                                  \
    X(NODE_UPTIME, "k8s.node.uptime", "s", COUNTER, off, "Age of the node.")                       \
    X(SYSTEM_CPU_TIME, "k8s.node.system_container.cpu.time", "s", COUNTER, off,                    \
      "CPU time of the system container since its start.")                                         \
    X(SYSTEM_CPU_USAGE, "k8s.node.system_container.cpu.usage", "{cpu}", GAUGE, off,                \
      "CPU use of the system container, in cores.")                                                \
    X(SYSTEM_MEMORY_USAGE, "k8s.node.system_container.memory.usage", "By", GAUGE, off,             \
      "Memory that the system container uses.")                                                    \
    X(SYSTEM_MEMORY_WORKING_SET, "k8s.node.system_container.memory.working_set", "By", GAUGE, off, \
      "Memory that the system container has touched lately.")                                      \
    KUBELET_CPU(X, POD, "k8s.pod", "pod")                                                          \
    KUBELET_FILESYSTEM(X, POD, "k8s.pod", "pod")                                                   \
    KUBELET_MEMORY(X, POD, "k8s.pod", "pod")                                                       \
    KUBELET_NETWORK(X, POD, "k8s.pod", "pod")                                                      \
    KUBELET_UTILIZATION(X, POD, "k8s.pod", "pod")                                                  \
    X(POD_UPTIME, "k8s.pod.uptime", "s", COUNTER, off, "Age of the pod.")                          \
    X(POD_VOLUME_USAGE, "k8s.pod.volume.usage", "By", UPDOWN, off,                                 \
      "Bytes that are used in the volume.")                                                        \
    X(VOLUME_AVAILABLE, "k8s.volume.available", "By", GAUGE, on,                                   \
      "Bytes that are free in the volume.")                                                        \
    X(VOLUME_CAPACITY, "k8s.volume.capacity", "By", GAUGE, on, "Size of the volume.")              \
    X(VOLUME_INODES, "k8s.volume.inodes", "1", GAUGE, on, "Inodes of the volume.")                 \
    X(VOLUME_INODES_FREE, "k8s.volume.inodes.free", "1", GAUGE, on,                                \
      "Inodes that are free in the volume.")                                                       \
    X(VOLUME_INODES_USED, "k8s.volume.inodes.used", "1", GAUGE, on,                                \
      "Inodes that are used in the volume.")

#define KUBELET_RESOURCES(X)                                                                       \
    X(AWS_VOLUME_ID, "aws.volume.id", off, "Id of an AWS volume.")                                 \
    X(CONTAINER_ID, "container.id", on, "Id of the container; needs extra_metadata_labels.")       \
    X(FS_TYPE, "fs.type", off, "Type of the volume's file system.")                                \
    X(GCE_PD_NAME, "gce.pd.name", off, "Name of a persistent disk of GCE.")                        \
    X(GLUSTERFS_ENDPOINTS, "glusterfs.endpoints.name", off, "Endpoint of a GlusterFS volume.")     \
    X(GLUSTERFS_PATH, "glusterfs.path", off, "Path of a GlusterFS volume.")                        \
    X(CONTAINER_NAME, "k8s.container.name", on, "Name of the container.")                          \
    X(NAMESPACE_NAME, "k8s.namespace.name", on, "Namespace of the pod.")                           \
    X(NODE_NAME, "k8s.node.name", on, "Name of the node.")                                         \
    X(SYSTEM_CONTAINER_NAME, "k8s.node.system_container.name", on,                                 \
      "Name of the system container.")                                                             \
    X(CLAIM_NAME, "k8s.persistentvolumeclaim.name", on, "Name of the volume's claim.")             \
    X(POD_NAME, "k8s.pod.name", on, "Name of the pod.")                                            \
    X(POD_UID, "k8s.pod.uid", on, "UID of the pod.")                                               \
    X(VOLUME_NAME, "k8s.volume.name", on, "Name of the volume.")                                   \
    X(VOLUME_TYPE, "k8s.volume.type", on, "Type of the volume; needs extra_metadata_labels.")      \
    X(PARTITION, "partition", off, "Partition of the volume.")

enum { KUBELET_METRICS(HF_METRIC_ID) KUBELET_METRIC_COUNT };
enum { KUBELET_RESOURCES(HF_RESOURCE_ID) KUBELET_RESOURCE_COUNT };
