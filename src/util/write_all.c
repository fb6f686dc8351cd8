#include "write_all.h"

#include <errno.h>
#include <unistd.h>

bool hf_write_all(int fd, struct hf_slice bytes)
{
    while (bytes.size > 0) {
        ssize_t size = write(fd, bytes.data, bytes.size);
        if (size < 0 && errno == EINTR) {
            continue;
        }
        if (size <= 0) {
            return false;
        }
        bytes = hf_slice_of(bytes.data + size, bytes.size - (size_t)size);
    }
    return true;
}
