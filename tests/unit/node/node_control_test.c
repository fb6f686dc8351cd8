/* The door to the control protocol: words go in as they are, the answer comes back within its
 * limit. */
#include <holdfast/control.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h> /* needs the three before it */

#include "node/node.h"

static int repeat(void *commands, int count, char *const *words, FILE *out)
{
    for (int i = 0; i < count; i++) {
        fprintf(out, "[%s]", words[i]);
    }
    return *(int *)commands;
}

static int code = 3;
static struct hf_host host = {.run_command = repeat, .commands = &code};
static const struct hf_node node = {.host = &host};

static void answers_with_text_and_code(void **state)
{
    struct hf_control_answer answer;
    (void)state;
    const char *const words[] = {"stat", "--json", NULL};
    assert_int_equal(hf_node_control(&node, words, 100, &answer), HF_OK);
    assert_string_equal(answer.text, "[stat][--json]");
    assert_int_equal(answer.size, 14);
    assert_int_equal(answer.exit_code, 3);
    free(answer.text);
}

static void an_empty_answer_is_one(void **state)
{
    struct hf_control_answer answer;
    (void)state;
    assert_int_equal(hf_node_control(&node, (const char *const[]){NULL}, 0, &answer), HF_OK);
    assert_string_equal(answer.text, "");
    free(answer.text);
}

static void an_answer_over_the_limit_is_none(void **state)
{
    struct hf_control_answer answer;
    (void)state;
    const char *const words[] = {"stat", "--json", NULL};
    assert_int_equal(hf_node_control(&node, words, 14, &answer), HF_OK);
    free(answer.text);
    assert_int_equal(hf_node_control(&node, words, 13, &answer), HF_TOO_LARGE);
}

static void is_closed_before_the_process_answers(void **state)
{
    static struct hf_host early;
    const struct hf_node waiting = {.host = &early};
    struct hf_control_answer answer;
    (void)state;
    assert_int_equal(hf_node_control(&waiting, (const char *const[]){"stat", NULL}, 9, &answer),
                     HF_CLOSED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_with_text_and_code),
        cmocka_unit_test(an_empty_answer_is_one),
        cmocka_unit_test(an_answer_over_the_limit_is_none),
        cmocka_unit_test(is_closed_before_the_process_answers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
