/* The ring of the last day, in memory and in its file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "components/extensions/console/history.h"

#define MINUTE 30000000u

struct file {
    char folder[64], path[128];
};

static void make_file(struct file *file)
{
    snprintf(file->folder, sizeof(file->folder), "/tmp/console-history-XXXXXX");
    assert_non_null(mkdtemp(file->folder));
    snprintf(file->path, sizeof(file->path), "%s/ring", file->folder);
}

static void drop_file(const struct file *file)
{
    unlink(file->path);
    rmdir(file->folder);
}

static struct hf_console_history *open_history(const char *path, bool is_kept)
{
    struct hf_console_history *history = NULL;
    bool kept = !is_kept;
    assert_int_equal(hf_console_history_open(path, &history, &kept), HF_OK);
    assert_int_equal(kept, is_kept);
    return history;
}

static void record(struct hf_console_history *history, const char *queue, uint32_t minute,
                   uint64_t items)
{
    const struct hf_console_point point = {
        .minute = minute, .items = items, .disk_bytes = 2 * items};
    hf_console_history_record(history, queue, &point);
}

static struct hf_console_point points[HF_CONSOLE_HISTORY_POINTS];

static void keeps_a_day_of_minutes(void **state)
{
    struct hf_console_history *history = open_history(NULL, false);
    (void)state;
    for (uint32_t i = 0; i < HF_CONSOLE_HISTORY_POINTS + 10; i++) {
        record(history, "queue:traces", MINUTE + i, i);
        record(history, "queue:traces", MINUTE + i, 999999); /* the first one counts */
    }
    uint32_t last = MINUTE + HF_CONSOLE_HISTORY_POINTS + 9;
    size_t count = hf_console_history_read(history, "queue:traces", last, points);
    assert_int_equal(count, HF_CONSOLE_HISTORY_POINTS);
    assert_int_equal(points[0].items, 10);
    assert_int_equal(points[count - 1].items, HF_CONSOLE_HISTORY_POINTS + 9);
    assert_int_equal(points[count - 1].disk_bytes, 2 * points[count - 1].items);
    assert_int_equal(hf_console_history_read(history, "queue:traces", last + 2000, points), 0);
    assert_int_equal(hf_console_history_read(history, "queue:logs", last, points), 0);
    hf_console_history_close(history);
}

static void outlives_the_process(void **state)
{
    struct file file;
    (void)state;
    make_file(&file);
    struct hf_console_history *history = open_history(file.path, true);
    record(history, "queue:traces", MINUTE, 7);
    record(history, "queue:logs", MINUTE + 1, 8);
    hf_console_history_close(history);
    history = open_history(file.path, true);
    assert_int_equal(hf_console_history_read(history, "queue:traces", MINUTE + 5, points), 1);
    assert_int_equal(points[0].items, 7);
    assert_int_equal(hf_console_history_read(history, "queue:logs", MINUTE + 5, points), 1);
    hf_console_history_close(history);
    drop_file(&file);
}

/* Any byte of the file turned over costs a point or a queue, never more. */
static void forgets_what_is_damaged(void **state)
{
    struct file file;
    (void)state;
    make_file(&file);
    struct hf_console_history *history = open_history(file.path, true);
    record(history, "queue:traces", MINUTE, 7);
    record(history, "queue:traces", MINUTE + 1, 8);
    hf_console_history_close(history);
    int fd = open(file.path, O_RDWR | O_CLOEXEC);
    uint8_t byte;
    off_t slot = 8 + 256 + (off_t)(MINUTE % HF_CONSOLE_HISTORY_POINTS * sizeof(points[0])) + 8;
    assert_int_equal(pread(fd, &byte, 1, slot), 1);
    byte ^= 0x40;
    assert_int_equal(pwrite(fd, &byte, 1, slot), 1);
    history = open_history(file.path, true);
    assert_int_equal(hf_console_history_read(history, "queue:traces", MINUTE + 5, points), 1);
    assert_int_equal(points[0].items, 8);
    hf_console_history_close(history);
    assert_int_equal(pread(fd, &byte, 1, 10), 1);
    byte ^= 0x40; /* of the name */
    assert_int_equal(pwrite(fd, &byte, 1, 10), 1);
    close(fd);
    history = open_history(file.path, true);
    assert_int_equal(hf_console_history_read(history, "queue:traces", MINUTE + 5, points), 0);
    hf_console_history_close(history);
    drop_file(&file);
}

static void leaves_other_files_alone(void **state)
{
    struct file file;
    (void)state;
    make_file(&file);
    int fd = open(file.path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(write(fd, "precious", 8), 8);
    struct hf_console_history *history = open_history(file.path, false);
    record(history, "queue:traces", MINUTE, 7);
    assert_int_equal(hf_console_history_read(history, "queue:traces", MINUTE, points), 1);
    hf_console_history_close(history);
    assert_int_equal(lseek(fd, 0, SEEK_END), 8);
    close(fd);
    drop_file(&file);
    hf_console_history_close(open_history("/no/such/folder/ring", false));
}

static void makes_room_for_new_queues(void **state)
{
    struct hf_console_history *history = open_history(NULL, false);
    (void)state;
    for (uint32_t i = 0; i < HF_CONSOLE_HISTORY_QUEUES; i++) {
        char name[32];
        snprintf(name, sizeof(name), "queue:%u", i);
        record(history, name, MINUTE + (i == 5 ? 0 : 1), i);
    }
    record(history, "queue:new", MINUTE + 2, 1);
    assert_int_equal(hf_console_history_read(history, "queue:5", MINUTE + 3, points), 0);
    assert_int_equal(hf_console_history_read(history, "queue:6", MINUTE + 3, points), 1);
    assert_int_equal(hf_console_history_read(history, "queue:new", MINUTE + 3, points), 1);
    hf_console_history_close(history);
    hf_console_history_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_a_day_of_minutes),    cmocka_unit_test(outlives_the_process),
        cmocka_unit_test(forgets_what_is_damaged),   cmocka_unit_test(leaves_other_files_alone),
        cmocka_unit_test(makes_room_for_new_queues),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
