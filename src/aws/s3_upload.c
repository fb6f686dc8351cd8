#include "s3_upload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "texts.h"
#include "util/compress/compress.h"
#include "util/grow.h"
#include "util/time/clock.h"

#define PARTS_MAX 10000u /* what S3 allows */

static size_t body_size(const struct hf_s3_upload *upload)
{
    size_t size = 0;
    for (size_t i = 0; i < upload->piece_count; i++) {
        size += upload->pieces[i].size;
    }
    return size;
}

static void call(struct hf_s3_upload *upload, const char *method, const char *query,
                 void (*done)(struct hf_s3_call *call, const struct hf_s3_result *result))
{
    struct hf_s3_call *made = &upload->call;
    made->method = method;
    made->bucket = upload->bucket;
    made->key = upload->key;
    made->query = query;
    made->deadline_ns = upload->timeout_ns != 0 ? hf_clock_monotonic_ns() + upload->timeout_ns : 0;
    made->done = done;
    hf_s3_call(upload->s3, made);
}

/* Of the object, or nothing. */
static void set_headers(struct hf_s3_upload *upload, bool of_object)
{
    struct hf_s3_call *made = &upload->call;
    made->headers = of_object ? upload->headers : NULL;
    made->header_count = of_object ? upload->header_count : 0;
    made->content_type = of_object ? upload->content_type : NULL;
    made->content_encoding = of_object ? upload->content_encoding : NULL;
}

static void set_body(struct hf_s3_upload *upload, const struct hf_slice *pieces, size_t count)
{
    upload->call.pieces = pieces;
    upload->call.piece_count = count;
}

static void on_put(struct hf_s3_call *made, const struct hf_s3_result *result)
{
    struct hf_s3_upload *upload = HF_CONTAINER(made, struct hf_s3_upload, call);
    upload->done(upload, result);
}

/* ---- in parts ---- */

static void on_aborted(struct hf_s3_call *made, const struct hf_s3_result *result)
{
    struct hf_s3_upload *upload = HF_CONTAINER(made, struct hf_s3_upload, call);
    const struct hf_s3_result failure = upload->failure;
    (void)result; /* the bucket's rule removes what is left */
    upload->done(upload, &failure);
}

static void give_up(struct hf_s3_upload *upload, const struct hf_s3_result *why)
{
    upload->failure = *why;
    upload->failure.body = HF_EMPTY_SLICE;
    set_headers(upload, false);
    set_body(upload, NULL, 0);
    snprintf(upload->query, sizeof(upload->query), "uploadId=%s", upload->upload_id);
    call(upload, "DELETE", upload->query, on_aborted);
}

static void fail(struct hf_s3_upload *upload, enum hf_status status, const char *why)
{
    struct hf_s3_result result = {.status = status};
    snprintf(result.message, sizeof(result.message), "%s", why);
    give_up(upload, &result);
}

static void on_completed(struct hf_s3_call *made, const struct hf_s3_result *result)
{
    struct hf_s3_upload *upload = HF_CONTAINER(made, struct hf_s3_upload, call);
    if (result->status != HF_OK && result->status != HF_CLOSED) {
        give_up(upload, result);
        return;
    }
    upload->done(upload, result);
}

static void complete(struct hf_s3_upload *upload)
{
    if (hf_bytes_append(&upload->list, hf_slice_text("</CompleteMultipartUpload>")) != HF_OK) {
        fail(upload, HF_NOMEM, "no memory for the upload");
        return;
    }
    upload->part[0] = hf_slice_of(upload->list.data, upload->list.size);
    set_body(upload, upload->part, 1);
    upload->call.content_type = "application/xml";
    snprintf(upload->query, sizeof(upload->query), "uploadId=%s", upload->upload_id);
    call(upload, "POST", upload->query, on_completed);
}

