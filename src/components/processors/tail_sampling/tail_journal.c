#include "tail_journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/state/state_file.h"
#include "util/checksum.h"
#include "util/compress/compress.h"
#include "util/sync_directory.h"

/* Native byte order, as the file stays on its machine. */
struct record {
    uint8_t id[16];
    uint32_t is_sampled, crc; /* of what stands before it */
};

struct hf_sampling_tail_journal {
    char *path, *old_path; /* NULL: there is no data directory */
    size_t limit;
    int fd;       /* -1: not open */
    size_t count; /* of the file */
    struct hf_bytes noted;
};

static uint32_t crc_of(const struct record *record)
{
    return hf_crc32c(0, record, offsetof(struct record, crc));
}

/* ---- life ---- */

/* The path of the state with another ending. */
static char *path_with(const char *state_path, const char *ending)
{
    char *path = NULL;
    size_t size = strlen(state_path) - strlen(".state");
    return asprintf(&path, "%.*s%s", (int)size, state_path, ending) < 0 ? NULL : path;
}

enum hf_status hf_sampling_tail_journal_new(const struct hf_node *node, size_t limit,
                                            struct hf_sampling_tail_journal **ret)
{
    struct hf_sampling_tail_journal *journal = calloc(1, sizeof(*journal));
    char *state_path = NULL;
    enum hf_status status = journal != NULL ? hf_state_file_path(node, &state_path) : HF_NOMEM;
    if (status == HF_OK) {
        journal->limit = limit;
        journal->fd = -1;
    }
    if (status == HF_OK && state_path != NULL) {
        journal->path = path_with(state_path, ".decisions");
        journal->old_path = path_with(state_path, ".decisions.old");
        status = journal->path != NULL && journal->old_path != NULL ? HF_OK : HF_NOMEM;
    }
    free(state_path);
    if (status != HF_OK) {
        hf_sampling_tail_journal_free(journal);
        return status;
    }
    *ret = journal;
    return HF_OK;
}

void hf_sampling_tail_journal_free(struct hf_sampling_tail_journal *journal)
{
    if (journal == NULL) {
        return;
    }
    if (journal->fd >= 0) {
        close(journal->fd);
    }
    hf_bytes_release(&journal->noted);
    free(journal->path);
    free(journal->old_path);
    free(journal);
}

const char *hf_sampling_tail_journal_path(const struct hf_sampling_tail_journal *journal)
{
    return journal->path != NULL ? journal->path : "";
}

/* ---- reading ---- */

static size_t records_in(const char *path)
{
    struct stat found;
    return path != NULL && stat(path, &found) == 0 && found.st_size > 0
               ? (size_t)found.st_size / sizeof(struct record)
               : 0;
}

size_t hf_sampling_tail_journal_count(const struct hf_sampling_tail_journal *journal)
{
    return records_in(journal->path) + records_in(journal->old_path);
}

/* Shows the good records; returns how many there are. */
static size_t read_file(const char *path,
                        void (*visit)(void *user, const uint8_t *id, bool is_sampled), void *user)
{
    FILE *file = fopen(path, "rbe");
    struct record record;
    size_t count = 0;
    while (file != NULL && fread(&record, sizeof(record), 1, file) == 1 &&
           record.crc == crc_of(&record)) {
        visit(user, record.id, record.is_sampled != 0);
        count++;
    }
    if (file != NULL) {
        fclose(file);
    }
    return count;
}

/* Opens the file for more behind its good records. */
static enum hf_status open_file(struct hf_sampling_tail_journal *journal)
{
    journal->fd = open(journal->path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    off_t end = (off_t)(journal->count * sizeof(struct record));
    if (journal->fd < 0 || ftruncate(journal->fd, end) != 0) {
        return HF_IO;
    }
    return hf_sync_parent(journal->path);
}

enum hf_status hf_sampling_tail_journal_load(struct hf_sampling_tail_journal *journal,
                                             void (*visit)(void *user, const uint8_t *id,
                                                           bool is_sampled),
                                             void *user)
{
    if (journal->path == NULL) {
        return HF_OK;
    }
    size_t old_count = read_file(journal->old_path, visit, user);
    (void)old_count;
    journal->count = read_file(journal->path, visit, user);
    return open_file(journal);
}

/* ---- writing ---- */

enum hf_status hf_sampling_tail_journal_add(struct hf_sampling_tail_journal *journal,
                                            const uint8_t *id, bool is_sampled)
{
    struct record record = {.is_sampled = is_sampled};
    if (journal->path == NULL) {
        return HF_OK;
    }
    memcpy(record.id, id, sizeof(record.id));
    record.crc = crc_of(&record);
    return hf_bytes_append(&journal->noted, hf_slice_of(&record, sizeof(record)));
}

/* The file becomes the old one. */
static enum hf_status turn_over(struct hf_sampling_tail_journal *journal)
{
    if (rename(journal->path, journal->old_path) != 0) {
        return HF_IO;
    }
    close(journal->fd);
    journal->count = 0;
    return open_file(journal);
}

enum hf_status hf_sampling_tail_journal_commit(struct hf_sampling_tail_journal *journal)
{
    size_t size = journal->noted.size;
    off_t begun = (off_t)(journal->count * sizeof(struct record));
    if (size == 0) {
        return HF_OK;
    }
    if (journal->fd < 0 && open_file(journal) != HF_OK) {
        return HF_IO;
    }
    ssize_t written = pwrite(journal->fd, journal->noted.data, size, begun);
    if (written < 0 || (size_t)written != size || fdatasync(journal->fd) != 0) {
        errno = written >= 0 && (size_t)written != size ? ENOSPC : errno;
        return HF_IO;
    }
    journal->count += size / sizeof(struct record);
    journal->noted.size = 0;
    /* They are on disk already: when this fails, it is tried again after the next. */
    enum hf_status turned = journal->count >= journal->limit ? turn_over(journal) : HF_OK;
    (void)turned;
    return HF_OK;
}
