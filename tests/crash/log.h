/*
 * log: the history of a directory that the shim writes and the power-cut checker plays back, one
 * entry an operation, in the order in which they happened (the shim lets one happen at a time).
 *
 * An entry is this head, then two paths without ends (relative to the directory; "" is the
 * directory itself), then data. Numbers are the machine's own; the log never leaves it.
 */
#pragma once

#include <stdint.h>

enum crash_op {
    OP_OPEN = 1, /* fd, flags, path */
    OP_CLOSE,    /* fd */
    OP_WRITE,    /* fd, offset, data */
    OP_TRUNCATE, /* fd, offset: the new size */
    OP_ALLOCATE, /* fd, offset: the least size from now on */
    OP_SYNC,     /* fd */
    OP_RENAME,   /* path, path2 */
    OP_UNLINK,   /* path; also of a directory */
    OP_MKDIR,    /* path */
    OP_TRUTH,    /* data: what the victim told the world */
    OP_START,    /* a process begins: no descriptor is open */
};

struct crash_entry {
    uint32_t op;
    int32_t fd;
    uint32_t flags;
    uint32_t is_unfinished; /* a write the process was killed in: it may not be durable */
    uint64_t offset, data_bytes;
    uint32_t path_bytes, path2_bytes;
};

/* Shared with the driver by HF_SHIM_STATE, a file of this size. */
struct crash_state {
    uint64_t ops, writes, syncs; /* so far, those that failed included */
    uint32_t killed;             /* the shim ended the process */
    uint32_t is_torn;            /* half way through a write, not merely before it */
    uint32_t failed;             /* calls answered with the errno asked for */
};
