/*
 * opamp_link: the way to the server: a WebSocket, or one HTTP request for each message, whose
 * answer is what is received next. Owned by the agent's thread, but for stop.
 */
#pragma once

#include <holdfast/component.h>

#include "support/settings/configauth.h"
#include "util/tls/tls.h"

#define OPAMP_MESSAGE_MAX ((size_t)4 << 20) /* received */
#define OPAMP_WHY_MAX 300

struct opamp_link;

struct opamp_link_options {
    const struct hf_node *node;
    bool is_websocket;
    const char *url;
    const struct hf_tls_config *tls;
    const struct hf_string_map *headers;
    struct hf_auth_ref auth;
};

/* The options are borrowed until freed. On failure `reterr` (HF_ERROR_MAX) is a sentence. */
HF_MUST_USE enum hf_status opamp_link_new(const struct opamp_link_options *options,
                                          struct opamp_link **ret_link, char *reterr);
void opamp_link_free(struct opamp_link *link);

/* Any thread: open and receive end with HF_CLOSED, now and later. A message can still be sent,
 * unless one was under way. */
void opamp_link_stop(struct opamp_link *link);

/* What went wrong. */
struct opamp_failure {
    char why[OPAMP_WHY_MAX];
    uint64_t retry_after_ns; /* the server's word; 0: none */
};

/* HF_AGAIN with `ret_failure`; HF_CLOSED. */
HF_MUST_USE enum hf_status opamp_link_open(struct opamp_link *link,
                                           struct opamp_failure *ret_failure);
/* `uid`: the instance, as text. As open. */
HF_MUST_USE enum hf_status opamp_link_send(struct opamp_link *link, struct hf_slice message,
                                           const char *uid, uint64_t timeout_ns,
                                           struct opamp_failure *ret_failure);
/* Borrowed until the next call. HF_DEADLINE: nothing came. Else as open. */
HF_MUST_USE enum hf_status opamp_link_receive(struct opamp_link *link, uint64_t timeout_ns,
                                              struct hf_slice *ret_message,
                                              struct opamp_failure *ret_failure);
/* HF_DEADLINE when the time is over, HF_CLOSED. */
HF_MUST_USE enum hf_status opamp_link_pause(struct opamp_link *link, uint64_t timeout_ns);
void opamp_link_close(struct opamp_link *link);
