#include "awss3_objects.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aws/s3.h"
#include "pdata/any.h"
#include "pdata/document.h"
#include "pdata/parts.h"

#define WHY_MAX 256

void awss3_objects_drop(struct awss3_objects *objects)
{
    for (size_t i = 0; i < objects->count; i++) {
        struct awss3_object *object = &objects->items[i];
        free(object->bucket);
        free(object->key);
        hf_bytes_release(&object->body);
    }
    free(objects->items);
    objects->items = NULL;
    objects->count = 0;
}

void awss3_objects_release(struct awss3_objects *objects)
{
    awss3_objects_drop(objects);
    hf_payload_release(&objects->payload);
}

static enum hf_status name_object(struct awss3_object *object, const struct hf_object_namer *namer,
                                  const struct hf_export *export, const char *bucket,
                                  const char *prefix, char *reterr)
{
    char key[HF_S3_KEY_MAX + 1];
    enum hf_status status = hf_object_name(namer, export, prefix, key, sizeof(key));
    if (status != HF_OK) {
        snprintf(reterr, WHY_MAX, "the key of the object has more than 1024 bytes");
        return HF_INVALID;
    }
    object->bucket = strdup(bucket != NULL ? bucket : "");
    object->key = strdup(key);
    return object->bucket != NULL && object->key != NULL ? HF_OK : HF_NOMEM;
}

/* ---- all in one ---- */

static enum hf_status make_one(struct awss3_objects *objects, const struct awss3_config *config,
                               const struct hf_object_namer *namer, const struct hf_export *export,
                               char *reterr)
{
    enum hf_status status =
        hf_object_build(&objects->payload, (enum hf_object_format)config->format, export,
                        awss3_coding(config), reterr);
    objects->items = status == HF_OK ? calloc(1, sizeof(*objects->items)) : NULL;
    if (objects->items == NULL) {
        return status != HF_OK ? status : HF_NOMEM;
    }
    objects->count = 1;
    objects->items[0].pieces = objects->payload.slices;
    objects->items[0].piece_count = objects->payload.count;
    return name_object(&objects->items[0], namer, export, config->s3.bucket, config->s3.prefix,
                       reterr);
}

/* ---- by attributes ---- */

/* The attribute as text, a NUL at its end, or `otherwise`. */
static enum hf_status append_place(struct hf_message *resource, const char *attribute,
                                   const char *otherwise, struct hf_bytes *out)
{
    struct hf_slice value;
    const char end = '\0';
    enum hf_status status;
    size_t before = out->size;
    bool is_there = attribute != NULL && attribute[0] != '\0' && resource != NULL &&
                    hf_message_attribute(resource, 1, hf_slice_text(attribute), &value);
    status = is_there ? hf_any_text(value, out) : HF_OK;
    if (status == HF_OK && out->size == before && otherwise != NULL) {
        status = hf_bytes_append(out, hf_slice_text(otherwise));
    }
    /* No key or bucket has a NUL. */
    const void *inside =
        out->size != before ? memchr(out->data + before, 0, out->size - before) : NULL;
    if (inside != NULL) {
        out->size = (size_t)((const uint8_t *)inside - out->data);
    }
    return status == HF_OK ? hf_bytes_append(out, hf_slice_of(&end, 1)) : status;
}

/* "bucket\0prefix\0", in the document's memory. */
static enum hf_status place_of(struct hf_document *document, const struct awss3_config *config,
                               const struct hf_place *place, struct hf_slice *ret_key)
{
    struct hf_bytes text = {0};
    struct hf_message *resource = hf_place_resource(place);
    enum hf_status status =
        append_place(resource, config->attributes.bucket, config->s3.bucket, &text);
    if (status == HF_OK) {
        status = append_place(resource, config->attributes.prefix, config->s3.prefix, &text);
    }
    if (status == HF_OK) {
        *ret_key = hf_document_keep(document, hf_slice_of(text.data, text.size));
        status = ret_key->size == text.size ? HF_OK : HF_NOMEM;
    }
    hf_bytes_release(&text);
    return status;
}

static enum hf_status sort(struct hf_parts *parts, struct hf_document *document,
                           const struct awss3_config *config)
{
    struct hf_place place = {.document = document};
    const struct hf_message *group = NULL;
    struct hf_slice key = HF_EMPTY_SLICE;
    enum hf_status status = HF_OK;
    while (status == HF_OK && hf_place_next_item(&place)) {
        if (place.resource_group != group) {
            group = place.resource_group;
            status = place_of(document, config, &place, &key);
        }
        if (status == HF_OK) {
            status = hf_parts_put(parts, &place, key);
        }
    }
    hf_parts_put_rest(parts, document, 0);
    status = status == HF_OK ? hf_document_status(document) : status;
    return status == HF_FULL ? HF_TOO_LARGE : status; /* a half has fewer of them */
}

