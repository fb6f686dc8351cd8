/*
 * thread: starts a thread that leaves all signals to the main thread, but for SIGPROF, by which
 * each thread is asked where it is while a profile is taken.
 */
#ifndef HF_UTIL_THREAD_H
#define HF_UTIL_THREAD_H

#include <pthread.h>
#include <signal.h>

/* The mask that the new threads of a library are to inherit: what hf_thread_start() gives its own.
 * Any thread. */
void hf_thread_signals(sigset_t *ret_blocked);

/* As pthread_create(), which it returns the result of: 0, or the number of an error. Any thread. A
 * thread that took SIGTERM would note the stop while the main thread waits for the signal on. */
int hf_thread_start(pthread_t *ret_thread, const pthread_attr_t *attributes, void *(*run)(void *),
                    void *user);

#endif
