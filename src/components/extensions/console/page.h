/*
 * page: the text of an answer as it is written: markup by the console's own code, values by
 * everyone. A value gets in through hf_console_escape() alone, which spells out what could be
 * markup, steer a terminal or turn the direction of the text.
 *
 * Owned by one thread. It has a limit; what has no room or no memory makes `failed` true, and what
 * is put afterwards is left out: a page that failed is not sent.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/slice.h>

#include "util/compress/compress.h"

struct hf_console_page {
    struct hf_bytes text;
    size_t limit_bytes;
    bool failed;
};

void hf_console_page_init(struct hf_console_page *page, size_t limit_bytes);
void hf_console_page_release(struct hf_console_page *page);

/*
 * The format is markup; each value in it is escaped, whether it is text or a number. Known are %s,
 * %.*s, %c, %d, %u, %lu, %ld, %llu, %zu, %.Nf and %%.
 */
void hf_console_put(struct hf_console_page *page, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Text of anyone, escaped for content and for values of attributes in double quotes; line ends and
 * tabs stay. */
void hf_console_escape(struct hf_console_page *page, struct hf_slice text);

/* As it is: markup and styles made at build, JSON for a download; never text of others in HTML. */
void hf_console_put_raw(struct hf_console_page *page, struct hf_slice text);

/* `text` as a value in the query of a URL: %XX for all but letters, digits and "-._~"; NULL is
 * nothing. */
void hf_console_put_url(struct hf_console_page *page, const char *text);

/* ---- numbers as people read them ---- */

/* "1,234,567" */
void hf_console_put_count(struct hf_console_page *page, uint64_t count);
/* "12.3 MiB" */
void hf_console_put_bytes(struct hf_console_page *page, double bytes);
/* "3.2 s", "4 min", "2.5 h", "3 d"; for spans and ages */
void hf_console_put_duration(struct hf_console_page *page, double seconds);
/* "1.2k/s"; below 0.05: "0/s" */
void hf_console_put_rate(struct hf_console_page *page, double per_second);
/* "2026-11-29 15:40:37 UTC" in a <time>; 0: a dash */
void hf_console_put_time(struct hf_console_page *page, uint64_t unix_ns);
