/*
 * basicauth_client: the credentials that are added to what is sent, read again when their files
 * change. One thread at a time, by the caller's lock.
 */
#pragma once

#include <holdfast/node.h>

#include "basicauth_config.h"
#include "util/file_watch.h"

struct basic_client {
    struct hf_node *node;
    const struct client_config *config;    /* NULL: nothing is sent */
    char value[BASIC_CREDENTIALS_MAX * 2]; /* "Basic ..."; "" without client_auth */
    struct hf_file_watch user_watch, password_watch;
};

/* Reads the credentials of a zeroed one. Others than HF_OK with a sentence in `reterr`
 * (HF_ERROR_MAX). */
HF_MUST_USE enum hf_status basic_client_open(struct basic_client *client, struct hf_node *node,
                                             const struct client_config *config, char *reterr);
/* Reads the files again when they have changed; failures are logged. */
void basic_client_refresh(struct basic_client *client);
