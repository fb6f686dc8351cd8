#include "expect.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "match.h"
#include "ottl/ottl.h"
#include "pdata/document.h"
#include "pdata/json.h"
#include "pdata/walk.h"
#include "util/arena.h"

#define ARENA_MAX ((size_t)256 << 20)

/* The part of a pipeline behind a queued processor, "traces>ID", belongs to it. */
static bool is_of_pipeline(const char *id, const char *pipeline)
{
    size_t size = strlen(pipeline);
    return strncmp(id, pipeline, size) == 0 && (id[size] == '\0' || id[size] == '>');
}

static bool is_at(const struct hf_test_output *output, const struct hf_test_place *place)
{
    return output->place.kind == place->kind && strcmp(output->place.id, place->id) == 0 &&
           (place->pipeline == NULL || output->place.pipeline == NULL ||
            is_of_pipeline(output->place.pipeline, place->pipeline));
}

/* ---- counts ---- */

static int64_t count_items(const struct hf_test_ends *ends, const struct hf_test_place *place)
{
    int64_t count = 0;
    for (const struct hf_test_output *one = ends->first; one != NULL; one = one->next) {
        count += is_at(one, place) ? one->items : 0;
    }
    return count;
}

static bool check_counts(int64_t count, const struct hf_test_expect *expect, char *reterr)
{
    const struct {
        const char *words;
        int64_t limit;
        bool wrong;
    } rows[] = {
        {"expected", expect->count, expect->count >= 0 && count != expect->count},
        {"expected at least", expect->min, expect->min >= 0 && count < expect->min},
        {"expected at most", expect->max, expect->max >= 0 && count > expect->max},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].wrong) {
            snprintf(reterr, HF_TEST_WHY_MAX, "%s %" PRId64 " items, got %" PRId64, rows[i].words,
                     rows[i].limit, count);
            return false;
        }
    }
    return true;
}

/* ---- items ---- */

/* Which of the expected items were found. */
struct search {
    const struct hf_value *wanted; /* a list, or one map */
    size_t count;
    bool *found;
};

static const struct hf_value *wanted_at(const struct search *search, size_t i)
{
    return search->wanted->type == HF_VALUE_LIST ? &search->wanted->items[i] : search->wanted;
}

static void look_at(void *user, const struct hf_test_item *item)
{
    struct search *search = user;
    for (size_t i = 0; i < search->count; i++) {
        search->found[i] = search->found[i] || hf_test_matches(wanted_at(search, i), item);
    }
}

static bool search_output(struct search *search, const struct hf_test_output *output)
{
    struct hf_arena arena = {.limit = ARENA_MAX};
    struct hf_bytes text = {0};
    const struct hf_json *request = NULL;
    char error[HF_JSON_ERROR_MAX];
    bool good =
        hf_json_from_proto(output->signal, hf_slice_of(output->bytes.data, output->bytes.size),
                           &text) == HF_OK &&
        hf_json_read(hf_slice_of(text.data, text.size), &arena, &request, error) == HF_OK;
    if (good) {
        hf_test_items(request, look_at, search);
    }
    hf_arena_release(&arena);
    hf_bytes_release(&text);
    return good;
}

/* "{name: a, attributes: {b: 1}}" as far as it fits. */
static size_t describe(const struct hf_value *value, char *out, size_t room)
{
    size_t used = 0;
    out[0] = '\0';
    if (value->type != HF_VALUE_MAP && value->type != HF_VALUE_LIST) {
        return (size_t)snprintf(out, room, "%.80s", value->string != NULL ? value->string : "null");
    }
    bool map = value->type == HF_VALUE_MAP;
    used += (size_t)snprintf(out, room, "%c", map ? '{' : '[');
    for (size_t i = 0; i < value->count && used + 200 < room; i++) {
        used += (size_t)snprintf(out + used, room - used, "%s%.80s%s", i == 0 ? "" : ", ",
                                 map ? value->keys[i] : "", map ? ": " : "");
        used += describe(&value->items[i], out + used, room - used);
        used = used < room ? used : room - 1;
    }
    return used + (size_t)snprintf(out + used, room - used, "%c", map ? '}' : ']');
}

