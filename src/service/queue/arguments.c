#include "arguments.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#include "storage/storage.h"
#include "util/time/clock.h"

const char hf_queue_usage[] =
    "Usage: holdfast queue [--data-dir DIR | --config FILE ...] COMMAND\n"
    "\n"
    "Works on the data directory of a running Holdfast (through its control socket), or of none.\n"
    "QUEUE is a pipeline's id such as traces/2, deadletter:EXPORTER (data that its backend "
    "refused\n"
    "for good) or requeue:EXPORTER (dead letters that are sent again).\n"
    "\n"
    "  stat [--json]                     queues, exporters and their accounting\n"
    "  ls QUEUE [--json]                 the records of a queue, oldest first\n"
    "  cat QUEUE [--json]                their content as OTLP/JSON lines; with --json each in a\n"
    "                                    map with its number, time and, of a dead letter, why\n"
    "  count QUEUE [--json]              how many records and items are there\n"
    "  sample QUEUE -n N [--json]        N records, evenly spread, as cat\n"
    "  verify [QUEUE] [--json]           reads and checks every record; exit code 3: damage found\n"
    "  export QUEUE --endpoint URL       sends every record to an OTLP/HTTP endpoint; the queue "
    "keeps them\n"
    "  drop QUEUE --exporter ID          deletes the backlog of a removed exporter\n"
    "  drop deadletter:EXPORTER          deletes the dead letters\n"
    "  drop requeue:EXPORTER             deletes requeued dead letters of a removed exporter\n"
    "  requeue EXPORTER                  sends the dead letters of that exporter again\n"
    "  orphans [DIR...] [--json]         data directories that no process has, and what waits in "
    "them;\n"
    "                                    DIR or a folder of them, else those beside our own\n"
    "  adopt DIR                         moves the backlog of such a directory into the running "
    "Holdfast,\n"
    "                                    whose exporters of the same names send it\n"
    "\n"
    "Which records, for ls, cat, count, sample, export, requeue and drop deadletter:\n"
    "  --from SEQ                        from that number on\n"
    "  --seq LIST                        these numbers, such as 3,7-9\n"
    "  --since TIME, --until TIME        received from then on, before then: RFC 3339, Unix "
    "seconds,\n"
    "                                    or how long ago, such as 15m\n"
    "  --where OTTL                      with items that this condition is true for; cat, sample "
    "and\n"
    "                                    export then take those items alone, the others whole "
    "records\n"
    "ls and cat end after -n N (or --limit N) records. Long work shows how far it is on a "
    "terminal.\n"
    "\n"
    "Exit: 0 done, 1 failed, 2 wrong usage, 3 damage found or an accounting that does not "
    "balance.\n";

enum option {
    JSON = 1,
    COUNT = 2,
    FROM = 4,
    EXPORTER = 8,
    ENDPOINT = 16,
    SEQ = 32,
    SINCE = 64,
    UNTIL = 128,
    WHERE = 256,
    PROGRESS = 512,
};

#define CHOICE (FROM | SEQ | SINCE | UNTIL | WHERE)

static const struct rule {
    const char *name;
    enum hf_queue_verb verb;
    unsigned options;  /* that it takes */
    const char *about; /* what its plain word is; NULL: it takes none */
    bool is_needed;    /* that word */
} rules[] = {
    {"stat", HF_QUEUE_STAT, JSON, NULL, false},
    {"ls", HF_QUEUE_LS, JSON | COUNT | CHOICE, "a queue", true},
    {"cat", HF_QUEUE_CAT, JSON | COUNT | CHOICE, "a queue", true},
    {"count", HF_QUEUE_COUNT, JSON | CHOICE, "a queue", true},
    {"sample", HF_QUEUE_SAMPLE, JSON | COUNT | CHOICE, "a queue", true},
    {"verify", HF_QUEUE_VERIFY, JSON | PROGRESS, "a queue", false},
    {"export", HF_QUEUE_EXPORT, ENDPOINT | PROGRESS | CHOICE, "a queue", true},
    {"drop", HF_QUEUE_DROP, EXPORTER | PROGRESS | CHOICE, "a queue", true},
    {"requeue", HF_QUEUE_REQUEUE, PROGRESS | CHOICE, "an exporter", true},
    {"adopt", HF_QUEUE_ADOPT, 0, "a data directory", true},
};

static const struct {
    const char *word;
    enum option option;
} options[] = {{"--json", JSON},        {"-n", COUNT},
               {"--limit", COUNT},      {"--seq", SEQ},
               {"--since", SINCE},      {"--until", UNTIL},
               {"--where", WHERE},      {"--progress", PROGRESS},
               {"--from", FROM},        {"--exporter", EXPORTER},
               {"--endpoint", ENDPOINT}};

static const struct rule *find_rule(const char *name)
{
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        if (strcmp(rules[i].name, name) == 0) {
            return &rules[i];
        }
    }
    return NULL;
}

