/*
 * server_head: can the head of a request be read in one way only?
 *
 * A proxy before us may have read it otherwise than the library did, and taken two requests for
 * one. So whatever two readers may understand differently is refused, before the body is used, and
 * the connection is closed: what comes behind is not to be trusted either.
 *
 * The library shows names and values, not the lines that they stood in. Up to 0.9.75 it takes lines
 * that end with a bare LF, folded ones, and NULs in them; but it cuts the lines where they lie and
 * tells how long the head was. So with `raw` each line is looked at where it stands. Newer versions
 * refuse such lines themselves.
 *
 * Functions of their arguments alone.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/slice.h>

struct http_refusal {
    int status; /* 0: none */
    const char *text;
};

struct http_head {
    /* The head where the library cut it, from the method to the empty line; empty: its lines are
     * not looked at. */
    struct hf_slice raw;
    const uint8_t *at; /* where its next line must begin */
    bool is_1_0;
    unsigned hosts, lengths, codings, chunked;
    bool ends_chunked;
    struct http_refusal refusal; /* the first */
};

/* What the library says of the request line. */
struct http_start {
    struct hf_slice raw;
    const char *method, *url, *version;
    size_t uri_bytes; /* as hf_http_uri_is_sound() measured it, before it was unescaped */
};

/* The URI as it was sent. Its size goes to *ret_bytes, also when it is none. */
bool hf_http_uri_is_sound(const char *uri, size_t *ret_bytes);

void hf_http_head_begin(struct http_head *head, const struct http_start *start);
/* Each header, in the order in which they came. */
void hf_http_head_field(struct http_head *head, struct hf_slice name, struct hf_slice value);
struct http_refusal hf_http_head_end(struct http_head *head);
