#include "relabel.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/digest.h"
#include "util/letter_case.h"
#include "util/regex/regex.h"
#include "util/rune.h"

#define JOINED_MAX (64u << 10) /* bytes of the source labels' values together */
#define DEFAULT_REGEX "(.*)"
#define DEFAULT_REPLACEMENT "$1"
#define DEFAULT_SEPARATOR ";"

struct rule {
    const struct hf_relabel_config *config;
    struct hf_regex *regex; /* NULL: it matches everything, and its group 1 is all of it */
    size_t group_count;
    bool has_variables; /* in the target label or the replacement */
};

struct hf_relabel {
    size_t count;
    struct rule rules[];
};

static const char *text_or(const char *text, const char *instead)
{
    return text != NULL ? text : instead;
}

static bool is_default(const char *text, const char *preset)
{
    return text == NULL || strcmp(text, preset) == 0;
}

/* ---- checks ---- */

static bool needs_target(enum hf_relabel_action action)
{
    return action == HF_RELABEL_REPLACE || action == HF_RELABEL_HASHMOD ||
           action == HF_RELABEL_LOWERCASE || action == HF_RELABEL_UPPERCASE ||
           action == HF_RELABEL_KEEP_EQUAL || action == HF_RELABEL_DROP_EQUAL;
}

const char *hf_relabel_check(const struct hf_relabel_config *config)
{
    enum hf_relabel_action action = (enum hf_relabel_action)config->action;
    bool has_target = config->target_label != NULL && config->target_label[0] != '\0';
    bool is_plain = is_default(config->separator, DEFAULT_SEPARATOR) &&
                    is_default(config->replacement, DEFAULT_REPLACEMENT) && config->modulus == 0;
    bool no_regex = is_default(config->regex, DEFAULT_REGEX);
    bool is_equal = action == HF_RELABEL_KEEP_EQUAL || action == HF_RELABEL_DROP_EQUAL;
    bool is_case = action == HF_RELABEL_LOWERCASE || action == HF_RELABEL_UPPERCASE;
    if (needs_target(action) && !has_target) {
        return "target_label is missing; the actions replace, hashmod, lowercase, uppercase, "
               "keepequal and dropequal need it";
    }
    if (action == HF_RELABEL_HASHMOD && config->modulus == 0) {
        return "modulus is missing; the action hashmod needs one above 0";
    }
    if (is_case && !is_default(config->replacement, DEFAULT_REPLACEMENT)) {
        return "replacement has no meaning for the actions lowercase and uppercase; remove it";
    }
    if (is_equal && (!is_plain || !no_regex)) {
        return "the actions keepequal and dropequal take source_labels and target_label only";
    }
    if ((action == HF_RELABEL_LABELDROP || action == HF_RELABEL_LABELKEEP) &&
        (!is_plain || has_target || config->source_labels.count != 0)) {
        return "the actions labeldrop and labelkeep take regex only";
    }
    return NULL;
}

/* ---- making ---- */

/* "$1", "${name}": not "$$", which stands for a dollar sign. */
static bool has_variable(const char *text)
{
    const char *dollar = strchr(text, '$');
    return dollar != NULL;
}

static enum hf_status make_rule(const struct hf_relabel_config *config, struct rule *rule,
                                char *reterr)
{
    const char *pattern = text_or(config->regex, DEFAULT_REGEX);
    *rule = (struct rule){.config = config, .group_count = 1};
    rule->has_variables = has_variable(text_or(config->target_label, "")) ||
                          has_variable(text_or(config->replacement, DEFAULT_REPLACEMENT));
    if (strcmp(pattern, DEFAULT_REGEX) == 0) {
        return HF_OK;
    }
    size_t size = strlen(pattern) + sizeof("^(?s:)$");
    char *anchored = malloc(size);
    char why[HF_REGEX_ERROR_MAX];
    if (anchored == NULL) {
        return HF_NOMEM;
    }
    snprintf(anchored, size, "^(?s:%s)$", pattern);
    enum hf_status status = hf_regex_new(anchored, &rule->regex, why);
    free(anchored);
    if (status == HF_INVALID) {
        snprintf(reterr, HF_RELABEL_ERROR_MAX, "regex: %s", why);
    }
    rule->group_count = status == HF_OK ? hf_regex_group_count(rule->regex) : 0;
    return status;
}

