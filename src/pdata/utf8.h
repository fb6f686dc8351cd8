/*
 * utf8: is a text UTF-8? By RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF.
 * Any thread; no state.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <holdfast/slice.h>
#include <holdfast/status.h>

/* Two words that the compiler keeps in one vector register where there is one. */
typedef uint64_t hf_utf8_words __attribute__((vector_size(16)));

#define HF_UTF8_HIGH_BITS UINT64_C(0x8080808080808080)

/*
 * Is every byte below 0x80? Inline and by words, because the scan asks it of everything that looks
 * like text. The last load overlaps the one before rather than reading past the end.
 */
static inline bool hf_utf8_is_ascii(struct hf_slice text)
{
    if (text.size >= 16) {
        hf_utf8_words seen = {0, 0};
        hf_utf8_words now;
        for (size_t i = 0; i < text.size - 16; i += 16) {
            memcpy(&now, &text.data[i], 16);
            seen |= now;
        }
        memcpy(&now, &text.data[text.size - 16], 16);
        seen |= now;
        return ((seen[0] | seen[1]) & HF_UTF8_HIGH_BITS) == 0;
    }
    if (text.size >= 8) {
        uint64_t first, last;
        memcpy(&first, text.data, 8);
        memcpy(&last, &text.data[text.size - 8], 8);
        return ((first | last) & HF_UTF8_HIGH_BITS) == 0;
    }
    if (text.size >= 4) {
        uint32_t first, last;
        memcpy(&first, text.data, 4);
        memcpy(&last, &text.data[text.size - 4], 4);
        return ((first | last) & (uint32_t)HF_UTF8_HIGH_BITS) == 0;
    }
    uint8_t seen = 0;
    for (size_t i = 0; i < text.size; i++) {
        seen |= text.data[i];
    }
    return seen < 0x80;
}

HF_MUST_USE bool hf_utf8_is_valid(struct hf_slice text);

/* How many bytes at the beginning are whole characters; all of a valid text. */
size_t hf_utf8_valid_run(struct hf_slice text);
/*
 * Of a text that begins with no whole character: the bytes of its maximal subpart, which one U+FFFD
 * stands for: the beginning of a character that is cut short, or else one byte.
 */
size_t hf_utf8_bad_run(struct hf_slice text);
