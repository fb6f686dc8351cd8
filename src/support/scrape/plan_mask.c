#include "plan_mask.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sql_mask.h"

enum treatment { WIPE = 0, KEEP, MASK };

struct frame {
    bool is_map;
    enum treatment treatment; /* of the values in it that no key says anything about */
};

struct reading {
    const struct hf_plan_keys *keys;
    struct hf_slice plan;
    size_t at;
    struct hf_bytes *out;
    struct hf_bytes text, masked; /* of one value */
    struct frame frames[HF_PLAN_DEPTH_MAX];
    size_t depth;
    enum treatment next; /* of the value that is read now */
    bool failed;         /* out of memory */
};

static uint8_t look(const struct reading *reading)
{
    return reading->at < reading->plan.size ? reading->plan.data[reading->at] : 0;
}

static uint8_t look_past_blanks(struct reading *reading)
{
    while (reading->at < reading->plan.size && isspace(look(reading))) {
        reading->at++;
    }
    return look(reading);
}

static void put(struct reading *reading, struct hf_bytes *to, const void *data, size_t size)
{
    reading->failed |= hf_bytes_append(to, hf_slice_of(data, size)) != HF_OK;
}

static void put_byte(struct reading *reading, uint8_t byte)
{
    put(reading, reading->out, &byte, 1);
}

/* ---- texts ---- */

/* Behind the text that begins here. False: it does not end. */
static bool pass_text(struct reading *reading)
{
    for (reading->at++; reading->at < reading->plan.size; reading->at++) {
        if (look(reading) == '\\') {
            reading->at++;
        } else if (look(reading) == '"') {
            reading->at++;
            return true;
        }
    }
    return false;
}

/* The character that a backslash and a letter stand for; 0: none. */
static uint8_t short_escape(uint8_t letter)
{
    static const char letters[] = "nrtbf\"\\/", meant[] = "\n\r\t\b\f\"\\/";
    const char *found = letter != 0 ? strchr(letters, letter) : NULL;
    return found != NULL ? (uint8_t)meant[found - letters] : 0;
}

/* The four digits of \u; a character beyond ASCII, which ends no value in SQL, is "?". */
static uint8_t long_escape(const uint8_t *digits)
{
    char text[5] = {0};
    memcpy(text, digits, 4);
    unsigned long code = strspn(text, "0123456789abcdefABCDEF") == 4 ? strtoul(text, NULL, 16) : 0;
    return code != 0 && code < 0x80 ? (uint8_t)code : '?';
}

/* The content of a text. */
static void unescape(struct reading *reading, struct hf_slice raw)
{
    reading->text.size = 0;
    for (size_t i = 0; i < raw.size; i++) {
        uint8_t byte = raw.data[i];
        size_t left = raw.size - i - 1;
        if (byte == '\\' && left >= 1 && short_escape(raw.data[i + 1]) != 0) {
            byte = short_escape(raw.data[++i]);
        } else if (byte == '\\' && left >= 5 && raw.data[i + 1] == 'u') {
            byte = long_escape(raw.data + i + 2);
            i += 5;
        }
        put(reading, &reading->text, &byte, 1);
    }
}

static void put_escaped(struct reading *reading, const struct hf_bytes *text)
{
    put_byte(reading, '"');
    for (size_t i = 0; i < text->size; i++) {
        uint8_t byte = text->data[i];
        if (byte == '"' || byte == '\\') {
            put_byte(reading, '\\');
        }
        if (byte < 0x20) {
            char code[8];
            int size = snprintf(code, sizeof(code), "\\u%04x", byte);
            put(reading, reading->out, code, (size_t)size);
        } else {
            put_byte(reading, byte);
        }
    }
    put_byte(reading, '"');
}

/* ---- values ---- */

static bool is_listed(const char *const *names, struct hf_slice key)
{
    while (*names != NULL && !hf_slice_is(key, *names)) {
        names++;
    }
    return *names != NULL;
}

static struct frame *inner(struct reading *reading)
{
    return reading->depth != 0 ? &reading->frames[reading->depth - 1] : NULL;
}

static void choose(struct reading *reading, struct hf_slice key)
{
    enum treatment outer = inner(reading)->treatment;
    bool is_kept = outer != KEEP && is_listed(reading->keys->kept, key);
    reading->next = is_kept ? KEEP : is_listed(reading->keys->masked, key) ? MASK : outer;
}

