#include "snapshot.h"

#include <stdlib.h>
#include <string.h>

#include "util/time/clock.h"

#define ARENA_BYTES_MAX (64u << 20)
#define NUMBERS_MAX 400000u

struct hf_console_number {
    uint64_t place; /* a hash of the keys that lead to it */
    double value;
};

struct hf_console_rated {
    const struct hf_json *number;
    double per_second;
};

static void free_snapshot(struct hf_ref *ref)
{
    struct hf_console_snapshot *snapshot = HF_CONTAINER(ref, struct hf_console_snapshot, ref);
    if (snapshot->config != NULL) {
        hf_ref_drop(&snapshot->config->ref);
    }
    if (snapshot->log != NULL) {
        hf_ref_drop(&snapshot->log->ref);
    }
    hf_arena_release(&snapshot->arena);
    free(snapshot->rates);
    free(snapshot->text);
    free(snapshot);
}

/* ---- the walk over all numbers ---- */

struct walk {
    const struct hf_console_sample *before;
    struct hf_console_sample *sample;
    struct hf_console_snapshot *snapshot;
    size_t room;
    bool failed;
};

static uint64_t mix(uint64_t place, struct hf_slice more)
{
    for (size_t i = 0; i < more.size; i++) {
        place = (place ^ more.data[i]) * UINT64_C(0x100000001b3);
    }
    return (place ^ 0xff) * UINT64_C(0x100000001b3);
}

static int by_place(const void *one, const void *other)
{
    const struct hf_console_number *a = one, *b = other;
    return a->place < b->place ? -1 : a->place > b->place;
}

static int by_number(const void *one, const void *other)
{
    uintptr_t a = (uintptr_t)((const struct hf_console_rated *)one)->number;
    uintptr_t b = (uintptr_t)((const struct hf_console_rated *)other)->number;
    return a < b ? -1 : a > b;
}

static bool reserve(struct walk *walk)
{
    struct hf_console_sample *sample = walk->sample;
    struct hf_console_snapshot *snapshot = walk->snapshot;
    if (sample->count < walk->room) {
        return true;
    }
    size_t room = walk->room == 0 ? 256 : 2 * walk->room;
    struct hf_console_number *numbers =
        room <= NUMBERS_MAX ? realloc(sample->numbers, room * sizeof(*numbers)) : NULL;
    if (numbers == NULL) {
        return false;
    }
    sample->numbers = numbers;
    struct hf_console_rated *rates = realloc(snapshot->rates, room * sizeof(*rates));
    if (rates == NULL) {
        return false;
    }
    snapshot->rates = rates;
    walk->room = room;
    return true;
}

static void note(struct walk *walk, const struct hf_json *value, uint64_t place)
{
    struct hf_console_snapshot *snapshot = walk->snapshot;
    const struct hf_console_sample *before = walk->before;
    double now = value->kind == HF_JSON_INT ? (double)value->integer : value->number;
    if (!reserve(walk)) {
        walk->failed = true;
        return;
    }
    walk->sample->numbers[walk->sample->count++] = (struct hf_console_number){place, now};
    if (before == NULL || before->count == 0 || before->taken_ns >= snapshot->taken_ns) {
        return;
    }
    const struct hf_console_number key = {.place = place}, *old;
    old = bsearch(&key, before->numbers, before->count, sizeof(key), by_place);
    if (old != NULL) {
        double seconds = (double)(snapshot->taken_ns - before->taken_ns) / 1e9;
        double rate = now > old->value ? (now - old->value) / seconds : 0;
        snapshot->rates[snapshot->rate_count++] = (struct hf_console_rated){value, rate};
    }
}

/* An element of a list is known by what it is called, else by its place. */
static uint64_t place_of_element(const struct hf_json *element, uint64_t place, uint32_t index)
{
    static const char *const names[] = {"kind", "id", "name", "exporter", "signal", "pipeline"};
    bool is_named = false;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct hf_slice name = hf_json_text_of(element, names[i]);
        is_named = is_named || name.size != 0;
        place = mix(place, name);
    }
    return is_named ? place : mix(place, hf_slice_of(&index, sizeof(index)));
}

/* Not deeper than HF_JSON_DEPTH_MAX: the reader sees to it. */
static void visit(struct walk *walk, const struct hf_json *value, uint64_t place)
{
    uint32_t index = 0;
    if (value->kind == HF_JSON_INT || value->kind == HF_JSON_DOUBLE) {
        note(walk, value, place);
    }
    for (const struct hf_json *at = hf_json_first(value); at != NULL && !walk->failed;
         at = at->next) {
        visit(walk, at,
              value->kind == HF_JSON_MAP ? mix(place, at->key)
                                         : place_of_element(at, place, index++));
    }
}

static enum hf_status read_text(struct hf_console_snapshot *snapshot, size_t size)
{
    char error[HF_JSON_ERROR_MAX];
    return hf_json_read(hf_slice_of(snapshot->text, size), &snapshot->arena, &snapshot->root,
                        error);
}

enum hf_status hf_console_snapshot_new(char *text, size_t size,
                                       const struct hf_console_sample *before,
                                       struct hf_console_sample *sample,
                                       struct hf_console_snapshot **ret_snapshot)
{
    struct hf_console_snapshot *snapshot = calloc(1, sizeof(*snapshot));
    *sample = (struct hf_console_sample){0};
    if (snapshot == NULL) {
        free(text);
        return HF_NOMEM;
    }
    hf_ref_init(&snapshot->ref, free_snapshot);
    snapshot->arena.limit = ARENA_BYTES_MAX;
    snapshot->text = text;
    snapshot->taken_ns = sample->taken_ns = hf_clock_monotonic_ns();
    snapshot->taken_unix_ns = hf_clock_unix_ns();
    enum hf_status status = read_text(snapshot, size);
    if (status == HF_OK) {
        struct walk walk = {.before = before, .sample = sample, .snapshot = snapshot};
        visit(&walk, snapshot->root, UINT64_C(0xcbf29ce484222325));
        status = walk.failed ? HF_NOMEM : HF_OK;
    }
    if (status != HF_OK) {
        hf_console_sample_release(sample);
        hf_ref_drop(&snapshot->ref);
        return status;
    }
    if (sample->count != 0) {
        qsort(sample->numbers, sample->count, sizeof(*sample->numbers), by_place);
        qsort(snapshot->rates, snapshot->rate_count, sizeof(*snapshot->rates), by_number);
    }
    *ret_snapshot = snapshot;
    return HF_OK;
}

void hf_console_sample_release(struct hf_console_sample *sample)
{
    free(sample->numbers);
    *sample = (struct hf_console_sample){0};
}

bool hf_console_rate(const struct hf_console_snapshot *snapshot, const struct hf_json *number,
                     double *ret_per_second)
{
    const struct hf_console_rated key = {.number = number}, *found = NULL;
    if (number != NULL && snapshot->rate_count != 0) {
        found = bsearch(&key, snapshot->rates, snapshot->rate_count, sizeof(key), by_number);
    }
    if (found != NULL) {
        *ret_per_second = found->per_second;
    }
    return found != NULL;
}
