/*
 * shim: moves a process's clocks (LD_PRELOAD). HF_CLOCK names a file of two signed 64-bit numbers:
 * nanoseconds to add to Unix time and to the monotonic clocks. The file is mapped; whoever writes
 * it moves the clock at that moment. Kernel namespaces cannot: they leave Unix time as it is, and
 * their other clocks are set before the process begins.
 *
 * Deadlines are waited for in slices of real time, and a wait ends early, as if interrupted, when a
 * clock was moved meanwhile: so a timer set for tomorrow fires once it is tomorrow. Relative waits
 * last as long as they say, or until a clock is moved.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S INT64_C(1000000000)
#define SLICE_NS INT64_C(10000000)
#define SLICE_MS 10

struct offsets {
    _Atomic int64_t unix_ns, monotonic_ns;
};

static struct offsets none;
static struct offsets *offsets = &none;

__attribute__((constructor)) static void set_up(void)
{
    const char *path = getenv("HF_CLOCK");
    int fd = path != NULL ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    void *mapped = fd >= 0 ? mmap(NULL, sizeof(none), PROT_READ, MAP_SHARED, fd, 0) : MAP_FAILED;

    if (mapped != MAP_FAILED) {
        offsets = mapped;
    }
    if (fd >= 0) {
        close(fd);
    }
}

static int64_t offset_of(clockid_t clock)
{
    switch (clock) {
    case CLOCK_REALTIME:
    case CLOCK_REALTIME_COARSE:
        return atomic_load(&offsets->unix_ns);
    case CLOCK_MONOTONIC:
    case CLOCK_MONOTONIC_COARSE:
    case CLOCK_MONOTONIC_RAW:
    case CLOCK_BOOTTIME:
        return atomic_load(&offsets->monotonic_ns);
    default: /* CPU time is not to be moved */
        return 0;
    }
}

static int64_t to_ns(const struct timespec *time)
{
    return (int64_t)time->tv_sec * NS_PER_S + time->tv_nsec;
}

static struct timespec to_time(int64_t ns)
{
    return (struct timespec){.tv_sec = ns / NS_PER_S, .tv_nsec = ns % NS_PER_S};
}

static int64_t real_ns(clockid_t clock)
{
    struct timespec now = {0};

    syscall(SYS_clock_gettime, clock, &now);
    return to_ns(&now);
}

/* ---- reading ---- */

int clock_gettime(clockid_t clock, struct timespec *ret)
{
    int rc = (int)syscall(SYS_clock_gettime, clock, ret);
    int64_t offset = offset_of(clock);

    if (rc == 0 && offset != 0) {
        *ret = to_time(to_ns(ret) + offset);
    }
    return rc;
}

int gettimeofday(struct timeval *ret, void *zone)
{
    struct timespec now = {0};

    (void)zone;
    clock_gettime(CLOCK_REALTIME, &now);
    *ret = (struct timeval){.tv_sec = now.tv_sec, .tv_usec = now.tv_nsec / 1000};
    return 0;
}

time_t time(time_t *ret)
{
    struct timespec now = {0};

    clock_gettime(CLOCK_REALTIME, &now);
    if (ret != NULL) {
        *ret = now.tv_sec;
    }
    return now.tv_sec;
}

/* ---- waiting ---- */

/* The sum changes with either; a move that keeps it is not worth a lock. */
static int64_t generation(void)
{
    return atomic_load(&offsets->unix_ns) * 3 + atomic_load(&offsets->monotonic_ns);
}

/* The end of the next slice towards a deadline, in real time of the monotonic clock. */
static struct timespec slice(int64_t left_ns)
{
    return to_time(real_ns(CLOCK_MONOTONIC) + (left_ns < SLICE_NS ? left_ns : SLICE_NS));
}

typedef int sem_wait_until(sem_t *, clockid_t, const struct timespec *);

/* POSIX has no other way from an object to a function. */
#define NEXT(name) __extension__((typeof(&(name)))dlsym(RTLD_NEXT, #name))

/* The program's conditions all go by the monotonic clock. */
int pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *lock,
                           const struct timespec *until)
{
    int64_t began = generation();

    for (;;) {
        int64_t left_ns = to_ns(until) - real_ns(CLOCK_MONOTONIC) - offset_of(CLOCK_MONOTONIC);
        if (left_ns <= 0) {
            return ETIMEDOUT;
        }
        struct timespec end = slice(left_ns);
        int rc = pthread_cond_clockwait(condition, lock, CLOCK_MONOTONIC, &end);
        if (rc != ETIMEDOUT || generation() != began) {
            return rc != ETIMEDOUT ? rc : 0; /* 0: awake for no reason, as any condition may be */
        }
    }
}

static int wait_for(sem_t *semaphore, clockid_t clock, const struct timespec *until)
{
    static sem_wait_until *real;

    if (real == NULL) {
        real = NEXT(sem_clockwait);
    }
    for (;;) {
        int64_t left_ns = to_ns(until) - real_ns(clock) - offset_of(clock);
        struct timespec end = slice(left_ns > 0 ? left_ns : 0);
        if (real(semaphore, CLOCK_MONOTONIC, &end) == 0) {
            return 0;
        }
        if (errno != ETIMEDOUT || left_ns <= SLICE_NS) {
            return -1;
        }
    }
}

int sem_timedwait(sem_t *semaphore, const struct timespec *until)
{
    return wait_for(semaphore, CLOCK_REALTIME, until);
}

int sem_clockwait(sem_t *semaphore, clockid_t clock, const struct timespec *until)
{
    return wait_for(semaphore, clock, until);
}

/* How long the next slice of a relative wait is; 0: it is over, or a clock was moved. */
static int next_ms(int wait_ms, int64_t began_ns, int64_t moved)
{
    int64_t spent_ms = (real_ns(CLOCK_MONOTONIC) - began_ns) / (NS_PER_S / 1000);

    if (generation() != moved || (wait_ms >= 0 && spent_ms >= wait_ms)) {
        return 0;
    }
    return wait_ms >= 0 && wait_ms - spent_ms < SLICE_MS ? (int)(wait_ms - spent_ms) : SLICE_MS;
}

int epoll_wait(int fd, struct epoll_event *events, int most, int wait_ms)
{
    int64_t began_ns = real_ns(CLOCK_MONOTONIC), moved = generation();

    for (;;) {
        int ms = next_ms(wait_ms, began_ns, moved);
        int count = (int)syscall(SYS_epoll_pwait, fd, events, most, ms, NULL, 0);
        if (count != 0 || ms == 0) {
            return count;
        }
    }
}

int poll(struct pollfd *fds, nfds_t number, int wait_ms)
{
    int64_t began_ns = real_ns(CLOCK_MONOTONIC), moved = generation();

    for (;;) {
        int ms = next_ms(wait_ms, began_ns, moved);
        int count = (int)syscall(SYS_poll, fds, number, ms);
        if (count != 0 || ms == 0) {
            return count;
        }
    }
}
