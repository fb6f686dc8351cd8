/* Converters that make digests and identifiers. */
#include <string.h>
#include <sys/random.h>

#include "function.h"
#include "util/digest.h"
#include "util/fnv.h"
#include "util/hash.h"
#include "util/hex.h"
#include "util/time/clock.h"

#define CONVERTER(name)                                                                            \
    static bool name(struct hf_ottl_run *run, const struct hf_ottl_call *call,                     \
                     const struct hf_ottl_value *arguments, struct hf_ottl_value *ret_value)

static bool hex_value(struct hf_ottl_run *run, struct hf_slice bytes,
                      struct hf_ottl_value *ret_value)
{
    char *room = hf_ottl_take(run, 2 * bytes.size + 1);
    if (room == NULL) {
        return false;
    }
    *ret_value = hf_ottl_string(hf_slice_of(room, hf_hex_write(bytes, room)));
    return true;
}

typedef enum hf_status digest_of(struct hf_slice data, char *ret_hex);

static bool digest(struct hf_ottl_run *run, digest_of *of, size_t size, struct hf_slice text,
                   struct hf_ottl_value *ret_value)
{
    char *room = hf_ottl_take(run, size);
    if (room == NULL) {
        return false;
    }
    *ret_value = hf_ottl_string(hf_slice_of(room, size));
    return of(text, room) == HF_OK ||
           hf_ottl_fail(run, "the system's OpenSSL is set up without that hash");
}

CONVERTER(sha1)
{
    (void)call;
    return digest(run, hf_digest_sha1, HF_SHA1_HEX_SIZE, arguments[0].bytes, ret_value);
}

CONVERTER(sha256)
{
    (void)call;
    return digest(run, hf_digest_sha256, HF_SHA256_HEX_SIZE, arguments[0].bytes, ret_value);
}

CONVERTER(sha512)
{
    (void)call;
    return digest(run, hf_digest_sha512, HF_SHA512_HEX_SIZE, arguments[0].bytes, ret_value);
}

CONVERTER(md5)
{
    (void)call;
    return digest(run, hf_digest_md5, HF_MD5_HEX_SIZE, arguments[0].bytes, ret_value);
}

/* ---- XXH3 ---- */

static void put_big_endian(uint64_t value, uint8_t *out)
{
    for (size_t i = 0; i < sizeof(value); i++) {
        out[i] = (uint8_t)(value >> (56 - 8 * i));
    }
}

CONVERTER(xxh3)
{
    uint8_t out[8];
    (void)call;
    put_big_endian(hf_hash_64(arguments[0].bytes), out);
    return hex_value(run, hf_slice_of(out, sizeof(out)), ret_value);
}

CONVERTER(xxh128)
{
    struct hf_hash hash = hf_hash_of(arguments[0].bytes);
    uint8_t out[16];
    (void)call;
    put_big_endian(hash.high, out);
    put_big_endian(hash.low, out + 8);
    return hex_value(run, hf_slice_of(out, sizeof(out)), ret_value);
}

/* ---- FNV and Murmur ---- */

CONVERTER(fnv)
{
    struct hf_slice text = arguments[0].bytes;
    (void)run;
    (void)call;
    *ret_value = hf_ottl_int((int64_t)hf_fnv(text));
    return true;
}

static uint32_t rotate32(uint32_t value, unsigned by)
{
    return value << by | value >> (32 - by);
}

static uint64_t rotate64(uint64_t value, unsigned by)
{
    return value << by | value >> (64 - by);
}

static uint64_t little_endian(const uint8_t *bytes, size_t count)
{
    uint64_t value = 0;
    for (size_t i = 0; i < count; i++) {
        value |= (uint64_t)bytes[i] << (8 * i);
    }
    return value;
}

static uint32_t murmur32_block(uint32_t block)
{
    return rotate32(block * 0xcc9e2d51u, 15) * 0x1b873593u;
}

CONVERTER(murmur3)
{
    struct hf_slice text = arguments[0].bytes;
    uint32_t hash = 0;
    size_t at = 0;
    uint8_t out[4];
    (void)call;
    for (; at + 4 <= text.size; at += 4) {
        hash ^= murmur32_block((uint32_t)little_endian(text.data + at, 4));
        hash = rotate32(hash, 13) * 5 + 0xe6546b64u;
    }
    if (at < text.size) {
        hash ^= murmur32_block((uint32_t)little_endian(text.data + at, text.size - at));
    }
    hash ^= (uint32_t)text.size;
    hash = (hash ^ hash >> 16) * 0x85ebca6bu;
    hash = (hash ^ hash >> 13) * 0xc2b2ae35u;
    hash ^= hash >> 16;
    for (size_t i = 0; i < sizeof(out); i++) {
        out[i] = (uint8_t)(hash >> (8 * i));
    }
    return hex_value(run, hf_slice_of(out, sizeof(out)), ret_value);
}

#define MURMUR_1 UINT64_C(0x87c37b91114253d5)
#define MURMUR_2 UINT64_C(0x4cf5ad432745937f)

static uint64_t murmur64_first(uint64_t block)
{
    return rotate64(block * MURMUR_1, 31) * MURMUR_2;
}

static uint64_t murmur64_second(uint64_t block)
{
    return rotate64(block * MURMUR_2, 33) * MURMUR_1;
}

