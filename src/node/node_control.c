/*
 * node_control: holdfast/control.h: a command is run with a bounded buffer as its output.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "node.h"

#define WORDS_MAX 32

struct answer {
    char *text;
    size_t size, room, limit;
    enum hf_status status;
};

/* Makes room for `more` bytes and the zero byte at the end. */
static enum hf_status reserve(struct answer *answer, size_t more)
{
    size_t wanted = answer->size + more + 1;
    if (more > answer->limit - answer->size) {
        return HF_TOO_LARGE;
    }
    if (wanted > answer->room) {
        size_t room = wanted > 2 * answer->room ? wanted : 2 * answer->room;
        char *text = realloc(answer->text, room);
        if (text == NULL) {
            return HF_NOMEM;
        }
        answer->text = text;
        answer->room = room;
    }
    return HF_OK;
}

static ssize_t put(void *cookie, const char *text, size_t size)
{
    struct answer *answer = cookie;
    if (answer->status == HF_OK) {
        answer->status = reserve(answer, size);
    }
    if (answer->status != HF_OK) {
        return 0; /* the stream is in error, and the command ends */
    }
    memcpy(answer->text + answer->size, text, size);
    answer->size += size;
    return (ssize_t)size;
}

/* False: out of memory. */
static bool run(const struct hf_host *host, const char *const *words, struct answer *answer,
                int *ret_exit)
{
    char *copies[WORDS_MAX + 1] = {NULL};
    int count = 0;
    bool done = true;
    FILE *out = fopencookie(answer, "w", (cookie_io_functions_t){.write = put});
    for (; done && words[count] != NULL && count < WORDS_MAX; count++) {
        copies[count] = strdup(words[count]);
        done = copies[count] != NULL;
    }
    done = done && out != NULL;
    if (done) {
        *ret_exit = host->run_command(host->commands, count, copies, out);
    }
    if (out != NULL) {
        fclose(out);
    }
    for (int i = 0; i < count; i++) {
        free(copies[i]);
    }
    return done;
}

enum hf_status hf_node_control(const struct hf_node *node, const char *const *words,
                               size_t limit_bytes, struct hf_control_answer *ret_answer)
{
    struct answer answer = {.limit = limit_bytes, .status = HF_OK};
    int exit_code = 0;
    if (node->host->run_command == NULL) {
        return HF_CLOSED;
    }
    if (!run(node->host, words, &answer, &exit_code)) {
        answer.status = HF_NOMEM;
    }
    if (answer.status == HF_OK) {
        answer.status = reserve(&answer, 0);
    }
    if (answer.status != HF_OK) {
        free(answer.text);
        return answer.status;
    }
    answer.text[answer.size] = '\0';
    *ret_answer = (struct hf_control_answer){answer.text, answer.size, exit_code};
    return HF_OK;
}
