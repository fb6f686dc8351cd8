/* Certificates that the program makes itself. */
#include "util/tls/certificate_make.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h> /* needs the three before it */

static const char *const names[] = {"hook.space.svc", "hook.space.svc.cluster.local"};

struct pair {
    struct hf_certificate authority, server;
};

static struct pair make_pair(void)
{
    struct pair pair = {0};
    assert_int_equal(hf_certificate_make_authority("an authority", 1000, &pair.authority), HF_OK);
    assert_int_equal(hf_certificate_issue(&pair.authority, names, 2, 100, &pair.server), HF_OK);
    return pair;
}

static void release_pair(struct pair *pair)
{
    hf_certificate_release(&pair->authority);
    hf_certificate_release(&pair->server);
}

static void a_certificate_fits_its_key_names_and_authority(void **state)
{
    struct pair pair = make_pair(), other = make_pair();
    char both[8192];
    const struct hf_certificate mixed = {pair.server.certificate, other.server.key};
    (void)state;
    assert_true(hf_certificate_fits(&pair.server, pair.authority.certificate, names[0]));
    assert_true(hf_certificate_fits(&pair.server, pair.authority.certificate, names[1]));
    assert_false(hf_certificate_fits(&pair.server, pair.authority.certificate, "other.svc"));
    assert_false(hf_certificate_fits(&pair.server, other.authority.certificate, names[0]));
    assert_false(hf_certificate_fits(&mixed, pair.authority.certificate, names[0]));
    assert_false(hf_certificate_fits(&pair.server, NULL, names[0]));
    snprintf(both, sizeof(both), "%s%s", other.authority.certificate, pair.authority.certificate);
    assert_true(hf_certificate_fits(&pair.server, both, names[0]));
    release_pair(&pair);
    release_pair(&other);
}

static void it_says_when_it_is_valid(void **state)
{
    struct pair pair = make_pair();
    int64_t begin_s = 0, end_s = 0;
    (void)state;
    assert_true(hf_certificate_window(pair.server.certificate, &begin_s, &end_s));
    assert_true(begin_s <= time(NULL));
    assert_int_equal(end_s - begin_s, 160);
    assert_false(hf_certificate_window("nothing", &begin_s, &end_s));
    assert_false(hf_certificate_window(NULL, &begin_s, &end_s));
    release_pair(&pair);
}

static void what_is_no_authority_signs_nothing(void **state)
{
    const struct hf_certificate none = {NULL, NULL};
    struct pair pair = make_pair();
    struct hf_certificate made = {0};
    char name[3000];
    const char *const long_names[] = {name};
    (void)state;
    assert_int_equal(hf_certificate_issue(&none, names, 2, 100, &made), HF_INVALID);
    assert_int_equal(hf_certificate_issue(&pair.authority, names, 0, 100, &made), HF_INVALID);
    memset(name, 'a', sizeof(name));
    name[sizeof(name) - 1] = '\0';
    assert_int_equal(hf_certificate_issue(&pair.authority, long_names, 1, 100, &made), HF_INVALID);
    assert_null(made.certificate);
    release_pair(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_certificate_fits_its_key_names_and_authority),
        cmocka_unit_test(it_says_when_it_is_valid),
        cmocka_unit_test(what_is_no_authority_signs_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
