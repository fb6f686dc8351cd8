#include "head.h"

#include <assert.h>
#include <string.h>

#include "util/checksum.h"

#define HEAD_MAGIC UINT32_C(0x31475348) /* "HSG1" */

#define ORIGIN_MAGIC UINT32_C(0x314e524f) /* "ORN1" */

static_assert(sizeof(struct wal_segment_head) == 56, "no padding");
static_assert(sizeof(struct wal_origin_row) == 32, "no padding");

void wal_segment_head_write(struct wal_segment_head *ret_head, struct wal_place start,
                            uint64_t created_ns)
{
    *ret_head = (struct wal_segment_head){.magic = HEAD_MAGIC,
                                          .version = WAL_FORMAT_VERSION,
                                          .created_ns = created_ns,
                                          .first = start.sequence,
                                          .before = start.total};
    ret_head->crc = hf_crc32c(0, ret_head, sizeof(*ret_head));
}

enum wal_status wal_segment_head_check(struct hf_slice value, struct wal_segment_head *ret_head)
{
    struct wal_segment_head head;

    /* A later version may be longer; it keeps these fields, and its checksum covers all of it.
     */
    if (value.size < sizeof(head)) {
        return WAL_CORRUPT;
    }
    memcpy(&head, value.data, sizeof(head));
    uint32_t crc = head.crc;
    head.crc = 0;
    uint32_t sum = hf_crc32c(0, &head, sizeof(head));
    sum = hf_crc32c(sum, value.data + sizeof(head), value.size - sizeof(head));
    if (head.magic != HEAD_MAGIC || sum != crc) {
        return WAL_CORRUPT;
    }
    if (head.version > WAL_FORMAT_VERSION) {
        return WAL_TOO_NEW;
    }
    if (head.version == 0 || value.size != sizeof(head)) {
        return WAL_CORRUPT;
    }
    *ret_head = head;
    return WAL_OK;
}

void wal_origin_row_write(struct wal_origin_row *ret_row, const uint8_t *origin)
{
    *ret_row = (struct wal_origin_row){.magic = ORIGIN_MAGIC, .version = WAL_FORMAT_VERSION};
    memcpy(ret_row->origin, origin, WAL_ORIGIN_BYTES);
    ret_row->crc = hf_crc32c(0, ret_row, sizeof(*ret_row));
}

bool wal_origin_row_read(struct hf_slice value, uint8_t *ret_origin)
{
    struct wal_origin_row row;

    if (value.size != sizeof(row)) {
        return false;
    }
    memcpy(&row, value.data, sizeof(row));
    uint32_t crc = row.crc;
    row.crc = 0;
    if (row.magic != ORIGIN_MAGIC || row.version == 0 || hf_crc32c(0, &row, sizeof(row)) != crc) {
        return false;
    }
    memcpy(ret_origin, row.origin, WAL_ORIGIN_BYTES);
    return true;
}
