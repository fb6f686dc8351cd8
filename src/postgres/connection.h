/*
 * connection: one connection to a PostgreSQL server, over which one query at a time is asked, its
 * rows handed on one by one, so that no answer is in memory as a whole.
 *
 * Each call waits as long as struct hf_patience says. Owned by one thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "library.h"
#include "util/patience.h"

struct hf_pg;

/* As libpq names them; NULL: its own default. Borrowed for the call. */
struct hf_pg_settings {
    const char *host; /* a name to verify, or the folder of the socket */
    const char *address, *port, *user, *password, *database;
    const char *ssl_mode, *ca_file, *cert_file, *key_file;
    const char *ssl_min_version, *ssl_max_version; /* NULL: the library's */
};

/* HF_AGAIN and others with libpq's words in `reterr` (HF_ERROR_MAX); HF_CLOSED: told to stop. */
HF_MUST_USE enum hf_status hf_pg_open(const struct hf_pg_library *library,
                                      const struct hf_pg_settings *settings,
                                      const struct hf_patience *patience, struct hf_pg **ret_pg,
                                      char *reterr);
/* NULL: nothing. */
void hf_pg_close(struct hf_pg *pg);

/* 150004 is 15.4. */
int hf_pg_version(const struct hf_pg *pg);

/* A row while it is handed on. */
struct hf_pg_row {
    const struct hf_pg_library *library;
    const PGresult *result;
    int number;
};

/* The text of a column; empty for NULL. Borrowed as long as the row. */
struct hf_slice hf_pg_text(const struct hf_pg_row *row, int column);
bool hf_pg_is_null(const struct hf_pg_row *row, int column);

/*
 * Asks one statement and calls `take` for each row. HF_INVALID: the server refused it, and the
 * connection is good for the next one. After anything else but HF_OK the connection is of no use.
 * `reterr` (HF_ERROR_MAX) has the words.
 */
HF_MUST_USE enum hf_status hf_pg_ask(struct hf_pg *pg, const char *query,
                                     const struct hf_patience *patience,
                                     void (*take)(void *user, const struct hf_pg_row *row),
                                     void *user, char *reterr);
