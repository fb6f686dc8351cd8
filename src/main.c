/*
 * main: words of the command line in, an exit code out.
 */
#include <fcntl.h>
#include <getopt.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check/check.h"
#include "cli/commands.h"
#include "cli/drain_cli.h"
#include "cli/init_dir_cli.h"
#include "cli/queue_cli.h"
#include "cli/tail_cli.h"
#include "cli/test_cli.h"
#include "cli/top_cli.h"
#include "cli/webhook_cli.h"
#include "config/scalar.h"
#include "convert/convert.h"
#include "default_config.h"
#include "registry.h"
#include "service/config_fetch.h"
#include "service/service.h"

#define SOURCES_MAX 64

/* What the command line asks for. */
struct request {
    struct hf_config_source sources[SOURCES_MAX];
    size_t source_count;
    const char *sets[SOURCES_MAX];
    size_t set_count;
    const char *gates[SOURCES_MAX]; /* they have no effect, and more of them not even a warning */
    size_t gate_count;
    const char *words[2]; /* without an option in front */
    size_t word_count, words_wanted;
    const char *data_directory;
    const char *format;  /* NULL: the command's first */
    uint64_t timeout_ns; /* 0: the command's own */
    bool watch, partial, docs, print_default, unredacted, origins, strict, help, version;
};

static bool add_source(struct request *request, const char *uri)
{
    if (uri[0] == '\0') {
        fprintf(stderr, "holdfast: --config: expected the name of a file, got nothing\n");
        return false;
    }
    if (request->source_count == SOURCES_MAX) {
        fprintf(stderr, "holdfast: more than %d --config\n", SOURCES_MAX);
        return false;
    }
    request->sources[request->source_count++] = (struct hf_config_source){.uri = uri};
    return true;
}

static bool add_set(struct request *request, const char *text)
{
    if (request->set_count == SOURCES_MAX || strchr(text, '=') == NULL) {
        fprintf(stderr, "holdfast: --set %s: expected KEY=VALUE (missing equal sign), %d at most\n",
                text, SOURCES_MAX);
        return false;
    }
    request->sets[request->set_count++] = text;
    return true;
}

static bool take_directory(struct request *request, const char *directory)
{
    if (directory[0] == '\0') {
        fprintf(stderr, "holdfast: --data-dir: expected a directory, got nothing\n");
        return false;
    }
    request->data_directory = directory;
    return true;
}

/* One of two words, NULL: the first; `ret_second` says whether it is the second. */
static bool take_word(const char *option, const char *word, const char *const words[2],
                      bool *ret_second)
{
    *ret_second = word != NULL && strcmp(word, words[1]) == 0;
    if (word != NULL && !*ret_second && strcmp(word, words[0]) != 0) {
        fprintf(stderr, "holdfast: %s: expected %s or %s, got \"%s\"\n", option, words[0], words[1],
                word);
        return false;
    }
    return true;
}

static const char *const modes[2] = {"redacted", "unredacted"};
static const char *const config_formats[2] = {"yaml", "json"};
static const char *const graph_formats[2] = {"mermaid", "dot"};
static const char *const check_formats[2] = {"table", "json"};

static bool take_timeout(struct request *request, const char *text)
{
    int64_t ns = 0;
    const char *why = "";
    if (!hf_scalar_duration(text, &ns, &why) || ns <= 0) {
        fprintf(stderr, "holdfast: --timeout %s: expected a duration such as 5s\n", text);
        return false;
    }
    request->timeout_ns = (uint64_t)ns;
    return true;
}

static bool take_option(struct request *request, int option)
{
    switch (option) {
    case HF_CLI_CONFIG:
        return add_source(request, optarg);
    case HF_CLI_SET:
        return add_set(request, optarg);
    case HF_CLI_DATA:
        return take_directory(request, optarg);
    case HF_CLI_WATCH:
        request->watch = true;
        return true;
    case HF_CLI_HELP:
    case 'h':
        request->help = true;
        return true;
    case HF_CLI_VERSION:
    case 'v':
        request->version = true;
        return true;
    case HF_CLI_PARTIAL:
        request->partial = true;
        return true;
    case HF_CLI_DOCS:
        request->docs = true;
        return true;
    case HF_CLI_DEFAULT:
        request->print_default = true;
        return true;
    case HF_CLI_MODE:
        return take_word("--mode", optarg, modes, &request->unredacted);
    case HF_CLI_ORIGINS:
        request->origins = true;
        return true;
    case HF_CLI_FORMAT:
        request->format = optarg;
        return true;
    case HF_CLI_TIMEOUT:
        return take_timeout(request, optarg);
    case HF_CLI_GATES:
        if (request->gate_count < SOURCES_MAX && optarg[0] != '\0') {
            request->gates[request->gate_count++] = optarg;
        }
        return true;
    case HF_CLI_VALIDATE:
        request->strict = optarg == NULL || strcmp(optarg, "false") != 0;
        return true;
    default:
        return false;
    }
}

