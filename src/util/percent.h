/*
 * percent: the escapes of URLs, such as %2F. Any thread; no state.
 */
#pragma once

#include <stdbool.h>

/* In place. A percent sign without two digits behind it stays. "+" is a blank in queries. */
void hf_percent_decode(char *text, bool plus_is_blank);
