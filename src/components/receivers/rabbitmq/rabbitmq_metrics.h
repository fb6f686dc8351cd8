/*
 * rabbitmq_metrics: the metrics and resource attributes of rabbitmq, as tables.
 *
 * The name of a node's metric without its first part is the key of the management API that has its
 * value; "KEY_details.rate" is `rate` of the object KEY_details.
 */
#pragma once

#include "support/scrape/metric_table.h"

#define RABBITMQ_NODE_PREFIX "rabbitmq.node."

#define RABBITMQ_QUEUE_METRICS(X)                                                                  \
    X(RABBITMQ_CONSUMERS, "rabbitmq.consumer.count", "{consumers}", UPDOWN, on,                    \
      "Consumers of a queue.")                                                                     \
    X(RABBITMQ_ACKNOWLEDGED, "rabbitmq.message.acknowledged", "{messages}", COUNTER, on,           \
      "Messages that consumers acknowledged.")                                                     \
    X(RABBITMQ_CURRENT, "rabbitmq.message.current", "{messages}", UPDOWN, on,                      \
      "Messages in a queue, by their state.")                                                      \
    X(RABBITMQ_DELIVERED, "rabbitmq.message.delivered", "{messages}", COUNTER, on,                 \
      "Messages that were delivered to consumers.")                                                \
    X(RABBITMQ_DROPPED, "rabbitmq.message.dropped", "{messages}", COUNTER, on,                     \
      "Messages that could not be routed and were dropped.")                                       \
    X(RABBITMQ_PUBLISHED, "rabbitmq.message.published", "{messages}", COUNTER, on,                 \
      "Messages that were published to a queue.")

