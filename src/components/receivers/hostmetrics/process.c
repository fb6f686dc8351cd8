#include "process.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/time/clock.h"

#define NAME_ROOM 512u
#define PROCESSES_MAX (4u << 20) /* the kernel's own limit of pids */

static const struct hf_metric_row metrics[] = {PROCESS_METRICS(HF_METRIC_ROW)};

/* Metrics that the Go collector reports under the same names in place of the others, with other
 * attributes, when its feature gate is on. */
#define V1(name)                                                                                   \
    {                                                                                              \
        .key = name "@v1", .type = HF_FIELD_IGNORED,                                               \
        .help = "It needs the feature gate scraper.process.EmitV1SystemConventions, which is not " \
                "here."                                                                            \
    }

static const struct hf_field metric_fields[] = {PROCESS_METRICS(HF_METRIC_FIELD)
                                                    V1("process.context_switches"),
                                                V1("process.cpu.time"),
                                                V1("process.cpu.utilization"),
                                                V1("process.disk.io"),
                                                V1("process.paging.faults"),
                                                V1("process.thread.count"),
                                                V1("process.unix.file_descriptor.count"),
                                                V1("process.windows.handle.count"),
                                                HF_FIELDS_END};

/* One process at a scrape. */
struct process {
    uint64_t pid;
    uint64_t created_ns; /* Unix time */
    struct process_stat stat;
};

/* ---- metrics ---- */

/* The times of the same process at the scrape before; NULL: there are none. */
static const struct process_times *times_before(const struct process_scraper *self,
                                                const struct process_times *now)
{
    const struct process_times *found = hf_between_find(&self->times, now->pid);
    return found != NULL && found->start_ticks == now->start_ticks ? found : NULL;
}

static void put_times(struct process_scraper *self, struct host_run *run,
                      const struct process *process)
{
    static const struct hf_slice states[] = {HOST_TEXT("user"), HOST_TEXT("system"),
                                             HOST_TEXT("wait")};
    const struct process_stat *stat = &process->stat;
    const struct process_times now = {
        process->pid,     stat->start_ticks,  run->point.time_ns,
        stat->user_ticks, stat->system_ticks, stat->wait_ticks,
    };
    const uint64_t ticks[] = {now.user_ticks, now.system_ticks, now.wait_ticks};
    bool is_on = host_metric(run, PROCESS_CPU_TIME);
    for (unsigned i = 0; is_on && i < 3; i++) {
        HOST_DOUBLE(run, (double)ticks[i] / run->host->ticks, {"state", states[i]});
    }
    if (!host_wants(run, PROCESS_CPU_UTILIZATION)) {
        return;
    }
    const struct process_times *before = times_before(self, &now);
    is_on = before != NULL && host_metric(run, PROCESS_CPU_UTILIZATION);
    if (is_on) {
        double elapsed_s = ((double)now.time_ns - (double)before->time_ns) / 1e9;
        double all_ticks = elapsed_s * run->host->ticks * (double)self->cpus;
        const uint64_t old[] = {before->user_ticks, before->system_ticks, before->wait_ticks};
        for (unsigned i = 0; i < 3; i++) {
            double spent = (double)ticks[i] - (double)old[i];
            HOST_DOUBLE(run, all_ticks > 0 ? spent / all_ticks : 0, {"state", states[i]});
        }
    }
    hf_between_keep(&self->times, &now);
}

static void put_memory(struct process_scraper *self, struct host_run *run,
                       const struct process *process)
{
    uint64_t resident, size;
    if (!host_wants(run, PROCESS_MEMORY_USAGE) && !host_wants(run, PROCESS_MEMORY_VIRTUAL) &&
        !host_wants(run, PROCESS_MEMORY_UTILIZATION)) {
        return;
    }
    if (!process_read_memory(run->host, process->pid, &resident, &size)) {
        process_failed(run, self->config->mute_all, 2, "the memory", errno);
        return;
    }
    if (host_metric(run, PROCESS_MEMORY_USAGE)) {
        host_int(run, resident, NULL, 0);
    }
    if (host_metric(run, PROCESS_MEMORY_VIRTUAL)) {
        host_int(run, size, NULL, 0);
    }
    if (self->memory != 0 && host_metric(run, PROCESS_MEMORY_UTILIZATION)) {
        /* Percent in single precision, as the Go collector has it. */
        host_double(run, (double)(100 * (float)resident / (float)self->memory), NULL, 0);
    }
}

