#include "sampling.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "util/header_text.h"
#include "util/hex.h"

#define HEX_BITS 4
#define MEMBERS_MAX 31u /* of a trace state, as the Go collector counts them */
#define KEY_MAX 256u
#define TENANT_MAX 241u
#define SYSTEM_MAX 14u
#define VALUE_MAX 256u

/* ---- thresholds ---- */

/* Digits that a number near zero needs beside those that are asked for. */
static unsigned leading_digits(double number)
{
    int exponent;
    (void)frexp(number, &exponent);
    return exponent < 0 ? (unsigned)(-exponent / HEX_BITS) : 0;
}

bool hf_sampling_threshold(double probability, unsigned precision, uint64_t *ret_threshold)
{
    assert(precision >= 1 && precision <= HF_SAMPLING_HEX_DIGITS);
    if (!(probability >= HF_SAMPLING_PROBABILITY_MIN && probability <= 1)) {
        return false;
    }
    if (probability >= 1) {
        *ret_threshold = HF_SAMPLING_ALWAYS;
        return true;
    }
    unsigned of_kept = leading_digits(probability);
    unsigned of_dropped = leading_digits(1 - probability);
    unsigned digits = precision + (of_kept > of_dropped ? of_kept : of_dropped);
    uint64_t threshold =
        HF_SAMPLING_NEVER - (uint64_t)round(probability * (double)HF_SAMPLING_NEVER);
    if (digits < HF_SAMPLING_HEX_DIGITS) {
        unsigned shift = HEX_BITS * (HF_SAMPLING_HEX_DIGITS - digits);
        threshold += UINT64_C(1) << (shift - 1);
        threshold = threshold >> shift << shift;
    }
    *ret_threshold = threshold;
    return true;
}

double hf_sampling_probability(uint64_t threshold)
{
    return (double)(HF_SAMPLING_NEVER - threshold) / (double)HF_SAMPLING_NEVER;
}

uint64_t hf_sampling_randomness(const uint8_t *trace_id)
{
    uint64_t randomness = 0;
    for (size_t i = 9; i < 16; i++) {
        randomness = randomness << 8 | trace_id[i];
    }
    return randomness;
}

/* ---- texts ---- */

static bool read_hex(struct hf_slice text, uint64_t *ret_number)
{
    uint64_t number = 0;
    for (size_t i = 0; i < text.size; i++) {
        int digit = hf_hex_digit(text.data[i]);
        if (digit < 0) {
            return false;
        }
        number = number << HEX_BITS | (uint64_t)digit;
    }
    *ret_number = number;
    return true;
}

bool hf_sampling_read_threshold(struct hf_slice text, uint64_t *ret_threshold)
{
    uint64_t number;
    if (text.size == 0 || text.size > HF_SAMPLING_HEX_DIGITS || !read_hex(text, &number)) {
        return false;
    }
    *ret_threshold = number << (HEX_BITS * (HF_SAMPLING_HEX_DIGITS - text.size));
    return true;
}

bool hf_sampling_read_randomness(struct hf_slice text, uint64_t *ret_randomness)
{
    return text.size == HF_SAMPLING_HEX_DIGITS && read_hex(text, ret_randomness);
}

size_t hf_sampling_write_randomness(uint64_t randomness, char *ret_text)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < HF_SAMPLING_HEX_DIGITS; i++) {
        ret_text[i] = digits[randomness >> (HEX_BITS * (HF_SAMPLING_HEX_DIGITS - 1 - i)) & 15];
    }
    return HF_SAMPLING_HEX_DIGITS;
}

size_t hf_sampling_write_threshold(uint64_t threshold, char *ret_text)
{
    if (threshold >= HF_SAMPLING_NEVER) {
        return 0;
    }
    size_t size = hf_sampling_write_randomness(threshold, ret_text);
    while (size > 1 && ret_text[size - 1] == '0') {
        size--;
    }
    return size;
}

/* ---- trace states ---- */

