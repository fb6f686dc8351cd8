#include "raw.h"

#include <errno.h>
#include <unistd.h>

enum wal_status wal_raw_read(int fd, void *bytes, size_t size, uint64_t offset)
{
    uint8_t *to = bytes;
    size_t got = 0;

    while (got < size) {
        ssize_t n = pread(fd, &to[got], size - got, (off_t)(offset + got));
        if (n > 0) {
            got += (size_t)n;
        } else if (n == 0) {
            return WAL_CORRUPT;
        } else if (errno != EINTR) {
            return WAL_IO;
        }
    }
    return WAL_OK;
}
