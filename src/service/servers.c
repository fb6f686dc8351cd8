#include "servers.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "util/thread.h"

#define SERVERS_MAX 24u
/* For a client that does not read its answer. */
#define ANSWER_TIMEOUT_S 30
/* Of an answer, so that a client is not woken for every few lines. */
#define OUT_BYTES 65536u

enum state { FREE, SERVING, DONE };

struct server {
    struct hf_servers *servers;
    pthread_t thread;
    int fd;
    enum state state; /* under the lock */
    struct hf_request request;
};

struct hf_servers {
    struct hf_commands *commands;
    int wake_fd;
    pthread_mutex_t lock; /* guards the states, and that an open `fd` is open */
    struct server all[SERVERS_MAX];
};

enum hf_status hf_servers_new(struct hf_commands *commands, int wake_fd,
                              struct hf_servers **ret_servers)
{
    struct hf_servers *servers = calloc(1, sizeof(*servers));
    if (servers == NULL) {
        return HF_NOMEM;
    }
    servers->commands = commands;
    servers->wake_fd = wake_fd;
    pthread_mutex_init(&servers->lock, NULL);
    *ret_servers = servers;
    return HF_OK;
}

static int split_words(struct hf_request *request, char **words)
{
    int count = 0;
    for (size_t at = 0; at + 1 < request->size && count < HF_CONTROL_WORDS_MAX;
         at += strlen(request->text + at) + 1) {
        words[count++] = request->text + at;
    }
    return count;
}

static void set_state(struct server *server, enum state state)
{
    pthread_mutex_lock(&server->servers->lock);
    server->state = state;
    pthread_mutex_unlock(&server->servers->lock);
}

static void *serve(void *user)
{
    struct server *server = user;
    char *words[HF_CONTROL_WORDS_MAX];
    const struct timeval patience = {ANSWER_TIMEOUT_S, 0};
    pthread_setname_np(pthread_self(), "control:answer");
    setsockopt(server->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    int copy = dup(server->fd); /* `fd` stays open until the state says so */
    FILE *out = copy >= 0 ? fdopen(copy, "r+e") : NULL;
    char *buffer = malloc(OUT_BYTES);
    if (out != NULL) {
        (void)setvbuf(out, buffer, _IOFBF, OUT_BYTES); /* without memory: the usual small one */
        int count = split_words(&server->request, words);
        enum hf_exit code = hf_commands_run(server->servers->commands, count, words, out);
        fputc((int)code, out);
        fclose(out);
    } else if (copy >= 0) {
        close(copy);
    }
    free(buffer);
    shutdown(server->fd, SHUT_RDWR); /* the end of the answer */
    set_state(server, DONE);
    uint64_t one = 1;
    ssize_t wrote = write(server->servers->wake_fd, &one, sizeof(one));
    (void)wrote; /* an eventfd that is full has been written to */
    return NULL;
}

/* One whose thread has ended, or that never had one. */
static struct server *find_free(struct hf_servers *servers)
{
    struct server *found = NULL;
    for (size_t i = 0; i < SERVERS_MAX; i++) {
        struct server *server = &servers->all[i];
        pthread_mutex_lock(&servers->lock);
        enum state state = server->state;
        pthread_mutex_unlock(&servers->lock);
        if (state == DONE) {
            pthread_join(server->thread, NULL);
            close(server->fd);
            set_state(server, FREE);
        }
        found = state != SERVING && found == NULL ? server : found;
    }
    return found;
}

void hf_servers_reap(struct hf_servers *servers)
{
    (void)find_free(servers);
}

bool hf_servers_take(struct hf_servers *servers, int fd, const struct hf_request *request)
{
    struct server *server = find_free(servers);
    if (server == NULL) {
        return false;
    }
    server->servers = servers;
    server->fd = fd;
    server->request = *request;
    set_state(server, SERVING);
    if (hf_thread_start(&server->thread, NULL, serve, server) != 0) {
        set_state(server, FREE);
        return false;
    }
    return true;
}

void hf_servers_free(struct hf_servers *servers)
{
    if (servers == NULL) {
        return;
    }
    bool has_thread[SERVERS_MAX];
    /* A long command, or one whose reader is slow, does not hold up the end. */
    pthread_mutex_lock(&servers->lock);
    for (size_t i = 0; i < SERVERS_MAX; i++) {
        has_thread[i] = servers->all[i].state != FREE;
        if (servers->all[i].state == SERVING) {
            shutdown(servers->all[i].fd, SHUT_RDWR);
        }
    }
    pthread_mutex_unlock(&servers->lock);
    for (size_t i = 0; i < SERVERS_MAX; i++) {
        if (has_thread[i]) {
            pthread_join(servers->all[i].thread, NULL);
            close(servers->all[i].fd);
        }
    }
    pthread_mutex_destroy(&servers->lock);
    free(servers);
}
