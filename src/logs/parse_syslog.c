/*
 * parse_syslog: syslog_parser, by RFC 5424 and RFC 3164.
 */
#include <ctype.h>
#include <stdlib.h>

#include "operator.h"
#include "util/time/time_layout.h"

#define OCTETS_MAX_DEFAULT 8192u
#define TAG_BYTES_MAX 48u

struct syslog_state {
    bool is_5424, is_raw, allows_no_pri, is_counted;
    size_t octets_max;
    struct hf_time_layout *time; /* of RFC 3164 */
};

static size_t octets_of(const struct hf_value *config)
{
    int64_t octets = 0;
    for (size_t i = 0; config->type == HF_VALUE_MAP && i < config->count; i++) {
        if (strcmp(config->keys[i], "max_octets") == 0) {
            octets = config->items[i].integer;
        }
    }
    return octets > 0 ? (size_t)octets : OCTETS_MAX_DEFAULT;
}

static enum hf_status open_syslog(struct operator* operator, const struct hf_value * config,
                                  char *reterr)
{
    struct syslog_state *state = operator->state;
    const char *protocol = text_of(config, "protocol", "");
    state->is_5424 = strcmp(protocol, "rfc5424") == 0;
    state->allows_no_pri = bool_of(config, "allow_skip_pri_header", false);
    state->is_raw = strcmp(protocol, "none") == 0;
    state->is_counted = bool_of(config, "enable_octet_counting", false);
    state->octets_max = octets_of(config);
    if (!state->is_5424 && !state->is_raw && strcmp(protocol, "rfc3164") != 0) {
        return invalid(reterr, "protocol: rfc5424, rfc3164 or none");
    }
    const struct hf_time_layout_options options = {.layout = "Jan _2 15:04:05",
                                                   .type = "gotime",
                                                   .location = text_of(config, "location", "UTC")};
    return hf_time_layout_new(&options, &state->time, reterr);
}

static void close_syslog(struct operator* operator)
{
    hf_time_layout_free(((struct syslog_state *)operator->state)->time);
}

struct reader {
    struct hf_slice rest;
    struct hf_log_entry *entry;
    struct hf_expr_map *map;
    bool good;
};

static void set(struct reader *r, const char *key, struct hf_expr_value value)
{
    r->good =
        r->good && hf_expr_map_set(r->entry->arena, r->map, hf_slice_text(key), value) == HF_OK;
}

static void skip(struct reader *r, size_t size)
{
    r->rest = hf_slice_of(r->rest.data + size, r->rest.size - size);
}

/* "<34>": facility and severity. */
static bool take_priority(struct reader *r)
{
    static const unsigned numbers[] = {21, 19, 18, 17, 13, 10, 9, 5};
    static const char *const names[] = {"emerg",   "alert",  "crit", "err",
                                        "warning", "notice", "info", "debug"};
    static const char *const facilities[] = {
        "kern",   "user",   "mail",     "daemon", "auth",   "syslog",   "lpr",     "news",
        "uucp",   "cron",   "authpriv", "ftp",    "ntp",    "security", "console", "cron2",
        "local0", "local1", "local2",   "local3", "local4", "local5",   "local6",  "local7"};
    unsigned value = 0;
    size_t i = 1;
    if (r->rest.size < 3 || r->rest.data[0] != '<') {
        return false;
    }
    for (; i < r->rest.size && i < 4 && isdigit(r->rest.data[i]); i++) {
        value = value * 10 + (unsigned)(r->rest.data[i] - '0');
    }
    if (i == 1 || i == r->rest.size || r->rest.data[i] != '>' || value > 191) {
        return false;
    }
    skip(r, i + 1);
    set(r, "priority", hf_expr_integer(value));
    set(r, "facility", hf_expr_integer(value / 8));
    set(r, "facility_text", hf_expr_text(facilities[value / 8]));
    r->entry->severity = numbers[value % 8];
    r->entry->severity_text = hf_slice_text(names[value % 8]);
    return true;
}

/* Up to the next space, which is skipped. */
static bool take_word(struct reader *r, struct hf_slice *ret)
{
    const uint8_t *space = r->rest.size != 0 ? memchr(r->rest.data, ' ', r->rest.size) : NULL;
    size_t size = space != NULL ? (size_t)(space - r->rest.data) : r->rest.size;
    *ret = hf_slice_of(r->rest.data, size);
    skip(r, space != NULL ? size + 1 : size);
    return size != 0;
}

