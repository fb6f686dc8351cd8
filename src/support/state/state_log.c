#include "state_log.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/checksum.h"
#include "util/write_all.h"

#define RECORD_BYTES_MAX (UINT64_C(1) << 30)

/* Stands before the bytes. */
struct record_head {
    uint64_t size, number;
    uint64_t crc; /* of what stands before it, and of the bytes */
};

static uint32_t checksum(const struct record_head *head, struct hf_slice bytes)
{
    uint32_t crc = hf_crc32c(0, head, offsetof(struct record_head, crc));
    return hf_crc32c(crc, bytes.data, bytes.size);
}

enum hf_status hf_state_log_open(struct hf_state_log *log, const char *path)
{
    struct stat found;
    *log = (struct hf_state_log){.fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC)};
    if (log->fd < 0) {
        return HF_IO;
    }
    if (fstat(log->fd, &found) != 0) {
        hf_state_log_close(log);
        return HF_IO;
    }
    log->content_bytes = (uint64_t)found.st_size;
    return HF_OK;
}

enum hf_status hf_state_log_append(struct hf_state_log *log, uint64_t number, struct hf_slice bytes)
{
    struct record_head head = {.size = bytes.size, .number = number};
    head.crc = checksum(&head, bytes);
    if (!hf_write_all(log->fd, hf_slice_of(&head, sizeof(head))) || !hf_write_all(log->fd, bytes)) {
        hf_state_log_close(log);
        return HF_IO;
    }
    log->size += sizeof(head) + bytes.size;
    return HF_OK;
}

enum hf_status hf_state_log_sync(struct hf_state_log *log)
{
    if (fdatasync(log->fd) != 0) {
        hf_state_log_close(log);
        return HF_IO;
    }
    return HF_OK;
}

void hf_state_log_close(struct hf_state_log *log)
{
    int saved = errno;
    if (log->fd >= 0) {
        close(log->fd);
    }
    log->fd = -1;
    errno = saved;
}

bool hf_state_log_next(struct hf_state_reader *reader, uint64_t *ret_number, struct hf_bytes *bytes)
{
    struct record_head head;
    if (reader->status != HF_OK || fread(&head, sizeof(head), 1, reader->file) != 1 ||
        head.size > RECORD_BYTES_MAX) {
        return false;
    }
    if (hf_bytes_reserve(bytes, (size_t)head.size + 1) != HF_OK) {
        reader->status = HF_NOMEM;
        return false;
    }
    bytes->size = fread(bytes->data, 1, (size_t)head.size, reader->file);
    *ret_number = head.number;
    return bytes->size == head.size &&
           checksum(&head, hf_slice_of(bytes->data, bytes->size)) == head.crc;
}
