#include "thread.h"

#include <signal.h>

int hf_thread_start(pthread_t *ret_thread, const pthread_attr_t *attributes, void *(*run)(void *),
                    void *user)
{
    /* The new thread inherits a mask that holds them all. */
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(ret_thread, attributes, run, user);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failed;
}
