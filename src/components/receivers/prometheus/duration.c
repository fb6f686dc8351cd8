#include "duration.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "util/time/clock.h"

#define NS_MAX (UINT64_C(1) << 62)
#define DAY_NS (86400 * HF_NS_PER_S)

static const struct {
    const char *name;
    uint64_t ns;
    bool is_whole; /* written when nothing remains beside it */
} units[] = {
    {"y", 365 * DAY_NS, true},        {"w", 7 * DAY_NS, true},        {"d", DAY_NS, false},
    {"h", 3600 * HF_NS_PER_S, false}, {"m", 60 * HF_NS_PER_S, false}, {"s", HF_NS_PER_S, false},
    {"ms", HF_NS_PER_MS, false},
};

#define UNITS (sizeof(units) / sizeof(units[0]))

static bool is_unit(size_t unit, const char *text, size_t size)
{
    return strlen(units[unit].name) == size && memcmp(text, units[unit].name, size) == 0;
}

bool prom_duration(const char *text, uint64_t *ret_ns)
{
    uint64_t sum = 0;
    if (strcmp(text, "0") == 0) {
        *ret_ns = 0;
        return true;
    }
    if (*text == '\0') {
        return false;
    }
    for (size_t unit = 0; *text != '\0'; unit++) {
        uint64_t number = 0;
        const char *start = text;
        for (; isdigit((unsigned char)*text) && number < 1000000000; text++) {
            number = number * 10 + (uint64_t)(*text - '0');
        }
        size_t size = strspn(text, "ywdhms");
        while (unit < UNITS && !is_unit(unit, text, size)) {
            unit++; /* each once, the longest first */
        }
        if (text == start || unit == UNITS || number > NS_MAX / units[unit].ns) {
            return false;
        }
        sum += number * units[unit].ns;
        text += size;
        if (sum > NS_MAX) {
            return false;
        }
    }
    *ret_ns = sum;
    return true;
}

size_t prom_duration_text(uint64_t ns, char text[PROM_DURATION_SIZE])
{
    size_t size = 0;
    for (size_t i = 0; i < UNITS; i++) {
        uint64_t number = units[i].is_whole && ns % units[i].ns != 0 ? 0 : ns / units[i].ns;
        if (number != 0) {
            size += (size_t)snprintf(text + size, PROM_DURATION_SIZE - size, "%llu%s",
                                     (unsigned long long)number, units[i].name);
            ns -= number * units[i].ns;
        }
    }
    return size != 0 ? size : (size_t)snprintf(text, PROM_DURATION_SIZE, "0s");
}
