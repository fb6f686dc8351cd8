#include "loop.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <holdfast/ref.h>

#include "thread.h"
#include "util/time/clock.h"

#define STACK_BYTES ((size_t)2 << 20)
#define READY_MAX 256u
#define TIMERS_MAX (1u << 24)
/* There from the start: what keeps a loop's owners alive does not depend on memory being left. */
#define TIMERS_FIRST 64
/* A task deferred by a deferred one still runs in this turn; a chain that never ends must not
 * starve the descriptors. */
#define DEFER_PASSES_MAX 8

/* Values of `owner` that no pthread_self() has. */
#define OWNER_ANYBODY ((uintptr_t)0) /* not running: any thread that sets it up */
#define OWNER_TO_COME ((uintptr_t)1) /* its thread was asked for and has not begun */

struct task_list {
    struct hf_task *first, **end;
};

struct hf_loop {
    int epoll_fd, wake_fd;
    struct hf_io wake;
    atomic_uintptr_t owner;
    pthread_t thread;
    bool has_thread;

    struct epoll_event ready[READY_MAX];
    int ready_count, ready_at;
    uint64_t now_ns;
    struct hf_timer **heap; /* least due first */
    uint32_t heap_count, heap_capacity;
    struct task_list deferred;
    bool woken;

    pthread_mutex_t lock; /* of what follows */
    struct task_list inbox;
    bool stopping;
};

static void list_init(struct task_list *list)
{
    list->first = NULL;
    list->end = &list->first;
}

static void list_append(struct task_list *list, struct hf_task *task)
{
    task->next = NULL;
    *list->end = task;
    list->end = &task->next;
}

/* Empties the list; what it held is returned as a chain. */
static struct hf_task *list_take(struct task_list *list)
{
    struct hf_task *chain = list->first;
    list_init(list);
    return chain;
}

/* A task may free itself, so its successor is read before. */
static void run_chain(struct hf_task *task)
{
    while (task != NULL) {
        struct hf_task *next = task->next;
        task->next = NULL;
        task->run(task);
        task = next;
    }
}

static void wake(struct hf_loop *loop)
{
    uint64_t one = 1;
    ssize_t written;
    do {
        written = write(loop->wake_fd, &one, sizeof(one));
    } while (written < 0 && errno == EINTR);
    /* EAGAIN is a counter that is full: the loop is awake anyway. */
}

static void on_wake(struct hf_io *io, uint32_t events)
{
    struct hf_loop *loop = HF_CONTAINER(io, struct hf_loop, wake);
    (void)events;
    uint64_t count;
    ssize_t got = read(loop->wake_fd, &count, sizeof(count));
    (void)got; /* another reader is impossible, and a spurious wake-up only finds nothing */
    loop->woken = true;
}

enum hf_status hf_loop_new(struct hf_loop **ret_loop)
{
    struct hf_loop *loop = calloc(1, sizeof(*loop));
    struct hf_timer **heap = calloc(TIMERS_FIRST, sizeof(struct hf_timer *));
    if (loop == NULL || heap == NULL) {
        free(heap);
        free(loop);
        return HF_NOMEM;
    }
    loop->heap = heap;
    loop->heap_capacity = TIMERS_FIRST;
    atomic_init(&loop->owner, OWNER_ANYBODY);
    list_init(&loop->deferred);
    list_init(&loop->inbox);
    pthread_mutex_init(&loop->lock, NULL);
    loop->wake.ready = on_wake;
    loop->now_ns = hf_clock_monotonic_ns();
    loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    loop->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (loop->epoll_fd < 0 || loop->wake_fd < 0 ||
        hf_loop_add(loop, loop->wake_fd, EPOLLIN, &loop->wake) != HF_OK) {
        int reason = errno;
        hf_loop_free(loop);
        errno = reason;
        return HF_IO;
    }
    *ret_loop = loop;
    return HF_OK;
}

static struct hf_task *take_inbox(struct hf_loop *loop, bool *ret_stopping)
{
    pthread_mutex_lock(&loop->lock);
    struct hf_task *chain = list_take(&loop->inbox);
    *ret_stopping = loop->stopping;
    pthread_mutex_unlock(&loop->lock);
    return chain;
}

void hf_loop_free(struct hf_loop *loop)
{
    if (loop == NULL) {
        return;
    }
    assert(!loop->has_thread);
    for (;;) {
        bool stopping;
        struct hf_task *posted = take_inbox(loop, &stopping);
        struct hf_task *deferred = list_take(&loop->deferred);
        if (posted == NULL && deferred == NULL) {
            break;
        }
        run_chain(posted);
        run_chain(deferred);
    }
    if (loop->wake_fd >= 0) {
        close(loop->wake_fd);
    }
    if (loop->epoll_fd >= 0) {
        close(loop->epoll_fd);
    }
    pthread_mutex_destroy(&loop->lock);
    free(loop->heap);
    free(loop);
}

