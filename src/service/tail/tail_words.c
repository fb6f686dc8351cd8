#include "tail_words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/scalar.h"
#include "tail_share.h"

static bool parse_number(const char *text, uint64_t most, uint64_t *ret_number)
{
    char *end = NULL;
    unsigned long long number = strtoull(text, &end, 10);
    *ret_number = number;
    return text[0] >= '0' && text[0] <= '9' && *end == '\0' && number != 0 && number <= most;
}

static bool take_component(struct hf_tail_words *words, const char *value)
{
    words->point.component = value;
    return value[0] != '\0';
}

static bool take_kind(struct hf_tail_words *words, const char *value)
{
    static const char *const names[] = {[HF_RECEIVER] = "receiver",
                                        [HF_PROCESSOR] = "processor",
                                        [HF_EXPORTER] = "exporter",
                                        [HF_EXTENSION] = "",
                                        [HF_CONNECTOR] = "connector"};
    for (int kind = 0; kind < HF_KIND_COUNT; kind++) {
        if (value[0] != '\0' && strcmp(names[kind], value) == 0) {
            words->point.kind = kind;
            return true;
        }
    }
    return false;
}

static bool take_signal(struct hf_tail_words *words, const char *value)
{
    for (int signal = 0; signal < HF_SIGNAL_COUNT; signal++) {
        if (strcmp(hf_signal_name((enum hf_signal)signal), value) == 0) {
            words->point.signals = HF_SIGNAL_BIT(signal);
            return true;
        }
    }
    return false;
}

static bool take_where(struct hf_tail_words *words, const char *value)
{
    words->where = value;
    return value[0] != '\0';
}

static bool take_sample(struct hf_tail_words *words, const char *value)
{
    uint64_t number = 0;
    bool is_good = parse_number(value, UINT32_MAX, &number);
    words->point.sample = (uint32_t)number;
    return is_good;
}

static bool take_share(struct hf_tail_words *words, const char *value)
{
    return parse_number(value, 100, &words->percent);
}

static bool take_limit(struct hf_tail_words *words, const char *value)
{
    return parse_number(value, UINT64_MAX - 1, &words->limit);
}

static bool take_for(struct hf_tail_words *words, const char *value)
{
    int64_t ns = 0;
    const char *why = "";
    bool is_good = hf_scalar_duration(value, &ns, &why) && ns > 0;
    words->for_ns = (uint64_t)ns;
    return is_good;
}

static const struct {
    const char *word;
    bool (*take)(struct hf_tail_words *words, const char *value);
    const char *wants;
} options[] = {{"--component", take_component, "the id of a component"},
               {"--kind", take_kind, "receiver, processor, connector or exporter"},
               {"--signal", take_signal, "traces, metrics or logs"},
               {"--where", take_where, "an OTTL condition"},
               {"--sample", take_sample, "a number: one of so many batches is shown"},
               {"--share", take_share, "a number from 1 to 100: percent of a core"},
               {"--limit", take_limit, "a number of batches"},
               {"--for", take_for, "a duration such as 10s"}};

#define OPTION_COUNT (sizeof(options) / sizeof(options[0]))

static size_t find(const char *word)
{
    size_t i = 0;
    while (i < OPTION_COUNT && strcmp(options[i].word, word) != 0) {
        i++;
    }
    return i;
}

bool hf_tail_parse(int count, char *const *words, struct hf_tail_words *ret_words, char *reterr)
{
    *ret_words =
        (struct hf_tail_words){.point = {.kind = -1, .signals = HF_ALL_SIGNALS, .sample = 1},
                               .percent = HF_TAIL_SHARE_PERCENT,
                               .limit = UINT64_MAX,
                               .for_ns = UINT64_MAX};
    for (int i = 1; i < count; i++) {
        size_t at = find(words[i]);
        if (strcmp(words[i], "--json") == 0) {
            ret_words->json = true;
        } else if (at == OPTION_COUNT) {
            snprintf(reterr, HF_ERROR_MAX, "tail takes no %.200s", words[i]);
            return false;
        } else if (++i == count || !options[at].take(ret_words, words[i])) {
            snprintf(reterr, HF_ERROR_MAX, "%s needs %s", options[at].word, options[at].wants);
            return false;
        }
    }
    return true;
}
