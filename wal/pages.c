#include "pages.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "pages_meta.h"
#include "pages_node.h"
#include "raw.h"

enum {
    PAGE = WAL_PAGE_BYTES,
    HEADER = WAL_PAGE_HEADER_BYTES,
    KEY_MAX = 511, /* LMDB's own limit */
    AHEAD = 16,    /* pages read at once when they follow each other */
    VALUE_MAX = 1 << 20,
};

/* More pages than any file of ours has (1 TiB); it bounds the memory a wrong size could ask for. */
#define PAGES_MAX (UINT64_C(1) << 28)

struct entry {
    struct hf_slice key;
    const uint8_t *inlined; /* the value, when it is in the leaf page itself */
    uint64_t offset, size;
};

struct frame {
    uint8_t page[PAGE];
    unsigned count, next; /* nodes, and the one to look at */
    unsigned node_bytes;  /* of the nodes looked at */
};

struct walk {
    int fd;
    uint64_t pages;     /* whole ones in the file */
    uint64_t last_page; /* that the meta page knows of */
    uint8_t *used;      /* a bit a page */

    enum wal_status (*entry)(struct walk *walk, const struct entry *entry);
    bool (*visit)(void *user, uint64_t key, uint64_t offset, uint64_t size);
    bool (*visit_bytes)(void *user, struct hf_slice key, struct hf_slice value);
    void *user;
    bool stopped;

    /* the tree being walked */
    bool integer_keys;
    bool big_headers; /* read the first page of big values too, which LMDB goes by to free them */
    bool has_last, has_floor;
    size_t last_key_size, floor_size;
    struct wal_tree counted;
    uint64_t ahead_first, ahead_count;

    /* Not cleared: their sizes are above. */
    uint8_t last_key[KEY_MAX]; /* the last one seen */
    uint8_t floor[KEY_MAX];    /* the least the next may be */
    uint8_t ahead[AHEAD * PAGE];
    struct frame frames[WAL_TREE_DEPTH_MAX];
};

/* ---- reading ---- */

/* Leaf pages of small values follow each other: the second such brings the next ones with it. */
static enum wal_status read_page(struct walk *walk, uint64_t number, uint8_t *page)
{
    if (number - walk->ahead_first >= walk->ahead_count) {
        uint64_t count = number == walk->ahead_first + walk->ahead_count ? AHEAD : 1;
        if (count > walk->pages - number) {
            count = walk->pages - number;
        }
        walk->ahead_count = 0;
        enum wal_status status = wal_raw_read(walk->fd, walk->ahead, count * PAGE, number * PAGE);
        if (status != WAL_OK) {
            return status;
        }
        walk->ahead_first = number;
        walk->ahead_count = count;
    }
    memcpy(page, &walk->ahead[(number - walk->ahead_first) * PAGE], PAGE);
    return WAL_OK;
}

/* False: outside of the file or the database, or used already. */
static bool take_pages(struct walk *walk, uint64_t first, uint64_t count)
{
    if (first < 2 || first > walk->last_page || count > walk->last_page - first + 1 ||
        first >= walk->pages || count > walk->pages - first) {
        return false;
    }
    for (uint64_t i = first; i < first + count; i++) {
        uint8_t bit = (uint8_t)(1u << (i % 8));
        if ((walk->used[i / 8] & bit) != 0) {
            return false;
        }
        walk->used[i / 8] |= bit;
    }
    return true;
}

/* ---- keys ---- */

static int compare_keys(const struct walk *walk, const uint8_t *a, size_t a_size, const uint8_t *b,
                        size_t b_size)
{
    if (walk->integer_keys) { /* the sizes were checked */
        uint64_t x = wal_raw_64(a, 0);
        uint64_t y = wal_raw_64(b, 0);
        return x < y ? -1 : x > y;
    }
    return hf_slice_compare(hf_slice_of(a, a_size), hf_slice_of(b, b_size));
}

static bool key_fits(struct walk *walk, struct hf_slice key)
{
    if (key.size == 0 || key.size > KEY_MAX || (walk->integer_keys && key.size != 8)) {
        return false;
    }
    return !walk->has_last ||
           compare_keys(walk, key.data, key.size, walk->last_key, walk->last_key_size) > 0;
}

/* A separator is above all keys before it and not above the next one, or lookups would miss entries
 * that are there. */
static bool pass_separator(struct walk *walk, struct hf_slice key)
{
    if (!key_fits(walk, key)) {
        return false;
    }
    memcpy(walk->floor, key.data, key.size);
    walk->floor_size = key.size;
    walk->has_floor = true;
    return true;
}