static enum hf_status make_part(struct awss3_object *object, const struct awss3_config *config,
                                enum hf_signal signal, struct hf_slice raw, char *reterr)
{
    struct hf_bytes text = {0};
    enum hf_coding coding = awss3_coding(config);
    enum hf_status status =
        hf_object_write((enum hf_object_format)config->format, signal, raw, &text, reterr);
    struct hf_slice plain = hf_slice_of(text.data, text.size);
    if (status == HF_OK && coding != HF_IDENTITY) {
        status = hf_encode(coding, 0, &plain, 1, &object->body);
        hf_bytes_release(&text);
    } else {
        object->body = text;
    }
    object->slice = hf_slice_of(object->body.data, object->body.size);
    object->pieces = &object->slice;
    object->piece_count = 1;
    return status;
}

/* What the objects are made of and for. */
struct making {
    const struct awss3_config *config;
    const struct hf_object_namer *namer;
    const struct hf_export *export;
    const struct hf_parts *parts;
};

static enum hf_status make_parts(struct awss3_objects *objects, const struct making *making,
                                 const struct hf_bytes *written, char *reterr)
{
    const struct awss3_config *config = making->config;
    enum hf_status status = HF_OK;
    for (size_t i = 0; i < making->parts->count && status == HF_OK; i++) {
        struct awss3_object *object = &objects->items[objects->count++];
        const char *bucket = (const char *)making->parts->items[i].key.data;
        const char *prefix = bucket + strlen(bucket) + 1;
        struct hf_slice raw = hf_slice_of(written[i].data, written[i].size);
        object->is_by_attribute =
            config->s3.bucket == NULL || strcmp(bucket, config->s3.bucket) != 0;
        status = name_object(object, making->namer, making->export, bucket, prefix, reterr);
        if (status == HF_OK) {
            status = make_part(object, config, making->export->signal, raw, reterr);
        }
    }
    return status;
}

static enum hf_status write_parts(struct awss3_objects *objects, const struct making *making,
                                  struct hf_document *document, char *reterr)
{
    size_t count = making->parts->count;
    struct hf_bytes *written = calloc(count + 1, sizeof(*written));
    objects->items = calloc(count + 1, sizeof(*objects->items));
    enum hf_status status = written != NULL && objects->items != NULL
                                ? hf_parts_write_all(making->parts, document, written)
                                : HF_NOMEM;
    status = status == HF_OK ? make_parts(objects, making, written, reterr) : status;
    for (size_t i = 0; written != NULL && i < count; i++) {
        hf_bytes_release(&written[i]);
    }
    free(written);
    return status;
}

static enum hf_status make_by_attributes(struct awss3_objects *objects,
                                         const struct awss3_config *config,
                                         const struct hf_object_namer *namer,
                                         const struct hf_export *export, char *reterr)
{
    struct hf_parts parts = {.limit = AWSS3_OBJECTS_MAX};
    struct hf_slice raw;
    enum hf_status status =
        hf_payload_read(&objects->payload, export->bodies, export->body_count, &raw);
    if (status != HF_OK) {
        return status;
    }
    struct hf_document *document = hf_document_borrow(export->signal, raw);
    if (document == NULL) {
        return HF_NOMEM;
    }
    status = sort(&parts, document, config);
    if (status == HF_OK) {
        const struct making making = {config, namer, export, &parts};
        status = write_parts(objects, &making, document, reterr);
    }
    hf_parts_release(&parts);
    hf_document_return(document);
    return status;
}

enum hf_status awss3_objects_make(struct awss3_objects *objects, const struct awss3_config *config,
                                  const struct hf_object_namer *namer,
                                  const struct hf_export *export, char *reterr)
{
    const struct awss3_attributes *by = &config->attributes;
    bool by_attributes = (by->bucket != NULL && by->bucket[0] != '\0') ||
                         (by->prefix != NULL && by->prefix[0] != '\0');
    reterr[0] = '\0';
    awss3_objects_drop(objects);
    return by_attributes ? make_by_attributes(objects, config, namer, export, reterr)
                         : make_one(objects, config, namer, export, reterr);
}
