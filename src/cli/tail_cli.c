#include "tail_cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "control_client.h"
#include "service/control_protocol.h"
#include "service/queue/output.h"
#include "service/tail/tail_words.h"

struct request {
    struct hf_client_place place;
    char *words[HF_CONTROL_WORDS_MAX];
    int count;
    bool help;
};

/* "--limit=5" is two words of the protocol. False: there are too many. */
static bool add_word(struct request *request, char *word)
{
    char *equals = strncmp(word, "--", 2) == 0 ? strchr(word, '=') : NULL;
    if (request->count + 2 > HF_CONTROL_WORDS_MAX) {
        return false;
    }
    request->words[request->count++] = word;
    if (equals != NULL) {
        *equals = '\0';
        request->words[request->count++] = equals + 1;
    }
    return true;
}

/* NULL, or what is wrong. */
static const char *sort_words(int count, char **arguments, struct request *request)
{
    request->words[request->count++] = arguments[0];
    for (int i = 1; i < count; i++) {
        bool taken = false;
        const char *wrong = hf_client_place_take(&request->place, count, arguments, &i, &taken);
        if (wrong != NULL) {
            return wrong;
        }
        if (taken) {
            continue;
        }
        if (strcmp(arguments[i], "--help") == 0 || strcmp(arguments[i], "-h") == 0) {
            request->help = true;
        } else if (!add_word(request, arguments[i])) {
            return "too many words";
        }
    }
    return NULL;
}

static enum hf_exit ask(const struct request *request)
{
    char *directory = hf_client_find(&request->place);
    if (directory == NULL) {
        return HF_EXIT_FAILED;
    }
    int fd = hf_control_socket(directory, 0);
    if (fd < 0) {
        hf_queue_say(stderr, "error: no Holdfast runs on the data directory %s\n", directory);
    }
    free(directory);
    return fd >= 0 ? hf_client_ask(fd, request->count, request->words, stdout) : HF_EXIT_FAILED;
}

enum hf_exit hf_tail_cli(const struct hf_component *const *components, int count, char **arguments)
{
    struct request request = {.place.components = components};
    struct hf_tail_words parsed;
    char error[HF_ERROR_MAX] = "";
    const char *wrong = sort_words(count, arguments, &request);
    if (request.help) {
        hf_cli_help(hf_cli_find("tail"), stdout);
        return HF_EXIT_OK;
    }
    if (wrong == NULL && !hf_tail_parse(request.count, request.words, &parsed, error)) {
        wrong = error;
    }
    if (wrong != NULL) {
        hf_queue_say(stderr, "error: %s\n", wrong);
        fputs("Usage: holdfast tail --help\n", stderr);
        return HF_EXIT_USAGE;
    }
    return ask(&request);
}
