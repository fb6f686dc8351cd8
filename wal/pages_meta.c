#include "pages_meta.h"

#include "pages.h"
#include "raw.h"

/* Offsets in a meta page. */
enum {
    AT_NUMBER = 0,
    AT_FLAGS = 10,
    AT_MAGIC = 16,
    AT_VERSION = 20,
    AT_MAP_BYTES = 32,
    AT_FREE_TREE = 40,
    AT_MAIN_TREE = 88,
    AT_LAST_PAGE = 136,
    AT_TXNID = 144,
};

enum { META_FLAG = 8, META_VERSION = 1 };

#define META_MAGIC 0xBEEFC0DEu

static struct wal_tree tree_of(const uint8_t *page, unsigned at)
{
    return (struct wal_tree){
        .flags = wal_raw_16(page, at + 4),
        .depth = wal_raw_16(page, at + 6),
        .branch_pages = wal_raw_64(page, at + 8),
        .leaf_pages = wal_raw_64(page, at + 16),
        .overflow_pages = wal_raw_64(page, at + 24),
        .entries = wal_raw_64(page, at + 32),
        .root = wal_raw_64(page, at + 40),
    };
}

static struct wal_meta meta_of(const uint8_t *page, unsigned index)
{
    struct wal_meta meta = {
        .txnid = wal_raw_64(page, AT_TXNID),
        .last_page = wal_raw_64(page, AT_LAST_PAGE),
        .free = tree_of(page, AT_FREE_TREE),
        .main = tree_of(page, AT_MAIN_TREE),
        .older_main = {.root = WAL_NO_PAGE},
    };
    uint64_t map_pages = wal_raw_64(page, AT_MAP_BYTES) / WAL_PAGE_BYTES;
    /* The free tree's first field is the page size. */
    uint32_t page_bytes = wal_raw_32(page, AT_FREE_TREE);

    /* Transaction n writes page n % 2; before the first both say 0. */
    meta.valid = wal_raw_64(page, AT_NUMBER) == index && wal_raw_16(page, AT_FLAGS) == META_FLAG &&
                 wal_raw_32(page, AT_MAGIC) == META_MAGIC &&
                 wal_raw_32(page, AT_VERSION) == META_VERSION && page_bytes == WAL_PAGE_BYTES &&
                 meta.last_page >= 1 && meta.last_page < map_pages &&
                 (meta.txnid == 0 || meta.txnid % 2 == index) &&
                 (meta.free.flags & WAL_TREE_FLAGS) == WAL_TREE_INTEGER_KEYS;
    return meta;
}

enum wal_status wal_meta_choose(int fd, uint64_t pages, struct wal_meta *ret)
{
    uint8_t bytes[2 * WAL_PAGE_BYTES];
    struct wal_meta metas[2];

    *ret = (struct wal_meta){.valid = false};
    if (pages < 2) {
        return WAL_CORRUPT;
    }
    enum wal_status status = wal_raw_read(fd, bytes, sizeof(bytes), 0);
    if (status != WAL_OK) {
        return status;
    }
    metas[0] = meta_of(bytes, 0);
    metas[1] = meta_of(&bytes[WAL_PAGE_BYTES], 1);
    if (!metas[0].valid || !metas[1].valid) {
        *ret = metas[metas[0].valid ? 0 : 1];
        return WAL_CORRUPT;
    }
    unsigned newest = metas[0].txnid < metas[1].txnid ? 1 : 0;
    *ret = metas[newest];
    const struct wal_meta *older = &metas[1 - newest];
    ret->older_main = older->main;
    uint64_t apart = ret->txnid - older->txnid;
    bool is_next = apart == 1 || (apart == 0 && ret->txnid == 0);
    return is_next && ret->last_page >= older->last_page ? WAL_OK : WAL_CORRUPT;
}
