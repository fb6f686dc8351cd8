/*
 * man: the manual page, in roff with the macros of man(7).
 */
#include <string.h>

#include "commands.h"

/* Text in which roff finds no commands and no escapes. */
static void put_text(const char *text, FILE *out)
{
    bool at_start = true;
    for (; *text != '\0'; text++) {
        if (at_start && (*text == '.' || *text == '\'')) {
            fputs("\\&", out);
        }
        at_start = false;
        if (*text == '\\') {
            fputs("\\e", out);
        } else if (*text == '-') {
            fputs("\\-", out);
        } else if (text[0] == '\n' && text[1] == '\n') {
            fputs("\n.PP\n", out);
            text++;
            at_start = true;
        } else {
            fputc(*text, out);
            at_start = *text == '\n';
        }
    }
    fputc('\n', out);
}

static void put_options(const struct hf_cli_command *command, FILE *out)
{
    for (const struct hf_cli_option *option = command->options; option->name != NULL; option++) {
        if (option->is_hidden) {
            continue;
        }
        fputs(".TP\n.B ", out);
        fputs("\\-\\-", out);
        put_text(option->name, out);
        if (option->kind != HF_CLI_NONE) {
            fprintf(out, ".I %s\n", option->value);
        }
        put_text(option->help, out);
    }
}

static void put_command(const struct hf_cli_command *command, FILE *out)
{
    fprintf(out, ".SS holdfast%s%s\n", command->name[0] == '\0' ? "" : " ", command->name);
    fputs(".B holdfast", out);
    fprintf(out, " %s\n", command->name);
    put_text(command->synopsis, out);
    fputs(".PP\n", out);
    put_text(command->about != NULL ? command->about : command->summary, out);
    for (const struct hf_cli_word *word = command->words; word != NULL && word->name != NULL;
         word++) {
        fprintf(out, ".TP\n.B %s\n", word->name);
        put_text(word->help, out);
    }
    put_options(command, out);
    fputs(".PP\nExit status: ", out);
    put_text(command->exits, out);
}

void hf_cli_man(FILE *out)
{
    fputs(".TH HOLDFAST 1 \"\" \"Holdfast " HF_VERSION "\" \"User Commands\"\n", out);
    fputs(".SH NAME\nholdfast \\- store\\-and\\-forward telemetry collector\n.SH SYNOPSIS\n", out);
    for (const struct hf_cli_command *command = hf_cli_commands; command->name != NULL; command++) {
        fprintf(out, "%s.B holdfast %s\n", command == hf_cli_commands ? "" : ".br\n",
                command->name);
        put_text(command->synopsis, out);
    }
    fputs(".SH COMMANDS\n", out);
    for (const struct hf_cli_command *command = hf_cli_commands; command->name != NULL; command++) {
        put_command(command, out);
    }
    fputs(".SH SIGNALS\nSIGTERM and SIGINT stop, SIGHUP reloads the configuration.\n", out);
}
