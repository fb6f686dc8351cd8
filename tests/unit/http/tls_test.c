#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <holdfast/component.h>

#include "http/client.h"
#include "http/server.h"
#include "tests/support/certificates.h"
#include "util/file_watch.h"
#include "util/loop.h"
#include "util/time/clock.h"
#include "util/tls/tls_names.h"

/* An HTTPS server that answers 200, and what became of the last request. */
struct fixture {
    struct hf_http_server *server;
    char url[64];
    struct hf_loop *loop;
    enum hf_status status;
    int code;
    char error[300];
    char file_report[HF_ERROR_MAX]; /* the last one of the server's about its files, not a peer */
};

/* A thread of the server's; it is read when nothing more can come, or waited for. */
static void on_error(void *user, const char *peer, const char *what)
{
    struct fixture *fixture = user;
    if (peer == NULL) {
        snprintf(fixture->file_report, sizeof(fixture->file_report), "%s", what);
    }
}

static void on_request(void *user, struct hf_http_request *request, enum hf_status fault)
{
    (void)user;
    (void)fault;
    const struct hf_http_answer answer = {.status = 200, .body = hf_slice_text("hello")};
    hf_http_answer(request, &answer);
}

static enum hf_status try_start(struct fixture *fixture, struct hf_http_server_options options,
                                char *error)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(fd, 8), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    *fixture = (struct fixture){0};
    snprintf(fixture->url, sizeof(fixture->url), "https://127.0.0.1:%u/x", ntohs(address.sin_port));
    options.listen_fd = fd;
    options.on_request = on_request;
    options.on_error = on_error;
    options.user = fixture;
    return hf_http_server_new(&options, &fixture->server, error);
}

static void start(struct fixture *fixture, struct hf_http_server_options options)
{
    char error[HF_ERROR_MAX] = "";
    if (try_start(fixture, options, error) != HF_OK) {
        fail_msg("%s", error);
    }
}

struct asking {
    struct hf_http_call call;
    struct fixture *fixture;
};

static void on_done(struct hf_http_call *call, const struct hf_http_result *result)
{
    struct fixture *fixture = HF_CONTAINER(call, struct asking, call)->fixture;
    fixture->status = result->status;
    fixture->code = result->code;
    snprintf(fixture->error, sizeof(fixture->error), "%s",
             result->error == NULL ? "" : result->error);
    hf_loop_stop(fixture->loop);
}

/* One request by a new client. */
static void ask(struct fixture *fixture, const struct hf_tls_config *tls)
{
    char error[HF_ERROR_MAX];
    struct hf_http_client *client;
    struct asking asking = {.call = {.method = "POST", .url = fixture->url, .done = on_done},
                            .fixture = fixture};
    assert_int_equal(hf_loop_new(&fixture->loop), HF_OK);
    const struct hf_http_client_options options = {.loop = fixture->loop, .tls = tls};
    assert_int_equal(hf_http_client_new(&options, &client, error), HF_OK);
    hf_http_client_call(client, &asking.call);
    hf_loop_run(fixture->loop);
    hf_http_client_free(client);
    hf_loop_free(fixture->loop);
}

static void assert_served(struct fixture *fixture, const struct hf_tls_config *tls)
{
    ask(fixture, tls);
    if (fixture->status != HF_OK) {
        fail_msg("%s", fixture->error);
    }
    assert_int_equal(fixture->code, 200);
}

static void assert_not_served(struct fixture *fixture, const struct hf_tls_config *tls)
{
    ask(fixture, tls);
    assert_int_equal(fixture->status, HF_AGAIN);
    assert_int_equal(fixture->code, 0);
    assert_true(fixture->error[0] != '\0');
}

static char *text_of(const char *path)
{
    char error[512];
    char *text;
    assert_int_equal(hf_file_watch_read(path, &text, error), HF_OK);
    return text;
}

static void verifies_the_server_by_its_authority(void **state)
{
    (void)state;
    struct certificates own, other;
    struct fixture fixture;
    certificates_new(&own);
    certificates_new(&other);
    const struct hf_tls_config server = {.cert_file = own.cert_file, .key_file = own.key_file};
    start(&fixture, (struct hf_http_server_options){.tls = &server, .threads = 2});
    char *ca_text = text_of(own.ca_file);
    assert_served(&fixture, &(struct hf_tls_config){.ca_file = own.ca_file});
    assert_served(&fixture, &(struct hf_tls_config){.ca_pem = ca_text});
    assert_served(&fixture,
                  &(struct hf_tls_config){.ca_file = other.ca_file, .insecure_skip_verify = true});
    assert_not_served(&fixture, &(struct hf_tls_config){.ca_file = other.ca_file});
    assert_not_served(&fixture, &(struct hf_tls_config){0});
    assert_not_served(&fixture, NULL);
    free(ca_text);
    hf_http_server_free(fixture.server);
    certificates_remove(&own);
    certificates_remove(&other);
}

