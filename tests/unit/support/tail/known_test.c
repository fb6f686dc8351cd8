/* Files are found by their inode and by their first bytes, until they are taken out. */
#include "support/tail/known.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h> /* needs the three before it */

#include "support/tail/tail_internal.h"

#define FILES 200u

static struct file *make(uint64_t number)
{
    struct file *file = calloc(1, sizeof(*file));
    assert_non_null(file);
    file->device = 1;
    file->inode = number;
    file->fingerprint = (struct hf_fingerprint){.size = 10, .hash = {number, 7}};
    return file;
}

static bool has_inode(const struct hf_known *known, const struct file *wanted)
{
    const struct file *file = hf_known_inode(known, wanted->device, wanted->inode);
    while (file != NULL && file != wanted) {
        file = file->next_inode;
    }
    return file == wanted;
}

static bool has_bytes(const struct hf_known *known, const struct file *wanted)
{
    const struct file *file = hf_known_bytes(known, &wanted->fingerprint);
    while (file != NULL && file != wanted) {
        file = file->next_bytes;
    }
    return file == wanted;
}

static void finds_those_that_are_in_it(void **state)
{
    struct hf_known known = {0};
    struct file *files[FILES];
    (void)state;
    for (size_t i = 0; i < FILES; i++) {
        files[i] = make(i / 2); /* two of each */
    }
    assert_true(hf_known_make(&known, files, FILES / 2, FILES / 2));
    for (size_t i = FILES / 2; i < FILES; i++) {
        hf_known_add(&known, files[i]);
    }
    for (size_t i = 0; i < FILES; i += 3) {
        hf_known_remove(&known, files[i]);
    }
    for (size_t i = 0; i < FILES; i++) {
        assert_int_equal(has_inode(&known, files[i]), i % 3 != 0);
        assert_int_equal(has_bytes(&known, files[i]), i % 3 != 0);
    }
    hf_known_release(&known);
    assert_int_equal(known.count, 0);
    for (size_t i = 0; i < FILES; i++) {
        free(files[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_those_that_are_in_it),
    };
    return cmocka_run_group_tests_name("known", tests, NULL, NULL);
}
