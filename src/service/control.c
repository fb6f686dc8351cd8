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
#include <sys/un.h>
#include <unistd.h>

#include <holdfast/component.h>

#include "control_protocol.h"
#include "pipeline/occupied.h"
#include "servers.h"
#include "util/thread.h"
#include "util/time/clock.h"

#define REQUEST_TIMEOUT_NS (5 * HF_NS_PER_S)
#define CLIENTS_MAX 16u
#define FIXED_FDS 3u

/* One that has connected and not asked yet. */
struct client {
    int fd;
    uint64_t since_ns;
    bool is_asked; /* its request is whole, and waits for a server */
    struct hf_request request;
};

struct hf_control {
    struct hf_servers *servers;
    const char *directory;
    int listen_fd, stop_fd;
    int free_fd; /* written to when a server is free again */
    pthread_t thread;
    struct client clients[CLIENTS_MAX]; /* the thread's, oldest first */
    size_t client_count;
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
        rc = rc == 0 ? listen(fd, 64) : rc;
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

enum reading { READING_MORE, READING_DONE, READING_FAILED };

/* What has come of the request. */
static enum reading read_some(struct client *client)
{
    struct hf_request *request = &client->request;
    if (client->is_asked) {
        return READING_DONE;
    }
    size_t room = sizeof(request->text) - request->size;
    ssize_t got = recv(client->fd, request->text + request->size, room, MSG_DONTWAIT);
    if (got < 0) {
        return errno == EAGAIN || errno == EINTR ? READING_MORE : READING_FAILED;
    }
    request->size += (size_t)got;
    size_t size = request->size;
    client->is_asked =
        size >= 2 && request->text[size - 1] == '\0' && request->text[size - 2] == '\0';
    if (client->is_asked) {
        return READING_DONE;
    }
    return got == 0 || size == sizeof(request->text) ? READING_FAILED : READING_MORE;
}

/* For a request that never became whole. */
static void refuse(const struct client *client)
{
    const char code = HF_EXIT_USAGE;
    ssize_t sent = send(client->fd, &code, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
    (void)sent; /* it may be gone */
    close(client->fd);
}

static void forget(struct hf_control *control, size_t i)
{
    size_t behind = --control->client_count - i;
    memmove(&control->clients[i], &control->clients[i + 1], behind * sizeof(control->clients[0]));
}

/* Hands over those that have asked, lets go of those that keep silent for too long. */
static void look_at_clients(struct hf_control *control, uint64_t now_ns)
{
    for (size_t i = 0; i < control->client_count;) {
        struct client *client = &control->clients[i];
        enum reading reading = read_some(client);
        bool is_late = now_ns - client->since_ns >= REQUEST_TIMEOUT_NS;
        bool is_served = reading == READING_DONE &&
                         hf_servers_take(control->servers, client->fd, &client->request);
        if (!is_served && reading != READING_FAILED && !is_late) {
            i++;
            continue;
        }
        if (!is_served) {
            refuse(client);
        }
        forget(control, i);
    }
}

/* The one that has been silent for longest makes way. */
static void take_client(struct hf_control *control)
{
    int fd = accept4(control->listen_fd, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0) {
        return;
    }
    if (control->client_count == CLIENTS_MAX) {
        close(control->clients[0].fd);
        forget(control, 0);
    }
    struct client *client = &control->clients[control->client_count++];
    client->fd = fd;
    client->is_asked = false;
    client->request.size = 0;
    client->since_ns = hf_clock_monotonic_ns();
}

static int wait_ms(const struct hf_control *control, uint64_t now_ns)
{
    if (control->client_count == 0) {
        return -1;
    }
    uint64_t until_ns = control->clients[0].since_ns + REQUEST_TIMEOUT_NS;
    return until_ns > now_ns ? (int)((until_ns - now_ns) / HF_NS_PER_MS) + 1 : 0;
}

static void *serve(void *user)
{
    struct hf_control *control = user;
    pthread_setname_np(pthread_self(), "control");
    for (;;) {
        struct pollfd ready[FIXED_FDS + CLIENTS_MAX] = {{control->listen_fd, POLLIN, 0},
                                                        {control->stop_fd, POLLIN, 0},
                                                        {control->free_fd, POLLIN, 0}};
        for (size_t i = 0; i < control->client_count; i++) {
            /* One that waits for a server says no more: its hang-up must not wake us all the time.
             */
            int fd = control->clients[i].is_asked ? -1 : control->clients[i].fd;
            ready[FIXED_FDS + i] = (struct pollfd){fd, POLLIN, 0};
        }
        int wait = wait_ms(control, hf_clock_monotonic_ns());
        if (poll(ready, FIXED_FDS + (nfds_t)control->client_count, wait) < 0 && errno != EINTR) {
            break;
        }
        if (ready[1].revents != 0) {
            break;
        }
        if (ready[2].revents != 0) {
            uint64_t count;
            ssize_t got = read(control->free_fd, &count, sizeof(count));
            (void)got; /* it only had to be emptied */
            hf_servers_reap(control->servers);
        }
        if (ready[0].revents != 0) {
            take_client(control);
        }
        look_at_clients(control, hf_clock_monotonic_ns());
    }
    for (size_t i = 0; i < control->client_count; i++) {
        close(control->clients[i].fd);
    }
    return NULL;
}

/* Also of one that is half made. */
static void release(struct hf_control *control)
{
    hf_servers_free(control->servers);
    const int fds[] = {control->listen_fd, control->stop_fd, control->free_fd};
    for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
        if (fds[i] >= 0) {
            close(fds[i]);
        }
    }
    free(control);
}

enum hf_status hf_control_open(const char *directory, struct hf_commands *commands,
                               struct hf_control **ret_control, char *reterr)
{
    struct hf_control *control = calloc(1, sizeof(*control));
    if (control == NULL) {
        return HF_NOMEM;
    }
    control->directory = directory;
    control->listen_fd = hf_control_socket(directory, 1);
    int error = errno;
    control->stop_fd = eventfd(0, EFD_CLOEXEC);
    control->free_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    bool is_made = control->listen_fd >= 0;
    if (is_made && (control->stop_fd < 0 || control->free_fd < 0 ||
                    hf_servers_new(commands, control->free_fd, &control->servers) != HF_OK ||
                    (errno = hf_thread_start(&control->thread, NULL, serve, control)) != 0)) {
        error = errno;
        is_made = false;
    }
    if (!is_made) {
        char path[4096];
        snprintf(path, sizeof(path), "%s/control", directory);
        snprintf(reterr, HF_ERROR_MAX, "cannot listen on %.300s: %s%s%s", path, strerror(error),
                 error == EADDRINUSE ? "; " : "", error == EADDRINUSE ? hf_occupied_by(path) : "");
        release(control);
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
    uint64_t one = 1;
    ssize_t wrote = write(control->stop_fd, &one, sizeof(one));
    (void)wrote; /* an eventfd takes its first count */
    pthread_join(control->thread, NULL);
    char path[4096];
    snprintf(path, sizeof(path), "%s/control", control->directory);
    unlink(path);
    release(control);
}