static void serves_with_texts_instead_of_files(void **state)
{
    (void)state;
    struct certificates own;
    struct fixture fixture;
    certificates_new(&own);
    char *cert = text_of(own.cert_file), *key = text_of(own.key_file);
    start(&fixture, (struct hf_http_server_options){.tls_cert_pem = cert, .tls_key_pem = key});
    memset(cert, 'x', strlen(cert)); /* it has its own copy */
    memset(key, 'x', strlen(key));
    assert_served(&fixture, &(struct hf_tls_config){.ca_file = own.ca_file});
    free(cert);
    free(key);
    hf_http_server_free(fixture.server);
    certificates_remove(&own);
}

static void asks_for_another_name_when_told(void **state)
{
    (void)state;
    struct certificates own;
    struct fixture fixture;
    certificates_new(&own);
    certificates_renew(&own, "backend.internal", "DNS:backend.internal");
    const struct hf_tls_config server = {.cert_file = own.cert_file, .key_file = own.key_file};
    start(&fixture, (struct hf_http_server_options){.tls = &server});
    assert_not_served(&fixture, &(struct hf_tls_config){.ca_file = own.ca_file});
    assert_served(&fixture, &(struct hf_tls_config){.ca_file = own.ca_file,
                                                    .server_name_override = "backend.internal"});
    assert_not_served(&fixture, &(struct hf_tls_config){.ca_file = own.ca_file,
                                                        .server_name_override = "else.internal"});
    hf_http_server_free(fixture.server);
    certificates_remove(&own);
}

static void asks_clients_for_a_certificate(void **state)
{
    (void)state;
    struct certificates own, client, stranger;
    struct fixture fixture;
    certificates_new(&own);
    certificates_new(&client);
    certificates_new(&stranger);
    const struct hf_tls_config server = {
        .cert_file = own.cert_file, .key_file = own.key_file, .client_ca_file = client.ca_file};
    static const char *const versions[] = {"1.2", "1.3"};
    start(&fixture, (struct hf_http_server_options){.tls = &server});
    char *cert = text_of(client.cert_file), *key = text_of(client.key_file);
    for (size_t i = 0; i < 2; i++) {
        struct hf_tls_config config = {.ca_file = own.ca_file, .max_version = versions[i]};
        assert_not_served(&fixture, &config);
        config.cert_file = stranger.cert_file;
        config.key_file = stranger.key_file;
        assert_not_served(&fixture, &config);
        config.cert_file = client.cert_file;
        config.key_file = client.key_file;
        assert_served(&fixture, &config);
        config.cert_file = config.key_file = NULL;
        config.cert_pem = cert;
        config.key_pem = key;
        assert_served(&fixture, &config);
    }
    free(cert);
    free(key);
    hf_http_server_free(fixture.server);
    certificates_remove(&own);
    certificates_remove(&client);
    certificates_remove(&stranger);
}

static void keeps_to_the_versions_it_is_given(void **state)
{
    (void)state;
    struct certificates own;
    struct fixture fixture;
    certificates_new(&own);
    const char *const curves[] = {"P384"};
    const struct hf_tls_config server = {.cert_file = own.cert_file,
                                         .key_file = own.key_file,
                                         .min_version = "1.3",
                                         .curve_preferences = {curves, 1}};
    start(&fixture, (struct hf_http_server_options){.tls = &server});
    assert_served(&fixture, &(struct hf_tls_config){.ca_file = own.ca_file});
    assert_served(&fixture, &(struct hf_tls_config){.ca_file = own.ca_file, .min_version = "1.3"});
    assert_not_served(&fixture,
                      &(struct hf_tls_config){.ca_file = own.ca_file, .max_version = "1.2"});
    hf_http_server_free(fixture.server);
    certificates_remove(&own);
}

/* Each suite in turn, on both sides; only those of its kind of key can be served. */
static void serves_with_each_suite_that_its_key_allows(void **state)
{
    (void)state;
    struct certificates own;
    certificates_new(&own);
    size_t served = 0;
    for (const char *const *name = hf_tls_suite_names; *name != NULL; name++) {
        struct fixture fixture;
        const char *most = hf_tls_suite(*name)->is_tls13 ? "1.3" : "1.2";
        const struct hf_tls_config server = {.cert_file = own.cert_file,
                                             .key_file = own.key_file,
                                             .max_version = most,
                                             .cipher_suites = {name, 1}};
        const struct hf_tls_config client = {
            .ca_file = own.ca_file, .max_version = most, .cipher_suites = {name, 1}};
        start(&fixture, (struct hf_http_server_options){.tls = &server});
        if (strncmp(*name, "TLS_ECDHE_RSA_", 14) == 0 || strncmp(*name, "TLS_RSA_", 8) == 0) {
            assert_not_served(&fixture, &client);
        } else {
            assert_served(&fixture, &client);
            served++;
        }
        hf_http_server_free(fixture.server);
    }
    assert_true(served > 8);
    certificates_remove(&own);
}

