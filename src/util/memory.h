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

/*
 * What GOMEMLIMIT says, which charts and operators of the Go collector set: bytes, or a number with
 * B, KiB, MiB, GiB or TiB. `text` is its value, or NULL. UINT64_MAX: none, "off", or no such
 * amount.
 */
uint64_t hf_memory_soft_limit(const char *text);
