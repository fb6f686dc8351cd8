#include "occupied.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* The error of connecting to it; 0: there is a listener. */
static int try_to_connect(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return errno;
    }
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    int error = connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0 ? 0 : errno;
    close(fd);
    return error;
}

const char *hf_occupied_by(const char *path)
{
    struct stat info;
    if (lstat(path, &info) != 0) {
        return "something was there a moment ago; try again";
    }
    if (S_ISDIR(info.st_mode)) {
        return "a directory stands there; remove it or choose another path";
    }
    if (S_ISLNK(info.st_mode)) {
        return "a symbolic link stands there; remove it or choose another path";
    }
    if (!S_ISSOCK(info.st_mode)) {
        return "a file that is no socket stands there; remove it or choose another path";
    }
    switch (try_to_connect(path)) {
    case 0:
    case EAGAIN:     /* it listens, and its backlog is full */
    case EPROTOTYPE: /* it is a socket of another kind, and served */
        return "another process serves it; stop that one or choose another path";
    case ECONNREFUSED:
        return "a socket that no process serves stands there and cannot be removed; remove it or "
               "choose another path";
    default:
        return "a socket stands there that this user may not connect to; stop the process that "
               "serves it, remove it or choose another path";
    }
}
