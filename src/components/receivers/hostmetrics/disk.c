/*
 * disk: operations of block devices, from /proc/diskstats.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "filter.h"
#include "source.h"
#include "util/grow.h"

#define SECTOR_BYTES 512u
#define DISKS_MAX 65536u

#define METRICS(X)                                                                                 \
    X(DISK_IO, "system.disk.io", "By", COUNTER, on, "Bytes transferred.")                          \
    X(DISK_IO_TIME, "system.disk.io_time", "s", COUNTER, on, "Time with operations in flight.")    \
    X(DISK_MERGED, "system.disk.merged", "{operations}", COUNTER, on,                              \
      "Operations that were merged into one before they reached the device.")                      \
    X(DISK_OPERATION_TIME, "system.disk.operation_time", "s", COUNTER, on,                         \
      "Time spent in operations.")                                                                 \
    X(DISK_OPERATIONS, "system.disk.operations", "{operations}", COUNTER, on, "Operations.")       \
    X(DISK_PENDING, "system.disk.pending_operations", "{operations}", UPDOWN, on,                  \
      "Operations in flight.")                                                                     \
    X(DISK_WEIGHTED, "system.disk.weighted_io_time", "s", COUNTER, on,                             \
      "Time with operations in flight, multiplied by their number.")

enum { METRICS(HF_METRIC_ID) METRIC_COUNT };
static const struct hf_metric_row metrics[] = {METRICS(HF_METRIC_ROW)};
static const struct hf_field metric_fields[] = {METRICS(HF_METRIC_FIELD) HF_FIELDS_END};

struct disk_config {
    struct hf_metric_choice metrics[METRIC_COUNT];
    struct host_match include, exclude;
};

/* The counters in the order of the file, behind the name. */
enum {
    READS,
    READS_MERGED,
    SECTORS_READ,
    READ_MS,
    WRITES,
    WRITES_MERGED,
    SECTORS_WRITTEN,
    WRITE_MS,
    IN_FLIGHT,
    IO_MS,
    WEIGHTED_MS,
    COUNTER_COUNT
};

struct device {
    struct hf_slice name; /* in the text of the file */
    uint64_t counters[COUNTER_COUNT];
};

struct disk {
    struct host_filter filter;
    struct device *devices;
    size_t count, capacity;
};

static bool grow(struct disk *disk)
{
    return disk->count < DISKS_MAX &&
           hf_grow(&disk->devices, &disk->capacity, disk->count + 1, sizeof(*disk->devices));
}

/* Rows that are cut short, and devices that never did anything, are none. */
static bool read_row(struct hf_slice line, struct device *device)
{
    bool is_used = false;
    if (!host_skip_words(&line, 2) || !host_next_word(&line, &device->name)) {
        return false;
    }
    for (unsigned i = 0; i < COUNTER_COUNT; i++) {
        if (!host_next_number(&line, &device->counters[i])) {
            return false;
        }
        is_used = is_used || device->counters[i] != 0;
    }
    return is_used;
}

static bool read_devices(struct disk *disk, struct host *host)
{
    struct hf_slice text, line;
    disk->count = 0;
    if (!host_read_proc(host, &text, "diskstats")) {
        return false;
    }
    while (host_next_line(&text, &line)) {
        if (!grow(disk)) {
            errno = ENOMEM;
            return false;
        }
        struct device *device = &disk->devices[disk->count];
        disk->count += read_row(line, device) && host_filter_takes(&disk->filter, device->name);
    }
    return true;
}

/* Points for reading and for writing. */
static void put_both(const struct disk *disk, struct host_run *run, unsigned id, unsigned read,
                     unsigned write, uint64_t factor)
{
    bool is_on = host_metric(run, id);
    for (size_t i = 0; is_on && i < disk->count; i++) {
        const struct device *device = &disk->devices[i];
        HOST_INT(run, device->counters[read] * factor, {"device", device->name},
                 {"direction", HOST_TEXT("read")});
        HOST_INT(run, device->counters[write] * factor, {"device", device->name},
                 {"direction", HOST_TEXT("write")});
    }
}

