#include "data_dir_check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define PATH_BYTES_MAX 4096
#define PROBE_BYTES 4096

static int write_and_sync(int fd, bool no_fsync)
{
    static const char block[PROBE_BYTES];
    ssize_t wrote = write(fd, block, sizeof(block));
    if (wrote < 0) {
        return errno;
    }
    if (wrote != (ssize_t)sizeof(block)) {
        return ENOSPC;
    }
    return no_fsync || fsync(fd) == 0 ? 0 : errno;
}

int hf_data_dir_check(const char *directory, bool no_fsync)
{
    char path[PATH_BYTES_MAX];
    snprintf(path, sizeof(path), "%s/probe", directory);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        return errno;
    }
    int error = write_and_sync(fd, no_fsync);
    close(fd);
    unlink(path);
    return error;
}

/* Names for people; the numbers are the kernel's (linux/magic.h and the file systems' own). */
static const char *type_name(unsigned long magic)
{
    static const struct {
        unsigned long magic;
        const char *name;
    } types[] = {
        {0xef53, "ext4"},         {0x58465342, "xfs"},     {0x9123683e, "btrfs"},
        {0xf2f52010, "f2fs"},     {0x2fc12fc1, "zfs"},     {0x01021994, "tmpfs"},
        {0x858458f6, "ramfs"},    {0x794c7630, "overlay"}, {0x9fa0, "proc"},
        {0x62656572, "sysfs"},    {0x6969, "nfs"},         {0xff534d42, "cifs"},
        {0xfe534d42, "smb"},      {0x01021997, "9p"},      {0x00c36400, "ceph"},
        {0x65735546, "fuse"},     {0x4d44, "vfat"},        {0x73717368, "squashfs"},
        {0xca451a4e, "bcachefs"},
    };
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (types[i].magic == magic) {
            return types[i].name;
        }
    }
    return NULL;
}

/* Cuts the last name off; false: nothing is left to cut. */
static bool go_up(char *path)
{
    char *slash = strrchr(path, '/');
    if (strcmp(path, "/") == 0 || strcmp(path, ".") == 0) {
        return false;
    }
    if (slash == NULL) {
        snprintf(path, PATH_BYTES_MAX, ".");
    } else {
        slash[slash == path ? 1 : 0] = '\0';
    }
    return true;
}

void hf_data_dir_describe(const char *directory, char *out, size_t room)
{
    char at[PATH_BYTES_MAX];
    struct stat info;
    struct statfs system;
    char type[32];
    out[0] = '\0';
    snprintf(at, sizeof(at), "%s", directory);
    while (stat(at, &info) != 0) {
        if (!go_up(at)) {
            return;
        }
    }
    int used =
        snprintf(out, room, "%.120s has mode %04o, owner %u:%u", at,
                 (unsigned)(info.st_mode & 07777), (unsigned)info.st_uid, (unsigned)info.st_gid);
    if (statfs(at, &system) != 0 || used < 0 || (size_t)used >= room) {
        return;
    }
    unsigned long magic = (unsigned long)system.f_type & 0xffffffffu;
    if (type_name(magic) != NULL) {
        snprintf(type, sizeof(type), "%s", type_name(magic));
    } else {
        snprintf(type, sizeof(type), "0x%lx", magic);
    }
    snprintf(out + used, room - (size_t)used, ", file system %s, %llu bytes free", type,
             (unsigned long long)system.f_bavail * (unsigned long long)system.f_bsize);
}
