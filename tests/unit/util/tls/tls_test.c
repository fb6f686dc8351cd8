/* Handshakes that must and must not succeed, bytes through small sockets, and files that change. */
#include <util/tls/tls.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h> /* needs those before it */

#include <tests/support/certificates.h>

static struct hf_tls_config server_config(const struct certificates *set)
{
    return (struct hf_tls_config){
        .cert_file = set->cert_file, .key_file = set->key_file, .min_version = "1.2"};
}

static struct hf_tls_config client_config(const struct certificates *set)
{
    return (struct hf_tls_config){.ca_file = set->ca_file, .min_version = "1.2"};
}

static struct hf_tls *new_server(const struct hf_tls_config *config, const char *alpn)
{
    char error[512] = "";
    struct hf_tls *tls = NULL;
    enum hf_status status = hf_tls_new_server(config, alpn, &tls, error);
    assert_string_equal(error, "");
    assert_int_equal(status, HF_OK);
    return tls;
}

static struct hf_tls *new_client(const struct hf_tls_config *config, const char *alpn)
{
    char error[512] = "";
    struct hf_tls *tls = NULL;
    enum hf_status status = hf_tls_new_client(config, alpn, &tls, error);
    assert_string_equal(error, "");
    assert_int_equal(status, HF_OK);
    return tls;
}

struct pair {
    struct hf_stream *server, *client;
};