static bool pass_key(struct walk *walk, struct hf_slice key)
{
    if (!key_fits(walk, key) ||
        (walk->has_floor &&
         compare_keys(walk, key.data, key.size, walk->floor, walk->floor_size) < 0)) {
        return false;
    }
    memcpy(walk->last_key, key.data, key.size);
    walk->last_key_size = key.size;
    walk->has_last = true;
    walk->has_floor = false;
    return true;
}

/* ---- nodes and pages ---- */

static unsigned even(unsigned size)
{
    return (size + 1) & ~1u;
}

static enum wal_status enter_page(struct walk *walk, uint64_t number, struct frame *frame,
                                  bool is_leaf)
{
    if (!take_pages(walk, number, 1)) {
        return WAL_CORRUPT;
    }
    enum wal_status status = read_page(walk, number, frame->page);
    if (status != WAL_OK) {
        return status;
    }
    if (!wal_page_is(frame->page, number, is_leaf, &frame->count)) {
        return WAL_CORRUPT;
    }
    frame->next = 0;
    frame->node_bytes = 0;
    if (is_leaf) {
        walk->counted.leaf_pages++;
    } else {
        walk->counted.branch_pages++;
    }
    return WAL_OK;
}

/* LMDB keeps the nodes of a page without gaps between them. */
static bool page_is_packed(const struct frame *frame)
{
    return frame->node_bytes == PAGE - wal_raw_16(frame->page, 14);
}

static enum wal_status next_child(struct walk *walk, struct frame *frame, uint64_t *ret_number)
{
    struct wal_node node;

    if (!wal_node_at(frame->page, frame->next, &node) ||
        (frame->next > 0 && !pass_separator(walk, node.key))) {
        return WAL_CORRUPT;
    }
    frame->next++;
    frame->node_bytes += even(WAL_NODE_HEADER_BYTES + (unsigned)node.key.size);
    *ret_number = wal_node_child(&node);
    return WAL_OK;
}

/* The pages of a value too big for a leaf. */
static enum wal_status big_value(struct walk *walk, uint64_t number, struct entry *entry)
{
    uint64_t count = (HEADER + entry->size + PAGE - 1) / PAGE;

    if (!take_pages(walk, number, count)) {
        return WAL_CORRUPT;
    }
    if (walk->big_headers) {
        uint8_t header[HEADER];
        enum wal_status status = wal_raw_read(walk->fd, header, sizeof(header), number * PAGE);
        if (status != WAL_OK) {
            return status;
        }
        /* A value that was replaced by a smaller one keeps its pages. */
        uint64_t kept = wal_raw_32(header, 12);
        if (wal_raw_64(header, 0) != number || wal_raw_16(header, 10) != WAL_PAGE_OVERFLOW ||
            kept < count || (kept > count && !take_pages(walk, number + count, kept - count))) {
            return WAL_CORRUPT;
        }
        count = kept;
    }
    walk->counted.overflow_pages += count;
    entry->offset = number * PAGE + HEADER;
    return WAL_OK;
}

static enum wal_status next_entry(struct walk *walk, struct frame *frame)
{
    struct wal_node node;

    if (!wal_node_at(frame->page, frame->next, &node) ||
        (node.flags & ~(unsigned)WAL_NODE_BIG) != 0) {
        return WAL_CORRUPT;
    }
    struct entry entry = {.key = node.key, .size = node.low};
    bool is_big = node.flags == WAL_NODE_BIG;
    uint32_t kept = is_big ? 8 : node.low;
    if (kept > PAGE - node.data_at || !pass_key(walk, node.key)) {
        return WAL_CORRUPT;
    }
    if (is_big) {
        enum wal_status status = big_value(walk, wal_raw_64(frame->page, node.data_at), &entry);
        if (status != WAL_OK) {
            return status;
        }
    } else {
        entry.inlined = &frame->page[node.data_at];
        entry.offset = wal_raw_64(frame->page, 0) * PAGE + node.data_at;
    }
    frame->next++;
    frame->node_bytes += even(WAL_NODE_HEADER_BYTES + (unsigned)node.key.size + kept);
    walk->counted.entries++;
    return walk->entry != NULL ? walk->entry(walk, &entry) : WAL_OK;
}

/* ---- trees ---- */

static bool counts_fit(const struct walk *walk, const struct wal_tree *tree)
{
    const struct wal_tree *counted = &walk->counted;

    return counted->entries == tree->entries && counted->branch_pages == tree->branch_pages &&
           counted->leaf_pages == tree->leaf_pages &&
           (walk->big_headers ? counted->overflow_pages == tree->overflow_pages
                              : counted->overflow_pages <= tree->overflow_pages);
}

