/*
 * pg_look: one look at a server: the queries, and their rows as points.
 *
 * The scraper's thread.
 */
#pragma once

#include "pg_server.h"
#include "support/scrape/server_scraper.h"

#define PG_DATABASES_MAX 10000u

extern const struct hf_metric_row pg_rows[];

struct pg_database;

/* What a look needs; zeroed but for these, and pg_look_release() at last. */
struct pg_look {
    struct pg_server *server;
    struct hf_server_scraper *scraper;
    struct hf_scrape *scrape;
    struct hf_patience patience;
    /* The look's own. */
    struct pg_database *databases;
    size_t database_count, room;
    bool is_full;         /* more databases than PG_DATABASES_MAX */
    const char *database; /* what is looked at now; NULL: the server as a whole */
    uint64_t tables;
};

/* Asks for all that is wanted. What fails is counted and logged by hf_scrape_failed(). */
void pg_look_run(struct pg_look *look);
void pg_look_release(struct pg_look *look);
