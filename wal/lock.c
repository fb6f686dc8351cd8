#include "lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "fs.h"

#define LOCK_NAME "lock"

/* A flock belongs to the open file: it goes with the process, however that ends, and also holds
 * within one process. */
struct wal_lock {
    int fd;
};

enum wal_status wal_lock_open(const char *directory, struct wal_lock **ret_lock)
{
    int directory_fd = -1;

    enum wal_status status = wal_fs_open_directory(directory, true, &directory_fd);
    if (status != WAL_OK) {
        return status;
    }
    int fd = openat(directory_fd, LOCK_NAME, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    int error = errno;
    (void)close(directory_fd);
    if (fd < 0) {
        status = wal_fs_status(error);
        return status == WAL_NO_RIGHT ? WAL_NO_RIGHT : WAL_IO;
    }
    struct wal_lock *lock = calloc(1, sizeof(*lock));
    if (lock == NULL) {
        (void)close(fd);
        return WAL_NOMEM;
    }
    lock->fd = fd;
    *ret_lock = lock;
    return WAL_OK;
}

/* Writes our process number into the file, for a process that finds it locked. A failure does no
 * harm. */
static void leave_number(const struct wal_lock *lock)
{
    char text[24];
    int length = snprintf(text, sizeof(text), "%ld\n", (long)getpid());

    if (length > 0 && pwrite(lock->fd, text, (size_t)length, 0) == length) {
        (void)!ftruncate(lock->fd, length);
    }
}

static pid_t read_number(const struct wal_lock *lock)
{
    char text[24] = "";
    char *end = NULL;

    ssize_t n = pread(lock->fd, text, sizeof(text) - 1, 0);
    if (n <= 0) {
        return 0;
    }
    text[n] = '\0';
    errno = 0;
    long number = strtol(text, &end, 10);
    return errno == 0 && end != text && number > 0 && number <= INT32_MAX ? (pid_t)number : 0;
}

enum wal_status wal_lock_try(struct wal_lock *lock, pid_t *ret_holder)
{
    if (flock(lock->fd, LOCK_EX | LOCK_NB) == 0) {
        leave_number(lock);
        return WAL_OK;
    }
    if (errno != EWOULDBLOCK) {
        return WAL_IO;
    }
    *ret_holder = read_number(lock);
    return WAL_CLOSED;
}

enum wal_status wal_lock_wait(struct wal_lock *lock)
{
    if (flock(lock->fd, LOCK_EX) == 0) {
        leave_number(lock);
        return WAL_OK;
    }
    return errno == EINTR ? WAL_CLOSED : WAL_IO;
}

void wal_lock_free(struct wal_lock *lock)
{
    if (lock != NULL) {
        (void)close(lock->fd);
        free(lock);
    }
}
