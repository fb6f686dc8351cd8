/*
 * every_byte: every byte of a small queue flipped, and every file of it cut at every place. Each
 * time the queue is opened and read as after a start.
 *
 *   every_byte [--step N]    only every N-th place
 *
 * Opening never fails. A record is missing only if a page that holds a part of its bytes was
 * touched, or, one record at most, if the flipped byte was its entry in the tree. A loss is
 * counted. What is read is what was written. Exit 1 when it is not so.
 */
#include <assert.h>
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "wal/wal.h"

enum { RECORDS = 24, FILES_MAX = 4, COPIES_MAX = 16, PAGE = 4096, HEAD_BYTES = 512 };

/* What stands before a body in its pages: the record's header, LMDB's. */
struct record {
    uint8_t body[9000];
    size_t size;
    size_t copies[COPIES_MAX]; /* offsets in the segment; pages written anew leave old ones */
    size_t copy_count;
    bool is_read;
};

struct file {
    char name[64];
    uint8_t *bytes;
    size_t size;
};

static struct record records[RECORDS];
static struct file files[FILES_MAX];
static size_t file_count;
static char place[] = "every-byte-XXXXXX";
static uint64_t states, wrong, by_entry;

static void require(bool holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "every_byte: %s\n", what);
        exit(2);
    }
}

/* ---- the queue as it should be ---- */

struct waiting {
    struct hf_ref ref;
    struct wal_append append;
    sem_t done;
    enum wal_status status;
};

static void keep(struct hf_ref *ref)
{
    (void)ref; /* it is on the stack of who waits for it */
}

static void on_done(struct wal_append *append, enum wal_status status)
{
    struct waiting *waiting = HF_CONTAINER(append, struct waiting, append);
    waiting->status = status;
    sem_post(&waiting->done);
}

static void append_one(struct wal *wal, const struct record *record)
{
    struct waiting waiting = {.append = {.items = 1,
                                         .raw_bytes = record->size,
                                         .time_ns = 1,
                                         .meta = hf_slice_text("meta"),
                                         .body = hf_slice_of(record->body, record->size),
                                         .done = on_done}};
    hf_ref_init(&waiting.ref, keep);
    waiting.append.owner = &waiting.ref;
    sem_init(&waiting.done, 0, 0);
    require(wal_admit(wal, &waiting.append) == WAL_OK, "the queue admits nothing");
    wal_append(wal, &waiting.append);
    sem_wait(&waiting.done);
    require(waiting.status == WAL_OK, "the queue takes nothing");
    sem_destroy(&waiting.done);
}

static struct wal_options options(void)
{
    return (struct wal_options){
        .directory = place, .segment_bytes = 1u << 20, .free_floor_bytes = 1, .no_fsync = true};
}

static void make_records(void)
{
    uint64_t x = 1;
    for (size_t i = 0; i < RECORDS; i++) {
        /* Some share a page, some have pages of their own. */
        records[i].size = i % 3 == 0 ? 100 + i : i % 3 == 1 ? 1200 + i : 5000 + 100 * i;
        for (size_t j = 0; j < records[i].size; j++) {
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
            records[i].body[j] = (uint8_t)x;
        }
    }
}

static void write_queue(void)
{
    const struct wal_options made = options();
    const struct wal_consumer_options consumer_options = {.name = "a"};
    struct wal *wal = NULL;
    struct wal_consumer *consumer = NULL;
    require(wal_open(&made, &wal) == WAL_OK, "a new queue cannot be made here");
    require(wal_consumer_open(wal, &consumer_options, &consumer) == WAL_OK, "no consumer");
    for (size_t i = 0; i < RECORDS; i++) {
        append_one(wal, &records[i]);
    }
    wal_consumer_close(consumer);
    wal_close(wal);
}

/* ---- its files ---- */

