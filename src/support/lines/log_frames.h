/*
 * log_frames: where messages of logs end in the bytes of a connection or a datagram. Immutable
 * once made; any thread.
 */
#pragma once

#include "streams.h"
#include "support/tail/lines.h"

/* What ends a message of a connection. */
enum hf_log_framing {
    HF_LOG_FRAMING_LINES = 0, /* as `multiline` has it */
    HF_LOG_FRAMING_OCTETS,    /* RFC 6587, 3.4.1: a count, a blank, so many bytes */
    HF_LOG_FRAMING_NUL,
};

struct hf_log_frames_options {
    enum hf_log_framing framing;
    const char *section;     /* before keys in messages */
    const char *start, *end; /* patterns; at most one */
    bool omit_pattern, keep_leading, keep_trailing;
    bool is_whole; /* all that comes until the end is one */
    size_t bytes_max;
};

struct hf_log_frames {
    enum hf_log_framing framing;
    bool is_whole;
    struct hf_lines lines;
};

/* HF_INVALID with a sentence in `reterr` (HF_ERROR_MAX). `encoding` is borrowed until close. */
HF_MUST_USE enum hf_status hf_log_frames_open(struct hf_log_frames *frames,
                                              const struct hf_log_frames_options *options,
                                              const struct hf_encoding *encoding, char *reterr);
void hf_log_frames_close(struct hf_log_frames *frames);

/* The first message; as of struct hf_streams_ops. `skipping` as of hf_lines_next(). */
HF_MUST_USE bool hf_log_frames_cut(const struct hf_log_frames *frames, struct hf_slice bytes,
                                   bool at_end, bool *skipping,
                                   struct hf_stream_message *ret_message);
