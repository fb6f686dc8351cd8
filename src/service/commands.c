#include "commands.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "drain_command.h"
#include "service/queue/command.h"

struct hf_commands {
    struct hf_host *host;
    pthread_mutex_t one;        /* a command on the queues at a time */
    pthread_mutex_t graph_lock; /* guards the one below */
    struct hf_graph *graph;
};

static int run_for_node(void *commands, int count, char *const *words, FILE *out)
{
    return (int)hf_commands_run(commands, count, words, out);
}

enum hf_status hf_commands_new(struct hf_host *host, struct hf_commands **ret_commands)
{
    struct hf_commands *commands = calloc(1, sizeof(*commands));
    if (commands == NULL) {
        return HF_NOMEM;
    }
    commands->host = host;
    pthread_mutex_init(&commands->one, NULL);
    pthread_mutex_init(&commands->graph_lock, NULL);
    host->run_command = run_for_node;
    host->commands = commands;
    *ret_commands = commands;
    return HF_OK;
}

void hf_commands_free(struct hf_commands *commands)
{
    if (commands == NULL) {
        return;
    }
    commands->host->run_command = NULL;
    pthread_mutex_destroy(&commands->graph_lock);
    pthread_mutex_destroy(&commands->one);
    free(commands);
}

void hf_commands_watch(struct hf_commands *commands, struct hf_graph *graph)
{
    pthread_mutex_lock(&commands->graph_lock);
    commands->graph = graph;
    pthread_mutex_unlock(&commands->graph_lock);
}

enum hf_exit hf_commands_run(struct hf_commands *commands, int count, char *const *words, FILE *out)
{
    pthread_mutex_lock(&commands->one);
    enum hf_exit code = count > 0 && strcmp(words[0], "drain") == 0
                            ? hf_drain_command(commands->host->store, count, words, out)
                            : hf_queue_command(commands->host->store, count, words, out);
    pthread_mutex_unlock(&commands->one);
    return code;
}
