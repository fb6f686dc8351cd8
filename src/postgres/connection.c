#include "connection.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#define SETTINGS_MAX 24

struct hf_pg {
    const struct hf_pg_library *library;
    PGconn *connection;
};

static void keep_silent(void *user, const char *message)
{
    (void)user;
    (void)message; /* libpq would print it */
}

/* libpq's words are lines; the first one says it. */
static void say(char *reterr, const char *words)
{
    size_t size = strcspn(words, "\n");
    snprintf(reterr, HF_ERROR_MAX, "%.*s", (int)(size < 400 ? size : 400), words);
}

static enum hf_status wait_status(enum hf_status status, char *reterr)
{
    if (status != HF_OK) {
        snprintf(reterr, HF_ERROR_MAX, "%s",
                 status == HF_DEADLINE ? "no answer within the time" : hf_status_row(status)->says);
    }
    return status;
}

static void add(const char **names, const char **values, size_t *count, const char *name,
                const char *value)
{
    if (value != NULL && value[0] != '\0') {
        names[*count] = name;
        values[(*count)++] = value;
    }
}

static PGconn *begin(const struct hf_pg_library *library, const struct hf_pg_settings *settings)
{
    const char *names[SETTINGS_MAX] = {NULL}, *values[SETTINGS_MAX] = {NULL};
    size_t count = 0;
    add(names, values, &count, "host", settings->host);
    add(names, values, &count, "hostaddr", settings->address);
    add(names, values, &count, "port", settings->port);
    add(names, values, &count, "user", settings->user);
    add(names, values, &count, "password", settings->password);
    add(names, values, &count, "dbname", settings->database);
    add(names, values, &count, "sslmode", settings->ssl_mode);
    add(names, values, &count, "sslrootcert", settings->ca_file);
    add(names, values, &count, "sslcert", settings->cert_file);
    add(names, values, &count, "sslkey", settings->key_file);
    add(names, values, &count, "ssl_min_protocol_version", settings->ssl_min_version);
    add(names, values, &count, "ssl_max_protocol_version", settings->ssl_max_version);
    add(names, values, &count, "gssencmode", "disable"); /* would wait for a key server */
    add(names, values, &count, "client_encoding", "UTF8");
    add(names, values, &count, "fallback_application_name", "holdfast");
    return library->connectStartParams(names, values, 0);
}

static enum hf_status connect_now(struct hf_pg *pg, const struct hf_patience *patience,
                                  char *reterr)
{
    const struct hf_pg_library *library = pg->library;
    PostgresPollingStatusType next = PGRES_POLLING_WRITING;
    while (library->status(pg->connection) != CONNECTION_BAD) {
        if (next == PGRES_POLLING_OK) {
            return library->setnonblocking(pg->connection, 1) == 0 ? HF_OK : HF_NOMEM;
        }
        if (next == PGRES_POLLING_FAILED) {
            break;
        }
        short events = next == PGRES_POLLING_READING ? POLLIN : POLLOUT;
        enum hf_status status = hf_wait_for(library->socket(pg->connection), events, patience);
        if (status != HF_OK) {
            return wait_status(status, reterr);
        }
        next = library->connectPoll(pg->connection);
    }
    say(reterr, library->errorMessage(pg->connection));
    return HF_AGAIN;
}

enum hf_status hf_pg_open(const struct hf_pg_library *library,
                          const struct hf_pg_settings *settings, const struct hf_patience *patience,
                          struct hf_pg **ret_pg, char *reterr)
{
    struct hf_pg *pg = calloc(1, sizeof(*pg));
    snprintf(reterr, HF_ERROR_MAX, "out of memory");
    if (pg == NULL) {
        return HF_NOMEM;
    }
    pg->library = library;
    pg->connection = begin(library, settings);
    enum hf_status status = HF_NOMEM;
    if (pg->connection != NULL) {
        library->setNoticeProcessor(pg->connection, keep_silent, NULL);
        status = connect_now(pg, patience, reterr);
    }
    if (status != HF_OK) {
        hf_pg_close(pg);
        return status;
    }
    *ret_pg = pg;
    return HF_OK;
}