enum hf_status hf_relabel_new(const struct hf_struct_list *configs, struct hf_relabel **ret_rules,
                              char *reterr)
{
    const struct hf_relabel_config *items = configs->items;
    snprintf(reterr, HF_RELABEL_ERROR_MAX, "out of memory");
    if (configs->count == 0) {
        *ret_rules = NULL;
        return HF_OK;
    }
    struct hf_relabel *rules = calloc(1, sizeof(*rules) + configs->count * sizeof(struct rule));
    if (rules == NULL) {
        return HF_NOMEM;
    }
    for (size_t i = 0; i < configs->count; i++) {
        const char *why = hf_relabel_check(&items[i]);
        enum hf_status status = why != NULL ? HF_INVALID : HF_OK;
        if (why != NULL) {
            snprintf(reterr, HF_RELABEL_ERROR_MAX, "%s", why);
        } else {
            status = make_rule(&items[i], &rules->rules[i], reterr);
        }
        rules->count = i + 1;
        if (status != HF_OK) {
            hf_relabel_free(rules);
            return status;
        }
    }
    *ret_rules = rules;
    return HF_OK;
}

void hf_relabel_free(struct hf_relabel *rules)
{
    for (size_t i = 0; rules != NULL && i < rules->count; i++) {
        hf_regex_free(rules->rules[i].regex);
    }
    free(rules);
}

/* ---- applying ---- */

struct work {
    const struct rule *rule;
    struct hf_prom_labels *labels;
    struct hf_arena *arena;
    struct hf_slice groups[HF_REGEX_GROUPS_MAX + 1]; /* of the last match */
    bool failed;
};

static struct hf_slice join(struct work *work)
{
    const struct hf_relabel_config *config = work->rule->config;
    const struct hf_string_list *sources = &config->source_labels;
    struct hf_slice separator = hf_slice_text(text_or(config->separator, DEFAULT_SEPARATOR));
    if (sources->count == 1) {
        return hf_prom_labels_get(work->labels, hf_slice_text(sources->items[0]));
    }
    size_t size = 0;
    for (size_t i = 0; i < sources->count; i++) {
        size += separator.size +
                hf_prom_labels_get(work->labels, hf_slice_text(sources->items[i])).size;
    }
    uint8_t *room = size <= JOINED_MAX ? hf_arena_take(work->arena, size + 1) : NULL;
    if (room == NULL) {
        work->failed = true;
        return HF_EMPTY_SLICE;
    }
    uint8_t *at = room;
    for (size_t i = 0; i < sources->count; i++) {
        struct hf_slice value = hf_prom_labels_get(work->labels, hf_slice_text(sources->items[i]));
        at = i != 0 ? mempcpy(at, separator.data, separator.size) : at;
        at = value.size != 0 ? mempcpy(at, value.data, value.size) : at;
    }
    return hf_slice_of(room, (size_t)(at - room));
}

static bool matches(struct work *work, struct hf_slice text)
{
    const struct rule *rule = work->rule;
    bool found = true;
    if (rule->regex == NULL) {
        work->groups[0] = work->groups[1] = text;
        return true;
    }
    static const uint8_t nothing[1];
    text.data = text.data != NULL ? text.data : nothing;
    return hf_regex_search(rule->regex, text, 0, work->groups, &found) == HF_OK && found;
}

static struct hf_slice find_group(const struct work *work, const char *name, size_t size)
{
    const struct rule *rule = work->rule;
    bool is_number = size > 0 && size < 4;
    size_t number = 0;
    for (size_t i = 0; i < size && is_number; i++) {
        is_number = name[i] >= '0' && name[i] <= '9';
        number = number * 10 + (size_t)(name[i] - '0');
    }
    if (is_number) {
        return number <= rule->group_count ? work->groups[number] : HF_EMPTY_SLICE;
    }
    for (size_t i = 1; rule->regex != NULL && i <= rule->group_count; i++) {
        const char *known = hf_regex_group_name(rule->regex, i);
        if (known != NULL && strlen(known) == size && memcmp(known, name, size) == 0) {
            return work->groups[i];
        }
    }
    return HF_EMPTY_SLICE;
}

