/* The nearest word, if any is near. */
#include "support.h"

#include "util/suggest.h"

static void finds_the_word_that_was_probably_meant(void **state)
{
    static const char *const words[] = {"endpoint", "timeout", "queue_size", "tls", "insecure"};
    const struct {
        const char *word, *best; /* NULL: none */
    } cases[] = {
        {"endpoint", "endpoint"},
        {"endpiont", "endpoint"},
        {"enpoint", "endpoint"},
        {"Endpoint", "endpoint"},
        {"queue-size", "queue_size"},
        {"queuesize", "queue_size"},
        {"insecur", "insecure"},
        {"in_secure", "insecure"},
        {"tsl", "tls"},
        {"timeouts", "timeout"},
        {"tl", "tls"},
        {"banana", NULL},
        {"", NULL},
        {"x", NULL},
        {"endpointendpointendpointendpointendpointendpointendpointendpointx", NULL},
    };
    (void)state;

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct hf_suggestion suggestion = {.word = cases[i].word};
        for (size_t j = 0; j < COUNT(words); j++) {
            hf_suggest(&suggestion, words[j]);
        }
        if (cases[i].best == NULL) {
            assert_null(suggestion.best);
        } else {
            assert_non_null(suggestion.best);
            assert_string_equal(suggestion.best, cases[i].best);
        }
    }
}

static void prefers_the_nearer_and_then_the_first(void **state)
{
    struct hf_suggestion suggestion = {.word = "sizer"};
    (void)state;

    hf_suggest(&suggestion, "sixes");
    hf_suggest(&suggestion, "size");
    hf_suggest(&suggestion, "sized");
    assert_string_equal(suggestion.best, "size");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_the_word_that_was_probably_meant),
        cmocka_unit_test(prefers_the_nearer_and_then_the_first),
    };
    return cmocka_run_group_tests_name("suggest", tests, NULL, NULL);
}