static void put_io(struct process_scraper *self, struct host_run *run,
                   const struct process *process)
{
    struct process_io io;
    if (!host_wants(run, PROCESS_DISK_IO) && !host_wants(run, PROCESS_DISK_OPERATIONS)) {
        return;
    }
    if (!process_read_io(run->host, process->pid, &io)) {
        process_failed(run, self->config->mute_io || self->config->mute_all, 1, "the disk use",
                       errno);
        return;
    }
    if (host_metric(run, PROCESS_DISK_IO)) {
        HOST_INT(run, io.read_bytes, {"direction", HOST_TEXT("read")});
        HOST_INT(run, io.write_bytes, {"direction", HOST_TEXT("write")});
    }
    if (host_metric(run, PROCESS_DISK_OPERATIONS)) {
        HOST_INT(run, io.reads, {"direction", HOST_TEXT("read")});
        HOST_INT(run, io.writes, {"direction", HOST_TEXT("write")});
    }
}

static void put_switches(struct process_scraper *self, struct host_run *run,
                         const struct process *process)
{
    struct process_status status;
    if (!host_wants(run, PROCESS_SWITCHES)) {
        return;
    }
    if (!process_read_switches(run->host, process->pid, &status)) {
        process_failed(run, self->config->mute_all, 1, "the context switches", errno);
    } else if (host_metric(run, PROCESS_SWITCHES)) {
        HOST_INT(run, status.involuntary_switches, {"type", HOST_TEXT("involuntary")});
        HOST_INT(run, status.voluntary_switches, {"type", HOST_TEXT("voluntary")});
    }
}

static void put_files_and_signals(struct process_scraper *self, struct host_run *run,
                                  const struct process *process)
{
    struct process_status status;
    uint64_t files;
    if (host_wants(run, PROCESS_FILES)) {
        if (!process_count_files(run->host, process->pid, &files)) {
            process_failed(run, self->config->mute_all, 1, "the open files", errno);
        } else if (host_metric(run, PROCESS_FILES)) {
            host_int(run, files, NULL, 0);
        }
    }
    if (host_wants(run, PROCESS_SIGNALS)) {
        if (!process_read_status(run->host, process->pid, &status)) {
            process_failed(run, self->config->mute_all, 1, "the pending signals", errno);
        } else if (host_metric(run, PROCESS_SIGNALS)) {
            host_int(run, status.pending_signals, NULL, 0);
        }
    }
}

static void put_metrics(struct process_scraper *self, struct host_run *run,
                        const struct process *process)
{
    put_times(self, run, process);
    put_memory(self, run, process);
    put_io(self, run, process);
    if (host_metric(run, PROCESS_FAULTS)) {
        HOST_INT(run, process->stat.major_faults, {"type", HOST_TEXT("major")});
        HOST_INT(run, process->stat.minor_faults, {"type", HOST_TEXT("minor")});
    }
    if (host_metric(run, PROCESS_THREADS)) {
        host_int(run, process->stat.threads, NULL, 0);
    }
    put_switches(self, run, process);
    put_files_and_signals(self, run, process);
    if (host_metric(run, PROCESS_UPTIME)) {
        host_double(run, ((double)run->point.time_ns - (double)process->created_ns) / 1e9, NULL, 0);
    }
}

/* ---- the scrape ---- */

static void scrape_one(struct process_scraper *self, struct host_run *run, uint64_t pid)
{
    const struct process_config *config = self->config;
    struct process process = {.pid = pid};
    char name[NAME_ROOM];
    if (!process_read_name(run->host, pid, name, sizeof(name))) {
        bool is_gone = errno == ENOENT;
        process_failed(run, is_gone || config->mute_name || config->mute_all, 1, "the name", errno);
        return;
    }
    if (!host_filter_takes(&self->filter, hf_slice_text(name))) {
        return;
    }
    if (!process_read_stat(run->host, pid, &process.stat)) {
        process_failed(run, errno == ENOENT || config->mute_all, 1, "the state", errno);
        return;
    }
    uint64_t now_ns = hf_clock_unix_ns();
    uint64_t age_ms = (uint64_t)((double)process.stat.start_ticks * 1000 / run->host->ticks);
    process.created_ns = run->host->boot_ns + age_ms * HF_NS_PER_MS;
    if (config->delay_ns != 0 && process.created_ns + config->delay_ns > now_ns) {
        return;
    }
    run->point = (struct hf_build_point){.start_ns = process.created_ns, .time_ns = now_ns};
    process_put_resource(self, run, pid, &process.stat, name);
    put_metrics(self, run, &process);
}

/* MemTotal is the first line of the file. */
static uint64_t read_memory_total(struct host *host)
{
    struct hf_slice text, line;
    uint64_t kib = 0;
    bool found = host_read_proc(host, &text, "meminfo") && host_next_line(&text, &line) &&
                 host_starts_with(line, "MemTotal:") && host_skip_words(&line, 1) &&
                 host_next_number(&line, &kib);
    return found ? kib * 1024 : 0;
}

