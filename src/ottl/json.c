#include "json.h"

#include <string.h>

#include "pdata/any_make.h"
#include "util/hex.h"
#include "util/rune.h"

#define DEPTH_MAX 64u
#define NUMBER_MAX 330u

struct reading {
    struct hf_ottl_run *run;
    struct hf_any_maker maker;
    struct hf_slice text;
    size_t at;
    unsigned depth;
};

static bool malformed(struct reading *reading, const char *why)
{
    return hf_ottl_fail(reading->run, "invalid JSON at byte %zu: %s", reading->at, why);
}

static int peek(const struct reading *reading)
{
    return reading->at < reading->text.size ? reading->text.data[reading->at] : -1;
}

static void skip_blanks(struct reading *reading)
{
    int byte = peek(reading);
    while (byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r') {
        reading->at++;
        byte = peek(reading);
    }
}

static bool take(struct reading *reading, int byte)
{
    skip_blanks(reading);
    if (peek(reading) != byte) {
        return false;
    }
    reading->at++;
    return true;
}

/* ---- texts ---- */

/* Four digits; -1: they are not there. */
static int32_t read_code(struct reading *reading)
{
    int32_t code = 0;
    for (size_t i = 0; i < 4; i++) {
        int digit = hf_hex_digit(peek(reading));
        if (digit < 0) {
            return -1;
        }
        code = code << 4 | digit;
        reading->at++;
    }
    return code;
}

/* What follows \u; the second half of a pair too. */
static bool read_escaped_code(struct reading *reading, uint32_t *ret_code)
{
    int32_t code = read_code(reading);
    if (code < 0) {
        return malformed(reading, "an escape without four digits");
    }
    *ret_code = (uint32_t)code;
    if (code < 0xd800 || code > 0xdfff) {
        return true;
    }
    *ret_code = HF_RUNE_BAD;
    size_t start = reading->at;
    if (code < 0xdc00 && peek(reading) == '\\') {
        reading->at++;
        if (peek(reading) == 'u') {
            reading->at++;
            int32_t low = read_code(reading);
            if (low >= 0xdc00 && low <= 0xdfff) {
                *ret_code = 0x10000u + ((uint32_t)(code - 0xd800) << 10) + (uint32_t)(low - 0xdc00);
                return true;
            }
        }
        reading->at = start;
    }
    return true;
}

static bool read_escape(struct reading *reading, uint32_t *ret_code)
{
    static const char letters[] = "\"\\/bfnrt";
    static const char meant[] = "\"\\/\b\f\n\r\t";
    int byte = peek(reading);
    const char *found = byte > 0 ? strchr(letters, byte) : NULL;
    reading->at++;
    if (byte == 'u') {
        return read_escaped_code(reading, ret_code);
    }
    if (found == NULL) {
        return malformed(reading, "an unknown escape");
    }
    *ret_code = (uint32_t)meant[found - letters];
    return true;
}

/* What follows an opening quotation mark. */
static bool read_text(struct reading *reading, struct hf_slice *ret_text)
{
    uint8_t *room = hf_ottl_take(reading->run, reading->text.size - reading->at + HF_RUNE_MAX);
    size_t size = 0;
    if (room == NULL) {
        return false;
    }
    while (peek(reading) != '"') {
        int byte = peek(reading);
        if (byte < 0x20) {
            return malformed(reading, "a text that does not end, or has a control character");
        }
        uint32_t code;
        if (byte != '\\') {
            room[size++] = (uint8_t)byte;
            reading->at++;
            continue;
        }
        reading->at++;
        if (!read_escape(reading, &code)) {
            return false;
        }
        size += hf_rune_put(code, &room[size]);
    }
    reading->at++;
    hf_arena_trim(&reading->run->scratch, room, size);
    *ret_text = hf_slice_of(room, size);
    return true;
}

/* ---- numbers and words ---- */

static size_t skip_digits(struct reading *reading)
{
    size_t start = reading->at;
    while (peek(reading) >= '0' && peek(reading) <= '9') {
        reading->at++;
    }
    return reading->at - start;
}

static bool read_number(struct reading *reading, struct hf_slice *ret_any)
{
    size_t start = reading->at;
    double real;
    reading->at += peek(reading) == '-';
    bool has_zero = peek(reading) == '0';
    size_t digits = skip_digits(reading);
    bool is_good = digits > 0 && (!has_zero || digits == 1);
    if (peek(reading) == '.') {
        reading->at++;
        is_good &= skip_digits(reading) > 0;
    }
    if (peek(reading) == 'e' || peek(reading) == 'E') {
        reading->at++;
        reading->at += peek(reading) == '+' || peek(reading) == '-';
        is_good &= skip_digits(reading) > 0;
    }
    struct hf_slice text = hf_slice_of(reading->text.data + start, reading->at - start);
    if (!is_good || text.size > NUMBER_MAX || !hf_ottl_read_double(text, &real)) {
        return malformed(reading, "not a number");
    }
    *ret_any = hf_any_make_double(&reading->maker, real);
    return true;
}

