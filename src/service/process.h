/*
 * process: what the process itself uses. Any thread.
 */
#pragma once

#include <stdint.h>

struct hf_process_look {
    uint64_t resident_bytes;
    uint64_t heap_bytes;   /* allocated */
    uint64_t mapped_bytes; /* that the allocator has from the system */
    uint64_t cpu_us;       /* user and system */
};

/* What cannot be read is 0. */
void hf_process_look(struct hf_process_look *ret_look);
