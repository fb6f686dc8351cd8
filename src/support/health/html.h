/*
 * html: a page of plain HTML, written piece by piece. Text is escaped: what could steer a terminal
 * or a browser comes out as visible text. When memory runs out the page notes it and ignores what
 * follows: ask hf_html_status() at the end. Starts as {0}; owned by one thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "util/compress/compress.h"

struct hf_html {
    struct hf_bytes out;
    bool failed;
};

void hf_html_release(struct hf_html *html);
HF_MUST_USE enum hf_status hf_html_status(const struct hf_html *html);

/* The head of a page with a small style of its own, and its heading. */
void hf_html_begin(struct hf_html *html, const char *title);
void hf_html_end(struct hf_html *html);

/* Markup, as it is: a literal. */
void hf_html_raw(struct hf_html *html, const char *markup);
/* Text of anybody. */
void hf_html_text(struct hf_html *html, const char *text);
void hf_html_number(struct hf_html *html, uint64_t number);
/* Text as a value of a query: percent-encoded. */
void hf_html_query(struct hf_html *html, const char *text);
/* A Unix time, as RFC 3339 in UTC to the microsecond; 0: "-". */
void hf_html_time(struct hf_html *html, uint64_t unix_ns);

/* A table: its columns, up to NULL; rows of cells; its end. */
void hf_html_table(struct hf_html *html, const char *const *columns);
void hf_html_row(struct hf_html *html);
void hf_html_cell(struct hf_html *html, const char *text);
void hf_html_end_row(struct hf_html *html);
void hf_html_end_table(struct hf_html *html);