static bool read_word(struct reading *reading, const char *word)
{
    size_t size = strlen(word);
    if (reading->text.size - reading->at < size ||
        memcmp(reading->text.data + reading->at, word, size) != 0) {
        return malformed(reading, "not a value");
    }
    reading->at += size;
    return true;
}

/* ---- lists and maps ---- */

static bool read_value(struct reading *reading, struct hf_slice *ret_any);

/* Values that are put together when their number is known. */
struct gathered {
    struct hf_slice *items;
    size_t count, capacity;
};

static bool gather(struct reading *reading, struct gathered *gathered, struct hf_slice item)
{
    if (gathered->count == gathered->capacity) {
        size_t capacity = 2 * gathered->capacity + 8;
        struct hf_slice *items = hf_ottl_take(reading->run, capacity * sizeof(*items));
        if (items == NULL) {
            return false;
        }
        if (gathered->count > 0) {
            memcpy(items, gathered->items, gathered->count * sizeof(*items));
        }
        gathered->items = items;
        gathered->capacity = capacity;
    }
    gathered->items[gathered->count++] = item;
    return true;
}

static bool read_list(struct reading *reading, struct hf_slice *ret_any)
{
    struct gathered gathered = {0};
    if (!take(reading, ']')) {
        do {
            struct hf_slice item;
            if (!read_value(reading, &item) || !gather(reading, &gathered, item)) {
                return false;
            }
        } while (take(reading, ','));
        if (!take(reading, ']')) {
            return malformed(reading, "expected a comma or a closing bracket");
        }
    }
    *ret_any = hf_any_make_list(&reading->maker, gathered.items, gathered.count);
    return true;
}

static bool read_map(struct reading *reading, struct hf_slice *ret_any)
{
    struct hf_ottl_pairs pairs = {0};
    if (!take(reading, '}')) {
        do {
            struct hf_slice key, value;
            if (!take(reading, '"')) {
                return malformed(reading, "expected a key");
            }
            if (!read_text(reading, &key)) {
                return false;
            }
            if (!take(reading, ':')) {
                return malformed(reading, "expected a colon");
            }
            if (!read_value(reading, &value) ||
                !hf_ottl_pairs_put(reading->run, &pairs, key, value)) {
                return false;
            }
        } while (take(reading, ','));
        if (!take(reading, '}')) {
            return malformed(reading, "expected a comma or a closing brace");
        }
    }
    *ret_any = hf_any_make_map(&reading->maker, pairs.items, pairs.count);
    return true;
}

static bool read_one(struct reading *reading, struct hf_slice *ret_any)
{
    struct hf_slice text;
    int byte = peek(reading);
    switch (byte) {
    case '{':
        reading->at++;
        return read_map(reading, ret_any);
    case '[':
        reading->at++;
        return read_list(reading, ret_any);
    case '"':
        reading->at++;
        if (!read_text(reading, &text)) {
            return false;
        }
        *ret_any = hf_any_make_string(&reading->maker, text);
        return true;
    case 't':
    case 'f':
        *ret_any = hf_any_make_bool(&reading->maker, byte == 't');
        return read_word(reading, byte == 't' ? "true" : "false");
    case 'n':
        *ret_any = HF_EMPTY_SLICE;
        return read_word(reading, "null");
    default:
        return read_number(reading, ret_any);
    }
}

static bool read_value(struct reading *reading, struct hf_slice *ret_any)
{
    skip_blanks(reading);
    if (reading->depth == DEPTH_MAX) {
        return malformed(reading, "nested too deeply");
    }
    reading->depth++;
    bool ok = read_one(reading, ret_any);
    reading->depth--;
    return ok;
}

bool hf_ottl_read_json(struct hf_ottl_run *run, struct hf_slice text, struct hf_slice *ret_any)
{
    struct reading reading = {.run = run, .maker = {.arena = &run->scratch}, .text = text};
    if (!read_value(&reading, ret_any)) {
        return false;
    }
    skip_blanks(&reading);
    if (reading.at < text.size) {
        return malformed(&reading, "more behind the value");
    }
    if (hf_any_depth(*ret_any) > HF_ANY_DEPTH_MAX - 8) {
        return hf_ottl_fail(run, "the value would be nested too deeply");
    }
    return !reading.maker.failed || hf_ottl_no_memory(run);
}
