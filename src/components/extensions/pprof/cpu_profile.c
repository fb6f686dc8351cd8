#include "cpu_profile.h"

#include <dirent.h>
#include <errno.h>
#include <execinfo.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include "util/time/clock.h"

#define RING_PLACES 4096u /* 40 s of one busy core */
#define THREADS_MAX 4096u
#define OWN_FRAMES 8u /* of the handler and the signal's return, at most */

/* A sample, from the handler to who gathers. */
struct sample {
    atomic_bool is_full;
    int32_t thread_id;
    uint32_t depth, times;
    uint64_t addresses[STACK_DEPTH_MAX];
};

struct ring {
    atomic_uint next;
    atomic_uint_fast64_t lost;
    struct sample places[RING_PLACES];
};

struct thread {
    struct hf_profiled_thread about;
    timer_t timer;
    bool has_timer, is_alive;
};

struct hf_cpu_profile {
    struct ring *ring;
    struct hf_stacks stacks;
    struct thread *threads;
    size_t thread_count, thread_room;
    uint64_t start_unix_ns, start_ns, duration_ns;
};

/* A signal's handler has no other way to what it needs. */
static _Atomic(struct ring *) active_ring;
static atomic_uint in_handler;
static atomic_flag is_taken = ATOMIC_FLAG_INIT;

/* ---- the handler ---- */

static uint64_t interrupted_at(const ucontext_t *context)
{
#if defined(__x86_64__)
    return (uint64_t)context->uc_mcontext.gregs[REG_RIP];
#elif defined(__aarch64__)
    return context->uc_mcontext.pc;
#else
#error "no way to read the program counter of this machine"
#endif
}

/* Of all frames those of what was interrupted: from the one that stands at its address. */
static void note_stack(struct sample *sample, uint64_t at)
{
    void *frames[STACK_DEPTH_MAX + OWN_FRAMES];
    int count = backtrace(frames, (int)(sizeof(frames) / sizeof(frames[0])));
    int first = 0;
    while (first < count && (uint64_t)(uintptr_t)frames[first] != at) {
        first++;
    }
    sample->depth = 0;
    for (int i = first; i < count && sample->depth < STACK_DEPTH_MAX; i++) {
        sample->addresses[sample->depth++] = (uint64_t)(uintptr_t)frames[i];
    }
    if (sample->depth == 0) { /* the unwinder lost its way */
        sample->addresses[sample->depth++] = at;
    }
}

static void note(struct ring *ring, const siginfo_t *info, const ucontext_t *context)
{
    unsigned place = atomic_fetch_add(&ring->next, 1) % RING_PLACES;
    struct sample *sample = &ring->places[place];
    uint32_t times = 1 + (info->si_overrun > 0 ? (uint32_t)info->si_overrun : 0);
    if (atomic_load_explicit(&sample->is_full, memory_order_acquire)) {
        atomic_fetch_add(&ring->lost, times);
        return;
    }
    sample->thread_id = info->si_value.sival_int;
    sample->times = times;
    note_stack(sample, interrupted_at(context));
    atomic_store_explicit(&sample->is_full, true, memory_order_release);
}

static void on_sample(int number, siginfo_t *info, void *context)
{
    int kept = errno;
    (void)number;
    atomic_fetch_add(&in_handler, 1);
    struct ring *ring = atomic_load(&active_ring);
    if (ring != NULL && info->si_code == SI_TIMER) {
        note(ring, info, context);
    }
    atomic_fetch_sub(&in_handler, 1);
    errno = kept;
}

/* ---- threads ---- */

static void read_name(int32_t thread_id, char *ret_name)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/self/task/%d/comm", thread_id);
    FILE *file = fopen(path, "re");
    if (file == NULL || fgets(ret_name, 16, file) == NULL) {
        ret_name[0] = '\0';
    }
    if (file != NULL) {
        fclose(file);
    }
    ret_name[strcspn(ret_name, "\n")] = '\0';
}

/* The clock of a thread's CPU time, by the kernel's numbering. */
static clockid_t clock_of(int32_t thread_id)
{
    return (clockid_t)((~(unsigned)thread_id << 3) | 6u);
}

static bool arm(struct thread *thread)
{
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGPROF};
    const struct timespec period = {0, 1000000000 / HF_CPU_PROFILE_HZ};
    const struct itimerspec repeat = {period, period};
    event.sigev_value.sival_int = thread->about.id;
    event._sigev_un._tid = thread->about.id;
    if (timer_create(clock_of(thread->about.id), &event, &thread->timer) != 0) {
        return false; /* it has just ended, or there are too many timers */
    }
    if (timer_settime(thread->timer, 0, &repeat, NULL) != 0) {
        timer_delete(thread->timer);
        return false;
    }
    return true;
}

static struct thread *find_thread(const struct hf_cpu_profile *profile, int32_t thread_id)
{
    for (size_t i = profile->thread_count; i > 0; i--) { /* numbers are used again: the latest */
        if (profile->threads[i - 1].about.id == thread_id) {
            return &profile->threads[i - 1];
        }
    }
    return NULL;
}

