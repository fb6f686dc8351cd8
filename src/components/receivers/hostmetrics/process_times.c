/*
 * process_times: the processor times of all processes at two scrapes, to tell what was spent in
 * between.
 */
#include <stdlib.h>

#include "process.h"

#define PROCESSES_MAX (4u << 20) /* the kernel's own limit of pids */

static int by_pid(const void *a, const void *b)
{
    uint64_t first = ((const struct process_times *)a)->pid;
    uint64_t second = ((const struct process_times *)b)->pid;
    return (first > second) - (first < second);
}

const struct process_times *process_find_times(const struct process_scraper *self,
                                               const struct process_times *now)
{
    const struct process_times *found =
        self->before.count != 0
            ? bsearch(now, self->before.items, self->before.count, sizeof(*now), by_pid)
            : NULL;
    return found != NULL && found->start_ticks == now->start_ticks ? found : NULL;
}

void process_keep_times(struct process_scraper *self, const struct process_times *times)
{
    struct process_times_list *list = &self->now;
    if (list->count == list->capacity) {
        size_t capacity = list->capacity == 0 ? 64 : list->capacity * 2;
        struct process_times *grown =
            capacity <= PROCESSES_MAX ? reallocarray(list->items, capacity, sizeof(*grown)) : NULL;
        if (grown == NULL) {
            return; /* it has no utilization at the next scrape */
        }
        list->items = grown;
        list->capacity = capacity;
    }
    list->items[list->count++] = *times;
}

void process_turn_times(struct process_scraper *self)
{
    struct process_times_list kept = self->before;
    if (self->now.count != 0) {
        qsort(self->now.items, self->now.count, sizeof(self->now.items[0]), by_pid);
    }
    self->before = self->now;
    self->now = kept;
    self->now.count = 0;
}
