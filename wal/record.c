#include "record.h"

#include <assert.h>
#include <string.h>

#include "util/checksum.h"

static_assert(sizeof(struct wal_record_head) == WAL_RECORD_HEAD_BYTES, "the head has no padding");

size_t wal_record_size(const struct wal_record_head *head)
{
    return sizeof(*head) + head->meta_size + head->body_size;
}

void wal_record_write(void *value, struct wal_record_head *head, struct hf_slice meta,
                      struct hf_slice body)
{
    uint8_t *at = value;

    assert(meta.size <= WAL_META_BYTES_MAX && body.size <= WAL_BODY_BYTES_MAX);
    head->magic = WAL_RECORD_MAGIC;
    head->crc = 0;
    head->version = WAL_FORMAT_VERSION;
    head->reserved16 = 0;
    head->reserved32 = 0;
    head->meta_size = (uint32_t)meta.size;
    head->body_size = (uint32_t)body.size;

    memcpy(at, head, sizeof(*head));
    if (meta.size != 0) {
        memcpy(at + sizeof(*head), meta.data, meta.size);
    }
    if (body.size != 0) {
        memcpy(at + sizeof(*head) + meta.size, body.data, body.size);
    }
    head->crc = hf_crc32c(0, at, wal_record_size(head));
    memcpy(at + offsetof(struct wal_record_head, crc), &head->crc, sizeof(head->crc));
}

enum wal_status wal_record_peek(const void *value, size_t size, size_t *ret_size)
{
    struct wal_record_head head;

    if (size < sizeof(head)) {
        return WAL_CORRUPT;
    }
    memcpy(&head, value, sizeof(head));
    if (head.magic != WAL_RECORD_MAGIC) {
        return WAL_CORRUPT;
    }
    if (head.version > WAL_FORMAT_VERSION) {
        return WAL_TOO_NEW;
    }
    if (head.version == 0 || head.reserved16 != 0 || head.reserved32 != 0 ||
        head.meta_size > WAL_META_BYTES_MAX || head.body_size > WAL_BODY_BYTES_MAX) {
        return WAL_CORRUPT;
    }
    *ret_size = wal_record_size(&head);
    return WAL_OK;
}

enum wal_status wal_record_check(const void *value, size_t size, struct wal_record_head *ret_head)
{
    static const uint8_t zero[sizeof(ret_head->crc)];
    const uint8_t *at = value;
    struct wal_record_head head;
    size_t whole = 0;

    enum wal_status status = wal_record_peek(value, size, &whole);
    if (status == WAL_OK && whole != size) {
        status = WAL_CORRUPT;
    }
    if (status != WAL_OK) {
        return status;
    }

    memcpy(&head, value, sizeof(head));
    const size_t after = offsetof(struct wal_record_head, crc) + sizeof(head.crc);
    uint32_t crc = hf_crc32c(0, at, offsetof(struct wal_record_head, crc));
    crc = hf_crc32c(crc, zero, sizeof(zero));
    crc = hf_crc32c(crc, at + after, size - after);
    if (crc != head.crc) {
        return WAL_CORRUPT;
    }
    *ret_head = head;
    return WAL_OK;
}

struct hf_slice wal_record_meta(const void *value, const struct wal_record_head *head)
{
    return hf_slice_of((const uint8_t *)value + sizeof(*head), head->meta_size);
}

struct hf_slice wal_record_body(const void *value, const struct wal_record_head *head)
{
    return hf_slice_of((const uint8_t *)value + sizeof(*head) + head->meta_size, head->body_size);
}
