#include "pages_find.h"

#include "pages.h"
#include "pages_meta.h"
#include "pages_node.h"
#include "raw.h"

enum { PAGE = WAL_PAGE_BYTES };

/* The last node of a page whose key is not above `key`; of a branch also the first, which stands
 * for all that is below. */
static enum wal_status find_node(const uint8_t *page, unsigned count, uint64_t key,
                                 struct wal_node *ret)
{
    unsigned low = 0, high = count;

    while (high - low > 1) {
        unsigned middle = low + (high - low) / 2;
        if (!wal_node_at(page, middle, ret) || ret->key.size != 8) {
            return WAL_CORRUPT;
        }
        if (wal_raw_64(ret->key.data, 0) <= key) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return wal_node_at(page, low, ret) ? WAL_OK : WAL_CORRUPT;
}

/* Where the value of a leaf's node lies. */
static enum wal_status place_value(const uint8_t *page, const struct wal_node *node,
                                   uint64_t *ret_offset, uint64_t *ret_size)
{
    bool is_big = node->flags == WAL_NODE_BIG;

    if ((node->flags & ~(unsigned)WAL_NODE_BIG) != 0 ||
        (is_big ? 8 : node->low) > PAGE - node->data_at) {
        return WAL_CORRUPT;
    }
    uint64_t number = is_big ? wal_raw_64(page, node->data_at) : wal_raw_64(page, 0);
    if (number > UINT64_MAX / PAGE - 1) {
        return WAL_CORRUPT;
    }
    *ret_offset = number * PAGE + (is_big ? WAL_PAGE_HEADER_BYTES : node->data_at);
    *ret_size = node->low;
    return WAL_OK;
}

static enum wal_status descend(int fd, uint64_t pages, const struct wal_meta *meta, uint64_t key,
                               uint8_t *page, struct wal_node *ret)
{
    uint64_t number = meta->main.root;

    for (unsigned level = 0; level < meta->main.depth; level++) {
        unsigned count = 0;
        if (number < 2 || number > meta->last_page || number >= pages) {
            return WAL_CORRUPT;
        }
        enum wal_status status = wal_raw_read(fd, page, PAGE, number * PAGE);
        if (status == WAL_OK && !wal_page_is(page, number, level + 1 == meta->main.depth, &count)) {
            status = WAL_CORRUPT;
        }
        if (status == WAL_OK) {
            status = find_node(page, count, key, ret);
        }
        if (status != WAL_OK) {
            return status;
        }
        number = wal_node_child(ret);
    }
    return ret->key.size == 8 && wal_raw_64(ret->key.data, 0) == key ? WAL_OK : WAL_MISSING;
}

enum wal_status wal_pages_find(int fd, uint64_t file_size, uint64_t key, uint64_t *ret_offset,
                               uint64_t *ret_size)
{
    uint8_t page[PAGE];
    struct wal_meta meta;
    struct wal_node node;

    enum wal_status status = wal_meta_choose(fd, file_size / PAGE, &meta);
    if (status != WAL_OK) {
        return status;
    }
    if (meta.main.root == WAL_NO_PAGE) {
        return WAL_MISSING;
    }
    if (meta.main.depth == 0 || meta.main.depth > WAL_TREE_DEPTH_MAX ||
        (meta.main.flags & WAL_TREE_FLAGS) != WAL_TREE_INTEGER_KEYS) {
        return WAL_CORRUPT;
    }
    status = descend(fd, file_size / PAGE, &meta, key, page, &node);
    return status == WAL_OK ? place_value(page, &node, ret_offset, ret_size) : status;
}
