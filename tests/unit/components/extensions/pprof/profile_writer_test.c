/* Profiles as bytes: read again by the wire's own reader, with the functions of this very program.
 */
#include "components/extensions/pprof/profile_writer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h> /* needs those before it */

#include "components/extensions/pprof/mappings.h"
#include "components/extensions/pprof/stacks.h"
#include "pdata/wire.h"

#define FIELDS 16u

static const struct hf_profile_about about = {
    .values = {{"samples", "count"}, {"cpu", "nanoseconds"}},
    .period_type = "cpu",
    .period_unit = "nanoseconds",
    .period = 10,
    .time_unix_ns = 7,
    .duration_ns = 8,
};

/* A function with a name of its own, that the compiler keeps. */
int hf_test_landmark(int number);

__attribute__((noinline)) int hf_test_landmark(int number)
{
    __asm__ volatile("" : "+r"(number));
    return number + 1;
}

static void counts_stacks_by_thread(void **state)
{
    const uint64_t one[] = {1, 2, 3}, two[] = {1, 2, 4};
    struct hf_stacks stacks = {0};
    uint64_t total = 0;
    (void)state;
    hf_stacks_add(&stacks, 1, one, 3, 2);
    hf_stacks_add(&stacks, 1, one, 3, 1);
    hf_stacks_add(&stacks, 2, one, 3, 1);
    hf_stacks_add(&stacks, 1, two, 3, 1);
    hf_stacks_add(&stacks, 1, two, 2, 1);
    assert_int_equal(stacks.count, 4);
    for (size_t i = 0; i < stacks.room; i++) {
        total += stacks.places[i].count;
    }
    assert_int_equal(total, 6);
    assert_int_equal(stacks.lost, 0);
    hf_stacks_release(&stacks);
}

static void counts_what_has_no_room(void **state)
{
    struct hf_stacks stacks = {0};
    (void)state;
    for (uint64_t i = 0; i < 2 * STACKS_MAX; i++) {
        hf_stacks_add(&stacks, 1, &i, 1, 1);
    }
    uint64_t known = 0;
    hf_stacks_add(&stacks, 1, &known, 1, 1); /* what is there goes on */
    assert_true(stacks.count >= STACKS_MAX / 2 && stacks.count <= STACKS_MAX + 1);
    assert_int_equal(stacks.lost + stacks.count, 2 * STACKS_MAX);
    hf_stacks_release(&stacks);
}

static void finds_functions_of_this_program(void **state)
{
    struct hf_mappings mappings;
    uint64_t address = (uint64_t)(uintptr_t)hf_test_landmark;
    (void)state;
    assert_int_equal(hf_mappings_read(&mappings), HF_OK);
    struct hf_mapping *mapping = hf_mappings_find(&mappings, address);
    assert_non_null(mapping);
    assert_string_equal(hf_mapping_function(mapping, address), "hf_test_landmark");
    assert_string_equal(hf_mapping_function(mapping, address + 1), "hf_test_landmark");
    assert_null(hf_mappings_find(&mappings, 1));
    assert_null(hf_mappings_find(&mappings, UINT64_MAX));
    hf_mappings_release(&mappings);
}

static void refuses_files_that_are_none(void **state)
{
    struct hf_elf_symbols *symbols = NULL;
    char path[] = "/tmp/hf-elf-XXXXXX";
    char head[256] = "\177ELF";
    (void)state;
    assert_int_equal(hf_elf_symbols_read("/nowhere/at/all", &symbols), HF_IO);
    assert_int_equal(hf_elf_symbols_read("/", &symbols), HF_IO);
    int fd = mkstemp(path);
    assert_int_equal(write(fd, head, 4), 4);
    assert_int_equal(hf_elf_symbols_read(path, &symbols), HF_IO); /* too short for a head */
    memset(head + 4, 0xff, sizeof(head) - 4);
    assert_int_equal(pwrite(fd, head, sizeof(head), 0), (ssize_t)sizeof(head));
    assert_int_equal(hf_elf_symbols_read(path, &symbols), HF_INVALID);
    close(fd);
    unlink(path);
    assert_null(symbols);
}