static bool is_letter(uint8_t c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_letter_or_digit(uint8_t c)
{
    return is_letter(c) || (c >= '0' && c <= '9');
}

/* The key's characters behind its first one. */
static bool is_key_rest(struct hf_slice text)
{
    for (size_t i = 1; i < text.size; i++) {
        uint8_t c = text.data[i];
        if (!is_letter_or_digit(c) && c != '_' && c != '-' && c != '*' && c != '/') {
            return false;
        }
    }
    return true;
}

/* "name", or "tenant@system". */
static bool is_key(struct hf_slice key)
{
    const uint8_t *at = key.size > 0 ? memchr(key.data, '@', key.size) : NULL;
    if (at == NULL) {
        return key.size > 0 && key.size <= KEY_MAX && is_letter(key.data[0]) && is_key_rest(key);
    }
    struct hf_slice tenant = {key.data, (size_t)(at - key.data)};
    struct hf_slice system = {at + 1, key.size - tenant.size - 1};
    return key.size <= KEY_MAX && tenant.size > 0 && tenant.size <= TENANT_MAX && system.size > 0 &&
           system.size <= SYSTEM_MAX && is_letter_or_digit(tenant.data[0]) &&
           is_letter(system.data[0]) && is_key_rest(tenant) && is_key_rest(system);
}

static bool is_value(struct hf_slice value)
{
    if (value.size == 0 || value.size > VALUE_MAX || value.data[value.size - 1] == ' ') {
        return false;
    }
    for (size_t i = 0; i < value.size; i++) {
        uint8_t c = value.data[i];
        if (c < ' ' || c > '~' || c == ',' || c == '=') {
            return false;
        }
    }
    return true;
}

static bool is_otel_key(struct hf_slice key)
{
    if (key.size == 0 || !is_letter(key.data[0])) {
        return false;
    }
    for (size_t i = 1; i < key.size; i++) {
        if (!is_letter_or_digit(key.data[i])) {
            return false;
        }
    }
    return true;
}

static bool is_otel_value(struct hf_slice value)
{
    for (size_t i = 0; i < value.size; i++) {
        uint8_t c = value.data[i];
        if (!is_letter_or_digit(c) && !(c >= 'A' && c <= 'Z') && c != '.' && c != '_' && c != '-') {
            return false;
        }
    }
    return true;
}

/* The text before the next separator, which `rest` is then behind. */
static struct hf_slice cut(struct hf_slice *rest, char separator)
{
    const uint8_t *end = memchr(rest->data, separator, rest->size);
    size_t size = end != NULL ? (size_t)(end - rest->data) : rest->size;
    struct hf_slice text = {rest->data, size};
    size_t taken = end != NULL ? size + 1 : size;
    *rest = (struct hf_slice){rest->data + taken, rest->size - taken};
    return text;
}

struct pair {
    struct hf_slice key, value;
};

static struct pair pair_of(struct hf_slice member, char sign)
{
    struct hf_slice value = member;
    struct hf_slice key = cut(&value, sign);
    return (struct pair){key, key.size < member.size ? value : HF_EMPTY_SLICE};
}

/* One field of `ot`. */
static bool read_field(struct hf_slice member, struct hf_sampling_state *state)
{
    struct pair field = pair_of(member, ':');
    if (field.key.size == member.size || !is_otel_key(field.key) || !is_otel_value(field.value)) {
        return false;
    }
    if (hf_slice_is(field.key, "rv")) {
        state->has_randomness = hf_sampling_read_randomness(field.value, &state->randomness);
        state->randomness_text = field.value;
        return state->has_randomness;
    }
    if (hf_slice_is(field.key, "th")) {
        state->has_threshold = hf_sampling_read_threshold(field.value, &state->threshold);
        state->threshold_text = field.value;
        return state->has_threshold;
    }
    return true;
}

static bool read_otel(struct hf_slice value, struct hf_sampling_state *state)
{
    struct hf_slice rest = value;
    bool is_good = value.size > 0 && value.data[value.size - 1] != ';';
    *state = (struct hf_sampling_state){.otel = value};
    while (is_good && rest.size > 0) {
        is_good = read_field(cut(&rest, ';'), state);
    }
    return is_good;
}

bool hf_sampling_read_state(struct hf_slice state, struct hf_sampling_state *ret_state)
{
    struct hf_slice rest = state;
    size_t members = 0;
    *ret_state = (struct hf_sampling_state){.has_threshold = false};
    if (state.size > HF_SAMPLING_STATE_MAX) {
        return false;
    }
    while (rest.size > 0) {
        struct hf_slice member = hf_header_trim(cut(&rest, ','));
        if (++members > MEMBERS_MAX) {
            return false;
        }
        if (member.size == 0) {
            continue;
        }
        struct pair pair = pair_of(member, '=');
        if (pair.key.size == member.size || !is_key(pair.key) || !is_value(pair.value) ||
            (hf_slice_is(pair.key, "ot") && !read_otel(pair.value, ret_state))) {
            return false;
        }
    }
    return true;
}

struct text {
    char *bytes;
    size_t size;
};

static void put(struct text *text, struct hf_slice more)
{
    assert(more.size <= HF_SAMPLING_WRITTEN_MAX - text->size);
    if (more.size > 0) {
        memcpy(text->bytes + text->size, more.data, more.size);
    }
    text->size += more.size;
}

/* `start` is where the list began: before its first member stands no separator. */
static void put_pair(struct text *text, size_t start, const char *separator, struct pair pair,
                     const char *sign)
{
    put(text, hf_slice_text(text->size > start ? separator : ""));
    put(text, pair.key);
    put(text, hf_slice_text(sign));
    put(text, pair.value);
}

static void put_otel(struct text *text, const struct hf_sampling_state *parsed)
{
    static const char name[] = "ot=";
    const size_t start = sizeof(name) - 1;
    struct hf_slice rest = parsed->otel;
    put(text, hf_slice_text(name));
    if (parsed->randomness_text.size > 0) {
        put_pair(text, start, ";", (struct pair){hf_slice_text("rv"), parsed->randomness_text},
                 ":");
    }
    if (parsed->threshold_text.size > 0) {
        put_pair(text, start, ";", (struct pair){hf_slice_text("th"), parsed->threshold_text}, ":");
    }
    while (rest.size > 0) {
        struct pair field = pair_of(cut(&rest, ';'), ':');
        if (!hf_slice_is(field.key, "rv") && !hf_slice_is(field.key, "th")) {
            put_pair(text, start, ";", field, ":");
        }
    }
    if (text->size == start) {
        text->size = 0; /* nothing is left of it */
    }
}

size_t hf_sampling_write_state(struct hf_slice state, const struct hf_sampling_state *parsed,
                               char *ret_text)
{
    struct text text = {.bytes = ret_text};
    struct hf_slice rest = state;
    assert(state.size <= HF_SAMPLING_STATE_MAX);
    put_otel(&text, parsed);
    while (rest.size > 0) {
        struct hf_slice member = hf_header_trim(cut(&rest, ','));
        if (member.size == 0) {
            continue;
        }
        struct pair pair = pair_of(member, '=');
        if (!hf_slice_is(pair.key, "ot")) {
            put_pair(&text, 0, ",", pair, "=");
        }
    }
    return text.size;
}