static bool take_word_as(struct reader *r, const char *key)
{
    struct hf_slice word;
    if (!take_word(r, &word)) {
        return false;
    }
    if (!hf_slice_is(word, "-")) {
        set(r, key, hf_expr_string(word));
    }
    return true;
}

/* A value in quotes, with its escapes taken away; false: it has no end. */
static bool take_quoted(struct reader *r, struct hf_slice *ret)
{
    uint8_t *out = hf_arena_take(r->entry->arena, r->rest.size + 1);
    size_t size = 0;
    if (out == NULL || r->rest.size == 0 || r->rest.data[0] != '"') {
        return false;
    }
    for (size_t i = 1; i < r->rest.size; i++) {
        uint8_t c = r->rest.data[i];
        if (c == '"') {
            skip(r, i + 1);
            *ret = hf_slice_of(out, size);
            return true;
        }
        if (c == '\\' && i + 1 < r->rest.size && strchr("\"\\]", r->rest.data[i + 1]) != NULL &&
            r->rest.data[i + 1] != '\0') {
            c = r->rest.data[++i];
        }
        out[size++] = c;
    }
    return false;
}

static size_t name_size(struct hf_slice text, const char *end)
{
    size_t size = 0;
    while (size < text.size && (text.data[size] == '\0' || strchr(end, text.data[size]) == NULL)) {
        size++;
    }
    return size;
}

/* "[id a="b"][...]" as a map of maps. */
static bool take_structured(struct reader *r)
{
    struct hf_expr_map *all = hf_expr_map_new(r->entry->arena, 2);
    while (all != NULL && r->rest.size != 0 && r->rest.data[0] == '[') {
        skip(r, 1);
        struct hf_expr_map *one = hf_expr_map_new(r->entry->arena, 4);
        size_t size = name_size(r->rest, " ]");
        struct hf_slice id = hf_slice_of(r->rest.data, size);
        skip(r, size);
        while (one != NULL && r->rest.size != 0 && r->rest.data[0] == ' ') {
            skip(r, 1);
            struct hf_slice value, key;
            size = name_size(r->rest, "= ]");
            key = hf_slice_of(r->rest.data, size);
            skip(r, size);
            if (r->rest.size == 0 || r->rest.data[0] != '=') {
                return false;
            }
            skip(r, 1);
            if (!take_quoted(r, &value) ||
                hf_expr_map_set(r->entry->arena, one, key, hf_expr_string(value)) != HF_OK) {
                return false;
            }
        }
        if (one == NULL || r->rest.size == 0 || r->rest.data[0] != ']' ||
            hf_expr_map_set(r->entry->arena, all, id,
                            (struct hf_expr_value){.type = HF_EXPR_MAP, .map = one}) != HF_OK) {
            return false;
        }
        skip(r, 1);
    }
    set(r, "structured_data", (struct hf_expr_value){.type = HF_EXPR_MAP, .map = all});
    return all != NULL;
}

static bool read_5424(struct reader *r)
{
    struct hf_slice version, time;
    int64_t time_ns = 0;
    if (!take_word(r, &version) || version.size > 3 || !isdigit(version.data[0]) ||
        !take_word(r, &time)) {
        return false;
    }
    set(r, "version", hf_expr_integer(strtol((const char *)version.data, NULL, 10)));
    if (!hf_slice_is(time, "-")) {
        if (!hf_time_rfc3339(time, &time_ns)) {
            return false;
        }
        r->entry->time_ns = time_ns > 0 ? (uint64_t)time_ns : 0;
    }
    if (!take_word_as(r, "hostname") || !take_word_as(r, "appname") ||
        !take_word_as(r, "proc_id") || !take_word_as(r, "msg_id") || r->rest.size == 0) {
        return false;
    }
    if (r->rest.data[0] == '-') {
        skip(r, 1);
    } else if (r->rest.data[0] != '[' || !take_structured(r)) {
        return false;
    }
    if (r->rest.size > 1 && r->rest.data[0] == ' ') {
        skip(r, 1);
        set(r, "message", hf_expr_string(r->rest));
    }
    return true;
}

static size_t blanks(struct hf_slice text)
{
    size_t size = 0;
    while (size < text.size && text.data[size] == ' ') {
        size++;
    }
    return size;
}

/* Many senders leave the host out, so that the tag stands in its place: a host has no colon, and
 * is never the whole rest. */
