/*
 * texts: operators that change a text where it stands: unquote, regex_replace, sanitize_utf8. An
 * entry without the field passes them as it is.
 */
#include "operator.h"
#include "pdata/utf8.h"
#include "util/compress/compress.h"
#include "util/go_escape.h"
#include "util/regex/regex.h"
#include "util/regex/regex_expand.h"
#include "util/rune.h"

/* ECMA-48: a control sequence begins with ESC [ and ends with a letter or a sign like ~. */
#define CONTROL_SEQUENCE "\\x1b\\[[0-?]*[ -/]*[@-~]"

static enum outcome no_memory(struct run *run)
{
    return operator_failed(run, "out of memory");
}

/* ---- unquote ---- */

static enum hf_status open_unquote(struct operator* operator, const struct hf_value * config,
                                   char *reterr)
{
    return field_of(operator, config, "field", NULL, operator->state, reterr);
}

/* What stands behind a backslash at `at`, appended to `out`. False: no known escape, or that of the
 * other quote. */
static bool take_escape(struct hf_slice text, size_t *at, uint8_t quote, uint8_t *out, size_t *size)
{
    size_t made = 0;
    struct hf_slice rest = hf_slice_of(text.data + *at, text.size - *at);
    size_t used = hf_go_escape(rest, out + *size, &made);
    *at += used;
    *size += made;
    return used != 0 && (rest.data[0] == quote || (rest.data[0] != '"' && rest.data[0] != '\''));
}

/*
 * The inside of quotes, by the escapes of Go's texts; between ' ' stands one character. It is
 * never longer than the text, with which `out` has room for one byte more. SIZE_MAX: malformed.
 */
static size_t unquote(struct hf_slice text, uint8_t quote, uint8_t *out)
{
    size_t count = 0, size = 0;
    for (size_t at = 0; at < text.size; count++) {
        uint8_t c = text.data[at++];
        bool is_escape = c == '\\' && quote != '`';
        if (c == quote || (is_escape && !take_escape(text, &at, quote, out, &size))) {
            return SIZE_MAX;
        }
        if (!is_escape) {
            size_t more = quote == '\'' ? hf_rune_at(text, at - 1).size - 1 : 0;
            memcpy(out + size, text.data + at - 1, 1 + more);
            size += 1 + more;
            at += more;
        }
    }
    return quote != '\'' || count == 1 ? size : SIZE_MAX;
}

static enum outcome run_unquote(struct run *run, struct hf_log_entry *entry)
{
    struct hf_expr_value *value = hf_log_field_get(run->operator->state, entry);
    if (value == NULL) {
        return OUTCOME_NEXT;
    }
    if (value->type != HF_EXPR_STRING || value->text.size < 2) {
        return operator_failed(run, "the field to unquote is no text in quotes");
    }
    uint8_t quote = value->text.data[0];
    size_t last = value->text.size - 1;
    if (value->text.data[last] != quote || (quote != '"' && quote != '`' && quote != '\'')) {
        return operator_failed(run, "the field to unquote is no text in quotes");
    }
    uint8_t *out = hf_arena_take(entry->arena, last);
    if (out == NULL) {
        return no_memory(run);
    }
    size_t size = unquote(hf_slice_of(value->text.data + 1, last - 1), quote, out);
    if (size == SIZE_MAX) {
        return operator_failed(run, "the field to unquote has a quote or an escape that does not "
                                    "belong there");
    }
    value->text = hf_slice_of(out, size);
    return OUTCOME_NEXT;
}

/* ---- regex_replace ---- */

struct replace_state {
    struct hf_log_field field;
    struct hf_regex *regex;
    struct hf_slice replacement;
    struct hf_bytes made; /* kept for the next entry */
};

static enum hf_status open_replace(struct operator* operator, const struct hf_value * config,
                                   char *reterr)
{
    struct replace_state *state = operator->state;
    const char *pattern = text_of(config, "regex", "");
    const char *name = text_of(config, "regex_name", "");
    char why[HF_REGEX_ERROR_MAX];
    if ((pattern[0] == '\0') == (name[0] == '\0')) {
        return invalid(reterr, "one of regex and regex_name is required");
    }
    if (name[0] != '\0' && strcmp(name, "ansi_control_sequences") != 0) {
        return invalid(reterr, "regex_name: ansi_control_sequences is the only one");
    }
    state->replacement = hf_slice_text(text_of(config, "replace_with", ""));
    enum hf_status status =
        hf_regex_new(name[0] != '\0' ? CONTROL_SEQUENCE : pattern, &state->regex, why);
    if (status != HF_OK) {
        return status == HF_INVALID ? invalid(reterr, "regex: %s", why) : status;
    }
    return field_of(operator, config, "field", "body", &state->field, reterr);
}

