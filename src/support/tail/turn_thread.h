/*
 * turn_thread: the thread of a receiver that reads from a place of its own, and its turn at that
 * place (turn.h). Start, join and the struct: the main thread; a zeroed struct is nothing.
 *
 * The thread itself waits until hf_turn_is_mine(thread.turn), and ends when the receiver tells it
 * to: join only waits for that.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>

#include <holdfast/node.h>

#include "turn.h"

struct hf_turn_thread {
    pthread_t thread;
    bool is_running;
    struct hf_turn *turn; /* NULL: not in line */
};

/* Lines up at the node's place, and starts the thread with that name (15 characters at most).
 * HF_NOMEM; HF_IO with a sentence in `reterr` (HF_ERROR_MAX): there is no thread. */
HF_MUST_USE enum hf_status hf_turn_thread_start(struct hf_turn_thread *thread,
                                                const struct hf_node *node, const char *name,
                                                void *(*run)(void *user), void *user, char *reterr);

/* Waits for the thread's end and leaves the line. One that was not started is nothing. */
void hf_turn_thread_join(struct hf_turn_thread *thread);
