/*
 * cpu_usage: how many processors nodes, pods and containers used between two scrapes, by the CPU
 * time that the kubelet has counted for them. What was not seen at a scrape is forgotten. The
 * scraper's thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct kubelet_cpu_sample {
    uint64_t key; /* a hash of what it is of */
    int64_t time_ns, cpu_ns;
};

struct kubelet_cpu_samples {
    struct kubelet_cpu_sample *items;
    size_t count, capacity;
};

/* Zeroed at first. */
struct kubelet_cpu_usage {
    struct kubelet_cpu_samples now, before; /* before: by key */
};

/* Keeps the sample. False: there was none before, none of another time, or the count began again.
 */
bool kubelet_cpu_usage_add(struct kubelet_cpu_usage *usage, const struct kubelet_cpu_sample *sample,
                           double *ret_cores);
/* After each scrape that has seen all. */
void kubelet_cpu_usage_turn(struct kubelet_cpu_usage *usage);
void kubelet_cpu_usage_release(struct kubelet_cpu_usage *usage);
