/* What a probe says of files, sockets and servers. */
#include "support/probe/probe_server.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h> /* needs the three before it */

#include <holdfast/component.h>

/* All lines, "step target result: text\n". */
struct said {
    char text[4096];
};

static void say(void *user, const char *step, const char *target, enum hf_probe_result result,
                const char *text)
{
    static const char *const words[] = {"ok", "warning", "failed"};
    struct said *said = user;
    size_t used = strlen(said->text);
    snprintf(said->text + used, sizeof(said->text) - used, "%s %s %s: %s\n", step, target,
             words[result], text);
}

static bool refuse_port(void *user, const char *endpoint, char *reterr)
{
    (void)user;
    bool is_taken = strcmp(endpoint, "localhost:1") == 0;
    snprintf(reterr, HF_ERROR_MAX, "the port is taken");
    return !is_taken;
}

static struct hf_probe probe_to(struct said *said)
{
    *said = (struct said){.text = ""};
    return (struct hf_probe){
        .say = say, .listen = refuse_port, .user = said, .timeout_ns = UINT64_C(2000000000)};
}

static void tells_what_can_be_read_and_written(void **state)
{
    char folder[] = "/tmp/probe_test_XXXXXX", path[128];
    struct said said;
    struct hf_probe probe = probe_to(&said);
    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/new", folder);
    hf_probe_read(&probe, NULL);
    hf_probe_read(&probe, "");
    hf_probe_write(&probe, NULL);
    assert_string_equal(said.text, "");
    hf_probe_read(&probe, folder);
    hf_probe_write(&probe, path);
    assert_false(probe.has_failed);
    assert_non_null(strstr(said.text, "ok: can be read"));
    assert_non_null(strstr(said.text, "ok: can be made"));
    hf_probe_read(&probe, path);
    assert_true(probe.has_failed);
    assert_non_null(strstr(said.text, "failed: No such file or directory"));
    hf_probe_write(&probe, "/nowhere/at/all");
    assert_non_null(strstr(said.text, "file /nowhere/at/all failed: /nowhere/at: No such file"));
    rmdir(folder);
}

static void tells_which_sockets_are_free(void **state)
{
    struct said said;
    struct hf_probe probe = probe_to(&said);
    (void)state;
    hf_probe_listen(&probe, NULL);
    assert_string_equal(said.text, "");
    hf_probe_listen(&probe, "localhost:2");
    assert_string_equal(said.text, "listen localhost:2 ok: free\n");
    hf_probe_listen(&probe, "localhost:1");
    assert_true(probe.has_failed);
    assert_non_null(strstr(said.text, "listen localhost:1 failed: the port is taken"));
    probe = probe_to(&said);
    probe.listen = NULL;
    hf_probe_listen(&probe, "localhost:1");
    assert_false(probe.has_failed);
    assert_non_null(strstr(said.text, "not tried"));
}

/* A socket that is bound; it listens when `listens`. */
static int open_port(bool listens, char port[8])
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
    assert_true(!listens || listen(fd, 5) == 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    snprintf(port, 8, "%u", ntohs(address.sin_port));
    return fd;
}

static void looks_up_and_connects(void **state)
{
    static const struct {
        const char *host;
        bool listens;
        const char *expected;
        bool fails;
    } rows[] = {
        {"127.0.0.1", true, "ok: connected", false},
        {"127.0.0.1", false, "failed: Connection refused", true},
        {"localhost", true, "dns localhost ok: ", false},
        {"nowhere.invalid", true, "dns nowhere.invalid failed: ", true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct said said;
        struct hf_probe probe = probe_to(&said);
        char port[8];
        int fd = open_port(rows[i].listens, port);
        const struct hf_probe_server server = {.host = rows[i].host, .port = port};
        hf_probe_server(&probe, &server);
        assert_non_null(strstr(said.text, rows[i].expected));
        assert_int_equal(probe.has_failed, rows[i].fails);
        close(fd);
    }
}

static void a_server_that_does_not_speak_tls_is_told(void **state)
{
    static const struct hf_tls_config tls = {.insecure_skip_verify = true};
    struct said said;
    struct hf_probe probe = probe_to(&said);
    char port[8];
    int fd = open_port(true, port); /* nothing is ever answered */
    const struct hf_probe_server server = {.host = "127.0.0.1", .port = port, .tls = &tls};
    struct hf_probe_server asked = server;
    (void)state;
    asked.alpn = "h2";
    probe.timeout_ns = UINT64_C(50000000);
    hf_probe_server(&probe, &asked);
    assert_non_null(strstr(said.text, "tls 127.0.0.1 failed: no answer to the handshake"));
    close(fd);
}

static void takes_the_server_out_of_urls(void **state)
{
    static const struct {
        const char *url, *expected;
    } rows[] = {
        {"http://user:word@127.0.0.1:%s/v1/traces?x=1", "tcp 127.0.0.1:%s ok: connected\n"},
        {"http://127.0.0.1:%s", "tcp 127.0.0.1:%s ok: connected\n"},
        {"http://[::1]:1/", "tcp [::1]:1 failed: "},
        {"nothing", "names no host"},
        {"http://", "names no host"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct hf_http_client_config config = {.endpoint = NULL};
        struct said said;
        struct hf_probe probe = probe_to(&said);
        char port[8], url[128] = "", expected[128] = "";
        int fd = open_port(true, port);
        for (int pass = 0; pass < 2; pass++) { /* put the port in place of %s */
            const char *from = pass == 0 ? rows[i].url : rows[i].expected;
            char *to = pass == 0 ? url : expected;
            const char *mark = strstr(from, "%s");
            snprintf(to, 128, "%.*s%s%s", mark != NULL ? (int)(mark - from) : 127, from,
                     mark != NULL ? port : "", mark != NULL ? mark + 2 : "");
        }
        hf_probe_http_client(&probe, &config, url);
        assert_non_null(strstr(said.text, expected));
        close(fd);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_what_can_be_read_and_written),
        cmocka_unit_test(tells_which_sockets_are_free),
        cmocka_unit_test(looks_up_and_connects),
        cmocka_unit_test(a_server_that_does_not_speak_tls_is_told),
        cmocka_unit_test(takes_the_server_out_of_urls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
