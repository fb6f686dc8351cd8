/*
 * scraped_event: a log record that a scrape makes of a server's answer in texts. Owned by the
 * scraper's thread. When memory runs out the scrape's builder notes it.
 */
#pragma once

#include <holdfast/slice.h>

#include "scraper.h"

/* Opens a record of that name at the time of the scrape, which hf_build_end() closes. `system`:
 * its attribute db.system.name. */
void hf_event_begin(struct hf_scrape *scrape, const char *name, const char *system);
/* The same with the trace and span of `parent`, when that is a traceparent of W3C's Trace Context:
 * clients put one where the server shows it. */
void hf_event_begin_in(struct hf_scrape *scrape, const char *name, const char *system,
                       struct hf_slice parent);

/* Attributes of the open record. An integer is read of its text: 0 when that is none. */
void hf_event_text(struct hf_scrape *scrape, const char *key, struct hf_slice text);
void hf_event_int(struct hf_scrape *scrape, const char *key, struct hf_slice text);
void hf_event_double(struct hf_scrape *scrape, const char *key, double number);
