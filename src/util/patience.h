/*
 * patience: waiting for a descriptor, within a time and until someone says stop: for threads that
 * do nothing else meanwhile. No state; any thread.
 */
#pragma once

#include <stdint.h>

#include <holdfast/status.h>

/* How long is waited. */
struct hf_patience {
    uint64_t until_ns; /* monotonic */
    int stop_fd;       /* readable: wait no longer; -1: none */
};

/* Waits for `events` of poll(). HF_OK; HF_DEADLINE; HF_CLOSED: told to stop; HF_IO with errno. */
HF_MUST_USE enum hf_status hf_wait_for(int fd, short events, const struct hf_patience *patience);

/* An eventfd for `stop_fd`; -1 with errno. Any thread may trip it, any number of times. */
int hf_stop_fd_open(void);
void hf_stop_fd_trip(int fd);
