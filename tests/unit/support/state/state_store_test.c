/* Values outlive the process once they were committed; staged ones can be taken back; limits hold.
 */
#include "support/state/state_store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h> /* needs the three before it */

struct place {
    char directory[64];
    char *path;
};

static int make_place(void **state)
{
    struct place *place = calloc(1, sizeof(*place));
    snprintf(place->directory, sizeof(place->directory), "/tmp/hf_state_XXXXXX");
    assert_non_null(mkdtemp(place->directory));
    place->path = hf_state_path(place->directory, "metrics/a>b");
    *state = place;
    return 0;
}

static int remove_place(void **state)
{
    struct place *place = *state;
    char next[128];
    snprintf(next, sizeof(next), "%s.new", place->path);
    unlink(next);
    unlink(place->path);
    rmdir(place->directory);
    free(place->path);
    free(place);
    return 0;
}

static struct hf_state *open_state(const struct place *place, size_t keys_max)
{
    const struct hf_state_options options = {
        .path = place->path, .format = "test/1", .keys_max = keys_max, .bytes_max = 1 << 20};
    struct hf_state *made;
    uint64_t lost;
    assert_int_equal(hf_state_new(&options, &made), HF_OK);
    assert_int_equal(hf_state_load(made, &lost), HF_OK);
    assert_int_equal(lost, 0);
    return made;
}

static struct hf_hash key_of(uint64_t number)
{
    return (struct hf_hash){number, ~number};
}

static void put(struct hf_state *state, uint64_t key, const char *text, uint64_t touched_ns)
{
    assert_int_equal(hf_state_put(state, key_of(key), hf_slice_text(text), touched_ns), HF_OK);
}

static bool has(const struct hf_state *state, uint64_t key, const char *text)
{
    struct hf_slice value;
    return hf_state_find(state, key_of(key), &value) && hf_slice_is(value, text);
}

static bool has_none(const struct hf_state *state, uint64_t key)
{
    struct hf_slice value;
    return !hf_state_find(state, key_of(key), &value);
}

/* A kill is a store that is gone without a word: what was committed is there again. */
static void what_was_committed_outlives_a_kill(void **state)
{
    struct place *place = *state;
    struct hf_state *store = open_state(place, 100);
    put(store, 1, "one", 10);
    put(store, 2, "two", 20);
    hf_state_apply(store);
    assert_true(hf_state_is_dirty(store));
    assert_int_equal(hf_state_commit(store), HF_OK);
    assert_false(hf_state_is_dirty(store));
    put(store, 1, "another", 30);
    put(store, 3, "", 30);
    hf_state_apply(store);
    assert_int_equal(hf_state_commit(store), HF_OK);
    uint64_t born_ns = hf_state_born_ns(store);
    put(store, 2, "never committed", 40);
    hf_state_apply(store);
    hf_state_free(store);

    store = open_state(place, 100);
    assert_int_equal(hf_state_count(store), 3);
    assert_true(has(store, 1, "another"));
    assert_true(has(store, 2, "two"));
    assert_true(has(store, 3, ""));
    assert_true(hf_state_born_ns(store) == born_ns);
    hf_state_free(store);
}

static void staged_changes_can_be_taken_back(void **state)
{
    struct place *place = *state;
    struct hf_state *store = open_state(place, 100);
    put(store, 1, "one", 10);
    hf_state_apply(store);
    put(store, 1, "changed", 20);
    put(store, 2, "new", 20);
    put(store, 2, "newer", 20);
    assert_true(has(store, 1, "changed"));
    assert_true(has(store, 2, "newer"));
    hf_state_discard(store);
    assert_true(has(store, 1, "one"));
    assert_true(has_none(store, 2));
    assert_int_equal(hf_state_count(store), 1);
    hf_state_free(store);
}

static void old_keys_expire_and_stay_away(void **state)
{
    struct place *place = *state;
    struct hf_state *store = open_state(place, 100);
    for (uint64_t i = 0; i < 10; i++) {
        put(store, i, "value", 100 + i);
        hf_state_apply(store);
    }
    assert_int_equal(hf_state_commit(store), HF_OK);
    put(store, 0, "touched", 200);
    hf_state_apply(store);
    assert_int_equal(hf_state_expire(store, 105), 4);
    assert_int_equal(hf_state_commit(store), HF_OK);
    hf_state_free(store);
    store = open_state(place, 100);
    assert_int_equal(hf_state_count(store), 6);
    assert_true(has(store, 0, "touched"));
    assert_true(has_none(store, 4));
    assert_true(has(store, 5, "value"));
    hf_state_free(store);
}

static void limits_hold_and_the_oldest_makes_room(void **state)
{
    struct place *place = *state;
    struct hf_state *store = open_state(place, 2);
    put(store, 1, "one", 10);
    hf_state_apply(store);
    put(store, 2, "two", 20);
    assert_int_equal(hf_state_put(store, key_of(3), hf_slice_text("three"), 30), HF_FULL);
    assert_true(hf_state_evict(store));
    put(store, 3, "three", 30);
    assert_false(hf_state_evict(store)); /* all are staged */
    hf_state_apply(store);
    assert_true(has_none(store, 1));
    char *large = calloc(1, 2 << 20);
    assert_non_null(large);
    assert_int_equal(hf_state_put(store, key_of(2), hf_slice_of(large, 2 << 20), 40), HF_FULL);
    free(large);
    assert_int_equal(hf_state_commit(store), HF_OK);
    hf_state_free(store);
    store = open_state(place, 1); /* a limit that was lowered */
    assert_int_equal(hf_state_count(store), 1);
    hf_state_free(store);
}