static void keep_file(const char *name)
{
    struct file *file = &files[file_count++];
    struct stat info;
    char path[400];
    snprintf(file->name, sizeof(file->name), "%s", name);
    snprintf(path, sizeof(path), "%s/%s", place, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    require(fd >= 0 && fstat(fd, &info) == 0, "a file of the queue cannot be read");
    file->size = (size_t)info.st_size;
    file->bytes = malloc(file->size + 1);
    require(file->bytes != NULL && read(fd, file->bytes, file->size) == info.st_size, "short read");
    close(fd);
}

/* Empties the directory; with `keep_them` its files are remembered first. */
static void clear(const char *folder, bool keep_them)
{
    char path[400];
    DIR *directory = opendir(folder);
    for (struct dirent *e = directory != NULL ? readdir(directory) : NULL; e != NULL;
         e = readdir(directory)) {
        if (e->d_name[0] != '.') {
            if (keep_them) {
                require(file_count < FILES_MAX, "more files than there is room for");
                keep_file(e->d_name);
            }
            snprintf(path, sizeof(path), "%s/%.200s", folder, e->d_name);
            (void)unlink(path);
        }
    }
    if (directory != NULL) {
        closedir(directory);
    }
}

static void put_files(const struct file *changed, size_t size)
{
    char path[400];
    for (size_t i = 0; i < file_count; i++) {
        size_t wanted = &files[i] == changed ? size : files[i].size;
        snprintf(path, sizeof(path), "%s/%s", place, files[i].name);
        int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        require(fd >= 0 && write(fd, files[i].bytes, wanted) == (ssize_t)wanted, "short write");
        close(fd);
    }
}

static bool is_segment(const struct file *file)
{
    return strstr(file->name, ".seg") != NULL;
}

static void find_copies(struct record *record)
{
    for (size_t i = 0; i < file_count; i++) {
        const uint8_t *from = files[i].bytes, *end = files[i].bytes + files[i].size;
        while (is_segment(&files[i]) &&
               (from = memmem(from, (size_t)(end - from), record->body, record->size)) != NULL) {
            require(record->copy_count < COPIES_MAX, "more copies than there is room for");
            record->copies[record->copy_count++] = (size_t)(from++ - files[i].bytes);
        }
    }
    require(record->copy_count > 0, "a record is not in the segment");
}

/* ---- trying ---- */

static bool may_be_missing(const struct record *record, size_t begin, size_t end)
{
    for (size_t i = 0; i < record->copy_count; i++) {
        size_t first = record->copies[i] > HEAD_BYTES ? record->copies[i] - HEAD_BYTES : 0;
        size_t last = (record->copies[i] + record->size + PAGE) / PAGE * PAGE;
        if (first / PAGE * PAGE < end && begin < last) {
            return true;
        }
    }
    return false;
}

/* NULL, or what is wrong. */
static const char *read_all(struct wal *wal)
{
    const struct wal_consumer_options consumer_options = {.name = "a", .from_oldest = true};
    struct wal_consumer *consumer = NULL;
    struct wal_record found[RECORDS];
    const char *fault = NULL;
    size_t count = 1;
    if (wal_consumer_open(wal, &consumer_options, &consumer) != WAL_OK) {
        return "no consumer can be opened";
    }
    while (count > 0 && fault == NULL) {
        if (wal_consumer_read(consumer, RECORDS, 1u << 20, found, &count) != WAL_OK) {
            fault = "reading fails";
            break;
        }
        for (size_t i = 0; i < count; i++) {
            struct record *record =
                found[i].sequence < RECORDS ? &records[found[i].sequence] : NULL;
            if (record == NULL || found[i].body.size != record->size ||
                memcmp(found[i].body.data, record->body, record->size) != 0) {
                fault = "a record is not what was written";
            } else {
                record->is_read = true;
            }
            hf_ref_drop(found[i].owner);
        }
    }
    wal_consumer_close(consumer);
    return fault;
}

/* [begin, end) of the file was touched. */
static const char *judge(const struct file *file, size_t begin, size_t end)
{
    const struct wal_options made = options();
    struct wal *wal = NULL;
    struct wal_stat stat;
    size_t missing = 0, elsewhere = 0;
    for (size_t i = 0; i < RECORDS; i++) {
        records[i].is_read = false;
    }
    if (wal_open(&made, &wal) != WAL_OK) {
        return "the queue does not open";
    }
    const char *fault = read_all(wal);
    wal_stat(wal, &stat);
    wal_close(wal);
    for (size_t i = 0; i < RECORDS; i++) {
        bool is_part = is_segment(file) && may_be_missing(&records[i], begin, end);
        missing += !records[i].is_read;
        elsewhere += !records[i].is_read && !is_part;
    }
    by_entry += elsewhere;
    if (fault == NULL && elsewhere > (is_segment(file) && end == begin + 1 ? 1 : 0)) {
        fault = "a record outside of the damage is missing";
    }
    if (fault == NULL && missing > 0 && stat.damaged_records == 0 && stat.damaged_bytes == 0) {
        fault = "a loss is not counted";
    }
    return fault;
}

static void try(const struct file *file, const char *how, size_t at, size_t begin, size_t end,
                size_t size)
{
    char damaged[400];
    put_files(file, size);
    const char *fault = judge(file, begin, end);
    states++;
    if (fault != NULL) {
        wrong++;
        printf("%s %s at %zu: %s\n", file->name, how, at, fault);
    }
    snprintf(damaged, sizeof(damaged), "%s/damaged", place);
    clear(damaged, false);
    (void)rmdir(damaged);
    clear(place, false);
}

static void try_file(struct file *file, size_t step)
{
    for (size_t at = 0; at < file->size; at += step) {
        uint8_t bit = (uint8_t)(1u << at % 8);
        file->bytes[at] ^= bit;
        try(file, "flipped", at, at, at + 1, file->size);
        file->bytes[at] ^= bit;
        try(file, "cut", at, at, SIZE_MAX, at);
    }
}

int main(int argc, char **argv)
{
    size_t step = argc == 3 && strcmp(argv[1], "--step") == 0 ? strtoul(argv[2], NULL, 10) : 1;
    require(step > 0 && (argc == 1 || argc == 3), "usage: every_byte [--step N]");
    require(mkdtemp(place) != NULL, "no directory can be made here");
    make_records();
    write_queue();
    clear(place, true);
    for (size_t i = 0; i < RECORDS; i++) {
        find_copies(&records[i]);
    }
    for (size_t i = 0; i < file_count; i++) {
        try_file(&files[i], step);
    }
    (void)rmdir(place);
    printf("%" PRIu64 " states of %zu files, %" PRIu64 " wrong; %" PRIu64
           " times a record was lost by its entry\n",
           states, file_count, wrong, by_entry);
    return wrong == 0 ? 0 : 1;
}
