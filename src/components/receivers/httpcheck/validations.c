#include "validations.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#include "pdata/json_value.h"
#include "util/regex/regex.h"
#include "json/json.h"

#define TREE_BYTES_MAX ((size_t)64 << 20)
#define NAME_MAX_BYTES 256u
#define NUMBER_TEXT_MAX 32

const char *const httpcheck_kinds[HTTPCHECK_KIND_COUNT] = {
    [HC_CONTAINS] = "contains",   [HC_NOT_CONTAINS] = "not_contains",
    [HC_JSON_PATH] = "json_path", [HC_SIZE_KIND] = "size",
    [HC_REGEX] = "regex",
};

struct httpcheck_validations {
    const struct httpcheck_validation *items;
    size_t count;
    bool needs_json;
    struct hf_regex *regexes[]; /* one per item; NULL: none */
};

static bool given(const char *text)
{
    return text != NULL && text[0] != '\0';
}

/* ---- paths: names and indices with dots between them, as in a.b.0.c ---- */

/* Takes the next step of the path into `ret_name`; false: none is left. A backslash makes the next
 * character an ordinary one. */
static bool next_step(const char **path, char ret_name[NAME_MAX_BYTES])
{
    size_t size = 0;
    const char *at = *path;
    if (*at == '\0') {
        return false;
    }
    for (; *at != '\0' && *at != '.'; at++) {
        at += *at == '\\' && at[1] != '\0';
        if (size + 1 < NAME_MAX_BYTES) {
            ret_name[size++] = *at;
        }
    }
    ret_name[size] = '\0';
    *path = *at == '.' ? at + 1 : at;
    return true;
}

static const struct hf_json *element(const struct hf_json *list, const char *name)
{
    uint64_t index = 0;
    if (!hf_json_read_u64(hf_slice_text(name), &index)) {
        return NULL;
    }
    const struct hf_json *one = hf_json_first(list);
    while (one != NULL && index-- != 0) {
        one = one->next;
    }
    return one;
}

static const struct hf_json *look_up(const struct hf_json *value, const char *path)
{
    char name[NAME_MAX_BYTES];
    path += strncmp(path, "$.", 2) == 0 ? 2 : 0;
    while (value != NULL && next_step(&path, name)) {
        value = value->kind == HF_JSON_LIST ? element(value, name) : hf_json_get(value, name);
    }
    return value;
}

static bool equals(const struct hf_json *value, const char *text)
{
    double number;
    char digits[NUMBER_TEXT_MAX];
    switch (value->kind) {
    case HF_JSON_STRING:
        return hf_slice_is(value->text, text);
    case HF_JSON_BOOL:
        return strcmp(value->boolean ? "true" : "false", text) == 0;
    case HF_JSON_INT:
        snprintf(digits, sizeof(digits), "%lld", (long long)value->integer);
        return strcmp(digits, text) == 0;
    case HF_JSON_DOUBLE:
        return hf_json_read_double(hf_slice_text(text), false, &number) && number == value->number;
    case HF_JSON_NULL:
    case HF_JSON_LIST:
    case HF_JSON_MAP:
    default:
        return false;
    }
}

/* ---- one validation ---- */

static void count(struct httpcheck_verdict *verdict, enum httpcheck_kind kind, bool passed)
{
    verdict->passed[kind] += passed;
    verdict->failed[kind] += !passed;
}

