/*
 * container_metrics: the metrics and resource attributes of docker_stats, as tables. The metrics of
 * the cgroup's memory are named like the numbers that the daemon gives: "container.memory.KEY".
 */
#pragma once

#include "support/scrape/metric_table.h"

#define DOCKER_BLOCK(X)                                                                            \
    X(IO_MERGED, "container.blockio.io_merged_recursive", "{operations}", COUNTER, off,            \
      "Requests that were merged into others (cgroups v1).")                                       \
    X(IO_QUEUED, "container.blockio.io_queued_recursive", "{operations}", COUNTER, off,            \
      "Requests that are queued (cgroups v1).")                                                    \
    X(IO_SERVICE_BYTES, "container.blockio.io_service_bytes_recursive", "By", COUNTER, on,         \
      "Bytes read from and written to devices.")                                                   \
    X(IO_SERVICE_TIME, "container.blockio.io_service_time_recursive", "ns", COUNTER, off,          \
      "Time that requests took (cgroups v1).")                                                     \
    X(IO_SERVICED, "container.blockio.io_serviced_recursive", "{operations}", COUNTER, off,        \
      "Requests that were served (cgroups v1).")                                                   \
    X(IO_TIME, "container.blockio.io_time_recursive", "ms", COUNTER, off,                          \
      "Time that devices worked for the container (cgroups v1).")                                  \
    X(IO_WAIT_TIME, "container.blockio.io_wait_time_recursive", "ns", COUNTER, off,                \
      "Time that requests waited in queues (cgroups v1).")                                         \
    X(IO_SECTORS, "container.blockio.sectors_recursive", "{sectors}", COUNTER, off,                \
      "Sectors read and written (cgroups v1).")

#define DOCKER_CPU(X)                                                                              \
    X(CPU_LIMIT, "container.cpu.limit", "{cpus}", GAUGE, off,                                      \
      "CPUs that the container may use, when it is limited.")                                      \
    X(CPU_COUNT, "container.cpu.logical.count", "{cpus}", GAUGE, off,                              \
      "Processors that the container sees.")                                                       \
    X(CPU_SHARES, "container.cpu.shares", "1", GAUGE, off, "CPU shares of the container.")         \
    X(CPU_PERIODS, "container.cpu.throttling_data.periods", "{periods}", COUNTER, off,             \
      "Periods with a limit.")                                                                     \
    X(CPU_THROTTLED, "container.cpu.throttling_data.throttled_periods", "{periods}", COUNTER, off, \
      "Periods in which the container was held back.")                                             \
    X(CPU_THROTTLED_TIME, "container.cpu.throttling_data.throttled_time", "ns", COUNTER, off,      \
      "Time that the container was held back.")                                                    \
    X(CPU_KERNEL, "container.cpu.usage.kernelmode", "ns", COUNTER, on, "CPU time in the kernel.")  \
    X(CPU_PER_CORE, "container.cpu.usage.percpu", "ns", COUNTER, off,                              \
      "CPU time by processor (cgroups v1).")                                                       \
    X(CPU_SYSTEM, "container.cpu.usage.system", "ns", COUNTER, off,                                \
      "CPU time of the whole machine.")                                                            \
    X(CPU_TOTAL, "container.cpu.usage.total", "ns", COUNTER, on, "CPU time of the container.")     \
    X(CPU_USER, "container.cpu.usage.usermode", "ns", COUNTER, on, "CPU time in user mode.")       \
    X(CPU_UTILIZATION, "container.cpu.utilization", "1", GAUGE, on,                                \
      "Percent of a processor that the container used lately.")

