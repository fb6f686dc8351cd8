/*
 * server_response: an answer as the library's response.
 */
#include <stdio.h>

#include "server_internal.h"

#define STREAM_BLOCK_BYTES 65536u

/* An answer to HEAD has the size of a body, and none is read. */
static ssize_t read_nothing(void *user, uint64_t at, char *out, size_t room)
{
    (void)user, (void)at, (void)out, (void)room;
    return MHD_CONTENT_READER_END_WITH_ERROR;
}

static ssize_t read_stream(void *user, uint64_t at, char *out, size_t room)
{
    struct hf_http_stream *stream = user;
    (void)at;
    ssize_t size = stream->read(stream, (uint8_t *)out, room);
    return size > 0    ? size
           : size == 0 ? MHD_CONTENT_READER_END_OF_STREAM
                       : MHD_CONTENT_READER_END_WITH_ERROR;
}

static void free_stream(void *user)
{
    struct hf_http_stream *stream = user;
    stream->free(stream);
}

static struct MHD_Response *new_stream(struct hf_http_stream *stream)
{
    struct MHD_Response *response = MHD_create_response_from_callback(
        MHD_SIZE_UNKNOWN, STREAM_BLOCK_BYTES, read_stream, stream, free_stream);
    if (response == NULL) {
        free_stream(stream);
    }
    return response;
}

static struct MHD_Response *new_content(const struct hf_http_answer *answer)
{
    if (answer->stream != NULL) {
        return new_stream(answer->stream);
    }
    if (answer->head_bytes != 0) {
        return MHD_create_response_from_callback(answer->head_bytes, 1, read_nothing, NULL, NULL);
    }
    return MHD_create_response_from_buffer(answer->body.size, (void *)(uintptr_t)answer->body.data,
                                           MHD_RESPMEM_MUST_COPY);
}

struct MHD_Response *hf_http_new_response(const struct hf_http_answer *answer)
{
    struct MHD_Response *response = new_content(answer);
    if (response == NULL) {
        return NULL;
    }
    bool added = true;
    if (answer->content_type != NULL) {
        added = MHD_add_response_header(response, "Content-Type", answer->content_type) == MHD_YES;
    }
    if (answer->allow != NULL) {
        added = added && MHD_add_response_header(response, "Allow", answer->allow) == MHD_YES;
    }
    if (answer->retry_after_s != 0) {
        char seconds[24];
        snprintf(seconds, sizeof(seconds), "%llu", (unsigned long long)answer->retry_after_s);
        added = added && MHD_add_response_header(response, "Retry-After", seconds) == MHD_YES;
    }
    for (size_t i = 0; i < answer->header_count && added; i++) {
        const struct hf_http_answer_header *header = &answer->headers[i];
        added = header->value == NULL ||
                MHD_add_response_header(response, header->name, header->value) == MHD_YES;
    }
    if (!added) {
        MHD_destroy_response(response);
        return NULL;
    }
    return response;
}
