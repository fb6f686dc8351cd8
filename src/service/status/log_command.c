#include "log_command.h"

#include <stdlib.h>
#include <string.h>

#include "service/queue/output.h"
#include "status.h"
#include "util/log/log_ring.h"
#include "json/json_out.h"

static const char *const levels[] = {"debug", "info", "warn", "error"};
#define LEVEL_COUNT (sizeof(levels) / sizeof(levels[0]))

struct question {
    uint64_t since, limit;
    const char *component; /* NULL: all */
    size_t level;          /* and those above */
};

struct answer {
    const struct question *question;
    struct hf_json_out json;
    uint64_t matches, skipped; /* lines; of them, those before the newest `limit` */
    uint64_t first;            /* sequence of the oldest line that is kept after `since`; 0: none */
};

static bool parse_number(const char *text, uint64_t *ret_number)
{
    char *end = NULL;
    *ret_number = strtoull(text, &end, 10);
    return text[0] >= '0' && text[0] <= '9' && *end == '\0';
}

static bool parse_level(const char *text, size_t *ret_level)
{
    for (size_t i = 0; i < LEVEL_COUNT; i++) {
        if (strcmp(levels[i], text) == 0) {
            *ret_level = i;
            return true;
        }
    }
    return false;
}

static bool take(struct question *question, const char *option, const char *value)
{
    if (strcmp(option, "--since") == 0) {
        return parse_number(value, &question->since);
    }
    if (strcmp(option, "--limit") == 0) {
        return parse_number(value, &question->limit);
    }
    if (strcmp(option, "--level") == 0) {
        return parse_level(value, &question->level);
    }
    question->component = value;
    return strcmp(option, "--component") == 0;
}

static bool matches(const struct answer *answer, const struct hf_log_ring_line *line)
{
    const struct question *question = answer->question;
    return (size_t)line->level >= question->level &&
           (question->component == NULL || strcmp(line->component, question->component) == 0);
}

static void count_line(void *user, const struct hf_log_ring_line *line)
{
    struct answer *answer = user;
    answer->first = answer->first == 0 ? line->sequence : answer->first;
    answer->matches += matches(answer, line) ? 1 : 0;
}

static void write_line(void *user, const struct hf_log_ring_line *line)
{
    struct answer *answer = user;
    struct hf_json_out *json = &answer->json;
    if (!matches(answer, line)) {
        return;
    }
    if (answer->matches > answer->question->limit &&
        answer->skipped < answer->matches - answer->question->limit) {
        answer->skipped++;
        return;
    }
    hf_json_out_map(json, NULL);
    hf_json_out_number(json, "sequence", line->sequence);
    hf_json_out_seconds(json, "time_seconds", line->time_ns);
    hf_json_out_text(json, "level", levels[line->level]);
    hf_json_out_text(json, "component", line->component);
    hf_json_out_text(json, "message", line->message);
    hf_json_out_made(json, "fields", hf_slice_text(line->fields));
    hf_json_out_end_map(json);
}

enum hf_exit hf_log_command(struct hf_log *log, int count, char *const *words, FILE *out)
{
    struct question question = {.limit = UINT64_MAX};
    struct answer answer = {.question = &question, .json.out = out};
    for (int i = 1; i < count; i += 2) {
        if (i + 1 == count || !take(&question, words[i], words[i + 1])) {
            hf_queue_say(out,
                         "error: log %s: expected --since N, --limit N, --component ID or --level "
                         "debug, info, warn or error\n",
                         words[i]);
            return HF_EXIT_USAGE;
        }
    }
    (void)hf_log_each(log, question.since, NULL, count_line, &answer);
    hf_json_out_map(&answer.json, NULL);
    hf_json_out_number(&answer.json, "protocol", HF_STATUS_PROTOCOL);
    hf_json_out_number(&answer.json, "missed",
                       answer.first > question.since + 1 ? answer.first - question.since - 1 : 0);
    hf_json_out_list(&answer.json, "lines");
    uint64_t last = hf_log_each(log, question.since, NULL, write_line, &answer);
    hf_json_out_end_list(&answer.json);
    hf_json_out_number(&answer.json, "last", last);
    hf_json_out_end_map(&answer.json);
    fputc('\n', out);
    return HF_EXIT_OK;
}
