#include "queue_cli.h"

#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "control_client.h"
#include "progress_view.h"
#include "service/control_protocol.h"
#include "service/queue/arguments.h"
#include "service/queue/command.h"
#include "service/queue/orphans.h"
#include "service/queue/output.h"
#include "storage/storage.h"
#include "util/log/log.h"

#define WORDS_MAX HF_CONTROL_WORDS_MAX
#define ASK_EVERY_NS 100000000L

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
    if (!hf_is_data_directory(directory)) {
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

/* ---- directories that no process has ---- */

/* `orphans [--json] [DIR...]`: the directories beside our own when none is named. */
static enum hf_exit list_orphans(const struct words *words)
{
    const char *directories[WORDS_MAX];
    size_t count = 0;
    bool json = false;
    for (int i = 1; i < words->count; i++) {
        if (strcmp(words->items[i], "--json") == 0) {
            json = true;
        } else if (words->items[i][0] == '-') {
            fprintf(stderr, "error: queue orphans takes no %s\n", words->items[i]);
            return HF_EXIT_USAGE;
        } else {
            directories[count++] = words->items[i];
        }
    }
    char *own = hf_client_find(&words->place);
    char *beside = own != NULL ? strdup(own) : NULL;
    enum hf_exit code = HF_EXIT_FAILED;
    if (count == 0 && beside != NULL) {
        directories[count++] = dirname(beside);
    }
    if (beside != NULL) {
        code = hf_orphans_list(directories, count, own, json, stdout);
    }
    free(own);
    free(beside);
    return code;
}

/* The running process moves a part at each call. */
static enum hf_exit adopt(const char *directory, int count, char **words)
{
    const struct timespec pause = {0, ASK_EVERY_NS};
    char *from = realpath(words[1], NULL); /* the process has another working directory */
    char *asked[] = {words[0], from};
    enum hf_exit code = HF_EXIT_NOT_EMPTY;
    if (from == NULL) {
        hf_queue_say(stderr, "error: %s: %s\n", words[1], strerror(errno));
        return HF_EXIT_FAILED;
    }
    while (code == HF_EXIT_NOT_EMPTY) {
        int fd = hf_control_socket(directory, 0);
        if (fd < 0) {
            hf_queue_say(stderr,
                         "error: no Holdfast runs on the data directory %s: one must run to take "
                         "the backlog over, or mount %s as the data directory of one\n",
                         directory, from);
            code = HF_EXIT_FAILED;
        } else {
            code = hf_client_ask(fd, count, asked, stdout);
        }
        if (code == HF_EXIT_NOT_EMPTY) {
            nanosleep(&pause, NULL);
        }
    }
    free(from);
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
    if (wrong == NULL && strcmp(words.items[0], "orphans") == 0) {
        return list_orphans(&words);
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
    if (parsed.verb == HF_QUEUE_ADOPT) {
        enum hf_exit adopted = adopt(directory, words.count, words.items);
        free(directory);
        return adopted;
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
