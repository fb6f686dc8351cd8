/*
 * main: words of the command line in, an exit code out.
 */
#include <fcntl.h>
#include <getopt.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/drain_cli.h"
#include "cli/queue_cli.h"
#include "default_config.h"
#include "registry.h"
#include "service/service.h"

#define SOURCES_MAX 64

static const char usage_run[] =
    "Usage: holdfast [--config FILE ...] [--set KEY=VALUE ...] [--data-dir DIR] [--watch]\n"
    "       holdfast COMMAND [--help]\n"
    "\n"
    "Receives telemetry, answers OK once it is on disk, and delivers it.\n"
    "\n"
    "Without --config the built-in default runs: OTLP/gRPC on localhost:4317, OTLP/HTTP on\n"
    "localhost:4318, health on localhost:13133, metrics on localhost:8888, the queue and the\n"
    "received data in ./holdfast-data.\n"
    "\n"
    "  --config FILE     configuration: a path, file:PATH, env:NAME or yaml:TEXT; several are "
    "merged\n"
    "  --set a.b=c       one value, over the files\n"
    "  --data-dir DIR    where the queues are; also HOLDFAST_DATA_DIR, or "
    "file_storage::directory;\n"
    "                    else /var/lib/holdfast, or ./holdfast-data where that is not writable\n"
    "  --watch           reload when a file of the configuration has changed; an invalid one is "
    "kept "
    "out\n"
    "  --version, --help\n"
    "\n"
    "HOLDFAST_HEALTH=HOST:PORT serves a health check there when the configuration has none.\n"
    "\n"
    "Commands: validate, graph, schema, diff, components, print-config, version, queue, drain\n"
    "Signals:  SIGTERM, SIGINT stop; SIGHUP reloads the configuration\n"
    "Exit:     0 stopped by a signal, 1 configuration or start-up error, 2 wrong usage, 3 damage "
    "found,\n"
    "          4 not drained in time\n";

static const char usage_validate[] =
    "Usage: holdfast validate [--partial] --config FILE ... [--set KEY=VALUE ...]\n"
    "\n"
    "Checks a configuration and prints every error, one per line. With --partial, components that "
    "are\n"
    "not built in are listed instead of refused. Exit: 0 valid, 1 not valid, 2 wrong usage.\n";

static const char usage_graph[] =
    "Usage: holdfast graph [--format mermaid|dot] [--partial] --config FILE ... [--set KEY=VALUE "
    "...]\n"
    "\n"
    "Prints the pipelines of a configuration as a picture's text: receivers, processors, queues,\n"
    "connectors and exporters, and what leads where. A queue stands in front of the exporters and\n"
    "of each processor that waits or remembers. mermaid is what Markdown pages show; dot is for\n"
    "Graphviz: holdfast graph --format dot --config FILE | dot -Tsvg. With --partial, components\n"
    "that are not built in are drawn too. Exit: 0 printed, 1 the configuration is not valid, 2 "
    "wrong\n"
    "usage.\n";

static const char usage_schema[] =
    "Usage: holdfast schema\n"
    "\n"
    "Prints the JSON Schema (draft 2020-12) of a whole configuration: every key of every "
    "component\n"
    "that is built in, with type, default, choices and meaning, so that editors complete and "
    "check\n"
    "it. For editors with the YAML language server, write it to a file and begin a configuration\n"
    "with\n"
    "  # yaml-language-server: $schema=holdfast.schema.json\n"
    "It knows less than holdfast validate: what depends on other keys only validate finds. Keys\n"
    "that hold \"::\" and parts of a configuration in a file of their own are not for it.\n";

static const char usage_diff[] =
    "Usage: holdfast diff [--partial] [--set KEY=VALUE ...] A B\n"
    "\n"
    "Prints what a reload from configuration A to configuration B would change: components and\n"
    "pipelines that are added (+), removed (-) or changed (~, with the keys), and for each queue "
    "who\n"
    "reads it: = keeps its place and its backlog, + is new and takes what comes from then on\n"
    "(sending_queue::attach takes over a backlog), - is gone, and its backlog stays on disk. "
    "Values\n"
    "are not shown. A value that means the same, such as a default that is written out, is no\n"
    "change. A changed data directory or fsync counts from the next start. Exit: 0 no difference,\n"
    "1 different, 2 wrong usage or a configuration that is not valid.\n";

static const char usage_components[] = "Usage: holdfast components [--docs]\n"
                                       "\n"
                                       "Lists the components that are built in; with --docs, the "
                                       "reference of every key as markdown.\n";

static const char usage_print[] =
    "Usage: holdfast print-config [--default] [--mode redacted|unredacted] [--format yaml|json]\n"
    "                             [--validate] [--config FILE ...] [--set KEY=VALUE ...]\n"
    "\n"
    "Prints the configuration as it is after merging and expansion; --default prints the built-in "
    "one.\n"
    "Passwords, tokens and the like are shown as [REDACTED] unless --mode is unredacted. With\n"
    "--validate, a component that is not built in is an error.\n";

/* What the command line asks for. */
struct request {
    struct hf_config_source sources[SOURCES_MAX];
    size_t source_count;
    const char *sets[SOURCES_MAX];
    size_t set_count;
    const char *words[2]; /* without an option in front */
    size_t word_count, words_wanted;
    const char *data_directory;
    const char *format; /* NULL: the command's first */
    bool watch, partial, docs, print_default, unredacted, strict, help, version;
};

