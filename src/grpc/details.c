#include "details.h"

#define RETRY_INFO "type.googleapis.com/google.rpc.RetryInfo"

/* Wire types of protobuf. */
enum { VARINT = 0, FIXED64 = 1, BYTES = 2, FIXED32 = 5 };

static size_t write_varint(uint8_t *bytes, uint64_t value)
{
    size_t size = 0;
    while (value > 127) {
        bytes[size++] = (uint8_t)(value | 128);
        value >>= 7;
    }
    bytes[size++] = (uint8_t)value;
    return size;
}

static size_t write_number(uint8_t *bytes, unsigned field, uint64_t value)
{
    bytes[0] = (uint8_t)(field << 3 | VARINT);
    return 1 + write_varint(bytes + 1, value);
}

static size_t write_bytes(uint8_t *bytes, unsigned field, struct hf_slice value)
{
    bytes[0] = (uint8_t)(field << 3 | BYTES);
    size_t size = 1 + write_varint(bytes + 1, value.size);
    if (value.size != 0) {
        memcpy(bytes + size, value.data, value.size);
    }
    return size + value.size;
}

size_t hf_grpc_details_write(int code, struct hf_slice message, uint64_t retry_delay_ns,
                             uint8_t *ret_bytes)
{
    uint8_t duration[24], info[32], any[96];
    size_t size = write_number(duration, 1, retry_delay_ns / 1000000000u);
    size += write_number(duration + size, 2, retry_delay_ns % 1000000000u);
    size = write_bytes(info, 1, hf_slice_of(duration, size));
    size_t any_size = write_bytes(any, 1, hf_slice_text(RETRY_INFO));
    any_size += write_bytes(any + any_size, 2, hf_slice_of(info, size));

    size = write_number(ret_bytes, 1, (uint64_t)code);
    size += write_bytes(ret_bytes + size, 2, message);
    return size + write_bytes(ret_bytes + size, 3, hf_slice_of(any, any_size));
}

struct field {
    uint32_t number;
    uint32_t type;
    uint64_t value;
    struct hf_slice bytes;
};

static bool read_varint(struct hf_slice *in, uint64_t *ret_value)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && in->size > 0; shift += 7) {
        uint8_t byte = in->data[0];
        *in = hf_slice_of(in->data + 1, in->size - 1);
        value |= (uint64_t)(byte & 127) << shift;
        if (byte < 128) {
            *ret_value = value;
            return true;
        }
    }
    return false;
}

/* False at the end and at whatever is malformed. */
static bool next_field(struct hf_slice *in, struct field *ret_field)
{
    uint64_t tag, size = 0;
    if (!read_varint(in, &tag) || tag > UINT32_MAX) {
        return false;
    }
    struct field field = {.number = (uint32_t)(tag >> 3), .type = (uint32_t)(tag & 7)};
    switch (field.type) {
    case VARINT:
        if (!read_varint(in, &field.value)) {
            return false;
        }
        break;
    case FIXED64:
        size = 8;
        break;
    case FIXED32:
        size = 4;
        break;
    case BYTES:
        if (!read_varint(in, &size)) {
            return false;
        }
        break;
    default:
        return false;
    }
    if (size > in->size) {
        return false;
    }
    field.bytes = hf_slice_of(in->data, (size_t)size);
    *in = hf_slice_of(in->data + size, in->size - (size_t)size);
    *ret_field = field;
    return true;
}

static struct hf_slice find_bytes(struct hf_slice message, uint32_t number)
{
    struct field field;
    struct hf_slice found = HF_EMPTY_SLICE;
    while (next_field(&message, &field)) {
        if (field.number == number && field.type == BYTES) {
            found = field.bytes; /* the last one counts */
        }
    }
    return found;
}

static uint64_t duration_ns(struct hf_slice duration)
{
    uint64_t seconds = 0, nanos = 0;
    struct field field;
    while (next_field(&duration, &field)) {
        if (field.type == VARINT && field.number == 1) {
            seconds = field.value;
        } else if (field.type == VARINT && field.number == 2) {
            nanos = field.value;
        }
    }
    /* Negative ones look enormous: no delay then. Longer than a year is a year. */
    if (seconds > INT64_MAX || nanos > 999999999) {
        return 0;
    }
    uint64_t year = UINT64_C(365) * 24 * 3600;
    return (seconds < year ? seconds : year) * 1000000000u + nanos;
}

bool hf_grpc_details_retry(struct hf_slice details, uint64_t *ret_delay_ns)
{
    struct field field;
    while (next_field(&details, &field)) {
        if (field.number != 3 || field.type != BYTES ||
            !hf_slice_is(find_bytes(field.bytes, 1), RETRY_INFO)) {
            continue;
        }
        *ret_delay_ns = duration_ns(find_bytes(find_bytes(field.bytes, 2), 1));
        return true;
    }
    return false;
}
