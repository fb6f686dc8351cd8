/*
 * One byte flipped, or the end cut off, anywhere in a queue: it opens, gives every record but those
 * that were hit, and the accounting say how many those are.
 */
#include <fcntl.h>

#include "queue.h"
#include "util/checksum.h"
#include "wal/head.h"

#define RECORDS 40u

/* Inline in leaf pages, and with pages of their own. */
static size_t size_of(uint64_t number)
{
    return number % 5 == 0 ? 5000 + number * 100 : 40 + number * 10;
}

struct image {
    uint8_t *bytes;
    size_t size;
};

static struct image load(const char *path)
{
    struct image image = {0};
    struct stat info;
    int fd = open(path, O_RDONLY);

    assert_true(fd >= 0);
    assert_int_equal(fstat(fd, &info), 0);
    image.size = (size_t)info.st_size;
    image.bytes = malloc(image.size);
    assert_non_null(image.bytes);
    assert_int_equal(read(fd, image.bytes, image.size), image.size);
    (void)close(fd);
    return image;
}

static void store(const char *path, const struct image *image)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, image->bytes, image->size), image->size);
    (void)close(fd);
}

struct scene {
    struct queue *queue;
    char segment[128], cursors[128];
    struct image segment_image, cursors_image;
};

/* Several commits, so that pages were left and used again. */
static void make_scene(struct scene *scene, struct queue *queue)
{
    *scene = (struct scene){.queue = queue};
    (void)snprintf(scene->segment, sizeof(scene->segment), "%s/%020d.seg", queue->directory, 0);
    (void)snprintf(scene->cursors, sizeof(scene->cursors), "%s/cursors.lmdb", queue->directory);
    queue_open(queue);
    wal_consumer_close(queue_consumer(queue, "a"));
    for (uint64_t i = 1; i <= RECORDS; i++) {
        assert_int_equal(queue_append(queue, i, size_of(i)), WAL_OK);
    }
    queue_close(queue);
    scene->segment_image = load(scene->segment);
    scene->cursors_image = load(scene->cursors);
}

static void release_scene(struct scene *scene)
{
    free(scene->segment_image.bytes);
    free(scene->cursors_image.bytes);
}

static void restore(const struct scene *scene)
{
    queue_remove(scene->queue->directory);
    assert_int_equal(mkdir(scene->queue->directory, 0700), 0);
    store(scene->segment, &scene->segment_image);
    store(scene->cursors, &scene->cursors_image);
}

/* Reads all; returns how many of the first RECORDS came, each right and none twice. */
static size_t count_good(struct wal_consumer *consumer, bool *has_new)
{
    bool is_found[RECORDS + 1] = {false};
    struct wal_record records[16];
    size_t count = 0, good = 0;

    *has_new = false;
    do {
        assert_int_equal(wal_consumer_read(consumer, 16, 1 << 20, records, &count), WAL_OK);
        for (size_t i = 0; i < count; i++) {
            uint64_t number = (records[i].time_ns - 1) / 1000;
            struct wal_ack ack = ack_of(&records[i]);
            assert_true(is_body(records[i].body, number));
            if (number == 1000) {
                *has_new = true;
            } else {
                assert_in_range(number, 1, RECORDS);
                assert_false(is_found[number]);
                is_found[number] = true;
                good++;
            }
            wal_consumer_ack(consumer, &ack, 1);
            hf_ref_drop(records[i].owner);
        }
    } while (count > 0);
    return good;
}

/* Opens what is there, appends one more, reads all, and checks the accounting; returns how many of
 * the old ones came. */
static size_t use(struct queue *queue)
{
    bool has_new = false;

    queue_open(queue);
    struct wal_consumer *consumer = queue_consumer(queue, "a");
    assert_int_equal(queue_append(queue, 1000, 100), WAL_OK);
    size_t good = count_good(consumer, &has_new);
    assert_true(has_new);
    struct wal_accounting accounting = queue_accounting(queue, "a").accounting;
    assert_int_equal(accounting.queued.records, 0);
    assert_int_equal(accounting.delivered.records, good + 1);
    assert_int_equal(accounting.accepted.records,
                     accounting.delivered.records + accounting.dropped[WAL_DROP_DAMAGED].records);
    wal_consumer_close(consumer);
    queue_close(queue);
    return good;
}

static void loses_one_record_to_one_flipped_byte(void **state)
{
    struct queue *queue = *state;
    struct scene scene;

    make_scene(&scene, queue);
    size_t size = scene.segment_image.size;
    for (size_t at = 0; at < size; at += at < 8192 ? 37 : 911) {
        for (int bit = 0; bit < 8; bit += 5) {
            restore(&scene);
            scene.segment_image.bytes[at] ^= (uint8_t)(1 << bit);
            store(scene.segment, &scene.segment_image);
            scene.segment_image.bytes[at] ^= (uint8_t)(1 << bit);
            queue->damaged_records = 0;
            size_t good = use(queue);
            if (good < RECORDS - 1) {
                fail_msg("byte %zu, bit %d: %zu records of %u", at, bit, good, RECORDS);
            }
            assert_int_equal(queue->damaged_records, RECORDS - good);
        }
    }
    release_scene(&scene);
}

static void serves_what_a_cut_has_left(void **state)
{
    struct queue *queue = *state;
    struct scene scene;
    size_t best = 0;

    make_scene(&scene, queue);
    size_t size = scene.segment_image.size;
    for (size_t cut = 0; cut < size; cut += 2039) {
        struct image shorter = {scene.segment_image.bytes, cut};
        restore(&scene);
        store(scene.segment, &shorter);
        size_t good = use(queue);
        best = good > best ? good : best;
    }
    assert_true(best > RECORDS / 2);
    release_scene(&scene);
}

