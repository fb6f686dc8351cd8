#include "top_statements.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define ARENA_MAX ((size_t)64 << 20)

static int by_hash(const void *a, const void *b)
{
    uint64_t left = ((const struct hf_statement_known *)a)->hash,
             right = ((const struct hf_statement_known *)b)->hash;
    return left < right ? -1 : left > right;
}

static int by_round(const void *a, const void *b)
{
    uint64_t left = ((const struct hf_statement_known *)a)->round,
             right = ((const struct hf_statement_known *)b)->round;
    return left > right ? -1 : left < right; /* the newest first */
}

static int by_growth(const void *a, const void *b)
{
    int64_t left = ((const struct hf_statement_row *)a)->since[0],
            right = ((const struct hf_statement_row *)b)->since[0];
    return left > right ? -1 : left < right; /* the most first */
}

void hf_statements_release(struct hf_statements *top)
{
    hf_statements_drop(top);
    free(top->known);
    hf_arena_release(&top->arena);
    *top = (struct hf_statements){.rows = NULL};
}

enum hf_status hf_statements_begin(struct hf_statements *top, size_t most)
{
    assert(top->rows == NULL && most > 0);
    top->rows = calloc(most, sizeof(*top->rows));
    top->room = most;
    top->count = 0;
    top->is_short = false;
    top->arena.limit = ARENA_MAX;
    return top->rows != NULL ? HF_OK : HF_NOMEM;
}

static struct hf_slice keep(struct hf_statements *top, struct hf_slice text)
{
    void *copy = text.size != 0 ? hf_arena_take(&top->arena, text.size) : NULL;
    top->is_short |= copy == NULL && text.size != 0;
    return copy != NULL ? hf_slice_of(memcpy(copy, text.data, text.size), text.size)
                        : HF_EMPTY_SLICE;
}

void hf_statements_add(struct hf_statements *top, uint64_t hash, const struct hf_slice *texts,
                       size_t text_count, const int64_t *values, size_t value_count)
{
    assert(text_count <= HF_STATEMENT_TEXTS_MAX && value_count <= HF_STATEMENT_VALUES_MAX);
    if (top->count == top->room) {
        return;
    }
    struct hf_statement_row *row = &top->rows[top->count++];
    row->now.hash = hash;
    for (size_t i = 0; i < value_count; i++) {
        row->now.values[i] = values[i] > 0 ? values[i] : 0;
    }
    for (size_t i = 0; i < text_count; i++) {
        row->texts[i] = keep(top, texts[i]);
    }
}

static struct hf_statement_known *find(const struct hf_statements *top,
                                       const struct hf_statement_known *now)
{
    return top->known_count != 0 ? bsearch(now, top->known, top->known_count, sizeof(*now), by_hash)
                                 : NULL;
}

static void compare(struct hf_statements *top, struct hf_statement_row *row, bool has_new)
{
    const struct hf_statement_known *before = find(top, &row->now);
    bool has_shrunk = false;
    for (size_t i = 0; before != NULL && i < HF_STATEMENT_VALUES_MAX; i++) {
        has_shrunk = has_shrunk || row->now.values[i] < before->values[i];
    }
    if (before != NULL && !has_shrunk) {
        for (size_t i = 0; i < HF_STATEMENT_VALUES_MAX; i++) {
            row->since[i] = row->now.values[i] - before->values[i];
        }
    } else if (has_new) {
        memcpy(row->since, row->now.values, sizeof(row->since));
    }
}

static enum hf_status remember(struct hf_statements *top)
{
    size_t count = top->count, most = 2 * top->room;
    struct hf_statement_known *all = calloc(count + top->known_count + 1, sizeof(*all));
    if (all == NULL) {
        return HF_NOMEM;
    }
    top->round++;
    for (size_t i = 0; i < count; i++) {
        struct hf_statement_known *before = find(top, &top->rows[i].now);
        if (before != NULL) {
            before->round = 0;
        }
        all[i] = top->rows[i].now;
        all[i].round = top->round;
    }
    for (size_t i = 0; i < top->known_count; i++) {
        if (top->known[i].round != 0) {
            all[count++] = top->known[i];
        }
    }
    if (count > most) {
        qsort(all, count, sizeof(*all), by_round);
        count = most;
    }
    qsort(all, count, sizeof(*all), by_hash);
    free(top->known);
    top->known = all;
    top->known_count = count;
    return HF_OK;
}

enum hf_status hf_statements_end(struct hf_statements *top, bool has_new)
{
    for (size_t i = 0; i < top->count; i++) {
        compare(top, &top->rows[i], has_new);
    }
    enum hf_status status = remember(top);
    qsort(top->rows, top->count, sizeof(*top->rows), by_growth);
    while (top->count != 0 && top->rows[top->count - 1].since[0] <= 0) {
        top->count--;
    }
    return status;
}

void hf_statements_drop(struct hf_statements *top)
{
    free(top->rows);
    top->rows = NULL;
    top->count = 0;
    hf_arena_reset(&top->arena);
}