/* Rounded up: a turn that comes a little late finds its timer due, one too early would spin. */
static int wait_ms(const struct hf_loop *loop)
{
    if (loop->deferred.first != NULL) {
        return 0;
    }
    if (loop->heap_count == 0) {
        return -1;
    }
    uint64_t due_ns = loop->heap[0]->due_ns;
    uint64_t now_ns = hf_clock_monotonic_ns();
    if (due_ns <= now_ns) {
        return 0;
    }
    uint64_t ms = (due_ns - now_ns - 1) / 1000000u + 1;
    return ms > 3600u * 1000u ? 3600 * 1000 : (int)ms;
}

static void run_ready(struct hf_loop *loop)
{
    for (loop->ready_at = 0; loop->ready_at < loop->ready_count; loop->ready_at++) {
        const struct epoll_event *event = &loop->ready[loop->ready_at];
        struct hf_io *io = event->data.ptr;
        if (io != NULL) {
            io->ready(io, event->events);
        }
    }
    loop->ready_count = 0;
}

static void run_timers(struct hf_loop *loop)
{
    /* The bound: a timer set to a past time again and again takes its turn with the rest. */
    uint32_t bound = loop->heap_count;
    for (uint32_t i = 0; i < bound && loop->heap_count > 0; i++) {
        struct hf_timer *timer = loop->heap[0];
        if (timer->due_ns > loop->now_ns) {
            break;
        }
        hf_loop_timer_stop(loop, timer);
        timer->fire(timer, loop->now_ns);
    }
}

static void run_deferred(struct hf_loop *loop)
{
    for (int pass = 0; pass < DEFER_PASSES_MAX && loop->deferred.first != NULL; pass++) {
        run_chain(list_take(&loop->deferred));
    }
}

void hf_loop_run(struct hf_loop *loop)
{
    atomic_store(&loop->owner, (uintptr_t)pthread_self());
    bool stopping = false;
    while (!stopping) {
        int count = epoll_wait(loop->epoll_fd, loop->ready, (int)READY_MAX, wait_ms(loop));
        assert(count >= 0 || errno == EINTR);
        loop->ready_count = count > 0 ? count : 0;
        loop->now_ns = hf_clock_monotonic_ns();
        run_ready(loop);
        run_timers(loop);
        if (loop->woken) {
            loop->woken = false;
            run_chain(take_inbox(loop, &stopping));
        }
        run_deferred(loop);
    }
    pthread_mutex_lock(&loop->lock);
    loop->stopping = false;
    pthread_mutex_unlock(&loop->lock);
    atomic_store(&loop->owner, OWNER_ANYBODY);
}

void hf_loop_stop(struct hf_loop *loop)
{
    pthread_mutex_lock(&loop->lock);
    loop->stopping = true;
    pthread_mutex_unlock(&loop->lock);
    wake(loop);
}

static void *thread_main(void *argument)
{
    hf_loop_run(argument);
    return NULL;
}

/* The user's `ulimit -s` may ask for less than deeply nested data needs. */
static int create_thread(struct hf_loop *loop)
{
    pthread_attr_t attributes;
    size_t stack_bytes = 0;
    int failed = pthread_attr_init(&attributes);

    if (failed != 0) {
        return failed;
    }
    if (pthread_attr_getstacksize(&attributes, &stack_bytes) == 0 && stack_bytes < STACK_BYTES) {
        failed = pthread_attr_setstacksize(&attributes, STACK_BYTES);
    }
    if (failed == 0) {
        failed = hf_thread_start(&loop->thread, &attributes, thread_main, loop);
    }
    pthread_attr_destroy(&attributes);
    return failed;
}

enum hf_status hf_loop_start_thread(struct hf_loop *loop, const char *name)
{
    assert(!loop->has_thread);
    atomic_store(&loop->owner, OWNER_TO_COME);
    int failed = create_thread(loop);
    if (failed != 0) {
        atomic_store(&loop->owner, OWNER_ANYBODY);
        errno = failed;
        return HF_IO;
    }
    loop->has_thread = true;
    pthread_setname_np(loop->thread, name); /* only a help in debuggers: may fail */
    return HF_OK;
}

void hf_loop_join(struct hf_loop *loop)
{
    if (loop->has_thread) {
        hf_loop_stop(loop);
        pthread_join(loop->thread, NULL);
        loop->has_thread = false;
    }
}

bool hf_loop_is_own_thread(const struct hf_loop *loop)
{
    uintptr_t owner = atomic_load_explicit(&loop->owner, memory_order_relaxed);
    return owner == OWNER_ANYBODY || owner == (uintptr_t)pthread_self();
}

