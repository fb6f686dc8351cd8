/*
 * process_read: what /proc says of one process. Each function reads one file; false with errno when
 * it cannot be read, EBADMSG when it is malformed. Texts are valid until the next read of the host.
 */
#pragma once

#include "host.h"

struct process_stat {
    uint64_t parent_pid, threads;
    uint64_t minor_faults, major_faults;
    uint64_t user_ticks, system_ticks, wait_ticks; /* wait: for block devices */
    uint64_t start_ticks;                          /* after the boot */
};

HF_MUST_USE bool process_read_stat(struct host *host, uint64_t pid, struct process_stat *stat);

/* Resident and virtual bytes. */
HF_MUST_USE bool process_read_memory(struct host *host, uint64_t pid, uint64_t *ret_resident,
                                     uint64_t *ret_virtual);

/* Of all reads and writes, as the Go collector counts them: also those that reach no disk. */
struct process_io {
    uint64_t read_bytes, write_bytes, reads, writes;
};

HF_MUST_USE bool process_read_io(struct host *host, uint64_t pid, struct process_io *io);

struct process_status {
    uint64_t uid; /* the real one */
    uint64_t pending_signals;
    uint64_t voluntary_switches, involuntary_switches;
};

HF_MUST_USE bool process_read_status(struct host *host, uint64_t pid,
                                     struct process_status *status);
/* The switches of all its threads. */
HF_MUST_USE bool process_read_switches(struct host *host, uint64_t pid,
                                       struct process_status *status);

/* The arguments, as they are in the file: each ends with a NUL. */
HF_MUST_USE bool process_read_arguments(struct host *host, uint64_t pid, struct hf_slice *ret_text);
HF_MUST_USE bool process_read_name(struct host *host, uint64_t pid, char *name, size_t room);
/* Empty without failure: a thread of the kernel has none. */
HF_MUST_USE bool process_read_executable(struct host *host, uint64_t pid, char *path, size_t room);
HF_MUST_USE bool process_count_files(struct host *host, uint64_t pid, uint64_t *ret_count);
