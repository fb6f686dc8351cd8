#include "control.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <holdfast/component.h>

#include "control_protocol.h"
#include "drain.h"
#include "occupied.h"
#include "queue_command.h"
#include "store.h"

#define REQUEST_TIMEOUT_S 5
#define ANSWER_TIMEOUT_S 30

struct hf_control {
    const struct hf_host *host;
    int listen_fd, stop_fd;
    pthread_t thread;
    pthread_mutex_t lock; /* guards the two below */
    int client_fd;        /* being served, of the thread; -1: none */
    bool is_ending;
};

int hf_control_socket(const char *directory, int listening)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int where = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
    int fd = where >= 0 ? socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0) : -1;
    /* A socket's path is at most 107 bytes; by way of the open directory any path is short. */
    snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/control", where);
    int rc = -1;
    if (fd >= 0 && listening != 0) {
        struct stat info;
        if (lstat(address.sun_path, &info) == 0 && S_ISSOCK(info.st_mode)) {
            unlink(address.sun_path); /* of a process that is gone: this one has the lock */
        }
        mode_t mask = umask(0177);
        rc = bind(fd, (const struct sockaddr *)&address, sizeof(address));
        umask(mask);
        rc = rc == 0 ? listen(fd, 8) : rc;
    } else if (fd >= 0) {
        rc = connect(fd, (const struct sockaddr *)&address, sizeof(address));
    }
    int error = errno;
    if (where >= 0) {
        close(where);
    }
    if (rc != 0 && fd >= 0) {
        close(fd);
        fd = -1;
    }
    errno = error;
    return fd;
}

/* Reads the words; their number, or -1 when they are not as the protocol says. */
static int read_request(int fd, char *buffer, char **words)
{
    size_t size = 0;
    int count = 0;
    for (;;) {
        ssize_t got = read(fd, buffer + size, HF_CONTROL_REQUEST_MAX - size);
        if (got <= 0) {
            return -1;
        }
        size += (size_t)got;
        if (size >= 2 && buffer[size - 1] == '\0' && buffer[size - 2] == '\0') {
            break;
        }
        if (size == HF_CONTROL_REQUEST_MAX) {
            return -1;
        }
    }
    for (size_t at = 0; at < size - 1 && count < HF_CONTROL_WORDS_MAX;
         at += strlen(buffer + at) + 1) {
        words[count++] = buffer + at;
    }
    return count;
}

/* False: the process ends, nobody is served any more. */
static bool set_client(struct hf_control *control, int fd)
{
    pthread_mutex_lock(&control->lock);
    bool may_go_on = !control->is_ending;
    control->client_fd = fd;
    pthread_mutex_unlock(&control->lock);
    return may_go_on;
}

static void serve_one(struct hf_control *control, int fd)
{
    char buffer[HF_CONTROL_REQUEST_MAX];
    char *words[HF_CONTROL_WORDS_MAX];
    const struct timeval wait = {REQUEST_TIMEOUT_S, 0};
    const struct timeval patience = {ANSWER_TIMEOUT_S, 0};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    FILE *out = fdopen(fd, "r+e");
    if (out == NULL) {
        close(fd);
        return;
    }
    int count = set_client(control, fd) ? read_request(fd, buffer, words) : -1;
    enum hf_exit code = HF_EXIT_USAGE;
    if (count > 0 && strcmp(words[0], "drain") == 0) {
        code = hf_drain_command(control->host->store, count, words, out);
    } else if (count >= 0) {
        code = hf_queue_command(control->host->store, count, words, out);
    }
    fputc((int)code, out);
    fflush(out);
    (void)set_client(control, -1);
    fclose(out);
}

static void *serve(void *user)
{
    struct hf_control *control = user;
    pthread_setname_np(pthread_self(), "control");
    struct pollfd ready[] = {{control->listen_fd, POLLIN, 0}, {control->stop_fd, POLLIN, 0}};
    for (;;) {
        if (poll(ready, 2, -1) < 0 && errno != EINTR) {
            return NULL;
        }
        if (ready[1].revents != 0) {
            return NULL;
        }
        int fd = ready[0].revents != 0 ? accept4(control->listen_fd, NULL, NULL, SOCK_CLOEXEC) : -1;
        if (fd >= 0) {
            serve_one(control, fd);
        }
    }
}

enum hf_status hf_control_open(const struct hf_host *host, struct hf_control **ret_control,
                               char *reterr)
{
    struct hf_control *control = calloc(1, sizeof(*control));
    if (control == NULL) {
        return HF_NOMEM;
    }
    control->host = host;
    control->client_fd = -1;
    pthread_mutex_init(&control->lock, NULL);
    control->listen_fd = hf_control_socket(hf_store_directory(host->store), 1);
    control->stop_fd = eventfd(0, EFD_CLOEXEC);
    if (control->listen_fd < 0 || control->stop_fd < 0 ||
        pthread_create(&control->thread, NULL, serve, control) != 0) {
        int error = errno;
        char path[4096];
        snprintf(path, sizeof(path), "%s/control", hf_store_directory(host->store));
        snprintf(reterr, HF_ERROR_MAX, "cannot listen on %.300s: %s%s%s", path, strerror(error),
                 error == EADDRINUSE ? "; " : "", error == EADDRINUSE ? hf_occupied_by(path) : "");
        if (control->listen_fd >= 0) {
            close(control->listen_fd);
        }
        if (control->stop_fd >= 0) {
            close(control->stop_fd);
        }
        pthread_mutex_destroy(&control->lock);
        free(control);
        return HF_IO;
    }
    *ret_control = control;
    return HF_OK;
}

void hf_control_close(struct hf_control *control)
{
    if (control == NULL) {
        return;
    }
    /* A long command, or one whose reader is slow, does not hold up the end. */
    pthread_mutex_lock(&control->lock);
    control->is_ending = true;
    if (control->client_fd >= 0) {
        shutdown(control->client_fd, SHUT_RDWR);
    }
    pthread_mutex_unlock(&control->lock);
    uint64_t one = 1;
    ssize_t wrote = write(control->stop_fd, &one, sizeof(one));
    (void)wrote; /* an eventfd takes its first count */
    pthread_join(control->thread, NULL);
    close(control->listen_fd);
    close(control->stop_fd);
    char path[4096];
    snprintf(path, sizeof(path), "%s/control", hf_store_directory(control->host->store));
    unlink(path);
    pthread_mutex_destroy(&control->lock);
    free(control);
}