static void scrape_process(void *self_pointer, struct host_run *run)
{
    struct process_scraper *self = self_pointer;
    self->user_count = 0;
    self->cpus = host_wants(run, PROCESS_CPU_UTILIZATION) ? host_logical_cpus(run->host) : 1;
    self->memory = host_wants(run, PROCESS_MEMORY_UTILIZATION) ? read_memory_total(run->host) : 0;
    if (host_wants(run, PROCESS_HANDLES)) {
        host_failed(run, 1, "process.handles exists on Windows only");
    }
    DIR *folder = opendir(run->host->proc);
    if (folder == NULL) {
        host_failed(run, PROCESS_METRIC_COUNT, "reading %s failed: %s", run->host->proc,
                    strerror(errno));
        return;
    }
    struct dirent *entry = readdir(folder);
    for (; entry != NULL && !hf_scrape_is_over(run->scrape); entry = readdir(folder)) {
        uint64_t pid;
        if (host_number_of(hf_slice_text(entry->d_name), 10, &pid)) {
            scrape_one(self, run, pid);
        }
    }
    closedir(folder);
    hf_between_turn(&self->times);
}

static void close_process(void *self_pointer)
{
    struct process_scraper *self = self_pointer;
    host_filter_release(&self->filter);
    hf_between_release(&self->times);
    free(self);
}

static enum hf_status open_process(const void *config, struct host *host, void **ret_self,
                                   char *reterr)
{
    const struct process_config *keys = config;
    (void)host;
    struct process_scraper *self = calloc(1, sizeof(*self));
    if (self == NULL) {
        snprintf(reterr, HF_ERROR_MAX, "out of memory");
        return HF_NOMEM;
    }
    self->config = config;
    self->times = (struct hf_between){.size = sizeof(struct process_times), .most = PROCESSES_MAX};
    enum hf_status status = host_filter_init(&self->filter, &keys->include, &keys->exclude, reterr);
    if (status != HF_OK) {
        close_process(self);
        return status;
    }
    *ret_self = self;
    return HF_OK;
}

static const char *check_process(const void *config)
{
    const struct process_config *keys = config;
    const char *problem = host_match_check(&keys->include);
    return problem != NULL ? problem : host_match_check(&keys->exclude);
}

static struct hf_resource_choices choices(const void *config)
{
    static const char *const names[] = {PROCESS_ATTRIBUTES(HF_RESOURCE_NAME)};
    const struct process_config *keys = config;
    return (struct hf_resource_choices){names, keys->attributes, PROCESS_ATTRIBUTE_COUNT};
}

/* ---- keys ---- */

static const struct hf_field attribute_fields[] = {PROCESS_ATTRIBUTES(HF_RESOURCE_FIELD)
                                                       HF_FIELDS_END};
static const struct hf_field match_fields[] = {HOST_MATCH_FIELDS("names")};

#define MUTE(key_, member, help_)                                                                  \
    {                                                                                              \
        .key = (key_), .type = HF_FIELD_BOOL, .offset = offsetof(struct process_config, member),   \
        .default_text = "false", .help = (help_)                                                   \
    }

HOST_CHECK_ROOM(struct process_config);

const struct hf_field host_process_fields[] = {
    HOST_METRICS_BLOCK(metric_fields),
    {.key = "resource_attributes",
     .type = HF_FIELD_STRUCT,
     .offset = offsetof(struct process_config, attributes),
     .inner = attribute_fields,
     .help = "Which attributes each process has."},
    {.key = "include",
     .type = HF_FIELD_STRUCT,
     .offset = offsetof(struct process_config, include),
     .inner = match_fields,
     .help = "Only processes with these names."},
    {.key = "exclude",
     .type = HF_FIELD_STRUCT,
     .offset = offsetof(struct process_config, exclude),
     .inner = match_fields,
     .help = "Not processes with these names."},
    MUTE("mute_process_all_errors", mute_all, "Report nothing that cannot be read."),
    MUTE("mute_process_name_error", mute_name, "Do not report names that cannot be read."),
    MUTE("mute_process_exe_error", mute_exe, "Do not report executables that cannot be read."),
    MUTE("mute_process_io_error", mute_io, "Do not report disk use that cannot be read."),
    MUTE("mute_process_user_error", mute_user, "Do not report users that have no name."),
    MUTE("mute_process_cgroup_error", mute_cgroup,
         "Do not report control groups that cannot be read."),
    {.key = "scrape_process_delay",
     .type = HF_FIELD_DURATION,
     .offset = offsetof(struct process_config, delay_ns),
     .default_text = "0s",
     .help = "Leave processes out that are younger."},
    HF_FIELDS_END,
};

const struct host_source host_process = {
    .name = "process",
    .metrics = metrics,
    .metric_count = PROCESS_METRIC_COUNT,
    .has_resources = true,
    .resources = choices,
    .check = check_process,
    .open = open_process,
    .scrape = scrape_process,
    .close = close_process,
};
