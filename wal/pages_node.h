/*
 * pages_node: a page of an LMDB tree and the nodes in it, none of whose numbers is trusted. Part of
 * pages.h.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <holdfast/slice.h>

enum { WAL_NODE_HEADER_BYTES = 8, WAL_TREE_DEPTH_MAX = 32 }; /* LMDB's own cursor stack */
enum { WAL_PAGE_BRANCH = 1, WAL_PAGE_LEAF = 2, WAL_PAGE_OVERFLOW = 4 };
enum { WAL_NODE_BIG = 1 };

struct wal_node {
    uint32_t low; /* a leaf's value size, or the low half of a branch's page number */
    unsigned flags;
    struct hf_slice key;
    unsigned data_at;
};

/* Is it the page of that number, a leaf or a branch? Then it has so many nodes, at least one. */
bool wal_page_is(const uint8_t *page, uint64_t number, bool is_leaf, unsigned *ret_count);
/* False: it does not lie within the page. */
bool wal_node_at(const uint8_t *page, unsigned index, struct wal_node *ret);
/* The page below a node of a branch. */
uint64_t wal_node_child(const struct wal_node *node);