/* Both ends of a socket with little room, so that writes are partial. */
static struct pair connect_pair(struct hf_tls *server, struct hf_tls *client, const char *name)
{
    int fds[2];
    struct pair pair = {NULL, NULL};
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    for (int i = 0; i < 2; i++) {
        int room = 4096;
        setsockopt(fds[i], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
    }
    assert_int_equal(hf_stream_accept(server, fds[0], &pair.server), HF_OK);
    assert_int_equal(hf_stream_connect(client, fds[1], name, &pair.client), HF_OK);
    return pair;
}

static void release_pair(struct pair *pair)
{
    hf_stream_free(pair->server);
    hf_stream_free(pair->client);
}

static bool waits(enum hf_stream_result result)
{
    return result == HF_STREAM_WANT_READ || result == HF_STREAM_WANT_WRITE;
}

struct outcome {
    enum hf_stream_result server, client;
};

static struct outcome shake(const struct pair *pair)
{
    struct outcome outcome = {HF_STREAM_WANT_READ, HF_STREAM_WANT_READ};
    for (int i = 0; i < 100 && (waits(outcome.server) || waits(outcome.client)); i++) {
        if (waits(outcome.client)) {
            outcome.client = hf_stream_handshake(pair->client);
        }
        if (waits(outcome.server)) {
            outcome.server = hf_stream_handshake(pair->server);
        }
    }
    return outcome;
}

/* In TLS 1.3 a client is done before the server has judged it: what it reads next tells. */
static bool works(struct hf_tls *server, struct hf_tls *client, const char *name)
{
    struct pair pair = connect_pair(server, client, name);
    struct outcome outcome = shake(&pair);
    bool good = outcome.server == HF_STREAM_OK && outcome.client == HF_STREAM_OK;
    if (good) {
        char got = 0;
        size_t count = 0;
        struct iovec piece = {.iov_base = (char[]){"x"}, .iov_len = 1};
        assert_int_equal(hf_stream_write(pair.server, &piece, 1, &count), HF_STREAM_OK);
        assert_int_equal(hf_stream_read(pair.client, &got, 1, &count), HF_STREAM_OK);
        assert_int_equal(got, 'x');
    } else {
        const char *why = outcome.server != HF_STREAM_OK ? hf_stream_error(pair.server)
                                                         : hf_stream_error(pair.client);
        assert_string_not_equal(why, "no error");
    }
    release_pair(&pair);
    return good;
}

static void carries_bytes(struct hf_tls *server, struct hf_tls *client)
{
    enum { SIZE = 700000 };
    uint8_t *sent = malloc(SIZE), *got = malloc(SIZE);
    assert_true(sent != NULL && got != NULL);
    for (size_t i = 0; i < SIZE; i++) {
        sent[i] = (uint8_t)(i * 31 + i / 977);
    }
    struct pair pair = connect_pair(server, client, "localhost");
    assert_int_equal(shake(&pair).server, HF_STREAM_OK);
    size_t written = 0, read = 0;
    enum hf_stream_result result = HF_STREAM_OK;
    while (read < SIZE) {
        /* Pieces of all sizes, from one byte to more than a record. */
        static const size_t sizes[] = {1, 9, 300, 16384, 40000, 5, 2, 16383};
        struct iovec pieces[8];
        size_t at = written;
        int count = 0;
        for (; count < 8 && at < SIZE; count++) {
            size_t size = sizes[count] < SIZE - at ? sizes[count] : SIZE - at;
            pieces[count] = (struct iovec){sent + at, size};
            at += size;
        }
        size_t now = 0;
        result = hf_stream_write(pair.server, pieces, count, &now);
        assert_true(result == HF_STREAM_OK || result == HF_STREAM_WANT_WRITE);
        written += now;
        while (hf_stream_read(pair.client, got + read, SIZE - read < 3000 ? SIZE - read : 3000,
                              &now) == HF_STREAM_OK) {
            read += now;
            if (read == SIZE) {
                break;
            }
        }
    }
    assert_int_equal(result, HF_STREAM_OK);
    assert_memory_equal(sent, got, SIZE);
    hf_stream_free(pair.server);
    size_t now = 0;
    assert_int_equal(hf_stream_read(pair.client, got, 1, &now), HF_STREAM_CLOSED);
    hf_stream_free(pair.client);
    free(sent);
    free(got);
}

static void carries_bytes_in_clear(void **state)
{
    (void)state;
    carries_bytes(NULL, NULL);
}

static void carries_bytes_in_every_version(void **state)
{
    (void)state;
    struct certificates set;
    certificates_new(&set);
    static const char *const versions[] = {"1.0", "1.1", "1.2", "1.3"};
    for (size_t i = 0; i < 4; i++) {
        struct hf_tls_config config = server_config(&set);
        config.min_version = "1.0";
        config.max_version = versions[i];
        struct hf_tls *server = new_server(&config, "h2");
        config = client_config(&set);
        config.min_version = versions[i];
        struct hf_tls *client = new_client(&config, "h2");
        carries_bytes(server, client);
        hf_tls_free(server);
        hf_tls_free(client);
    }
    certificates_remove(&set);
}

static void keeps_suites_that_http2_forbids_out_unless_they_are_named(void **state)
{
    (void)state;
    static const char *const cbc[] = {"TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
                                      "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA"};
    static const struct {
        const char *alpn;
        bool server_names, client_names;
        const char *server_least;
        bool agrees;
    } rows[] = {
        {"h2", false, false, NULL, true},      {"h2", false, true, NULL, false},
        {"h2", true, false, NULL, false},      {"h2", true, true, NULL, true},
        {"h2", false, true, "1.2", false},     {"h2", false, true, "1.1", true},
        {"http/1.1", false, true, NULL, true},
    };
    struct certificates set;
    certificates_new(&set);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct hf_tls_config config = server_config(&set);
        config.max_version = "1.2";
        config.min_version = rows[i].server_least;
        config.cipher_suites = (struct hf_string_list){cbc, rows[i].server_names ? 2 : 0};
        struct hf_tls *server = new_server(&config, rows[i].alpn);
        config = client_config(&set);
        config.cipher_suites = (struct hf_string_list){cbc, rows[i].client_names ? 2 : 0};
        struct hf_tls *client = new_client(&config, rows[i].alpn);
        if (works(server, client, "localhost") != rows[i].agrees) {
            fail_msg("row %zu", i);
        }
        hf_tls_free(server);
        hf_tls_free(client);
    }
    certificates_remove(&set);
}

static void tells_of_decrypted_bytes_that_wait(void **state)
{
    (void)state;
    struct certificates set;
    certificates_new(&set);
    struct hf_tls_config server_side = server_config(&set), client_side = client_config(&set);
    struct hf_tls *server = new_server(&server_side, "h2");
    struct hf_tls *client = new_client(&client_side, "h2");
    struct pair pair = connect_pair(server, client, "localhost");
    assert_int_equal(shake(&pair).server, HF_STREAM_OK);
    size_t count = 0;
    char got[8];
    struct iovec piece = {.iov_base = (char[]){"12345678"}, .iov_len = 8};
    assert_int_equal(hf_stream_write(pair.client, &piece, 1, &count), HF_STREAM_OK);
    assert_int_equal(hf_stream_read(pair.server, got, 3, &count), HF_STREAM_OK);
    assert_true(hf_stream_has_pending(pair.server));
    assert_int_equal(hf_stream_read(pair.server, got, 8, &count), HF_STREAM_OK);
    assert_int_equal(count, 5);
    assert_false(hf_stream_has_pending(pair.server));
    assert_int_equal(hf_stream_read(pair.server, got, 8, &count), HF_STREAM_WANT_READ);
    release_pair(&pair);
    hf_tls_free(server);
    hf_tls_free(client);
    certificates_remove(&set);
}

