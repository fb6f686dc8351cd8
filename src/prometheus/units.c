#include "units.h"

#include <stdio.h>
#include <string.h>

struct word {
    const char *word, *unit;
};

static const struct word words[] = {
    {"days", "d"},          {"hours", "h"},         {"minutes", "min"},    {"seconds", "s"},
    {"milliseconds", "ms"}, {"microseconds", "us"}, {"nanoseconds", "ns"}, {"bytes", "By"},
    {"kibibytes", "KiBy"},  {"mebibytes", "MiBy"},  {"gibibytes", "GiBy"}, {"tibibytes", "TiBy"},
    {"kilobytes", "KBy"},   {"megabytes", "MBy"},   {"gigabytes", "GBy"},  {"terabytes", "TBy"},
    {"meters", "m"},        {"volts", "V"},         {"amperes", "A"},      {"joules", "J"},
    {"watts", "W"},         {"grams", "g"},         {"celsius", "Cel"},    {"hertz", "Hz"},
    {"ratio", "1"},         {"percent", "%"},
};

static const struct word per_words[] = {
    {"second", "s"}, {"minute", "m"}, {"hour", "h"}, {"day", "d"},
    {"week", "w"},   {"month", "mo"}, {"year", "y"},
};

static struct hf_slice translate(const struct word *table, size_t count, struct hf_slice word)
{
    for (size_t i = 0; i < count; i++) {
        if (hf_slice_is(word, table[i].word)) {
            return hf_slice_text(table[i].unit);
        }
    }
    return word;
}

struct hf_slice hf_prom_unit_of_words(struct hf_slice unit, char room[HF_PROM_UNIT_MAX])
{
    static const char per[] = "_per_";
    size_t size = sizeof(per) - 1;
    const uint8_t *found = unit.size != 0 ? memmem(unit.data, unit.size, per, size) : NULL;
    struct hf_slice first = unit;
    struct hf_slice second = HF_EMPTY_SLICE;
    if (found != NULL) {
        first = hf_slice_of(unit.data, (size_t)(found - unit.data));
        second = hf_slice_of(found + size, unit.size - first.size - size);
    }
    first = translate(words, sizeof(words) / sizeof(words[0]), first);
    if (second.size == 0) {
        return first;
    }
    second = translate(per_words, sizeof(per_words) / sizeof(per_words[0]), second);
    if (first.size + second.size + 2 > HF_PROM_UNIT_MAX) {
        return unit;
    }
    int length = snprintf(room, HF_PROM_UNIT_MAX, "%.*s/%.*s", (int)first.size,
                          (const char *)first.data, (int)second.size, (const char *)second.data);
    return hf_slice_of(room, (size_t)length);
}

/* Without "_" and that word at the end, if something is left. */
static struct hf_slice trim(struct hf_slice name, struct hf_slice word)
{
    if (word.size == 0 || name.size < word.size + 2) {
        return name;
    }
    size_t left = name.size - word.size;
    bool is_there =
        name.data[left - 1] == '_' && memcmp(name.data + left, word.data, word.size) == 0;
    return is_there ? hf_slice_of(name.data, left - 1) : name;
}

struct hf_slice hf_prom_trim_suffixes(struct hf_slice name, struct hf_slice unit, bool is_sum)
{
    name = is_sum ? trim(name, hf_slice_text("total")) : name;
    return trim(name, unit);
}