static void put_masked(struct reading *reading, struct hf_slice raw)
{
    bool is_text = raw.size >= 2 && raw.data[0] == '"';
    unescape(reading, is_text ? hf_slice_of(raw.data + 1, raw.size - 2) : raw);
    reading->masked.size = 0;
    reading->failed |= hf_sql_mask(hf_slice_of(reading->text.data, reading->text.size),
                                   reading->keys->flags, &reading->masked) != HF_OK;
    put_escaped(reading, &reading->masked);
}

/* A text, a number or a word. */
static bool take_plain(struct reading *reading)
{
    size_t start = reading->at;
    if (look(reading) == '"') {
        if (!pass_text(reading)) {
            return false;
        }
    } else {
        while (isalnum(look(reading)) || (look(reading) != 0 && strchr("+-.", look(reading)))) {
            reading->at++;
        }
    }
    struct hf_slice raw = hf_slice_of(reading->plan.data + start, reading->at - start);
    if (raw.size == 0) {
        return false;
    }
    if (reading->next == KEEP) {
        put(reading, reading->out, raw.data, raw.size);
    } else if (reading->next == MASK) {
        put_masked(reading, raw);
    } else {
        put(reading, reading->out, "\"?\"", 3);
    }
    return true;
}

static bool take_key(struct reading *reading)
{
    size_t start = reading->at;
    if (look(reading) != '"' || !pass_text(reading)) {
        return false;
    }
    struct hf_slice raw = hf_slice_of(reading->plan.data + start, reading->at - start);
    choose(reading, hf_slice_of(raw.data + 1, raw.size - 2));
    put(reading, reading->out, raw.data, raw.size);
    if (look_past_blanks(reading) != ':') {
        return false;
    }
    reading->at++;
    put_byte(reading, ':');
    return true;
}

/* ---- the walk ---- */

/* Up to the next value, behind `[`, `{` or a comma. */
static bool go_to_value(struct reading *reading)
{
    (void)look_past_blanks(reading);
    if (inner(reading) != NULL && inner(reading)->is_map) {
        return take_key(reading);
    }
    reading->next = inner(reading) != NULL ? inner(reading)->treatment : WIPE;
    return true;
}

static bool open_frame(struct reading *reading, uint8_t byte)
{
    if (reading->depth == HF_PLAN_DEPTH_MAX) {
        return false;
    }
    reading->frames[reading->depth++] =
        (struct frame){.is_map = byte == '{', .treatment = reading->next};
    reading->at++;
    put_byte(reading, byte);
    return true;
}

/* What closes, as long as something does. False: neither that nor a comma. */
static bool close_frames(struct reading *reading, bool *ret_more)
{
    *ret_more = false;
    while (reading->depth != 0) {
        uint8_t byte = look_past_blanks(reading);
        *ret_more = byte == ',';
        if (byte != ',' && byte != (inner(reading)->is_map ? '}' : ']')) {
            return false;
        }
        reading->at++;
        put_byte(reading, byte);
        if (*ret_more) {
            return true;
        }
        reading->depth--;
    }
    return true;
}

/* A value, or the beginning of one, and what closes behind it. */
static bool take_value(struct reading *reading, bool *ret_more)
{
    uint8_t byte = look_past_blanks(reading);
    if (byte != '{' && byte != '[') {
        return take_plain(reading) && close_frames(reading, ret_more);
    }
    if (!open_frame(reading, byte)) {
        return false;
    }
    bool is_empty = look_past_blanks(reading) == (byte == '{' ? '}' : ']');
    *ret_more = true;
    return !is_empty || close_frames(reading, ret_more);
}

enum hf_status hf_plan_mask(struct hf_slice plan, const struct hf_plan_keys *keys,
                            struct hf_bytes *out)
{
    struct reading reading = {.keys = keys, .plan = plan, .out = out};
    bool is_good = true, has_more = true;
    while (is_good && has_more && !reading.failed) {
        is_good = go_to_value(&reading) && take_value(&reading, &has_more);
    }
    is_good = is_good && look_past_blanks(&reading) == 0 && reading.at == plan.size;
    hf_bytes_release(&reading.text);
    hf_bytes_release(&reading.masked);
    if (reading.failed) {
        return HF_NOMEM;
    }
    return is_good ? HF_OK : HF_INVALID;
}
