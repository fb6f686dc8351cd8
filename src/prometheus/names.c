#include "names.h"

#include <string.h>

/* Of a name with more words the rest is one word. */
#define WORDS_MAX 64u
#define UNIT_WORD_MAX 64u

const char *const hf_prom_strategies[] = {"UnderscoreEscapingWithSuffixes",
                                          "UnderscoreEscapingWithoutSuffixes",
                                          "NoUTF8EscapingWithSuffixes", "NoTranslation", NULL};

struct word {
    const char *text;
    size_t size;
};

struct words {
    struct word items[WORDS_MAX + 4]; /* and the suffixes */
    size_t count;
    char main_unit[UNIT_WORD_MAX], per_unit[UNIT_WORD_MAX];
};

struct unit_word {
    const char *unit, *word;
};

static const struct unit_word main_units[] = {
    {"d", "days"},
    {"h", "hours"},
    {"min", "minutes"},
    {"s", "seconds"},
    {"ms", "milliseconds"},
    {"us", "microseconds"},
    {"ns", "nanoseconds"},
    {"By", "bytes"},
    {"KiBy", "kibibytes"},
    {"MiBy", "mebibytes"},
    {"GiBy", "gibibytes"},
    {"TiBy", "tibibytes"},
    {"KBy", "kilobytes"},
    {"MBy", "megabytes"},
    {"GBy", "gigabytes"},
    {"TBy", "terabytes"},
    {"m", "meters"},
    {"V", "volts"},
    {"A", "amperes"},
    {"J", "joules"},
    {"W", "watts"},
    {"g", "grams"},
    {"Cel", "celsius"},
    {"Hz", "hertz"},
    {"1", ""},
    {"%", "percent"},
    {NULL, NULL},
};

static const struct unit_word per_units[] = {
    {"s", "second"}, {"m", "minute"}, {"h", "hour"}, {"d", "day"},
    {"w", "week"},   {"mo", "month"}, {"y", "year"}, {NULL, NULL},
};