/* This program's file with one byte changed after another: whatever it says then, nothing is read
 * that is not there. */
static void survives_any_wrong_byte_of_a_head(void **state)
{
    char path[] = "/tmp/hf-elf-XXXXXX";
    char command[128];
    (void)state;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    snprintf(command, sizeof(command), "cat /bin/true > %s", path);
    assert_int_equal(system(command), 0);
    for (off_t at = 0; at < 64 + 4 * 56; at++) {
        static const uint8_t values[] = {0, 0x7f, 0xff};
        uint8_t before;
        assert_int_equal(pread(fd, &before, 1, at), 1);
        for (size_t i = 0; i < sizeof(values); i++) {
            struct hf_elf_symbols *symbols = NULL;
            assert_int_equal(pwrite(fd, &values[i], 1, at), 1);
            if (hf_elf_symbols_read(path, &symbols) == HF_OK) {
                assert_true(strlen(hf_elf_symbols_build_id(symbols)) < ELF_BUILD_ID_MAX);
                (void)hf_elf_symbols_find(symbols, 0x1000);
                hf_elf_symbols_free(symbols);
            }
        }
        assert_int_equal(pwrite(fd, &before, 1, at), 1);
    }
    close(fd);
    unlink(path);
}

/* How often each field of the profile is there. */
static void count_fields(struct hf_slice bytes, size_t ret_counts[FIELDS])
{
    struct hf_wire wire = hf_wire_of(bytes);
    struct hf_wire_field field;
    memset(ret_counts, 0, FIELDS * sizeof(*ret_counts));
    while (!hf_wire_at_end(wire)) {
        assert_true(hf_wire_next(&wire, &field));
        assert_true(field.number < FIELDS);
        ret_counts[field.number]++;
    }
}

static void writes_each_thing_once(void **state)
{
    struct hf_profile_writer *writer = NULL;
    struct hf_bytes packed = {0}, plain = {0};
    size_t counts[FIELDS];
    const uint64_t here = (uint64_t)(uintptr_t)hf_test_landmark;
    const uint64_t stack[] = {here, here + 2, 1};
    const int64_t values[] = {1, 10};
    (void)state;
    assert_int_equal(hf_profile_writer_new(&about, &writer), HF_OK);
    hf_profile_add_stack(writer, stack, 3, values, "a thread");
    hf_profile_add_stack(writer, stack, 2, values, NULL);
    hf_profile_add_named(writer, "made up", values);
    hf_profile_add_named(writer, "made up", values);
    hf_profile_comment(writer, "made up");
    assert_int_equal(hf_profile_finish(writer, &packed), HF_OK);
    assert_int_equal(hf_decode(HF_GZIP, hf_slice_of(packed.data, packed.size), 1 << 20, &plain),
                     HF_OK);
    count_fields(hf_slice_of(plain.data, plain.size), counts);
    assert_int_equal(counts[1], 2); /* types of values */
    assert_int_equal(counts[2], 4); /* samples */
    assert_int_equal(counts[3], 1); /* mappings that are used */
    assert_int_equal(counts[4], 4); /* locations: two here, one nowhere, one made up */
    assert_int_equal(counts[5], 2); /* functions */
    /* "", thread, a thread, landmark, made up, samples, count, cpu, nanoseconds, path, build id? */
    assert_true(counts[6] == 10 || counts[6] == 11);
    assert_int_equal(counts[13], 1); /* comments */
    hf_bytes_release(&packed);
    hf_bytes_release(&plain);
    hf_profile_writer_free(writer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_stacks_by_thread),
        cmocka_unit_test(counts_what_has_no_room),
        cmocka_unit_test(finds_functions_of_this_program),
        cmocka_unit_test(refuses_files_that_are_none),
        cmocka_unit_test(survives_any_wrong_byte_of_a_head),
        cmocka_unit_test(writes_each_thing_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