/* A write that was cut short is left out, and what comes after it is kept. */
static void a_torn_end_is_cut_off(void **state)
{
    struct place *place = *state;
    for (unsigned cut = 1; cut < 40; cut += 6) {
        struct hf_state *store = open_state(place, 100);
        struct stat found;
        uint64_t lost;
        put(store, 1, "kept", 10);
        hf_state_apply(store);
        assert_int_equal(hf_state_commit(store), HF_OK);
        put(store, 2, "torn", 20);
        hf_state_apply(store);
        assert_int_equal(hf_state_commit(store), HF_OK);
        hf_state_free(store);
        assert_int_equal(stat(place->path, &found), 0);
        assert_int_equal(truncate(place->path, found.st_size - cut), 0);

        const struct hf_state_options options = {
            .path = place->path, .format = "test/1", .keys_max = 100, .bytes_max = 1 << 20};
        assert_int_equal(hf_state_new(&options, &store), HF_OK);
        assert_int_equal(hf_state_load(store, &lost), HF_OK);
        assert_true(lost > 0);
        assert_true(has(store, 1, "kept"));
        assert_true(has_none(store, 2));
        put(store, 3, "after", 30);
        hf_state_apply(store);
        assert_int_equal(hf_state_commit(store), HF_OK);
        hf_state_free(store);
        store = open_state(place, 100);
        assert_true(has(store, 1, "kept"));
        assert_true(has(store, 3, "after"));
        hf_state_free(store);
        unlink(place->path);
    }
}

static void another_format_is_not_read(void **state)
{
    struct place *place = *state;
    struct hf_state *store = open_state(place, 100);
    put(store, 1, "one", 10);
    hf_state_apply(store);
    assert_int_equal(hf_state_commit(store), HF_OK);
    hf_state_free(store);
    const struct hf_state_options options = {
        .path = place->path, .format = "test/2", .keys_max = 100, .bytes_max = 1 << 20};
    uint64_t lost;
    assert_int_equal(hf_state_new(&options, &store), HF_OK);
    assert_int_equal(hf_state_load(store, &lost), HF_UNSUPPORTED);
    assert_int_equal(hf_state_count(store), 0);
    hf_state_free(store);
}

/* The same keys again and again: the file does not grow with the number of commits. */
static void the_journal_is_rewritten(void **state)
{
    struct place *place = *state;
    struct hf_state *store = open_state(place, 100);
    char text[1000];
    struct stat found;
    memset(text, 'x', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    for (uint64_t i = 0; i < 600; i++) {
        for (uint64_t key = 0; key < 20; key++) {
            put(store, key, text, i);
        }
        hf_state_apply(store);
        assert_int_equal(hf_state_commit(store), HF_OK);
    }
    assert_int_equal(stat(place->path, &found), 0);
    assert_true(found.st_size < 5 << 20);
    hf_state_free(store);
    store = open_state(place, 100);
    assert_int_equal(hf_state_count(store), 20);
    assert_true(has(store, 19, text));
    hf_state_free(store);
}

/* A commit that failed is repeated whole. */
static void a_commit_that_failed_is_made_good(void **state)
{
    struct place *place = *state;
    struct hf_state *store = open_state(place, 100);
    put(store, 1, "one", 10);
    hf_state_apply(store);
    assert_int_equal(rmdir(place->directory), 0);
    assert_int_equal(hf_state_commit(store), HF_IO);
    assert_true(hf_state_is_dirty(store));
    assert_int_equal(mkdir(place->directory, 0700), 0);
    assert_int_equal(hf_state_commit(store), HF_OK);
    hf_state_free(store);
    store = open_state(place, 100);
    assert_true(has(store, 1, "one"));
    hf_state_free(store);
}

static void names_become_names_of_files(void **state)
{
    (void)state;
    char *path = hf_state_path("/data", "metrics/a>cumulativetodelta");
    assert_string_equal(path, "/data/metrics%2fa%3ecumulativetodelta.state");
    free(path);
    assert_null(hf_state_path(NULL, "a"));
}

int main(void)
{
#define WITH_PLACE(test) cmocka_unit_test_setup_teardown(test, make_place, remove_place)
    const struct CMUnitTest tests[] = {
        WITH_PLACE(what_was_committed_outlives_a_kill),
        WITH_PLACE(staged_changes_can_be_taken_back),
        WITH_PLACE(old_keys_expire_and_stay_away),
        WITH_PLACE(limits_hold_and_the_oldest_makes_room),
        WITH_PLACE(a_torn_end_is_cut_off),
        WITH_PLACE(another_format_is_not_read),
        WITH_PLACE(the_journal_is_rewritten),
        WITH_PLACE(a_commit_that_failed_is_made_good),
        cmocka_unit_test(names_become_names_of_files),
    };
    return cmocka_run_group_tests_name("state_store", tests, NULL, NULL);
}
