/*
 * shim: stands between a process and the files below one directory (LD_PRELOAD). It is told by:
 *
 * HF_SHIM_DIR=/path - the directory; without it nothing is done.
 *
 * HF_SHIM_KILL=N:HOW[:SEED] - SIGKILL at the N-th operation: "before" it, "after" it, "torn": half
 * way through a write (a prefix of whole sectors; before it when there is nothing to tear), or
 * "cached": in the first write from the N-th operation on that would sync too, which is done, but
 * nothing says that it is durable.
 *
 * HF_SHIM_FAIL=A-B:ERRNO:KIND - the A-th to B-th operation of a kind fails: "w" (writes,
 * truncations, allocations), "s" (syncs), "n" (opens for writing, renames, unlinks). ERRNO 0: a
 * part is written, and the write says so.
 *
 * HF_SHIM_SLOW=FILE - a file of one signed 64-bit number: milliseconds that every sync and every
 * write that syncs takes longer. It may change while the process runs.
 *
 * HF_SHIM_LOG=FILE - the history, as in log.h. FILE itself lies elsewhere, like the other two.
 * HF_SHIM_TRUTH=FILE - writes to this file are no operations, but part of the history.
 * HF_SHIM_STATE=FILE - struct crash_state, shared.
 *
 * Operations are serialized: the history is one order, and none begins after the one that kills.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "shim_core.h"

/* ---- writes ---- */

/* All forms of writing come here, as one piece of bytes at an offset. */
static ssize_t write_there(int fd, const void *bytes, size_t size, off_t offset)
{
    enum shim_fate outcome = shim_begin(shim_file(fd)->is_synced ? 'W' : 'w');

    if (outcome == SHIM_FAIL) {
        return -1;
    }
    if (outcome == SHIM_TEAR || outcome == SHIM_SHORT) {
        size_t whole = (size_t)shim_torn_bytes((uint64_t)offset, size);
        if (whole > 0) {
            shim_is_torn();
            (void)!syscall(SYS_pwrite64, fd, bytes, whole, offset);
            shim_note((struct crash_entry){.op = OP_WRITE,
                                           .fd = fd,
                                           .is_unfinished = outcome == SHIM_TEAR,
                                           .offset = (uint64_t)offset,
                                           .data_bytes = whole},
                      NULL, NULL, bytes);
        }
        if (outcome == SHIM_TEAR) {
            shim_die();
        }
        errno = ENOSPC;
        return whole > 0 ? (ssize_t)whole : -1;
    }
    ssize_t written = syscall(SYS_pwrite64, fd, bytes, size, offset);
    if (written > 0) {
        shim_note((struct crash_entry){.op = OP_WRITE,
                                       .fd = fd,
                                       .offset = (uint64_t)offset,
                                       .data_bytes = (uint64_t)written},
                  NULL, NULL, bytes);
    }
    shim_end();
    return written;
}

static off_t position(int fd)
{
    int flags = (int)syscall(SYS_fcntl, fd, F_GETFL);

    return lseek(fd, 0, (flags & O_APPEND) != 0 ? SEEK_END : SEEK_CUR);
}

/* A write at the file's position, which moves. */
static ssize_t write_here(int fd, const void *bytes, size_t size)
{
    off_t offset = position(fd);
    ssize_t written = write_there(fd, bytes, size, offset);

    if (written > 0) {
        lseek(fd, offset + written, SEEK_SET);
    }
    return written;
}

ssize_t write(int fd, const void *bytes, size_t size)
{
    bool is_ours = shim_is_tracked(fd);

    if (!is_ours && (shim_file(fd) == NULL || !shim_file(fd)->is_truth)) {
        return syscall(SYS_write, fd, bytes, size); /* may block: without the lock */
    }
    shim_enter();
    ssize_t written = is_ours ? write_here(fd, bytes, size) : syscall(SYS_write, fd, bytes, size);
    if (!is_ours && written > 0) {
        shim_note((struct crash_entry){.op = OP_TRUTH, .data_bytes = (uint64_t)written}, NULL, NULL,
                  bytes);
    }
    shim_leave();
    return written;
}

ssize_t pwrite(int fd, const void *bytes, size_t size, off_t offset)
{
    shim_be_slow(fd, false);
    shim_enter();
    ssize_t written = shim_is_tracked(fd) ? write_there(fd, bytes, size, offset)
                                          : syscall(SYS_pwrite64, fd, bytes, size, offset);
    shim_leave();
    return written;
}

