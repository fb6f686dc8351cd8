/*
 * Any bytes as an LMDB file. Reaches wal_pages_walk(), wal_pages_walk_bytes(), wal_pages_check(),
 * wal_meta_choose().
 *
 * What it holds: the walk ends, keys ascend, every value lies within the file, and the readers
 * agree on what is good.
 */
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "wal/pages.h"
#include "wal/pages_find.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
    uint64_t file_size, entries, last_key;
};

static bool visit(void *user, uint64_t key, uint64_t offset, uint64_t size)
{
    struct seen *seen = user;

    if (offset > seen->file_size || size > seen->file_size - offset ||
        (seen->entries > 0 && key <= seen->last_key)) {
        abort();
    }
    seen->entries++;
    seen->last_key = key;
    return true;
}

static bool visit_bytes(void *user, struct hf_slice key, struct hf_slice value)
{
    volatile uint8_t *sum = user;

    for (size_t i = 0; i < key.size; i++) {
        *sum ^= key.data[i];
    }
    if (value.size > 0) {
        *sum ^= value.data[0] ^ value.data[value.size - 1];
    }
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int fd = -1;
    struct seen seen = {.file_size = size};
    struct wal_pages_result result;
    uint8_t sum = 0;

    if (fd < 0) {
        fd = memfd_create("fuzz", MFD_CLOEXEC);
    }
    if (fd < 0 || ftruncate(fd, 0) != 0 || pwrite(fd, data, size, 0) != (ssize_t)size) {
        return 0;
    }
    enum wal_status walk = wal_pages_walk(fd, size, &result, visit, &seen);
    enum wal_status bytes = wal_pages_walk_bytes(fd, size, visit_bytes, &sum);
    enum wal_status check = wal_pages_check(fd, size);
    if (seen.entries != result.entries || (check != WAL_OK && bytes == WAL_OK) ||
        (walk == WAL_OK && result.depth > 32)) {
        abort();
    }
    /* A size that was true a moment ago. */
    (void)!wal_pages_walk(fd, size + 100000, NULL, NULL, NULL);
    uint64_t offset = 0, value_size = 0;
    (void)!wal_pages_find(fd, size, size > 0 ? data[size - 1] : 0, &offset, &value_size);
    return 0;
}