static uint64_t murmur64_finish(uint64_t value)
{
    value = (value ^ value >> 33) * UINT64_C(0xff51afd7ed558ccd);
    value = (value ^ value >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
    return value ^ value >> 33;
}

CONVERTER(murmur3_128)
{
    struct hf_slice text = arguments[0].bytes;
    uint64_t first = 0, second = 0;
    size_t at = 0;
    uint8_t out[16];
    (void)call;
    for (; at + 16 <= text.size; at += 16) {
        first ^= murmur64_first(little_endian(text.data + at, 8));
        first = (rotate64(first, 27) + second) * 5 + 0x52dce729;
        second ^= murmur64_second(little_endian(text.data + at + 8, 8));
        second = (rotate64(second, 31) + first) * 5 + 0x38495ab5;
    }
    size_t left = text.size - at;
    if (left > 8) {
        second ^= murmur64_second(little_endian(text.data + at + 8, left - 8));
    }
    if (left > 0) {
        first ^= murmur64_first(little_endian(text.data + at, left < 8 ? left : 8));
    }
    first ^= text.size;
    second ^= text.size;
    first += second;
    second += first;
    first = murmur64_finish(first);
    second = murmur64_finish(second);
    first += second;
    second += first;
    for (size_t i = 0; i < 8; i++) {
        out[i] = (uint8_t)(first >> (8 * i));
        out[8 + i] = (uint8_t)(second >> (8 * i));
    }
    return hex_value(run, hf_slice_of(out, sizeof(out)), ret_value);
}

/* ---- identifiers ---- */

static bool id(struct hf_ottl_run *run, struct hf_slice bytes, size_t size, enum hf_ottl_type type,
               struct hf_ottl_value *ret_value)
{
    uint8_t *room = hf_ottl_take(run, size);
    if (room == NULL) {
        return false;
    }
    if (bytes.size == size) {
        memcpy(room, bytes.data, size);
    } else if (bytes.size != 2 * size || !hf_hex_read(bytes, room)) {
        return hf_ottl_fail(run, "an id has %zu bytes, or twice as many hexadecimal digits", size);
    }
    *ret_value = hf_ottl_of(type, hf_slice_of(room, size));
    return true;
}

CONVERTER(trace_id)
{
    (void)call;
    return id(run, arguments[0].bytes, 16, HF_OTTL_TRACE_ID, ret_value);
}

CONVERTER(span_id)
{
    (void)call;
    return id(run, arguments[0].bytes, 8, HF_OTTL_SPAN_ID, ret_value);
}

CONVERTER(profile_id)
{
    (void)call;
    return id(run, arguments[0].bytes, 16, HF_OTTL_PROFILE_ID, ret_value);
}

static bool print_uuid(struct hf_ottl_run *run, uint8_t *bytes, unsigned version,
                       struct hf_ottl_value *ret_value)
{
    static const size_t parts[] = {4, 2, 2, 2, 6};
    char room[40];
    size_t size = 0, at = 0;
    bytes[6] = (uint8_t)((bytes[6] & 0x0f) | version << 4);
    bytes[8] = (uint8_t)((bytes[8] & 0x3f) | 0x80);
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        if (i > 0) {
            room[size++] = '-';
        }
        size += hf_hex_write(hf_slice_of(bytes + at, parts[i]), room + size);
        at += parts[i];
    }
    *ret_value = hf_ottl_string(hf_ottl_keep(run, hf_slice_of(room, size)));
    return !run->no_memory;
}

static bool random_bytes(struct hf_ottl_run *run, uint8_t *room, size_t size)
{
    return getrandom(room, size, 0) == (ssize_t)size ||
           hf_ottl_fail(run, "the system has no random bytes");
}

CONVERTER(uuid)
{
    uint8_t bytes[16];
    (void)call;
    (void)arguments;
    return random_bytes(run, bytes, sizeof(bytes)) && print_uuid(run, bytes, 4, ret_value);
}

CONVERTER(uuid_v7)
{
    uint8_t bytes[16];
    uint64_t ms = hf_clock_unix_ns() / HF_NS_PER_MS;
    (void)call;
    (void)arguments;
    if (!random_bytes(run, bytes, sizeof(bytes))) {
        return false;
    }
    for (size_t i = 0; i < 6; i++) {
        bytes[i] = (uint8_t)(ms >> (40 - 8 * i));
    }
    return print_uuid(run, bytes, 7, ret_value);
}

#define OF_TEXT                                                                                    \
    {                                                                                              \
        {                                                                                          \
            "target", HF_ARG_STRING                                                                \
        }                                                                                          \
    }

const struct hf_ottl_function hf_ottl_digests[] = {
    {.name = "SHA1", .arguments = OF_TEXT, .run = sha1},
    {.name = "SHA256", .arguments = OF_TEXT, .run = sha256},
    {.name = "SHA512", .arguments = OF_TEXT, .run = sha512},
    {.name = "MD5", .arguments = OF_TEXT, .run = md5},
    {.name = "FNV", .arguments = OF_TEXT, .run = fnv},
    {.name = "XXH3", .arguments = OF_TEXT, .run = xxh3},
    {.name = "XXH128", .arguments = OF_TEXT, .run = xxh128},
    {.name = "Murmur3Hash", .arguments = OF_TEXT, .run = murmur3},
    {.name = "Murmur3Hash128", .arguments = OF_TEXT, .run = murmur3_128},
    {.name = "TraceID",
     .arguments = {{"target", HF_ARG_BYTES_LIKE}},
     .run = trace_id,
     .fails_early = true},
    {.name = "SpanID",
     .arguments = {{"target", HF_ARG_BYTES_LIKE}},
     .run = span_id,
     .fails_early = true},
    {.name = "ProfileID",
     .arguments = {{"target", HF_ARG_BYTES_LIKE}},
     .run = profile_id,
     .fails_early = true},
    {.name = "UUID", .arguments = {{NULL}}, .run = uuid, .varies = true},
    {.name = "UUIDv7", .arguments = {{NULL}}, .run = uuid_v7, .varies = true},
    {.name = NULL},
};
