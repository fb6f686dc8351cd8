/*
 * completion: scripts by which shells complete commands and options.
 */
#include <string.h>

#include "commands.h"

/* Text within the single quotes of a shell; with `specials`, those have a backslash in front. */
static void put_quoted(const char *text, const char *specials, FILE *out)
{
    for (; *text != '\0'; text++) {
        if (*text == '\'') {
            fputs("'\\''", out);
        } else {
            fprintf(out, "%s%c", strchr(specials, *text) != NULL ? "\\" : "", *text);
        }
    }
}

static bool is_command(const struct hf_cli_command *command)
{
    return command->name[0] != '\0';
}

static void put_choices(const struct hf_cli_option *option, FILE *out)
{
    for (const char *const *choice = option->choices; *choice != NULL; choice++) {
        fprintf(out, "%s%s", choice == option->choices ? "" : " ", *choice);
    }
}

/* ---- bash ---- */

static void put_bash_options(const struct hf_cli_command *command, FILE *out)
{
    const char *gap = "";
    for (const struct hf_cli_word *word = command->words; word != NULL && word->name != NULL;
         word++) {
        fprintf(out, "%s%s", gap, word->name);
        gap = " ";
    }
    for (const struct hf_cli_option *option = command->options; option->name != NULL; option++) {
        if (!option->is_hidden) {
            fprintf(out, "%s--%s", gap, option->name);
            gap = " ";
        }
    }
}

static void put_bash_values(const struct hf_cli_command *command, FILE *out)
{
    for (const struct hf_cli_option *option = command->options; option->name != NULL; option++) {
        if (option->kind == HF_CLI_NONE || option->is_value_optional) {
            continue;
        }
        fprintf(out, "    '%s --%s') ", command->name, option->name);
        if (option->kind == HF_CLI_CHOICE) {
            fputs("words='", out);
            put_choices(option, out);
            fputs("' ;;\n", out);
        } else {
            fputs(option->kind == HF_CLI_FILE        ? "kind=-f ;;\n"
                  : option->kind == HF_CLI_DIRECTORY ? "kind=-d ;;\n"
                                                     : "kind=none ;;\n",
                  out);
        }
    }
}

static void put_bash(FILE *out)
{
    fputs("# Completion of holdfast for bash, made by: holdfast completion bash\n"
          "_holdfast() {\n"
          "  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}\n"
          "  local command= words= kind=\n"
          "  if (( COMP_CWORD > 1 )) && [[ ${COMP_WORDS[1]} != -* ]]; then\n"
          "    command=${COMP_WORDS[1]}\n"
          "  fi\n"
          "  case \"$command $previous\" in\n",
          out);
    for (const struct hf_cli_command *command = hf_cli_commands; command->name != NULL; command++) {
        put_bash_values(command, out);
    }
    fputs("    *) case \"$command\" in\n", out);
    for (const struct hf_cli_command *command = hf_cli_commands; command->name != NULL; command++) {
        fprintf(out, "      '%s') words='", command->name);
        put_bash_options(command, out);
        fprintf(out, "'%s ;;\n", command->takes_files ? "; [[ $current == -* ]] || kind=-f" : "");
    }
    fputs("      esac\n"
          "      if (( COMP_CWORD == 1 )); then words+=' ",
          out);
    for (const struct hf_cli_command *command = hf_cli_commands; command->name != NULL; command++) {
        fprintf(out, "%s%s", is_command(command) ? command->name : "",
                is_command(command) ? " " : "");
    }
    fputs("'; fi ;;\n"
          "  esac\n"
          "  case $kind in\n"
          "    none) COMPREPLY=() ;;\n"
          "    -*) mapfile -t COMPREPLY < <(compgen \"$kind\" -- \"$current\") ;;\n"
          "    *) mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$current\") ;;\n"
          "  esac\n"
          "}\n"
          "complete -o filenames -F _holdfast holdfast\n",
          out);
}

/* ---- zsh ---- */

static void put_zsh_option(const struct hf_cli_option *option, FILE *out)
{
    fprintf(out, " \\\n        '*--%s%s[", option->name,
            option->kind == HF_CLI_NONE ? ""
            : option->is_value_optional ? "=-"
                                        : "=");
    put_quoted(option->help, "[]:\\", out);
    fputc(']', out);
    if (option->kind != HF_CLI_NONE) {
        fprintf(out, ":%s:", option->name);
        if (option->kind == HF_CLI_CHOICE) {
            fputc('(', out);
            put_choices(option, out);
            fputc(')', out);
        } else {
            fputs(option->kind == HF_CLI_FILE        ? "_files"
                  : option->kind == HF_CLI_DIRECTORY ? "_files -/"
                                                     : " ",
                  out);
        }
    }
    fputc('\'', out);
}

