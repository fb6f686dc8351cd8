/*
 * ch_answer: what ClickHouse's answer to an insert means, by the code of its exception. Any thread;
 * no state.
 */
#pragma once

#include <stdbool.h>

#include <holdfast/slice.h>
#include <holdfast/status.h>

struct ch_verdict {
    enum hf_status status; /* as in struct hf_outcome */
    bool is_suspect;       /* likewise */
};

/* The number of an exception, from the header X-ClickHouse-Exception-Code (NULL: absent) or the
 * text of the body, "Code: 60. DB::Exception: ...". 0: it has none. */
int ch_answer_code(const char *header, struct hf_slice body);

/* `text`: the exception's own words. False: the code says nothing that is known here. */
HF_MUST_USE bool ch_answer_verdict(int code, struct hf_slice text, struct ch_verdict *ret);

/* Codes that the exporter acts on itself. */
enum { CH_NO_SUCH_COLUMN = 16, CH_UNKNOWN_TABLE = 60, CH_UNKNOWN_DATABASE = 81 };
