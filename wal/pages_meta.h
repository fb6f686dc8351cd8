/*
 * pages_meta: the two meta pages of an LMDB data file, and which of them counts. Part of pages.h.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "wal.h"

#define WAL_NO_PAGE UINT64_MAX

/* Flags of a tree; those of WAL_TREE_FLAGS change how keys and values are kept. */
enum { WAL_TREE_INTEGER_KEYS = 8, WAL_TREE_FLAGS = 0x3e };

struct wal_tree {
    uint64_t root, branch_pages, leaf_pages, overflow_pages, entries;
    unsigned flags, depth;
};

struct wal_meta {
    bool valid;
    uint64_t txnid, last_page;
    struct wal_tree free, main;
    struct wal_tree older_main; /* the other meta page's, when that is good too */
};

/*
 * The meta page that LMDB would choose of a file of `pages` whole pages. WAL_CORRUPT with
 * `ret->valid`: there is only one, or the two do not belong together, so that a newer one may be
 * lost; else no meta page is good. WAL_IO.
 */
WAL_MUST_USE enum wal_status wal_meta_choose(int fd, uint64_t pages, struct wal_meta *ret);
