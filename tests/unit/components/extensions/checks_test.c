/* What no single key of an extension can tell, with the sentence that is said. */
#include "tests/unit/made_config.h"

#define EXTENSION(name) extern const struct hf_component hf_extension_##name;
EXTENSION(docker_observer)
EXTENSION(googleclientauth)
EXTENSION(k8s_observer)
EXTENSION(oauth2client)
EXTENSION(oidc)

#define PAIRS_MAX 6
#define TOKEN                                                                                      \
    {"client_id", "a"}, {"client_secret", "b"},                                                    \
    {                                                                                              \
        "token_url", "https://a.test/token"                                                        \
    }

static const struct {
    const struct hf_component *extension;
    const char *pairs[PAIRS_MAX + 1][2];
    const char *sentence; /* a part of it; NULL: all is well */
} cases[] = {
    {&hf_extension_oauth2client, {TOKEN}, NULL},
    {&hf_extension_oauth2client, {{"client_secret", "b"}}, "no client_id provided"},
    {&hf_extension_oauth2client, {{"client_id_file", "/a"}}, "no client_secret provided"},
    {&hf_extension_oauth2client, {{"client_id", ""}}, "no client_id provided"},
    {&hf_extension_oauth2client,
     {{"client_id_file", "/a"}, {"client_secret_file", "/b"}},
     "token_url: expected the URL"},
    {&hf_extension_oauth2client,
     {{"client_id", "a"}, {"client_secret", "b"}, {"token_url", "a.test/token"}},
     "token_url: expected the URL"},
    {&hf_extension_oauth2client, {TOKEN, {"tls.key_file", "/a"}}, "key_file"},
    {&hf_extension_googleclientauth, {{NULL, NULL}}, NULL},
    {&hf_extension_googleclientauth, {{"token_type", "id_token"}}, "audience must be specified"},
    {&hf_extension_googleclientauth,
     {{"token_type", "id_token"}, {"audience", ""}},
     "audience must be specified"},
    {&hf_extension_googleclientauth,
     {{"token_type", "id_token"}, {"audience", "https://a.test"}},
     NULL},
    {&hf_extension_oidc, {{NULL, NULL}}, "issuer_url: expected"},
    {&hf_extension_oidc, {{"issuer_url", "https://a"}}, "no audience provided"},
    {&hf_extension_oidc, {{"issuer_url", "https://a"}, {"ignore_audience", "true"}}, NULL},
    {&hf_extension_oidc,
     {{"providers.0.issuer_url", "https://a"}, {"providers.0.audience", "x"}},
     NULL},
    {&hf_extension_oidc,
     {{"providers.0.issuer_url", "https://a"},
      {"providers.0.audience", "x"},
      {"issuer_url", "https://b"},
      {"audience", "y"}},
     NULL},
    {&hf_extension_oidc,
     {{"providers.0.issuer_url", "https://a"},
      {"providers.0.audience", "x"},
      {"issuer_url", "https://a"},
      {"audience", "y"}},
     "an issuer_url is there twice"},
    {&hf_extension_oidc,
     {{"providers.0.issuer_url", "https://a"}, {"providers.0.audience", "x"}, {"audience", "y"}},
     "issuer_url: expected"},
    {&hf_extension_oidc,
     {{"attribute", "a b"}, {"issuer_url", "https://a"}, {"audience", "y"}},
     "attribute: expected"},
    {&hf_extension_k8s_observer, {{NULL, NULL}}, NULL},
    {&hf_extension_k8s_observer, {{"observe_pods", "false"}}, "must be true"},
    {&hf_extension_k8s_observer, {{"observe_pods", "false"}, {"observe_nodes", "true"}}, NULL},
    {&hf_extension_k8s_observer, {{"namespaces", "a-1"}, {"namespaces", "b.c"}}, NULL},
    {&hf_extension_k8s_observer, {{"namespaces", "a"}, {"namespaces", ""}}, "namespaces: one is"},
    {&hf_extension_k8s_observer, {{"namespaces", "a/b"}}, "namespaces: one is no name"},
    {&hf_extension_docker_observer, {{NULL, NULL}}, NULL},
    {&hf_extension_docker_observer, {{"excluded_images", "/a+/"}}, NULL},
    {&hf_extension_docker_observer, {{"excluded_images", "/a(/"}}, "/a(/"},
};

static void keys_that_do_not_go_together_are_told(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct made_config made;
        made_config(&made, cases[i].extension, cases[i].pairs);
        const char *wrong = cases[i].extension->check(made.config);
        bool good = cases[i].sentence == NULL
                        ? wrong == NULL
                        : wrong != NULL && strstr(wrong, cases[i].sentence) != NULL;
        if (!good) {
            fail_msg("%zu, %s: %s", i, cases[i].extension->type, wrong != NULL ? wrong : "right");
        }
        made_config_release(&made);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_that_do_not_go_together_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
