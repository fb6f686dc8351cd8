/*
 * filesystem: use of mounted file systems, by statfs(2).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>

#include "filter.h"
#include "mounts.h"
#include "source.h"
#include "util/grow.h"

#define METRICS(X)                                                                                 \
    X(FILESYSTEM_INODES, "system.filesystem.inodes.usage", "{inodes}", UPDOWN, on,                 \
      "Inodes by state.")                                                                          \
    X(FILESYSTEM_USAGE, "system.filesystem.usage", "By", UPDOWN, on, "Bytes by state.")            \
    X(FILESYSTEM_UTILIZATION, "system.filesystem.utilization", "1", GAUGE, off,                    \
      "Share of the bytes that is used, of what is not reserved.")

enum { METRICS(HF_METRIC_ID) METRIC_COUNT };
static const struct hf_metric_row metrics[] = {METRICS(HF_METRIC_ROW)};
static const struct hf_field metric_fields[] = {METRICS(HF_METRIC_FIELD) HF_FIELDS_END};

struct filesystem_config {
    struct hf_metric_choice metrics[METRIC_COUNT];
    bool include_virtual;
    struct host_match include_devices, exclude_devices;
    struct host_match include_types, exclude_types;
    struct host_match include_points, exclude_points;
};

struct usage {
    const struct host_mount *mount;
    uint64_t used, available, reserved; /* bytes */
    uint64_t inodes_used, inodes_free;
};

struct filesystem {
    const struct filesystem_config *config;
    struct host_filter devices, types, points;
    struct host_mounts mounts;
    struct usage *usages;
    size_t count, capacity;
};

static bool takes(const struct filesystem *self, const struct host_mount *mount)
{
    return host_filter_takes(&self->devices, mount->device) &&
           host_filter_takes(&self->types, mount->type) &&
           host_filter_takes(&self->points, mount->point);
}

/*
 * Where a mount point of the machine is for this process: below the root. The table of this
 * process, which is read when that of process 1 cannot be, has it there already.
 */
static bool path_of(const struct host *host, const struct host_mount *mount, char *path,
                    size_t room)
{
    size_t root_size = strlen(host->root);
    bool is_below = host_starts_with(mount->point, host->root) &&
                    (mount->point.size == root_size || mount->point.data[root_size] == '/');
    const char *root = root_size != 0 && !is_below ? host->root : "";
    int size = snprintf(path, room, "%s%.*s", root, (int)mount->point.size,
                        (const char *)mount->point.data);
    return size >= 0 && (size_t)size < room;
}

static bool measure(const struct host *host, const struct host_mount *mount, struct usage *usage,
                    char *path, size_t room)
{
    struct statfs stat;
    if (!path_of(host, mount, path, room)) {
        errno = ENAMETOOLONG;
        return false;
    }
    if (statfs(path, &stat) != 0) {
        return false;
    }
    uint64_t block = (uint64_t)stat.f_bsize;
    uint64_t total = stat.f_blocks * block;
    *usage = (struct usage){
        .mount = mount,
        .used = (stat.f_blocks - stat.f_bfree) * block,
        .available = stat.f_bavail * block,
        .inodes_used = stat.f_files >= stat.f_ffree ? stat.f_files - stat.f_ffree : 0,
        .inodes_free = stat.f_ffree,
    };
    usage->reserved = total - usage->used - usage->available;
    return true;
}

static bool reserve(struct filesystem *self, size_t count)
{
    return hf_grow(&self->usages, &self->capacity, count, sizeof(*self->usages));
}

static bool measure_all(struct filesystem *self, struct host_run *run)
{
    self->count = 0;
    if (!host_mounts_read(&self->mounts, run->host, self->config->include_virtual) ||
        !reserve(self, self->mounts.count)) {
        host_failed(run, METRIC_COUNT - 1, "reading the mount table failed: %s", strerror(errno));
        return false;
    }
    for (size_t i = 0; i < self->mounts.count && !hf_scrape_is_over(run->scrape); i++) {
        const struct host_mount *mount = &self->mounts.mounts[i];
        char path[HOST_PATH_MAX + 4096];
        if (!takes(self, mount)) {
            continue;
        }
        if (measure(run->host, mount, &self->usages[self->count], path, sizeof(path))) {
            self->count++;
        } else {
            host_failed(run, 0, "measuring %.200s failed: %s", path, strerror(errno));
        }
    }
    return true;
}

/* The attributes that all points of a file system have; room for the state behind them. */
static void set_attributes(const struct usage *usage, struct host_attribute *attributes)
{
    attributes[0] = (struct host_attribute){"device", usage->mount->device};
    attributes[1] = (struct host_attribute){"mode", hf_slice_text(usage->mount->mode)};
    attributes[2] = (struct host_attribute){"mountpoint", usage->mount->point};
    attributes[3] = (struct host_attribute){"type", usage->mount->type};
}

