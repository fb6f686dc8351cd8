#include "commands.h"

#include <string.h>

#include "service/queue/arguments.h"
#include "webhook_options.h"

#define END                                                                                        \
    {                                                                                              \
        .name = NULL                                                                               \
    }
#define CONFIG                                                                                     \
    {                                                                                              \
        .name = "config", .code = HF_CLI_CONFIG, .kind = HF_CLI_FILE, .value = "FILE",             \
        .help =                                                                                    \
            "configuration: a path, file:PATH, env:NAME, yaml:TEXT or an http: or https: URL; "    \
            "several are merged"                                                                   \
    }
#define SET                                                                                        \
    {                                                                                              \
        .name = "set", .code = HF_CLI_SET, .kind = HF_CLI_TEXT, .value = "KEY=VALUE",              \
        .help = "one value, over the files, such as a.b=c"                                         \
    }
#define DATA                                                                                       \
    {                                                                                              \
        .name = "data-dir", .code = HF_CLI_DATA, .kind = HF_CLI_DIRECTORY, .value = "DIR",         \
        .help = "where the queues are; also HOLDFAST_DATA_DIR, or file_storage::directory; else "  \
                "/var/lib/holdfast, or ./holdfast-data where that is not writable"                 \
    }
#define PARTIAL                                                                                    \
    {                                                                                              \
        .name = "partial", .code = HF_CLI_PARTIAL,                                                 \
        .help = "components that are not built in are no error"                                    \
    }
#define GATES /* the Go collector's gates have no meaning here */                                  \
    {                                                                                              \
        .name = "feature-gates", .code = HF_CLI_GATES, .kind = HF_CLI_TEXT, .is_hidden = true,     \
        .value = "GATES", .help = "accepted without effect"                                        \
    }
#define HELP                                                                                       \
    {                                                                                              \
        .name = "help", .code = HF_CLI_HELP, .help = "prints this"                                 \
    }
#define VERSION                                                                                    \
    {                                                                                              \
        .name = "version", .code = HF_CLI_VERSION, .help = "prints the version"                    \
    }

static const char *const graph_formats[] = {"mermaid", "dot", NULL};
static const char *const check_formats[] = {"table", "json", NULL};
static const char *const config_formats[] = {"yaml", "json", NULL};
static const char *const modes[] = {"redacted", "unredacted", NULL};
static const char *const kinds[] = {"receiver", "processor", "connector", "exporter", NULL};
static const char *const signals[] = {"traces", "metrics", "logs", NULL};
static const char *const truths[] = {"true", "false", NULL};

