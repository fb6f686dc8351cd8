/*
 * escape: text of strangers, made fit to be shown: for each place where text leaves the process for
 * people, terminals or parsers.
 *
 * What could steer a terminal, end a line, turn its direction around or break a parser is spelled
 * out: C0 and C1 controls, DEL, the line separators U+2028 and U+2029, the bidirectional controls
 * (U+061C, U+200E, U+200F, U+202A to U+202E, U+2066 to U+2069) and bytes that are not UTF-8. What
 * comes out is always UTF-8. Any thread; no state.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "util/compress/compress.h"

enum hf_escape {
    HF_ESCAPE_LINE,  /* one line for people: \n, \x1b, \u202e, and \xff for a byte that is no UTF-8
                      */
    HF_ESCAPE_JSON,  /* the inside of a JSON string: \n, \u001b, and \ufffd for bad bytes */
    HF_ESCAPE_LABEL, /* a label's value of the Prometheus text format: as LINE, backslashes doubled
                      */
    HF_ESCAPE_MADE_JSON, /* whole JSON text: as JSON, but quotes, backslashes and blanks stay */
};

#define HF_ESCAPE_UNIT_MAX 8u /* bytes that one character, or one bad byte, may become */

/* Is there nothing in the text that LINE would spell out? */
bool hf_escape_is_needless(struct hf_slice text);

/* Cuts what has no room, never within a character or an escape, and ends with a NUL: `room` is at
 * least 1. Returns the size without the NUL. */
size_t hf_escape(enum hf_escape how, struct hf_slice text, char *ret_text, size_t room);

/* HF_NOMEM: `out` holds a part. */
HF_MUST_USE enum hf_status hf_escape_append(enum hf_escape how, struct hf_slice text,
                                            struct hf_bytes *out);

/* Errors are for ferror(). */
void hf_escape_print(enum hf_escape how, struct hf_slice text, FILE *out);
