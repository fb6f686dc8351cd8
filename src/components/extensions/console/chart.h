/*
 * chart: charts as SVG, drawn by the server: no script, no style attributes, colours by classes of
 * the style sheet. Each has a title for those who do not see it, and its numbers stand as text
 * beside it.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "page.h"

struct hf_console_curve {
    const char *title; /* what it shows, with its numbers: for screen readers */
    const char *shade; /* the class of its colour */
    const double *x, *y;
    size_t count;
    double x_from, x_to; /* of the whole chart */
    double y_max;        /* 0: the greatest y */
    double gap;          /* points further apart are not joined; 0: all are */
    unsigned width, height;
    const char *from_label, *to_label, *max_label;
};

void hf_console_put_curve(struct hf_console_page *page, const struct hf_console_curve *curve);

/* Bars side by side, as of a histogram: `labels` below them. */
struct hf_console_bars {
    const char *title;
    const double *values;
    const char *const *labels;
    size_t count;
};

void hf_console_put_bars(struct hf_console_page *page, const struct hf_console_bars *bars);

/* Parts of a line from 0 to 1: segments, spans, outages. */
struct hf_console_part {
    double from, to;
    const char *shade;
    const char *title;
};

/* A line of parts, with marks (parts of no width) above them. */
void hf_console_put_line(struct hf_console_page *page, const char *title,
                         const struct hf_console_part *parts, size_t count,
                         const struct hf_console_part *marks, size_t mark_count);
