/*
 * server_greeting: accepted connections until their first bytes are here. Those tell which protocol
 * the peer speaks: one of another protocol gets an answer that it understands and the end; the
 * others go to the library. The thread that accepts owns all of it.
 */
#pragma once

#include <stdint.h>
#include <sys/socket.h>

#include <holdfast/status.h>

#include "util/peer.h"

struct hf_http_server;
struct http_greetings;

/* HF_NOMEM; HF_IO: errno tells. */
HF_MUST_USE enum hf_status hf_http_greetings_new(struct hf_http_server *server,
                                                 struct http_greetings **ret_greetings);
/* Becomes readable when hf_http_greetings_turn() has work. */
int hf_http_greetings_fd(const struct http_greetings *greetings);
/* Takes the connection over. */
void hf_http_greetings_take(struct http_greetings *greetings, int fd,
                            const struct sockaddr_storage *address, socklen_t size);
void hf_http_greetings_turn(struct http_greetings *greetings);
/* Ends those that have said nothing for too long. */
void hf_http_greetings_sweep(struct http_greetings *greetings, uint64_t now_ns);
/* Of all (`who` NULL), or of one peer: since when the one that has waited longest does; UINT64_MAX:
 * there is none. */
uint64_t hf_http_greetings_oldest_ns(const struct http_greetings *greetings,
                                     const struct hf_peer *who);
/* Ends that one; its peer is told in `ret_peer`. */
void hf_http_greetings_end_oldest(struct http_greetings *greetings, const struct hf_peer *who,
                                  char ret_peer[64]);
/* Ends all. */
void hf_http_greetings_free(struct http_greetings *greetings);

/* ---- server_accept.c, for the greetings: the acceptor's thread ---- */
/* An accepted connection goes to the library, which takes `fd` over. */
void hf_http_server_admit(struct hf_http_server *server, int fd,
                          const struct sockaddr_storage *address, socklen_t size);
/* One that never came to the library is closed. */
void hf_http_server_uncount(struct hf_http_server *server, const struct sockaddr_storage *address);
void hf_http_server_complain(const struct hf_http_server *server,
                             const struct sockaddr_storage *address, const char *what);
