/*
 * pg_plans: the plans that the server would make for the forms of statements of a report.
 *
 * A form has marks in place of its values, so its plan is the generic one, with NULL for each mark:
 * the statement is prepared and explained, never run. Each database is connected to in its turn.
 *
 * The scraper's thread.
 */
#pragma once

#include "pg_server.h"
#include "support/scrape/query_plans.h"
#include "support/scrape/scraper.h"
#include "support/scrape/top_statements.h"

/* The texts of a row of the report. */
enum { PG_TOP_DATABASE = 0, PG_TOP_STATEMENT, PG_TOP_ID, PG_TOP_ROLE, PG_TOP_TEXTS };

struct pg_plans {
    struct pg_server *server; /* connected */
    struct hf_scrape *scrape;
    const struct hf_patience *patience;
    struct hf_plans *known;
};

/* The hash of the form's plan. */
uint64_t pg_plans_hash(const struct hf_statement_row *row);

/* Asks for the plans that are not known, at most as many as the key says, and keeps them. That a
 * form has none is no failure; the first reason is logged. */
void pg_plans_ask(const struct pg_plans *plans, const struct hf_statement_row *rows, size_t count);
