/*
 * redis_metrics: the metrics and resource attributes of redis, as tables.
 */
#pragma once

#include "support/scrape/metric_table.h"

#define REDIS_CLUSTER_METRICS(X)                                                                   \
    X(REDIS_CLUSTER_ENABLED, "redis.cluster.cluster_enabled", "1", GAUGE, off,                     \
      "1 when the server is part of a cluster.")                                                   \
    X(REDIS_CLUSTER_KNOWN, "redis.cluster.known_nodes", "{node}", GAUGE, off,                      \
      "Nodes that the server knows.")                                                              \
    X(REDIS_CLUSTER_LINKS, "redis.cluster.links_buffer_limit_exceeded.count", "{count}", COUNTER,  \
      off, "Links of the cluster that were closed because their buffer was full.")                 \
    X(REDIS_CLUSTER_SIZE, "redis.cluster.node.count", "{node}", GAUGE, off,                        \
      "Primaries that serve slots.")                                                               \
    X(REDIS_CLUSTER_NODE_UPTIME, "redis.cluster.node.uptime", "s", GAUGE, off,                     \
      "The epoch of the server's configuration (cluster_my_epoch).")                               \
    X(REDIS_CLUSTER_ASSIGNED, "redis.cluster.slots_assigned", "{slot}", GAUGE, off,                \
      "Slots that belong to a node.")                                                              \
    X(REDIS_CLUSTER_FAILED, "redis.cluster.slots_fail", "{slot}", GAUGE, off,                      \
      "Slots of nodes that have failed.")                                                          \
    X(REDIS_CLUSTER_OK, "redis.cluster.slots_ok", "{slot}", GAUGE, off,                            \
      "Slots of nodes that work.")                                                                 \
    X(REDIS_CLUSTER_FAILING, "redis.cluster.slots_pfail", "{slot}", GAUGE, off,                    \
      "Slots of nodes that may have failed.")                                                      \
    X(REDIS_CLUSTER_STATE, "redis.cluster.state", "{state}", GAUGE, off,                           \
      "1, with the state of the cluster as an attribute.")                                         \
    X(REDIS_CLUSTER_RECEIVED, "redis.cluster.stats_messages_received", "{message}", COUNTER, off,  \
      "Messages of the cluster that were received.")                                               \
    X(REDIS_CLUSTER_SENT, "redis.cluster.stats_messages_sent", "{message}", COUNTER, off,          \
      "Messages of the cluster that were sent.")                                                   \
    X(REDIS_CLUSTER_UPTIME, "redis.cluster.uptime", "s", GAUGE, off,                               \
      "The epoch of the cluster (cluster_current_epoch).")

#define REDIS_SENTINEL_METRICS(X)                                                                  \
    X(REDIS_SENTINEL_MASTERS, "redis.sentinel.masters", "{master}", GAUGE, off,                    \
      "Primaries that the sentinel watches.")                                                      \
    X(REDIS_SENTINEL_SCRIPTS, "redis.sentinel.running_scripts", "{script}", GAUGE, off,            \
      "Scripts of the sentinel that run.")                                                         \
    X(REDIS_SENTINEL_QUEUE, "redis.sentinel.scripts_queue_length", "{script}", GAUGE, off,         \
      "Scripts of the sentinel that wait.")                                                        \
    X(REDIS_SENTINEL_SIMULATE, "redis.sentinel.simulate_failure_flags", "{flag}", GAUGE, off,      \
      "Failures that the sentinel simulates, as bits.")                                            \
    X(REDIS_SENTINEL_TILT_SINCE, "redis.sentinel.tilt_since_seconds", "s", GAUGE, off,             \
      "Time in TILT mode; -1: it is not in it.")                                                   \
    X(REDIS_SENTINEL_TILT, "redis.sentinel.total_tilt", "{event}", COUNTER, off,                   \
      "Times that the sentinel went into TILT mode.")

