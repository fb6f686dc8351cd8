/*
 * runes: the characters of UTF-8 texts, and their letter case. Any thread; no state.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/slice.h>

#define HF_RUNE_MAX 4u /* bytes */
#define HF_RUNE_BAD 0xfffdu

struct hf_rune {
    uint32_t code; /* HF_RUNE_BAD: no character of UTF-8 */
    size_t size;   /* 1 for a byte that is none */
};

/* The character at `at`, which is below the size. */
struct hf_rune hf_rune_at(struct hf_slice text, size_t at);
/* Returns how many bytes it wrote to the room. */
size_t hf_rune_put(uint32_t code, uint8_t room[HF_RUNE_MAX]);

uint32_t hf_rune_to_lower(uint32_t code);
uint32_t hf_rune_to_upper(uint32_t code);
bool hf_rune_is_lower(uint32_t code);
bool hf_rune_is_upper(uint32_t code);
