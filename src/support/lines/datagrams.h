/*
 * datagrams: a thread that reads datagrams and hands what they become to the pipelines. No sender
 * of datagrams waits for an answer; so what was read is committed before more is read, and
 * meanwhile the socket's buffer holds what comes. What does not fit there is lost: the kernel
 * counts it, and so does `holdfast_receiver_dropped_datagrams`.
 *
 * A reload finds the same socket, with what is in its buffer. Open, start, stop and close: main
 * thread; `take` and `collect`: the reader's.
 */
#pragma once

#include <sys/socket.h>

#include <holdfast/node.h>

#include "pdata/build.h"

struct hf_datagrams;

struct hf_datagram {
    struct hf_slice bytes;
    bool is_cut; /* it was longer than packet_bytes_max */
    const struct sockaddr *from;
    socklen_t from_size;
};

#define HF_DATAGRAM_PEER_MAX 64

/* The sender's address as text, without its port; "unix" for a sender without one. */
void hf_datagram_peer(const struct hf_datagram *datagram, char ret_text[HF_DATAGRAM_PEER_MAX]);

struct hf_datagrams_ops {
    void (*take)(void *user, const struct hf_datagram *datagram);
    /*
     * After each round of datagrams, and when it asked to be called: the next batch that is ready,
     * NULL: none. `now_ns` is monotonic; `is_last`: the reader stops, and nothing comes after it.
     */
    struct hf_batch *(*collect)(void *user, uint64_t now_ns, bool is_last);
    /* When collect has something to do though no datagram comes; UINT64_MAX: never. */
    uint64_t (*due_ns)(void *user);
    /*
     * The checkpoint that is committed with the batch that collect gave last; false: none. A
     * receiver that has it keeps what a stop does not hand over. NULL: none ever.
     */
    bool (*place)(void *user, struct hf_checkpoint *ret_checkpoint);
};

struct hf_datagrams_options {
    struct hf_node *node;
    const char *endpoint;  /* host:port, or a path */
    bool is_unix;          /* it is a path */
    const char *mode;      /* of the path's socket, octal; NULL: the umask decides */
    const char *transport; /* of the counters; a literal */
    size_t packet_bytes_max;
    uint64_t socket_buffer_bytes; /* 0: as the system has it */
    const struct hf_datagrams_ops *ops;
    void *user;
};

/* HF_IO and others with a sentence in `reterr` (HF_ERROR_MAX). */
HF_MUST_USE enum hf_status hf_datagrams_open(const struct hf_datagrams_options *options,
                                             struct hf_datagrams **ret, char *reterr);
HF_MUST_USE enum hf_status hf_datagrams_start(struct hf_datagrams *datagrams, char *reterr);
/* Reads what is in the socket's buffer unless another graph goes on with it. NULL is nothing, here
 * and below. */
void hf_datagrams_stop(struct hf_datagrams *datagrams);
void hf_datagrams_close(struct hf_datagrams *datagrams);

/* Sends bytes back to a sender, in `take`; what cannot be sent at once is not. */
void hf_datagrams_reply(struct hf_datagrams *datagrams, const struct hf_datagram *datagram,
                        struct hf_slice bytes);

/* `collect` of a receiver that builds at once what each datagram says: the next batch of what is
 * built, NULL: none. When memory runs out it is lost, which is logged with `what`: "spans". */
struct hf_batch *hf_datagrams_collect_built(struct hf_builder *builder, struct hf_node *node,
                                            const char *what);