static bool parse(struct request *request, const struct hf_cli_command *command, int argc,
                  char **argv)
{
    struct option options[HF_CLI_OPTIONS_MAX + 1];
    int option;
    hf_cli_long_options(command, options);
    while ((option = getopt_long(argc, argv, "hv", options, NULL)) != -1) {
        if (!take_option(request, option)) {
            return false;
        }
    }
    while (optind < argc && request->word_count < request->words_wanted) {
        request->words[request->word_count++] = argv[optind++];
    }
    if (optind < argc) {
        fprintf(stderr, "holdfast: unexpected word: %s\n", argv[optind]);
        return false;
    }
    return true;
}

static bool use_default(struct request *request)
{
    if (request->source_count != 0) {
        return false;
    }
    request->sources[request->source_count++] = (struct hf_config_source){
        .uri = "", .text = (const char *)hf_default_config, .name = "built-in default"};
    return true;
}

static struct hf_config_options config_options(const struct request *request)
{
    return (struct hf_config_options){
        .sources = request->sources,
        .source_count = request->source_count,
        .sets = request->sets,
        .set_count = request->set_count,
        .components = hf_registry,
        .fetch = hf_config_fetch,
        .partial = request->partial,
    };
}

static void show_places(const char *data_directory)
{
    fprintf(stderr,
            "Holdfast " HF_VERSION
            " with the built-in configuration (holdfast print-config --default)\n"
            "  OTLP/gRPC   localhost:4317\n"
            "  OTLP/HTTP   http://localhost:4318/v1/traces, /v1/metrics, /v1/logs\n"
            "  health      http://localhost:13133/\n"
            "  metrics     http://localhost:8888/metrics\n"
            "  queue       %s\n"
            "  received    ./holdfast-data/telemetry.jsonl\n"
            "Next: send something, such as\n"
            "  curl -s localhost:4318/v1/logs -H 'Content-Type: application/json' -d "
            "'{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":[{\"body\":{\"stringValue\":"
            "\"hello\"}}]}]}]}'\n"
            "and look at it: holdfast queue stat; tail -f holdfast-data/telemetry.jsonl\n"
            "Your own: holdfast print-config --default > config.yaml; holdfast validate --config "
            "config.yaml; holdfast --config config.yaml\n",
            data_directory);
}

static enum hf_exit run(struct request *request)
{
    bool built_in = use_default(request);
    const struct hf_service_options options = {
        .config = config_options(request),
        .data_directory = request->data_directory,
        .default_directory = built_in ? "./holdfast-data" : NULL,
        .gates = request->gates,
        .gate_count = request->gate_count,
        .show_status = isatty(STDERR_FILENO) != 0,
        .watches_config = request->watch,
    };
    if (built_in && request->set_count == 0) { /* with --set only the log knows the places */
        char *directory =
            hf_service_data_directory(request->data_directory, options.default_directory, NULL);
        show_places(directory != NULL ? directory : "?");
        free(directory);
    }
    return hf_service_run(&options);
}

static struct hf_config *load(struct request *request, bool *ret_failed)
{
    struct hf_finding *findings = NULL;
    size_t count = 0;
    const struct hf_config_options options = config_options(request);
    struct hf_config *config = hf_config_load(&options, &findings, &count);
    *ret_failed = hf_service_print_findings(findings, count) || config == NULL;
    hf_findings_free(findings, count);
    return config;
}

static enum hf_exit validate(struct request *request)
{
    bool failed = false;
    if (request->source_count == 0) {
        hf_cli_help(hf_cli_find("validate"), stderr);
        return HF_EXIT_USAGE;
    }
    hf_config_free(load(request, &failed));
    return failed ? HF_EXIT_FAILED : HF_EXIT_OK;
}

#define CHECK_TIMEOUT_NS UINT64_C(5000000000)

static enum hf_exit check(struct request *request)
{
    bool failed = false, json = false;
    if (!take_word("--format", request->format, check_formats, &json)) {
        hf_cli_help(hf_cli_find("check"), stderr);
        return HF_EXIT_USAGE;
    }
    bool built_in = use_default(request);
    struct hf_config *config = load(request, &failed);
    char *directory = failed
                          ? NULL
                          : hf_service_data_directory(request->data_directory,
                                                      built_in ? "./holdfast-data" : NULL, config);
    if (directory != NULL) {
        const struct hf_check_options options = {
            .config = config,
            .directory = directory,
            .timeout_ns = request->timeout_ns != 0 ? request->timeout_ns : CHECK_TIMEOUT_NS,
            .json = json,
            .out = stdout,
        };
        signal(SIGPIPE, SIG_IGN);
        failed = !hf_check(&options);
    }
    free(directory);
    hf_config_free(config);
    return failed ? HF_EXIT_FAILED : HF_EXIT_OK;
}

static enum hf_exit graph(struct request *request)
{
    bool failed = false, dot = false;
    if (request->source_count == 0 ||
        !take_word("--format", request->format, graph_formats, &dot)) {
        hf_cli_help(hf_cli_find("graph"), stderr);
        return HF_EXIT_USAGE;
    }
    struct hf_config *config = load(request, &failed);
    if (!failed) {
        hf_config_draw(config, dot ? HF_DRAWING_DOT : HF_DRAWING_MERMAID, stdout);
    }
    hf_config_free(config);
    return failed ? HF_EXIT_FAILED : HF_EXIT_OK;
}

static enum hf_exit print_config(struct request *request)
{
    bool failed = false, json = false;
    if (!take_word("--format", request->format, config_formats, &json) ||
        (request->origins && request->format != NULL)) {
        hf_cli_help(hf_cli_find("print-config"), stderr);
        return HF_EXIT_USAGE;
    }
    if (request->print_default) {
        fputs((const char *)hf_default_config, stdout);
        return HF_EXIT_OK;
    }
    use_default(request);
    request->partial = !request->strict;
    struct hf_config *config = load(request, &failed);
    char *text = failed             ? NULL
                 : request->origins ? hf_config_print_origins(config, request->unredacted)
                                    : hf_config_print(config, request->unredacted, json);
    if (text != NULL) {
        fputs(text, stdout);
    }
    free(text);
    hf_config_free(config);
    return text != NULL ? HF_EXIT_OK : HF_EXIT_FAILED;
}

static enum hf_exit components(struct request *request)
{
    hf_config_describe(hf_registry, request->docs, stdout);
    return HF_EXIT_OK;
}

static struct hf_config *load_word(struct request *request, const char *word, bool *ret_failed)
{
    request->source_count = 0;
    return add_source(request, word) ? load(request, ret_failed) : NULL;
}

static enum hf_exit diff(struct request *request)
{
    bool failed = false, differs = false;
    if (request->word_count != 2 || request->source_count != 0) {
        hf_cli_help(hf_cli_find("diff"), stderr);
        return HF_EXIT_USAGE;
    }
    struct hf_config *before = load_word(request, request->words[0], &failed);
    struct hf_config *after = failed ? NULL : load_word(request, request->words[1], &failed);
    failed = failed || before == NULL || after == NULL ||
             !hf_config_diff(before, after, stdout, &differs);
    hf_config_free(before);
    hf_config_free(after);
    return failed ? HF_EXIT_USAGE : differs ? HF_EXIT_FAILED : HF_EXIT_OK;
}

static enum hf_exit schema(struct request *request)
{
    (void)request;
    char *text = hf_config_schema(hf_registry);
    if (text == NULL) {
        fputs("holdfast: out of memory\n", stderr);
        return HF_EXIT_FAILED;
    }
    fputs(text, stdout);
    free(text);
    return HF_EXIT_OK;
}

static enum hf_exit convert(struct request *request)
{
    if (request->word_count != 2 || strcmp(request->words[0], "fluentbit") != 0) {
        hf_cli_help(hf_cli_find("convert"), stderr);
        return HF_EXIT_USAGE;
    }
    const struct hf_convert_options options = {
        .path = request->words[1], .components = hf_registry, .out = stdout, .report = stderr};
    static const enum hf_exit exits[] = {[HF_CONVERT_WHOLE] = HF_EXIT_OK,
                                         [HF_CONVERT_IN_PART] = HF_EXIT_FAILED,
                                         [HF_CONVERT_UNUSABLE] = HF_EXIT_USAGE};
    return exits[hf_convert_run(&options)];
}

static enum hf_exit version(struct request *request)
{
    (void)request;
    puts("holdfast version " HF_VERSION);
    return HF_EXIT_OK;
}

static enum hf_exit featuregate(struct request *request)
{
    if (request->word_count != 0) {
        fprintf(stderr, "holdfast: there is no feature gate \"%s\"\n", request->words[0]);
        return HF_EXIT_FAILED;
    }
    puts("ID  Enabled  Stage  Description");
    return HF_EXIT_OK;
}

static enum hf_exit completion(struct request *request)
{
    if (request->word_count != 1 || !hf_cli_completion(request->words[0], stdout)) {
        hf_cli_help(hf_cli_find("completion"), stderr);
        return HF_EXIT_USAGE;
    }
    return HF_EXIT_OK;
}

static enum hf_exit man(struct request *request)
{
    (void)request;
    hf_cli_man(stdout);
    return HF_EXIT_OK;
}

/* What the commands of the table do, but for those with a parser of their own. */
static const struct action {
    const char *name;
    enum hf_exit (*run)(struct request *request);
    size_t words; /* at most, without an option in front */
} actions[] = {
    {"", run, 0},
    {"validate", validate, 0},
    {"check", check, 0},
    {"graph", graph, 0},
    {"schema", schema, 0},
    {"diff", diff, 2},
    {"components", components, 0},
    {"print-config", print_config, 0},
    {"convert", convert, 2},
    {"version", version, 0},
    {"featuregate", featuregate, 1},
    {"completion", completion, 1},
    {"man", man, 0},
};

static const struct action *action_of(const struct hf_cli_command *command)
{
    const struct action *action = actions;
    while (strcmp(action->name, command->name) != 0) {
        action++; /* every command has one */
    }
    return action;
}

/* The same allocator settings that the queue was measured with: large buffers are kept, not given
 * back each time. */
static void tune_allocator(void)
{
    mallopt(M_TRIM_THRESHOLD, 64 << 20);
    mallopt(M_MMAP_THRESHOLD, 32 << 20);
    mallopt(M_ARENA_MAX, 4);
}

/* When the standard streams are closed at the start, the next file that is opened would take their
 * numbers, and the log would be written into the queue's first file. */
static bool fill_standard_streams(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd) {
            return false;
        }
    }
    return true;
}