/* 0: no option of that name, or not of this command. */
static unsigned find_option(const struct rule *rule, const char *word)
{
    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        if (strcmp(options[i].word, word) == 0) {
            return options[i].option & rule->options;
        }
    }
    return 0;
}

bool hf_queue_changes(const char *name)
{
    const struct rule *rule = find_rule(name);
    return rule != NULL && (rule->verb == HF_QUEUE_DROP || rule->verb == HF_QUEUE_REQUEUE ||
                            rule->verb == HF_QUEUE_ADOPT);
}

static bool parse_number(const char *text, uint64_t *ret)
{
    char *end = NULL;
    unsigned long long value = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0') {
        return false;
    }
    *ret = value;
    return true;
}

static bool take_value(unsigned option, const char *value, struct hf_queue_arguments *ret)
{
    switch (option) {
    case COUNT:
        return parse_number(value, &ret->most) && ret->most != 0;
    case FROM:
        return parse_number(value, &ret->selection.from);
    case SEQ:
        return hf_selection_parse_ranges(value, &ret->selection);
    case SINCE:
        return hf_selection_parse_time(value, hf_clock_unix_ns(), &ret->selection.since_ns);
    case UNTIL:
        return hf_selection_parse_time(value, hf_clock_unix_ns(), &ret->selection.until_ns);
    case WHERE:
        ret->selection.where = value;
        return value[0] != '\0';
    case EXPORTER:
        ret->exporter = value;
        return true;
    default:
        ret->endpoint = value;
        return true;
    }
}

static const char *wanted_behind(unsigned option)
{
    switch (option) {
    case COUNT:
    case FROM:
        return "a number";
    case SEQ:
        return "numbers such as 3,7-9 (at most 256 parts)";
    case SINCE:
    case UNTIL:
        return "a time: RFC 3339, Unix seconds, or how long ago, such as 15m";
    case WHERE:
        return "an OTTL condition";
    default:
        return "a value";
    }
}

/* The words behind the command's name. */
static bool parse_words(const struct rule *rule, int count, char *const *words,
                        struct hf_queue_arguments *ret, char *reterr)
{
    for (int i = 1; i < count; i++) {
        unsigned option = find_option(rule, words[i]);
        if (option == JSON) {
            ret->json = true;
        } else if (option == PROGRESS) {
            ret->progress = true;
        } else if (option != 0) {
            if (++i == count || !take_value(option, words[i], ret)) {
                snprintf(reterr, HF_ERROR_MAX, "%s needs %s behind it", words[i - 1],
                         wanted_behind(option));
                return false;
            }
        } else if (words[i][0] != '-' && rule->about != NULL && ret->queue == NULL) {
            ret->queue = words[i];
        } else {
            snprintf(reterr, HF_ERROR_MAX, "queue %s takes no %.200s", rule->name, words[i]);
            return false;
        }
    }
    return true;
}

static bool is_pipeline(const char *queue)
{
    return strncmp(queue, HF_STORAGE_DEAD_LETTERS ":", sizeof(HF_STORAGE_DEAD_LETTERS)) != 0 &&
           strncmp(queue, HF_STORAGE_REQUEUE ":", sizeof(HF_STORAGE_REQUEUE)) != 0;
}

static bool is_complete(const struct rule *rule, const struct hf_queue_arguments *arguments,
                        char *reterr)
{
    const char *lacks = NULL;
    if (arguments->queue == NULL && rule->is_needed) {
        lacks = rule->about;
    } else if (rule->verb == HF_QUEUE_EXPORT && arguments->endpoint == NULL) {
        lacks = "--endpoint URL";
    } else if (rule->verb == HF_QUEUE_SAMPLE && arguments->most == UINT64_MAX) {
        lacks = "-n N, how many records";
    } else if (rule->verb == HF_QUEUE_DROP && is_pipeline(arguments->queue) &&
               arguments->exporter == NULL) {
        lacks = "--exporter ID, the removed exporter whose backlog to give up";
    }
    if (lacks != NULL) {
        snprintf(reterr, HF_ERROR_MAX, "queue %s needs %s", rule->name, lacks);
    }
    return lacks == NULL;
}

bool hf_queue_parse(int count, char *const *words, struct hf_queue_arguments *ret, char *reterr)
{
    const struct rule *rule = count > 0 ? find_rule(words[0]) : NULL;
    if (rule == NULL) {
        snprintf(reterr, HF_ERROR_MAX, "queue has no command %.200s", count > 0 ? words[0] : "");
        return false;
    }
    *ret = (struct hf_queue_arguments){.verb = rule->verb, .most = UINT64_MAX};
    ret->selection.until_ns = UINT64_MAX;
    return parse_words(rule, count, words, ret, reterr) && is_complete(rule, ret, reterr);
}
