/*
 * cpu_usage: how many processors nodes, pods and containers used between two scrapes, by the CPU
 * time that the kubelet has counted for them. What was not seen at a scrape is forgotten. The
 * scraper's thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "support/scrape/between.h"

struct kubelet_cpu_sample {
    uint64_t key; /* a hash of what it is of */
    int64_t time_ns, cpu_ns;
};

/* At first. */
#define KUBELET_CPU_USAGE                                                                          \
    ((struct hf_between){.size = sizeof(struct kubelet_cpu_sample), .most = 1u << 20})

/* Keeps the sample. False: there was none before, none of another time, or the count began again.
 */
bool kubelet_cpu_usage_add(struct hf_between *between, const struct kubelet_cpu_sample *sample,
                           double *ret_cores);
