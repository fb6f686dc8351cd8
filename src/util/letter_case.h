/*
 * letter_case: the letter case of characters, by the Unicode tables of the C library. Any thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Code points in, code points out; one without the other case stays as it is. */
uint32_t hf_rune_to_lower(uint32_t code);
uint32_t hf_rune_to_upper(uint32_t code);
/* Is there an upper, or a lower, case that differs? */
bool hf_rune_is_lower(uint32_t code);
bool hf_rune_is_upper(uint32_t code);
