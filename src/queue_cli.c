#include "queue_cli.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "registry.h"
#include "service/control_protocol.h"
#include "service/queue_arguments.h"
#include "service/queue_command.h"
#include "service/store.h"
#include "util/log.h"

#define WORDS_MAX HF_CONTROL_WORDS_MAX
#define CONFIGS_MAX 64
#define PATH_BYTES_MAX 4096

/* The command line without the options that say where. */
struct words {
    char *items[WORDS_MAX];
    int count;
    const char *data_directory;
    struct hf_config_source configs[CONFIGS_MAX];
    size_t config_count;
    bool help;
};

/* The value of an option, from the same word or the next; NULL: it is another word. */
static const char *value_of(const char *option, int count, char **arguments, int *at)
{
    size_t size = strlen(option);
    const char *word = arguments[*at];
    if (strncmp(word, option, size) != 0 || (word[size] != '\0' && word[size] != '=')) {
        return NULL;
    }
    if (word[size] == '=') {
        return word + size + 1;
    }
    return *at + 1 < count ? arguments[++*at] : "";
}

/* NULL, or what is wrong. */
static const char *sort_words(int count, char **arguments, struct words *words)
{
    for (int i = 1; i < count; i++) {
        const char *directory = value_of("--data-dir", count, arguments, &i);
        const char *config = directory == NULL ? value_of("--config", count, arguments, &i) : NULL;
        if (words->count == WORDS_MAX || words->config_count == CONFIGS_MAX) {
            return "too many words";
        }
        if (directory != NULL) {
            words->data_directory = directory;
        } else if (config != NULL) {
            words->configs[words->config_count++].uri = config;
        } else if (strcmp(arguments[i], "--help") == 0 || strcmp(arguments[i], "-h") == 0) {
            words->help = true;
        } else {
            words->items[words->count++] = arguments[i];
        }
        if ((directory != NULL && directory[0] == '\0') || (config != NULL && config[0] == '\0')) {
            return directory != NULL ? "--data-dir needs a directory" : "--config needs a file";
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

/* While nothing runs, only the configuration tells which exporters are there to stay: their backlog
 * is waiting, not left behind. */
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
            fprintf(stderr,
                    "error: %s is configured for %s: its backlog waits to be delivered; take it "
                    "out of the configuration first\n",
                    arguments->exporter, pipelines[i].id);
            return true;
        }
    }
    return false;
}

/* Where the queues are: as the service finds them, but that nothing is made; without any word of
 * it, a ./holdfast-data that is there. */
static char *find_directory(const struct words *words, const struct hf_queue_arguments *arguments)
{
    struct hf_config *config = NULL;
    struct stat info;
    if (words->config_count != 0) {
        const struct hf_config_options options = {.sources = words->configs,
                                                  .source_count = words->config_count,
                                                  .components = hf_registry,
                                                  .partial = true};
        struct hf_finding *findings = NULL;
        size_t count = 0;
        config = hf_config_load(&options, &findings, &count);
        if (config == NULL) {
            hf_service_print_findings(findings, count);
        }
        hf_findings_free(findings, count);
        if (config == NULL) {
            return NULL;
        }
    }
    if (drops_what_is_configured(arguments, config)) {
        hf_config_free(config);
        return NULL;
    }
    bool local = stat(HF_SERVICE_LOCAL_DIRECTORY "/queue", &info) == 0 &&
                 (words->config_count == 0 || stat(HF_SERVICE_SYSTEM_DIRECTORY, &info) != 0);
    char *directory = hf_service_data_directory(
        words->data_directory, local ? HF_SERVICE_LOCAL_DIRECTORY : HF_SERVICE_SYSTEM_DIRECTORY,
        config);
    hf_config_free(config);
    return directory;
}

static bool send_words(int fd, const struct words *words)
{
    char request[HF_CONTROL_REQUEST_MAX];
    size_t size = 0;
    for (int i = 0; i < words->count; i++) {
        size_t more = strlen(words->items[i]) + 1;
        if (more > sizeof(request) - size - 1) {
            return false;
        }
        memcpy(request + size, words->items[i], more);
        size += more;
    }
    request[size++] = '\0';
    return write(fd, request, size) == (ssize_t)size;
}

static enum hf_exit ask_live(int fd, const struct words *words)
{
    char buffer[65536];
    int held = -1; /* the last byte may be the exit code: it is kept back */
    ssize_t got;
    if (!send_words(fd, words)) {
        fputs("error: the running process does not answer\n", stderr);
        close(fd);
        return HF_EXIT_FAILED;
    }
    while ((got = read(fd, buffer, sizeof(buffer))) > 0) {
        if (held >= 0) {
            putchar(held);
        }
        fwrite(buffer, 1, (size_t)got - 1, stdout);
        held = (unsigned char)buffer[got - 1];
    }
    close(fd);
    fflush(stdout);
    if (got < 0 || held < 0 || held > HF_EXIT_DAMAGED) {
        fputs("error: the running process broke off its answer\n", stderr);
        return HF_EXIT_FAILED;
    }
    return (enum hf_exit)held;
}

/* Whoever names the wrong place must not find files of ours in it afterwards. What cannot be looked
 * into is left to the opening, which tells why. */
static bool is_data_directory(const char *directory)
{
    static const char *const names[] = {HF_STORE_QUEUE, HF_STORE_LETTERS, "lock"};
    char path[PATH_BYTES_MAX];
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        snprintf(path, sizeof(path), "%s/%s", directory, names[i]);
        if (access(path, F_OK) == 0 || errno == EACCES) {
            return true;
        }
    }
    return false;
}

static enum hf_exit open_dead(const char *directory, const struct words *words)
{
    char error[HF_ERROR_MAX] = "out of memory";
    struct hf_log *log = NULL;
    struct hf_store *store = NULL;
    struct stat info;
    int now = 1; /* do not wait for the lock */
    if (stat(directory, &info) != 0) {
        fprintf(stderr, "error: no data directory %s; name it with --data-dir\n", directory);
        return HF_EXIT_FAILED;
    }
    if (!is_data_directory(directory)) {
        fprintf(stderr, "error: %s holds no queue; name the data directory with --data-dir\n",
                directory);
        return HF_EXIT_FAILED;
    }
    const struct hf_log_options log_options = {.level = HF_LOG_WARN, .encoding = "console"};
    const struct hf_store_options options = {.directory = directory, .stop_requested = &now};
    struct hf_store_options made = options;
    enum hf_status status = hf_log_new(&log_options, &log, error);
    made.log = log;
    if (status == HF_OK) {
        status = hf_store_open(&made, &store, error);
    }
    enum hf_exit code = HF_EXIT_FAILED;
    if (status == HF_OK) {
        bool whole = hf_store_open_all(store);
        code = hf_queue_command(store, words->count, words->items, stdout);
        code = code == HF_EXIT_OK && !whole ? HF_EXIT_FAILED : code;
    } else {
        fprintf(stderr, "error: %s%s\n", error,
                status == HF_CLOSED ? " and does not answer: it starts, stops or is another user's"
                                    : "");
    }
    hf_store_close(store);
    hf_log_free(log);
    return code;
}

enum hf_exit hf_queue_cli(int count, char **arguments)
{
    struct words words = {.count = 0};
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
    if (directory == NULL) {
        return HF_EXIT_FAILED;
    }
    int fd = hf_control_socket(directory, 0);
    enum hf_exit code = fd >= 0 ? ask_live(fd, &words) : open_dead(directory, &words);
    free(directory);
    return code;
}