#define RABBITMQ_ONE(X, id, key, unit, help)                                                       \
    X(RABBITMQ_##id, RABBITMQ_NODE_PREFIX key, unit, UPDOWN, off, help)
/* A number and its change per second. */
#define RABBITMQ_TWO(X, id, key, unit, help)                                                       \
    RABBITMQ_ONE(X, id, key, unit, help)                                                           \
    RABBITMQ_ONE(X, id##_RATE, key "_details.rate", unit "/s",                                     \
                 "Change per second of " RABBITMQ_NODE_PREFIX key ".")

#define RABBITMQ_NODE_METRICS(X)                                                                   \
    RABBITMQ_TWO(X, CHANNEL_CLOSED, "channel_closed", "{channels}", "Channels that were closed.")  \
    RABBITMQ_TWO(X, CHANNEL_CREATED, "channel_created", "{channels}",                              \
                 "Channels that were opened.")                                                     \
    RABBITMQ_TWO(X, CONNECTION_CLOSED, "connection_closed", "{connections}",                       \
                 "Connections that were closed.")                                                  \
    RABBITMQ_TWO(X, CONNECTION_CREATED, "connection_created", "{connections}",                     \
                 "Connections that were opened.")                                                  \
    RABBITMQ_TWO(X, CONTEXT_SWITCHES, "context_switches", "{switches}", "Context switches.")       \
    RABBITMQ_TWO(X, DISK_FREE, "disk_free", "{bytes}", "Free disk space.")                         \
    RABBITMQ_ONE(X, DISK_FREE_ALARM, "disk_free_alarm", "{status}",                                \
                 "1 while there is too little disk space.")                                        \
    RABBITMQ_ONE(X, DISK_FREE_LIMIT, "disk_free_limit", "{bytes}",                                 \
                 "Disk space below which publishers are held up.")                                 \
    RABBITMQ_ONE(X, FD_TOTAL, "fd_total", "{fd}", "File descriptors that there may be.")           \
    RABBITMQ_TWO(X, FD_USED, "fd_used", "{fd}", "File descriptors in use.")                        \
    RABBITMQ_TWO(X, GC_BYTES, "gc_bytes_reclaimed", "{bytes}",                                     \
                 "Bytes that garbage collections freed.")                                          \
    RABBITMQ_TWO(X, GC_NUM, "gc_num", "{collections}", "Garbage collections.")                     \
    RABBITMQ_TWO(X, IO_READ_TIME, "io_read_avg_time", "{microseconds}", "Mean time of a read.")    \
    RABBITMQ_TWO(X, IO_READ_BYTES, "io_read_bytes", "{bytes}", "Bytes read from disk.")            \
    RABBITMQ_TWO(X, IO_READ_COUNT, "io_read_count", "{ops}", "Reads from disk.")                   \
    RABBITMQ_TWO(X, IO_REOPEN_COUNT, "io_reopen_count", "{ops}", "Files that were opened again.")  \
    RABBITMQ_TWO(X, IO_SEEK_TIME, "io_seek_avg_time", "{microseconds}", "Mean time of a seek.")    \
    RABBITMQ_TWO(X, IO_SEEK_COUNT, "io_seek_count", "{ops}", "Seeks in files.")                    \
    RABBITMQ_TWO(X, IO_SYNC_TIME, "io_sync_avg_time", "{microseconds}", "Mean time of a sync.")    \
    RABBITMQ_TWO(X, IO_SYNC_COUNT, "io_sync_count", "{ops}", "Syncs of files.")                    \
    RABBITMQ_TWO(X, IO_WRITE_TIME, "io_write_avg_time", "{microseconds}", "Mean time of a write.") \
    RABBITMQ_TWO(X, IO_WRITE_BYTES, "io_write_bytes", "{bytes}", "Bytes written to disk.")         \
    RABBITMQ_TWO(X, IO_WRITE_COUNT, "io_write_count", "{ops}", "Writes to disk.")                  \
    RABBITMQ_ONE(X, MEM_ALARM, "mem_alarm", "{status}", "1 while too much memory is in use.")      \
    RABBITMQ_ONE(X, MEM_LIMIT, "mem_limit", "{bytes}",                                             \
                 "Memory above which publishers are held up.")                                     \
    RABBITMQ_TWO(X, MEM_USED, "mem_used", "{bytes}", "Memory in use.")                             \
    RABBITMQ_TWO(X, MNESIA_DISK, "mnesia_disk_tx_count", "{tx}", "Transactions on disk.")          \
    RABBITMQ_TWO(X, MNESIA_RAM, "mnesia_ram_tx_count", "{tx}", "Transactions in memory.")          \
    RABBITMQ_TWO(X, STORE_READS, "msg_store_read_count", "{ops}", "Reads of the message store.")   \
    RABBITMQ_TWO(X, STORE_WRITES, "msg_store_write_count", "{ops}",                                \
                 "Writes of the message store.")                                                   \
    RABBITMQ_ONE(X, PROC_TOTAL, "proc_total", "{processes}",                                       \
                 "Erlang processes that there may be.")                                            \
    RABBITMQ_TWO(X, PROC_USED, "proc_used", "{processes}", "Erlang processes in use.")             \
    RABBITMQ_ONE(X, PROCESSORS, "processors", "{processors}", "Processors that the node sees.")    \
    RABBITMQ_TWO(X, QUEUE_CREATED, "queue_created", "{queues}", "Queues that were made.")          \
    RABBITMQ_TWO(X, QUEUE_DECLARED, "queue_declared", "{queues}", "Queues that were declared.")    \
    RABBITMQ_TWO(X, QUEUE_DELETED, "queue_deleted", "{queues}", "Queues that were deleted.")       \
    RABBITMQ_TWO(X, INDEX_READS, "queue_index_read_count", "{ops}", "Reads of queue indices.")     \
    RABBITMQ_TWO(X, INDEX_WRITES, "queue_index_write_count", "{ops}", "Writes of queue indices.")  \
    RABBITMQ_ONE(X, RUN_QUEUE, "run_queue", "{threads}", "Erlang processes that wait to run.")     \
    RABBITMQ_ONE(X, SOCKETS_TOTAL, "sockets_total", "{sockets}", "Sockets that there may be.")     \
    RABBITMQ_TWO(X, SOCKETS_USED, "sockets_used", "{sockets}", "Sockets in use.")                  \
    RABBITMQ_ONE(X, UPTIME, "uptime", "ms", "Time since the node's start.")

#define RABBITMQ_METRICS(X) RABBITMQ_QUEUE_METRICS(X) RABBITMQ_NODE_METRICS(X)

enum { RABBITMQ_METRICS(HF_METRIC_ID) RABBITMQ_METRIC_COUNT };
#define RABBITMQ_NODE_METRICS_AT ((unsigned)RABBITMQ_CHANNEL_CLOSED)

#define RABBITMQ_RESOURCES(X)                                                                      \
    X(RABBITMQ_CLUSTER_NAME, "rabbitmq.cluster.name", off, "The cluster; one request more.")       \
    X(RABBITMQ_NODE_NAME, "rabbitmq.node.name", on, "The node.")                                   \
    X(RABBITMQ_QUEUE_NAME, "rabbitmq.queue.name", on, "The queue.")                                \
    X(RABBITMQ_VHOST_NAME, "rabbitmq.vhost.name", on, "The virtual host of the queue.")

enum { RABBITMQ_RESOURCES(HF_RESOURCE_ID) RABBITMQ_RESOURCE_COUNT };
