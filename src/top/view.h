/*
 * view: the page that `holdfast top` shows of its rows. Owned by one thread.
 */
#pragma once

#include "page.h"
#include "top.h"

#define HF_VIEW_FILTER_MAX 64u

struct hf_view {
    enum hf_top_part part;
    size_t sorts[HF_TOP_PART_COUNT]; /* index of the column that each part is sorted by */
    bool is_reversed, hides_details, is_ascii, is_paused, is_typing;
    bool is_one;                     /* all parts below each other, without keys: for scripts */
    char filter[HF_VIEW_FILTER_MAX]; /* shows rows that contain it, in any case */
    const char *lost;                /* why the process does not answer; NULL: it does */
    double lost_s;                   /* for how long */
};

/* The columns that a part can be sorted by. */
size_t hf_view_column_count(enum hf_top_part part);

/* Sorts the rows, and fills the page; `page->width` is set. Returns how many of the first lines are
 * the head, which does not scroll. */
size_t hf_view_draw(const struct hf_view *view, struct hf_top *top, struct hf_page *page);
