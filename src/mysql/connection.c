#include "connection.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include <holdfast/component.h>

/* Ways to show a password of which the server may ask for one: none sends it in clear. */
#define PLUGINS "caching_sha2_password,sha256_password,client_ed25519"
#define NATIVE ",mysql_native_password"

struct hf_mysql {
    const struct hf_mysql_library *library;
    MYSQL *connection;
};

static bool given(const char *text)
{
    return text != NULL && text[0] != '\0';
}

static enum hf_status wait_for(const struct hf_mysql *mysql, int what,
                               const struct hf_patience *patience, char *reterr)
{
    short events = (short)(((what & MYSQL_WAIT_READ) != 0 ? POLLIN : 0) |
                           ((what & MYSQL_WAIT_WRITE) != 0 ? POLLOUT : 0) |
                           ((what & MYSQL_WAIT_EXCEPT) != 0 ? POLLPRI : 0));
    int fd = mysql->library->get_socket(mysql->connection);
    enum hf_status status = hf_wait_for(fd, events, patience);
    if (status != HF_OK) {
        shutdown(fd, SHUT_RDWR); /* so that the library waits for nothing when it frees the rest */
        snprintf(reterr, HF_ERROR_MAX, "%s",
                 status == HF_DEADLINE ? "no answer within the time" : hf_status_row(status)->says);
    }
    return status;
}

/* What the last call failed by: numbers of the server, or of the library itself. */
static enum hf_status fault(const struct hf_mysql *mysql, char *reterr)
{
    unsigned number = mysql->library->errno(mysql->connection);
    bool is_own = (number >= 2000 && number < 3000) || (number >= 5000 && number < 6000);
    snprintf(reterr, HF_ERROR_MAX, "%.400s", mysql->library->error(mysql->connection));
    return is_own || number == 0 ? HF_AGAIN : HF_INVALID;
}

/* ---- connecting ---- */

static void set_tls(const struct hf_mysql *mysql, const struct hf_mysql_tls *tls)
{
    const struct hf_mysql_library *library = mysql->library;
    char enforce = tls != NULL, verify = tls != NULL && tls->verifies;
    /* Newer releases would encrypt and verify unless told. */
    library->optionsv(mysql->connection, MYSQL_OPT_SSL_ENFORCE, &enforce);
    library->optionsv(mysql->connection, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verify);
    if (tls == NULL) {
        return;
    }
    const struct {
        enum mysql_option option;
        const char *text;
    } texts[] = {{MYSQL_OPT_SSL_CA, tls->ca_file},
                 {MYSQL_OPT_SSL_CAPATH, tls->ca_folder},
                 {MYSQL_OPT_SSL_CERT, tls->cert_file},
                 {MYSQL_OPT_SSL_KEY, tls->key_file},
                 {MARIADB_OPT_TLS_VERSION, tls->versions}};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (given(texts[i].text)) {
            library->optionsv(mysql->connection, texts[i].option, texts[i].text);
        }
    }
}

static void set_options(const struct hf_mysql *mysql, const struct hf_mysql_settings *settings)
{
    const struct hf_mysql_library *library = mysql->library;
    unsigned protocol = given(settings->socket) ? MYSQL_PROTOCOL_SOCKET : MYSQL_PROTOCOL_TCP;
    unsigned no_files = 0; /* a server could ask for any */
    library->optionsv(mysql->connection, MYSQL_OPT_NONBLOCK, NULL);
    library->optionsv(mysql->connection, MYSQL_OPT_PROTOCOL, &protocol);
    library->optionsv(mysql->connection, MYSQL_OPT_LOCAL_INFILE, &no_files);
    library->optionsv(mysql->connection, MYSQL_SET_CHARSET_NAME, "utf8mb4");
    library->optionsv(mysql->connection, MARIADB_OPT_RESTRICTED_AUTH,
                      settings->allows_native_passwords ? PLUGINS NATIVE : PLUGINS);
    library->optionsv(mysql->connection, MYSQL_OPT_CONNECT_ATTR_ADD, "program_name", "holdfast");
    set_tls(mysql, settings->tls);
}

static enum hf_status connect_now(const struct hf_mysql *mysql,
                                  const struct hf_mysql_settings *settings,
                                  const struct hf_patience *patience, char *reterr)
{
    MYSQL *connected = NULL;
    int what = mysql->library->real_connect_start(
        &connected, mysql->connection, given(settings->socket) ? NULL : settings->host,
        settings->user, settings->password != NULL ? settings->password : "",
        given(settings->database) ? settings->database : NULL, settings->port, settings->socket, 0);
    while (what != 0) {
        enum hf_status status = wait_for(mysql, what, patience, reterr);
        if (status != HF_OK) {
            return status;
        }
        what = mysql->library->real_connect_cont(&connected, mysql->connection, what);
    }
    return connected != NULL ? HF_OK : fault(mysql, reterr);
}

