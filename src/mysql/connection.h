/*
 * connection: one connection to a MySQL or MariaDB server, over which one query at a time is asked,
 * its rows handed on one by one, so that no answer is in memory as a whole.
 *
 * Each call waits as long as struct hf_patience says. Owned by one thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "library.h"
#include "util/patience.h"

struct hf_mysql;

/* NULL and empty: not given. Files are read when it connects. */
struct hf_mysql_tls {
    const char *ca_file, *ca_folder; /* of the authorities, PEM */
    const char *cert_file, *key_file;
    const char *versions; /* "TLSv1.2,TLSv1.3" */
    bool verifies;        /* the certificate, and that it is of `host` */
};

/* Borrowed for the call. */
struct hf_mysql_settings {
    const char *host;   /* digits, or a name that is looked up while it waits for nothing else */
    const char *socket; /* the path, instead of a host */
    uint16_t port;
    const char *user, *password, *database;
    bool allows_native_passwords;   /* the old way to show a password, with SHA-1 */
    const struct hf_mysql_tls *tls; /* NULL: in clear */
};

/* HF_AGAIN: not reached; HF_INVALID: the server refused; others, each with words in `reterr`
 * (HF_ERROR_MAX); HF_CLOSED: told to stop. */
HF_MUST_USE enum hf_status hf_mysql_open(const struct hf_mysql_library *library,
                                         const struct hf_mysql_settings *settings,
                                         const struct hf_patience *patience,
                                         struct hf_mysql **ret_mysql, char *reterr);
/* NULL: nothing. */
void hf_mysql_close(struct hf_mysql *mysql);

/* 101119 is 10.11.19. */
unsigned long hf_mysql_version(const struct hf_mysql *mysql);
bool hf_mysql_is_mariadb(const struct hf_mysql *mysql);

/* A row while it is handed on. */
struct hf_mysql_row {
    char **texts;
    const unsigned long *sizes;
    const MYSQL_FIELD *fields;
    unsigned count;
};

/* The text of a column; empty for NULL and beyond the last. Borrowed as long as the row. */
struct hf_slice hf_mysql_text(const struct hf_mysql_row *row, unsigned column);
/* The column of that name, in any case of letters; `count` when there is none. */
unsigned hf_mysql_find(const struct hf_mysql_row *row, const char *name);

/*
 * Asks and calls `take` for each row. HF_INVALID: the server refused it, and the connection is good
 * for the next one. After anything else but HF_OK the connection is of no use. `reterr`
 * (HF_ERROR_MAX) has the words.
 */
HF_MUST_USE enum hf_status hf_mysql_ask(struct hf_mysql *mysql, const char *query,
                                        const struct hf_patience *patience,
                                        void (*take)(void *user, const struct hf_mysql_row *row),
                                        void *user, char *reterr);