static void take_host(struct reader *r)
{
    size_t size = name_size(r->rest, " :");
    size_t between = blanks(hf_slice_of(r->rest.data + size, r->rest.size - size));
    if (size != 0 && between != 0 && size + between < r->rest.size) {
        set(r, "hostname", hf_expr_string(hf_slice_of(r->rest.data, size)));
        skip(r, size + between);
    }
}

/* "app:" or "app[id]". Only with ": " and text behind it does it not belong to the message. */
static void take_tag(struct reader *r)
{
    size_t size = name_size(r->rest, " :["), at = size;
    if (size == 0 || size > TAG_BYTES_MAX || size == r->rest.size || r->rest.data[size] == ' ') {
        return;
    }
    if (r->rest.data[at] == '[') {
        struct hf_slice behind = hf_slice_of(r->rest.data + at + 1, r->rest.size - at - 1);
        struct hf_slice id = hf_slice_of(behind.data, name_size(behind, "[]"));
        if (id.size == behind.size || behind.data[id.size] != ']') {
            return;
        }
        if (id.size != 0) {
            set(r, "proc_id", hf_expr_string(id));
        }
        at += id.size + 2;
    }
    set(r, "appname", hf_expr_string(hf_slice_of(r->rest.data, size)));
    if (at + 2 < r->rest.size && r->rest.data[at] == ':' && r->rest.data[at + 1] == ' ') {
        skip(r, at + 2);
    }
}

static bool read_3164(struct reader *r, const struct syslog_state *state)
{
    int64_t time_ns = 0;
    if (r->rest.size < 16 ||
        !hf_time_layout_parse(state->time, hf_slice_of(r->rest.data, 15), &time_ns) ||
        r->rest.data[15] != ' ') {
        return false;
    }
    r->entry->time_ns = (uint64_t)time_ns;
    skip(r, 15);
    skip(r, blanks(r->rest));
    take_host(r);
    take_tag(r);
    set(r, "message", hf_expr_string(r->rest));
    return r->rest.size != 0;
}

/* The count of octets and its blank. False: there is none, or it is not that of the text. */
static bool take_count(struct reader *r, const struct syslog_state *state)
{
    size_t count = 0, at = 0;
    while (at < r->rest.size && at < 9 && isdigit(r->rest.data[at])) {
        count = count * 10 + (size_t)(r->rest.data[at++] - '0');
    }
    if (at == 0 || at == r->rest.size || r->rest.data[at] != ' ' || count > state->octets_max) {
        return false;
    }
    skip(r, at + 1);
    return true;
}

/* Any text is the message; a priority at its front is read and stays there. */
static bool read_raw(struct reader *r)
{
    struct hf_slice all = r->rest;
    (void)take_priority(r);
    set(r, "message", hf_expr_string(all));
    return true;
}

static bool read_text(struct reader *r, const struct syslog_state *state)
{
    bool is_counted = !state->is_counted || take_count(r, state);
    if (state->is_raw) {
        return read_raw(r);
    }
    bool has_priority = is_counted && take_priority(r);
    if (!is_counted || (!has_priority && !state->allows_no_pri)) {
        return false;
    }
    if (state->is_5424) {
        return read_5424(r);
    }
    skip(r, has_priority ? blanks(r->rest) : 0);
    return read_3164(r, state);
}

static bool parse_syslog(struct run *run, struct hf_log_entry *entry,
                         const struct hf_expr_value *from, struct hf_expr_value *ret_value)
{
    const struct syslog_state *state = run->operator->state;
    struct reader r = {.entry = entry, .map = hf_expr_map_new(entry->arena, 10), .good = true};
    if (from->type != HF_EXPR_STRING || r.map == NULL) {
        operator_failed(run, "what is parsed is no text");
        return false;
    }
    r.rest = from->text;
    struct hf_log_entry before = *entry;
    if (!read_text(&r, state) || !r.good) {
        *entry = before;
        operator_failed(run, "the text is no syslog message");
        return false;
    }
    *ret_value = (struct hf_expr_value){.type = HF_EXPR_MAP, .map = r.map};
    return true;
}

static const char *const keys[] = {"protocol",
                                   "location",
                                   "allow_skip_pri_header",
                                   "enable_octet_counting",
                                   "non_transparent_framing_trailer",
                                   "max_octets",
                                   NULL};

const struct operator_kind operator_syslog_parser = {
    .type = "syslog_parser",
    .keys = keys,
    .size = sizeof(struct syslog_state),
    .is_parser = true,
    .open = open_syslog,
    .close = close_syslog,
    .parse = parse_syslog,
};