static void repeats_when_cursors_are_lost(void **state)
{
    struct queue *queue = *state;
    struct scene scene;
    size_t lost = 0;

    make_scene(&scene, queue);
    size_t size = scene.cursors_image.size;
    for (size_t at = 0; at < size; at += 127) {
        restore(&scene);
        scene.cursors_image.bytes[at] ^= 0x10;
        store(scene.cursors, &scene.cursors_image);
        scene.cursors_image.bytes[at] ^= 0x10;
        queue->events[WAL_EVENT_CURSORS_LOST] = 0;
        assert_int_equal(use(queue), RECORDS);
        lost += queue->events[WAL_EVENT_CURSORS_LOST];
    }
    assert_true(lost > 0);
    for (size_t cut = 0; cut < size; cut += 1021) {
        struct image shorter = {scene.cursors_image.bytes, cut};
        restore(&scene);
        store(scene.cursors, &shorter);
        assert_int_equal(use(queue), RECORDS);
    }
    restore(&scene);
    assert_int_equal(unlink(scene.cursors), 0);
    assert_int_equal(use(queue), RECORDS);
    release_scene(&scene);
}

static void never_gives_a_number_twice(void **state)
{
    struct queue *queue = *state;
    struct scene scene;
    struct wal_stat stat;

    make_scene(&scene, queue);
    /* The whole file is rubbish and so are the cursors: only the name is left to go by. */
    memset(scene.segment_image.bytes, 0xaa, scene.segment_image.size);
    memset(scene.cursors_image.bytes, 0xaa, scene.cursors_image.size);
    restore(&scene);
    assert_int_equal(use(queue), 0);
    queue_open(queue);
    wal_stat(queue->wal, &stat);
    assert_true(stat.next_sequence > RECORDS);
    release_scene(&scene);
}

static void keeps_what_it_sets_aside(void **state)
{
    struct queue *queue = *state;
    struct scene scene;
    char path[200];

    make_scene(&scene, queue);
    /* The last record's body: it lies at the end, or its neighbour does. */
    scene.segment_image.bytes[scene.segment_image.size - 3000] ^= 1;
    restore(&scene);
    size_t good = use(queue);
    assert_in_range(good, RECORDS - 1, RECORDS);
    assert_int_equal(queue->events[WAL_EVENT_DAMAGE], good < RECORDS ? 1 : 0);
    (void)snprintf(path, sizeof(path), "%s/damaged", queue->directory);
    assert_int_equal(access(path, F_OK) == 0, good < RECORDS);
    release_scene(&scene);
}

/* As after a kill, when the cursors had not yet been written since the last records came. */
static void counts_a_cut_of_which_the_cursors_know_nothing(void **state)
{
    struct queue *queue = *state;
    struct scene scene;
    struct wal_stat stat;

    make_scene(&scene, queue);
    restore(&scene);
    assert_int_equal(unlink(scene.cursors), 0);
    assert_int_equal(truncate(scene.segment, (off_t)scene.segment_image.size / 2), 0);
    queue_open(queue);
    wal_stat(queue->wal, &stat);
    assert_int_equal(queue->events[WAL_EVENT_DAMAGE], 1);
    assert_true(stat.damaged_bytes >= scene.segment_image.size / 2 - 4096);
    queue_close(queue);
    release_scene(&scene);
}

static void leaves_alone_what_is_not_a_segment(void **state)
{
    struct queue *queue = *state;
    char path[128];

    (void)snprintf(path, sizeof(path), "%s/%020d.seg", queue->directory, 7);
    assert_int_equal(mkdir(path, 0700), 0);
    queue_open(queue);
    assert_int_equal(queue_append(queue, 1, 100), WAL_OK);
    queue_close(queue);
    assert_int_equal(access(path, F_OK), 0);
}

/* Makes every copy of the segment's head say another version, with a checksum that is right. */
static void set_version(struct image *image, uint16_t version)
{
    for (size_t at = 0; at + sizeof(struct wal_segment_head) <= image->size; at += 2) {
        struct wal_segment_head head;
        memcpy(&head, image->bytes + at, sizeof(head));
        if (wal_segment_head_check(hf_slice_of(&head, sizeof(head)), &head) == WAL_OK) {
            head.version = version;
            head.crc = 0;
            head.crc = hf_crc32c(0, &head, sizeof(head));
            memcpy(image->bytes + at, &head, sizeof(head));
        }
    }
}

static void refuses_what_a_newer_version_wrote(void **state)
{
    struct queue *queue = *state;
    struct scene scene;
    struct wal *wal = NULL;

    make_scene(&scene, queue);
    set_version(&scene.segment_image, WAL_FORMAT_VERSION + 1);
    restore(&scene);
    assert_int_equal(wal_open(&queue->options, &wal), WAL_TOO_NEW);
    struct image after = load(scene.segment); /* untouched, for the newer one */
    assert_int_equal(after.size, scene.segment_image.size);
    assert_memory_equal(after.bytes, scene.segment_image.bytes, after.size);
    free(after.bytes);
    release_scene(&scene);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, queue_setup, queue_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(loses_one_record_to_one_flipped_byte),
        TEST(serves_what_a_cut_has_left),
        TEST(repeats_when_cursors_are_lost),
        TEST(never_gives_a_number_twice),
        TEST(keeps_what_it_sets_aside),
        TEST(counts_a_cut_of_which_the_cursors_know_nothing),
        TEST(leaves_alone_what_is_not_a_segment),
        TEST(refuses_what_a_newer_version_wrote),
    };
    return cmocka_run_group_tests_name("damage", tests, NULL, NULL);
}