static void verifies_the_server_as_configured(void **state)
{
    (void)state;
    struct certificates set, other;
    certificates_new(&set);
    certificates_new(&other);
    const struct {
        const char *name, *override, *ca_file;
        bool skip_verify, expected;
    } rows[] = {
        {"localhost", NULL, set.ca_file, false, true},
        {"127.0.0.1", NULL, set.ca_file, false, true},
        {"127.0.0.2", NULL, set.ca_file, false, false},
        {"example.org", NULL, set.ca_file, false, false},
        {"example.org", "localhost", set.ca_file, false, true},
        {"localhost", "example.org", set.ca_file, false, false},
        {"example.org", NULL, other.ca_file, true, true},
        {"localhost", NULL, other.ca_file, false, false},
        {"localhost", NULL, NULL, false, false}, /* the system's authorities do not know it */
    };
    struct hf_tls_config config = server_config(&set);
    struct hf_tls *server = new_server(&config, "h2");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        config = (struct hf_tls_config){.ca_file = rows[i].ca_file,
                                        .server_name_override = rows[i].override,
                                        .insecure_skip_verify = rows[i].skip_verify};
        struct hf_tls *client = new_client(&config, "h2");
        if (works(server, client, rows[i].name) != rows[i].expected) {
            fail_msg("row %zu", i);
        }
        hf_tls_free(client);
    }
    hf_tls_free(server);
    certificates_remove(&set);
    certificates_remove(&other);
}

static char *text_of(const char *path)
{
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    char *text = calloc(1, 8192);
    assert_non_null(text);
    assert_true(fread(text, 1, 8191, file) > 0);
    fclose(file);
    return text;
}

static void takes_text_instead_of_files(void **state)
{
    (void)state;
    struct certificates set;
    certificates_new(&set);
    char *ca = text_of(set.ca_file), *cert = text_of(set.cert_file), *key = text_of(set.key_file);
    struct hf_tls_config config = {.cert_pem = cert, .key_pem = key};
    struct hf_tls *server = new_server(&config, "h2");
    config = (struct hf_tls_config){.ca_pem = ca, .include_system_ca_certs_pool = true};
    struct hf_tls *client = new_client(&config, "h2");
    assert_true(works(server, client, "localhost"));
    hf_tls_free(server);
    hf_tls_free(client);
    free(ca);
    free(cert);
    free(key);
    certificates_remove(&set);
}

static void demands_a_client_certificate_when_told_to(void **state)
{
    (void)state;
    struct certificates set, clients, strangers;
    certificates_new(&set);
    certificates_new(&clients);
    certificates_new(&strangers);
    struct hf_tls_config config = server_config(&set);
    config.client_ca_file = clients.ca_file;
    struct hf_tls *server = new_server(&config, "h2");
    const struct certificates *own[] = {&clients, &strangers, NULL};
    for (int i = 0; i < 3; i++) {
        config = client_config(&set);
        config.cert_file = own[i] != NULL ? own[i]->cert_file : NULL;
        config.key_file = own[i] != NULL ? own[i]->key_file : NULL;
        struct hf_tls *client = new_client(&config, "h2");
        assert_int_equal(works(server, client, "localhost"), own[i] == &clients);
        hf_tls_free(client);
    }
    hf_tls_free(server);
    certificates_remove(&set);
    certificates_remove(&clients);
    certificates_remove(&strangers);
}

