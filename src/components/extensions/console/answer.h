/*
 * answer: an answer with the headers that all of the console's answers have: nothing is loaded from
 * elsewhere, no script or style stands in a page, no other site frames it or reads it.
 *
 * Any thread.
 */
#pragma once

#include <stdbool.h>

#include <holdfast/slice.h>

#include "assets.h"
#include "http/server.h"

struct hf_console_answer {
    int status;
    const char *content_type; /* NULL: HTML */
    struct hf_slice body;
    const char *location;  /* NULL: none */
    const char *download;  /* the name of a file; NULL: it is shown */
    const char *cookie;    /* a new one; NULL: none */
    bool is_encrypted;     /* the cookie is for TLS only */
    bool asks_credentials; /* with 401 */
};

void hf_console_answer(struct hf_http_request *http, const struct hf_console_answer *answer);

/* Plain text, for those who are not let in. */
void hf_console_answer_text(struct hf_http_request *http, int status, const char *text);

/* A file of the browser's side: whole, packed if that is welcome, or "not modified". */
void hf_console_answer_asset(struct hf_http_request *http, const struct hf_console_asset *asset);