static void *gather(const struct iovec *parts, int count, size_t *ret_size)
{
    size_t size = 0;

    for (int i = 0; i < count; i++) {
        size += parts[i].iov_len;
    }
    char *bytes = malloc(size + 1);
    if (bytes == NULL) {
        abort();
    }
    *ret_size = 0;
    for (int i = 0; i < count; i++) {
        memcpy(&bytes[*ret_size], parts[i].iov_base, parts[i].iov_len);
        *ret_size += parts[i].iov_len;
    }
    return bytes;
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
    shim_be_slow(fd, false);
    shim_enter();
    ssize_t written = 0;
    if (shim_is_tracked(fd)) {
        size_t size = 0;
        void *bytes = gather(parts, count, &size);
        written = write_here(fd, bytes, size);
        free(bytes);
    } else {
        written = syscall(SYS_writev, fd, parts, count);
    }
    shim_leave();
    return written;
}

ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t offset)
{
    shim_be_slow(fd, false);
    shim_enter();
    size_t size = 0;
    void *bytes = gather(parts, count, &size);
    ssize_t written = shim_is_tracked(fd) ? write_there(fd, bytes, size, offset)
                                          : syscall(SYS_pwrite64, fd, bytes, size, offset);
    free(bytes);
    shim_leave();
    return written;
}

/* ---- other changes of a file ---- */

static int resize_file(int fd, off_t size, uint32_t op)
{
    int rc = -1;

    shim_enter();
    bool is_ours = shim_is_tracked(fd);
    if (!is_ours || shim_begin('w') == SHIM_GO_ON) {
        rc = op == OP_TRUNCATE ? (int)syscall(SYS_ftruncate, fd, size)
                               : (int)syscall(SYS_fallocate, fd, 0, (off_t)0, size);
        if (is_ours && rc == 0) {
            shim_note((struct crash_entry){.op = op, .fd = fd, .offset = (uint64_t)size}, NULL,
                      NULL, NULL);
        }
        if (is_ours) {
            shim_end();
        }
    } else if (errno == 0) { /* nothing to do by halves */
        errno = ENOSPC;
    }
    shim_leave();
    return rc;
}

int ftruncate(int fd, off_t size)
{
    return resize_file(fd, size, OP_TRUNCATE);
}

int fallocate(int fd, int mode, off_t offset, off_t size)
{
    if (mode == 0) {
        return resize_file(fd, offset + size, OP_ALLOCATE);
    }
    /* Room without a size: nothing of it is to be seen, but it can be killed at, and fail. */
    int rc = -1;
    shim_enter();
    bool is_ours = shim_is_tracked(fd);
    if (!is_ours || shim_begin('w') == SHIM_GO_ON) {
        rc = (int)syscall(SYS_fallocate, fd, mode, offset, size);
        if (is_ours) {
            shim_end();
        }
    } else if (errno == 0) {
        errno = ENOSPC;
    }
    shim_leave();
    return rc;
}

int posix_fallocate(int fd, off_t offset, off_t size)
{
    return fallocate(fd, 0, offset, size) == 0 ? 0 : errno;
}

static int sync_file(int fd, long call)
{
    int rc = -1;

    shim_be_slow(fd, true);
    shim_enter();
    if (!shim_is_tracked(fd)) {
        rc = (int)syscall(call, fd);
    } else if (shim_begin('s') == SHIM_GO_ON) {
        rc = (int)syscall(call, fd);
        if (rc == 0) {
            shim_note((struct crash_entry){.op = OP_SYNC, .fd = fd}, NULL, NULL, NULL);
        }
        shim_end();
    }
    shim_leave();
    return rc;
}

int fsync(int fd)
{
    return sync_file(fd, SYS_fsync);
}

int fdatasync(int fd)
{
    return sync_file(fd, SYS_fdatasync);
}

int msync(void *address, size_t size, int flags)
{
    int rc = -1;

    shim_enter();
    if (shim_begin('s') == SHIM_GO_ON) {
        rc = (int)syscall(SYS_msync, address, size, flags);
        shim_end();
    }
    shim_leave();
    return rc;
}

/* ---- names ---- */

static int open_there(int from, const char *path, int flags, unsigned mode)
{
    char whole[PATH_MAX];

    shim_enter();
    const char *name = shim_below(from, path, whole);
    bool is_change = name != NULL && (flags & (O_CREAT | O_TRUNC | O_WRONLY | O_RDWR)) != 0;
    int fd = -1;
    if (!is_change || shim_begin('n') == SHIM_GO_ON) {
        fd = (int)syscall(SYS_openat, from, path, flags, mode);
        struct shim_file *file = shim_file(fd);
        if (file != NULL) {
            *file = (struct shim_file){.is_tracked = name != NULL,
                                       .is_truth = shim_is_truth(path),
                                       .is_synced = (flags & (O_DSYNC | O_SYNC)) != 0};
        }
        if (fd >= 0 && name != NULL) {
            shim_note((struct crash_entry){.op = OP_OPEN, .fd = fd, .flags = (uint32_t)flags}, name,
                      NULL, NULL);
        }
        if (is_change) {
            shim_end();
        }
    }
    shim_leave();
    return fd;
}

