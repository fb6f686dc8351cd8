/*
 * commands: the one table of commands and options. The parser of main.c, --help, the completion of
 * shells and the man page are made from it. Constant.
 */
#pragma once

#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>

/* Options by what they set; as getopt gives them. */
enum hf_cli_code {
    HF_CLI_CONFIG = 256,
    HF_CLI_SET,
    HF_CLI_DATA,
    HF_CLI_WATCH,
    HF_CLI_VERSION,
    HF_CLI_HELP,
    HF_CLI_PARTIAL,
    HF_CLI_DOCS,
    HF_CLI_DEFAULT,
    HF_CLI_MODE,
    HF_CLI_FORMAT,
    HF_CLI_VALIDATE,
    HF_CLI_GATES,
    HF_CLI_TIMEOUT, /* from here on, those that their own parser takes */
    HF_CLI_CANCEL,
    HF_CLI_TO,
    HF_CLI_JSON,
    HF_CLI_FROM,
    HF_CLI_EXPORTER,
    HF_CLI_ENDPOINT,
    HF_CLI_JUNIT,
    HF_CLI_ONLY,
    HF_CLI_LOG,
    HF_CLI_ONCE,
    HF_CLI_INTERVAL,
    HF_CLI_COMPONENT,
    HF_CLI_KIND,
    HF_CLI_SIGNAL,
    HF_CLI_WHERE,
    HF_CLI_ORIGINS,
    HF_CLI_SAMPLE,
    HF_CLI_SHARE,
    HF_CLI_LIMIT,
    HF_CLI_FOR,
    HF_CLI_SEQ,
    HF_CLI_SINCE,
    HF_CLI_UNTIL,
    HF_CLI_LISTEN, /* of the webhook */
    HF_CLI_SETTINGS,
    HF_CLI_IMAGE,
    HF_CLI_NATIVE,
    HF_CLI_NAMESPACE,
    HF_CLI_SERVICE,
    HF_CLI_SECRET,
    HF_CLI_CONFIGURATION,
    HF_CLI_CERT_FILE,
    HF_CLI_KEY_FILE,
    HF_CLI_CERT_DIR,
    HF_CLI_CERT_LIFETIME,
    HF_CLI_AUTH_TYPE,
    HF_CLI_OWNER, /* of init-dir */
};

enum hf_cli_value { HF_CLI_NONE = 0, HF_CLI_TEXT, HF_CLI_FILE, HF_CLI_DIRECTORY, HF_CLI_CHOICE };

struct hf_cli_option {
    const char *name; /* without the dashes; NULL ends an array */
    enum hf_cli_code code;
    enum hf_cli_value kind;
    bool is_value_optional; /* then only as --name=VALUE */
    bool is_hidden;         /* taken, not told */
    const char *value;      /* as help names it: "FILE" */
    const char *const *choices;
    const char *help;
};

struct hf_cli_word {
    const char *name; /* NULL ends an array */
    const char *help;
};

struct hf_cli_command {
    const char *name;     /* "": without a command, the service itself. NULL ends the table */
    const char *synopsis; /* what follows the name */
    const char *summary;  /* one line */
    const char *about;    /* paragraphs, with an empty line between; NULL: the summary says it */
    const struct hf_cli_option *options;
    const struct hf_cli_word *words; /* what its first word can be, or NULL */
    bool takes_files;                /* its words are names of files */
    const char *exits;               /* "0 done, ..." */
    const char *help;                /* the whole of --help, from its own parser; or NULL */
};

extern const struct hf_cli_command hf_cli_commands[];

/* NULL: none of that name. "print-initial-config" is print-config. */
const struct hf_cli_command *hf_cli_find(const char *name);

#define HF_CLI_OPTIONS_MAX 16
/* The options of the command for getopt_long(), ended as it wants. */
void hf_cli_long_options(const struct hf_cli_command *command,
                         struct option ret_options[HF_CLI_OPTIONS_MAX + 1]);

/* --help. */
void hf_cli_help(const struct hf_cli_command *command, FILE *out);
/* holdfast(1) in roff. */
void hf_cli_man(FILE *out);
/* The completion for "bash", "zsh" or "fish". False: no such shell. */
bool hf_cli_completion(const char *shell, FILE *out);
