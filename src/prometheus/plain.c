#include "plain.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void hf_prom_print_plain(double number, char *room, size_t size)
{
    char digits[40];
    if (!isfinite(number)) {
        snprintf(room, size, "%s", isnan(number) ? "NaN" : number > 0 ? "+Inf" : "-Inf");
        return;
    }
    const int digits_max = 17;
    int precision = 0;
    do {
        snprintf(digits, sizeof(digits), "%.*e", precision, number);
    } while (strtod(digits, NULL) != number && ++precision < digits_max);
    const char *exponent = strchr(digits, 'e');
    int decimals = precision - (exponent != NULL ? (int)strtol(exponent + 1, NULL, 10) : 0);
    snprintf(room, size, "%.*f", decimals > 0 ? decimals : 0, number);
}
