/* Records behind a state file are read as far as they are whole. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "support/state/state_log.h"
#include "tests/support/node_stub.c"
#include "util/checksum.h"

#define MAGIC "HFTEST1\n"

static const char *const records[] = {"one", "", "the third"};
enum { RECORDS = sizeof(records) / sizeof(records[0]) };

static void write_file(const char *path)
{
    struct hf_state_writer writer;
    hf_state_file_write_begin(&writer, path, MAGIC);
    hf_state_put_u64(&writer, 7);
    assert_int_equal(hf_state_file_write_end(&writer), HF_OK);
}

/* How many records are read, each as it was written. */
static size_t count_records(const char *path)
{
    struct hf_state_reader reader;
    struct hf_bytes room = {0};
    struct hf_state_record record;
    size_t count = 0;
    assert_int_equal(hf_state_file_read_begin(&reader, path, MAGIC), HF_OK);
    assert_int_equal(hf_state_get_u64(&reader), 7);
    assert_int_equal(hf_state_file_read_check(&reader), HF_OK);
    while (hf_state_log_next(&reader, &room, &record)) {
        assert_int_equal(record.number, 100 + count);
        assert_true(hf_slice_is(record.bytes, records[count]));
        count++;
    }
    assert_int_equal(reader.status, HF_OK);
    hf_state_file_read_close(&reader);
    hf_bytes_release(&room);
    return count;
}

static void a_record_counts_when_it_is_whole(void **state)
{
    (void)state;
    char path[] = "/tmp/state-log-XXXXXX";
    close(mkstemp(path));
    struct hf_state_log log;
    write_file(path);
    assert_int_equal(count_records(path), 0);
    assert_int_equal(hf_state_log_open(&log, path), HF_OK);
    uint64_t ends[RECORDS];
    for (size_t i = 0; i < RECORDS; i++) {
        assert_int_equal(hf_state_log_append(&log, 100 + i, hf_slice_text(records[i])), HF_OK);
        ends[i] = log.content_bytes + log.size;
    }
    assert_int_equal(hf_state_log_sync(&log), HF_OK);
    assert_int_equal(count_records(path), RECORDS);
    for (uint64_t size = ends[RECORDS - 1]; size-- > log.content_bytes;) {
        size_t whole = 0;
        while (ends[whole] <= size) {
            whole++;
        }
        assert_int_equal(truncate(path, (off_t)size), 0);
        assert_int_equal(count_records(path), whole);
    }
    hf_state_log_close(&log);
    hf_state_log_close(&log);
    unlink(path);
    assert_int_equal(hf_state_log_open(&log, path), HF_IO);
}

static void a_damaged_record_ends_them(void **state)
{
    (void)state;
    char path[] = "/tmp/state-log-XXXXXX";
    int fd = mkstemp(path);
    close(fd);
    struct hf_state_log log;
    write_file(path);
    assert_int_equal(hf_state_log_open(&log, path), HF_OK);
    assert_int_equal(hf_state_log_append(&log, 100, hf_slice_text(records[0])), HF_OK);
    uint64_t first_end = log.content_bytes + log.size;
    assert_int_equal(hf_state_log_append(&log, 101, hf_slice_text("abc")), HF_OK);
    hf_state_log_close(&log);
    fd = open(path, O_RDWR | O_CLOEXEC);
    for (uint64_t at = first_end; at < log.content_bytes + log.size; at++) {
        uint8_t byte = 0;
        assert_int_equal(pread(fd, &byte, 1, (off_t)at), 1);
        byte ^= 0x10;
        assert_int_equal(pwrite(fd, &byte, 1, (off_t)at), 1);
        assert_int_equal(count_records(path), 1);
        byte ^= 0x10;
        assert_int_equal(pwrite(fd, &byte, 1, (off_t)at), 1);
    }
    close(fd);
    unlink(path);
}

/* The first builds wrote a size, the number and a checksum, 8 bytes each, before the bytes. */
static void records_without_a_frame_are_read(void **state)
{
    (void)state;
    char path[] = "/tmp/state-log-XXXXXX";
    close(mkstemp(path));
    write_file(path);
    FILE *file = fopen(path, "abe");
    for (size_t i = 0; i < RECORDS; i++) {
        uint64_t head[3] = {strlen(records[i]), 100 + i};
        head[2] = hf_crc32c(hf_crc32c(0, head, 16), records[i], strlen(records[i]));
        assert_int_equal(fwrite(head, sizeof(head), 1, file), 1);
        fputs(records[i], file);
    }
    fclose(file);
    assert_int_equal(count_records(path), RECORDS);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_counts_when_it_is_whole),
        cmocka_unit_test(a_damaged_record_ends_them),
        cmocka_unit_test(records_without_a_frame_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