static enum hf_status control(struct hf_loop *loop, int operation, int fd, uint32_t events,
                              struct hf_io *io)
{
    struct epoll_event event = {.events = events, .data.ptr = io};
    return epoll_ctl(loop->epoll_fd, operation, fd, &event) == 0 ? HF_OK : HF_IO;
}

enum hf_status hf_loop_add(struct hf_loop *loop, int fd, uint32_t events, struct hf_io *io)
{
    assert(io->ready != NULL);
    return control(loop, EPOLL_CTL_ADD, fd, events, io);
}

enum hf_status hf_loop_change(struct hf_loop *loop, int fd, uint32_t events, struct hf_io *io)
{
    return control(loop, EPOLL_CTL_MOD, fd, events, io);
}

void hf_loop_remove(struct hf_loop *loop, int fd, struct hf_io *io)
{
    /* A descriptor that was never added, or is closed already, is as good as removed. */
    (void)control(loop, EPOLL_CTL_DEL, fd, 0, NULL);
    for (int i = loop->ready_at; i < loop->ready_count; i++) {
        if (loop->ready[i].data.ptr == io) {
            loop->ready[i].data.ptr = NULL;
        }
    }
}

uint64_t hf_loop_now_ns(const struct hf_loop *loop)
{
    return loop->now_ns;
}

static void heap_put(struct hf_loop *loop, uint32_t index, struct hf_timer *timer)
{
    loop->heap[index] = timer;
    timer->place = index + 1;
}

static void sift_up(struct hf_loop *loop, uint32_t index)
{
    struct hf_timer *timer = loop->heap[index];
    while (index > 0) {
        uint32_t parent = (index - 1) / 2;
        if (loop->heap[parent]->due_ns <= timer->due_ns) {
            break;
        }
        heap_put(loop, index, loop->heap[parent]);
        index = parent;
    }
    heap_put(loop, index, timer);
}

static void sift_down(struct hf_loop *loop, uint32_t index)
{
    struct hf_timer *timer = loop->heap[index];
    for (;;) {
        uint32_t child = 2 * index + 1;
        if (child >= loop->heap_count) {
            break;
        }
        if (child + 1 < loop->heap_count &&
            loop->heap[child + 1]->due_ns < loop->heap[child]->due_ns) {
            child++;
        }
        if (timer->due_ns <= loop->heap[child]->due_ns) {
            break;
        }
        heap_put(loop, index, loop->heap[child]);
        index = child;
    }
    heap_put(loop, index, timer);
}

static enum hf_status heap_grow(struct hf_loop *loop)
{
    uint32_t capacity = loop->heap_capacity * 2;
    if (capacity > TIMERS_MAX) {
        return HF_NOMEM;
    }
    struct hf_timer **heap = realloc(loop->heap, capacity * sizeof(struct hf_timer *));
    if (heap == NULL) {
        return HF_NOMEM;
    }
    loop->heap = heap;
    loop->heap_capacity = capacity;
    return HF_OK;
}

enum hf_status hf_loop_timer_set(struct hf_loop *loop, struct hf_timer *timer, uint64_t due_ns)
{
    assert(timer->fire != NULL);
    if (timer->place != 0) {
        bool later = due_ns > timer->due_ns;
        timer->due_ns = due_ns;
        if (later) {
            sift_down(loop, timer->place - 1);
        } else {
            sift_up(loop, timer->place - 1);
        }
        return HF_OK;
    }
    if (loop->heap_count == loop->heap_capacity && heap_grow(loop) != HF_OK) {
        return HF_NOMEM;
    }
    timer->due_ns = due_ns;
    uint32_t index = loop->heap_count++;
    heap_put(loop, index, timer);
    sift_up(loop, index);
    return HF_OK;
}

void hf_loop_timer_stop(struct hf_loop *loop, struct hf_timer *timer)
{
    if (timer->place == 0) {
        return;
    }
    uint32_t index = timer->place - 1;
    assert(index < loop->heap_count && loop->heap[index] == timer);
    timer->place = 0;
    struct hf_timer *last = loop->heap[--loop->heap_count];
    if (last == timer) {
        return;
    }
    heap_put(loop, index, last);
    sift_down(loop, index);
    sift_up(loop, last->place - 1);
}

void hf_loop_post(struct hf_loop *loop, struct hf_task *task)
{
    pthread_mutex_lock(&loop->lock);
    bool was_empty = loop->inbox.first == NULL;
    list_append(&loop->inbox, task);
    pthread_mutex_unlock(&loop->lock);
    if (was_empty) {
        wake(loop);
    }
}

void hf_loop_defer(struct hf_loop *loop, struct hf_task *task)
{
    list_append(&loop->deferred, task);
}
