/*
 * Must reach: wal_record_peek, wal_record_check, wal_record_meta, wal_record_body,
 * wal_cursor_parse, wal_segment_head_check, wal_origin_row_read,
 * wal_tenant_row_read, wal_checkpoints_load.
 *
 * The first byte chooses the reader. Any bytes are answered; what passes is inside of what was
 * given. With the highest bit of the first byte set, the checksum is made right first, so that what
 * stands behind it is reached as well.
 */
#include <stdlib.h>
#include <string.h>

#include "util/checksum.h"
#include "wal/checkpoints.h"
#include "wal/cursor.h"
#include "wal/head.h"
#include "wal/record.h"
#include "wal/tenants.h"

/* Every stored form has its magic in the first four bytes and its checksum in the next four. */
static void mend(uint8_t *value, size_t size)
{
    uint32_t crc = 0;

    if (size >= 8) {
        memset(value + 4, 0, sizeof(crc));
        crc = hf_crc32c(0, value, size);
        memcpy(value + 4, &crc, sizeof(crc));
    }
}

static void check_record(const uint8_t *value, size_t size)
{
    struct wal_record_head head;
    size_t whole = 0;

    if (wal_record_check(value, size, &head) != WAL_OK) {
        return;
    }
    struct hf_slice meta = wal_record_meta(value, &head);
    struct hf_slice body = wal_record_body(value, &head);
    if (wal_record_peek(value, size, &whole) != WAL_OK || whole != size || meta.data < value ||
        body.data != meta.data + meta.size || body.data + body.size != value + size) {
        abort();
    }
}

static void check_cursor(struct hf_slice value)
{
    struct wal_cursor cursor, same;

    if (wal_cursor_parse(value, &cursor) != WAL_OK) {
        return;
    }
    size_t size = wal_cursor_size(&cursor);
    uint8_t *again = malloc(size);
    if (again != NULL) {
        /* It grows by the reasons for dropping that its writer did not know. */
        if (size < value.size || size - value.size > WAL_DROP_COUNT * sizeof(struct wal_amount)) {
            abort();
        }
        wal_cursor_write(&cursor, again);
        if (wal_cursor_parse(hf_slice_of(again, size), &same) != WAL_OK || same.low != cursor.low ||
            same.range_count != cursor.range_count) {
            abort();
        }
        wal_cursor_release(&same);
    }
    free(again);
    wal_cursor_release(&cursor);
}

static void check_checkpoint(struct hf_slice value)
{
    struct wal_checkpoints table = {0};
    uint32_t slot = 0;

    if (value.size >= 12) {
        memcpy(&slot, value.data + 8, sizeof(slot));
    }
    for (int i = 0; i < 2; i++) {
        (void)!wal_checkpoints_load(&table, slot, value);
    }
    wal_checkpoints_release(&table);
}

static void check_tenants(struct hf_slice value)
{
    struct wal_tenant_table table;
    uint8_t row[WAL_TENANT_ROW_MAX];

    if (wal_tenant_row_read(value, &table) && wal_tenant_row_write(&table, row) != value.size) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct wal_segment_head head;
    uint8_t origin[WAL_ORIGIN_BYTES];

    if (size == 0) {
        return 0;
    }
    size_t rest = size - 1;
    uint8_t *value = malloc(rest == 0 ? 1 : rest); /* at its exact end, for the sanitizer */
    if (value == NULL) {
        return 0;
    }
    memcpy(value, data + 1, rest);
    if ((data[0] & 0x80) != 0) {
        mend(value, rest);
    }
    switch (data[0] & 3) {
    case 0:
        check_record(value, rest);
        break;
    case 1:
        check_cursor(hf_slice_of(value, rest));
        break;
    case 2:
        (void)!wal_segment_head_check(hf_slice_of(value, rest), &head);
        (void)wal_origin_row_read(hf_slice_of(value, rest), origin);
        check_tenants(hf_slice_of(value, rest));
        break;
    default:
        check_checkpoint(hf_slice_of(value, rest));
    }
    free(value);
    return 0;
}
