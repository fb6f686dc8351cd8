#include "shim_core.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { FDS = 1024, SECTOR = 512, LOG_FD = 1000 };

enum how { NEVER, BEFORE, AFTER, TORN, CACHED };
static const char *const hows[] = {"never", "before", "after", "torn", "cached"};

static struct {
    pthread_mutex_t lock;
    bool is_ready, is_on;
    char directory[PATH_MAX], truth[PATH_MAX];
    size_t directory_size;
    uint64_t kill_at, seed;
    enum how how;
    uint64_t fail_first, fail_last, fail_count;
    int fail_errno; /* 0: a short write */
    char fail_kind;
    int log_fd;
    struct crash_state *state, own_state;
    const _Atomic int64_t *slow_ms; /* NULL: as fast as it is */
    struct shim_file fds[FDS];
} shim = {.lock = PTHREAD_MUTEX_INITIALIZER, .log_fd = -1};

/* ---- history ---- */

static void raw_write(const void *bytes, size_t size)
{
    const char *from = bytes;

    while (size > 0) {
        ssize_t n = syscall(SYS_write, shim.log_fd, from, size);
        if (n <= 0) {
            abort();
        }
        from += n;
        size -= (size_t)n;
    }
}

void shim_note(struct crash_entry entry, const char *path, const char *path2, const void *data)
{
    if (shim.log_fd < 0) {
        return;
    }
    entry.path_bytes = path != NULL ? (uint32_t)strlen(path) : 0;
    entry.path2_bytes = path2 != NULL ? (uint32_t)strlen(path2) : 0;
    raw_write(&entry, sizeof(entry));
    raw_write(path, entry.path_bytes);
    raw_write(path2, entry.path2_bytes);
    raw_write(data, entry.data_bytes);
}

/* ---- setting up ---- */

static void set_kill(const char *text)
{
    char *rest = NULL;

    shim.kill_at = strtoull(text, &rest, 10);
    rest += *rest == ':';
    shim.how = NEVER;
    for (unsigned i = BEFORE; i <= CACHED; i++) {
        shim.how = strncmp(rest, hows[i], strlen(hows[i])) == 0 ? (enum how)i : shim.how;
    }
    const char *seed = strchr(rest, ':');
    shim.seed = seed != NULL ? strtoull(seed + 1, NULL, 10) : 1;
}

static void set_fail(const char *text)
{
    char *rest = NULL;

    shim.fail_first = strtoull(text, &rest, 10);
    shim.fail_last = *rest == '-' ? strtoull(rest + 1, &rest, 10) : shim.fail_first;
    rest += *rest == ':';
    shim.fail_errno = (int)strtol(rest, &rest, 10);
    const char *kind = strchr(rest, ':');
    shim.fail_kind = kind != NULL ? kind[1] : 'w';
}

static int raw_open(const char *path, int flags)
{
    int fd = (int)syscall(SYS_openat, AT_FDCWD, path, flags | O_CLOEXEC, 0600);
    int high = fd >= 0 ? (int)syscall(SYS_fcntl, fd, F_DUPFD_CLOEXEC, LOG_FD) : -1;

    if (high >= 0) {
        syscall(SYS_close, fd);
    }
    return high >= 0 ? high : fd;
}

/* NULL when there is no such file. */
static void *map(const char *path, size_t size)
{
    int fd = raw_open(path, O_RDWR);
    void *mapped =
        fd >= 0 ? mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) : MAP_FAILED;

    if (fd >= 0) {
        syscall(SYS_close, fd);
    }
    return mapped != MAP_FAILED ? mapped : NULL;
}

static void set_up(void)
{
    const char *directory = getenv("HF_SHIM_DIR");

    shim.is_ready = true;
    shim.state = &shim.own_state;
    if (directory == NULL) {
        return;
    }
    shim.is_on = true;
    snprintf(shim.directory, sizeof(shim.directory), "%s", directory);
    shim.directory_size = strlen(shim.directory);
    if (getenv("HF_SHIM_KILL") != NULL) {
        set_kill(getenv("HF_SHIM_KILL"));
    }
    if (getenv("HF_SHIM_FAIL") != NULL) {
        set_fail(getenv("HF_SHIM_FAIL"));
    }
    if (getenv("HF_SHIM_TRUTH") != NULL) {
        snprintf(shim.truth, sizeof(shim.truth), "%s", getenv("HF_SHIM_TRUTH"));
    }
    if (getenv("HF_SHIM_LOG") != NULL) {
        shim.log_fd = raw_open(getenv("HF_SHIM_LOG"), O_WRONLY | O_CREAT | O_APPEND);
        shim_note((struct crash_entry){.op = OP_START}, NULL, NULL, NULL);
    }
    if (getenv("HF_SHIM_STATE") != NULL) {
        void *state = map(getenv("HF_SHIM_STATE"), sizeof(*shim.state));
        shim.state = state != NULL ? state : shim.state;
    }
    if (getenv("HF_SHIM_SLOW") != NULL) {
        shim.slow_ms = map(getenv("HF_SHIM_SLOW"), sizeof(*shim.slow_ms));
    }
}

