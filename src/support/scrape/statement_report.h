/*
 * statement_report: the report of a scrape about the forms of statements that took most.
 */
#pragma once

#include "scraper.h"
#include "top_statements.h"

struct hf_statement_report {
    uint64_t interval_ns;     /* shortest time to the next one */
    size_t rows_max, top_max; /* forms that are looked at, and written */
    bool has_new;             /* see hf_statements_end() */
    /* Adds the forms. False: the server did not answer; it has been said. */
    bool (*ask)(void *user);
    /* Before the forms are written: looks at them together; NULL: nothing. */
    void (*prepare)(void *user, const struct hf_statement_row *rows, size_t count);
    void (*write)(void *user, const struct hf_statement_row *row);
    void *user;
};

/* A report, when it is due. What fails here is told by hf_scrape_failed(). False: as `ask`. */
HF_MUST_USE bool hf_statements_report(struct hf_statements *top, struct hf_scrape *scrape,
                                      const struct hf_statement_report *report);