static const struct hf_cli_option run_options[] = {
    CONFIG,
    SET,
    DATA,
    {.name = "watch",
     .code = HF_CLI_WATCH,
     .help = "reload when a file of the configuration has changed; an invalid one is kept out"},
    VERSION,
    GATES,
    HELP,
    END,
};
static const struct hf_cli_option validate_options[] = {CONFIG, SET, PARTIAL, GATES, HELP, END};
static const struct hf_cli_option check_options[] = {
    {.name = "format",
     .code = HF_CLI_FORMAT,
     .kind = HF_CLI_CHOICE,
     .value = "table|json",
     .choices = check_formats,
     .help = "a table for people, or JSON"},
    {.name = "timeout",
     .code = HF_CLI_TIMEOUT,
     .kind = HF_CLI_TEXT,
     .value = "DURATION",
     .help = "what each step waits for another machine at most; 5s without it"},
    CONFIG,
    SET,
    DATA,
    GATES,
    HELP,
    END,
};
static const struct hf_cli_option graph_options[] = {
    {.name = "format",
     .code = HF_CLI_FORMAT,
     .kind = HF_CLI_CHOICE,
     .value = "mermaid|dot",
     .choices = graph_formats,
     .help = "mermaid, which Markdown pages show, or dot, for Graphviz"},
    CONFIG,
    SET,
    PARTIAL,
    GATES,
    HELP,
    END,
};
static const struct hf_cli_option diff_options[] = {SET, PARTIAL, GATES, HELP, END};
static const struct hf_cli_option test_options[] = {
    {.name = "junit",
     .code = HF_CLI_JUNIT,
     .kind = HF_CLI_FILE,
     .value = "FILE",
     .help = "writes the results as JUnit's XML, too"},
    {.name = "only",
     .code = HF_CLI_ONLY,
     .kind = HF_CLI_TEXT,
     .value = "TEXT",
     .help = "runs the tests whose name has this text"},
    {.name = "log",
     .code = HF_CLI_LOG,
     .help = "writes what the configurations under test log, to standard error"},
    HELP,
    END,
};
static const struct hf_cli_option components_options[] = {
    {.name = "docs", .code = HF_CLI_DOCS, .help = "the reference of every key as markdown"},
    GATES,
    HELP,
    END,
};
static const struct hf_cli_option print_options[] = {
    {.name = "default", .code = HF_CLI_DEFAULT, .help = "prints the built-in configuration"},
    {.name = "mode",
     .code = HF_CLI_MODE,
     .kind = HF_CLI_CHOICE,
     .value = "redacted|unredacted",
     .choices = modes,
     .help = "whether passwords, tokens and the like are shown as [REDACTED]"},
    {.name = "format",
     .code = HF_CLI_FORMAT,
     .kind = HF_CLI_CHOICE,
     .value = "yaml|json",
     .choices = config_formats,
     .help = "the language; yaml without it"},
    {.name = "origins",
     .code = HF_CLI_ORIGINS,
     .help = "a line for each value, with the file and line that it comes from"},
    {.name = "validate",
     .code = HF_CLI_VALIDATE,
     .kind = HF_CLI_CHOICE,
     .is_value_optional = true,
     .value = "true|false",
     .choices = truths,
     .help = "a component that is not built in is an error"},
    CONFIG,
    SET,
    GATES,
    HELP,
    END,
};
static const struct hf_cli_option convert_options[] = {HELP, END};
static const struct hf_cli_word convert_words[] = {{"fluentbit", "a configuration of Fluent Bit"},
                                                   {NULL, NULL}};
static const struct hf_cli_option featuregate_options[] = {CONFIG, SET, GATES, HELP, END};
static const struct hf_cli_option plain_options[] = {GATES, HELP, END};
static const struct hf_cli_option queue_options[] = {
    DATA,
    CONFIG,
    {.name = "json", .code = HF_CLI_JSON, .help = "the answer as JSON"},
    {.name = "from",
     .code = HF_CLI_FROM,
     .kind = HF_CLI_TEXT,
     .value = "SEQ",
     .help = "begin with that record"},
    {.name = "seq",
     .code = HF_CLI_SEQ,
     .kind = HF_CLI_TEXT,
     .value = "LIST",
     .help = "these records, such as 3,7-9"},
    {.name = "since",
     .code = HF_CLI_SINCE,
     .kind = HF_CLI_TEXT,
     .value = "TIME",
     .help = "received from then on: RFC 3339, Unix seconds, or how long ago, such as 15m"},
    {.name = "until",
     .code = HF_CLI_UNTIL,
     .kind = HF_CLI_TEXT,
     .value = "TIME",
     .help = "received before then"},
    {.name = "where",
     .code = HF_CLI_WHERE,
     .kind = HF_CLI_TEXT,
     .value = "OTTL",
     .help = "with items that this condition is true for"},
    {.name = "limit",
     .code = HF_CLI_LIMIT,
     .kind = HF_CLI_TEXT,
     .value = "N",
     .help = "at most N records (ls, cat), or so many of them (sample); also -n"},
    {.name = "exporter",
     .code = HF_CLI_EXPORTER,
     .kind = HF_CLI_TEXT,
     .value = "ID",
     .help = "the removed exporter whose backlog is dropped (drop)"},
    {.name = "endpoint",
     .code = HF_CLI_ENDPOINT,
     .kind = HF_CLI_TEXT,
     .value = "URL",
     .help = "the OTLP/HTTP endpoint to send to (export)"},
    HELP,
    END,
};
static const struct hf_cli_option init_dir_options[] = {
    {.name = "owner",
     .code = HF_CLI_OWNER,
     .kind = HF_CLI_TEXT,
     .value = "UID[:GID]",
     .help = "whose it shall be, as numbers; the group is the user's number without"},
    HELP,
    END,
};
static const struct hf_cli_option drain_options[] = {
    DATA,
    CONFIG,
    {.name = "timeout",
     .code = HF_CLI_TIMEOUT,
     .kind = HF_CLI_TEXT,
     .value = "DURATION",
     .help = "wait at most that long, such as 25s; without it, until the queues are empty"},
    {.name = "to",
     .code = HF_CLI_TO,
     .kind = HF_CLI_TEXT,
     .value = "ENDPOINT",
     .help = "the OTLP/gRPC endpoint of a peer, http(s)://host:port, that gets the backlog in "
             "place of the backends"},
    {.name = "cancel",
     .code = HF_CLI_CANCEL,
     .help = "take data again; otherwise draining lasts until the process ends"},
    HELP,
    END,
};