void shim_enter(void)
{
    pthread_mutex_lock(&shim.lock);
    if (!shim.is_ready) {
        set_up();
    }
}

void shim_leave(void)
{
    int error = errno;

    pthread_mutex_unlock(&shim.lock);
    errno = error;
}

/* ---- paths ---- */

/* Absolute path of `path` seen from `from`; false when it is not known. */
static bool whole_path(int from, const char *path, char ret[PATH_MAX])
{
    char link[64];
    ssize_t size = 0;

    if (path[0] == '/') {
        return snprintf(ret, PATH_MAX, "%s", path) < PATH_MAX;
    }
    snprintf(link, sizeof(link), from == AT_FDCWD ? "/proc/self/cwd" : "/proc/self/fd/%d", from);
    size = readlink(link, ret, PATH_MAX - 1);
    if (size < 0) {
        return false;
    }
    size_t room = PATH_MAX - (size_t)size;
    return snprintf(&ret[size], room, "%s%s", path[0] != '\0' ? "/" : "", path) < (int)room;
}

/* The part below the directory, or NULL when it is elsewhere. */
static const char *below(const char *whole)
{
    if (!shim.is_on || strncmp(whole, shim.directory, shim.directory_size) != 0) {
        return NULL;
    }
    const char *rest = &whole[shim.directory_size];
    return *rest == '/' ? rest + 1 : *rest == '\0' ? rest : NULL;
}

const char *shim_below(int from, const char *path, char whole[PATH_MAX])
{
    return shim.is_on && whole_path(from, path, whole) ? below(whole) : NULL;
}

struct shim_file *shim_file(int fd)
{
    return fd >= 0 && fd < FDS ? &shim.fds[fd] : NULL;
}

bool shim_is_tracked(int fd)
{
    const struct shim_file *file = shim_file(fd);

    return shim.is_on && file != NULL && file->is_tracked;
}

/* ---- faults ---- */

void shim_be_slow(int fd, bool is_sync)
{
    if (shim.slow_ms == NULL || !shim_is_tracked(fd) || (!is_sync && !shim_file(fd)->is_synced)) {
        return;
    }
    int64_t ms = atomic_load(shim.slow_ms);
    const struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    nanosleep(&time, NULL);
}

_Noreturn void shim_die(void)
{
    shim.state->killed = 1;
    kill(getpid(), SIGKILL);
    for (;;) { /* with the lock: no other thread does anything more */
        pause();
    }
}

/* Counts an operation and says what shall become of it. */
enum shim_fate shim_begin(char kind)
{
    bool is_synced = kind == 'W';

    kind = is_synced ? 'w' : kind;
    shim.state->ops++;
    shim.state->writes += kind == 'w';
    shim.state->syncs += kind == 's';
    if (shim.how == CACHED) {
        if (shim.state->ops >= shim.kill_at && is_synced) {
            return SHIM_TEAR;
        }
    } else if (shim.state->ops == shim.kill_at && shim.how != AFTER) {
        if (shim.how == TORN && kind == 'w') {
            return SHIM_TEAR;
        }
        shim_die();
    }
    if (shim.fail_first != 0 && kind == shim.fail_kind) {
        shim.fail_count++;
        if (shim.fail_count >= shim.fail_first && shim.fail_count <= shim.fail_last) {
            shim.state->failed++;
            errno = shim.fail_errno;
            return shim.fail_errno != 0 ? SHIM_FAIL : SHIM_SHORT;
        }
    }
    return SHIM_GO_ON;
}

void shim_end(void)
{
    if (shim.state->ops == shim.kill_at && shim.how == AFTER) {
        shim_die();
    }
}

uint64_t shim_torn_bytes(uint64_t offset, uint64_t size)
{
    /* Sectors of the file, not of the buffer. */
    uint64_t first = SECTOR - offset % SECTOR;
    uint64_t sectors = size > first ? (size - first + SECTOR - 1) / SECTOR : 0;

    if (shim.how == CACHED) {
        return size;
    }
    return sectors == 0 ? 0 : first + SECTOR * (shim.seed * 7919u % sectors);
}

void shim_is_torn(void)
{
    shim.state->is_torn = shim.how == TORN;
}

bool shim_is_truth(const char *path)
{
    return shim.is_on && shim.truth[0] != '\0' && strcmp(path, shim.truth) == 0;
}
