#include "instance.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "util/digest.h"

#define SEED_MAX 512u
#define DIGITS(hex, at, count) (int)(count), (hex) + (at)

void hf_instance_host(const char *host, char ret_host[HF_INSTANCE_HOST_SIZE])
{
    struct in_addr four;
    struct in6_addr six;
    bool is_here = strcasecmp(host, "localhost") == 0 ||
                   (strncmp(host, "127.", 4) == 0 && inet_pton(AF_INET, host, &four) == 1) ||
                   (inet_pton(AF_INET6, host, &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six));
    if (!is_here || gethostname(ret_host, HF_INSTANCE_HOST_SIZE) != 0) {
        snprintf(ret_host, HF_INSTANCE_HOST_SIZE, "%s", host);
    }
    ret_host[HF_INSTANCE_HOST_SIZE - 1] = '\0';
}

void hf_instance_join(const char *host, const char *port, char *ret_joined, size_t size)
{
    bool is_six = strchr(host, ':') != NULL;
    snprintf(ret_joined, size, is_six ? "[%s]:%s" : "%s:%s", host, port);
}

enum hf_status hf_instance_uuid(struct hf_slice seed, char ret_uuid[HF_INSTANCE_UUID_SIZE])
{
    static const uint8_t namespace_id[] = {0x4d, 0x63, 0x00, 0x9a, 0x8d, 0x0f, 0x11, 0xee,
                                           0xaa, 0xd7, 0x4c, 0x79, 0x6e, 0xd8, 0xe3, 0x20};
    static const char variants[] = "89ab";
    uint8_t text[sizeof(namespace_id) + SEED_MAX];
    char hex[HF_SHA1_HEX_SIZE];
    size_t size = seed.size < SEED_MAX ? seed.size : SEED_MAX;
    memcpy(text, namespace_id, sizeof(namespace_id));
    if (size != 0) {
        memcpy(text + sizeof(namespace_id), seed.data, size);
    }
    enum hf_status status = hf_digest_sha1(hf_slice_of(text, sizeof(namespace_id) + size), hex);
    if (status == HF_OK) {
        unsigned digit = (unsigned)(hex[16] <= '9' ? hex[16] - '0' : hex[16] - 'a' + 10);
        snprintf(ret_uuid, HF_INSTANCE_UUID_SIZE, "%.*s-%.*s-5%.*s-%c%.*s-%.*s", DIGITS(hex, 0, 8),
                 DIGITS(hex, 8, 4), DIGITS(hex, 13, 3), variants[digit & 3], DIGITS(hex, 17, 3),
                 DIGITS(hex, 20, 12));
    }
    return status;
}
