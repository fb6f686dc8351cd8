/*
 * shim_core: what the shim's functions share: the settings, which paths and descriptors count, the
 * history, and the faults. All of it under one lock, from shim_enter() to shim_leave().
 */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "log.h"

struct shim_file {
    bool is_tracked, is_truth;
    bool is_synced; /* every write is, before it returns */
};

enum shim_fate { SHIM_GO_ON, SHIM_FAIL, SHIM_SHORT, SHIM_TEAR };

void shim_enter(void);
/* Keeps errno. */
void shim_leave(void);

/* The path below the directory that counts, seen from `from`; NULL: elsewhere. Written to `whole`.
 */
const char *shim_below(int from, const char *path, char whole[PATH_MAX]);
bool shim_is_truth(const char *path);
/* NULL: a descriptor that nobody would track. */
struct shim_file *shim_file(int fd);
bool shim_is_tracked(int fd);

/* Takes as long as HF_SHIM_SLOW says when the file is ours; without the lock: a slow disk does not
 * hold up sockets. */
void shim_be_slow(int fd, bool is_sync);

/* Adds to the history; `data` has `entry.data_bytes`. */
void shim_note(struct crash_entry entry, const char *path, const char *path2, const void *data);

/* Counts an operation ('w'rite, 'W'rite that syncs, 's'ync, 'n'ame) and says what shall become of
 * it; it may end the process. */
enum shim_fate shim_begin(char kind);
/* It is done; this may end the process. */
void shim_end(void);
_Noreturn void shim_die(void);
/* Bytes to be written of a torn one: up to a sector's end. 0: it cannot be torn. */
uint64_t shim_torn_bytes(uint64_t offset, uint64_t size);
void shim_is_torn(void);
