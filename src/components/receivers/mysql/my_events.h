/*
 * my_events: statements of a server as log records: those that run now, and the forms of statements
 * that took most time since the last report, with their plans.
 *
 * The scraper's thread, but for my_events_release(): the main thread, after it has ended.
 */
#pragma once

#include "my_server.h"
#include "support/scrape/query_plans.h"
#include "support/scrape/server_scraper.h"
#include "support/scrape/top_statements.h"

/* Zeroed at first. */
struct my_events {
    struct hf_statements top;
    struct hf_plans plans; /* of the forms of statements */
    struct hf_bytes text;  /* of a statement */
};

void my_events_release(struct my_events *events);

/* Asks for the events that are wanted and writes them. What fails is counted and logged by
 * hf_scrape_failed(). */
void my_events_run(struct my_events *events, struct my_server *server,
                   struct hf_server_scraper *scraper, struct hf_scrape *scrape);
