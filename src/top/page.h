/*
 * page: lines of text with emphasis, as a terminal shows them, without a terminal. Owned by one
 * thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define HF_PAGE_LINE_MAX 1024u

enum hf_emphasis { HF_PLAIN = 0, HF_STRONG, HF_FAINT, HF_REVERSED, HF_ALARM };

struct hf_page_line {
    char text[HF_PAGE_LINE_MAX]; /* UTF-8 */
    size_t width;                /* columns taken */
    enum hf_emphasis emphasis;
};

struct hf_page {
    struct hf_page_line *lines;
    size_t count, capacity;
    size_t width; /* columns; what is longer is cut */
};

/* A new line; NULL: out of memory. */
struct hf_page_line *hf_page_line(struct hf_page *page, enum hf_emphasis emphasis);
/* Appends text of others: what could steer a terminal is escaped, each character counts as a
 * column. */
void hf_page_put(const struct hf_page *page, struct hf_page_line *line, const char *text);
/* A cell of that width, cut or filled with blanks, on the left or on the right. */
void hf_page_cell(const struct hf_page *page, struct hf_page_line *line, const char *text,
                  size_t width, bool is_right);
/* All lines are gone; the memory stays. */
void hf_page_clear(struct hf_page *page);
void hf_page_release(struct hf_page *page);