static void close_replace(struct operator* operator)
{
    struct replace_state *state = operator->state;
    hf_regex_free(state->regex);
    hf_bytes_release(&state->made);
}

static enum outcome run_replace(struct run *run, struct hf_log_entry *entry)
{
    struct replace_state *state = run->operator->state;
    struct hf_expr_value *value = hf_log_field_get(&state->field, entry);
    if (value == NULL) {
        return OUTCOME_NEXT;
    }
    if (value->type != HF_EXPR_STRING) {
        return operator_failed(run, "the field holds no text");
    }
    state->made.size = 0;
    enum hf_status status =
        hf_regex_replace_all(state->regex, value->text, state->replacement, &state->made);
    if (status != HF_OK) {
        return status == HF_NOMEM ? no_memory(run)
                                  : operator_failed(run, "the pattern takes too many steps");
    }
    struct hf_slice made = hf_slice_of(state->made.data, state->made.size);
    struct hf_slice kept = made.size != 0 ? hf_expr_copy_text(entry->arena, made) : HF_EMPTY_SLICE;
    if (made.size != 0 && kept.data == NULL) {
        return no_memory(run);
    }
    value->text = kept;
    return OUTCOME_NEXT;
}

/* ---- sanitize_utf8 ---- */

static enum hf_status open_sanitize(struct operator* operator, const struct hf_value * config,
                                    char *reterr)
{
    return field_of(operator, config, "field", "body", operator->state, reterr);
}

/* One U+FFFD for each run of bytes that are no character. `out` has room for three times `text`. */
static size_t replace_bad_bytes(struct hf_slice text, uint8_t *out)
{
    static const uint8_t marker[3] = {0xef, 0xbf, 0xbd};
    size_t size = 0;
    bool was_bad = false;
    while (text.size > 0) {
        size_t good = hf_utf8_valid_run(text);
        if (good == 0 && !was_bad) {
            memcpy(out + size, marker, sizeof(marker));
            size += sizeof(marker);
        } else if (good != 0) {
            memcpy(out + size, text.data, good);
            size += good;
        }
        was_bad = good == 0;
        size_t passed = good != 0 ? good : 1;
        text = hf_slice_of(text.data + passed, text.size - passed);
    }
    return size;
}

static enum outcome run_sanitize(struct run *run, struct hf_log_entry *entry)
{
    struct hf_expr_value *value = hf_log_field_get(run->operator->state, entry);
    if (value == NULL) {
        return OUTCOME_NEXT;
    }
    if (value->type != HF_EXPR_STRING) {
        return operator_failed(run, "the field holds no text");
    }
    if (hf_utf8_is_valid(value->text)) {
        return OUTCOME_NEXT;
    }
    uint8_t *made = hf_arena_take(entry->arena, 3 * value->text.size);
    if (made == NULL) {
        return no_memory(run);
    }
    size_t size = replace_bad_bytes(value->text, made);
    hf_arena_trim(entry->arena, made, size);
    value->text = hf_slice_of(made, size);
    return OUTCOME_NEXT;
}

static const char *const field_keys[] = {"field", NULL};
static const char *const replace_keys[] = {"regex", "regex_name", "replace_with", "field", NULL};

const struct operator_kind operator_unquote = {.type = "unquote",
                                               .keys = field_keys,
                                               .size = sizeof(struct hf_log_field),
                                               .open = open_unquote,
                                               .run = run_unquote};
const struct operator_kind operator_regex_replace = {.type = "regex_replace",
                                                     .keys = replace_keys,
                                                     .size = sizeof(struct replace_state),
                                                     .open = open_replace,
                                                     .close = close_replace,
                                                     .run = run_replace};
const struct operator_kind operator_sanitize_utf8 = {.type = "sanitize_utf8",
                                                     .keys = field_keys,
                                                     .size = sizeof(struct hf_log_field),
                                                     .open = open_sanitize,
                                                     .run = run_sanitize};
