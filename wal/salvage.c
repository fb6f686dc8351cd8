#include "salvage.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "pages.h"
#include "raw.h"
#include "record.h"
#include "util/checksum.h"

enum {
    PAGE = WAL_PAGE_BYTES,
    HEADER = WAL_PAGE_HEADER_BYTES,
    HEAD = WAL_RECORD_HEAD_BYTES,
    NODE_AND_KEY = 16, /* before the value, in a leaf page */
    WINDOW_PAGES = 256,
    PIECE = 64 << 10,
    /*
     * Heads that lead nowhere cost a checksum over all they claim. A real file has few of them; one
     * made to be slow is given up on after this many times its size.
     */
    WASTE_MAX = 16,
};

enum { PAGE_LEAF = 2, PAGE_OVERFLOW = 4 };

struct salvage {
    int fd;
    uint64_t file_size;
    uint64_t waste; /* bytes that may still be checked in vain */
    bool unreadable;
    bool stopped;
    bool (*visit)(void *user, uint64_t offset, uint64_t size);
    void *user;
    uint64_t window_at; /* file offset of the window */
    size_t window_size;
    uint8_t window[WINDOW_PAGES * PAGE];
    uint8_t piece[PIECE];
};

/* Fills the window from `offset`, a page's begin. Pages that cannot be read are as if empty. */
static void slide(struct salvage *salvage, uint64_t offset)
{
    uint64_t left = salvage->file_size - offset;

    salvage->window_at = offset;
    salvage->window_size = left < sizeof(salvage->window) ? (size_t)left : sizeof(salvage->window);
    if (wal_raw_read(salvage->fd, salvage->window, salvage->window_size, offset) == WAL_OK) {
        return;
    }
    for (size_t at = 0; at < salvage->window_size; at += PAGE) {
        size_t rest = salvage->window_size - at;
        size_t size = rest < PAGE ? rest : PAGE;
        if (wal_raw_read(salvage->fd, &salvage->window[at], size, offset + at) != WAL_OK) {
            memset(&salvage->window[at], 0, size);
            salvage->unreadable = true;
        }
    }
}

/* The checksum of a record that may be larger than all memory here: as wal_record_check() does it,
 * by pieces. */
static bool long_record_is_good(struct salvage *salvage, uint64_t offset, uint64_t size)
{
    uint32_t stored = 0;
    uint32_t crc = 0;

    for (uint64_t done = 0; done < size;) {
        size_t step = size - done < PIECE ? (size_t)(size - done) : PIECE;
        if (wal_raw_read(salvage->fd, salvage->piece, step, offset + done) != WAL_OK) {
            salvage->unreadable = true;
            return false;
        }
        if (done == 0) {
            const size_t at = offsetof(struct wal_record_head, crc);
            stored = wal_raw_32(salvage->piece, at);
            memset(&salvage->piece[at], 0, sizeof(stored));
        }
        crc = hf_crc32c(crc, salvage->piece, step);
        done += step;
    }
    return crc == stored;
}

/* Size of the good record of at most `most` bytes at this place of the window, or 0. */
static uint64_t good_record_at(struct salvage *salvage, size_t at, uint64_t most)
{
    size_t seen = salvage->window_size - at;
    size_t size = 0;

    if (wal_record_peek(&salvage->window[at], seen, &size) != WAL_OK || size > most ||
        size > salvage->file_size - salvage->window_at - at || size > salvage->waste) {
        return 0;
    }
    struct wal_record_head head;
    bool is_good = size <= seen ? wal_record_check(&salvage->window[at], size, &head) == WAL_OK
                                : long_record_is_good(salvage, salvage->window_at + at, size);
    if (!is_good) {
        salvage->waste -= size;
        return 0;
    }
    return size;
}

/*
 * Bytes that look like a record can be part of a body. A place of the file that says so itself, in
 * either of two fields, can have one; two, so that one flipped byte does not hide a page full of
 * them.
 */
static bool page_may_be(const struct salvage *salvage, size_t page_at, unsigned flags)
{
    const uint8_t *page = &salvage->window[page_at];

    return wal_raw_64(page, 0) == (salvage->window_at + page_at) / PAGE ||
           wal_raw_16(page, 10) == flags;
}

/* The leaf's own words before the value say the same as the record. */
static bool node_agrees(const struct salvage *salvage, size_t at, uint64_t size)
{
    const uint8_t *node = &salvage->window[at - NODE_AND_KEY];
    uint64_t sequence =
        wal_raw_64(&salvage->window[at], offsetof(struct wal_record_head, sequence));

    return wal_raw_32(node, 0) == size && wal_raw_16(node, 4) == 0 && wal_raw_16(node, 6) == 8 &&
           wal_raw_64(node, 8) == sequence + WAL_KEY_RECORDS;
}

static void found(struct salvage *salvage, size_t at, uint64_t size)
{
    salvage->stopped = !salvage->visit(salvage->user, salvage->window_at + at, size);
}

/* Records inside of a leaf page. */
static void look_into_page(struct salvage *salvage, size_t page_at)
{
    size_t rest = salvage->window_size - page_at;
    size_t end = page_at + (rest < PAGE ? rest : PAGE);
    bool is_leaf = page_may_be(salvage, page_at, PAGE_LEAF);

    for (size_t at = page_at + HEADER + NODE_AND_KEY; at + HEAD <= end && !salvage->stopped;) {
        if (wal_raw_32(salvage->window, at) != WAL_RECORD_MAGIC) {
            at += 2;
            continue;
        }
        uint64_t size = good_record_at(salvage, at, end - at);
        if (size != 0 && (is_leaf || node_agrees(salvage, at, size))) {
            found(salvage, at, size);
            at += (size_t)(size + size % 2);
        } else {
            at += 2;
        }
    }
}

/* Looks at one page; returns how many are done with. */
static uint64_t look_at_page(struct salvage *salvage, size_t page_at)
{
    if (salvage->window_size - page_at < HEADER + HEAD) {
        return 1;
    }
    uint64_t size = 0;
    if (wal_raw_32(salvage->window, page_at + HEADER) == WAL_RECORD_MAGIC &&
        page_may_be(salvage, page_at, PAGE_OVERFLOW)) {
        size = good_record_at(salvage, page_at + HEADER, UINT64_MAX);
    }
    if (size == 0) {
        look_into_page(salvage, page_at);
        return 1;
    }
    found(salvage, page_at + HEADER, size);
    return (HEADER + size + PAGE - 1) / PAGE;
}

enum wal_status wal_salvage(int fd, uint64_t file_size,
                            bool (*visit)(void *user, uint64_t offset, uint64_t size), void *user)
{
    struct salvage *salvage = malloc(sizeof(*salvage));

    if (salvage == NULL) {
        return WAL_NOMEM;
    }
    memset(salvage, 0, offsetof(struct salvage, window));
    salvage->fd = fd;
    salvage->file_size = file_size;
    salvage->waste = file_size < UINT64_MAX / WASTE_MAX ? file_size * WASTE_MAX : UINT64_MAX;
    salvage->visit = visit;
    salvage->user = user;
    /* The first two pages are LMDB's own. */
    for (uint64_t at = 2 * PAGE; at < file_size && !salvage->stopped;) {
        if (at - salvage->window_at >= salvage->window_size) {
            slide(salvage, at);
        }
        at += PAGE * look_at_page(salvage, (size_t)(at - salvage->window_at));
    }
    enum wal_status status = salvage->unreadable ? WAL_IO : WAL_OK;
    free(salvage);
    return status;
}
