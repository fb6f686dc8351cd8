#include "sync_directory.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

enum hf_status hf_sync_directory(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return HF_IO;
    }
    int error = fsync(fd) != 0 ? errno : 0;
    close(fd);
    errno = error;
    return error == EIO || error == ENOSPC || error == EDQUOT ? HF_IO : HF_OK;
}

enum hf_status hf_sync_parent(const char *path)
{
    char copy[PATH_MAX];
    snprintf(copy, sizeof(copy), "%s", path);
    return hf_sync_directory(dirname(copy));
}
