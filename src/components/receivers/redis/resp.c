#include "resp.h"

#include <stdio.h>

#include "support/scrape/metric_points.h"

#define LINE_MAX_BYTES 4096u

enum hf_status redis_command_write(const char *const *words, size_t count, struct hf_bytes *bytes)
{
    char head[32];
    snprintf(head, sizeof(head), "*%zu\r\n", count);
    enum hf_status status = hf_bytes_append(bytes, hf_slice_text(head));
    for (size_t i = 0; i < count && status == HF_OK; i++) {
        struct hf_slice word = hf_slice_text(words[i]);
        snprintf(head, sizeof(head), "$%zu\r\n", word.size);
        status = hf_bytes_append(bytes, hf_slice_text(head));
        status = status == HF_OK ? hf_bytes_append(bytes, word) : status;
        status = status == HF_OK ? hf_bytes_append(bytes, hf_slice_text("\r\n")) : status;
    }
    return status;
}

/* The first line without its type and its end. */
static enum hf_status read_line(struct hf_slice bytes, struct hf_slice *ret_line)
{
    const uint8_t *end = bytes.size != 0 ? memchr(bytes.data, '\n', bytes.size) : NULL;
    if (end == NULL) {
        return bytes.size > LINE_MAX_BYTES ? HF_INVALID : HF_AGAIN;
    }
    size_t size = (size_t)(end - bytes.data);
    if (size < 2 || bytes.data[size - 1] != '\r') {
        return HF_INVALID;
    }
    *ret_line = hf_slice_of(bytes.data + 1, size - 2);
    return HF_OK;
}

static enum hf_status read_bulk(struct hf_slice bytes, struct hf_slice line,
                                struct redis_reply *ret_reply)
{
    int64_t size;
    size_t head = line.size + 3;
    if (!hf_read_int(line, &size) || size < 0) {
        return HF_INVALID; /* a missing text too: no command here is answered with it */
    }
    if ((uint64_t)size > REDIS_REPLY_BYTES_MAX) {
        return HF_TOO_LARGE;
    }
    if (bytes.size < head + (size_t)size + 2) {
        return HF_AGAIN;
    }
    ret_reply->text = hf_slice_of(bytes.data + head, (size_t)size);
    ret_reply->size = head + (size_t)size + 2;
    return memcmp(bytes.data + head + size, "\r\n", 2) == 0 ? HF_OK : HF_INVALID;
}

enum hf_status redis_reply_read(struct hf_slice bytes, struct redis_reply *ret_reply)
{
    struct hf_slice line;
    enum hf_status status = read_line(bytes, &line);
    if (bytes.size != 0 && memchr("+-:$", bytes.data[0], 4) == NULL) {
        return HF_INVALID;
    }
    if (status != HF_OK) {
        return status;
    }
    ret_reply->is_error = bytes.data[0] == '-';
    if (bytes.data[0] == '$') {
        return read_bulk(bytes, line, ret_reply);
    }
    ret_reply->text = line;
    ret_reply->size = line.size + 3;
    return HF_OK;
}