enum option_code {
    OPTION_CONFIG = 'c',
    OPTION_SET = 's',
    OPTION_DATA = 'd',
    OPTION_WATCH = 'w',
    OPTION_HELP = 'h',
    OPTION_VERSION = 'v',
    OPTION_PARTIAL = 256,
    OPTION_DOCS,
    OPTION_DEFAULT,
    OPTION_MODE,
    OPTION_FORMAT,
    OPTION_GATES,
    OPTION_VALIDATE,
};

static const struct option long_options[] = {
    {"config", required_argument, NULL, OPTION_CONFIG},
    {"set", required_argument, NULL, OPTION_SET},
    {"data-dir", required_argument, NULL, OPTION_DATA},
    {"watch", no_argument, NULL, OPTION_WATCH},
    {"help", no_argument, NULL, OPTION_HELP},
    {"version", no_argument, NULL, OPTION_VERSION},
    {"partial", no_argument, NULL, OPTION_PARTIAL},
    {"docs", no_argument, NULL, OPTION_DOCS},
    {"default", no_argument, NULL, OPTION_DEFAULT},
    {"mode", required_argument, NULL, OPTION_MODE},
    {"format", required_argument, NULL, OPTION_FORMAT},
    {"feature-gates", required_argument, NULL, OPTION_GATES},
    {"validate", optional_argument, NULL, OPTION_VALIDATE},
    {NULL, 0, NULL, 0},
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

static bool take_option(struct request *request, int option)
{
    switch (option) {
    case OPTION_CONFIG:
        return add_source(request, optarg);
    case OPTION_SET:
        return add_set(request, optarg);
    case OPTION_DATA:
        return take_directory(request, optarg);
    case OPTION_WATCH:
        request->watch = true;
        return true;
    case OPTION_HELP:
        request->help = true;
        return true;
    case OPTION_VERSION:
        request->version = true;
        return true;
    case OPTION_PARTIAL:
        request->partial = true;
        return true;
    case OPTION_DOCS:
        request->docs = true;
        return true;
    case OPTION_DEFAULT:
        request->print_default = true;
        return true;
    case OPTION_MODE:
        return take_word("--mode", optarg, modes, &request->unredacted);
    case OPTION_FORMAT:
        request->format = optarg;
        return true;
    case OPTION_GATES:
        return true; /* the Go collector's gates have no meaning here */
    case OPTION_VALIDATE:
        request->strict = optarg == NULL || strcmp(optarg, "false") != 0;
        return true;
    default:
        return false;
    }
}

static bool parse(struct request *request, int argc, char **argv)
{
    int option;
    while ((option = getopt_long(argc, argv, "hv", long_options, NULL)) != -1) {
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
            "  received    ./holdfast-data/telemetry.jsonl\n",
            data_directory);
}

static enum hf_exit run(struct request *request)
{
    bool built_in = use_default(request);
    const struct hf_service_options options = {
        .config = config_options(request),
        .data_directory = request->data_directory,
        .default_directory = built_in ? "./holdfast-data" : NULL,
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
        fputs(usage_validate, stderr);
        return HF_EXIT_USAGE;
    }
    hf_config_free(load(request, &failed));
    return failed ? HF_EXIT_FAILED : HF_EXIT_OK;
}

static enum hf_exit graph(struct request *request)
{
    bool failed = false, dot = false;
    if (request->source_count == 0 ||
        !take_word("--format", request->format, graph_formats, &dot)) {
        fputs(usage_graph, stderr);
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
    if (!take_word("--format", request->format, config_formats, &json)) {
        fputs(usage_print, stderr);
        return HF_EXIT_USAGE;
    }
    if (request->print_default) {
        fputs((const char *)hf_default_config, stdout);
        return HF_EXIT_OK;
    }
    use_default(request);
    request->partial = !request->strict;
    struct hf_config *config = load(request, &failed);
    char *text = failed ? NULL : hf_config_print(config, request->unredacted, json);
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
        fputs(usage_diff, stderr);
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

static enum hf_exit version(struct request *request)
{
    (void)request;
    puts("holdfast version " HF_VERSION);
    return HF_EXIT_OK;
}

static const struct command {
    const char *name;
    enum hf_exit (*run)(struct request *request);
    const char *usage;
} commands[] = {
    {"validate", validate, usage_validate},
    {"graph", graph, usage_graph},
    {"schema", schema, usage_schema},
    {"diff", diff, usage_diff},
    {"components", components, usage_components},
    {"print-config", print_config, usage_print},
    {"print-initial-config", print_config, usage_print},
    {"version", version, "Usage: holdfast version\n"},
};

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

int main(int argc, char **argv)
{
    if (!fill_standard_streams()) {
        return HF_EXIT_FAILED;
    }
    struct request request = {0};
    struct command command = {"", run, usage_run};
    tune_allocator();
    if (argc > 1 && strcmp(argv[1], "queue") == 0) {
        return (int)hf_queue_cli(hf_registry, argc - 1, argv + 1);
    }
    if (argc > 1 && strcmp(argv[1], "drain") == 0) {
        return (int)hf_drain_cli(hf_registry, argc - 1, argv + 1);
    }
    for (size_t i = 0; argc > 1 && i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (strcmp(argv[1], commands[i].name) == 0) {
            command = commands[i];
            argv[1] = argv[0];
            argc--;
            argv++;
        }
    }
    request.words_wanted = command.run == diff ? 2 : 0;
    if (!parse(&request, argc, argv)) {
        fputs(command.usage, stderr);
        return HF_EXIT_USAGE;
    }
    if (request.help) {
        fputs(command.usage, stdout);
        return HF_EXIT_OK;
    }
    return (int)(request.version ? version(&request) : command.run(&request));
}
