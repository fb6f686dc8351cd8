#include "suggest.h"

#include <ctype.h>
#include <string.h>

#define WORD_MAX 64u

static int plain(char character)
{
    return character == '-' ? '_' : tolower((unsigned char)character);
}

static size_t least_of(size_t a, size_t b, size_t c)
{
    size_t least = a < b ? a : b;

    return least < c ? least : c;
}

/* Insertions, deletions, replacements and swaps of neighbours. Both are at most WORD_MAX long. */
static size_t distance_of(const char *a, const char *b)
{
    size_t rows[3][WORD_MAX + 1];
    size_t a_size = strlen(a), b_size = strlen(b);

    for (size_t j = 0; j <= b_size; j++) {
        rows[0][j] = j;
    }
    for (size_t i = 1; i <= a_size; i++) {
        size_t *row = rows[i % 3], *above = rows[(i + 2) % 3];
        const size_t *two_above = rows[(i + 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= b_size; j++) {
            size_t change = plain(a[i - 1]) == plain(b[j - 1]) ? 0 : 1;
            row[j] = least_of(above[j] + 1, row[j - 1] + 1, above[j - 1] + change);
            if (i > 1 && j > 1 && plain(a[i - 1]) == plain(b[j - 2]) &&
                plain(a[i - 2]) == plain(b[j - 1]) && two_above[j - 2] + 1 < row[j]) {
                row[j] = two_above[j - 2] + 1;
            }
        }
    }
    return rows[a_size % 3][b_size];
}

void hf_suggest(struct hf_suggestion *suggestion, const char *candidate)
{
    size_t size = strlen(suggestion->word);
    size_t near = size < 5 ? 1 : (size + 1) / 3; /* about one slip in three letters */

    if (size == 0 || size > WORD_MAX || strlen(candidate) > WORD_MAX) {
        return;
    }
    size_t distance = distance_of(suggestion->word, candidate);
    if (distance <= near && (suggestion->best == NULL || distance < suggestion->distance)) {
        suggestion->best = candidate;
        suggestion->distance = distance;
    }
}
