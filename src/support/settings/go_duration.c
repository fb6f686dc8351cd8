#include "go_duration.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define NS_MAX 9.2e18

static const struct {
    const char *name;
    double ns;
} units[] = {{"ns", 1},   {"us", 1e3}, {"\xc2\xb5s", 1e3}, {"\xce\xbcs", 1e3},
             {"ms", 1e6}, {"s", 1e9},  {"m", 60e9},        {"h", 3600e9}};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* The unit that stands at `text`, the longest of those that fit. */
static bool read_unit(const char **text, double *ret_ns)
{
    size_t best = 0;
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        size_t size = strlen(units[i].name);
        if (size > best && strncmp(*text, units[i].name, size) == 0) {
            best = size;
            *ret_ns = units[i].ns;
        }
    }
    *text += best;
    return best != 0;
}

static bool read_bare(const char *text, int64_t *ret_ns)
{
    char *end = NULL;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    if (*text == '\0' || *end != '\0' || errno != 0) {
        return false;
    }
    *ret_ns = number;
    return true;
}

bool hf_go_duration(const char *text, int64_t *ret_ns)
{
    const char *at = text;
    bool is_negative = *at == '-';
    double total = 0;
    if (*at == '-' || *at == '+') {
        at++;
    }
    if (at[strspn(at, "0123456789")] == '\0') {
        return read_bare(text, ret_ns);
    }
    while (*at != '\0') {
        char *end = NULL;
        double unit = 0;
        if (!is_digit(*at) && !(*at == '.' && is_digit(at[1]))) {
            return false;
        }
        if (strspn(at, "0123456789.") > 32) {
            return false;
        }
        char number[40];
        size_t size = strspn(at, "0123456789.");
        memcpy(number, at, size);
        number[size] = '\0';
        double value = strtod(number, &end);
        at += size;
        if (*end != '\0' || !read_unit(&at, &unit)) {
            return false;
        }
        total += value * unit;
    }
    if (total > NS_MAX) {
        return false;
    }
    *ret_ns = is_negative ? -(int64_t)(total + 0.5) : (int64_t)(total + 0.5);
    return true;
}
