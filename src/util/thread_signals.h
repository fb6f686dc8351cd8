/*
 * thread_signals: which signals the threads of this process block: all, which are the main
 * thread's, but for SIGPROF, by which each thread is asked where it is while a profile is taken.
 */
#pragma once

#include <signal.h>

/* The mask that a new thread is to inherit. Any thread. */
void hf_thread_signals(sigset_t *ret_blocked);
