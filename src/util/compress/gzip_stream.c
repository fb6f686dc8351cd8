#include "gzip_stream.h"

#include <isa-l/igzip_lib.h>
#include <stdlib.h>

#include "compress_internal.h"

struct hf_gzip_stream {
    struct isal_zstream deflate;
    uint8_t *level_buffer;
};

struct hf_gzip_stream *hf_gzip_stream_new(void)
{
    struct hf_gzip_stream *stream = calloc(1, sizeof(*stream));
    uint8_t *buffer = calloc(1, hf_gzip_level_bytes[0]); /* zeroed as in compress_gzip.c */
    if (stream == NULL || buffer == NULL) {
        free(stream);
        free(buffer);
        return NULL;
    }
    isal_deflate_init(&stream->deflate);
    stream->level_buffer = buffer;
    stream->deflate.level = 1;
    stream->deflate.level_buf = buffer;
    stream->deflate.level_buf_size = hf_gzip_level_bytes[0];
    stream->deflate.gzip_flag = IGZIP_GZIP;
    return stream;
}

void hf_gzip_stream_free(struct hf_gzip_stream *stream)
{
    if (stream != NULL) {
        free(stream->level_buffer);
        free(stream);
    }
}

enum hf_status hf_gzip_stream_add(struct hf_gzip_stream *stream, struct hf_slice part, bool is_last,
                                  struct hf_bytes *out)
{
    enum hf_status status = hf_gzip_feed(&stream->deflate, part, out);
    return status == HF_OK && is_last ? hf_gzip_end(&stream->deflate, out) : status;
}
