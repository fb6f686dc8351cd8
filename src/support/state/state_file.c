#include "state_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "state_store.h"
#include "util/checksum.h"
#include "util/sync_directory.h"

#define FILE_BUFFER_BYTES (256u << 10)

enum hf_status hf_state_file_path(const struct hf_node *node, char **ret_path)
{
    const char *directory = hf_node_directory(node);
    *ret_path = hf_state_path(directory, hf_node_place_id(node));
    return directory != NULL && *ret_path == NULL ? HF_NOMEM : HF_OK;
}

/* ---- writing ---- */

void hf_state_file_write_begin(struct hf_state_writer *writer, const char *path, const char *magic)
{
    *writer = (struct hf_state_writer){.path = path, .status = HF_OK};
    if (asprintf(&writer->next, "%s.new", path) < 0) {
        writer->next = NULL;
        writer->status = HF_NOMEM;
        return;
    }
    int fd = open(writer->next, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    writer->file = fd >= 0 ? fdopen(fd, "wb") : NULL;
    if (writer->file == NULL) {
        writer->status = HF_IO;
        if (fd >= 0) {
            close(fd);
        }
        return;
    }
    setvbuf(writer->file, NULL, _IOFBF, FILE_BUFFER_BYTES);
    hf_state_file_put(writer, magic, HF_STATE_MAGIC_SIZE);
}

void hf_state_file_put(struct hf_state_writer *writer, const void *data, size_t size)
{
    if (writer->status != HF_OK || size == 0) {
        return;
    }
    writer->crc = hf_crc32c(writer->crc, data, size);
    if (fwrite(data, 1, size, writer->file) != size) {
        writer->status = HF_IO;
    }
}

void hf_state_put_u64(struct hf_state_writer *writer, uint64_t value)
{
    hf_state_file_put(writer, &value, sizeof(value));
}

void hf_state_file_put_bytes(struct hf_state_writer *writer, struct hf_slice bytes)
{
    hf_state_put_u64(writer, bytes.size);
    hf_state_file_put(writer, bytes.data, bytes.size);
}

/* The checksum behind the content, and all of it on disk. */
static void finish(struct hf_state_writer *writer)
{
    uint32_t crc = writer->crc;
    hf_state_file_put(writer, &crc, sizeof(crc));
    if (writer->status == HF_OK &&
        (fflush(writer->file) != 0 || fsync(fileno(writer->file)) != 0)) {
        writer->status = HF_IO;
    }
}

enum hf_status hf_state_file_write_end(struct hf_state_writer *writer)
{
    int saved = errno;
    if (writer->file != NULL) {
        finish(writer);
        saved = errno;
        if (fclose(writer->file) != 0 && writer->status == HF_OK) {
            writer->status = HF_IO;
            saved = errno;
        }
        writer->file = NULL;
        if (writer->status == HF_OK && rename(writer->next, writer->path) != 0) {
            writer->status = HF_IO;
            saved = errno;
        }
        if (writer->status != HF_OK) {
            unlink(writer->next);
        }
    }
    if (writer->status == HF_OK) {
        writer->status = hf_sync_parent(writer->path);
        saved = errno;
    }
    free(writer->next);
    writer->next = NULL;
    errno = saved;
    return writer->status;
}

/* ---- reading ---- */

enum hf_status hf_state_file_read_begin(struct hf_state_reader *reader, const char *path,
                                        const char *magic)
{
    char found[HF_STATE_MAGIC_SIZE];
    *reader = (struct hf_state_reader){.file = fopen(path, "rbe"), .status = HF_OK};
    if (reader->file == NULL) {
        return errno == ENOENT ? HF_NOT_FOUND : HF_IO;
    }
    setvbuf(reader->file, NULL, _IOFBF, FILE_BUFFER_BYTES);
    if (!hf_state_file_get(reader, found, sizeof(found)) ||
        memcmp(found, magic, sizeof(found)) != 0) {
        fclose(reader->file);
        reader->file = NULL;
        return reader->status == HF_IO ? HF_IO : HF_CORRUPT;
    }
    return HF_OK;
}

bool hf_state_file_get(struct hf_state_reader *reader, void *ret_data, size_t size)
{
    if (reader->status != HF_OK) {
        return false;
    }
    if (size > 0 && fread(ret_data, 1, size, reader->file) != size) {
        reader->status = ferror(reader->file) != 0 ? HF_IO : HF_CORRUPT;
        return false;
    }
    reader->crc = hf_crc32c(reader->crc, ret_data, size);
    return true;
}

uint64_t hf_state_get_u64(struct hf_state_reader *reader)
{
    uint64_t value = 0;
    return hf_state_file_get(reader, &value, sizeof(value)) ? value : 0;
}

bool hf_state_file_get_bytes(struct hf_state_reader *reader, struct hf_bytes *bytes)
{
    uint64_t size = hf_state_get_u64(reader);
    bytes->size = 0;
    if (reader->status != HF_OK) {
        return false;
    }
    if (size > HF_STATE_BYTES_MAX) {
        reader->status = HF_CORRUPT;
        return false;
    }
    if (hf_bytes_reserve(bytes, (size_t)size + 1) != HF_OK) {
        reader->status = HF_NOMEM;
        return false;
    }
    if (!hf_state_file_get(reader, bytes->data, (size_t)size)) {
        return false;
    }
    bytes->size = (size_t)size;
    return true;
}

enum hf_status hf_state_file_read_check(struct hf_state_reader *reader)
{
    uint32_t expected = reader->crc, crc = 0;
    if (hf_state_file_get(reader, &crc, sizeof(crc)) && crc != expected) {
        reader->status = HF_CORRUPT;
    }
    return reader->status;
}

void hf_state_file_read_close(struct hf_state_reader *reader)
{
    fclose(reader->file);
    reader->file = NULL;
}

enum hf_status hf_state_file_read_end(struct hf_state_reader *reader)
{
    if (hf_state_file_read_check(reader) == HF_OK && fgetc(reader->file) != EOF) {
        reader->status = HF_CORRUPT;
    }
    hf_state_file_read_close(reader);
    return reader->status;
}