/* Commands for a running process or its directory, which read their words themselves. */
static const struct {
    const char *name;
    enum hf_exit (*run)(const struct hf_component *const *components, int count, char **arguments);
} clients[] = {
    {"queue", hf_queue_cli}, {"drain", hf_drain_cli}, {"top", hf_top_cli}, {"tail", hf_tail_cli}};

int main(int argc, char **argv)
{
    if (!fill_standard_streams()) {
        return HF_EXIT_FAILED;
    }
    struct request request = {0};
    tune_allocator();
    for (size_t i = 0; argc > 1 && i < sizeof(clients) / sizeof(clients[0]); i++) {
        if (strcmp(argv[1], clients[i].name) == 0) {
            return (int)clients[i].run(hf_registry, argc - 1, argv + 1);
        }
    }
    if (argc > 1 && strcmp(argv[1], "test") == 0) {
        return (int)hf_test_cli(hf_registry, argc - 1, argv + 1);
    }
    if (argc > 1 && strcmp(argv[1], "webhook") == 0) {
        return (int)hf_webhook_cli(argc - 1, argv + 1);
    }
    if (argc > 1 && strcmp(argv[1], "init-dir") == 0) {
        return (int)hf_init_dir_cli(argc - 1, argv + 1);
    }
    const struct hf_cli_command *command = argc > 1 ? hf_cli_find(argv[1]) : NULL;
    if (command != NULL && command->name[0] != '\0') {
        argv[1] = argv[0];
        argc--;
        argv++;
    } else {
        command = hf_cli_find("");
    }
    const struct action *action = action_of(command);
    request.words_wanted = action->words;
    if (!parse(&request, command, argc, argv)) {
        hf_cli_help(command, stderr);
        return HF_EXIT_USAGE;
    }
    if (request.help) {
        hf_cli_help(command, stdout);
        return HF_EXIT_OK;
    }
    return (int)(request.version ? version(&request) : action->run(&request));
}
