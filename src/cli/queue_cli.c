#include "queue_cli.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control_client.h"
#include "progress_view.h"
#include "service/control_protocol.h"
#include "service/queue/arguments.h"
#include "service/queue/command.h"
#include "service/queue/output.h"
#include "storage/storage.h"
#include "util/log.h"

#define WORDS_MAX HF_CONTROL_WORDS_MAX
#define PATH_BYTES_MAX 4096

/* The command line without the options that say where. */
struct words {
    char *items[WORDS_MAX];
    int count;
    struct hf_client_place place;
    bool help;
};

/* NULL, or what is wrong. */
static const char *sort_words(int count, char **arguments, struct words *words)
{
    for (int i = 1; i < count; i++) {
        bool taken = false;
        const char *wrong = hf_client_place_take(&words->place, count, arguments, &i, &taken);
        if (wrong != NULL) {
            return wrong;
        }
        if (taken) {
            continue;
        }
        if (strcmp(arguments[i], "--help") == 0 || strcmp(arguments[i], "-h") == 0) {
            words->help = true;
        } else if (words->count < WORDS_MAX) {
            words->items[words->count++] = arguments[i];
        } else {
            return "too many words";
        }
    }
    return NULL;
}

static bool feeds(const struct hf_config_pipeline *pipeline, const char *exporter)
{
    for (size_t i = 0; i < pipeline->exporter_count; i++) {
        if (strcmp(pipeline->exporters[i]->id, exporter) == 0) {
            return true;
        }
    }
    return false;
}

/* While no process runs, only the configuration says which exporters exist: their backlog waits for
 * delivery and must not be dropped. */
static bool drops_what_is_configured(const struct hf_queue_arguments *arguments,
                                     const struct hf_config *config)
{
    size_t count = 0;
    if (config == NULL || arguments->verb != HF_QUEUE_DROP || arguments->exporter == NULL) {
        return false;
    }
    const struct hf_config_pipeline *pipelines = hf_config_pipelines(config, &count);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(pipelines[i].id, arguments->queue) == 0 &&
            feeds(&pipelines[i], arguments->exporter)) {
            hf_queue_say(
                stderr,
                "error: %s is configured for %s: its backlog waits to be delivered; take it "
                "out of the configuration first\n",
                arguments->exporter, pipelines[i].id);
            return true;
        }
    }
    return false;
}

static char *find_directory(const struct words *words, const struct hf_queue_arguments *arguments)
{
    struct hf_config *config = NULL;
    char *directory = NULL;
    if (hf_client_load(&words->place, &config) && !drops_what_is_configured(arguments, config)) {
        directory = hf_client_directory(&words->place, config);
    }
    hf_config_free(config);
    return directory;
}

/* A command with a wrong path must not create files there. A directory that cannot be read is left
 * to the opening, which reports why. */
static bool is_data_directory(const char *directory)
{
    static const char *const names[] = {HF_STORAGE_QUEUE, HF_STORAGE_DEAD_LETTERS, "lock"};
    char path[PATH_BYTES_MAX];
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        snprintf(path, sizeof(path), "%s/%s", directory, names[i]);
        if (access(path, F_OK) == 0 || errno == EACCES) {
            return true;
        }
    }
    return false;
}

static enum hf_exit open_dead(const char *directory, const struct words *words, FILE *out)
{
    char error[HF_ERROR_MAX] = "out of memory";
    struct hf_log *log = NULL;
    struct hf_storage *store = NULL;
    struct stat info;
    int now = 1; /* do not wait for the lock */
    if (stat(directory, &info) != 0) {
        hf_queue_say(stderr, "error: no data directory %s; name it with --data-dir\n", directory);
        return HF_EXIT_FAILED;
    }
    if (!is_data_directory(directory)) {
        hf_queue_say(stderr, "error: %s holds no queue; name the data directory with --data-dir\n",
                     directory);
        return HF_EXIT_FAILED;
    }
    const struct hf_log_options log_options = {.level = HF_LOG_WARN, .encoding = "console"};
    const struct hf_storage_options options = {.directory = directory, .stop_requested = &now};
    struct hf_storage_options made = options;
    enum hf_status status = hf_log_new(&log_options, &log, error);
    made.log = log;
    if (status == HF_OK) {
        status = hf_storage_open(&made, &store, error);
    }
    enum hf_exit code = HF_EXIT_FAILED;
    if (status == HF_OK) {
        bool whole = hf_storage_open_all(store);
        code = hf_queue_command(store, words->count, words->items, out);
        code = code == HF_EXIT_OK && !whole ? HF_EXIT_FAILED : code;
    } else {
        hf_queue_say(stderr, "error: %s%s\n", error,
                     status == HF_CLOSED
                         ? " and does not answer: it starts, stops or is another user's"
                         : "");
    }
    hf_storage_close(store);
    hf_log_free(log);
    return code;
}

/* The word by which the process tells how far it is. */
static char progress[] = "--progress";

static bool is_long(enum hf_queue_verb verb)
{
    return verb == HF_QUEUE_VERIFY || verb == HF_QUEUE_EXPORT || verb == HF_QUEUE_REQUEUE ||
           verb == HF_QUEUE_DROP;
}

enum hf_exit hf_queue_cli(const struct hf_component *const *components, int count, char **arguments)
{
    struct words words = {.place.components = components};
    struct hf_queue_arguments parsed;
    char error[HF_ERROR_MAX] = "";
    const char *wrong = sort_words(count, arguments, &words);
    if (words.help) {
        fputs(hf_queue_usage, stdout);
        return HF_EXIT_OK;
    }
    if (wrong == NULL && words.count == 0) {
        fputs(hf_queue_usage, stderr);
        return HF_EXIT_USAGE;
    }
    if (wrong == NULL && !hf_queue_parse(words.count, words.items, &parsed, error)) {
        wrong = error;
    }
    if (wrong != NULL) {
        fprintf(stderr, "error: %s\nUsage: holdfast queue --help\n", wrong);
        return HF_EXIT_USAGE;
    }
    char *directory = find_directory(&words, &parsed);
    FILE *view = directory != NULL && is_long(parsed.verb) && words.count < WORDS_MAX &&
                         hf_progress_view_is_wanted()
                     ? hf_progress_view_open(words.items[0], stdout)
                     : NULL;
    if (directory == NULL) {
        return HF_EXIT_FAILED;
    }
    if (view != NULL) {
        words.items[words.count++] = progress;
    }
    FILE *out = view != NULL ? view : stdout;
    int fd = hf_control_socket(directory, 0);
    enum hf_exit code = fd >= 0 ? hf_client_ask(fd, words.count, words.items, out)
                                : open_dead(directory, &words, out);
    if (view != NULL) {
        fclose(view);
    }
    free(directory);
    return code;
}
