/*
 * mounts: the mount table of the machine, from /proc/1/mountinfo or else that of this process.
 */
#pragma once

#include "host.h"
#include "util/arena.h"

struct host_mount {
    struct hf_slice device, point, type;
    const char *mode; /* "rw", "ro", "unknown" */
};

struct host_mounts {
    struct hf_arena arena; /* of the texts */
    struct host_mount *mounts;
    size_t count, capacity;
};

/*
 * Reads the table. Without `with_virtual` only file systems on devices are in it: those whose type
 * /proc/filesystems has without "nodev". A device that is mounted at a point more than once is
 * there once. False: errno.
 */
HF_MUST_USE bool host_mounts_read(struct host_mounts *mounts, struct host *host, bool with_virtual);
void host_mounts_release(struct host_mounts *mounts);
