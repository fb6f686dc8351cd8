#include "last_resort.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "util/time/clock.h"

static timer_t timer;
static volatile sig_atomic_t has_timer, is_armed;

static void on_alarm(int number)
{
    (void)number;
    _exit(0);
}

void hf_last_resort_prepare(void)
{
    struct sigaction action = {.sa_handler = on_alarm};
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM};
    sigaction(SIGALRM, &action, NULL);
    has_timer = timer_create(CLOCK_MONOTONIC, &event, &timer) == 0;
}

void hf_last_resort_arm(uint64_t in_ns)
{
    int before = errno;
    if (has_timer && !is_armed) {
        const struct itimerspec at = {.it_value = {.tv_sec = (time_t)(in_ns / HF_NS_PER_S),
                                                   .tv_nsec = (long)(in_ns % HF_NS_PER_S)}};
        is_armed = true;
        (void)timer_settime(timer, 0, &at, NULL);
    }
    errno = before;
}

_Noreturn void hf_last_resort_exit(int code)
{
    fflush(stdout);
    _exit(code);
}