enum hf_status hf_mysql_open(const struct hf_mysql_library *library,
                             const struct hf_mysql_settings *settings,
                             const struct hf_patience *patience, struct hf_mysql **ret_mysql,
                             char *reterr)
{
    struct hf_mysql *mysql = calloc(1, sizeof(*mysql));
    snprintf(reterr, HF_ERROR_MAX, "out of memory");
    if (mysql == NULL) {
        return HF_NOMEM;
    }
    mysql->library = library;
    mysql->connection = library->init(NULL);
    enum hf_status status = HF_NOMEM;
    if (mysql->connection != NULL) {
        set_options(mysql, settings);
        status = connect_now(mysql, settings, patience, reterr);
    }
    if (status != HF_OK) {
        hf_mysql_close(mysql);
        return status;
    }
    *ret_mysql = mysql;
    return HF_OK;
}

void hf_mysql_close(struct hf_mysql *mysql)
{
    if (mysql != NULL) {
        if (mysql->connection != NULL) {
            mysql->library->close(mysql->connection);
        }
        free(mysql);
    }
}

unsigned long hf_mysql_version(const struct hf_mysql *mysql)
{
    return mysql->library->get_server_version(mysql->connection);
}

bool hf_mysql_is_mariadb(const struct hf_mysql *mysql)
{
    const char *info = mysql->library->get_server_info(mysql->connection);
    return info != NULL && strstr(info, "MariaDB") != NULL;
}

/* ---- rows ---- */

struct hf_slice hf_mysql_text(const struct hf_mysql_row *row, unsigned column)
{
    return column < row->count && row->texts[column] != NULL
               ? hf_slice_of(row->texts[column], row->sizes[column])
               : HF_EMPTY_SLICE;
}

unsigned hf_mysql_find(const struct hf_mysql_row *row, const char *name)
{
    unsigned column = 0;
    while (column < row->count && strcasecmp(row->fields[column].name, name) != 0) {
        column++;
    }
    return column;
}

/* ---- queries ---- */

static enum hf_status send_query(const struct hf_mysql *mysql, const char *query,
                                 const struct hf_patience *patience, char *reterr)
{
    int failed = 0;
    int what = mysql->library->real_query_start(&failed, mysql->connection, query, strlen(query));
    while (what != 0) {
        enum hf_status status = wait_for(mysql, what, patience, reterr);
        if (status != HF_OK) {
            return status;
        }
        what = mysql->library->real_query_cont(&failed, mysql->connection, what);
    }
    return failed == 0 ? HF_OK : fault(mysql, reterr);
}

/* The next row; `*ret_texts` NULL: there is none. */
static enum hf_status fetch(const struct hf_mysql *mysql, MYSQL_RES *result,
                            const struct hf_patience *patience, char ***ret_texts, char *reterr)
{
    *ret_texts = NULL;
    int what = mysql->library->fetch_row_start(ret_texts, result);
    while (what != 0) {
        enum hf_status status = wait_for(mysql, what, patience, reterr);
        if (status != HF_OK) {
            return status;
        }
        what = mysql->library->fetch_row_cont(ret_texts, result, what);
    }
    bool is_end = *ret_texts == NULL && mysql->library->errno(mysql->connection) == 0;
    return *ret_texts != NULL || is_end ? HF_OK : fault(mysql, reterr);
}

static enum hf_status take_rows(const struct hf_mysql *mysql, MYSQL_RES *result,
                                const struct hf_patience *patience,
                                void (*take)(void *user, const struct hf_mysql_row *row),
                                void *user, char *reterr)
{
    struct hf_mysql_row row = {.fields = mysql->library->fetch_fields(result),
                               .count = mysql->library->num_fields(result)};
    enum hf_status status = fetch(mysql, result, patience, &row.texts, reterr);
    while (status == HF_OK && row.texts != NULL) {
        row.sizes = mysql->library->fetch_lengths(result);
        take(user, &row);
        status = fetch(mysql, result, patience, &row.texts, reterr);
    }
    return status;
}

enum hf_status hf_mysql_ask(struct hf_mysql *mysql, const char *query,
                            const struct hf_patience *patience,
                            void (*take)(void *user, const struct hf_mysql_row *row), void *user,
                            char *reterr)
{
    enum hf_status status = send_query(mysql, query, patience, reterr);
    if (status != HF_OK) {
        return status;
    }
    MYSQL_RES *result = mysql->library->use_result(mysql->connection);
    if (result == NULL) {
        return mysql->library->field_count(mysql->connection) == 0 ? HF_OK : fault(mysql, reterr);
    }
    status = take_rows(mysql, result, patience, take, user, reterr);
    mysql->library->free_result(result);
    return status;
}
