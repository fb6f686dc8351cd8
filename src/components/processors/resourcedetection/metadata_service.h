/*
 * metadata_service: where a cloud's metadata service is, and where its answer has each attribute.
 * Constant tables.
 */
#pragma once

#include <stdbool.h>

#include <holdfast/slice.h>

struct hf_detection;

/* One attribute. */
struct hf_metadata_value {
    const char *attribute; /* NULL ends */
    const char *from; /* a path of names in the document, or of the URL; NULL: see the others */
    const char *text; /* always this value; NULL with `from` NULL: `more` sets it */
    bool is_off;      /* unless it is asked for */
};

/* A token that a request gets with PUT, and that the others have in a header. */
struct hf_metadata_token {
    const char *url, *header, *value, *body; /* of the request; `body` NULL: none */
    const char *from;          /* where the JSON answer has it; NULL: the answer is the token */
    const char *into, *prefix; /* the header of the others, and what precedes the token there */
};

struct hf_metadata_service {
    const char *url;                       /* of the document; of texts: their paths are appended */
    const char *other_url;                 /* asked when `url` does not answer; NULL: none */
    bool is_document;                      /* one JSON object; otherwise a text per path */
    const char *header, *header_value;     /* of each request; NULL: none */
    const struct hf_metadata_token *token; /* NULL: none */
    const struct hf_metadata_value *values;
    void (*more)(struct hf_detection *detection, struct hf_slice document); /* may be NULL */
};
