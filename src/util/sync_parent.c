#include "sync_parent.h"

#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

enum hf_status hf_sync_parent(const char *path)
{
    char copy[PATH_MAX];
    snprintf(copy, sizeof(copy), "%s", path);
    int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return HF_IO;
    }
    int failed = fsync(fd);
    close(fd);
    return failed != 0 ? HF_IO : HF_OK;
}