static const struct hf_cli_option top_options[] = {
    DATA,
    CONFIG,
    {.name = "interval",
     .code = HF_CLI_INTERVAL,
     .kind = HF_CLI_TEXT,
     .value = "DURATION",
     .help = "from one look to the next, such as 2s; 1s without it"},
    {.name = "once",
     .code = HF_CLI_ONCE,
     .help = "prints tables, with rates over one interval, and ends"},
    {.name = "json", .code = HF_CLI_JSON, .help = "with --once: as JSON"},
    HELP,
    END,
};

static const struct hf_cli_option tail_options[] = {
    DATA,
    CONFIG,
    {.name = "component",
     .code = HF_CLI_COMPONENT,
     .kind = HF_CLI_TEXT,
     .value = "ID",
     .help = "the receiver, processor, connector or exporter; without it, every receiver"},
    {.name = "kind",
     .code = HF_CLI_KIND,
     .kind = HF_CLI_CHOICE,
     .value = "KIND",
     .choices = kinds,
     .help = "where an id has several kinds: receiver, processor, connector or exporter"},
    {.name = "signal",
     .code = HF_CLI_SIGNAL,
     .kind = HF_CLI_CHOICE,
     .value = "SIGNAL",
     .choices = signals,
     .help = "traces, metrics or logs alone"},
    {.name = "where",
     .code = HF_CLI_WHERE,
     .kind = HF_CLI_TEXT,
     .value = "OTTL",
     .help = "spans, data points and log records that this condition is true for"},
    {.name = "sample",
     .code = HF_CLI_SAMPLE,
     .kind = HF_CLI_TEXT,
     .value = "N",
     .help = "one of N batches"},
    {.name = "share",
     .code = HF_CLI_SHARE,
     .kind = HF_CLI_TEXT,
     .value = "PERCENT",
     .help = "of a core that it may take, 2 unless said; what passes beyond is counted"},
    {.name = "limit",
     .code = HF_CLI_LIMIT,
     .kind = HF_CLI_TEXT,
     .value = "N",
     .help = "end after N batches"},
    {.name = "for",
     .code = HF_CLI_FOR,
     .kind = HF_CLI_TEXT,
     .value = "DURATION",
     .help = "end after that long, such as 10s"},
    {.name = "json",
     .code = HF_CLI_JSON,
     .help = "a line of JSON for each batch, with the data as OTLP/JSON"},
    HELP,
    END,
};