#define REDIS_OWN_METRICS(X)                                                                       \
    X(REDIS_BLOCKED, "redis.clients.blocked", "{client}", UPDOWN, on,                              \
      "Clients that wait in a blocking command.")                                                  \
    X(REDIS_CONNECTED, "redis.clients.connected", "{client}", UPDOWN, on,                          \
      "Clients that are connected, without replicas.")                                             \
    X(REDIS_MAX_INPUT, "redis.clients.max_input_buffer", "By", GAUGE, on,                          \
      "The largest input buffer of a client.")                                                     \
    X(REDIS_MAX_OUTPUT, "redis.clients.max_output_buffer", "By", GAUGE, on,                        \
      "The largest output buffer of a client.")                                                    \
    X(REDIS_COMMAND_CALLS, "redis.cmd.calls", "{call}", COUNTER, off, "Calls of a command.")       \
    X(REDIS_COMMAND_LATENCY, "redis.cmd.latency", "s", GAUGE, off,                                 \
      "Percentiles of the time of a command.")                                                     \
    X(REDIS_COMMAND_TIME, "redis.cmd.usec", "us", COUNTER, off, "Time in a command.")              \
    X(REDIS_COMMANDS, "redis.commands", "{ops}/s", GAUGE, on, "Commands per second.")              \
    X(REDIS_PROCESSED, "redis.commands.processed", "{command}", COUNTER, on,                       \
      "Commands that were processed.")                                                             \
    X(REDIS_RECEIVED, "redis.connections.received", "{connection}", COUNTER, on,                   \
      "Connections that were accepted.")                                                           \
    X(REDIS_REJECTED, "redis.connections.rejected", "{connection}", COUNTER, on,                   \
      "Connections that were refused because of maxclients.")                                      \
    X(REDIS_CPU, "redis.cpu.time", "s", COUNTER, on, "CPU time since the server's start.")         \
    X(REDIS_DB_TTL, "redis.db.avg_ttl", "ms", GAUGE, on,                                           \
      "The mean time that keys of a database have left.")                                          \
    X(REDIS_DB_EXPIRES, "redis.db.expires", "{key}", GAUGE, on, "Keys of a database that expire.") \
    X(REDIS_DB_KEYS, "redis.db.keys", "{key}", GAUGE, on, "Keys of a database.")                   \
    X(REDIS_EVICTED, "redis.keys.evicted", "{key}", COUNTER, on,                                   \
      "Keys that were evicted because of maxmemory.")                                              \
    X(REDIS_EXPIRED, "redis.keys.expired", "{event}", COUNTER, on, "Keys that expired.")           \
    X(REDIS_HITS, "redis.keyspace.hits", "{hit}", COUNTER, on, "Keys that were found.")            \
    X(REDIS_MISSES, "redis.keyspace.misses", "{miss}", COUNTER, on,                                \
      "Keys that were looked for and not found.")                                                  \
    X(REDIS_FORK, "redis.latest_fork", "us", GAUGE, on, "Time of the latest fork.")                \
    X(REDIS_MAXMEMORY, "redis.maxmemory", "By", GAUGE, off, "The setting maxmemory.")              \
    X(REDIS_FRAGMENTATION, "redis.memory.fragmentation_ratio", "1", GAUGE, on,                     \
      "Resident memory per used memory.")                                                          \
    X(REDIS_LUA, "redis.memory.lua", "By", GAUGE, on, "Memory of the Lua engine.")                 \
    X(REDIS_PEAK, "redis.memory.peak", "By", GAUGE, on, "The most memory that was used.")          \
    X(REDIS_RSS, "redis.memory.rss", "By", GAUGE, on, "Resident memory.")                          \
    X(REDIS_USED, "redis.memory.used", "By", GAUGE, on, "Memory that is used.")                    \
    X(REDIS_OVERHEAD, "redis.memory.used_memory_overhead", "By", UPDOWN, off,                      \
      "Memory for the management of the data.")                                                    \
    X(REDIS_STARTUP, "redis.memory.used_memory_startup", "By", UPDOWN, off,                        \
      "Memory that was used after the start.")                                                     \
    X(REDIS_MODE, "redis.mode", "{mode}", GAUGE, off,                                              \
      "1, with the mode of the server as an attribute.")                                           \
    X(REDIS_NET_INPUT, "redis.net.input", "By", COUNTER, on, "Bytes read from the network.")       \
    X(REDIS_NET_OUTPUT, "redis.net.output", "By", COUNTER, on, "Bytes written to the network.")    \
    X(REDIS_CHANGES, "redis.rdb.changes_since_last_save", "{change}", UPDOWN, on,                  \
      "Changes since the last dump.")                                                              \
    X(REDIS_BACKLOG, "redis.replication.backlog_first_byte_offset", "By", GAUGE, on,               \
      "Offset of the replication backlog's first byte.")                                           \
    X(REDIS_OFFSET, "redis.replication.offset", "By", GAUGE, on, "Replication offset.")            \
    X(REDIS_REPLICA_OFFSET, "redis.replication.replica_offset", "By", GAUGE, off,                  \
      "Replication offset of a replica.")                                                          \
    X(REDIS_ROLE, "redis.role", "{role}", UPDOWN, off,                                             \
      "1, with the role of the server as an attribute.")                                           \
    X(REDIS_REPLICAS, "redis.slaves.connected", "{replica}", UPDOWN, on,                           \
      "Replicas that are connected.")                                                              \
    X(REDIS_TRACKED, "redis.tracking_total_keys", "{key}", UPDOWN, off,                            \
      "Keys that are tracked for clients.")                                                        \
    X(REDIS_UPTIME, "redis.uptime", "s", COUNTER, on, "Time since the server's start.")

#define REDIS_METRICS(X) REDIS_OWN_METRICS(X) REDIS_CLUSTER_METRICS(X) REDIS_SENTINEL_METRICS(X)

enum { REDIS_METRICS(HF_METRIC_ID) REDIS_METRIC_COUNT };

#define REDIS_RESOURCES(X)                                                                         \
    X(REDIS_VERSION, "redis.version", on, "Version of the server.")                                \
    X(REDIS_ADDRESS, "server.address", off, "Host of the endpoint.")                               \
    X(REDIS_PORT, "server.port", off, "Port of the endpoint.")

enum { REDIS_RESOURCES(HF_RESOURCE_ID) REDIS_RESOURCE_COUNT };
