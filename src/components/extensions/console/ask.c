#include "ask.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum hf_status hf_console_ask(const struct hf_node *node, const char *const *words,
                              struct hf_arena *arena, struct hf_console_reply *ret_reply)
{
    struct hf_control_answer answer;
    enum hf_status status = hf_node_control(node, words, HF_CONSOLE_ANSWER_BYTES_MAX, &answer);
    if (status != HF_OK) {
        return status;
    }
    char *copy = hf_arena_take(arena, answer.size + 1);
    if (copy != NULL) {
        memcpy(copy, answer.text, answer.size + 1);
        *ret_reply = (struct hf_console_reply){hf_slice_of(copy, answer.size), answer.exit_code};
    }
    free(answer.text);
    return copy != NULL ? HF_OK : HF_TOO_LARGE;
}

size_t hf_console_read_lines(struct hf_slice text, struct hf_arena *arena,
                             const struct hf_json **ret_lines, size_t most)
{
    char error[HF_JSON_ERROR_MAX];
    const uint8_t *at = text.data, *end = at + text.size;
    size_t count = 0;
    while (at < end && count < most) {
        const uint8_t *next = memchr(at, '\n', (size_t)(end - at));
        next = next != NULL ? next : end;
        struct hf_slice line = hf_slice_of(at, (size_t)(next - at));
        if (line.size != 0 && line.data[0] == '{' &&
            hf_json_read(line, arena, &ret_lines[count], error) == HF_OK) {
            count++;
        }
        at = next + 1;
    }
    return count;
}

static enum hf_status ask_range(const struct hf_node *node, const char *const command[2],
                                uint64_t from, size_t most, struct hf_arena *arena,
                                struct hf_console_reply *ret_reply)
{
    char first[24], count[24];
    snprintf(first, sizeof(first), "%" PRIu64, from);
    snprintf(count, sizeof(count), "%zu", most);
    const char *const words[] = {command[0], command[1], "--json", "--from",
                                 first,      "-n",       count,    NULL};
    return hf_console_ask(node, words, arena, ret_reply);
}

size_t hf_console_list(const struct hf_node *node, const char *queue, uint64_t from, size_t most,
                       struct hf_arena *arena, const struct hf_json **ret_lines)
{
    struct hf_console_reply reply;
    const char *const command[2] = {"ls", queue};
    return ask_range(node, command, from, most, arena, &reply) == HF_OK
               ? hf_console_read_lines(reply.text, arena, ret_lines, most)
               : 0;
}

enum hf_status hf_console_read(const struct hf_node *node, const char *queue, uint64_t from,
                               size_t most, struct hf_arena *arena,
                               const struct hf_json **ret_trees, size_t *ret_count)
{
    struct hf_console_reply reply;
    const char *const command[2] = {"cat", queue};
    enum hf_status status = ask_range(node, command, from, most, arena, &reply);
    if (status == HF_OK) {
        *ret_count = hf_console_read_lines(reply.text, arena, ret_trees, most);
        for (size_t i = 0; i < *ret_count; i++) {
            ret_trees[i] = hf_json_get(ret_trees[i], "data");
        }
    }
    return status;
}
