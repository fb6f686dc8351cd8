/*
 * pg_events: statements of a server as log records: those of its sessions, and the forms of
 * statements that took most time since the last report, with their plans.
 *
 * The scraper's thread, but for pg_events_release(): the main thread, after it has ended.
 */
#pragma once

#include "pg_server.h"
#include "support/scrape/query_plans.h"
#include "support/scrape/server_scraper.h"
#include "support/scrape/top_statements.h"

/* Zeroed at first. */
struct pg_events {
    struct hf_statements top;
    struct hf_plans plans; /* of the forms of statements */
    double newest;         /* begin of the newest statement of the last scrape, Unix time */
    struct hf_bytes text;  /* of a statement */
};

void pg_events_release(struct pg_events *events);

/* Asks for the events that are wanted and writes them. What fails is counted and logged by
 * hf_scrape_failed(). */
void pg_events_run(struct pg_events *events, struct pg_server *server,
                   struct hf_server_scraper *scraper, struct hf_scrape *scrape);
