#include "log_frames.h"

#include <stdio.h>
#include <string.h>

#include <holdfast/component.h>

#include "util/blank.h"
#include "util/regex/regex.h"

#define COUNT_DIGITS_MAX 9u

static enum hf_status open_pattern(const char *section, const char *key, const char *pattern,
                                   struct hf_regex **ret_regex, char *reterr)
{
    char why[HF_ERROR_MAX] = "";
    if (pattern == NULL) {
        return HF_OK;
    }
    enum hf_status status = hf_lines_pattern(pattern, ret_regex, why);
    if (status == HF_INVALID) {
        snprintf(reterr, HF_ERROR_MAX, "%smultiline::%s: %.400s", section, key, why);
    }
    return status;
}

enum hf_status hf_log_frames_open(struct hf_log_frames *frames,
                                  const struct hf_log_frames_options *options,
                                  const struct hf_encoding *encoding, char *reterr)
{
    *frames = (struct hf_log_frames){
        .framing = options->framing,
        .is_whole = options->is_whole,
        .lines = {.encoding = encoding,
                  .omit_pattern = options->omit_pattern,
                  .keep_leading = options->keep_leading,
                  .keep_trailing = options->keep_trailing,
                  .bytes_max = options->bytes_max},
    };
    if (options->start != NULL && options->end != NULL) {
        snprintf(reterr, HF_ERROR_MAX,
                 "%smultiline: line_start_pattern and line_end_pattern exclude each other",
                 options->section);
        return HF_INVALID;
    }
    enum hf_status status = open_pattern(options->section, "line_start_pattern", options->start,
                                         &frames->lines.start, reterr);
    return status == HF_OK ? open_pattern(options->section, "line_end_pattern", options->end,
                                          &frames->lines.end, reterr)
                           : status;
}

void hf_log_frames_close(struct hf_log_frames *frames)
{
    hf_regex_free(frames->lines.start);
    hf_regex_free(frames->lines.end);
}

static struct hf_slice trimmed(const struct hf_lines *lines, struct hf_slice text)
{
    while (!lines->keep_leading && text.size != 0 && hf_is_space(text.data[0])) {
        text = hf_slice_of(text.data + 1, text.size - 1);
    }
    while (!lines->keep_trailing && text.size != 0 && hf_is_space(text.data[text.size - 1])) {
        text.size--;
    }
    return text;
}

/* All of it, or as much as one message may have. */
static bool cut_whole(const struct hf_log_frames *frames, struct hf_slice bytes, bool at_end,
                      struct hf_stream_message *ret)
{
    size_t most = frames->lines.bytes_max;
    if (!at_end && bytes.size < most) {
        return false;
    }
    ret->used = bytes.size < most ? bytes.size : most;
    ret->bytes = trimmed(&frames->lines, hf_slice_of(bytes.data, ret->used));
    return true;
}

/* "12 so many bytes", the count and its blank included: the parser leaves them out. */
static bool cut_octets(const struct hf_log_frames *frames, struct hf_slice bytes, bool at_end,
                       struct hf_stream_message *ret)
{
    size_t count = 0, at = 0;
    while (at < bytes.size && at < COUNT_DIGITS_MAX && bytes.data[at] >= '0' &&
           bytes.data[at] <= '9') {
        count = count * 10 + (size_t)(bytes.data[at++] - '0');
    }
    bool is_counted =
        at != 0 && bytes.data[0] != '0' && at < bytes.size && hf_is_space(bytes.data[at]);
    if (at == bytes.size && at < COUNT_DIGITS_MAX && !at_end) {
        return false;
    }
    if (!is_counted || count > frames->lines.bytes_max) {
        /* Not framed as it should be: up to the end of the line, so that the rest is not lost. */
        const uint8_t *end = memchr(bytes.data, '\n', bytes.size);
        size_t most = frames->lines.bytes_max;
        size_t size = end != NULL ? (size_t)(end - bytes.data) + 1 : bytes.size;
        if (end == NULL && !at_end && size < most) {
            return false;
        }
        ret->used = size < most ? size : most;
    } else if (at + 1 + count <= bytes.size) {
        ret->used = at + 1 + count;
    } else if (at_end) {
        ret->used = bytes.size;
    } else {
        return false;
    }
    ret->bytes = trimmed(&frames->lines, hf_slice_of(bytes.data, ret->used));
    ret->is_nothing = ret->bytes.size == 0;
    return true;
}

static bool cut_nul(const struct hf_log_frames *frames, struct hf_slice bytes, bool at_end,
                    struct hf_stream_message *ret)
{
    const uint8_t *end = memchr(bytes.data, '\0', bytes.size);
    if (end == NULL) {
        bool found = cut_whole(frames, bytes, at_end, ret);
        ret->is_nothing = found && ret->bytes.size == 0;
        return found;
    }
    size_t size = (size_t)(end - bytes.data);
    ret->used = size + 1;
    ret->bytes = trimmed(&frames->lines, hf_slice_of(bytes.data, size));
    ret->is_nothing = ret->bytes.size == 0;
    return true;
}

bool hf_log_frames_cut(const struct hf_log_frames *frames, struct hf_slice bytes, bool at_end,
                       bool *skipping, struct hf_stream_message *ret_message)
{
    struct hf_line line = {0};
    *ret_message = (struct hf_stream_message){0};
    if (bytes.size == 0) {
        return false;
    }
    if (frames->is_whole) {
        return cut_whole(frames, bytes, at_end, ret_message);
    }
    if (frames->framing == HF_LOG_FRAMING_OCTETS) {
        return cut_octets(frames, bytes, at_end, ret_message);
    }
    if (frames->framing == HF_LOG_FRAMING_NUL) {
        return cut_nul(frames, bytes, at_end, ret_message);
    }
    if (!hf_lines_next(&frames->lines, bytes, at_end, skipping, &line)) {
        return false;
    }
    ret_message->bytes = line.text;
    ret_message->used = line.used;
    return true;
}