static void put_state(struct host_run *run, struct host_attribute *attributes, const char *state,
                      uint64_t value)
{
    attributes[4] = (struct host_attribute){"state", hf_slice_text(state)};
    host_int(run, value, attributes, 5);
}

static void scrape_filesystem(void *self_pointer, struct host_run *run)
{
    struct filesystem *self = self_pointer;
    struct host_attribute attributes[5];
    if (!measure_all(self, run)) {
        return;
    }
    bool is_on = host_metric(run, FILESYSTEM_USAGE);
    for (size_t i = 0; is_on && i < self->count; i++) {
        set_attributes(&self->usages[i], attributes);
        put_state(run, attributes, "used", self->usages[i].used);
        put_state(run, attributes, "free", self->usages[i].available);
        put_state(run, attributes, "reserved", self->usages[i].reserved);
    }
    is_on = host_metric(run, FILESYSTEM_UTILIZATION);
    for (size_t i = 0; is_on && i < self->count; i++) {
        const struct usage *usage = &self->usages[i];
        set_attributes(usage, attributes);
        host_double(run, host_ratio(usage->used, usage->used + usage->available), attributes, 4);
    }
    is_on = host_metric(run, FILESYSTEM_INODES);
    for (size_t i = 0; is_on && i < self->count; i++) {
        set_attributes(&self->usages[i], attributes);
        put_state(run, attributes, "used", self->usages[i].inodes_used);
        put_state(run, attributes, "free", self->usages[i].inodes_free);
    }
}

static void close_filesystem(void *self_pointer)
{
    struct filesystem *self = self_pointer;
    host_filter_release(&self->devices);
    host_filter_release(&self->types);
    host_filter_release(&self->points);
    host_mounts_release(&self->mounts);
    free(self->usages);
    free(self);
}

static enum hf_status open_filesystem(const void *config, struct host *host, void **ret_self,
                                      char *reterr)
{
    const struct filesystem_config *keys = config;
    (void)host;
    struct filesystem *self = calloc(1, sizeof(*self));
    if (self == NULL) {
        snprintf(reterr, HF_ERROR_MAX, "out of memory");
        return HF_NOMEM;
    }
    self->config = config;
    enum hf_status status =
        host_filter_init(&self->devices, &keys->include_devices, &keys->exclude_devices, reterr);
    if (status == HF_OK) {
        status = host_filter_init(&self->types, &keys->include_types, &keys->exclude_types, reterr);
    }
    if (status == HF_OK) {
        status =
            host_filter_init(&self->points, &keys->include_points, &keys->exclude_points, reterr);
    }
    if (status != HF_OK) {
        close_filesystem(self);
        return status;
    }
    *ret_self = self;
    return HF_OK;
}

static const char *check_filesystem(const void *config)
{
    const struct filesystem_config *keys = config;
    const struct host_match *const all[] = {&keys->include_devices, &keys->exclude_devices,
                                            &keys->include_types,   &keys->exclude_types,
                                            &keys->include_points,  &keys->exclude_points};
    const char *problem = NULL;
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]) && problem == NULL; i++) {
        problem = host_match_check(all[i]);
    }
    return problem;
}

static const struct hf_field device_fields[] = {HOST_MATCH_FIELDS("devices")};
static const struct hf_field type_fields[] = {HOST_MATCH_FIELDS("fs_types")};
static const struct hf_field point_fields[] = {HOST_MATCH_FIELDS("mount_points")};

#define MATCH(key_, member, inner_, help_)                                                         \
    {                                                                                              \
        .key = (key_), .type = HF_FIELD_STRUCT,                                                    \
        .offset = offsetof(struct filesystem_config, member), .inner = (inner_), .help = (help_)   \
    }

HOST_CHECK_ROOM(struct filesystem_config);

const struct hf_field host_filesystem_fields[] = {
    HOST_METRICS_BLOCK(metric_fields),
    {.key = "include_virtual_filesystems",
     .type = HF_FIELD_BOOL,
     .offset = offsetof(struct filesystem_config, include_virtual),
     .default_text = "false",
     .help = "Measure also those that are on no device (tmpfs, overlay, nfs)."},
    MATCH("include_devices", include_devices, device_fields, "Only these devices (/dev/sda1)."),
    MATCH("exclude_devices", exclude_devices, device_fields, "Not these devices."),
    MATCH("include_fs_types", include_types, type_fields, "Only these types (ext4)."),
    MATCH("exclude_fs_types", exclude_types, type_fields, "Not these types."),
    MATCH("include_mount_points", include_points, point_fields,
          "Only these mount points, as the machine has them."),
    MATCH("exclude_mount_points", exclude_points, point_fields, "Not these mount points."),
    HF_FIELDS_END,
};

const struct host_source host_filesystem = {
    .name = "filesystem",
    .metrics = metrics,
    .metric_count = METRIC_COUNT,
    .check = check_filesystem,
    .open = open_filesystem,
    .scrape = scrape_filesystem,
    .close = close_filesystem,
};
