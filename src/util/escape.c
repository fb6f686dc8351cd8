#include "escape.h"

#include <assert.h>
#include <string.h>

#include "rune.h"

#define CHUNK_BYTES 512u

/* One character of a text, or one byte that is none. */
struct unit {
    uint32_t code; /* of the character, or the byte */
    size_t size;   /* bytes taken */
    bool is_bad;
};

static struct unit decode(struct hf_slice text, size_t at)
{
    struct hf_rune rune = hf_rune_at(text, at);
    bool is_bad = rune.code == HF_RUNE_BAD && rune.size == 1;
    return (struct unit){is_bad ? text.data[at] : rune.code, rune.size, is_bad};
}

static bool is_hazard(uint32_t code)
{
    return code < 0x20 || (code >= 0x7f && code <= 0x9f) || code == 0x061c || code == 0x200e ||
           code == 0x200f || (code >= 0x2028 && code <= 0x202e) ||
           (code >= 0x2066 && code <= 0x2069);
}

static size_t put_hex(char *out, const char *prefix, uint32_t value, unsigned digits)
{
    size_t size = strlen(prefix);
    memcpy(out, prefix, size);
    for (unsigned i = digits; i > 0; i--) {
        out[size++] = "0123456789abcdef"[value >> (4 * (i - 1)) & 15];
    }
    return size;
}

static size_t put_short(char *out, const char *prefix, char letter)
{
    size_t size = strlen(prefix);
    memcpy(out, prefix, size);
    out[size] = letter;
    return size + 1;
}

/* The letter of \n, \r and \t; 0: it has none. */
static char short_form(uint32_t code)
{
    return code == '\n' ? 'n' : code == '\r' ? 'r' : code == '\t' ? 't' : '\0';
}

static size_t spell_json(struct unit unit, bool is_made, char *out)
{
    if (unit.is_bad) {
        return put_hex(out, "\\u", 0xfffd, 4);
    }
    if (!is_made && (unit.code == '"' || unit.code == '\\')) {
        return put_short(out, "\\", (char)unit.code);
    }
    if (!is_hazard(unit.code) || (is_made && short_form(unit.code) != '\0')) {
        return 0;
    }
    char letter = short_form(unit.code);
    return letter != '\0' ? put_short(out, "\\", letter) : put_hex(out, "\\u", unit.code, 4);
}

/* The format of labels knows \\, \" and \n; all else is spelled by doubled backslashes. */
static size_t spell_label(struct unit unit, char *out)
{
    if (!unit.is_bad && (unit.code == '"' || unit.code == '\\' || unit.code == '\n')) {
        return put_short(out, "\\", unit.code == '\n' ? 'n' : (char)unit.code);
    }
    if (!unit.is_bad && !is_hazard(unit.code)) {
        return 0;
    }
    char letter = unit.is_bad ? '\0' : short_form(unit.code);
    if (letter != '\0') {
        return put_short(out, "\\\\", letter);
    }
    return unit.is_bad || unit.code < 0x80 ? put_hex(out, "\\\\x", unit.code, 2)
                                           : put_hex(out, "\\\\u", unit.code, 4);
}

static size_t spell_line(struct unit unit, char *out)
{
    if (!unit.is_bad && !is_hazard(unit.code)) {
        return 0;
    }
    char letter = unit.is_bad ? '\0' : short_form(unit.code);
    if (letter != '\0') {
        return put_short(out, "\\", letter);
    }
    return unit.is_bad || unit.code < 0x80 ? put_hex(out, "\\x", unit.code, 2)
                                           : put_hex(out, "\\u", unit.code, 4);
}

/* How the unit is written at `out`; 0: as it is. */
static size_t spell(enum hf_escape how, struct unit unit, char out[HF_ESCAPE_UNIT_MAX])
{
    switch (how) {
    case HF_ESCAPE_JSON:
    case HF_ESCAPE_MADE_JSON:
        return spell_json(unit, how == HF_ESCAPE_MADE_JSON, out);
    case HF_ESCAPE_LABEL:
        return spell_label(unit, out);
    case HF_ESCAPE_LINE:
        break;
    }
    return spell_line(unit, out);
}

/* Fills `room` bytes at most from `*at` on, which is moved. Returns the size. */
static size_t fill(enum hf_escape how, struct hf_slice text, size_t *at, char *out, size_t room)
{
    size_t used = 0;
    while (*at < text.size) {
        char spelled[HF_ESCAPE_UNIT_MAX];
        struct unit unit = decode(text, *at);
        size_t size = spell(how, unit, spelled);
        const void *from = size != 0 ? (const void *)spelled : (const void *)&text.data[*at];
        size = size != 0 ? size : unit.size;
        if (size > room - used) {
            break;
        }
        memcpy(out + used, from, size);
        used += size;
        *at += unit.size;
    }
    return used;
}

bool hf_escape_is_needless(struct hf_slice text)
{
    bool is_fit = true;
    for (size_t at = 0; at < text.size && is_fit;) {
        struct unit unit = decode(text, at);
        is_fit = !unit.is_bad && !is_hazard(unit.code);
        at += unit.size;
    }
    return is_fit;
}

size_t hf_escape(enum hf_escape how, struct hf_slice text, char *ret_text, size_t room)
{
    size_t at = 0;
    assert(room > 0);
    size_t size = fill(how, text, &at, ret_text, room - 1);
    ret_text[size] = '\0';
    return size;
}

enum hf_status hf_escape_append(enum hf_escape how, struct hf_slice text, struct hf_bytes *out)
{
    char chunk[CHUNK_BYTES];
    enum hf_status status = HF_OK;
    for (size_t at = 0; at < text.size && status == HF_OK;) {
        size_t size = fill(how, text, &at, chunk, sizeof(chunk));
        status = hf_bytes_append(out, hf_slice_of(chunk, size));
    }
    return status;
}

void hf_escape_print(enum hf_escape how, struct hf_slice text, FILE *out)
{
    char chunk[CHUNK_BYTES];
    for (size_t at = 0; at < text.size;) {
        size_t size = fill(how, text, &at, chunk, sizeof(chunk));
        fwrite(chunk, 1, size, out);
    }
}
