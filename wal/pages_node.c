#include "pages_node.h"

#include "pages.h"
#include "raw.h"

enum { PAGE = WAL_PAGE_BYTES, HEADER = WAL_PAGE_HEADER_BYTES };

bool wal_page_is(const uint8_t *page, uint64_t number, bool is_leaf, unsigned *ret_count)
{
    unsigned lower = wal_raw_16(page, 12);
    unsigned upper = wal_raw_16(page, 14);

    if (wal_raw_64(page, 0) != number ||
        wal_raw_16(page, 10) != (is_leaf ? WAL_PAGE_LEAF : WAL_PAGE_BRANCH) || lower % 2 != 0 ||
        lower < HEADER + (is_leaf ? 2 : 4) || lower > upper || upper > PAGE) {
        return false;
    }
    *ret_count = (lower - HEADER) / 2;
    return true;
}

bool wal_node_at(const uint8_t *page, unsigned index, struct wal_node *ret)
{
    unsigned at = wal_raw_16(page, HEADER + 2 * index);

    if (at < wal_raw_16(page, 14) || at > PAGE - WAL_NODE_HEADER_BYTES || at % 2 != 0) {
        return false;
    }
    unsigned key_size = wal_raw_16(page, at + 6);
    if (key_size > PAGE - WAL_NODE_HEADER_BYTES - at) {
        return false;
    }
    *ret = (struct wal_node){
        .low = wal_raw_32(page, at),
        .flags = wal_raw_16(page, at + 4),
        .key = hf_slice_of(&page[at + WAL_NODE_HEADER_BYTES], key_size),
        .data_at = at + WAL_NODE_HEADER_BYTES + key_size,
    };
    return true;
}

uint64_t wal_node_child(const struct wal_node *node)
{
    return (uint64_t)node->low | (uint64_t)node->flags << 32;
}