static bool is_name_char(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

/* What a template's "$..." at `at` stands for; `ret_end` is behind it. */
static struct hf_slice read_variable(const struct work *work, const char *at, const char **ret_end)
{
    const char *name = at + 1;
    bool has_brace = *name == '{';
    *ret_end = at + 1;
    if (*name == '$') {
        *ret_end = at + 2;
        return hf_slice_of("$", 1);
    }
    name += has_brace;
    size_t size = 0;
    while (is_name_char(name[size])) {
        size++;
    }
    if (size == 0 || (has_brace && name[size] != '}')) {
        return hf_slice_of("$", 1);
    }
    *ret_end = name + size + has_brace;
    return find_group(work, name, size);
}

static struct hf_slice expand(struct work *work, const char *template)
{
    size_t size = 0;
    if (!has_variable(template)) {
        return hf_slice_text(template);
    }
    if (strcmp(template, DEFAULT_REPLACEMENT) == 0 && work->rule->group_count >= 1) {
        return work->groups[1];
    }
    for (int pass = 0; pass < 2; pass++) {
        uint8_t *room = pass == 1 ? hf_arena_take(work->arena, size + 1) : NULL;
        if (pass == 1 && (room == NULL || size > JOINED_MAX)) {
            work->failed = true;
            return HF_EMPTY_SLICE;
        }
        size = 0;
        for (const char *at = template; *at != '\0';) {
            const char *end = at + 1;
            struct hf_slice piece = *at == '$' ? read_variable(work, at, &end) : hf_slice_of(at, 1);
            if (room != NULL && piece.size != 0) {
                memcpy(room + size, piece.data, piece.size);
            }
            size += piece.size;
            at = end;
        }
        if (room != NULL) {
            return hf_slice_of(room, size);
        }
    }
    return HF_EMPTY_SLICE;
}

static void set(struct work *work, struct hf_slice name, struct hf_slice value)
{
    work->failed |= !hf_prom_labels_set(work->labels, name, value);
}

static void replace(struct work *work, struct hf_slice value)
{
    const struct hf_relabel_config *config = work->rule->config;
    if (!matches(work, value)) {
        return;
    }
    struct hf_slice target = expand(work, config->target_label);
    struct hf_slice result = expand(work, text_or(config->replacement, DEFAULT_REPLACEMENT));
    if (target.size != 0 && !work->failed) {
        set(work, target, result);
    }
}

static uint64_t hash_of(struct hf_slice value)
{
    char hex[HF_MD5_HEX_SIZE + 1];
    hex[0] = '\0';
    if (hf_digest_md5(value, hex) != HF_OK) {
        return 0;
    }
    hex[HF_MD5_HEX_SIZE] = '\0';
    return strtoull(hex + HF_MD5_HEX_SIZE / 2, NULL, 16); /* the last eight bytes */
}

static void set_hash(struct work *work, struct hf_slice value)
{
    const struct hf_relabel_config *config = work->rule->config;
    char *text = hf_arena_take(work->arena, 24);
    if (text == NULL) {
        work->failed = true;
        return;
    }
    int size = snprintf(text, 24, "%llu",
                        (unsigned long long)(hash_of(value) % (uint64_t)config->modulus));
    set(work, hf_slice_text(config->target_label), hf_slice_of(text, (size_t)size));
}

static void set_case(struct work *work, struct hf_slice value, uint32_t (*change)(uint32_t code))
{
    uint8_t *text = hf_arena_take(work->arena, HF_RUNE_MAX * value.size + 1);
    if (text == NULL) {
        work->failed = true;
        return;
    }
    size_t size = 0;
    for (size_t at = 0; at < value.size;) {
        struct hf_rune rune = hf_rune_at(value, at);
        size += hf_rune_put(change(rune.code), text + size);
        at += rune.size;
    }
    set(work, hf_slice_text(work->rule->config->target_label), hf_slice_of(text, size));
}

/* Labels that are made go behind those that are looked at. */
static void map_labels(struct work *work)
{
    const char *template = text_or(work->rule->config->replacement, DEFAULT_REPLACEMENT);
    size_t count = work->labels->count;
    for (size_t i = 0; i < count && i < work->labels->count && !work->failed; i++) {
        struct hf_prom_label label = work->labels->items[i];
        if (matches(work, label.name)) {
            struct hf_slice name = expand(work, template);
            if (name.size != 0) {
                set(work, name, label.value);
            }
        }
    }
}

static void drop_labels(struct work *work, bool those_that_match)
{
    for (size_t i = 0; i < work->labels->count;) {
        if (matches(work, work->labels->items[i].name) == those_that_match) {
            work->labels->items[i] = work->labels->items[--work->labels->count];
        } else {
            i++;
        }
    }
}

/* False: drop it. */
static bool apply_rule(struct work *work)
{
    const struct hf_relabel_config *config = work->rule->config;
    enum hf_relabel_action action = (enum hf_relabel_action)config->action;
    struct hf_slice value = join(work);
    if (work->failed) {
        return true;
    }
    switch (action) {
    case HF_RELABEL_KEEP:
        return matches(work, value);
    case HF_RELABEL_DROP:
        return !matches(work, value);
    case HF_RELABEL_KEEP_EQUAL:
    case HF_RELABEL_DROP_EQUAL: {
        struct hf_slice target =
            hf_prom_labels_get(work->labels, hf_slice_text(config->target_label));
        return hf_slice_equal(target, value) == (action == HF_RELABEL_KEEP_EQUAL);
    }
    case HF_RELABEL_REPLACE:
        replace(work, value);
        return true;
    case HF_RELABEL_HASHMOD:
        set_hash(work, value);
        return true;
    case HF_RELABEL_LOWERCASE:
    case HF_RELABEL_UPPERCASE:
        set_case(work, value, action == HF_RELABEL_UPPERCASE ? hf_rune_to_upper : hf_rune_to_lower);
        return true;
    case HF_RELABEL_LABELMAP:
        map_labels(work);
        return true;
    case HF_RELABEL_LABELDROP:
    case HF_RELABEL_LABELKEEP:
        drop_labels(work, action == HF_RELABEL_LABELDROP);
        return true;
    }
    return true;
}

enum hf_relabel_verdict hf_relabel_apply(const struct hf_relabel *rules,
                                         struct hf_prom_labels *labels, struct hf_arena *arena)
{
    struct work work = {.labels = labels, .arena = arena};
    for (size_t i = 0; rules != NULL && i < rules->count; i++) {
        work.rule = &rules->rules[i];
        bool is_kept = apply_rule(&work);
        if (work.failed) {
            return HF_RELABEL_NO_MEMORY;
        }
        if (!is_kept) {
            return HF_RELABEL_DROPPED;
        }
    }
    return HF_RELABEL_KEPT;
}

/* ---- keys ---- */

static const char *const actions[] = {"replace",   "keep",      "drop",      "keepequal",
                                      "dropequal", "hashmod",   "labelmap",  "labeldrop",
                                      "labelkeep", "lowercase", "uppercase", NULL};

#define RULE(member) offsetof(struct hf_relabel_config, member)

const struct hf_field hf_relabel_fields[] = {
    {.key = "source_labels",
     .type = HF_FIELD_STRING_LIST,
     .offset = RULE(source_labels),
     .help = "The labels whose values, joined by the separator, are looked at."},
    {.key = "separator",
     .type = HF_FIELD_STRING,
     .offset = RULE(separator),
     .default_text = DEFAULT_SEPARATOR,
     .help = "Stands between the values."},
    {.key = "regex",
     .type = HF_FIELD_STRING,
     .offset = RULE(regex),
     .default_text = DEFAULT_REGEX,
     .help = "What the whole text must match; RE2 syntax."},
    {.key = "modulus",
     .type = HF_FIELD_INT,
     .offset = RULE(modulus),
     .max = 9e15,
     .help = "hashmod: what the hash is divided by."},
    {.key = "target_label",
     .type = HF_FIELD_STRING,
     .offset = RULE(target_label),
     .help = "The label that is set or compared; may have $1."},
    {.key = "replacement",
     .type = HF_FIELD_STRING,
     .offset = RULE(replacement),
     .default_text = DEFAULT_REPLACEMENT,
     .help = "The value that is set, with $1 or ${name} for groups of the regex; write $$1 in a "
             "configuration."},
    {.key = "action",
     .type = HF_FIELD_ENUM,
     .offset = RULE(action),
     .choices = actions,
     .default_text = "replace",
     .help = "What the rule does."},
    HF_FIELDS_END,
};
