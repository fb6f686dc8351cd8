#include "frames.h"

#include <string.h>
#include <sys/stat.h>

#include "util/checksum.h"

struct frame_head {
    uint32_t size, crc; /* of what follows */
};

void hf_frame_head(uint8_t ret_head[HF_FRAME_HEAD_BYTES], struct hf_slice first,
                   struct hf_slice second)
{
    uint32_t crc = hf_crc32c(0, first.data, first.size);
    struct frame_head head = {.size = (uint32_t)(first.size + second.size),
                              .crc = hf_crc32c(crc, second.data, second.size)};
    memcpy(ret_head, &head, sizeof(head));
}

/* How many bytes stand behind the position. */
static uint64_t left_in(FILE *file)
{
    struct stat found;
    off_t at = ftello(file);
    return at >= 0 && fstat(fileno(file), &found) == 0 && found.st_size > at
               ? (uint64_t)(found.st_size - at)
               : 0;
}

static enum hf_status read_frame(FILE *file, struct hf_bytes *frame)
{
    struct frame_head head;
    if (fread(&head, sizeof(head), 1, file) != 1 || head.size == 0 ||
        head.size > HF_FRAME_BYTES_MAX || head.size > left_in(file)) {
        return HF_NOT_FOUND;
    }
    frame->size = 0;
    if (hf_bytes_reserve(frame, head.size) != HF_OK) {
        return HF_NOMEM;
    }
    frame->size = fread(frame->data, 1, head.size, file);
    return frame->size == head.size && hf_crc32c(0, frame->data, frame->size) == head.crc
               ? HF_OK
               : HF_NOT_FOUND;
}

enum hf_status hf_frame_next(FILE *file, struct hf_bytes *frame)
{
    off_t start = ftello(file);
    enum hf_status status = read_frame(file, frame);
    if (status != HF_OK && fseeko(file, start, SEEK_SET) != 0) {
        return HF_NOT_FOUND; /* all reads behind it fail */
    }
    return status;
}