void hf_pg_close(struct hf_pg *pg)
{
    if (pg != NULL) {
        if (pg->connection != NULL) {
            pg->library->finish(pg->connection);
        }
        free(pg);
    }
}

int hf_pg_version(const struct hf_pg *pg)
{
    return pg->library->serverVersion(pg->connection);
}

/* ---- rows ---- */

struct hf_slice hf_pg_text(const struct hf_pg_row *row, int column)
{
    if (column >= row->library->nfields(row->result)) {
        return HF_EMPTY_SLICE;
    }
    int size = row->library->getlength(row->result, row->number, column);
    return hf_slice_of(row->library->getvalue(row->result, row->number, column),
                       size > 0 ? (size_t)size : 0);
}

bool hf_pg_is_null(const struct hf_pg_row *row, int column)
{
    return column >= row->library->nfields(row->result) ||
           row->library->getisnull(row->result, row->number, column) != 0;
}

/* ---- queries ---- */

static enum hf_status broken(const struct hf_pg *pg, char *reterr)
{
    say(reterr, pg->library->errorMessage(pg->connection));
    return HF_AGAIN;
}

static enum hf_status send_all(const struct hf_pg *pg, const struct hf_patience *patience,
                               char *reterr)
{
    for (;;) {
        int left = pg->library->flush(pg->connection);
        if (left <= 0) {
            return left == 0 ? HF_OK : broken(pg, reterr);
        }
        enum hf_status status =
            hf_wait_for(pg->library->socket(pg->connection), POLLIN | POLLOUT, patience);
        if (status != HF_OK) {
            return wait_status(status, reterr);
        }
        if (pg->library->consumeInput(pg->connection) == 0) {
            return broken(pg, reterr);
        }
    }
}

/* Waits until a result can be taken without waiting. */
static enum hf_status await_result(const struct hf_pg *pg, const struct hf_patience *patience,
                                   char *reterr)
{
    while (pg->library->isBusy(pg->connection) != 0) {
        enum hf_status status = hf_wait_for(pg->library->socket(pg->connection), POLLIN, patience);
        if (status != HF_OK) {
            return wait_status(status, reterr);
        }
        if (pg->library->consumeInput(pg->connection) == 0) {
            return broken(pg, reterr);
        }
    }
    return HF_OK;
}

static enum hf_status take_result(const struct hf_pg *pg, const PGresult *result,
                                  void (*take)(void *user, const struct hf_pg_row *row), void *user,
                                  char *reterr)
{
    ExecStatusType status = pg->library->resultStatus(result);
    struct hf_pg_row row = {.library = pg->library, .result = result};
    if (status != PGRES_SINGLE_TUPLE && status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
        say(reterr, pg->library->resultErrorMessage(result));
        return HF_INVALID;
    }
    int count = pg->library->ntuples(result);
    for (row.number = 0; row.number < count; row.number++) {
        take(user, &row);
    }
    return HF_OK;
}

enum hf_status hf_pg_ask(struct hf_pg *pg, const char *query, const struct hf_patience *patience,
                         void (*take)(void *user, const struct hf_pg_row *row), void *user,
                         char *reterr)
{
    enum hf_status outcome = HF_OK;
    /* Of a query that is sent so, unlike by PQsendQuery(), the server takes one statement only. */
    if (pg->library->sendQueryParams(pg->connection, query, 0, NULL, NULL, NULL, NULL, 0) == 0 ||
        pg->library->setSingleRowMode(pg->connection) == 0) {
        return broken(pg, reterr);
    }
    enum hf_status status = send_all(pg, patience, reterr);
    while (status == HF_OK) {
        status = await_result(pg, patience, reterr);
        PGresult *result = status == HF_OK ? pg->library->getResult(pg->connection) : NULL;
        if (result == NULL) {
            break;
        }
        enum hf_status taken = take_result(pg, result, take, user, reterr);
        outcome = outcome == HF_OK ? taken : outcome;
        pg->library->clear(result);
    }
    if (status == HF_OK && pg->library->status(pg->connection) == CONNECTION_BAD) {
        return broken(pg, reterr);
    }
    return status == HF_OK ? outcome : status;
}