static void see_thread(struct hf_cpu_profile *profile, int32_t thread_id)
{
    struct thread *known = find_thread(profile, thread_id);
    if (known != NULL && known->has_timer) {
        known->is_alive = true;
        return;
    }
    if (profile->thread_count == profile->thread_room) {
        size_t room = 2 * profile->thread_room + 64;
        struct thread *more =
            room <= THREADS_MAX + 64 ? reallocarray(profile->threads, room, sizeof(*more)) : NULL;
        if (more == NULL) {
            return; /* it is not seen */
        }
        profile->threads = more;
        profile->thread_room = room;
    }
    struct thread *thread = &profile->threads[profile->thread_count];
    *thread = (struct thread){.about.id = thread_id, .is_alive = true};
    read_name(thread_id, thread->about.name);
    thread->has_timer = arm(thread);
    profile->thread_count += thread->has_timer;
}

static void disarm(struct thread *thread)
{
    if (thread->has_timer) {
        timer_delete(thread->timer);
        thread->has_timer = false;
    }
}

static void look_for_threads(struct hf_cpu_profile *profile)
{
    DIR *folder = opendir("/proc/self/task");
    if (folder == NULL) {
        return;
    }
    for (size_t i = 0; i < profile->thread_count; i++) {
        profile->threads[i].is_alive = false;
    }
    for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        int32_t thread_id = (int32_t)strtol(entry->d_name, NULL, 10);
        if (thread_id > 0) {
            see_thread(profile, thread_id);
        }
    }
    closedir(folder);
    for (size_t i = 0; i < profile->thread_count; i++) {
        if (!profile->threads[i].is_alive) {
            disarm(&profile->threads[i]);
        }
    }
}

/* ---- its life ---- */

static void set_handler(bool on)
{
    struct sigaction action = {.sa_flags = SA_SIGINFO | SA_RESTART};
    sigfillset(&action.sa_mask);
    if (on) {
        action.sa_sigaction = on_sample;
    } else {
        action.sa_flags = 0;
        action.sa_handler = SIG_IGN;
    }
    sigaction(SIGPROF, &action, NULL);
}

enum hf_status hf_cpu_profile_start(struct hf_cpu_profile **ret_profile)
{
    void *frames[4];
    if (atomic_flag_test_and_set(&is_taken)) {
        return HF_BUSY;
    }
    (void)backtrace(frames, 4); /* loads what it needs, which a handler must not do */
    struct hf_cpu_profile *profile = calloc(1, sizeof(*profile));
    struct ring *ring =
        mmap(NULL, sizeof(*ring), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (profile == NULL || ring == MAP_FAILED) {
        if (ring != MAP_FAILED) {
            munmap(ring, sizeof(*ring));
        }
        free(profile);
        atomic_flag_clear(&is_taken);
        return HF_NOMEM;
    }
    profile->ring = ring;
    profile->start_unix_ns = hf_clock_unix_ns();
    profile->start_ns = hf_clock_monotonic_ns();
    atomic_store(&active_ring, ring);
    set_handler(true);
    look_for_threads(profile);
    *ret_profile = profile;
    return HF_OK;
}

static void take_samples(struct hf_cpu_profile *profile)
{
    struct ring *ring = profile->ring;
    for (size_t i = 0; i < RING_PLACES; i++) {
        struct sample *sample = &ring->places[i];
        if (atomic_load_explicit(&sample->is_full, memory_order_acquire)) {
            hf_stacks_add(&profile->stacks, sample->thread_id, sample->addresses, sample->depth,
                          sample->times);
            atomic_store_explicit(&sample->is_full, false, memory_order_release);
        }
    }
    profile->stacks.lost += atomic_exchange(&ring->lost, 0);
}

void hf_cpu_profile_gather(struct hf_cpu_profile *profile)
{
    take_samples(profile);
    look_for_threads(profile);
}

void hf_cpu_profile_stop(struct hf_cpu_profile *profile)
{
    const struct timespec pause = {0, 100000};
    for (size_t i = 0; i < profile->thread_count; i++) {
        disarm(&profile->threads[i]);
    }
    atomic_store(&active_ring, NULL);
    while (atomic_load(&in_handler) != 0) {
        nanosleep(&pause, NULL); /* a handler may still write */
    }
    set_handler(false);
    profile->duration_ns = hf_clock_monotonic_ns() - profile->start_ns;
    take_samples(profile);
    munmap(profile->ring, sizeof(*profile->ring));
    profile->ring = NULL;
    atomic_flag_clear(&is_taken);
}

void hf_cpu_profile_free(struct hf_cpu_profile *profile)
{
    if (profile == NULL) {
        return;
    }
    if (profile->ring != NULL) {
        hf_cpu_profile_stop(profile);
    }
    hf_stacks_release(&profile->stacks);
    free(profile->threads);
    free(profile);
}

const struct hf_stacks *hf_cpu_profile_stacks(const struct hf_cpu_profile *profile)
{
    return &profile->stacks;
}

const char *hf_cpu_profile_thread_name(const struct hf_cpu_profile *profile, int32_t thread_id)
{
    const struct thread *thread = find_thread(profile, thread_id);
    return thread != NULL ? thread->about.name : NULL;
}

void hf_cpu_profile_times(const struct hf_cpu_profile *profile, uint64_t *ret_start_unix_ns,
                          uint64_t *ret_duration_ns)
{
    *ret_start_unix_ns = profile->start_unix_ns;
    *ret_duration_ns = profile->duration_ns;
}
