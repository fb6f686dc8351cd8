#include <holdfast/meta.h>

#include <strings.h>

static size_t varint_size(size_t value)
{
    size_t size = 1;
    for (; value >= 0x80; value >>= 7) {
        size++;
    }
    return size;
}

static void put_text(struct hf_meta_writer *writer, struct hf_slice text)
{
    size_t left = text.size;
    for (; left >= 0x80; left >>= 7) {
        writer->bytes[writer->size++] = (uint8_t)(left | 0x80);
    }
    writer->bytes[writer->size++] = (uint8_t)left;
    if (text.size != 0) {
        memcpy(writer->bytes + writer->size, text.data, text.size);
    }
    writer->size += text.size;
}

enum hf_status hf_meta_add(struct hf_meta_writer *writer, enum hf_meta_kind kind,
                           struct hf_slice key, struct hf_slice value)
{
    if (key.size > HF_META_BYTES_MAX || value.size > HF_META_BYTES_MAX) {
        return HF_TOO_LARGE;
    }
    size_t needed = 1 + varint_size(key.size) + key.size + varint_size(value.size) + value.size;
    if (needed > sizeof(writer->bytes) - writer->size) {
        return HF_TOO_LARGE;
    }
    writer->bytes[writer->size++] = (uint8_t)kind;
    put_text(writer, key);
    put_text(writer, value);
    return HF_OK;
}

static bool take_text(struct hf_slice meta, size_t *cursor, struct hf_slice *ret_text)
{
    size_t size = 0;
    for (unsigned shift = 0;; shift += 7) {
        if (*cursor >= meta.size || shift > 21) {
            return false;
        }
        uint8_t byte = meta.data[(*cursor)++];
        size |= (size_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            break;
        }
    }
    if (size > meta.size - *cursor) {
        return false;
    }
    *ret_text = hf_slice_of(meta.data + *cursor, size);
    *cursor += size;
    return true;
}

bool hf_meta_next(struct hf_slice meta, size_t *cursor, struct hf_meta_entry *ret_entry)
{
    if (*cursor >= meta.size) {
        return false;
    }
    struct hf_meta_entry entry = {.kind = (enum hf_meta_kind)meta.data[(*cursor)++]};
    if (!take_text(meta, cursor, &entry.key) || !take_text(meta, cursor, &entry.value)) {
        return false;
    }
    *ret_entry = entry;
    return true;
}

bool hf_meta_find(struct hf_slice meta, enum hf_meta_kind kind, const char *key,
                  struct hf_slice *ret_value)
{
    size_t cursor = 0;
    size_t key_size = strlen(key);
    struct hf_meta_entry entry;
    while (hf_meta_next(meta, &cursor, &entry)) {
        if (entry.kind == kind && entry.key.size == key_size &&
            strncasecmp((const char *)entry.key.data, key, key_size) == 0) {
            *ret_value = entry.value;
            return true;
        }
    }
    return false;
}
