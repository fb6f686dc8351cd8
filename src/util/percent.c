#include "percent.h"

#include "hex.h"

void hf_percent_decode(char *text, bool plus_is_blank)
{
    char *to = text;
    for (; *text != '\0'; text++) {
        int high = *text == '%' ? hf_hex_digit(text[1]) : -1;
        int low = high >= 0 ? hf_hex_digit(text[2]) : -1;
        if (low >= 0) {
            *to++ = (char)(high << 4 | low);
            text += 2;
        } else {
            *to++ = plus_is_blank && *text == '+' ? ' ' : *text;
        }
    }
    *to = '\0';
}