static enum wal_status descend(struct walk *walk, const struct wal_tree *tree)
{
    unsigned level = 0;
    enum wal_status status = enter_page(walk, tree->root, &walk->frames[0], tree->depth == 1);

    while (status == WAL_OK && !walk->stopped) {
        struct frame *frame = &walk->frames[level];
        if (frame->next < frame->count && level + 1 == tree->depth) {
            status = next_entry(walk, frame);
        } else if (frame->next < frame->count) {
            uint64_t child = 0;
            status = next_child(walk, frame, &child);
            if (status == WAL_OK) {
                level++;
                status = enter_page(walk, child, &walk->frames[level], level + 1 == tree->depth);
            }
        } else if (!page_is_packed(frame)) {
            status = WAL_CORRUPT;
        } else if (level > 0) {
            level--;
        } else {
            break;
        }
    }
    return status;
}

static enum wal_status walk_tree(struct walk *walk, const struct wal_tree *tree)
{
    walk->integer_keys = (tree->flags & WAL_TREE_INTEGER_KEYS) != 0;
    walk->has_last = false;
    walk->has_floor = false;
    walk->counted = (struct wal_tree){0};
    if (tree->root == WAL_NO_PAGE) {
        return tree->depth == 0 && counts_fit(walk, tree) ? WAL_OK : WAL_CORRUPT;
    }
    walk->counted.depth = tree->depth;
    if (tree->depth == 0 || tree->depth > WAL_TREE_DEPTH_MAX ||
        (tree->flags & WAL_TREE_FLAGS & ~(unsigned)WAL_TREE_INTEGER_KEYS) != 0) {
        return WAL_CORRUPT;
    }
    enum wal_status status = descend(walk, tree);
    if (status == WAL_OK && !walk->stopped && !counts_fit(walk, tree)) {
        status = WAL_CORRUPT;
    }
    return status;
}

/* ---- the free list ---- */

static bool take_free(struct walk *walk, const uint64_t *numbers, size_t count, uint64_t *previous)
{
    for (size_t i = 0; i < count; i++) {
        /* Pages at the end that were taken and freed in one transaction were never written. */
        bool is_written = numbers[i] < walk->pages;
        if (numbers[i] >= *previous || numbers[i] > walk->last_page ||
            (is_written && !take_pages(walk, numbers[i], 1))) {
            return false;
        }
        *previous = numbers[i];
    }
    return true;
}

/* A value there is a count and as many page numbers, descending; none may be in use. */
static enum wal_status check_free(struct walk *walk, const struct entry *entry)
{
    uint64_t numbers[PAGE / 8];
    uint64_t previous = WAL_NO_PAGE;
    uint64_t count = 0;

    if (entry->size < sizeof(count)) {
        return WAL_CORRUPT;
    }
    enum wal_status status = wal_raw_read(walk->fd, &count, sizeof(count), entry->offset);
    if (status == WAL_OK && count > entry->size / 8 - 1) {
        return WAL_CORRUPT;
    }
    for (uint64_t done = 0; done < count && status == WAL_OK;) {
        size_t step = count - done < PAGE / 8 ? (size_t)(count - done) : PAGE / 8;
        status = wal_raw_read(walk->fd, numbers, step * 8, entry->offset + 8 + done * 8);
        if (status == WAL_OK && !take_free(walk, numbers, step, &previous)) {
            status = WAL_CORRUPT;
        }
        done += step;
    }
    return status;
}

/* ---- walks ---- */

static struct walk *walk_new(int fd, uint64_t file_size)
{
    struct walk *walk = malloc(sizeof(*walk));

    if (walk == NULL) {
        return NULL;
    }
    memset(walk, 0, offsetof(struct walk, last_key));
    walk->fd = fd;
    walk->pages = file_size / PAGE < PAGES_MAX ? file_size / PAGE : PAGES_MAX;
    walk->used = calloc(walk->pages / 8 + 1, 1);
    if (walk->used == NULL) {
        free(walk);
        return NULL;
    }
    return walk;
}

static void walk_free(struct walk *walk)
{
    free(walk->used);
    free(walk);
}

/*
 * Whether the older tree, which LMDB leaves as it is until the next commit, ends with a higher key
 * than the newer. In a file that is only appended to, the two were mistaken for each other then: a
 * number of a meta page is wrong.
 */
