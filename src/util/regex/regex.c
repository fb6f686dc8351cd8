#define PCRE2_CODE_UNIT_WIDTH 8

#include "regex.h"

#include <assert.h>
#include <pcre2.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "re2_gate.h"

/* Steps of one match: beyond is a pattern that runs away, not one that takes its time. */
#define STEPS_MAX 1000000u
#define HEAP_MAX_KIB 16384u

/* Holds what PCRE2 keeps of a match, with all groups that there may be. */
#define SCRATCH_BYTES 2048u

struct hf_regex {
    pcre2_code *code;
    pcre2_match_context *limits;
    uint32_t group_count;
    uint32_t size_min;                          /* bytes of the shortest text that may match */
    const char *names[HF_REGEX_GROUPS_MAX + 1]; /* by number; into the code */
};

static pcre2_code *compile(struct hf_slice pattern, char *reterr, enum hf_status *ret_status)
{
    pcre2_compile_context *context = pcre2_compile_context_create(NULL);
    int code = 0;
    PCRE2_SIZE offset = 0;
    *ret_status = HF_NOMEM;
    if (context == NULL) {
        return NULL;
    }
    pcre2_set_newline(context, PCRE2_NEWLINE_LF);
    /* Of a multi-line text every newline begins a line, the last one too. */
    pcre2_code *compiled =
        pcre2_compile(pattern.size > 0 ? (PCRE2_SPTR)pattern.data : (PCRE2_SPTR) "", pattern.size,
                      PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_DOLLAR_ENDONLY |
                          PCRE2_NEVER_BACKSLASH_C | PCRE2_ALT_CIRCUMFLEX,
                      &code, &offset, context);
    pcre2_compile_context_free(context);
    if (compiled == NULL && code != PCRE2_ERROR_NOMEMORY) {
        PCRE2_UCHAR message[160] = "";
        pcre2_get_error_message(code, message, sizeof(message));
        snprintf(reterr, HF_REGEX_ERROR_MAX, "%s at character %zu", (const char *)message,
                 (size_t)offset + 1);
        *ret_status = HF_INVALID;
    }
    return compiled;
}

/* The name table: entries of a big-endian group number and the name. */
static void read_names(struct hf_regex *regex)
{
    uint32_t count = 0;
    uint32_t entry_size = 0;
    const uint8_t *table = NULL;
    pcre2_pattern_info(regex->code, PCRE2_INFO_NAMECOUNT, &count);
    pcre2_pattern_info(regex->code, PCRE2_INFO_NAMEENTRYSIZE, &entry_size);
    pcre2_pattern_info(regex->code, PCRE2_INFO_NAMETABLE, &table);
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *entry = &table[(size_t)i * entry_size];
        size_t group = (size_t)entry[0] << 8 | entry[1];
        assert(group <= regex->group_count);
        regex->names[group] = (const char *)&entry[2];
    }
}

enum hf_status hf_regex_new(const char *pattern, struct hf_regex **ret_regex, char *reterr)
{
    enum hf_status status;
    struct hf_regex *regex = calloc(1, sizeof(*regex));
    if (regex == NULL) {
        return HF_NOMEM;
    }
    struct hf_bytes translated = {0};
    status = hf_re2_translate(hf_slice_text(pattern), &translated, reterr);
    if (status == HF_OK) {
        regex->code = compile(hf_slice_of(translated.data, translated.size), reterr, &status);
    }
    hf_bytes_release(&translated);
    if (regex->code == NULL) {
        hf_regex_free(regex);
        return status;
    }
    pcre2_pattern_info(regex->code, PCRE2_INFO_CAPTURECOUNT, &regex->group_count);
    /* In characters, each of which has one byte at least. */
    pcre2_pattern_info(regex->code, PCRE2_INFO_MINLENGTH, &regex->size_min);
    if (regex->group_count > HF_REGEX_GROUPS_MAX) {
        snprintf(reterr, HF_REGEX_ERROR_MAX, "more than %d groups", HF_REGEX_GROUPS_MAX);
        hf_regex_free(regex);
        return HF_INVALID;
    }
    read_names(regex);
    regex->limits = pcre2_match_context_create(NULL);
    if (regex->limits == NULL) {
        hf_regex_free(regex);
        return HF_NOMEM;
    }
    pcre2_set_match_limit(regex->limits, STEPS_MAX);
    pcre2_set_heap_limit(regex->limits, HEAP_MAX_KIB);
    /* Without it matches are interpreted: slower, never different. */
    (void)pcre2_jit_compile(regex->code, PCRE2_JIT_COMPLETE);
    *ret_regex = regex;
    return HF_OK;
}

void hf_regex_free(struct hf_regex *regex)
{
    if (regex == NULL) {
        return;
    }
    pcre2_match_context_free(regex->limits);
    pcre2_code_free(regex->code);
    free(regex);
}

size_t hf_regex_group_count(const struct hf_regex *regex)
{
    return regex->group_count;
}

const char *hf_regex_group_name(const struct hf_regex *regex, size_t group)
{
    assert(group >= 1 && group <= regex->group_count);
    return regex->names[group];
}

/*
 * Memory of one match: on the stack, so that it is always there. A match without JIT that needs
 * more takes it from the heap.
 */
