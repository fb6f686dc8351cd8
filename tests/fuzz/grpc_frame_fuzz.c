/*
 * The small parsers of gRPC. Must reach: hf_grpc_prefix_feed, hf_base64_decode,
 * hf_grpc_percent_decode, hf_grpc_timeout_parse, hf_grpc_details_retry, hf_grpc_metadata_add,
 * hf_grpc_target_parse, hf_grpc_proxy_parse, hf_proxy_is_excepted.
 */
#include <assert.h>
#include <stdlib.h>

#include <grpc/details.h>
#include <grpc/frame.h>
#include <grpc/metadata.h>
#include <grpc/target.h>
#include <grpc/text.h>
#include <util/base64.h>
#include <util/proxy.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Fed in two parts and in one, a prefix is the same. */
static void feed(const uint8_t *data, size_t size)
{
    struct hf_slice whole = hf_slice_of(data, size);
    struct hf_grpc_prefix once = {.have = 0}, twice = {.have = 0};
    enum hf_status status = hf_grpc_prefix_feed(&once, &whole);
    size_t split = size != 0 ? data[size - 1] % (size + 1) : 0;
    struct hf_slice first = hf_slice_of(data, split);
    enum hf_status other = hf_grpc_prefix_feed(&twice, &first);
    if (other == HF_AGAIN) {
        struct hf_slice second = hf_slice_of(data + split, size - split);
        other = hf_grpc_prefix_feed(&twice, &second);
        assert(other != HF_OK || second.size == whole.size);
    }
    assert(status == other);
    assert(status != HF_OK || (once.size == twice.size && once.compressed == twice.compressed));
}

static void decode_base64(struct hf_slice text)
{
    uint8_t *bytes = malloc(HF_BASE64_DECODED_SIZE(text.size));
    char *back = malloc(HF_BASE64_SIZE(text.size) + 8);
    size_t size;
    assert(bytes != NULL && back != NULL);
    if (hf_base64_decode(text, HF_BASE64_ANY, bytes, &size)) {
        assert(hf_base64_encode(hf_slice_of(bytes, size), HF_BASE64_RAW, back) <= text.size);
    }
    free(bytes);
    free(back);
}

static void decode_text(struct hf_slice text)
{
    char plain[64], coded[sizeof(plain) * 3], again[sizeof(plain)];
    uint64_t ns;
    hf_grpc_percent_decode(text, plain, sizeof(plain));
    size_t size = hf_grpc_percent_encode(hf_slice_text(plain), coded, sizeof(coded));
    hf_grpc_percent_decode(hf_slice_of(coded, size), again, sizeof(again));
    assert(strcmp(plain, again) == 0);
    if (hf_grpc_timeout_parse(text, &ns)) {
        char written[10];
        uint64_t back;
        size = hf_grpc_timeout_write(ns, written);
        bool good = hf_grpc_timeout_parse(hf_slice_of(written, size), &back);
        assert(good && back >= ns);
    }
    if (hf_grpc_details_retry(text, &ns)) {
        assert(ns < UINT64_C(366) * 24 * 3600 * 1000000000);
    }
}

static void keep_metadata(const uint8_t *data, size_t size)
{
    struct hf_grpc_metadata metadata;
    hf_grpc_metadata_init(&metadata);
    while (size > 2) {
        size_t name_size = data[0] % 16u, value_size = (size_t)data[1] * 16;
        data += 2;
        size -= 2;
        name_size = name_size < size ? name_size : size;
        value_size = value_size < size - name_size ? value_size : size - name_size;
        enum hf_status status = hf_grpc_metadata_add(&metadata, hf_slice_of(data, name_size),
                                                     hf_slice_of(data + name_size, value_size));
        assert(status == HF_OK || status == HF_TOO_LARGE || status == HF_INVALID);
        data += name_size + value_size;
        size -= name_size + value_size;
    }
    size_t cursor = 0, count = 0;
    struct hf_slice name, value;
    while (hf_grpc_metadata_next(&metadata, &cursor, &name, &value)) {
        count++;
    }
    assert(count == metadata.count);
    hf_grpc_metadata_release(&metadata);
}

static void take_apart(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    assert(text != NULL);
    memcpy(text, data, size);
    text[size] = '\0';
    struct hf_grpc_target target;
    struct hf_grpc_proxy proxy;
    if (hf_grpc_target_parse(text, &target) == HF_OK) {
        assert(target.host[0] != '\0' && target.is_unix == (target.port[0] == '\0'));
    }
    if (hf_grpc_proxy_parse(text, &proxy) == HF_OK) {
        assert(!proxy.target.is_unix);
        (void)hf_proxy_is_excepted(text, proxy.target.host, proxy.target.port);
    }
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    uint8_t which = data[0];
    data++;
    size--;
    switch (which % 5) {
    case 0:
        feed(data, size);
        break;
    case 1:
        decode_base64(hf_slice_of(data, size));
        break;
    case 2:
        decode_text(hf_slice_of(data, size));
        break;
    case 3:
        keep_metadata(data, size);
        break;
    default:
        take_apart(data, size);
        break;
    }
    return 0;
}
