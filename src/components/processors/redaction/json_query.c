#include "json_query.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#define DEPTH_MAX 512u

struct scan {
    struct hf_slice text;
    size_t at;
    struct hf_bytes *out;
    bool is_map[DEPTH_MAX];
    size_t depth;
    bool failed;
};

static void put(struct scan *scan, struct hf_slice text)
{
    scan->failed |= hf_bytes_append(scan->out, text) != HF_OK;
}

static uint8_t next_byte(struct scan *scan)
{
    while (scan->at < scan->text.size && scan->text.data[scan->at] != 0 &&
           strchr(" \t\r\n", scan->text.data[scan->at]) != NULL) {
        scan->at++;
    }
    return scan->at < scan->text.size ? scan->text.data[scan->at] : 0;
}

/* Takes the byte when it is next, and keeps it. */
static bool keep_byte(struct scan *scan, char byte)
{
    if (next_byte(scan) != (uint8_t)byte) {
        return false;
    }
    put(scan, hf_slice_of(scan->text.data + scan->at, 1));
    scan->at++;
    return true;
}

/* ---- scalars: where they end; 0: there is none ---- */

static size_t size_of_string(const struct scan *scan)
{
    for (size_t at = scan->at + 1; at < scan->text.size; at++) {
        uint8_t byte = scan->text.data[at];
        if (byte == '"') {
            return at + 1 - scan->at;
        }
        if (byte < 0x20) {
            return 0;
        }
        at += byte == '\\';
    }
    return 0;
}

static size_t count_digits(const struct scan *scan, size_t at)
{
    size_t count = 0;
    while (at + count < scan->text.size && isdigit(scan->text.data[at + count])) {
        count++;
    }
    return count;
}

static bool is_one_of(const struct scan *scan, size_t at, const char *bytes)
{
    return at < scan->text.size && scan->text.data[at] != 0 &&
           strchr(bytes, scan->text.data[at]) != NULL;
}

static size_t size_of_number(const struct scan *scan)
{
    size_t at = scan->at + is_one_of(scan, scan->at, "-");
    size_t digits = count_digits(scan, at);
    if (digits == 0 || (digits > 1 && scan->text.data[at] == '0')) {
        return 0;
    }
    at += digits;
    if (is_one_of(scan, at, ".")) {
        digits = count_digits(scan, at + 1);
        at += digits > 0 ? digits + 1 : 0;
        if (digits == 0) {
            return 0;
        }
    }
    if (is_one_of(scan, at, "eE")) {
        size_t start = at + 1 + is_one_of(scan, at + 1, "+-");
        digits = count_digits(scan, start);
        if (digits == 0) {
            return 0;
        }
        at = start + digits;
    }
    return at - scan->at;
}

static size_t size_of_scalar(const struct scan *scan)
{
    static const char *const words[] = {"true", "false", "null"};
    if (is_one_of(scan, scan->at, "\"")) {
        return size_of_string(scan);
    }
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        size_t size = strlen(words[i]);
        if (scan->text.size - scan->at >= size &&
            memcmp(scan->text.data + scan->at, words[i], size) == 0) {
            return size;
        }
    }
    return size_of_number(scan);
}

/* ---- the text ---- */

static bool take_key(struct scan *scan)
{
    size_t size = next_byte(scan) == '"' ? size_of_string(scan) : 0;
    put(scan, hf_slice_of(scan->text.data + scan->at, size));
    scan->at += size;
    return size > 0 && keep_byte(scan, ':');
}

/* Maps and lists that end here, and the comma behind. `ret_done`: nothing is open any more. */
static bool close_all(struct scan *scan, bool *ret_done)
{
    while (scan->depth > 0 && keep_byte(scan, scan->is_map[scan->depth - 1] ? '}' : ']')) {
        scan->depth--;
    }
    *ret_done = scan->depth == 0;
    if (*ret_done) {
        return true;
    }
    return keep_byte(scan, ',') && (!scan->is_map[scan->depth - 1] || take_key(scan));
}

/* One value, or the front of one. False: there is none. */
static bool take_value(struct scan *scan, bool *ret_done)
{
    uint8_t byte = next_byte(scan);
    if (byte != '{' && byte != '[') {
        size_t size = scan->at < scan->text.size ? size_of_scalar(scan) : 0;
        scan->at += size;
        put(scan, hf_slice_text("\"?\""));
        return size > 0 && close_all(scan, ret_done);
    }
    if (scan->depth == DEPTH_MAX) {
        return false;
    }
    (void)keep_byte(scan, (char)byte);
    scan->is_map[scan->depth++] = byte == '{';
    if (next_byte(scan) == (byte == '{' ? '}' : ']')) {
        return close_all(scan, ret_done);
    }
    return byte != '{' || take_key(scan);
}

enum hf_status hf_json_query_mask(struct hf_slice text, struct hf_bytes *out)
{
    struct scan scan = {.text = text, .out = out};
    size_t before = out->size;
    bool is_good = true, done = false;
    while (is_good && !done && !scan.failed) {
        is_good = take_value(&scan, &done);
    }
    if (scan.failed) {
        return HF_NOMEM;
    }
    if (is_good && next_byte(&scan) == 0 && scan.at == text.size) {
        return HF_OK;
    }
    out->size = before;
    if (scan.depth == DEPTH_MAX) {
        return hf_bytes_append(out, hf_slice_text("\"?\"")); /* too deep to tell */
    }
    return HF_INVALID;
}
