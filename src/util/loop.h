/*
 * loop: one thread's event loop: file descriptors, timers, an inbox, and work for the end of a
 * turn.
 *
 * Everything is called on the loop's own thread, except hf_loop_post() and hf_loop_stop(), which
 * any thread may call. The order of a turn: wait, ready descriptors, due timers, the inbox, then
 * what was deferred: a transport answers many requests in a turn and writes each connection once,
 * at its end.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <holdfast/status.h>

struct hf_loop;

/* Embed it in the owner of the descriptor. */
struct hf_io {
    void (*ready)(struct hf_io *io, uint32_t events); /* EPOLLIN, EPOLLOUT, ... */
};

/* Embed; zeroed before first use. */
struct hf_timer {
    void (*fire)(struct hf_timer *timer, uint64_t now_ns);
    uint64_t due_ns;
    uint32_t place; /* the loop's: 1 + index in its heap, 0 when not set */
};

/* Embed; owned by the loop from post or defer until `run` is called. */
struct hf_task {
    struct hf_task *next;
    void (*run)(struct hf_task *task);
};

/* HF_IO (errno) or HF_NOMEM. */
HF_MUST_USE enum hf_status hf_loop_new(struct hf_loop **ret_loop);
/* After its thread has ended. Tasks still in the inbox are run first. */
void hf_loop_free(struct hf_loop *loop);

/* Runs until stopped, on the calling thread. */
void hf_loop_run(struct hf_loop *loop);
void hf_loop_stop(struct hf_loop *loop);

/* Starts a thread named `name` (15 characters at most) that runs the loop; join stops the loop and
 * waits. HF_IO with errno. */
HF_MUST_USE enum hf_status hf_loop_start_thread(struct hf_loop *loop, const char *name);
void hf_loop_join(struct hf_loop *loop);
/* Is the caller on the loop's thread? True as well before it runs. */
bool hf_loop_is_own_thread(const struct hf_loop *loop);

/* `events` as of epoll_ctl. HF_IO with errno. Removing a descriptor inside any callback is safe: it
 * is not called again. */
HF_MUST_USE enum hf_status hf_loop_add(struct hf_loop *loop, int fd, uint32_t events,
                                       struct hf_io *io);
HF_MUST_USE enum hf_status hf_loop_change(struct hf_loop *loop, int fd, uint32_t events,
                                          struct hf_io *io);
void hf_loop_remove(struct hf_loop *loop, int fd, struct hf_io *io);

/* Monotonic nanoseconds, read once a turn. */
uint64_t hf_loop_now_ns(const struct hf_loop *loop);
/* (Re)sets `timer` to fire once at `due_ns` (monotonic). HF_NOMEM only when it was not set before
 * (a timer that fires is not set any more, but its place is free while `fire` runs), and never for
 * the first 64 of a loop. */
HF_MUST_USE enum hf_status hf_loop_timer_set(struct hf_loop *loop, struct hf_timer *timer,
                                             uint64_t due_ns);
/* Nothing happens when it is not set. */
void hf_loop_timer_stop(struct hf_loop *loop, struct hf_timer *timer);

/* Any thread: `task` runs on the loop. Wakes the loop only when the inbox was empty. FIFO. */
void hf_loop_post(struct hf_loop *loop, struct hf_task *task);
/* Loop thread: `task` runs at the end of this turn. FIFO. */
void hf_loop_defer(struct hf_loop *loop, struct hf_task *task);