static void validate_one(const struct httpcheck_validation *item, const struct hf_regex *regex,
                         const struct hf_json *json, struct hf_slice body, uint64_t size,
                         struct httpcheck_verdict *verdict)
{
    if (given(item->contains)) {
        count(verdict, HC_CONTAINS,
              memmem(body.data, body.size, item->contains, strlen(item->contains)) != NULL);
    }
    if (given(item->not_contains)) {
        count(verdict, HC_NOT_CONTAINS,
              memmem(body.data, body.size, item->not_contains, strlen(item->not_contains)) == NULL);
    }
    if (given(item->json_path)) {
        const struct hf_json *found = look_up(json, item->json_path);
        count(verdict, HC_JSON_PATH,
              found != NULL && (!given(item->equals) || equals(found, item->equals)));
    }
    if (item->has_max_size) {
        count(verdict, HC_SIZE_KIND, size <= (uint64_t)item->max_size);
    }
    if (item->has_min_size) {
        count(verdict, HC_SIZE_KIND, size >= (uint64_t)item->min_size);
    }
    if (regex != NULL) {
        count(verdict, HC_REGEX, hf_regex_matches(regex, body));
    }
}

void httpcheck_validate(const struct httpcheck_validations *validations, struct hf_slice body,
                        uint64_t size, struct httpcheck_verdict *ret_verdict)
{
    struct hf_arena arena = {.limit = TREE_BYTES_MAX};
    const struct hf_json *json = NULL;
    char error[HF_JSON_ERROR_MAX];
    *ret_verdict = (struct httpcheck_verdict){{0}, {0}};
    if (validations->needs_json && hf_json_read(body, &arena, &json, error) != HF_OK) {
        json = NULL;
    }
    for (size_t i = 0; i < validations->count; i++) {
        validate_one(&validations->items[i], validations->regexes[i], json, body, size,
                     ret_verdict);
    }
    hf_arena_release(&arena);
}

/* ---- life ---- */

static enum hf_status check_item(const struct httpcheck_validation *item, char *reterr)
{
    bool has_any = given(item->contains) || given(item->not_contains) || given(item->json_path) ||
                   given(item->regex) || item->has_max_size || item->has_min_size;
    const char *wrong = NULL;
    if (!has_any) {
        wrong = "validations: an entry has none of contains, not_contains, json_path, regex, "
                "max_size and min_size";
    } else if (given(item->equals) && !given(item->json_path)) {
        wrong = "validations: equals is for json_path";
    } else if (given(item->json_path) && strpbrk(item->json_path, "*?|#@!{[(") != NULL) {
        wrong = "validations: json_path takes names and indices with dots between them, such as "
                "items.0.name; patterns, queries and modifiers are not supported";
    }
    if (wrong == NULL) {
        return HF_OK;
    }
    snprintf(reterr, HF_ERROR_MAX, "%s", wrong);
    return HF_INVALID;
}

enum hf_status httpcheck_validations_new(const struct hf_struct_list *list,
                                         struct httpcheck_validations **ret_validations,
                                         char *reterr)
{
    struct httpcheck_validations *validations =
        calloc(1, sizeof(*validations) + list->count * sizeof(struct hf_regex *));
    enum hf_status status = validations != NULL ? HF_OK : HF_NOMEM;
    if (status != HF_OK) {
        snprintf(reterr, HF_ERROR_MAX, "out of memory");
        return status;
    }
    validations->items = list->items;
    validations->count = list->count;
    for (size_t i = 0; i < list->count && status == HF_OK; i++) {
        const struct httpcheck_validation *item = &validations->items[i];
        char why[HF_REGEX_ERROR_MAX];
        validations->needs_json = validations->needs_json || given(item->json_path);
        status = check_item(item, reterr);
        if (status == HF_OK && given(item->regex)) {
            status = hf_regex_new(item->regex, &validations->regexes[i], why);
            if (status != HF_OK) {
                snprintf(reterr, HF_ERROR_MAX, "validations: regex: %s", why);
            }
        }
    }
    if (status != HF_OK) {
        httpcheck_validations_free(validations);
        return status;
    }
    *ret_validations = validations;
    return HF_OK;
}

void httpcheck_validations_free(struct httpcheck_validations *validations)
{
    if (validations == NULL) {
        return;
    }
    for (size_t i = 0; i < validations->count; i++) {
        hf_regex_free(validations->regexes[i]);
    }
    free(validations);
}
