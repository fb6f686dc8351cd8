#include "thread.h"

void hf_thread_signals(sigset_t *ret_blocked)
{
    sigfillset(ret_blocked);
    sigdelset(ret_blocked, SIGPROF);
}

int hf_thread_start(pthread_t *ret_thread, const pthread_attr_t *attributes, void *(*run)(void *),
                    void *user)
{
    /* The new thread inherits a mask that holds them all but SIGPROF. */
    sigset_t all, before;
    hf_thread_signals(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(ret_thread, attributes, run, user);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failed;
}
