#include "numbers.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static void scale(double number, double step, const char *const *units, size_t unit_count,
                  char *text)
{
    size_t unit = 0;
    while (number >= step * 0.9995 && unit + 1 < unit_count) {
        number /= step;
        unit++;
    }
    bool is_whole = number >= 100 || (unit == 0 && floor(number) == number);
    snprintf(text, HF_NUMBER_MAX, is_whole ? "%.0f%s" : "%.1f%s", number, units[unit]);
}

void hf_number_count(double number, char *ret_text)
{
    static const char *const units[] = {"", "k", "M", "G", "T", "P"};
    if (number < 0) {
        snprintf(ret_text, HF_NUMBER_MAX, "-");
        return;
    }
    scale(number, 1000, units, sizeof(units) / sizeof(units[0]), ret_text);
}

void hf_number_bytes(double bytes, char *ret_text)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
    if (bytes < 0) {
        snprintf(ret_text, HF_NUMBER_MAX, "-");
        return;
    }
    scale(bytes, 1024, units, sizeof(units) / sizeof(units[0]), ret_text);
}

static void two_parts(unsigned long long seconds, unsigned long long big, const char *big_unit,
                      unsigned long long small, const char *small_unit, char *text)
{
    snprintf(text, HF_NUMBER_MAX, "%llu%s%02llu%s", seconds / big, big_unit, seconds % big / small,
             small_unit);
}

void hf_number_duration(double seconds, char *ret_text)
{
    unsigned long long whole = seconds > 0 && seconds < 1e15 ? (unsigned long long)seconds : 0;
    if (seconds < 0) {
        snprintf(ret_text, HF_NUMBER_MAX, "-");
    } else if (seconds < 0.001 && seconds > 0) {
        snprintf(ret_text, HF_NUMBER_MAX, "%.0fus", seconds * 1e6);
    } else if (seconds < 1 && seconds > 0) {
        snprintf(ret_text, HF_NUMBER_MAX, "%.1fms", seconds * 1e3);
    } else if (whole < 60) {
        snprintf(ret_text, HF_NUMBER_MAX, "%.1fs", seconds);
    } else if (whole < 3600) {
        two_parts(whole, 60, "m", 1, "s", ret_text);
    } else if (whole < 86400) {
        two_parts(whole, 3600, "h", 60, "m", ret_text);
    } else if (whole < 8640000) {
        two_parts(whole, 86400, "d", 3600, "h", ret_text);
    } else {
        snprintf(ret_text, HF_NUMBER_MAX, ">99d");
    }
}

void hf_number_sparkline(const struct hf_top_series *series, size_t columns, bool is_ascii,
                         char *ret_text)
{
    static const char *const blocks[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    static const char *const signs[] = {" ", "_", ".", "-", "~", "=", "+", "*", "#"};
    const char *const *levels = is_ascii ? signs : blocks;
    size_t count = series != NULL ? series->count : 0;
    size_t first = count > columns ? count - columns : 0;
    double highest = 0;
    for (size_t i = first; i < count; i++) {
        highest = series->values[i] > highest ? series->values[i] : highest;
    }
    size_t used = 0;
    for (size_t i = first; i < count; i++) {
        double part = highest > 0 ? series->values[i] / highest : 0;
        size_t level = part > 0 ? 1 + (size_t)(part * 7.0 + 0.5) : 0;
        const char *sign = levels[level <= 8 ? level : 8];
        memcpy(ret_text + used, sign, strlen(sign));
        used += strlen(sign);
    }
    ret_text[used] = '\0';
}
