#include "state_log.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "frames.h"
#include "util/checksum.h"
#include "util/write_all.h"

/* What stood before the bytes of a record until it was a frame. */
struct record_head {
    uint64_t size, number;
    uint64_t crc; /* of what stands before it, and of the bytes */
};

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
    struct {
        uint8_t head[HF_FRAME_HEAD_BYTES];
        uint64_t number;
    } front = {.number = number};
    hf_frame_head(front.head, hf_slice_of(&front.number, sizeof(front.number)), bytes);
    if (!hf_write_all(log->fd, hf_slice_of(&front, sizeof(front))) ||
        !hf_write_all(log->fd, bytes)) {
        hf_state_log_close(log);
        return HF_IO;
    }
    log->size += sizeof(front) + bytes.size;
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

static bool next_framed(struct hf_state_reader *reader, struct hf_bytes *room,
                        struct hf_state_record *ret_record)
{
    enum hf_status status = hf_frame_next(reader->file, room);
    if (status == HF_NOMEM) {
        reader->status = status;
    }
    if (status != HF_OK || room->size < sizeof(ret_record->number)) {
        return false;
    }
    memcpy(&ret_record->number, room->data, sizeof(ret_record->number));
    ret_record->bytes = hf_slice_of(room->data + sizeof(uint64_t), room->size - sizeof(uint64_t));
    return true;
}

static bool next_unframed(struct hf_state_reader *reader, struct hf_bytes *room,
                          struct hf_state_record *ret_record)
{
    struct record_head head;
    if (fread(&head, sizeof(head), 1, reader->file) != 1 || head.size > HF_FRAME_BYTES_MAX) {
        return false;
    }
    if (hf_bytes_reserve(room, (size_t)head.size + 1) != HF_OK) {
        reader->status = HF_NOMEM;
        return false;
    }
    room->size = fread(room->data, 1, (size_t)head.size, reader->file);
    *ret_record = (struct hf_state_record){head.number, hf_slice_of(room->data, room->size)};
    uint32_t crc = hf_crc32c(0, &head, offsetof(struct record_head, crc));
    return room->size == head.size && hf_crc32c(crc, room->data, room->size) == head.crc;
}

bool hf_state_log_next(struct hf_state_reader *reader, struct hf_bytes *room,
                       struct hf_state_record *ret_record)
{
    room->size = 0;
    return reader->status == HF_OK &&
           (next_framed(reader, room, ret_record) ||
            (reader->status == HF_OK && next_unframed(reader, room, ret_record)));
}
