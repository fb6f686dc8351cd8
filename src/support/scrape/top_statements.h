/*
 * top_statements: the forms of statements that took most of a database server since the last
 * report, found by what the server has counted of each since it began.
 *
 * What a report had is remembered, of at most twice as many forms as a report has, those seen last.
 * Owned by one thread: zeroed at first, hf_statements_release() at last. For each report: begin,
 * add for each form, end, read `rows`, drop; statement_report does so for a scrape.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "util/arena.h"

#define HF_STATEMENT_TEXTS_MAX 5u
#define HF_STATEMENT_VALUES_MAX 10u

/* What the server has counted of a form. */
struct hf_statement_known {
    uint64_t hash;
    uint64_t round; /* of the report in which it was last seen; 0: replaced */
    int64_t values[HF_STATEMENT_VALUES_MAX];
};

struct hf_statement_row {
    struct hf_slice texts[HF_STATEMENT_TEXTS_MAX];
    struct hf_statement_known now;
    int64_t since[HF_STATEMENT_VALUES_MAX]; /* the last report */
};

struct hf_statements {
    struct hf_statement_row
        *rows; /* after the end: those whose first value has grown, the most first */
    size_t count;
    bool is_short;   /* of memory: texts are missing */
    uint64_t due_ns; /* the next report, monotonic: the caller's */
    /* The struct's own. */
    size_t room;
    struct hf_arena arena;
    struct hf_statement_known *known; /* by their hash */
    size_t known_count;
    uint64_t round;
};

void hf_statements_release(struct hf_statements *top);

/* A report of at most `most` forms. HF_NOMEM. */
HF_MUST_USE enum hf_status hf_statements_begin(struct hf_statements *top, size_t most);

/* Copies the texts, up to HF_STATEMENT_TEXTS_MAX, and the values, up to HF_STATEMENT_VALUES_MAX;
 * those below 0 are 0. Forms beyond the most are left out. */
void hf_statements_add(struct hf_statements *top, uint64_t hash, const struct hf_slice *texts,
                       size_t text_count, const int64_t *values, size_t value_count);

/* `has_new`: a form that was not known before counts with all that the server has of it; otherwise
 * it has nothing yet. So does one whose values have shrunk. HF_NOMEM: it is remembered as before.
 */
HF_MUST_USE enum hf_status hf_statements_end(struct hf_statements *top, bool has_new);

/* Frees the rows. */
void hf_statements_drop(struct hf_statements *top);
