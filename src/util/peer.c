#include "peer.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>

/* IPv4 in the form of a mapped address, so that a dual-stack socket sees the same peer. */
#define MAPPED UINT64_C(0xffff00000000)

static uint64_t read_be64(const uint8_t *bytes)
{
    uint64_t value = 0;
    for (int i = 0; i < 8; i++) {
        value = value << 8 | bytes[i];
    }
    return value;
}

static struct hf_peer of_v4(const struct in_addr *address)
{
    return (struct hf_peer){.low = MAPPED | ntohl(address->s_addr)};
}

static struct hf_peer of_v6(const struct in6_addr *address)
{
    if (IN6_IS_ADDR_V4MAPPED(address)) {
        return (struct hf_peer){.low = read_be64(address->s6_addr + 8)};
    }
    struct hf_peer peer = {.high = read_be64(address->s6_addr)};
    if (peer.high == 0) {
        peer.low = read_be64(address->s6_addr + 8); /* ::1 is no network */
    }
    return peer;
}

struct hf_peer hf_peer_of_address(const struct sockaddr *address)
{
    if (address != NULL && address->sa_family == AF_INET) {
        struct sockaddr_in v4;
        memcpy(&v4, address, sizeof(v4));
        return of_v4(&v4.sin_addr);
    }
    if (address != NULL && address->sa_family == AF_INET6) {
        struct sockaddr_in6 v6;
        memcpy(&v6, address, sizeof(v6));
        return of_v6(&v6.sin6_addr);
    }
    return (struct hf_peer){0};
}

struct hf_peer hf_peer_of_text(const char *text)
{
    char host[INET6_ADDRSTRLEN];
    struct in_addr v4;
    struct in6_addr v6;
    const char *end = strrchr(text, ':');
    size_t size = end != NULL ? (size_t)(end - text) : strlen(text);
    if (size >= 2 && text[0] == '[' && text[size - 1] == ']') {
        text++;
        size -= 2;
    }
    if (size >= sizeof(host)) {
        return (struct hf_peer){0};
    }
    memcpy(host, text, size);
    host[size] = '\0';
    if (inet_pton(AF_INET, host, &v4) == 1) {
        return of_v4(&v4);
    }
    return inet_pton(AF_INET6, host, &v6) == 1 ? of_v6(&v6) : (struct hf_peer){0};
}

bool hf_peer_equal(const struct hf_peer *a, const struct hf_peer *b)
{
    return a->high == b->high && a->low == b->low;
}

/* Multiplying by odd numbers and folding the upper half down, twice. */
uint64_t hf_peer_hash(const struct hf_peer *peer, uint64_t seed)
{
    uint64_t hash = (peer->high ^ seed) * UINT64_C(0x9e3779b97f4a7c15);
    hash = (hash ^ hash >> 32 ^ peer->low) * UINT64_C(0xd6e8feb86659fd93);
    hash = (hash ^ hash >> 32 ^ seed) * UINT64_C(0xd6e8feb86659fd93);
    return hash ^ hash >> 32;
}
