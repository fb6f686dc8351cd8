/*
 * encoding: what the bytes of a file mean, and their text as UTF-8. Characters that are none become
 * U+FFFD. A decoder is owned by one thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "util/compress/compress.h"

struct hf_encoding {
    enum {
        HF_ENCODING_UTF8 = 0, /* checked and repaired */
        HF_ENCODING_NONE,     /* `nop`: bytes, no text */
        HF_ENCODING_ICONV,
    } kind;
    unsigned unit; /* bytes of a newline */
    bool is_big_endian;
    bool is_whole; /* no lines are looked for */
    uint8_t newline[4];
    void *converter; /* iconv's; NULL: none */
};

/* HF_UNSUPPORTED: the machine knows no such encoding. */
HF_MUST_USE enum hf_status hf_encoding_open(const char *name, struct hf_encoding *ret_encoding);
void hf_encoding_close(struct hf_encoding *encoding);

/* `text` as UTF-8: itself when it is, else in `scratch`. HF_NOMEM. */
HF_MUST_USE enum hf_status hf_encoding_decode(struct hf_encoding *encoding, struct hf_slice text,
                                              struct hf_bytes *scratch, struct hf_slice *ret_text);
