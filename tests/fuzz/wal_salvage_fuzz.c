/*
 * Any bytes as a broken segment. Reaches wal_salvage(), wal_record_peek(), wal_record_check().
 *
 * A checksum cannot be guessed, so the bytes at places that look like a record get the right one,
 * as far as they fit.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "util/checksum.h"
#include "wal/record.h"
#include "wal/salvage.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
    const uint8_t *bytes;
    uint64_t size, end;
};

static bool visit(void *user, uint64_t offset, uint64_t size)
{
    struct seen *seen = user;
    struct wal_record_head head;

    if (offset < seen->end || offset % 2 != 0 || offset > seen->size ||
        size > seen->size - offset ||
        wal_record_check(&seen->bytes[offset], size, &head) != WAL_OK) {
        abort();
    }
    seen->end = offset + size;
    return true;
}

static void sign(uint8_t *bytes, size_t size)
{
    const size_t at_crc = offsetof(struct wal_record_head, crc);

    for (size_t at = 0; at + WAL_RECORD_HEAD_BYTES <= size; at += 2) {
        size_t whole = 0;
        if (wal_record_peek(&bytes[at], size - at, &whole) != WAL_OK || whole > size - at) {
            continue;
        }
        memset(&bytes[at + at_crc], 0, 4);
        uint32_t crc = hf_crc32c(0, &bytes[at], whole);
        memcpy(&bytes[at + at_crc], &crc, sizeof(crc));
        at += whole - whole % 2;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int fd = -1;
    uint8_t *copy = malloc(size + 1);

    if (fd < 0) {
        fd = memfd_create("fuzz", MFD_CLOEXEC);
    }
    if (copy == NULL || fd < 0) {
        free(copy);
        return 0;
    }
    memcpy(copy, data, size);
    if (size % 2 == 0) {
        sign(copy, size);
    }
    struct seen seen = {.bytes = copy, .size = size};
    if (ftruncate(fd, 0) == 0 && pwrite(fd, copy, size, 0) == (ssize_t)size) {
        (void)!wal_salvage(fd, size, visit, &seen);
    }
    free(copy);
    return 0;
}