/* Of the cgroup: first those, in the order of the enum, that are found by their names. */
#define DOCKER_CGROUP_MEMORY(X)                                                                    \
    X(MEMORY_ACTIVE_ANON, "container.memory.active_anon", "By", UPDOWN, off,                       \
      "Anonymous memory that is active.")                                                          \
    X(MEMORY_ACTIVE_FILE, "container.memory.active_file", "By", UPDOWN, off,                       \
      "Cache that is active.")                                                                     \
    X(MEMORY_ANON, "container.memory.anon", "By", UPDOWN, off, "Anonymous memory (cgroups v2).")   \
    X(MEMORY_CACHE, "container.memory.cache", "By", UPDOWN, off, "Cache (cgroups v1).")            \
    X(MEMORY_DIRTY, "container.memory.dirty", "By", UPDOWN, off,                                   \
      "Memory that waits to be written to disk (cgroups v1).")                                     \
    X(MEMORY_FILE, "container.memory.file", "By", UPDOWN, on, "Cache of files (cgroups v2).")      \
    X(MEMORY_LIMIT_V1, "container.memory.hierarchical_memory_limit", "By", UPDOWN, off,            \
      "Limit of the memory (cgroups v1).")                                                         \
    X(MEMORY_SWAP_LIMIT, "container.memory.hierarchical_memsw_limit", "By", UPDOWN, off,           \
      "Limit of memory and swap (cgroups v1).")                                                    \
    X(MEMORY_INACTIVE_ANON, "container.memory.inactive_anon", "By", UPDOWN, off,                   \
      "Anonymous memory that is inactive.")                                                        \
    X(MEMORY_INACTIVE_FILE, "container.memory.inactive_file", "By", UPDOWN, off,                   \
      "Cache that is inactive.")                                                                   \
    X(MEMORY_MAPPED_FILE, "container.memory.mapped_file", "By", UPDOWN, off,                       \
      "Mapped files (cgroups v1).")                                                                \
    X(MEMORY_PGFAULT, "container.memory.pgfault", "{faults}", COUNTER, off, "Page faults.")        \
    X(MEMORY_PGMAJFAULT, "container.memory.pgmajfault", "{faults}", COUNTER, off,                  \
      "Page faults that read from disk.")                                                          \
    X(MEMORY_PGPGIN, "container.memory.pgpgin", "{operations}", COUNTER, off,                      \
      "Pages read from disk (cgroups v1).")                                                        \
    X(MEMORY_PGPGOUT, "container.memory.pgpgout", "{operations}", COUNTER, off,                    \
      "Pages written to disk (cgroups v1).")                                                       \
    X(MEMORY_RSS, "container.memory.rss", "By", UPDOWN, off, "Resident memory (cgroups v1).")      \
    X(MEMORY_RSS_HUGE, "container.memory.rss_huge", "By", UPDOWN, off,                             \
      "Huge pages of anonymous memory (cgroups v1).")                                              \
    X(MEMORY_UNEVICTABLE, "container.memory.unevictable", "By", UPDOWN, off,                       \
      "Memory that cannot be reclaimed.")                                                          \
    X(MEMORY_WRITEBACK, "container.memory.writeback", "By", UPDOWN, off,                           \
      "Memory that is being written to disk (cgroups v1).")

/* The same with the cgroups below, of cgroups v1. */
#define DOCKER_TOTAL_MEMORY(X)                                                                     \
    X(TOTAL_ACTIVE_ANON, "container.memory.total_active_anon", "By", UPDOWN, off,                  \
      "Anonymous memory that is active, with the cgroups below.")                                  \
    X(TOTAL_ACTIVE_FILE, "container.memory.total_active_file", "By", UPDOWN, off,                  \
      "Cache that is active, with the cgroups below.")                                             \
    X(TOTAL_CACHE, "container.memory.total_cache", "By", UPDOWN, on,                               \
      "Cache, with the cgroups below.")                                                            \
    X(TOTAL_DIRTY, "container.memory.total_dirty", "By", UPDOWN, off,                              \
      "Memory that waits to be written to disk, with the cgroups below.")                          \
    X(TOTAL_INACTIVE_ANON, "container.memory.total_inactive_anon", "By", UPDOWN, off,              \
      "Anonymous memory that is inactive, with the cgroups below.")                                \
    X(TOTAL_INACTIVE_FILE, "container.memory.total_inactive_file", "By", UPDOWN, off,              \
      "Cache that is inactive, with the cgroups below.")                                           \
    X(TOTAL_MAPPED_FILE, "container.memory.total_mapped_file", "By", UPDOWN, off,                  \
      "Mapped files, with the cgroups below.")                                                     \
    X(TOTAL_PGFAULT, "container.memory.total_pgfault", "{faults}", COUNTER, off,                   \
      "Page faults, with the cgroups below.")                                                      \
    X(TOTAL_PGMAJFAULT, "container.memory.total_pgmajfault", "{faults}", COUNTER, off,             \
      "Page faults that read from disk, with the cgroups below.")                                  \
    X(TOTAL_PGPGIN, "container.memory.total_pgpgin", "{operations}", COUNTER, off,                 \
      "Pages read from disk, with the cgroups below.")                                             \
    X(TOTAL_PGPGOUT, "container.memory.total_pgpgout", "{operations}", COUNTER, off,               \
      "Pages written to disk, with the cgroups below.")                                            \
    X(TOTAL_RSS, "container.memory.total_rss", "By", UPDOWN, off,                                  \
      "Resident memory, with the cgroups below.")                                                  \
    X(TOTAL_RSS_HUGE, "container.memory.total_rss_huge", "By", UPDOWN, off,                        \
      "Huge pages of anonymous memory, with the cgroups below.")                                   \
    X(TOTAL_UNEVICTABLE, "container.memory.total_unevictable", "By", UPDOWN, off,                  \
      "Memory that cannot be reclaimed, with the cgroups below.")                                  \
    X(TOTAL_WRITEBACK, "container.memory.total_writeback", "By", UPDOWN, off,                      \
      "Memory that is being written to disk, with the cgroups below.")

#include "container_other_metrics.h"

#define DOCKER_METRICS(X)                                                                          \
    DOCKER_CGROUP_MEMORY(X) DOCKER_TOTAL_MEMORY(X) DOCKER_BLOCK(X) DOCKER_CPU(X) DOCKER_OTHER(X)

enum { DOCKER_METRICS(HF_METRIC_ID) DOCKER_METRIC_COUNT };
#define DOCKER_CGROUP_METRICS_END ((unsigned)TOTAL_WRITEBACK + 1) /* those before it */
