/*
 * peer: who is at the other end, for limits per peer: an IPv4 address, the /64 network of an IPv6
 * address (which one host has for itself), or all local ones together. The port does not count.
 * Any thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct sockaddr;

struct hf_peer {
    uint64_t high, low; /* all zero: a Unix socket, or unknown */
};

/* NULL is unknown. */
struct hf_peer hf_peer_of_address(const struct sockaddr *address);
/* "10.0.0.7:51234", "[fe80::1]:51234", "unix". */
struct hf_peer hf_peer_of_text(const char *text);
bool hf_peer_equal(const struct hf_peer *a, const struct hf_peer *b);
/* Spreads peers over the places of a table; `seed` keeps strangers from choosing theirs. */
uint64_t hf_peer_hash(const struct hf_peer *peer, uint64_t seed);
