/*
 * aimd: how fast a sender may send: how many requests at once, and how many bytes a second.
 *
 * The window is halved when the backend asks for less, once for all requests that were in flight
 * when it did, and grows by one for each windowful that it takes: additive increase, multiplicative
 * decrease. The meter spaces requests by their size. The caller brings the clock. Owned by one
 * thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct hf_window {
    unsigned now, most; /* requests in flight, at least 1 */
    unsigned taken;     /* since it grew */
    unsigned round;     /* how often it was halved; a request remembers in which it was sent */
};

/* Begins with `most`, which is at least 1, and never has more. */
void hf_window_init(struct hf_window *window, unsigned most);
/* The backend took a request. */
void hf_window_grow(struct hf_window *window);
/* The backend asked for less, in answer to a request that was sent in that round. */
void hf_window_cut(struct hf_window *window, unsigned round);

struct hf_meter {
    uint64_t bytes_per_s; /* 0: no limit */
    uint64_t free_ns;     /* nothing may be sent before */
};

/* May a request leave now? */
bool hf_meter_is_free(const struct hf_meter *meter, uint64_t now_ns);
/* A request of that size leaves now. */
void hf_meter_take(struct hf_meter *meter, uint64_t bytes, uint64_t now_ns);
