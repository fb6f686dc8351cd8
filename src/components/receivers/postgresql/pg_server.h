/*
 * pg_server: connections to the server of the configuration: the one to the main database, which is
 * kept, and one to another database at a time.
 *
 * open and close: the main thread; the rest: one other thread.
 */
#pragma once

#include <holdfast/node.h>

#include "pdata/build.h"
#include "pg_config.h"
#include "postgres/connection.h"
#include "support/scrape/dial.h"

struct pg_server {
    const struct pg_config *config;
    const struct hf_pg_library *library;
    char host[256], port[8];
    char instance[272]; /* service.instance.id */
    struct hf_pg *main; /* NULL: not connected */
};

/* Loads the library. On failure `reterr` (HF_ERROR_MAX) has a sentence. */
HF_MUST_USE enum hf_status pg_server_open(struct pg_server *server, const struct pg_config *config,
                                          char *reterr);
void pg_server_close(struct pg_server *server);

/* A new connection; the caller's. Otherwise as hf_pg_open(). */
HF_MUST_USE enum hf_status pg_server_connect(const struct pg_server *server, const char *database,
                                             const struct hf_patience *patience,
                                             struct hf_pg **ret_pg, char *reterr);

/* The kept connection if the server still has it, or else a new one; pg_server_lost() when it is of
 * no use any more. Otherwise as hf_pg_open(). */
HF_MUST_USE enum hf_status pg_server_ready(struct pg_server *server,
                                           const struct hf_patience *patience,
                                           struct hf_pg **ret_pg, char *reterr);
void pg_server_lost(struct pg_server *server);

/* What names a resource; NULL and empty: not there. */
struct pg_entity {
    const char *database;
    struct hf_slice schema, table, index;
};

/* Opens the resource and its scope. */
void pg_server_name(const struct pg_server *server, const struct pg_entity *entity,
                    struct hf_builder *builder);