static void takes_renewed_files_for_new_connections(void **state)
{
    (void)state;
    struct certificates own;
    struct fixture fixture;
    certificates_new(&own);
    const struct hf_tls_config server = {
        .cert_file = own.cert_file, .key_file = own.key_file, .reload_interval_ns = 1};
    start(&fixture, (struct hf_http_server_options){.tls = &server});
    char *old_ca = text_of(own.ca_file);
    assert_served(&fixture, &(struct hf_tls_config){.ca_pem = old_ca});
    certificates_renew(&own, "localhost", "DNS:localhost,IP:127.0.0.1");
    /* The coarse clock that the files are looked at by may stand still for some milliseconds. */
    for (int i = 0; i < 100; i++) {
        ask(&fixture, &(struct hf_tls_config){.ca_file = own.ca_file});
        if (fixture.status == HF_OK) {
            break;
        }
    }
    assert_served(&fixture, &(struct hf_tls_config){.ca_file = own.ca_file});
    assert_not_served(&fixture, &(struct hf_tls_config){.ca_pem = old_ca});
    /* A broken file leaves what was. */
    FILE *file = fopen(own.cert_file, "we");
    assert_non_null(file);
    fclose(file);
    uint64_t broken_ns = hf_clock_coarse_ns();
    while (hf_clock_coarse_ns() == broken_ns) {
        assert_served(&fixture, &(struct hf_tls_config){.ca_file = own.ca_file});
    }
    assert_served(&fixture, &(struct hf_tls_config){.ca_file = own.ca_file});
    free(old_ca);
    hf_http_server_free(fixture.server);
    if (strstr(fixture.file_report, own.cert_file) == NULL) {
        fail_msg("%s", fixture.file_report);
    }
    certificates_remove(&own);
}

static void tells_a_client_in_clear_that_it_wants_tls(void **state)
{
    (void)state;
    struct certificates own;
    struct fixture fixture;
    certificates_new(&own);
    const struct hf_tls_config server = {.cert_file = own.cert_file, .key_file = own.key_file};
    start(&fixture, (struct hf_http_server_options){.tls = &server});
    memmove(fixture.url + 4, fixture.url + 5, strlen(fixture.url + 4)); /* http:// */
    ask(&fixture, NULL);
    assert_int_equal(fixture.status, HF_OK);
    assert_int_equal(fixture.code, 400);
    hf_http_server_free(fixture.server);
    certificates_remove(&own);
}

static void says_at_the_start_what_is_wrong(void **state)
{
    (void)state;
    struct certificates own, other;
    certificates_new(&own);
    certificates_new(&other);
    const struct {
        struct hf_tls_config config;
        const char *says;
    } rows[] = {
        {{.cert_file = own.cert_file}, "needs a certificate and its key"},
        {{.cert_file = own.cert_file, .key_file = "/nonexistent/key"}, "/nonexistent/key"},
        {{.cert_file = own.cert_file, .key_file = other.key_file}, "no pair that can be used"},
        {{.cert_file = own.cert_file, .key_file = own.key_file, .client_ca_file = own.key_file},
         "client_ca_file"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char error[HF_ERROR_MAX] = "";
        struct fixture fixture;
        assert_int_not_equal(
            try_start(&fixture, (struct hf_http_server_options){.tls = &rows[i].config}, error),
            HF_OK);
        if (strstr(error, rows[i].says) == NULL) {
            fail_msg("no \"%s\" in \"%s\"", rows[i].says, error);
        }
    }
    certificates_remove(&own);
    certificates_remove(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(verifies_the_server_by_its_authority),
        cmocka_unit_test(serves_with_texts_instead_of_files),
        cmocka_unit_test(asks_for_another_name_when_told),
        cmocka_unit_test(asks_clients_for_a_certificate),
        cmocka_unit_test(keeps_to_the_versions_it_is_given),
        cmocka_unit_test(serves_with_each_suite_that_its_key_allows),
        cmocka_unit_test(takes_renewed_files_for_new_connections),
        cmocka_unit_test(tells_a_client_in_clear_that_it_wants_tls),
        cmocka_unit_test(says_at_the_start_what_is_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
