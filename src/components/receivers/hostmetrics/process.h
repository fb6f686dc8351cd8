/*
 * process: what the files of the process scraper share: its metrics, keys and state.
 */
#pragma once

#include <errno.h>
#include <string.h>
#include <sys/types.h>

#include "filter.h"
#include "process_read.h"
#include "source.h"
#include "support/scrape/between.h"

#define PROCESS_METRICS(X)                                                                         \
    X(PROCESS_SWITCHES, "process.context_switches", "{count}", COUNTER, off,                       \
      "Context switches of all its threads.")                                                      \
    X(PROCESS_CPU_TIME, "process.cpu.time", "s", COUNTER, on, "Processor time by state.")          \
    X(PROCESS_CPU_UTILIZATION, "process.cpu.utilization", "1", GAUGE, off,                         \
      "Share of all processors since the last scrape, by state.")                                  \
    X(PROCESS_DISK_IO, "process.disk.io", "By", COUNTER, on, "Bytes read and written.")            \
    X(PROCESS_DISK_OPERATIONS, "process.disk.operations", "{operations}", COUNTER, off,            \
      "Read and write operations.")                                                                \
    X(PROCESS_HANDLES, "process.handles", "{count}", UPDOWN, off, "Windows only.")                 \
    X(PROCESS_MEMORY_USAGE, "process.memory.usage", "By", UPDOWN, on, "Resident memory.")          \
    X(PROCESS_MEMORY_UTILIZATION, "process.memory.utilization", "1", GAUGE, off,                   \
      "Resident memory in percent of the machine's.")                                              \
    X(PROCESS_MEMORY_VIRTUAL, "process.memory.virtual", "By", UPDOWN, on, "Virtual memory.")       \
    X(PROCESS_FILES, "process.open_file_descriptors", "{count}", UPDOWN, off,                      \
      "Open file descriptors.")                                                                    \
    X(PROCESS_FAULTS, "process.paging.faults", "{faults}", COUNTER, off, "Page faults.")           \
    X(PROCESS_SIGNALS, "process.signals_pending", "{signals}", UPDOWN, off,                        \
      "Signals that are pending, as a mask.")                                                      \
    X(PROCESS_THREADS, "process.threads", "{threads}", UPDOWN, off, "Threads.")                    \
    X(PROCESS_UPTIME, "process.uptime", "s", GAUGE, off, "Time since its start.")

enum { PROCESS_METRICS(HF_METRIC_ID) PROCESS_METRIC_COUNT };

/* Its resource's attributes: X(ID, key, on, help). */
#define PROCESS_ATTRIBUTES(X)                                                                      \
    X(PROCESS_CGROUP, "process.cgroup", off, "Its control groups.")                                \
    X(PROCESS_COMMAND, "process.command", on, "Its first argument.")                               \
    X(PROCESS_COMMAND_LINE, "process.command_line", on, "Its arguments.")                          \
    X(PROCESS_NAME, "process.executable.name", on, "Its name.")                                    \
    X(PROCESS_PATH, "process.executable.path", on, "The file of its program.")                     \
    X(PROCESS_LINUX_CGROUP, "process.linux.cgroup", off, "Its control groups.")                    \
    X(PROCESS_OWNER, "process.owner", on, "The name of its user.")                                 \
    X(PROCESS_PARENT_PID, "process.parent_pid", on, "The number of its parent.")                   \
    X(PROCESS_PID, "process.pid", on, "Its number.")

#define PROCESS_ATTRIBUTE_ID(id, key_, on_, help_) id,
enum { PROCESS_ATTRIBUTES(PROCESS_ATTRIBUTE_ID) PROCESS_ATTRIBUTE_COUNT };

struct process_config {
    struct hf_metric_choice metrics[PROCESS_METRIC_COUNT];
    struct hf_resource_choice attributes[PROCESS_ATTRIBUTE_COUNT];
    bool mute_all, mute_name, mute_exe, mute_io, mute_user, mute_cgroup;
    struct host_match include, exclude;
    uint64_t delay_ns; /* the least age */
};

/* The processor time of a process at a scrape; an item of struct hf_between. */
struct process_times {
    uint64_t pid, start_ticks, time_ns;
    uint64_t user_ticks, system_ticks, wait_ticks;
};

struct process_user {
    uid_t uid;
    char name[64]; /* "": it has none */
};

#define PROCESS_USERS_MAX 256u /* remembered during a scrape */

struct process_scraper {
    const struct process_config *config;
    struct host_filter filter;
    struct hf_between times; /* struct process_times */
    struct process_user users[PROCESS_USERS_MAX];
    size_t user_count;
    uint64_t cpus, memory; /* of the machine */
};

/* Opens the resource and the scope of a process. */
void process_put_resource(struct process_scraper *self, struct host_run *run, uint64_t pid,
                          const struct process_stat *stat, const char *name);

/* Counts and logs that something could not be read; a process that is gone is no failure. */
static inline void process_failed(struct host_run *run, bool is_muted, uint32_t points,
                                  const char *what, int reason)
{
    if (!is_muted && reason != ESRCH) {
        host_failed(run, points, "reading %s of processes failed: %s", what, strerror(reason));
    }
}
