/*
 * counters: what a running sender or sink has done so far, in a mapped file (--status) that another
 * process reads at any moment: eight 64-bit numbers in this order. Without a file, plain memory.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct storm_counters {
    _Atomic uint64_t requests; /* sent, or taken */
    _Atomic uint64_t items;    /* acknowledged, or arrived */
    _Atomic uint64_t refused;
    _Atomic uint64_t failed;            /* send: other ends of a request; sink: not well formed */
    _Atomic uint64_t repeated;          /* sink: items that had been marked before */
    _Atomic uint64_t first_ns, last_ns; /* monotonic time of the first and last of `items` */
    _Atomic uint64_t acknowledged;      /* requests answered with OK */
};

/* `path` NULL: memory. NULL: errno says why. Lives as long as the process. */
struct storm_counters *storm_counters_open(const char *path);
/* User and system time of this process so far. */
double storm_cpu_seconds(void);
