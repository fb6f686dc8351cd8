/*
 * help: what --help prints of a command.
 */
#include <string.h>

#include "commands.h"

#define WIDTH 95u
#define OPTION_WIDTH 22u

/* Words up to the width, further lines behind `indent` blanks; `column` is where the first begins.
 */
static void put_wrapped(const char *text, unsigned column, unsigned indent, FILE *out)
{
    bool is_first = true;
    while (*text != '\0') {
        size_t size = strcspn(text, " \n");
        if (!is_first && column + 1 + size > WIDTH) {
            fprintf(out, "\n%*s", (int)indent, "");
            column = indent;
        } else if (!is_first) {
            fputc(' ', out);
            column++;
        }
        fwrite(text, 1, size, out);
        column += (unsigned)size;
        is_first = false;
        text += size;
        if (text[0] == ' ') {
            text++;
        }
        while (*text == '\n') {
            fputc('\n', out);
            column = 0;
            is_first = true;
            text++;
        }
    }
    fputc('\n', out);
}

static void put_option(const char *name, const char *help, FILE *out)
{
    fprintf(out, "  %-*s", (int)OPTION_WIDTH - 2, name);
    if (strlen(name) + 3 > OPTION_WIDTH) {
        fprintf(out, "\n%*s", (int)OPTION_WIDTH, "");
    }
    put_wrapped(help, OPTION_WIDTH, OPTION_WIDTH, out);
}

static void put_options(const struct hf_cli_command *command, FILE *out)
{
    char name[128];
    for (const struct hf_cli_option *option = command->options; option->name != NULL; option++) {
        if (option->is_hidden) {
            continue;
        }
        snprintf(name, sizeof(name), "--%s%s%s%s", option->name,
                 option->kind == HF_CLI_NONE ? ""
                 : option->is_value_optional ? "[="
                                             : " ",
                 option->kind == HF_CLI_NONE ? "" : option->value,
                 option->is_value_optional ? "]" : "");
        put_option(name, option->help, out);
    }
}

static void put_commands(FILE *out)
{
    fputs("\nCommands, each with --help:\n", out);
    for (const struct hf_cli_command *command = hf_cli_commands; command->name != NULL; command++) {
        if (command->name[0] != '\0') {
            put_option(command->name, command->summary, out);
        }
    }
}

void hf_cli_help(const struct hf_cli_command *command, FILE *out)
{
    char usage[512];
    if (command->help != NULL) {
        fputs(command->help, out);
        return;
    }
    bool is_run = command->name[0] == '\0';
    snprintf(usage, sizeof(usage), "Usage: holdfast%s%s%s%s", is_run ? "" : " ", command->name,
             command->synopsis[0] != '\0' ? " " : "", command->synopsis);
    put_wrapped(usage, 0, 7, out);
    fputs(is_run ? "       holdfast COMMAND [--help]\n\n" : "\n", out);
    put_wrapped(command->about != NULL ? command->about : command->summary, 0, 0, out);
    fputc('\n', out);
    for (const struct hf_cli_word *word = command->words; word != NULL && word->name != NULL;
         word++) {
        put_option(word->name, word->help, out);
    }
    put_options(command, out);
    if (is_run) {
        put_commands(out);
    }
    fputc('\n', out);
    fputs("Exit: ", out);
    put_wrapped(command->exits, 6, 6, out);
}
