/*
 * my_server: the connection to the server of the configuration, which is kept.
 *
 * open and close: the main thread; the rest: one other thread.
 */
#pragma once

#include <holdfast/status.h>

#include "grpc/target.h"
#include "my_config.h"
#include "pdata/build.h"

struct my_server {
    const struct my_config *config;
    const struct hf_mysql_library *library;
    struct hf_grpc_target target;
    int family;
    struct hf_mysql *mysql; /* NULL: not connected */
};

/* Loads the library. On failure `reterr` (HF_ERROR_MAX) has a sentence. */
HF_MUST_USE enum hf_status my_server_open(struct my_server *server, const struct my_config *config,
                                          char *reterr);
void my_server_close(struct my_server *server);

/* The kept connection if the server still has it, or else a new one; my_server_lost() when it is of
 * no use any more. Otherwise as hf_mysql_open(). */
HF_MUST_USE enum hf_status my_server_ready(struct my_server *server,
                                           const struct hf_patience *patience,
                                           struct hf_mysql **ret_mysql, char *reterr);
void my_server_lost(struct my_server *server);

/* Opens the resource and the scope of what the server says. */
void my_server_name(const struct my_server *server, struct hf_builder *builder);
