/*
 * memory: how much of it this process uses, and how much it may have. Any thread; no state.
 */
#pragma once

#include <stdint.h>

#include <holdfast/status.h>

/*
 * Anonymous memory that is resident: heaps and stacks, not the page cache. `fd` is
 * /proc/self/statm, kept open by the caller. HF_IO with errno.
 */
HF_MUST_USE enum hf_status hf_memory_used(int fd, uint64_t *ret_bytes);

/*
 * The lowest limit among the process's cgroup and those above it, v2 or v1, or the machine's memory
 * when that is less or there is none. `root` is "" but in tests: the directory that holds proc/ and
 * sys/. HF_IO: neither can be read.
 */
HF_MUST_USE enum hf_status hf_memory_available(const char *root, uint64_t *ret_bytes);