static bool is_letter(uint8_t byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

static bool is_digit(uint8_t byte)
{
    return byte >= '0' && byte <= '9';
}

static bool is_word_byte(uint8_t byte)
{
    return is_letter(byte) || is_digit(byte) || byte == ':';
}

static bool is_same(struct word word, const char *text)
{
    return word.size == strlen(text) && memcmp(word.text, text, word.size) == 0;
}

static bool has_word(const struct words *words, const char *text)
{
    for (size_t i = 0; i < words->count; i++) {
        if (is_same(words->items[i], text)) {
            return true;
        }
    }
    return false;
}

static void remove_word(struct words *words, const char *text)
{
    size_t kept = 0;
    for (size_t i = 0; i < words->count; i++) {
        if (!is_same(words->items[i], text)) {
            words->items[kept++] = words->items[i];
        }
    }
    words->count = kept;
}

static void add_word(struct words *words, const char *text)
{
    words->items[words->count++] = (struct word){text, strlen(text)};
}

static void split(struct hf_slice name, struct words *words)
{
    const char *text = (const char *)name.data;
    size_t at = 0;
    while (at < name.size && words->count < WORDS_MAX) {
        size_t start = at;
        while (at < name.size && is_word_byte(name.data[at])) {
            at++;
        }
        if (at > start) {
            words->items[words->count++] = (struct word){text + start, at - start};
        }
        while (at < name.size && !is_word_byte(name.data[at])) {
            at++;
        }
    }
}

static struct hf_slice trim(struct hf_slice text)
{
    while (text.size > 0 && text.data[0] == ' ') {
        text.data++;
        text.size--;
    }
    while (text.size > 0 && text.data[text.size - 1] == ' ') {
        text.size--;
    }
    return text;
}

/* The word of one part of a unit; empty when it has none. */
static void unit_word(struct hf_slice part, const struct unit_word *table, char *out)
{
    size_t size = 0;
    part = trim(part);
    out[0] = '\0';
    for (size_t i = 0; i < part.size; i++) {
        if (part.data[i] == '{' || part.data[i] == '}') {
            return;
        }
    }
    for (; table->unit != NULL; table++) {
        if (hf_slice_is(part, table->unit)) {
            memcpy(out, table->word, strlen(table->word) + 1);
            return;
        }
    }
    for (size_t i = 0; i < part.size && size + 2 < UNIT_WORD_MAX; i++) {
        if (is_word_byte(part.data[i])) {
            out[size++] = (char)part.data[i];
        } else if (size > 0 && out[size - 1] != '_') {
            out[size++] = '_';
        }
    }
    while (size > 0 && out[size - 1] == '_') {
        size--;
    }
    out[size] = '\0';
}

static void add_unit(struct words *words, struct hf_slice unit)
{
    const uint8_t *slash = unit.size > 0 ? memchr(unit.data, '/', unit.size) : NULL;
    struct hf_slice main_part = unit;
    if (slash != NULL) {
        main_part.size = (size_t)(slash - unit.data);
    }
    unit_word(main_part, main_units, words->main_unit);
    if (words->main_unit[0] != '\0' && !has_word(words, words->main_unit)) {
        add_word(words, words->main_unit);
    }
    if (slash != NULL) {
        struct hf_slice rest = hf_slice_of(slash + 1, unit.size - main_part.size - 1);
        unit_word(rest, per_units, words->per_unit);
        if (words->per_unit[0] != '\0' && !has_word(words, words->per_unit)) {
            add_word(words, "per");
            add_word(words, words->per_unit);
        }
    }
}

static enum hf_status append(struct hf_bytes *out, const char *text, size_t size)
{
    return hf_bytes_append(out, hf_slice_of(text, size));
}

/* The words behind the namespace, joined by `_`. */
static enum hf_status join(const struct hf_prom_naming *naming, const struct words *words,
                           struct hf_bytes *out)
{
    enum hf_status status = HF_OK;
    bool has_namespace = naming->name_space != NULL && naming->name_space[0] != '\0';
    if (has_namespace) {
        status = hf_prom_label_name(hf_slice_text(naming->name_space), out);
    } else if (is_digit((uint8_t)words->items[0].text[0])) {
        status = append(out, "_", 1);
    }
    for (size_t i = 0; i < words->count && status == HF_OK; i++) {
        if (i > 0 || has_namespace) {
            status = append(out, "_", 1);
        }
        if (status == HF_OK) {
            status = append(out, words->items[i].text, words->items[i].size);
        }
    }
    return status;
}

/* ---- names in UTF-8 ---- */

static bool has_suffix(const struct hf_bytes *out, size_t start, struct hf_slice suffix)
{
    return out->size - start >= suffix.size && suffix.size != 0 &&
           memcmp(out->data + out->size - suffix.size, suffix.data, suffix.size) == 0;
}

/* Takes the word off the end, with the character before it, whatever that is; unless nothing would
 * be left. */
static void trim_word(struct hf_bytes *out, size_t start, struct hf_slice word)
{
    if (word.size != 0 && has_suffix(out, start, word) && out->size - start > word.size + 1) {
        out->size -= word.size + 1;
    }
}

static enum hf_status append_word(struct hf_bytes *out, struct hf_slice word)
{
    enum hf_status status = word.size != 0 ? append(out, "_", 1) : HF_OK;
    return status == HF_OK && word.size != 0 ? hf_bytes_append(out, word) : status;
}

/* The word of one part of a unit, which is the part itself where the table has none. */
static struct hf_slice plain_unit(struct hf_slice part, const struct unit_word *table)
{
    part = trim(part);
    if (part.size == 0 || memchr(part.data, '{', part.size) != NULL ||
        memchr(part.data, '}', part.size) != NULL) {
        return HF_EMPTY_SLICE;
    }
    for (; table->unit != NULL; table++) {
        if (hf_slice_is(part, table->unit)) {
            return hf_slice_text(table->word);
        }
    }
    return part;
}

static enum hf_status add_suffixes(struct hf_bytes *out, size_t start, struct hf_slice unit,
                                   enum hf_prom_kind kind)
{
    const uint8_t *slash = unit.size > 0 ? memchr(unit.data, '/', unit.size) : NULL;
    struct hf_slice main_part = unit;
    struct hf_slice rest = HF_EMPTY_SLICE;
    struct hf_slice last = HF_EMPTY_SLICE;
    struct hf_bytes per = {0};
    enum hf_status status = HF_OK;
    if (slash != NULL) {
        main_part.size = (size_t)(slash - unit.data);
        rest = plain_unit(hf_slice_of(slash + 1, unit.size - main_part.size - 1), per_units);
    }
    main_part = plain_unit(main_part, main_units);
    if (kind == HF_PROM_COUNTER) {
        last = hf_slice_text("total");
    } else if (kind == HF_PROM_GAUGE && hf_slice_is(unit, "1")) {
        last = hf_slice_text("ratio");
    }
    if (rest.size != 0) {
        status = append(&per, "per_", 4);
        status = status == HF_OK ? hf_bytes_append(&per, rest) : status;
    }
    trim_word(out, start, last);
    trim_word(out, start, hf_slice_of(per.data, per.size));
    if (status == HF_OK && !has_suffix(out, start, main_part)) {
        status = append_word(out, main_part);
    }
    status = status == HF_OK ? append_word(out, hf_slice_of(per.data, per.size)) : status;
    hf_bytes_release(&per);
    return status == HF_OK ? append_word(out, last) : status;
}

static enum hf_status put_utf8_name(const struct hf_prom_naming *naming, struct hf_slice name,
                                    struct hf_slice unit, enum hf_prom_kind kind,
                                    struct hf_bytes *out)
{
    size_t before = out->size;
    enum hf_status status = HF_OK;
    if (name.size == 0) {
        return HF_INVALID;
    }
    if (naming->name_space != NULL && naming->name_space[0] != '\0') {
        status = hf_bytes_append(out, hf_slice_text(naming->name_space));
        status = status == HF_OK ? append(out, "_", 1) : status;
    }
    status = status == HF_OK ? hf_bytes_append(out, name) : status;
    if (status == HF_OK && naming->suffixes) {
        status = add_suffixes(out, before, unit, kind);
    }
    if (status != HF_OK) {
        out->size = before;
    }
    return status;
}

/* ---- names without suffixes ---- */

static bool is_plain_byte(uint8_t byte)
{
    return is_word_byte(byte) || byte == '_';
}

/* Each run of other characters between what is kept becomes one `_`; underscores stay. */
static enum hf_status put_plain(struct hf_slice text, struct hf_bytes *out)
{
    size_t before = out->size;
    enum hf_status status = HF_OK;
    bool has_gap = false;
    for (size_t i = 0; i < text.size && status == HF_OK; i++) {
        const char *byte = (const char *)&text.data[i];
        if (!is_plain_byte(text.data[i])) {
            has_gap = out->size > before;
            continue;
        }
        status = has_gap ? append(out, "_", 1) : HF_OK;
        status = status == HF_OK ? append(out, byte, 1) : status;
        has_gap = false;
    }
    return status;
}

/* Without what would be left out at its start. */
static struct hf_slice skip_others(struct hf_slice text)
{
    while (text.size > 0 && !is_plain_byte(text.data[0])) {
        text = hf_slice_of(text.data + 1, text.size - 1);
    }
    return text;
}

/* Is nothing left but underscores, where there was more? */
static bool is_nothing(struct hf_slice name)
{
    size_t underscores = 0;
    for (size_t i = 0; i < name.size; i++) {
        if (is_word_byte(name.data[i])) {
            return false;
        }
        underscores += name.data[i] == '_';
    }
    return name.size == 0 || underscores < name.size;
}

static enum hf_status put_plain_name(const struct hf_prom_naming *naming, struct hf_slice name,
                                     struct hf_bytes *out)
{
    size_t before = out->size;
    enum hf_status status = HF_OK;
    if (is_nothing(name)) {
        return HF_INVALID;
    }
    name = skip_others(name);
    if (naming->name_space != NULL && naming->name_space[0] != '\0') {
        status = put_plain(hf_slice_text(naming->name_space), out);
        status = status == HF_OK ? append(out, "_", 1) : status;
    } else if (is_digit(name.data[0])) {
        status = append(out, "_", 1);
    }
    status = status == HF_OK ? put_plain(name, out) : status;
    if (status != HF_OK) {
        out->size = before;
    }
    return status;
}

/* ---- names of metrics and labels ---- */

enum hf_status hf_prom_metric_name(const struct hf_prom_naming *naming, struct hf_slice name,
                                   struct hf_slice unit, enum hf_prom_kind kind,
                                   struct hf_bytes *out)
{
    size_t before = out->size;
    struct words words = {.count = 0};
    if (naming->is_utf8) {
        return put_utf8_name(naming, name, unit, kind, out);
    }
    if (!naming->suffixes) {
        return put_plain_name(naming, name, out);
    }
    split(name, &words);
    if (words.count == 0) {
        return HF_INVALID;
    }
    add_unit(&words, unit);
    if (kind == HF_PROM_COUNTER) {
        remove_word(&words, "total");
        add_word(&words, "total");
    } else if (kind == HF_PROM_GAUGE && hf_slice_is(unit, "1")) {
        remove_word(&words, "ratio");
        add_word(&words, "ratio");
    }
    enum hf_status status = join(naming, &words, out);
    if (status != HF_OK) {
        out->size = before;
    }
    return status;
}

enum hf_status hf_prom_label_name(struct hf_slice name, struct hf_bytes *out)
{
    size_t before = out->size;
    enum hf_status status = HF_OK;
    if (name.size > 0 && is_digit(name.data[0])) {
        status = append(out, "key_", 4);
    } else if (name.size > 0 && !is_letter(name.data[0]) &&
               !(name.size > 1 && name.data[0] == '_' && name.data[1] == '_')) {
        status = append(out, "key", 3);
    }
    for (size_t i = 0; i < name.size && status == HF_OK; i++) {
        bool kept = is_letter(name.data[i]) || is_digit(name.data[i]);
        if ((name.data[i] & 0xC0) == 0x80) {
            continue; /* the rest of a character that has its `_` */
        }
        status = append(out, kept ? (const char *)&name.data[i] : "_", 1);
    }
    if (status != HF_OK) {
        out->size = before;
    }
    return status;
}