#define MODE_OF(flags, ret)                                                                        \
    do {                                                                                           \
        if (((flags)&O_CREAT) != 0 || ((flags)&O_TMPFILE) == O_TMPFILE) {                          \
            va_list rest;                                                                          \
            va_start(rest, flags);                                                                 \
            (ret) = va_arg(rest, unsigned);                                                        \
            va_end(rest);                                                                          \
        }                                                                                          \
    } while (0)

int open(const char *path, int flags, ...)
{
    unsigned mode = 0;

    MODE_OF(flags, mode);
    return open_there(AT_FDCWD, path, flags, mode);
}

int openat(int from, const char *path, int flags, ...)
{
    unsigned mode = 0;

    MODE_OF(flags, mode);
    return open_there(from, path, flags, mode);
}

int creat(const char *path, mode_t mode)
{
    return open_there(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}

int close(int fd)
{
    shim_enter();
    if (shim_is_tracked(fd)) {
        shim_note((struct crash_entry){.op = OP_CLOSE, .fd = fd}, NULL, NULL, NULL);
    }
    if (shim_file(fd) != NULL) {
        *shim_file(fd) = (struct shim_file){0};
    }
    int rc = (int)syscall(SYS_close, fd);
    shim_leave();
    return rc;
}

/* What changes a name: done when it is not ours, or when it shall not fail. */
static int change_name(uint32_t op, const char *name, const char *name2, long call, int from,
                       const char *path, int to, const char *path2, int flags)
{
    int rc = -1;
    bool is_ours = name != NULL || name2 != NULL;

    if (!is_ours || shim_begin('n') == SHIM_GO_ON) {
        rc = call == SYS_renameat2 ? (int)syscall(call, from, path, to, path2, flags)
                                   : (int)syscall(call, from, path, flags);
        if (is_ours && rc == 0) {
            shim_note((struct crash_entry){.op = op}, name, name2, NULL);
        }
        if (is_ours) {
            shim_end();
        }
    }
    return rc;
}

int renameat2(int from, const char *path, int to, const char *path2, unsigned flags)
{
    char whole[PATH_MAX], whole2[PATH_MAX];

    shim_enter();
    const char *name = shim_below(from, path, whole);
    const char *name2 = shim_below(to, path2, whole2);
    int rc = change_name(OP_RENAME, name, name2, SYS_renameat2, from, path, to, path2, (int)flags);
    shim_leave();
    return rc;
}

int renameat(int from, const char *path, int to, const char *path2)
{
    return renameat2(from, path, to, path2, 0);
}

int rename(const char *path, const char *path2)
{
    return renameat2(AT_FDCWD, path, AT_FDCWD, path2, 0);
}

int unlinkat(int from, const char *path, int flags)
{
    char whole[PATH_MAX];

    shim_enter();
    const char *name = shim_below(from, path, whole);
    int rc = change_name(OP_UNLINK, name, NULL, SYS_unlinkat, from, path, 0, NULL, flags);
    shim_leave();
    return rc;
}

int unlink(const char *path)
{
    return unlinkat(AT_FDCWD, path, 0);
}

int rmdir(const char *path)
{
    return unlinkat(AT_FDCWD, path, AT_REMOVEDIR);
}

int mkdirat(int from, const char *path, mode_t mode)
{
    char whole[PATH_MAX];

    shim_enter();
    const char *name = shim_below(from, path, whole);
    int rc = change_name(OP_MKDIR, name, NULL, SYS_mkdirat, from, path, 0, NULL, (int)mode);
    shim_leave();
    return rc;
}

int mkdir(const char *path, mode_t mode)
{
    return mkdirat(AT_FDCWD, path, mode);
}

/* What fortified code calls for flags that are no constant. */
int __open_2(const char *path, int flags);
int __openat_2(int from, const char *path, int flags);

int __open_2(const char *path, int flags)
{
    return open_there(AT_FDCWD, path, flags, 0);
}

int __openat_2(int from, const char *path, int flags)
{
    return open_there(from, path, flags, 0);
}

/* The same functions under their names for large files. */
int open64(const char *path, int flags, ...) __attribute__((alias("open")));
int openat64(int from, const char *path, int flags, ...) __attribute__((alias("openat")));
int creat64(const char *path, mode_t mode) __attribute__((alias("creat")));
ssize_t pwrite64(int fd, const void *bytes, size_t size, off_t offset)
    __attribute__((alias("pwrite")));
ssize_t pwritev64(int fd, const struct iovec *parts, int count, off_t offset)
    __attribute__((alias("pwritev")));
int ftruncate64(int fd, off_t size) __attribute__((alias("ftruncate")));
int fallocate64(int fd, int mode, off_t offset, off_t size) __attribute__((alias("fallocate")));
int posix_fallocate64(int fd, off_t offset, off_t size) __attribute__((alias("posix_fallocate")));