static bool older_is_ahead(struct walk *walk, const struct wal_tree *older, bool has_last,
                           uint64_t last)
{
    struct frame *frame = &walk->frames[0];
    uint64_t number = older->root;

    for (unsigned level = 0; level < older->depth && level < WAL_TREE_DEPTH_MAX; level++) {
        struct wal_node node;
        if (number >= walk->pages || read_page(walk, number, frame->page) != WAL_OK) {
            return false;
        }
        unsigned lower = wal_raw_16(frame->page, 12);
        if (wal_raw_64(frame->page, 0) != number || lower < HEADER + 2 || lower > PAGE ||
            !wal_node_at(frame->page, (lower - HEADER) / 2 - 1, &node)) {
            return false;
        }
        if (level + 1 == older->depth) {
            return node.key.size == 8 && (!has_last || wal_raw_64(node.key.data, 0) > last);
        }
        number = wal_node_child(&node);
    }
    return false;
}

static enum wal_status walk_file(struct walk *walk, bool only_integers,
                                 struct wal_pages_result *ret)
{
    struct wal_meta meta;
    enum wal_status choice = wal_meta_choose(walk->fd, walk->pages, &meta);

    if (!meta.valid) {
        return choice;
    }
    walk->last_page = meta.last_page;
    enum wal_status status = WAL_CORRUPT;
    if (!only_integers || meta.main.root == WAL_NO_PAGE ||
        (meta.main.flags & WAL_TREE_INTEGER_KEYS) != 0) {
        status = walk_tree(walk, &meta.main);
    }
    if (ret != NULL) {
        *ret = (struct wal_pages_result){
            .txnid = meta.txnid,
            .entries = walk->counted.entries,
            .branch_pages = walk->counted.branch_pages,
            .leaf_pages = walk->counted.leaf_pages,
            .overflow_pages = walk->counted.overflow_pages,
            .depth = walk->counted.depth,
            .file_bytes = meta.last_page < UINT32_MAX ? (meta.last_page + 1) * WAL_PAGE_BYTES : 0};
    }
    if (status == WAL_OK && !walk->stopped && only_integers) {
        uint64_t last = walk->has_last ? wal_raw_64(walk->last_key, 0) : 0;
        if (older_is_ahead(walk, &meta.older_main, walk->has_last, last)) {
            choice = WAL_CORRUPT;
        }
    }
    if (status == WAL_OK && !walk->stopped) {
        walk->entry = check_free;
        walk->big_headers = true;
        status = walk_tree(walk, &meta.free);
    }
    return status != WAL_OK ? status : choice;
}

static enum wal_status give_integer(struct walk *walk, const struct entry *entry)
{
    walk->stopped =
        !walk->visit(walk->user, wal_raw_64(entry->key.data, 0), entry->offset, entry->size);
    return WAL_OK;
}

enum wal_status
wal_pages_walk(int fd, uint64_t file_size, struct wal_pages_result *ret,
               bool (*visit)(void *user, uint64_t key, uint64_t offset, uint64_t size), void *user)
{
    if (ret != NULL) {
        *ret = (struct wal_pages_result){0};
    }
    struct walk *walk = walk_new(fd, file_size);
    if (walk == NULL) {
        return WAL_NOMEM;
    }
    walk->entry = visit != NULL ? give_integer : NULL;
    walk->visit = visit;
    walk->user = user;
    enum wal_status status = walk_file(walk, true, ret);
    walk_free(walk);
    return status;
}

static enum wal_status give_bytes(struct walk *walk, const struct entry *entry)
{
    if (entry->inlined != NULL) {
        walk->stopped = !walk->visit_bytes(walk->user, entry->key,
                                           hf_slice_of(entry->inlined, (size_t)entry->size));
        return WAL_OK;
    }
    if (entry->size > VALUE_MAX) {
        return WAL_CORRUPT;
    }
    uint8_t *value = malloc((size_t)entry->size + 1);
    if (value == NULL) {
        return WAL_NOMEM;
    }
    enum wal_status status = wal_raw_read(walk->fd, value, (size_t)entry->size, entry->offset);
    if (status == WAL_OK) {
        walk->stopped =
            !walk->visit_bytes(walk->user, entry->key, hf_slice_of(value, (size_t)entry->size));
    }
    free(value);
    return status;
}

enum wal_status wal_pages_walk_bytes(int fd, uint64_t file_size,
                                     bool (*visit)(void *user, struct hf_slice key,
                                                   struct hf_slice value),
                                     void *user)
{
    struct walk *walk = walk_new(fd, file_size);

    if (walk == NULL) {
        return WAL_NOMEM;
    }
    walk->entry = visit != NULL ? give_bytes : NULL;
    walk->visit_bytes = visit;
    walk->user = user;
    walk->big_headers = true;
    enum wal_status status = walk_file(walk, false, NULL);
    walk_free(walk);
    return status;
}

enum wal_status wal_pages_check(int fd, uint64_t file_size)
{
    return wal_pages_walk_bytes(fd, file_size, NULL, NULL);
}
