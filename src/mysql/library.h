/*
 * library: libmariadb, the client library of MariaDB and MySQL, loaded when the first component
 * that asks such a server is opened. See docs/decisions/libmariadb.md.
 *
 * The functions are members under their names without "mysql_". Immutable once loaded; any thread.
 */
#pragma once

#include <mysql.h>

/* Every function that is used. */
#define HF_MYSQL_FUNCTIONS(X)                                                                      \
    X(close)                                                                                       \
    X(errno)                                                                                       \
    X(error)                                                                                       \
    X(fetch_fields)                                                                                \
    X(fetch_lengths)                                                                               \
    X(fetch_row_cont)                                                                              \
    X(fetch_row_start)                                                                             \
    X(field_count)                                                                                 \
    X(free_result)                                                                                 \
    X(get_server_info)                                                                             \
    X(get_server_version)                                                                          \
    X(get_socket)                                                                                  \
    X(init)                                                                                        \
    X(num_fields)                                                                                  \
    X(optionsv)                                                                                    \
    X(real_connect_cont)                                                                           \
    X(real_connect_start)                                                                          \
    X(real_query_cont)                                                                             \
    X(real_query_start)                                                                            \
    X(server_init)                                                                                 \
    X(use_result)

struct hf_mysql_library {
#define HF_MYSQL_MEMBER(name) __typeof__(mysql_##name) *name;
    HF_MYSQL_FUNCTIONS(HF_MYSQL_MEMBER)
#undef HF_MYSQL_MEMBER
};

/* NULL: it cannot be loaded; `reterr` (HF_ERROR_MAX) says what to do. It is never unloaded. Main
 * thread. */
const struct hf_mysql_library *hf_mysql_library(char *reterr);
