/*
 * plain: a number as the value of a label. Any thread; no state.
 */
#pragma once

#include <stddef.h>

#define HF_PROM_PLAIN_MAX 400 /* characters of a double without an exponent, and its end */

/* The fewest digits that give the same number, without an exponent; NaN, +Inf, -Inf. */
void hf_prom_print_plain(double number, char *room, size_t size);
