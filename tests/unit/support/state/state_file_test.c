/* What is written is read, and what is damaged is told. */
#include "support/state/state_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h> /* needs the three before it */

#include "tests/support/node_stub.c"

#define MAGIC "HFTEST01"

static char directory[64];
static char path[128];

static int setup(void **state)
{
    (void)state;
    snprintf(directory, sizeof(directory), "/tmp/holdfast_state_XXXXXX");
    assert_non_null(mkdtemp(directory));
    snprintf(path, sizeof(path), "%s/one.state", directory);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(directory);
}

static enum hf_status write_state(uint64_t number, const char *text)
{
    struct hf_state_writer writer;
    hf_state_file_write_begin(&writer, path, MAGIC);
    hf_state_put_u64(&writer, number);
    hf_state_file_put_bytes(&writer, hf_slice_text(text));
    return hf_state_file_write_end(&writer);
}

/* The number, and the status of the end. */
static enum hf_status read_state(uint64_t *ret_number, char *ret_text)
{
    struct hf_state_reader reader;
    struct hf_bytes bytes = {0};
    enum hf_status status = hf_state_file_read_begin(&reader, path, MAGIC);
    if (status != HF_OK) {
        return status;
    }
    *ret_number = hf_state_get_u64(&reader);
    if (hf_state_file_get_bytes(&reader, &bytes)) {
        snprintf(ret_text, 64, "%.*s", (int)bytes.size, (const char *)bytes.data);
    }
    hf_bytes_release(&bytes);
    return hf_state_file_read_end(&reader);
}

static void reads_what_was_written_last(void **state)
{
    uint64_t number = 0;
    char text[64] = "";
    (void)state;
    assert_int_equal(read_state(&number, text), HF_NOT_FOUND);
    assert_int_equal(write_state(1, "first"), HF_OK);
    assert_int_equal(write_state(2, "second"), HF_OK);
    assert_int_equal(read_state(&number, text), HF_OK);
    assert_int_equal(number, 2);
    assert_string_equal(text, "second");
}

static void tells_every_damaged_byte(void **state)
{
    struct stat stat_;
    uint8_t content[256];
    (void)state;
    assert_int_equal(write_state(7, "text"), HF_OK);
    assert_int_equal(stat(path, &stat_), 0);
    size_t size = (size_t)stat_.st_size;
    FILE *file = fopen(path, "rb");
    assert_int_equal(fread(content, 1, sizeof(content), file), size);
    fclose(file);
    for (size_t i = 0; i < 2 * size; i++) { /* each byte changed, then each length cut */
        uint64_t number = 0;
        char text[64] = "";
        size_t kept = i < size ? size : i - size;
        content[i % size] ^= i < size ? 0x55 : 0;
        file = fopen(path, "wb");
        assert_int_equal(fwrite(content, 1, kept, file), kept);
        fclose(file);
        content[i % size] ^= i < size ? 0x55 : 0;
        assert_int_equal(read_state(&number, text), HF_CORRUPT);
    }
}

static void keeps_the_old_one_when_it_cannot_write(void **state)
{
    uint64_t number = 0;
    char text[64] = "", next[160];
    (void)state;
    assert_int_equal(write_state(1, "old"), HF_OK);
    snprintf(next, sizeof(next), "%s.new", path);
    assert_int_equal(mkdir(next, 0700), 0); /* no file can stand there */
    assert_int_equal(write_state(2, "new"), HF_IO);
    rmdir(next);
    assert_int_equal(read_state(&number, text), HF_OK);
    assert_string_equal(text, "old");
}

static void names_the_file_by_the_id(void **state)
{
    struct hf_node node = {.id = "span/a b", .directory = "/data"};
    char *name = NULL;
    (void)state;
    assert_int_equal(hf_state_file_path(&node, &name), HF_OK);
    assert_string_equal(name, "/data/span%2fa%20b.state");
    free(name);
    node.directory = NULL;
    assert_int_equal(hf_state_file_path(&node, &name), HF_OK);
    assert_null(name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(reads_what_was_written_last, setup, teardown),
        cmocka_unit_test_setup_teardown(tells_every_damaged_byte, setup, teardown),
        cmocka_unit_test_setup_teardown(keeps_the_old_one_when_it_cannot_write, setup, teardown),
        cmocka_unit_test(names_the_file_by_the_id),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