struct scratch {
    alignas(max_align_t) uint8_t room[SCRATCH_BYTES];
    size_t used;
};

static void *take(size_t size, void *user)
{
    struct scratch *scratch = user;
    size_t rounded =
        (size + alignof(max_align_t) - 1) / alignof(max_align_t) * alignof(max_align_t);
    if (rounded > SCRATCH_BYTES - scratch->used) {
        return malloc(size);
    }
    void *piece = scratch->room + scratch->used;
    scratch->used += rounded;
    return piece;
}

static void give_back(void *piece, void *user)
{
    const struct scratch *scratch = user;
    const uint8_t *at = piece;
    if (at < scratch->room || at >= scratch->room + SCRATCH_BYTES) {
        free(piece);
    }
}

static pcre2_match_data *match_data(struct scratch *scratch, size_t groups)
{
    scratch->used = 0;
    pcre2_general_context *general = pcre2_general_context_create(take, give_back, scratch);
    pcre2_match_data *data = pcre2_match_data_create((uint32_t)groups + 1, general);
    assert(data != NULL);
    return data;
}

/* The number of pairs in `data` that were set: at least 1, the whole match; 0: no match. -1: too
 * many steps. */
static int match(const struct hf_regex *regex, struct hf_slice text, size_t start,
                 pcre2_match_data *data)
{
    if (text.size - start < regex->size_min) {
        return 0; /* as behind the last match of a text */
    }
    /* An empty slice may have no address, which PCRE2 does not take. */
    PCRE2_SPTR subject = text.size == 0 ? (PCRE2_SPTR) "" : (PCRE2_SPTR)text.data;
    int pairs = pcre2_match(regex->code, subject, text.size, start, 0, data, regex->limits);
    if (pairs == PCRE2_ERROR_JIT_STACKLIMIT) {
        /* Compiled code has the thread's stack alone; the interpreter has the heap. */
        pairs =
            pcre2_match(regex->code, subject, text.size, start, PCRE2_NO_JIT, data, regex->limits);
    }
    return pairs >= 0 ? pairs + (pairs == 0) : pairs == PCRE2_ERROR_NOMATCH ? 0 : -1;
}

static enum hf_status finish(int pairs, bool *ret_found)
{
    *ret_found = pairs > 0;
    return pairs >= 0 ? HF_OK : HF_INVALID;
}

enum hf_status hf_regex_try(const struct hf_regex *regex, struct hf_slice text, bool *ret_found)
{
    struct scratch scratch;
    pcre2_match_data *data = match_data(&scratch, 0);
    int pairs = match(regex, text, 0, data);
    pcre2_match_data_free(data);
    return finish(pairs, ret_found);
}

enum hf_status hf_regex_search(const struct hf_regex *regex, struct hf_slice text, size_t start,
                               struct hf_slice *ret_groups, bool *ret_found)
{
    struct scratch scratch;
    pcre2_match_data *data = match_data(&scratch, regex->group_count);
    int pairs = match(regex, text, start, data);
    const PCRE2_SIZE *offsets = pcre2_get_ovector_pointer(data);
    for (size_t group = 0; pairs > 0 && ret_groups != NULL && group <= regex->group_count;
         group++) {
        bool took_part = group < (size_t)pairs && offsets[2 * group] != PCRE2_UNSET;
        /* Of an empty text there may be no address. */
        const uint8_t *subject = text.size == 0 ? (const uint8_t *)"" : text.data;
        ret_groups[group] = took_part ? hf_slice_of(subject + offsets[2 * group],
                                                    offsets[2 * group + 1] - offsets[2 * group])
                                      : HF_EMPTY_SLICE;
    }
    pcre2_match_data_free(data);
    return finish(pairs, ret_found);
}

bool hf_regex_matches(const struct hf_regex *regex, struct hf_slice text)
{
    bool found;
    return hf_regex_try(regex, text, &found) == HF_OK && found;
}

bool hf_regex_find(const struct hf_regex *regex, struct hf_slice text, struct hf_slice *ret_groups)
{
    struct hf_slice groups[HF_REGEX_GROUPS_MAX + 1];
    bool found;
    if (hf_regex_search(regex, text, 0, groups, &found) != HF_OK || !found) {
        return false;
    }
    for (size_t group = 1; group <= regex->group_count; group++) {
        ret_groups[group - 1] = groups[group];
    }
    return true;
}

enum hf_status hf_regex_find_range(const struct hf_regex *regex, struct hf_slice text, size_t start,
                                   struct hf_regex_range *ret_range)
{
    struct scratch scratch;
    assert(start <= text.size);
    pcre2_match_data *data = match_data(&scratch, 0);
    int pairs = match(regex, text, start, data);
    if (pairs > 0) {
        const PCRE2_SIZE *offsets = pcre2_get_ovector_pointer(data);
        /* \K, which RE2 does not have, could set the start behind the end. */
        size_t end = offsets[1];
        *ret_range = (struct hf_regex_range){offsets[0] <= end ? offsets[0] : end, end};
    }
    pcre2_match_data_free(data);
    return pairs > 0 ? HF_OK : pairs == 0 ? HF_NOT_FOUND : HF_FULL;
}