static bool check_contains(const struct hf_test_ends *ends, const struct hf_test_place *place,
                           const struct hf_value *wanted, char *reterr)
{
    char text[1024];
    struct search search = {.wanted = wanted,
                            .count = wanted->type == HF_VALUE_LIST ? wanted->count : 1};
    if (wanted->type == HF_VALUE_NONE) {
        return true;
    }
    search.found = calloc(search.count + 1, sizeof(bool));
    bool good = search.found != NULL;
    for (const struct hf_test_output *one = ends->first; good && one != NULL; one = one->next) {
        bool is_other = !is_at(one, place) || one->signal == HF_PROFILES;
        good = is_other || search_output(&search, one);
    }
    if (!good) {
        snprintf(reterr, HF_TEST_WHY_MAX, "out of memory");
    }
    for (size_t i = 0; good && i < search.count; i++) {
        if (!search.found[i]) {
            describe(wanted_at(&search, i), text, sizeof(text));
            snprintf(reterr, HF_TEST_WHY_MAX, "no item has %s", text);
            good = false;
        }
    }
    free(search.found);
    return good;
}

/* ---- conditions ---- */

/* How many items of a signal a condition is true for. */
struct tally {
    uint64_t items, truths;
};

static bool test_output(const struct hf_ottl *ottl, const struct hf_test_output *output,
                        struct tally *tally, char *reterr)
{
    struct hf_ottl_run run;
    struct hf_document *document =
        hf_document_borrow(output->signal, hf_slice_of(output->bytes.data, output->bytes.size));
    if (document == NULL) {
        snprintf(reterr, HF_TEST_WHY_MAX, "out of memory");
        return false;
    }
    bool good = true;
    struct hf_place place = {.document = document};
    hf_ottl_begin(&run, document);
    while (good && hf_place_next_item(&place)) {
        hf_ottl_enter(&run, &place);
        enum hf_ottl_verdict verdict = hf_ottl_test(ottl, 0, &run);
        tally->items++;
        tally->truths += verdict == HF_OTTL_TRUE;
        if (verdict == HF_OTTL_ERROR) {
            snprintf(reterr, HF_TEST_WHY_MAX, "%s: %s", hf_ottl_condition_text(ottl, 0),
                     run.no_memory ? "out of memory" : run.error);
            good = false;
        }
    }
    hf_ottl_end(&run);
    hf_document_return(document);
    return good;
}

/* Of all that came out; each signal has its own context. */
static bool tally_condition(const struct hf_test_ends *ends, const struct hf_test_place *place,
                            const char *condition, struct tally *tally, char *reterr)
{
    static const enum hf_path_context contexts[HF_SIGNAL_COUNT] = {[HF_TRACES] = HF_PATH_SPAN,
                                                                   [HF_METRICS] = HF_PATH_DATAPOINT,
                                                                   [HF_LOGS] = HF_PATH_LOG,
                                                                   [HF_PROFILES] = HF_PATH_PROFILE};
    struct hf_ottl *ottls[HF_SIGNAL_COUNT] = {NULL};
    bool good = true;
    for (const struct hf_test_output *one = ends->first; good && one != NULL; one = one->next) {
        struct hf_ottl **ottl = &ottls[one->signal];
        const struct hf_ottl_source source = {
            .conditions = {&condition, 1}, .context = contexts[one->signal], .name = "condition"};
        if (!is_at(one, place)) {
            continue;
        }
        if (*ottl == NULL && hf_ottl_new(&source, ottl, reterr) != HF_OK) {
            *ottl = NULL;
            good = false;
        } else {
            good = test_output(*ottl, one, tally, reterr);
        }
    }
    for (int signal = 0; signal < HF_SIGNAL_COUNT; signal++) {
        hf_ottl_free(ottls[signal]);
    }
    return good;
}

enum rule { ALL, ANY, NO };

static bool check_conditions(const struct hf_test_ends *ends, const struct hf_test_place *place,
                             const struct hf_string_list *list, enum rule rule, char *reterr)
{
    for (size_t i = 0; i < list->count; i++) {
        struct tally tally = {0};
        if (!tally_condition(ends, place, list->items[i], &tally, reterr)) {
            return false;
        }
        bool good = rule == ALL   ? tally.truths == tally.items
                    : rule == ANY ? tally.truths != 0
                                  : tally.truths == 0;
        if (!good) {
            snprintf(reterr, HF_TEST_WHY_MAX,
                     "%.800s is true for %" PRIu64 " of %" PRIu64 " items, expected %s",
                     list->items[i], tally.truths, tally.items,
                     rule == ALL   ? "all"
                     : rule == ANY ? "one at least"
                                   : "none");
            return false;
        }
    }
    return true;
}

bool hf_test_expect(const struct hf_test_ends *ends, const struct hf_test_place *place,
                    const struct hf_test_expect *expect, char *reterr)
{
    return check_counts(count_items(ends, place), expect, reterr) &&
           check_contains(ends, place, &expect->contains, reterr) &&
           check_conditions(ends, place, &expect->all, ALL, reterr) &&
           check_conditions(ends, place, &expect->any, ANY, reterr) &&
           check_conditions(ends, place, &expect->none, NO, reterr);
}
