#include "url_words.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

static bool is_of_word(uint8_t byte)
{
    return (byte < 0x80 && isalpha(byte)) || (byte != 0 && strchr("-_. ", byte) != NULL);
}

static bool is_vowel(uint8_t byte)
{
    return strchr("aeiouyAEIOUY", byte) != NULL;
}

#define LETTERS_WITHOUT_VOWEL_MAX 5u /* "https" */
#define CONSONANTS_MAX 6u            /* in a row, "Knightsbridge" */

static bool is_gibberish(struct hf_slice word)
{
    size_t letters = 0, vowels = 0, run = 0;
    for (size_t i = 0; i < word.size; i++) {
        if (!isalpha(word.data[i])) {
            run = 0;
            continue;
        }
        letters++;
        vowels += is_vowel(word.data[i]);
        run = is_vowel(word.data[i]) ? 0 : run + 1;
        if (run > CONSONANTS_MAX) {
            return true;
        }
    }
    return vowels == 0 && letters > LETTERS_WITHOUT_VOWEL_MAX;
}

/* One character that is none of a word is let pass as the second: "v1", "k6-test". */
static bool is_id(struct hf_slice part)
{
    for (size_t i = 0; i < part.size; i++) {
        if (!is_of_word(part.data[i]) && i != 1) {
            return true;
        }
    }
    return is_gibberish(part);
}

enum hf_status hf_url_mask(struct hf_slice url, struct hf_bytes *out)
{
    size_t end = 0, start = 0, parts = 0;
    if (url.size == 0) {
        return HF_OK;
    }
    while (end < url.size && (url.data[end] == 0 || strchr("?&#", url.data[end]) == NULL)) {
        end++;
    }
    while (start <= end && parts < HF_URL_PARTS_MAX) {
        const uint8_t *slash = memchr(url.data + start, '/', end - start);
        size_t stop = slash != NULL ? (size_t)(slash - url.data) : end;
        struct hf_slice part = hf_slice_of(url.data + start, stop - start);
        bool is_last = slash == NULL || ++parts == HF_URL_PARTS_MAX;
        enum hf_status status = hf_bytes_append(out, is_id(part) ? hf_slice_text("*") : part);
        if (status == HF_OK && !is_last) {
            status = hf_bytes_append(out, hf_slice_text("/"));
        }
        if (status != HF_OK || is_last) {
            return status;
        }
        start = stop + 1;
    }
    return HF_OK;
}
