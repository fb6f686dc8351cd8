/* Verdicts that were committed are read again, and no others. */
#include "components/processors/tail_sampling/tail_journal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h> /* needs the three before it */

#include "tests/support/node_stub.c"

static char directory[64];
static struct hf_node node = {.id = "t/1", .directory = directory};
static char seen[256]; /* the first byte of each id, a capital one for sampled */

static int set_up(void **state)
{
    (void)state;
    snprintf(directory, sizeof(directory), "/tmp/holdfast_journal_XXXXXX");
    return mkdtemp(directory) != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
    char path[128];
    (void)state;
    snprintf(path, sizeof(path), "%s/t%%2f1.decisions", directory);
    unlink(path);
    snprintf(path, sizeof(path), "%s/t%%2f1.decisions.old", directory);
    unlink(path);
    return rmdir(directory);
}

static void visit(void *user, const uint8_t *id, bool is_sampled)
{
    (void)user;
    seen[strlen(seen)] = (char)(is_sampled ? id[0] - 32 : id[0]);
}

static struct hf_sampling_tail_journal *open_journal(size_t limit)
{
    struct hf_sampling_tail_journal *journal = NULL;
    memset(seen, 0, sizeof(seen));
    assert_int_equal(hf_sampling_tail_journal_new(&node, limit, &journal), HF_OK);
    assert_int_equal(hf_sampling_tail_journal_load(journal, visit, NULL), HF_OK);
    return journal;
}

static void add(struct hf_sampling_tail_journal *journal, const char *letters)
{
    for (; *letters != '\0'; letters++) {
        uint8_t id[16] = {(uint8_t)(*letters | 0x20)};
        assert_int_equal(hf_sampling_tail_journal_add(journal, id, (*letters & 0x20) == 0), HF_OK);
    }
}

static void reads_what_was_committed(void **state)
{
    (void)state;
    struct hf_sampling_tail_journal *journal = open_journal(100);
    assert_string_equal(seen, "");
    add(journal, "aBc");
    assert_int_equal(hf_sampling_tail_journal_commit(journal), HF_OK);
    add(journal, "D"); /* and not this */
    hf_sampling_tail_journal_free(journal);
    journal = open_journal(100);
    assert_string_equal(seen, "aBc");
    assert_int_equal(hf_sampling_tail_journal_count(journal), 3);
    add(journal, "E");
    assert_int_equal(hf_sampling_tail_journal_commit(journal), HF_OK);
    hf_sampling_tail_journal_free(journal);
    hf_sampling_tail_journal_free(open_journal(100));
    assert_string_equal(seen, "aBcE");
}

static void keeps_as_many_as_are_asked_for(void **state)
{
    (void)state;
    struct hf_sampling_tail_journal *journal = open_journal(3);
    for (const char *letter = "abcdefgh"; *letter != '\0'; letter++) {
        const char text[] = {*letter, '\0'};
        add(journal, text);
        assert_int_equal(hf_sampling_tail_journal_commit(journal), HF_OK);
    }
    hf_sampling_tail_journal_free(journal);
    hf_sampling_tail_journal_free(open_journal(3));
    assert_string_equal(seen, "defgh");
}

static void a_record_that_was_cut_off_is_not_there(void **state)
{
    char path[128];
    (void)state;
    struct hf_sampling_tail_journal *journal = open_journal(100);
    add(journal, "ab");
    assert_int_equal(hf_sampling_tail_journal_commit(journal), HF_OK);
    hf_sampling_tail_journal_free(journal);
    snprintf(path, sizeof(path), "%s/t%%2f1.decisions", directory);
    assert_int_equal(truncate(path, 24 + 20), 0);
    journal = open_journal(100);
    assert_string_equal(seen, "a");
    add(journal, "c");
    assert_int_equal(hf_sampling_tail_journal_commit(journal), HF_OK);
    hf_sampling_tail_journal_free(journal);
    hf_sampling_tail_journal_free(open_journal(100));
    assert_string_equal(seen, "ac");
}

static void keeps_nothing_without_a_directory(void **state)
{
    struct hf_node nowhere = {.id = "t"};
    struct hf_sampling_tail_journal *journal = NULL;
    (void)state;
    assert_int_equal(hf_sampling_tail_journal_new(&nowhere, 3, &journal), HF_OK);
    assert_int_equal(hf_sampling_tail_journal_load(journal, visit, NULL), HF_OK);
    add(journal, "a");
    assert_int_equal(hf_sampling_tail_journal_commit(journal), HF_OK);
    assert_string_equal(hf_sampling_tail_journal_path(journal), "");
    hf_sampling_tail_journal_free(journal);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(reads_what_was_committed),
        TEST(keeps_as_many_as_are_asked_for),
        TEST(a_record_that_was_cut_off_is_not_there),
        cmocka_unit_test(keeps_nothing_without_a_directory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
