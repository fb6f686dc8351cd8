/*
 * times: the earliest and the latest time of the records of a segment, so that a search by time
 * passes over the segments that have nothing for it.
 *
 * The times are the caller's and clocks can be set back, so the order of records says nothing about
 * them: a bound is kept of every record that is appended. A closed segment is not written any more.
 * Its bounds are therefore a row in the first commit of the segment behind it, which costs no
 * commit of its own; an earlier version passes the row over. The segment that was the last one when
 * a process ended has no bounds, and is read. Pure functions, but wal_times_load(); any thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <holdfast/slice.h>

#include "tenants.h"
#include "wal.h"

/* The row below that of the tenants. */
#define WAL_KEY_TIMES (WAL_KEY_TENANTS - 1)

/* `least_ns` is above `most_ns` when there is no record. */
struct wal_times {
    uint64_t least_ns, most_ns;
};

#define WAL_TIMES_NONE ((struct wal_times){.least_ns = UINT64_MAX, .most_ns = 0})

void wal_times_add(struct wal_times *times, uint64_t time_ns);
/* May a record of them be in the period? */
bool wal_times_touch(const struct wal_times *times, const struct wal_period *period);

/* Stored in the segment that begins at `end`, of the one that begins at `first`. */
struct wal_times_row {
    uint32_t magic;
    uint32_t crc; /* of all with this field zero */
    uint16_t version;
    uint16_t reserved16;
    uint32_t reserved32;
    uint64_t first, end;
    struct wal_times times;
};

void wal_times_row_write(struct wal_times_row *ret_row, uint64_t first, uint64_t end,
                         const struct wal_times *times);
/* The times of the segment [first, end), of which `name` is the successor's file. False: they are
 * not stored there, or cannot be read. */
bool wal_times_load(int directory_fd, const char *name, uint64_t first, uint64_t end,
                    struct wal_times *ret_times);