static void agrees_only_on_what_both_allow(void **state)
{
    (void)state;
    struct certificates set;
    certificates_new(&set);
    static const char *const aes128[] = {"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"};
    static const char *const chacha[] = {"TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305"};
    static const char *const x25519[] = {"X25519MLKEM768", "X25519"}, *const p256[] = {"P256"};
    const struct {
        struct hf_tls_config server, client;
        const char *server_alpn, *client_alpn;
        bool expected;
    } rows[] = {
        {{.min_version = "1.3"}, {.max_version = "1.3"}, "h2", "h2", true},
        {{.min_version = "1.3"}, {.max_version = "1.2"}, "h2", "h2", false},
        {{.max_version = "1.2"}, {.min_version = "1.3"}, "h2", "h2", false},
        {{0}, {0}, "h2", "http/1.1", false},
        {{0}, {0}, "http/1.1", "http/1.1", true},
        {{0}, {0}, "", "", true}, /* a protocol that TLS has no name for */
        {{.max_version = "1.2", .cipher_suites = {aes128, 1}},
         {.cipher_suites = {aes128, 1}},
         "h2",
         "h2",
         true},
        {{.max_version = "1.2", .cipher_suites = {aes128, 1}},
         {.cipher_suites = {chacha, 1}},
         "h2",
         "h2",
         false},
        {{.curve_preferences = {x25519, 2}}, {.curve_preferences = {x25519, 2}}, "h2", "h2", true},
        {{.curve_preferences = {x25519, 2}}, {.curve_preferences = {p256, 1}}, "h2", "h2", false},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct hf_tls_config config = rows[i].server;
        config.cert_file = set.cert_file;
        config.key_file = set.key_file;
        struct hf_tls *server = new_server(&config, rows[i].server_alpn);
        config = rows[i].client;
        config.ca_file = set.ca_file;
        struct hf_tls *client = new_client(&config, rows[i].client_alpn);
        if (works(server, client, "localhost") != rows[i].expected) {
            fail_msg("row %zu", i);
        }
        hf_tls_free(server);
        hf_tls_free(client);
    }
    certificates_remove(&set);
}

static void names_what_is_wrong_with_a_configuration(void **state)
{
    (void)state;
    struct certificates set, other;
    certificates_new(&set);
    certificates_new(&other);
    static const char *const bad[] = {"TLS_NULL_WITH_NOTHING"};
    const struct {
        struct hf_tls_config config;
        const char *says;
    } rows[] = {
        {{.cert_file = "/nonexistent/c.pem", .key_file = set.key_file}, "/nonexistent/c.pem"},
        {{.cert_file = set.cert_file, .key_file = "/nonexistent/k.pem"}, "/nonexistent/k.pem"},
        {{.cert_file = set.cert_file, .key_file = other.key_file}, "not the key"},
        {{.cert_file = set.key_file, .key_file = set.key_file}, "no usable certificate"},
        {{.cert_file = set.cert_file, .key_file = set.cert_file}, "no unencrypted private key"},
        {{.cert_file = set.cert_file, .key_file = set.key_file, .cipher_suites = {bad, 1}},
         "TLS_NULL_WITH_NOTHING"},
        {{.cert_file = set.cert_file, .key_file = set.key_file, .curve_preferences = {bad, 1}},
         "curve_preferences"},
        {{.cert_file = set.cert_file, .key_file = set.key_file, .client_ca_file = "/dev/null"},
         "client_ca_file /dev/null"},
        {{.cert_file = set.cert_file}, "needs its key"},
        {{.key_file = set.key_file}, "needs its certificate"},
        {{.cert_file = set.cert_file, .cert_pem = "x", .key_file = set.key_file}, "not both"},
        {{.cert_file = set.cert_file, .key_pem = "x", .key_file = set.key_file}, "not both"},
        {{.ca_file = set.ca_file, .ca_pem = "x"}, "not both"},
        {{.min_version = "1.4"}, "min_version"},
        {{.max_version = "ssl3"}, "max_version"},
        {{.min_version = "1.3", .max_version = "1.2"}, "above"},
        {{0}, "needs a certificate"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char error[512] = "";
        struct hf_tls *tls = NULL;
        assert_int_equal(hf_tls_new_server(&rows[i].config, "h2", &tls, error), HF_INVALID);
        if (strstr(error, rows[i].says) == NULL) {
            fail_msg("row %zu says: %s", i, error);
        }
    }
    struct hf_tls_config nothing = {0};
    assert_null(hf_tls_client_check(&nothing));
    certificates_remove(&set);
    certificates_remove(&other);
}

static void spoil(const char *path)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs("no certificate\n", file);
    fclose(file);
}

/* What was reported of reloads. */
struct reports {
    int count;
    char last[512];
};

static void keep_report(void *user, const char *why)
{
    struct reports *reports = user;
    reports->count++;
    snprintf(reports->last, sizeof(reports->last), "%s", why);
}

