#include "fs.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#define SEGMENT_DIGITS 20u
#define SET_ASIDE_MAX 64u

/* File systems whose locks and syncs depend on another machine. FUSE may be local and is accepted.
 */
static const unsigned long remote_magics[] = {
    0x6969,     /* NFS */
    0xff534d42, /* CIFS */
    0xfe534d42, /* SMB 2 and later */
    0x517b,     /* the old SMB */
    0x564c,     /* NCP */
    0x5346414f, /* AFS */
    0x6b414653, /* kAFS */
    0x73757245, /* Coda */
    0x01021997, /* 9p */
    0x00c36400, /* Ceph */
    0x0bd00bd0, /* Lustre */
    0x47504653, /* GPFS */
};

enum wal_status wal_fs_status(int error)
{
    switch (error) {
    case 0:
        return WAL_OK;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return WAL_NO_SPACE;
    case ENOMEM:
        return WAL_NOMEM;
    case EACCES:
    case EPERM:
    case EROFS:
        return WAL_NO_RIGHT;
    case ENOENT:
    case ENOTDIR:
        return WAL_MISSING;
    default:
        return WAL_IO;
    }
}

static bool is_remote(int fd)
{
    struct statfs info;

    if (fstatfs(fd, &info) != 0) {
        return false;
    }
    for (size_t i = 0; i < sizeof(remote_magics) / sizeof(remote_magics[0]); i++) {
        if (((unsigned long)info.f_type & 0xffffffffu) == remote_magics[i]) {
            return true;
        }
    }
    return false;
}

/*
 * Makes the directory's own name durable, without which all that is synced inside can be gone after
 * a power cut. Each time: who made it may not have come this far. A parent that this user cannot
 * read was not written by them either.
 */
static enum wal_status sync_parent(int fd)
{
    int parent = openat(fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (parent < 0) {
        return errno == EACCES ? WAL_OK : wal_fs_status(errno);
    }
    int error = fsync(parent) == 0 ? 0 : errno;
    (void)close(parent);
    return error == EINVAL || error == EROFS ? WAL_OK : wal_fs_status(error);
}

enum wal_status wal_fs_open_directory(const char *path, bool create, int *ret_fd)
{
    if (create && mkdir(path, 0700) != 0 && errno != EEXIST) {
        return wal_fs_status(errno);
    }
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return wal_fs_status(errno);
    }
    enum wal_status status = WAL_OK;
    if (is_remote(fd)) {
        status = WAL_REMOTE;
    } else if (create && faccessat(fd, ".", W_OK | X_OK, AT_EACCESS) != 0) {
        status = WAL_NO_RIGHT;
    } else if (create) {
        status = sync_parent(fd);
    }
    if (status != WAL_OK) {
        (void)close(fd);
        return status;
    }
    *ret_fd = fd;
    return WAL_OK;
}

enum wal_status wal_fs_space(int directory, uint64_t *ret_available, uint64_t *ret_size)
{
    struct statvfs info;

    if (fstatvfs(directory, &info) != 0) {
        return WAL_IO;
    }
    *ret_available = (uint64_t)info.f_bavail * info.f_frsize;
    *ret_size = (uint64_t)info.f_blocks * info.f_frsize;
    return WAL_OK;
}

int wal_fs_reserve(int directory, const char *name, uint64_t bytes)
{
    int fd = openat(directory, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (fd < 0) {
        return errno;
    }
    int error = posix_fallocate(fd, 0, (off_t)bytes);
    (void)close(fd);
    return error;
}

void wal_fs_segment_name(uint64_t first, char ret_name[WAL_FILE_NAME_BYTES])
{
    (void)snprintf(ret_name, WAL_FILE_NAME_BYTES, "%020" PRIu64 ".seg", first);
}

bool wal_fs_parse_segment(const char *name, uint64_t *ret_first)
{
    uint64_t value = 0;

    if (strlen(name) != SEGMENT_DIGITS + 4 || strcmp(name + SEGMENT_DIGITS, ".seg") != 0) {
        return false;
    }
    for (unsigned i = 0; i < SEGMENT_DIGITS; i++) {
        if (name[i] < '0' || name[i] > '9') {
            return false;
        }
        uint64_t digit = (uint64_t)(name[i] - '0');
        /* Half the range: sequences are added to. */
        if (value > (UINT64_MAX / 2 - digit) / 10) {
            return false;
        }
        value = value * 10 + digit;
    }
    *ret_first = value;
    return true;
}

bool wal_fs_set_aside(int directory, const char *name, const char *to_path, char *ret_path,
                      size_t path_size)
{
    if (mkdir(to_path, 0700) != 0 && errno != EEXIST) {
        return false;
    }
    for (unsigned i = 0; i < SET_ASIDE_MAX; i++) {
        int length = i == 0 ? snprintf(ret_path, path_size, "%s/%s", to_path, name)
                            : snprintf(ret_path, path_size, "%s/%s.%u", to_path, name, i);
        if (length < 0 || (size_t)length >= path_size) {
            return false;
        }
        /* A link first: it never replaces what is there already. */
        if (linkat(directory, name, AT_FDCWD, ret_path, 0) == 0) {
            return unlinkat(directory, name, 0) == 0;
        }
        if (errno != EEXIST) {
            return renameat(directory, name, AT_FDCWD, ret_path) == 0;
        }
    }
    return false;
}
