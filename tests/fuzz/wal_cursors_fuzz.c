/*
 * Any bytes as the file of cursors. Must reach: wal_store_load, load_row, wal_cursor_parse,
 * wal_pages_walk_bytes.
 *
 * With the first byte odd, the checksum of every cursor found in the bytes is made right first.
 * What is visited can be written again and is read back the same.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/checksum.h"
#include "wal/store.h"

#define MAGIC "HCU1"

static char directory[] = "/tmp/holdfast-cursors-XXXXXX";
static int directory_fd = -1;

static void tear_down(void)
{
    (void)unlinkat(directory_fd, WAL_STORE_NAME, 0);
    (void)rmdir(directory);
}

static void set_up(void)
{
    if (mkdtemp(directory) == NULL) {
        abort();
    }
    directory_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory_fd < 0 || atexit(tear_down) != 0) {
        abort();
    }
}

/* A cursor says its own size only by its ranges: the shortest, without any, is mended. */
static void mend(uint8_t *data, size_t size)
{
    struct wal_cursor none = {0};
    size_t least = wal_cursor_size(&none);

    for (size_t i = 0; i + least <= size; i++) {
        if (memcmp(data + i, MAGIC, 4) == 0) {
            memset(data + i + 4, 0, sizeof(uint32_t));
            uint32_t crc = hf_crc32c(0, data + i, least);
            memcpy(data + i + 4, &crc, sizeof(crc));
        }
    }
}

static void on_consumer(void *user, const char *name, struct wal_cursor *cursor_take)
{
    struct wal_cursor again;
    size_t size = wal_cursor_size(cursor_take);
    uint8_t *bytes = malloc(size);

    (void)user;
    if (bytes == NULL || strlen(name) > WAL_NAME_BYTES_MAX) {
        abort();
    }
    wal_cursor_write(cursor_take, bytes);
    if (wal_cursor_parse(hf_slice_of(bytes, size), &again) != WAL_OK ||
        again.low != cursor_take->low || again.range_count != cursor_take->range_count) {
        abort();
    }
    wal_cursor_release(&again);
    wal_cursor_release(cursor_take);
    free(bytes);
}

static void on_end(void *user, const struct wal_store_end *end)
{
    *(uint64_t *)user = end->place.sequence;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t end = 0;

    if (directory_fd < 0) {
        set_up();
    }
    if (size == 0) {
        return 0;
    }
    uint8_t *bytes = malloc(size);
    int fd = openat(directory_fd, WAL_STORE_NAME, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (bytes == NULL || fd < 0) {
        abort();
    }
    memcpy(bytes, data + 1, size - 1);
    if ((data[0] & 1) != 0) {
        mend(bytes, size - 1);
    }
    if (write(fd, bytes, size - 1) != (ssize_t)(size - 1)) {
        abort();
    }
    close(fd);
    free(bytes);
    const struct wal_store_visitor visitor = {.consumer = on_consumer, .end = on_end, .user = &end};
    (void)!wal_store_load(directory_fd, &visitor);
    return 0;
}
