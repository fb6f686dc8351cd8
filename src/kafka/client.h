/*
 * client: what producers and consumers share: the library's client, its log, its errors, and the
 * eventfd by which the library's threads wake a loop. Owned by the thread of that loop; `say` is
 * called on any thread.
 */
#pragma once

#include <holdfast/node.h>
#include <holdfast/status.h>

#include "bearer.h"
#include "library.h"
#include "settings.h"
#include "util/loop.h"

struct hf_kafka_client {
    struct hf_kafka_bearer bearer; /* first, and set by open */
    const struct hf_kafka_library *library;
    rd_kafka_t *handle;
    rd_kafka_queue_t *queue; /* what wakes the loop */
    struct hf_loop *loop;
    struct hf_io io;
    int event_fd;
    int last_error;        /* rd_kafka_resp_err_t of the client as a whole; 0: none */
    char last_reason[384]; /* the library's words about it */
    bool has_old_scram;
    void (*say)(void *user, enum hf_log_level level, const char *text);
    void (*ready)(struct hf_kafka_client *client); /* something is to be served. On the loop */
    void *user;
};

/* Creates the properties; the opaque of a client with tokens begins with struct hf_kafka_bearer,
 * and hf_kafka_bearer_begin() follows when it is made. HF_INVALID with the library's words in
 * `reterr` (HF_ERROR_MAX). */
HF_MUST_USE enum hf_status hf_kafka_conf_new(const struct hf_kafka_library *library,
                                             const struct hf_kafka_settings *settings,
                                             rd_kafka_conf_t **ret_conf, char *reterr);

/* Takes over `conf`. `loop`, `say`, `ready` and `user` of the client are set before; its address
 * does not change after. */
HF_MUST_USE enum hf_status hf_kafka_client_open(struct hf_kafka_client *client,
                                                rd_kafka_type_t type,
                                                const struct hf_kafka_settings *settings,
                                                rd_kafka_conf_t *conf, char *reterr);
/* Nothing is called back any more when this returns. A client that was not opened is nothing. */
void hf_kafka_client_close(struct hf_kafka_client *client);

/* What an error of the library means for what was tried. */
enum hf_status hf_kafka_status(rd_kafka_resp_err_t error);

/* Does the client sign in by SCRAM with a library whose SCRAM brokers 4.x refuse? */
bool hf_kafka_has_old_scram(const struct hf_kafka_library *library,
                            const struct hf_kafka_settings *settings);
/* The library's words about an error of the client, and that cause where it may be one. */
void hf_kafka_explain(const struct hf_kafka_library *library, bool has_old_scram,
                      rd_kafka_resp_err_t error, const char *reason, char *ret_text, size_t room);
