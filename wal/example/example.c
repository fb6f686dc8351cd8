/*
 * Appends a few lines to a queue, waits until each is durable, reads them back and acknowledges
 * them. Run it twice, or kill it in between: what was acknowledged does not come again, everything
 * else does.
 *
 *   build/debug/wal_example /tmp/lines one two three
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "wal/wal.h"

struct line {
    struct wal_append append;
    int pipe; /* tells main() that it is durable */
};

static void done(struct wal_append *append, enum wal_status status)
{
    struct line *line = HF_CONTAINER(append, struct line, append);
    char result = (char)status;

    (void)!write(line->pipe, &result, 1); /* the committer's thread: hand it on and return */
}

static enum wal_status append_line(struct wal *wal, const char *text, const int pipe_ends[2])
{
    struct line line = {.pipe = pipe_ends[1]};
    char result = WAL_IO;

    line.append = (struct wal_append){.body = hf_slice_text(text), .items = 1, .done = done};
    line.append.raw_bytes = strlen(text);
    enum wal_status status = wal_admit(wal, &line.append);
    if (status != WAL_OK) {
        return status;
    }
    wal_append(wal, &line.append);
    return read(pipe_ends[0], &result, 1) == 1 ? (enum wal_status)result : WAL_IO;
}

static void drain(struct wal_consumer *consumer)
{
    struct wal_record record;
    size_t count = 0;

    while (wal_consumer_read(consumer, 1, 1 << 20, &record, &count) == WAL_OK && count == 1) {
        struct wal_ack ack = {.sequence = record.sequence,
                              .items = record.items,
                              .raw_bytes = record.raw_bytes,
                              .outcome = WAL_DELIVERED};
        printf("%" PRIu64 ": %.*s\n", record.sequence, (int)record.body.size,
               (const char *)record.body.data);
        wal_consumer_ack(consumer, &ack, 1);
        hf_ref_drop(record.owner);
    }
}

int main(int count, char **arguments)
{
    const struct wal_consumer_options reader = {.name = "reader"};
    const struct wal_options options = {.directory = count > 1 ? arguments[1] : "lines"};
    struct wal_consumer *consumer = NULL;
    struct wal *wal = NULL;
    int pipe_ends[2];

    enum wal_status status = pipe(pipe_ends) == 0 ? wal_open(&options, &wal) : WAL_IO;
    if (status == WAL_OK) {
        status = wal_consumer_open(wal, &reader, &consumer);
    }
    for (int i = 2; i < count && status == WAL_OK; i++) {
        status = append_line(wal, arguments[i], pipe_ends);
    }
    if (consumer != NULL) {
        drain(consumer);
        wal_consumer_close(consumer);
    }
    wal_close(wal);
    printf("%s\n", wal_status_text(status));
    return status == WAL_OK ? 0 : 1;
}