static void put_zsh_command(const struct hf_cli_command *command, FILE *out)
{
    fprintf(out, "    %s)\n      _arguments", is_command(command) ? command->name : "*");
    for (const struct hf_cli_option *option = command->options; option->name != NULL; option++) {
        if (!option->is_hidden) {
            put_zsh_option(option, out);
        }
    }
    if (command->words != NULL) {
        fputs(" \\\n        '1:word:((", out);
        for (const struct hf_cli_word *word = command->words; word->name != NULL; word++) {
            fprintf(out, "%s%s\\:\"", word == command->words ? "" : " ", word->name);
            put_quoted(word->help, ":\\\"", out);
            fputc('"', out);
        }
        fputs("))'", out);
    }
    fprintf(out, "%s ;;\n", command->takes_files ? " \\\n        '*:file:_files'" : "");
}

static void put_zsh(FILE *out)
{
    fputs("#compdef holdfast\n"
          "# Completion of holdfast for zsh, made by: holdfast completion zsh\n"
          "_holdfast() {\n"
          "  local -a commands\n"
          "  commands=(\n",
          out);
    for (const struct hf_cli_command *command = hf_cli_commands; command->name != NULL; command++) {
        if (is_command(command)) {
            fprintf(out, "    '%s:", command->name);
            put_quoted(command->summary, ":\\", out);
            fputs("'\n", out);
        }
    }
    fputs("  )\n"
          "  if (( CURRENT == 2 )) && [[ $words[2] != -* ]]; then\n"
          "    _describe command commands\n"
          "    return\n"
          "  fi\n"
          "  if [[ $words[2] != -* ]]; then\n"
          "    shift words\n"
          "    (( CURRENT-- ))\n"
          "  fi\n"
          "  case $words[1] in\n",
          out);
    for (const struct hf_cli_command *command = hf_cli_commands + 1; command->name != NULL;
         command++) {
        put_zsh_command(command, out);
    }
    put_zsh_command(hf_cli_commands, out); /* whatever else: the service */
    fputs("  esac\n}\n"
          "if [[ $funcstack[1] == _holdfast ]]; then\n"
          "  _holdfast \"$@\"\n"
          "else\n"
          "  compdef _holdfast holdfast\n"
          "fi\n",
          out);
}

/* ---- fish ---- */

static void put_fish_condition(const struct hf_cli_command *command, FILE *out)
{
    if (is_command(command)) {
        fprintf(out, "complete -c holdfast -n '__fish_seen_subcommand_from %s'", command->name);
    } else {
        fputs("complete -c holdfast -n '__holdfast_has_no_command'", out);
    }
}

static void put_fish_option(const struct hf_cli_command *command,
                            const struct hf_cli_option *option, FILE *out)
{
    put_fish_condition(command, out);
    fprintf(out, " -l %s -d '", option->name);
    put_quoted(option->help, "\\", out);
    fputc('\'', out);
    if (option->kind == HF_CLI_CHOICE) {
        fputs(option->is_value_optional ? " -f -a '" : " -x -a '", out);
        put_choices(option, out);
        fputc('\'', out);
    } else if (option->kind == HF_CLI_FILE) {
        fputs(" -r -F", out);
    } else if (option->kind == HF_CLI_DIRECTORY) {
        fputs(" -x -a '(__fish_complete_directories)'", out);
    } else if (option->kind == HF_CLI_TEXT) {
        fputs(" -x", out);
    }
    fputc('\n', out);
}

static void put_fish(FILE *out)
{
    fputs("# Completion of holdfast for fish, made by: holdfast completion fish\n"
          "function __holdfast_has_no_command\n"
          "  not __fish_seen_subcommand_from",
          out);
    for (const struct hf_cli_command *command = hf_cli_commands; command->name != NULL; command++) {
        fprintf(out, "%s%s", is_command(command) ? " " : "", command->name);
    }
    fputs("\nend\ncomplete -c holdfast -f\n", out);
    for (const struct hf_cli_command *command = hf_cli_commands; command->name != NULL; command++) {
        if (is_command(command)) {
            fprintf(out, "complete -c holdfast -n '__fish_is_first_arg' -a %s -d '", command->name);
            put_quoted(command->summary, "\\", out);
            fputs("'\n", out);
        }
        for (const struct hf_cli_option *option = command->options; option->name != NULL;
             option++) {
            if (!option->is_hidden) {
                put_fish_option(command, option, out);
            }
        }
        for (const struct hf_cli_word *word = command->words; word != NULL && word->name != NULL;
             word++) {
            put_fish_condition(command, out);
            fprintf(out, " -a %s -d '", word->name);
            put_quoted(word->help, "\\", out);
            fputs("'\n", out);
        }
        if (command->takes_files) {
            put_fish_condition(command, out);
            fputs(" -F\n", out);
        }
    }
}

bool hf_cli_completion(const char *shell, FILE *out)
{
    if (strcmp(shell, "bash") == 0) {
        put_bash(out);
    } else if (strcmp(shell, "zsh") == 0) {
        put_zsh(out);
    } else if (strcmp(shell, "fish") == 0) {
        put_fish(out);
    } else {
        return false;
    }
    return true;
}
