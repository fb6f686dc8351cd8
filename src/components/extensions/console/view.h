/*
 * view: what a page is made of and what it becomes. A page is a function that writes the inside of
 * <main> and may say more about its answer; the layout around it is view.c's.
 *
 * Live pages are made of the snapshot alone, at once, on any thread. Slow ones run commands, on the
 * worker's thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/node.h>

#include "history.h"
#include "page.h"
#include "request.h"
#include "snapshot.h"
#include "json/json.h"

#define HF_CONSOLE_PAGE_BYTES_MAX (8u << 20)

struct hf_console_view {
    const struct hf_console_request *request;
    const struct hf_console_snapshot *snapshot; /* NULL: none yet */
    struct hf_console_history *history;
    const struct hf_node *node; /* for commands: slow pages only */
    struct hf_arena arena;      /* of this page */
    /* What the page says of its answer. */
    int status;                      /* 0: 200 */
    char title[200];                 /* "": the route's */
    struct hf_console_page location; /* not empty: 303 to there */
    const char *download;            /* NULL, or the name of the file that the page's text is */
};

enum hf_console_kind {
    HF_CONSOLE_LIVE = 0, /* of the snapshot; it has an event stream */
    HF_CONSOLE_SLOW,     /* runs commands */
    HF_CONSOLE_CHANGE,   /* POST: runs commands that change something */
};

struct hf_console_route {
    const char *path;
    enum hf_console_kind kind;
    const char *title;
    const char *section; /* the entry of the navigation that it belongs to */
    void (*show)(struct hf_console_view *view, struct hf_console_page *page);
};

/* The whole document: layout and inside. */
void hf_console_write_document(struct hf_console_view *view, const struct hf_console_route *route,
                               struct hf_console_page *page);
/* The live part alone, as one event of a stream. */
void hf_console_write_event(struct hf_console_view *view, const struct hf_console_route *route,
                            struct hf_console_page *page);
/* A document that says what went wrong. */
void hf_console_write_fault(struct hf_console_view *view, const char *title, const char *sentence,
                            struct hf_console_page *page);

/* ---- pieces that pages share ---- */

/* The hidden field that a form with a change must have. */
void hf_console_put_token(const struct hf_console_view *view, struct hf_console_page *page);
/* A state with its sign, class and word: "ok", "failing", ... */
void hf_console_put_state(struct hf_console_page *page, const char *level, const char *word);
/* <a href="/PATH?NAME=VALUE">TEXT</a> */
void hf_console_put_link(struct hf_console_page *page, const char *path, const char *name,
                         const char *value, const char *text);
/* Nanoseconds from `unix_ns` to the snapshot as "3 min ago"; 0: a dash. */
void hf_console_put_ago(const struct hf_console_view *view, struct hf_console_page *page,
                        uint64_t unix_ns);
/* The rate of a number, or an ellipsis while it is not known. */
void hf_console_put_rate_of(const struct hf_console_view *view, struct hf_console_page *page,
                            const struct hf_json *number);
/* A JSON text as a C string in the view's arena; "" when there is none, or no memory. */
const char *hf_console_text(struct hf_console_view *view, const struct hf_json *value,
                            const char *key);