static double seconds(const struct device *device, unsigned counter)
{
    return (double)device->counters[counter] / 1000;
}

static void put_times(const struct disk *disk, struct host_run *run)
{
    bool is_on = host_metric(run, DISK_OPERATION_TIME);
    for (size_t i = 0; is_on && i < disk->count; i++) {
        const struct device *device = &disk->devices[i];
        HOST_DOUBLE(run, seconds(device, READ_MS), {"device", device->name},
                    {"direction", HOST_TEXT("read")});
        HOST_DOUBLE(run, seconds(device, WRITE_MS), {"device", device->name},
                    {"direction", HOST_TEXT("write")});
    }
    is_on = host_metric(run, DISK_IO_TIME);
    for (size_t i = 0; is_on && i < disk->count; i++) {
        const struct device *device = &disk->devices[i];
        HOST_DOUBLE(run, seconds(device, IO_MS), {"device", device->name});
    }
    is_on = host_metric(run, DISK_WEIGHTED);
    for (size_t i = 0; is_on && i < disk->count; i++) {
        const struct device *device = &disk->devices[i];
        HOST_DOUBLE(run, seconds(device, WEIGHTED_MS), {"device", device->name});
    }
}

static void scrape_disk(void *self, struct host_run *run)
{
    struct disk *disk = self;
    if (!read_devices(disk, run->host)) {
        host_failed(run, METRIC_COUNT, "reading diskstats failed: %s", strerror(errno));
        return;
    }
    put_both(disk, run, DISK_IO, SECTORS_READ, SECTORS_WRITTEN, SECTOR_BYTES);
    put_both(disk, run, DISK_OPERATIONS, READS, WRITES, 1);
    put_both(disk, run, DISK_MERGED, READS_MERGED, WRITES_MERGED, 1);
    put_times(disk, run);
    bool is_on = host_metric(run, DISK_PENDING);
    for (size_t i = 0; is_on && i < disk->count; i++) {
        HOST_INT(run, disk->devices[i].counters[IN_FLIGHT], {"device", disk->devices[i].name});
    }
}

static void close_disk(void *self)
{
    struct disk *disk = self;
    host_filter_release(&disk->filter);
    free(disk->devices);
    free(disk);
}

static enum hf_status open_disk(const void *config, struct host *host, void **ret_self,
                                char *reterr)
{
    const struct disk_config *keys = config;
    (void)host;
    struct disk *disk = calloc(1, sizeof(*disk));
    if (disk == NULL) {
        snprintf(reterr, HF_ERROR_MAX, "out of memory");
        return HF_NOMEM;
    }
    enum hf_status status = host_filter_init(&disk->filter, &keys->include, &keys->exclude, reterr);
    if (status != HF_OK) {
        close_disk(disk);
        return status;
    }
    *ret_self = disk;
    return HF_OK;
}

static const char *check_disk(const void *config)
{
    const struct disk_config *keys = config;
    const char *problem = host_match_check(&keys->include);
    return problem != NULL ? problem : host_match_check(&keys->exclude);
}

static const struct hf_field match_fields[] = {HOST_MATCH_FIELDS("devices")};

HOST_CHECK_ROOM(struct disk_config);

const struct hf_field host_disk_fields[] = {
    HOST_METRICS_BLOCK(metric_fields),
    {.key = "include",
     .type = HF_FIELD_STRUCT,
     .offset = offsetof(struct disk_config, include),
     .inner = match_fields,
     .help = "Only these devices, by the kernel's names (sda1)."},
    {.key = "exclude",
     .type = HF_FIELD_STRUCT,
     .offset = offsetof(struct disk_config, exclude),
     .inner = match_fields,
     .help = "Not these devices."},
    HF_FIELDS_END,
};

const struct host_source host_disk = {
    .name = "disk",
    .metrics = metrics,
    .metric_count = METRIC_COUNT,
    .check = check_disk,
    .open = open_disk,
    .scrape = scrape_disk,
    .close = close_disk,
};
