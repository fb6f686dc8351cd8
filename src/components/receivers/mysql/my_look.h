/*
 * my_look: one look at a server: the queries, and their rows as points.
 *
 * The scraper's thread.
 */
#pragma once

#include "my_server.h"
#include "support/scrape/server_scraper.h"

/* Asks for all that is wanted and writes it. What fails is counted and logged by
 * hf_scrape_failed(). */
void my_look_run(struct my_server *server, struct hf_server_scraper *scraper,
                 struct hf_scrape *scrape);
