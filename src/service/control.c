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
#include "drain_command.h"
#include "pipeline/occupied.h"
#include "service/queue/command.h"
#include "storage/storage.h"
#include "util/clock.h"
#include "util/thread.h"

#define REQUEST_TIMEOUT_NS (5 * HF_NS_PER_S)
/* For a client that does not read its answer; less while others wait. */
#define ANSWER_TIMEOUT_S 30
#define ANSWER_TIMEOUT_BUSY_S 2
#define CLIENTS_MAX 16u

/* One that has connected and not asked yet. */
struct client {
    int fd;
    uint64_t since_ns;
    size_t size;
    char buffer[HF_CONTROL_REQUEST_MAX];
};

struct hf_control {
    const struct hf_host *host;
    int listen_fd, stop_fd;
    pthread_t thread;
    struct client clients[CLIENTS_MAX]; /* the thread's, oldest first */
    size_t client_count;
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
    size_t room = sizeof(client->buffer) - client->size;
    ssize_t got = recv(client->fd, client->buffer + client->size, room, MSG_DONTWAIT);
    if (got < 0) {
        return errno == EAGAIN || errno == EINTR ? READING_MORE : READING_FAILED;
    }
    client->size += (size_t)got;
    size_t size = client->size;
    if (size >= 2 && client->buffer[size - 1] == '\0' && client->buffer[size - 2] == '\0') {
        return READING_DONE;
    }
    return got == 0 || size == sizeof(client->buffer) ? READING_FAILED : READING_MORE;
}

static int split_words(struct client *client, char **words)
{
    int count = 0;
    for (size_t at = 0; at < client->size - 1 && count < HF_CONTROL_WORDS_MAX;
         at += strlen(client->buffer + at) + 1) {
        words[count++] = client->buffer + at;
    }
    return count;
}

/* False: the process ends, and no client is served any more. */
static bool set_client(struct hf_control *control, int fd)
{
    pthread_mutex_lock(&control->lock);
    bool may_go_on = !control->is_ending;
    control->client_fd = fd;
    pthread_mutex_unlock(&control->lock);
    return may_go_on;
}

/* Takes the client's connection. `is_asked`: its request is whole. */
static void serve_one(struct hf_control *control, struct client *client, bool is_asked)
{
    char *words[HF_CONTROL_WORDS_MAX];
    bool is_busy = control->client_count > 1;
    const struct timeval patience = {is_busy ? ANSWER_TIMEOUT_BUSY_S : ANSWER_TIMEOUT_S, 0};
    setsockopt(client->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    FILE *out = fdopen(client->fd, "r+e");
    if (out == NULL) {
        close(client->fd);
        return;
    }
    int count = set_client(control, client->fd) && is_asked ? split_words(client, words) : -1;
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

static void forget(struct hf_control *control, size_t i)
{
    size_t behind = --control->client_count - i;
    memmove(&control->clients[i], &control->clients[i + 1], behind * sizeof(control->clients[0]));
}

/* Serves the first that has asked, lets go of those that keep silent for too long. */
static void look_at_clients(struct hf_control *control, uint64_t now_ns)
{
    for (size_t i = 0; i < control->client_count;) {
        struct client *client = &control->clients[i];
        enum reading reading = read_some(client);
        bool is_late = now_ns - client->since_ns >= REQUEST_TIMEOUT_NS;
        if (reading == READING_MORE && !is_late) {
            i++;
            continue;
        }
        serve_one(control, client, reading == READING_DONE);
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
    client->size = 0;
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
        struct pollfd ready[2 + CLIENTS_MAX] = {{control->listen_fd, POLLIN, 0},
                                                {control->stop_fd, POLLIN, 0}};
        for (size_t i = 0; i < control->client_count; i++) {
            ready[2 + i] = (struct pollfd){control->clients[i].fd, POLLIN, 0};
        }
        int wait = wait_ms(control, hf_clock_monotonic_ns());
        if (poll(ready, 2 + (nfds_t)control->client_count, wait) < 0 && errno != EINTR) {
            break;
        }
        if (ready[1].revents != 0) {
            break;
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
    control->listen_fd = hf_control_socket(hf_storage_directory(host->store), 1);
    control->stop_fd = eventfd(0, EFD_CLOEXEC);
    if (control->listen_fd < 0 || control->stop_fd < 0 ||
        hf_thread_start(&control->thread, NULL, serve, control) != 0) {
        int error = errno;
        char path[4096];
        snprintf(path, sizeof(path), "%s/control", hf_storage_directory(host->store));
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
    snprintf(path, sizeof(path), "%s/control", hf_storage_directory(control->host->store));
    unlink(path);
    pthread_mutex_destroy(&control->lock);
    free(control);
}
