/*
 * container_other_metrics: the rest of the tables of docker_stats: memory in all, networks,
 * processes; the resource attributes.
 */
#pragma once

#include "support/scrape/metric_table.h"

#define DOCKER_OTHER(X)                                                                            \
    X(MEMORY_FAILS, "container.memory.fails", "{fails}", COUNTER, off,                             \
      "How often the limit of the memory was reached.")                                            \
    X(MEMORY_PERCENT, "container.memory.percent", "1", GAUGE, on,                                  \
      "Percent of the limit that is used, without inactive cache.")                                \
    X(MEMORY_USAGE_LIMIT, "container.memory.usage.limit", "By", UPDOWN, on,                        \
      "Limit of the memory.")                                                                      \
    X(MEMORY_USAGE_MAX, "container.memory.usage.max", "By", UPDOWN, off,                           \
      "The most memory that was used.")                                                            \
    X(MEMORY_USAGE_TOTAL, "container.memory.usage.total", "By", UPDOWN, on,                        \
      "Memory that is used, without inactive cache.")                                              \
    X(RX_BYTES, "container.network.io.usage.rx_bytes", "By", COUNTER, on, "Bytes received.")       \
    X(RX_DROPPED, "container.network.io.usage.rx_dropped", "{packets}", COUNTER, on,               \
      "Packets that were dropped when they came.")                                                 \
    X(RX_ERRORS, "container.network.io.usage.rx_errors", "{errors}", COUNTER, off,                 \
      "Errors when receiving.")                                                                    \
    X(RX_PACKETS, "container.network.io.usage.rx_packets", "{packets}", COUNTER, off,              \
      "Packets received.")                                                                         \
    X(TX_BYTES, "container.network.io.usage.tx_bytes", "By", COUNTER, on, "Bytes sent.")           \
    X(TX_DROPPED, "container.network.io.usage.tx_dropped", "{packets}", COUNTER, on,               \
      "Packets that were dropped when sent.")                                                      \
    X(TX_ERRORS, "container.network.io.usage.tx_errors", "{errors}", COUNTER, off,                 \
      "Errors when sending.")                                                                      \
    X(TX_PACKETS, "container.network.io.usage.tx_packets", "{packets}", COUNTER, off,              \
      "Packets sent.")                                                                             \
    X(PIDS_COUNT, "container.pids.count", "{pids}", UPDOWN, off, "Processes and threads.")         \
    X(PIDS_LIMIT, "container.pids.limit", "{pids}", UPDOWN, off,                                   \
      "The most processes and threads.")                                                           \
    X(RESTARTS, "container.restarts", "{restarts}", COUNTER, off, "Restarts of the container.")    \
    X(HEALTH, "container.state.health.status", "{container}", UPDOWN, off,                         \
      "1 for the health that the container is in, 0 for the others.")                              \
    X(STATUS, "container.state.status", "{status}", UPDOWN, off, "Containers in that state.")      \
    X(UPTIME, "container.uptime", "s", GAUGE, off, "Time since the container's start.")

#define DOCKER_RESOURCES(X)                                                                        \
    X(D_COMMAND_LINE, "container.command_line", off, "The container's command.")                   \
    X(D_HOSTNAME, "container.hostname", on, "Host name of the container.")                         \
    X(D_ID, "container.id", on, "Id of the container.")                                            \
    X(D_IMAGE_ID, "container.image.id", off, "Id of its image.")                                   \
    X(D_IMAGE_NAME, "container.image.name", on, "Name of its image.")                              \
    X(D_NAME, "container.name", on, "Name of the container.")                                      \
    X(D_RUNTIME, "container.runtime", on, "docker.")

enum { DOCKER_RESOURCES(HF_RESOURCE_ID) DOCKER_RESOURCE_COUNT };
