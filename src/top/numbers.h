/*
 * numbers: numbers in few columns. Below 0 is not known: "-". Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "series.h"

#define HF_NUMBER_MAX 24u

void hf_number_count(double number, char *ret_text);     /* 0, 0.4, 999, 1.2k, 34M */
void hf_number_bytes(double bytes, char *ret_text);      /* 512B, 1.2KiB, 34MiB */
void hf_number_duration(double seconds, char *ret_text); /* 850us, 4.2s, 3m12s, 2h05m, 3d04h */

/* The newest `columns` values as a line of blocks, or of ASCII characters; the highest value fills
 * a column. `ret_text` has room for 4 bytes a column and the NUL. */
void hf_number_sparkline(const struct hf_top_series *series, size_t columns, bool is_ascii,
                         char *ret_text);