/* The pieces of the next part. */
static size_t cut(struct hf_s3_upload *upload)
{
    size_t count = 0, left = HF_S3_PART_BYTES;
    while (left != 0 && upload->piece < upload->piece_count) {
        struct hf_slice piece = upload->pieces[upload->piece];
        size_t size = piece.size - upload->offset;
        size = size < left ? size : left;
        upload->part[count++] = hf_slice_of(piece.data + upload->offset, size);
        left -= size;
        upload->offset += size;
        if (upload->offset == piece.size) {
            upload->piece++;
            upload->offset = 0;
        }
    }
    return count;
}

static void send_part(struct hf_s3_upload *upload);

static void on_part(struct hf_s3_call *made, const struct hf_s3_result *result)
{
    struct hf_s3_upload *upload = HF_CONTAINER(made, struct hf_s3_upload, call);
    char line[256];
    if (result->status == HF_CLOSED) {
        upload->done(upload, result);
        return;
    }
    if (result->status != HF_OK) {
        give_up(upload, result);
        return;
    }
    snprintf(line, sizeof(line), "<Part><PartNumber>%u</PartNumber><ETag>%.200s</ETag></Part>",
             upload->parts, result->etag);
    if (hf_bytes_append(&upload->list, hf_slice_text(line)) != HF_OK) {
        fail(upload, HF_NOMEM, "no memory for the upload");
    } else if (upload->piece < upload->piece_count) {
        send_part(upload);
    } else {
        complete(upload);
    }
}

static void send_part(struct hf_s3_upload *upload)
{
    if (++upload->parts > PARTS_MAX) {
        fail(upload, HF_TOO_LARGE, "the object has more than 10,000 parts");
        return;
    }
    set_headers(upload, false);
    set_body(upload, upload->part, cut(upload));
    snprintf(upload->query, sizeof(upload->query), "partNumber=%u&uploadId=%s", upload->parts,
             upload->upload_id);
    call(upload, "PUT", upload->query, on_part);
}

/* As a parameter of a URL. False: it does not fit. */
static bool read_upload_id(struct hf_s3_upload *upload, struct hf_slice xml)
{
    char text[512];
    return hf_s3_next_text(&xml, "UploadId", text, sizeof(text)) && text[0] != '\0' &&
           hf_s3_escape(text, upload->upload_id, sizeof(upload->upload_id));
}

static void on_created(struct hf_s3_call *made, const struct hf_s3_result *result)
{
    struct hf_s3_upload *upload = HF_CONTAINER(made, struct hf_s3_upload, call);
    if (result->status != HF_OK) {
        upload->done(upload, result);
        return;
    }
    if (!read_upload_id(upload, result->body)) {
        struct hf_s3_result failure = {.status = HF_AGAIN, .code = result->code};
        snprintf(failure.message, sizeof(failure.message), "the store began no upload");
        upload->done(upload, &failure);
        return;
    }
    upload->list.size = 0;
    if (hf_bytes_append(&upload->list, hf_slice_text("<CompleteMultipartUpload>")) != HF_OK) {
        fail(upload, HF_NOMEM, "no memory for the upload");
        return;
    }
    send_part(upload);
}

/* Room for the pieces of a part, which is at most all of them. */
static bool reserve(struct hf_s3_upload *upload)
{
    return hf_grow(&upload->part, &upload->part_capacity, upload->piece_count + 1,
                   sizeof(*upload->part));
}

void hf_s3_upload_start(struct hf_s3 *s3, struct hf_s3_upload *upload)
{
    upload->s3 = s3;
    upload->parts = 0;
    upload->piece = upload->offset = 0;
    if (!reserve(upload)) {
        struct hf_s3_result result = {.status = HF_NOMEM, .message = "no memory for the upload"};
        upload->done(upload, &result);
        return;
    }
    set_headers(upload, true);
    if (body_size(upload) <= HF_S3_PART_BYTES) {
        set_body(upload, upload->pieces, upload->piece_count);
        call(upload, "PUT", NULL, on_put);
        return;
    }
    set_body(upload, NULL, 0);
    call(upload, "POST", "uploads", on_created);
}

void hf_s3_upload_release(struct hf_s3_upload *upload)
{
    free(upload->part);
    hf_bytes_release(&upload->list);
    upload->part = NULL;
    upload->part_capacity = 0;
}