static void reloads_files_that_changed_and_keeps_the_old_when_they_are_broken(void **state)
{
    (void)state;
    struct certificates set;
    certificates_new(&set);
    char *old_ca = text_of(set.ca_file);
    struct hf_tls_config config = server_config(&set);
    config.reload_interval_ns = 1;
    struct hf_tls *server = new_server(&config, "h2");
    config = (struct hf_tls_config){.ca_pem = old_ca};
    struct hf_tls *old_client = new_client(&config, "h2");
    assert_true(works(server, old_client, "localhost"));

    struct reports reports = {0};
    hf_tls_report_to(server, keep_report, &reports);
    spoil(set.cert_file);
    assert_true(works(server, old_client, "localhost"));
    assert_true(works(server, old_client, "localhost"));
    assert_int_equal(reports.count, 1);
    assert_non_null(strstr(reports.last, set.cert_file));

    certificates_renew(&set, "localhost", "DNS:localhost");
    config = client_config(&set);
    struct hf_tls *new_side = new_client(&config, "h2");
    assert_true(works(server, new_side, "localhost"));
    assert_false(works(server, old_client, "localhost"));
    assert_int_equal(reports.count, 1);

    hf_tls_free(server);
    hf_tls_free(old_client);
    hf_tls_free(new_side);
    free(old_ca);
    certificates_remove(&set);
}

static void refuses_what_is_not_tls(void **state)
{
    (void)state;
    struct certificates set;
    certificates_new(&set);
    struct hf_tls_config config = server_config(&set);
    struct hf_tls *server = new_server(&config, "h2");
    static const char *const texts[] = {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
                                        "\x16\x03\x01\xff\xff\x01", ""};
    for (size_t i = 0; i < 3; i++) {
        struct pair pair = connect_pair(server, NULL, "");
        struct iovec piece = {.iov_base = (void *)(uintptr_t)texts[i], .iov_len = strlen(texts[i])};
        size_t count = 0;
        assert_int_equal(hf_stream_write(pair.client, &piece, 1, &count), HF_STREAM_OK);
        hf_stream_free(pair.client);
        /* Who sends nothing only looked whether the port is open: that is no error. */
        assert_int_equal(hf_stream_handshake(pair.server),
                         i < 2 ? HF_STREAM_ERROR : HF_STREAM_CLOSED);
        hf_stream_free(pair.server);
    }
    hf_tls_free(server);
    certificates_remove(&set);
}

static void wants_a_name_to_verify(void **state)
{
    (void)state;
    struct hf_tls_config config = {0};
    struct hf_tls *client = new_client(&config, "h2");
    struct hf_stream *stream = NULL;
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(hf_stream_connect(client, fd, "", &stream), HF_INVALID);
    assert_null(stream);
    close(fd); /* it was not taken over */
    hf_tls_free(client);
    hf_stream_free(NULL);
    hf_tls_free(NULL);
}

static void its_field_tables_fit_the_struct(void **state)
{
    (void)state;
    const struct hf_field *tables[] = {hf_tls_client_fields, hf_tls_server_fields};
    for (size_t i = 0; i < 2; i++) {
        for (const struct hf_field *field = tables[i]; field->type != HF_FIELD_END; field++) {
            assert_non_null(field->key);
            assert_non_null(field->help);
            assert_true(field->offset < sizeof(struct hf_tls_config));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(carries_bytes_in_clear),
        cmocka_unit_test(carries_bytes_in_every_version),
        cmocka_unit_test(keeps_suites_that_http2_forbids_out_unless_they_are_named),
        cmocka_unit_test(tells_of_decrypted_bytes_that_wait),
        cmocka_unit_test(verifies_the_server_as_configured),
        cmocka_unit_test(takes_text_instead_of_files),
        cmocka_unit_test(demands_a_client_certificate_when_told_to),
        cmocka_unit_test(agrees_only_on_what_both_allow),
        cmocka_unit_test(names_what_is_wrong_with_a_configuration),
        cmocka_unit_test(reloads_files_that_changed_and_keeps_the_old_when_they_are_broken),
        cmocka_unit_test(refuses_what_is_not_tls),
        cmocka_unit_test(wants_a_name_to_verify),
        cmocka_unit_test(its_field_tables_fit_the_struct),
    };
    return cmocka_run_group_tests_name("tls", tests, NULL, NULL);
}
