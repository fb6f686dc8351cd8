#include "redis_command.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

/* Which arguments of a command are values, counted from 0. */
enum rule {
    ONE,    /* the argument `first` */
    REST,   /* all from `first` on, as one */
    STEPS,  /* `first`, and each that is `step` behind */
    CONFIG, /* the third of CONFIG SET */
    BITFIELD,
    ZADD
};

static const struct command {
    const char *name;
    enum rule rule;
    size_t first, step;
} commands[] = {
    {"AUTH", REST, 0, 0},
    {"APPEND", ONE, 1, 0},
    {"GETSET", ONE, 1, 0},
    {"LPUSHX", ONE, 1, 0},
    {"GEORADIUSBYMEMBER", ONE, 1, 0},
    {"RPUSHX", ONE, 1, 0},
    {"SET", ONE, 1, 0},
    {"SETNX", ONE, 1, 0},
    {"SISMEMBER", ONE, 1, 0},
    {"ZRANK", ONE, 1, 0},
    {"ZREVRANK", ONE, 1, 0},
    {"ZSCORE", ONE, 1, 0},
    {"HSETNX", ONE, 2, 0},
    {"LREM", ONE, 2, 0},
    {"LSET", ONE, 2, 0},
    {"SETBIT", ONE, 2, 0},
    {"SETEX", ONE, 2, 0},
    {"PSETEX", ONE, 2, 0},
    {"SETRANGE", ONE, 2, 0},
    {"ZINCRBY", ONE, 2, 0},
    {"SMOVE", ONE, 2, 0},
    {"RESTORE", ONE, 2, 0},
    {"LINSERT", ONE, 3, 0},
    {"GEOHASH", REST, 1, 0},
    {"GEOPOS", REST, 1, 0},
    {"GEODIST", REST, 1, 0},
    {"LPUSH", REST, 1, 0},
    {"RPUSH", REST, 1, 0},
    {"SREM", REST, 1, 0},
    {"ZREM", REST, 1, 0},
    {"SADD", REST, 1, 0},
    {"GEOADD", STEPS, 3, 3},
    {"HSET", STEPS, 2, 2},
    {"HMSET", STEPS, 2, 2},
    {"MSET", STEPS, 1, 2},
    {"MSETNX", STEPS, 1, 2},
    {"CONFIG", CONFIG, 2, 0},
    {"BITFIELD", BITFIELD, 0, 0},
    {"ZADD", ZADD, 0, 0},
};

struct words {
    struct hf_slice items[HF_REDIS_WORDS_MAX];
    size_t count;
};

static bool is_word(struct hf_slice word, const char *name)
{
    return word.size == strlen(name) && strncasecmp((const char *)word.data, name, word.size) == 0;
}

static bool is_blank(uint8_t byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r';
}

/* The words of one line; a line's end within quotation marks belongs to its word. */
static void take_line(struct hf_slice text, size_t *at, struct words *words)
{
    words->count = 0;
    while (*at < text.size && text.data[*at] != '\n') {
        size_t start = *at;
        bool is_quoted = false;
        while (*at < text.size &&
               (is_quoted || (text.data[*at] != ' ' && text.data[*at] != '\n'))) {
            is_quoted ^= text.data[*at] == '"' && words->count > 0;
            *at += text.data[*at] == '\\' && *at + 1 < text.size ? 2 : 1;
        }
        if (*at > start && words->count < HF_REDIS_WORDS_MAX) {
            words->items[words->count++] = hf_slice_of(text.data + start, *at - start);
        } else if (*at > start) {
            words->items[words->count - 1] = hf_slice_text("?");
        }
        while (*at < text.size && is_blank(text.data[*at])) {
            ++*at;
        }
    }
    *at += *at < text.size;
}

static void mask_one(struct words *words, size_t argument)
{
    if (argument + 1 < words->count) {
        words->items[argument + 1] = hf_slice_text("?");
    }
}

static void mask_steps(struct words *words, size_t first, size_t step)
{
    for (size_t i = first; i + 1 < words->count; i += step) {
        mask_one(words, i);
    }
}

static void mask_bitfield(struct words *words)
{
    for (size_t i = 1; i < words->count; i++) {
        if (is_word(words->items[i], "SET")) {
            mask_one(words, i + 2);
        }
    }
}

/* The scores and members stand behind options in any number. */
static void mask_zadd(struct words *words)
{
    static const char *const options[] = {"NX", "XX", "CH", "INCR", "GT", "LT"};
    size_t at = 2;
    bool is_option = true;
    while (is_option && at < words->count) {
        is_option = false;
        for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
            is_option |= is_word(words->items[at], options[i]);
        }
        at += is_option;
    }
    mask_steps(words, at, 2);
}

static void mask_command(struct words *words)
{
    const struct command *found = NULL;
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (is_word(words->items[0], commands[i].name)) {
            found = &commands[i];
        }
    }
    if (found == NULL) {
        return;
    }
    switch (found->rule) {
    case ONE:
        mask_one(words, found->first);
        return;
    case REST:
        mask_one(words, found->first);
        words->count = words->count > found->first + 2 ? found->first + 2 : words->count;
        return;
    case STEPS:
        mask_steps(words, found->first, found->step);
        return;
    case CONFIG:
        if (words->count > 1 && is_word(words->items[1], "SET")) {
            mask_one(words, found->first);
        }
        return;
    case BITFIELD:
        mask_bitfield(words);
        return;
    case ZADD:
        mask_zadd(words);
        return;
    }
}

enum hf_status hf_redis_mask(struct hf_slice text, struct hf_bytes *out)
{
    struct words words;
    bool is_first = true;
    for (size_t at = 0; at < text.size;) {
        while (at < text.size && is_blank(text.data[at])) {
            at++;
        }
        take_line(text, &at, &words);
        if (words.count == 0) {
            continue;
        }
        mask_command(&words);
        for (size_t i = 0; i < words.count; i++) {
            const char *before = i > 0 ? " " : is_first ? "" : "\n";
            if (hf_bytes_append(out, hf_slice_text(before)) != HF_OK ||
                hf_bytes_append(out, words.items[i]) != HF_OK) {
                return HF_NOMEM;
            }
        }
        is_first = false;
    }
    return HF_OK;
}
