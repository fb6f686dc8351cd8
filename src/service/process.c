#include "process.h"

#include <malloc.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

static uint64_t resident_bytes(void)
{
    unsigned long long size = 0;
    unsigned long long resident = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (file == NULL) {
        return 0;
    }
    if (fscanf(file, "%llu %llu", &size, &resident) != 2) {
        resident = 0;
    }
    fclose(file);
    return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

void hf_process_look(struct hf_process_look *ret_look)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    const struct mallinfo2 heap = mallinfo2();
    *ret_look = (struct hf_process_look){
        .resident_bytes = resident_bytes(),
        .heap_bytes = heap.uordblks + heap.hblkhd,
        .mapped_bytes = heap.arena + heap.hblkhd,
        .cpu_us = (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000u +
                  (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec)};
}
