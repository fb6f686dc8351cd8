#include "thread_signals.h"

void hf_thread_signals(sigset_t *ret_blocked)
{
    sigfillset(ret_blocked);
    sigdelset(ret_blocked, SIGPROF);
}
