/*
 * my_plans: the plans that the server would make for statements, by EXPLAIN of a statement as it
 * was run. MySQL keeps one for each form of statements from 8.0.3 on; of MariaDB one is looked for
 * among the latest statements of each session, where performance_schema keeps those.
 *
 * The scraper's thread.
 */
#pragma once

#include "my_server.h"
#include "support/scrape/query_plans.h"
#include "support/scrape/scraper.h"

struct my_plans {
    struct my_server *server; /* connected */
    struct hf_scrape *scrape;
    const struct hf_patience *patience;
    struct hf_plans *known;
    bool has_said; /* why a statement has no plan */
    bool is_lost;  /* nothing can be asked any more */
};

/* A form of statements, and one of it as it was run. */
struct my_form {
    struct hf_slice schema, digest;
    struct hf_slice statement; /* empty: not known */
};

/* Does the server keep a statement of each form? */
bool my_plans_has_samples(const struct my_server *server);

/* The plan, asked for when it is not known; empty: none. Valid until the next call. That a
 * statement has none is no failure; the first reason is logged. */
struct hf_slice my_plans_get(struct my_plans *plans, const struct my_form *form);