static const struct hf_cli_word queue_words[] = {
    {"stat", "queues, exporters and their accounting"},
    {"ls", "the records of a queue, oldest first"},
    {"cat", "their content as OTLP/JSON lines"},
    {"count", "how many records and items are there"},
    {"sample", "some records, evenly spread, as cat"},
    {"verify", "reads and checks every record"},
    {"export", "sends every record to an OTLP/HTTP endpoint; the queue keeps them"},
    {"drop", "deletes the backlog of a removed exporter, or dead letters"},
    {"requeue", "sends the dead letters of an exporter again"},
    {"orphans", "lists data directories that no process has"},
    {"adopt", "moves the backlog of such a directory into the running Holdfast"},
    {NULL, NULL},
};
static const struct hf_cli_word shells[] = {
    {"bash", "in /usr/share/bash-completion/completions/holdfast"},
    {"zsh", "in /usr/share/zsh/vendor-completions/_holdfast"},
    {"fish", "in /usr/share/fish/vendor_completions.d/holdfast.fish"},
    {NULL, NULL},
};

const struct hf_cli_command hf_cli_commands[] = {
    {.name = "",
     .synopsis = "[--config FILE ...] [--set KEY=VALUE ...] [--data-dir DIR] [--watch]",
     .summary = "receives telemetry, answers OK once it is on disk, and delivers it",
     .about = "Receives telemetry, answers OK once it is on disk, and delivers it.\n\n"
              "Without --config the built-in default runs: OTLP/gRPC on localhost:4317, OTLP/HTTP "
              "on localhost:4318, health on localhost:13133, metrics on localhost:8888, the queue "
              "and the received data in ./holdfast-data.\n\n"
              "HOLDFAST_HEALTH=HOST:PORT serves a health check there when the configuration has "
              "none.\n\n"
              "Signals: SIGTERM, SIGINT stop; SIGHUP reloads the configuration.",
     .options = run_options,
     .exits = "0 stopped by a signal, 1 configuration or start-up error, 2 wrong usage, 3 damage "
              "found, 4 not drained in time"},
    {.name = "validate",
     .synopsis = "[--partial] --config FILE ... [--set KEY=VALUE ...]",
     .summary = "checks a configuration and prints every error, one per line",
     .about = "Checks a configuration and prints every error, one per line. With --partial, "
              "components that are not built in are listed instead of refused.",
     .options = validate_options,
     .exits = "0 valid, 1 not valid, 2 wrong usage"},
    {.name = "check",
     .synopsis = "[--format table|json] [--timeout DURATION] [--config FILE ...] [--set KEY=VALUE "
                 "...] [--data-dir DIR]",
     .summary = "tries the backends, files, sockets and rights that a configuration needs",
     .about = "Tries what a configuration needs of the world outside, before or while it runs: of "
              "each exporter the name, the port, the certificate, the credentials and one empty "
              "request; of receivers their files, sockets and rights at the Kubernetes API; "
              "whether the data directory can be written and outlives the container. One line "
              "each. Nothing is changed, and no data is sent.\n\n"
              "While a Holdfast runs on that data directory its sockets are not tried.",
     .options = check_options,
     .exits = "0 all works (warnings allowed), 1 something failed or the configuration is not "
              "valid, 2 wrong usage"},
    {.name = "graph",
     .synopsis = "[--format mermaid|dot] [--partial] --config FILE ... [--set KEY=VALUE ...]",
     .summary = "prints the pipelines of a configuration as a picture's text",
     .about = "Prints the pipelines of a configuration as a picture's text: receivers, processors, "
              "queues, connectors and exporters, and what leads where. A queue stands in front of "
              "the exporters and of each processor that waits or remembers.\n\n"
              "A picture: holdfast graph --format dot --config FILE | dot -Tsvg",
     .options = graph_options,
     .exits = "0 printed, 1 the configuration is not valid, 2 wrong usage"},
    {.name = "schema",
     .synopsis = "",
     .summary = "prints the JSON Schema of a whole configuration, for editors",
     .about = "Prints the JSON Schema (draft 2020-12) of a whole configuration: every key of every "
              "component that is built in, with type, default, choices and meaning, so that "
              "editors complete and check it. For editors with the YAML language server, write it "
              "to a file and begin a configuration with\n\n"
              "  # yaml-language-server: $schema=holdfast.schema.json\n\n"
              "It knows less than holdfast validate: what depends on other keys only validate "
              "finds. Keys that hold \"::\" and parts of a configuration in a file of their own "
              "are not for it.",
     .options = plain_options,
     .exits = "0 printed, 2 wrong usage"},
    {.name = "diff",
     .synopsis = "[--partial] [--set KEY=VALUE ...] A B",
     .summary = "prints what a reload from one configuration to another would change",
     .about = "Prints what a reload from configuration A to configuration B would change: "
              "components and pipelines that are added (+), removed (-) or changed (~, with the "
              "keys), and for each queue who reads it: = keeps its place and its backlog, + is new "
              "and takes what comes from then on (sending_queue::attach takes over a backlog), - "
              "is gone, and its backlog stays on disk.\n\n"
              "Values are not shown. A value that means the same, such as a default that is "
              "written out, is no change. A changed data directory or fsync counts from the next "
              "start.",
     .options = diff_options,
     .takes_files = true,
     .exits = "0 no difference, 1 different, 2 wrong usage or a configuration that is not valid"},
    {.name = "test",
     .synopsis = "[--junit FILE] [--only TEXT] [--log] FILE ...",
     .summary = "runs tests of a configuration: what comes out for what comes in",
     .about =
         "Runs tests of a configuration: the real pipelines, with ends of the test in place of "
         "receivers and exporters, in a directory of their own, and with a time that the test "
         "sets forward. Nothing is listened on and nothing is sent.\n\n"
         "A file names the configuration and has tests; each has inputs at a receiver or a "
         "pipeline, or at a processor (otlp, json, file or lines), a time to go on by (advance), "
         "and what is expected at exporters, processors and queues: a count, items of which some "
         "fields are said (contains), and "
         "OTTL conditions that hold for all, any or none of the items:\n\n"
         "  config: gateway.yaml\n"
         "  tests:\n"
         "  - name: keeps errors\n"
         "    input:\n"
         "    - {to: otlp, file: checkout.json}\n"
         "    advance: 31s\n"
         "    expect:\n"
         "    - {at: otlp/backend, count: 3, all: ['status.code == 2']}",
     .options = test_options,
     .takes_files = true,
     .exits = "0 all passed, 1 a test failed, 2 wrong usage, or a file or its configuration cannot "
              "be used"},
    {.name = "convert",
     .synopsis = "fluentbit FILE",
     .summary = "makes a configuration of one of Fluent Bit",
     .about =
         "Prints a configuration that does what a configuration of Fluent Bit does, and tells "
         "on standard error what is different (note) and what has no equal (left out).\n\n"
         "FILE is in the classic form, or in YAML when its name ends with .yaml or .yml. Files "
         "that it includes and its parsers are read, too. ${NAME} stays a variable of the "
         "environment.\n\n"
         "A record's text (log, message) is the body of a log record, its other keys are "
         "attributes. Each input goes through the filters, and to the outputs, whose Match "
         "fits its tag.",
     .options = convert_options,
     .words = convert_words,
     .takes_files = true,
     .exits = "0 everything has an equal, 1 something was left out, 2 wrong usage, or a file that "
              "cannot be read"},
    {.name = "components",
     .synopsis = "[--docs]",
     .summary = "lists the components that are built in",
     .about = "Lists the components that are built in; with --docs, the reference of every key as "
              "markdown.",
     .options = components_options,
     .exits = "0 printed, 2 wrong usage"},
    {.name = "print-config",
     .synopsis =
         "[--default] [--mode redacted|unredacted] [--format yaml|json | --origins] [--validate] "
         "[--config FILE ...] [--set KEY=VALUE ...]",
     .summary = "prints the configuration as it is after merging and expansion",
     .about = "Prints the configuration as it is after merging and expansion; --default prints the "
              "built-in one. Passwords, tokens and the like are shown as [REDACTED] unless --mode "
              "is unredacted. With --validate, a component that is not built in is an error. "
              "--origins prints a line for each value, with the file and line that it comes from.",
     .options = print_options,
     .exits = "0 printed, 1 the configuration is not valid, 2 wrong usage"},
    {.name = "version",
     .synopsis = "",
     .summary = "prints the version",
     .about = "Prints the version.",
     .options = plain_options,
     .exits = "0 printed, 2 wrong usage"},
    {.name = "featuregate",
     .synopsis = "[ID]",
     .summary = "lists the feature gates, of which there are none",
     .about =
         "Lists the feature gates as the Go collector does. There are none: --feature-gates is "
         "accepted without effect. Supervisors of OpAMP ask for it.",
     .options = featuregate_options,
     .exits = "0 printed, 1 there is no gate of that id, 2 wrong usage"},
    {.name = "queue",
     .synopsis = "[--data-dir DIR | --config FILE ...] COMMAND",
     .summary = "looks into the queues, and moves or deletes what they hold",
     .about = "Works on the data directory of a running Holdfast (through its control socket), or "
              "of none. QUEUE is a pipeline's id such as traces/2, deadletter:EXPORTER (data that "
              "its backend refused for good) or requeue:EXPORTER (dead letters that are sent "
              "again).",
     .options = queue_options,
     .words = queue_words,
     .exits = "0 done, 1 failed, 2 wrong usage, 3 damage found or an accounting that does not "
              "balance",
     .help = hf_queue_usage},
    {.name = "drain",
     .synopsis = "[--data-dir DIR | --config FILE ...] [--to ENDPOINT] [--timeout DURATION] "
                 "[--cancel]",
     .summary = "takes no more data and waits until all that is queued is delivered",
     .about = "Tells the running Holdfast to take no more data, and waits until every exporter has "
              "delivered all that is queued: for a preStop hook, or before a volume is removed. "
              "Clients are refused with UNAVAILABLE or 503 and told to connect again, elsewhere; "
              "health says 503. "
              "Nothing is deleted.\n\n"
              "With --to, each exporter gives its backlog to a peer, such as another replica, over "
              "OTLP/gRPC; http is cleartext, https is verified by the system's authorities. The "
              "peer treats it as new data: its processors run, and all exporters of its pipelines "
              "get it, also those that had it from here.",
     .options = drain_options,
     .exits = "0 empty, 1 no process runs there, it ended, or only backlogs of removed exporters "
              "are left, 2 wrong usage, 4 not empty within the timeout (draining continues)"},
    {.name = "top",
     .synopsis = "[--data-dir DIR | --config FILE ...] [--interval DURATION] [--once [--json]]",
     .summary = "shows pipelines, queues and exporters of the running process, live",
     .about =
         "Shows the pipelines, queues and exporters of the running Holdfast with their rates, "
         "backlogs and troubles, over its control socket. Keys: 1, 2, 3 or Tab for the part, "
         "s to sort by the next column, r for the other way round, / to filter, d for the "
         "second lines, p to pause, ? for all of them, q to end. When the process ends, it "
         "waits for the next one.\n\n"
         "NO_COLOR, or a terminal without colours: bold instead of red. A terminal that cannot "
         "move its cursor gets tables, one below the other.",
     .options = top_options,
     .exits = "0 ended by a key, or printed, 1 no process answers (with --once), 2 wrong usage"},
    {.name = "tail",
     .synopsis =
         "[--data-dir DIR | --config FILE ...] [--component ID] [--kind KIND] [--signal "
         "SIGNAL] [--where OTTL] [--sample N] [--share PERCENT] [--limit N] [--for DURATION] "
         "[--json]",
     .summary = "shows what passes a point of the running process",
     .about = "Shows what passes a point of the running Holdfast: behind a receiver, behind a "
              "processor or connector, or at an exporter; as text, or with --json as OTLP/JSON. "
              "The data does not wait for it: what passes while the reader is too slow, or beyond "
              "its share of a core, is counted and told.\n\n"
              "holdfast tail --component otlp --signal logs --where 'severity_number >= 17'",
     .options = tail_options,
     .exits = "0 ended, 1 no process runs there, it ended, or others look on already, 2 wrong "
              "usage"},
    {.name = "init-dir",
     .synopsis = "--owner UID[:GID] DIR",
     .summary = "makes a data directory and gives it to a user",
     .about =
         "Makes a data directory with those above it, and gives it and all in it to a user: for "
         "an init container that runs as root with the capability CHOWN, before a container "
         "that does not. Links are not followed, other file systems are left alone, and a "
         "directory that is that user's already is not looked into.",
     .options = init_dir_options,
     .exits = "0 it is that user's, 1 it cannot be made or given, 2 wrong usage"},
    {.name = "webhook",
     .synopsis = "[--listen HOST:PORT] [--image IMAGE] [--settings FILE] [--native "
                 "auto|always|never] [--cert-file FILE --key-file FILE | --service NAME "
                 "--configuration NAME]",
     .summary = "puts a sidecar into the pods of Kubernetes that ask for one",
     .about = "Serves the admission webhook of Kubernetes that puts a Holdfast as a sidecar into "
              "pods, with a queue volume and the variables that SDKs read. A pod or its namespace "
              "asks by the annotation sidecar.holdfast.dev/inject, sidecar.otel.io/inject or "
              "sidecar.opentelemetry.io/inject: true, false, or the name of a configuration, which "
              "is a ConfigMap, or an OpenTelemetryCollector of mode sidecar.\n\n"
              "Its certificate is made and renewed by itself, shared by all replicas through a "
              "Secret, or given as files. A pod that cannot get its sidecar starts without one, "
              "with a warning.",
     .options = hf_cli_webhook_options,
     .exits = "0 stopped by a signal, 1 start-up error, 2 wrong usage"},
    {.name = "completion",
     .synopsis = "bash|zsh|fish",
     .summary = "prints the completion of commands and options for a shell",
     .about = "Prints the completion of commands and options for a shell, to be written to where "
              "that shell looks:",
     .options = plain_options,
     .words = shells,
     .exits = "0 printed, 2 wrong usage"},
    {.name = "man",
     .synopsis = "",
     .summary = "prints the manual page holdfast(1)",
     .about = "Prints the manual page holdfast(1): holdfast man | man -l -",
     .options = plain_options,
     .exits = "0 printed, 2 wrong usage"},
    END,
};

const struct hf_cli_command *hf_cli_find(const char *name)
{
    if (strcmp(name, "print-initial-config") == 0) { /* its older name */
        name = "print-config";
    }
    for (const struct hf_cli_command *command = hf_cli_commands; command->name != NULL; command++) {
        if (strcmp(command->name, name) == 0) {
            return command;
        }
    }
    return NULL;
}

void hf_cli_long_options(const struct hf_cli_command *command,
                         struct option ret_options[HF_CLI_OPTIONS_MAX + 1])
{
    size_t count = 0;
    for (const struct hf_cli_option *option = command->options;
         option->name != NULL && count < HF_CLI_OPTIONS_MAX; option++) {
        int argument = option->kind == HF_CLI_NONE ? no_argument
                       : option->is_value_optional ? optional_argument
                                                   : required_argument;
        ret_options[count++] = (struct option){option->name, argument, NULL, (int)option->code};
    }
    ret_options[count] = (struct option){0};
}
