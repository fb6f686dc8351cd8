#include "cpu_usage.h"

#include <stdlib.h>

#define SAMPLES_MAX (1u << 20)

static int by_key(const void *a, const void *b)
{
    uint64_t first = ((const struct kubelet_cpu_sample *)a)->key;
    uint64_t second = ((const struct kubelet_cpu_sample *)b)->key;
    return (first > second) - (first < second);
}

static void keep(struct kubelet_cpu_samples *list, const struct kubelet_cpu_sample *sample)
{
    if (list->count == list->capacity) {
        size_t capacity = list->capacity == 0 ? 64 : list->capacity * 2;
        struct kubelet_cpu_sample *grown =
            capacity <= SAMPLES_MAX ? reallocarray(list->items, capacity, sizeof(*grown)) : NULL;
        if (grown == NULL) {
            return; /* it has no usage at the next scrape */
        }
        list->items = grown;
        list->capacity = capacity;
    }
    list->items[list->count++] = *sample;
}

bool kubelet_cpu_usage_add(struct kubelet_cpu_usage *usage, const struct kubelet_cpu_sample *sample,
                           double *ret_cores)
{
    const struct kubelet_cpu_sample *before =
        usage->before.count != 0
            ? bsearch(sample, usage->before.items, usage->before.count, sizeof(*sample), by_key)
            : NULL;
    keep(&usage->now, sample);
    if (before == NULL || sample->time_ns <= before->time_ns || sample->cpu_ns < before->cpu_ns) {
        return false;
    }
    *ret_cores =
        (double)(sample->cpu_ns - before->cpu_ns) / (double)(sample->time_ns - before->time_ns);
    return true;
}

void kubelet_cpu_usage_turn(struct kubelet_cpu_usage *usage)
{
    struct kubelet_cpu_samples kept = usage->before;
    if (usage->now.count != 0) {
        qsort(usage->now.items, usage->now.count, sizeof(usage->now.items[0]), by_key);
    }
    usage->before = usage->now;
    usage->now = kept;
    usage->now.count = 0;
}

void kubelet_cpu_usage_release(struct kubelet_cpu_usage *usage)
{
    free(usage->now.items);
    free(usage->before.items);
}
