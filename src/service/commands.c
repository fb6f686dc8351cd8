#include "commands.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "drain_command.h"
#include "ephemeral.h"
#include "service/queue/arguments.h"
#include "service/queue/command.h"
#include "service/queue/output.h"
#include "status/log_command.h"
#include "status/status.h"
#include "storage/storage.h"
#include "tail/tail_command.h"
#include "tail/tail_words.h"
#include "util/time/clock.h"

struct hf_commands {
    struct hf_host *host;
    struct hf_hand_over *hand_over;
    struct hf_reloads *reloads;
    uint64_t started_ns, began_ns; /* Unix time; monotonic */
    bool is_ephemeral;
    pthread_mutex_t one;        /* a command that changes queues at a time */
    pthread_mutex_t graph_lock; /* guards the one below */
    struct hf_graph *graph;
};

static int run_for_node(void *commands, int count, char *const *words, FILE *out)
{
    return (int)hf_commands_run(commands, count, words, out);
}

enum hf_status hf_commands_new(struct hf_host *host, struct hf_hand_over *hand_over,
                               struct hf_commands **ret_commands)
{
    struct hf_commands *commands = calloc(1, sizeof(*commands));
    if (commands == NULL || hf_reloads_new(&commands->reloads) != HF_OK) {
        free(commands);
        return HF_NOMEM;
    }
    commands->host = host;
    commands->hand_over = hand_over;
    commands->started_ns = hf_clock_unix_ns();
    commands->began_ns = hf_clock_monotonic_ns();
    commands->is_ephemeral = hf_ephemeral_is(hf_storage_directory(host->store));
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
    hf_reloads_free(commands->reloads);
    free(commands);
}

void hf_commands_watch(struct hf_commands *commands, struct hf_graph *graph)
{
    pthread_mutex_lock(&commands->graph_lock);
    commands->graph = graph;
    pthread_mutex_unlock(&commands->graph_lock);
}

struct hf_reloads *hf_commands_reloads(struct hf_commands *commands)
{
    return commands->reloads;
}

static enum hf_exit run_status(struct hf_commands *commands, int count, char *const *words,
                               FILE *out)
{
    const struct hf_status_source source = {
        .host = commands->host,
        .graph = commands->graph,
        .reloads = commands->reloads,
        .started_ns = commands->started_ns,
        .uptime_ns = hf_clock_monotonic_ns() - commands->began_ns,
        .is_ephemeral = commands->is_ephemeral,
    };
    return hf_status_command(&source, count, words, out);
}

static enum hf_exit run_config(struct hf_commands *commands, int count, char *const *words,
                               FILE *out)
{
    (void)words;
    if (count != 1) {
        fputs("error: config takes no further word\n", out);
        return HF_EXIT_USAGE;
    }
    char *text = commands->graph != NULL
                     ? hf_config_print(hf_graph_config(commands->graph), false, true)
                     : NULL;
    fputs(text != NULL ? text : "error: no configuration runs now; ask again\n", out);
    enum hf_exit code = text != NULL ? HF_EXIT_OK : HF_EXIT_FAILED;
    free(text);
    return code;
}

static enum hf_exit run_log(struct hf_commands *commands, int count, char *const *words, FILE *out)
{
    return hf_log_command(commands->host->log, count, words, out);
}

/* Commands about the running graph. They do not wait for a long command on the queues; the graph
 * cannot change before they are done, so they write into memory, not to a reader who may be slow.
 */
static const struct {
    const char *word;
    enum hf_exit (*run)(struct hf_commands *commands, int count, char *const *words, FILE *out);
} looks[] = {{"status", run_status}, {"config", run_config}, {"log", run_log}};

static enum hf_exit run_look(struct hf_commands *commands, size_t at, int count, char *const *words,
                             FILE *out)
{
    char *text = NULL;
    size_t size = 0;
    FILE *memory = open_memstream(&text, &size);
    if (memory == NULL) {
        fputs("error: out of memory\n", out);
        return HF_EXIT_FAILED;
    }
    pthread_mutex_lock(&commands->graph_lock);
    enum hf_exit code = looks[at].run(commands, count, words, memory);
    pthread_mutex_unlock(&commands->graph_lock);
    if (fclose(memory) != 0) {
        fputs("error: out of memory\n", out);
        code = HF_EXIT_FAILED;
    } else {
        fwrite(text, 1, size, out);
    }
    free(text);
    return code;
}

/* Does the configuration that runs name it? True while none runs. */
static bool is_configured(struct hf_commands *commands, const char *id)
{
    pthread_mutex_lock(&commands->graph_lock);
    size_t count = 0;
    const struct hf_config_component *all =
        commands->graph != NULL ? hf_config_components(hf_graph_config(commands->graph), &count)
                                : NULL;
    bool is_found = commands->graph == NULL;
    for (size_t i = 0; i < count && !is_found; i++) {
        is_found = all[i].kind != HF_EXTENSION && strcmp(all[i].id, id) == 0;
    }
    pthread_mutex_unlock(&commands->graph_lock);
    return is_found;
}

/* A name that is misspelt would show nothing, and look like a point that nothing passes. */
static enum hf_exit run_tail(struct hf_commands *commands, int count, char *const *words, FILE *out)
{
    struct hf_tail_words parsed;
    char why[HF_ERROR_MAX];
    if (hf_tail_parse(count, words, &parsed, why) && parsed.point.component != NULL &&
        !is_configured(commands, parsed.point.component)) {
        hf_queue_say(out,
                     "error: no receiver, processor, connector or exporter is called %s; holdfast "
                     "top lists them\n",
                     parsed.point.component);
        return HF_EXIT_USAGE;
    }
    return hf_tail_command(commands->host, count, words, out);
}

enum hf_exit hf_commands_run(struct hf_commands *commands, int count, char *const *words, FILE *out)
{
    for (size_t i = 0; i < sizeof(looks) / sizeof(looks[0]) && count > 0; i++) {
        if (strcmp(words[0], looks[i].word) == 0) {
            return run_look(commands, i, count, words, out);
        }
    }
    if (count > 0 && strcmp(words[0], "tail") == 0) {
        return run_tail(commands, count, words, out);
    }
    bool is_drain = count > 0 && strcmp(words[0], "drain") == 0;
    if (!is_drain && (count == 0 || !hf_queue_changes(words[0]))) {
        return hf_queue_command(commands->host->store, count, words, out);
    }
    pthread_mutex_lock(&commands->one);
    enum hf_exit code =
        is_drain ? hf_drain_command(commands->host->store, commands->hand_over, count, words, out)
                 : hf_queue_command(commands->host->store, count, words, out);
    pthread_mutex_unlock(&commands->one);
    return code;
}
