/* The file exporter: whole records, on disk before the answer; torn ends, rotation, full disks. */
#include <holdfast/component.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h> /* needs those before it */

#include "components/exporters/file/file_backups.h"
#include "components/exporters/file/file_output.h"
#include "pdata/wire.h"
#include <util/compress/compress.h>
#include <util/loop.h>

extern const struct hf_component hf_exporter_file;

/* What the graph would lend. */
struct hf_node {
    struct hf_loop *loop;
    unsigned warnings;
};

/* An export with what became of it. */
struct probe {
    struct hf_export export; /* first */
    struct hf_export_body piece;
    enum hf_status status;
    unsigned answers;
    uint64_t rejected;
    off_t size_then; /* of the file, when it was answered */
    const char *path;
};

void hf_node_log(const struct hf_node *node, enum hf_log_level level, const char *format, ...)
{
    (void)format;
    ((struct hf_node *)node)->warnings += level >= HF_LOG_WARN;
}

struct hf_loop *hf_node_own_loop(const struct hf_node *node)
{
    return node->loop;
}

void hf_export_done(struct hf_export *export, const struct hf_outcome *outcome)
{
    struct probe *probe = (struct probe *)export;
    struct stat facts = {0};
    probe->answers++;
    probe->status = outcome->status;
    probe->rejected = outcome->rejected_items;
    if (probe->path != NULL && stat(probe->path, &facts) == 0) {
        probe->size_then = facts.st_size;
    }
}

/* ---- a place and an exporter in it ---- */

struct rig {
    char directory[64], path[128];
    struct hf_node node;
    void *config;
    void *self;
};

static const struct hf_field *field(const char *key)
{
    const struct hf_field *at = hf_exporter_file.fields;
    while (at->type != HF_FIELD_END && strcmp(at->key, key) != 0) {
        at++;
    }
    assert_int_not_equal(at->type, HF_FIELD_END);
    return at;
}

static void *member(struct rig *rig, const char *key)
{
    return (char *)rig->config + field(key)->offset;
}

static void set_up(struct rig *rig)
{
    memset(rig, 0, sizeof(*rig));
    snprintf(rig->directory, sizeof(rig->directory), "/tmp/hf_file_test.XXXXXX");
    assert_non_null(mkdtemp(rig->directory));
    snprintf(rig->path, sizeof(rig->path), "%s/out.json", rig->directory);
    assert_int_equal(hf_loop_new(&rig->node.loop), HF_OK);
    rig->config = calloc(1, hf_exporter_file.config_size);
    assert_non_null(rig->config);
    *(const char **)member(rig, "path") = rig->path;
    *(bool *)member(rig, "append") = true;
    *(const char **)member(rig, "directory_permissions") = "0755";
}

static void tear_down(struct rig *rig)
{
    char path[PATH_MAX];
    hf_exporter_file.close(rig->self);
    DIR *listing = opendir(rig->directory);
    assert_non_null(listing);
    for (struct dirent *entry; (entry = readdir(listing)) != NULL;) {
        snprintf(path, sizeof(path), "%s/%s", rig->directory, entry->d_name);
        (void)unlink(path);
    }
    closedir(listing);
    rmdir(rig->directory);
    hf_loop_free(rig->node.loop);
    free(rig->config);
}

static void open_exporter(struct rig *rig)
{
    char error[HF_ERROR_MAX] = "";
    if (hf_exporter_file.open(&rig->node, rig->config, &rig->self, error) != HF_OK) {
        fail_msg("%s", error);
    }
}

static void put_file(const char *path, const void *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

static void check_file(const char *path, const void *want, size_t size)
{
    char have[4096];
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t got = fread(have, 1, sizeof(have), file);
    fclose(file);
    assert_int_equal(got, size);
    assert_memory_equal(have, want, size);
}

/* As group_by of the configuration lies in memory. */
struct group_by {
    bool enabled;
    const char *resource_attribute;
    int64_t max_open_files;
};

static void group(struct rig *rig, const char *path, int64_t open_max)
{
    *(const char **)member(rig, "path") = path;
    *(struct group_by *)member(rig, "group_by") = (struct group_by){true, "to", open_max};
}

/* ---- sending within one turn ---- */

static const uint8_t span_bytes[] = {0x0a, 0x03, 0x1a, 0x01, 'x'}; /* a resource's schema URL */
#define SPAN_LINE "{\"resourceSpans\":[{\"schemaUrl\":\"x\"}]}\n"
#define LOG_LINE "{\"resourceLogs\":[{\"schemaUrl\":\"x\"}]}\n"

static void fill(struct rig *rig, struct probe *probe, enum hf_signal signal)
{
    memset(probe, 0, sizeof(*probe));
    probe->piece.wire = hf_slice_of(span_bytes, sizeof(span_bytes));
    probe->piece.raw_size = sizeof(span_bytes);
    probe->export.signal = signal;
    probe->export.raw_size = sizeof(span_bytes);
    probe->export.bodies = &probe->piece;
    probe->export.body_count = 1;
    probe->path = rig->path;
}

struct turn {
    struct hf_task task, end;
    struct rig *rig;
    struct probe *probes;
    size_t count;
};

static void stop_loop(struct hf_task *task)
{
    hf_loop_stop(HF_CONTAINER(task, struct turn, end)->rig->node.loop);
}

static void send_all(struct hf_task *task)
{
    struct turn *turn = HF_CONTAINER(task, struct turn, task);
    for (size_t i = 0; i < turn->count; i++) {
        hf_exporter_file.exporter->send(turn->rig->self, &turn->probes[i].export);
    }
    turn->end.run = stop_loop;
    hf_loop_defer(turn->rig->node.loop, &turn->end);
}

static void send_in_one_turn(struct rig *rig, struct probe *probes, size_t count)
{
    struct turn turn = {.task.run = send_all, .rig = rig, .probes = probes, .count = count};
    hf_loop_post(rig->node.loop, &turn.task);
    hf_loop_run(rig->node.loop);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(probes[i].answers, 1);
    }
}

static enum hf_status send_one(struct rig *rig)
{
    struct probe probe;
    fill(rig, &probe, HF_TRACES);
    send_in_one_turn(rig, &probe, 1);
    return probe.status;
}

/* ---- tests ---- */

static void writes_a_line_a_request_before_it_answers(void **state)
{
    (void)state;
    struct rig rig;
    struct probe probes[3];
    set_up(&rig);
    open_exporter(&rig);
    fill(&rig, &probes[0], HF_TRACES);
    fill(&rig, &probes[1], HF_LOGS);
    fill(&rig, &probes[2], HF_TRACES);
    send_in_one_turn(&rig, probes, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(probes[i].status, HF_OK);
        /* All of the turn in one go: nobody was answered before the whole was there. */
        assert_int_equal(probes[i].size_then, strlen(SPAN_LINE LOG_LINE SPAN_LINE));
    }
    check_file(rig.path, SPAN_LINE LOG_LINE SPAN_LINE, strlen(SPAN_LINE LOG_LINE SPAN_LINE));
    tear_down(&rig);
}

static void joins_the_pieces_of_a_request(void **state)
{
    (void)state;
    static const char want[] =
        "{\"resourceSpans\":[{\"schemaUrl\":\"x\"},{\"schemaUrl\":\"x\"}]}\n";
    struct rig rig;
    struct probe probe;
    struct hf_bytes coded = {0};
    struct hf_slice raw = hf_slice_of(span_bytes, sizeof(span_bytes));
    set_up(&rig);
    open_exporter(&rig);
    assert_int_equal(hf_encode(HF_ZSTD, 0, &raw, 1, &coded), HF_OK);
    fill(&rig, &probe, HF_TRACES);
    struct hf_export_body bodies[2] = {probe.piece, probe.piece};
    bodies[1].wire = hf_slice_of(coded.data, coded.size);
    bodies[1].coding = HF_ZSTD;
    probe.export.bodies = bodies;
    probe.export.body_count = 2;
    probe.export.raw_size *= 2;
    send_in_one_turn(&rig, &probe, 1);
    assert_int_equal(probe.status, HF_OK);
    check_file(rig.path, want, strlen(want));
    hf_bytes_release(&coded);
    tear_down(&rig);
}

static void puts_the_length_before_messages(void **state)
{
    (void)state;
    static const uint8_t want[] = {0, 0, 0, 5, 0x0a, 3, 0x1a, 1, 'x',
                                   0, 0, 0, 5, 0x0a, 3, 0x1a, 1, 'x'};
    struct rig rig;
    set_up(&rig);
    *(int64_t *)member(&rig, "format") = 1;
    open_exporter(&rig);
    assert_int_equal(send_one(&rig), HF_OK);
    assert_int_equal(send_one(&rig), HF_OK);
    check_file(rig.path, want, sizeof(want));
    tear_down(&rig);
}

static void compresses_each_request_on_its_own(void **state)
{
    (void)state;
    struct rig rig;
    uint8_t have[256];
    struct hf_bytes text = {0};
    set_up(&rig);
    *(int64_t *)member(&rig, "compression") = 1;
    open_exporter(&rig);
    assert_int_equal(send_one(&rig), HF_OK);
    int fd = open(rig.path, O_RDONLY);
    ssize_t size = read(fd, have, sizeof(have));
    close(fd);
    assert_true(size > 4);
    assert_int_equal(have[3], size - 4);
    assert_int_equal(hf_decode(HF_ZSTD, hf_slice_of(have + 4, (size_t)size - 4), 1000, &text),
                     HF_OK);
    assert_int_equal(text.size, strlen(SPAN_LINE) - 1);
    assert_memory_equal(text.data, SPAN_LINE, text.size);
    hf_bytes_release(&text);
    tear_down(&rig);
}

static void refuses_a_request_that_does_not_decode(void **state)
{
    (void)state;
    struct rig rig;
    struct probe probes[2];
    set_up(&rig);
    open_exporter(&rig);
    fill(&rig, &probes[0], HF_TRACES);
    fill(&rig, &probes[1], HF_TRACES);
    probes[0].piece.coding = HF_GZIP; /* which those bytes are not */
    send_in_one_turn(&rig, probes, 2);
    assert_int_equal(probes[0].status, HF_INVALID);
    assert_int_equal(probes[1].status, HF_OK);
    check_file(rig.path, SPAN_LINE, strlen(SPAN_LINE));
    tear_down(&rig);
}

static void mends_a_torn_end(void **state)
{
    (void)state;
    static const struct {
        const char *before, *after;
        unsigned warnings;
    } rows[] = {
        {"", SPAN_LINE, 0},
        {SPAN_LINE, SPAN_LINE SPAN_LINE, 0},
        {SPAN_LINE "{\"resourceSp", SPAN_LINE SPAN_LINE, 1},
        {SPAN_LINE "{", SPAN_LINE SPAN_LINE, 1},
        {"{\"resourceLogs\":[", SPAN_LINE, 1},
        {"not ours", "not ours\n" SPAN_LINE, 1},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct rig rig;
        set_up(&rig);
        put_file(rig.path, rows[i].before, strlen(rows[i].before));
        open_exporter(&rig);
        assert_int_equal(rig.node.warnings, rows[i].warnings);
        assert_int_equal(send_one(&rig), HF_OK);
        check_file(rig.path, rows[i].after, strlen(rows[i].after));
        tear_down(&rig);
    }
}

static void cuts_a_torn_line_of_any_length(void **state)
{
    (void)state;
    struct rig rig;
    static const char line[] = "{\"resourceLogs\":[]}\n";
    size_t size = strlen(line) + 200000;
    char *bytes = malloc(size);
    set_up(&rig);
    memcpy(bytes, line, strlen(line));
    memset(bytes + strlen(line), 'x', 200000);
    memcpy(bytes + strlen(line), line, strlen(line) - 1);
    put_file(rig.path, bytes, size);
    open_exporter(&rig);
    check_file(rig.path, line, strlen(line));
    free(bytes);
    tear_down(&rig);
}

static void mends_a_torn_frame(void **state)
{
    (void)state;
    static const uint8_t whole[] = {0, 0, 0, 2, 'a', 'b', 0, 0, 0, 0, 0, 0, 0, 1, 'c'};
    for (size_t size = 0; size <= sizeof(whole); size++) {
        struct rig rig;
        set_up(&rig);
        *(int64_t *)member(&rig, "format") = 1;
        put_file(rig.path, whole, size);
        open_exporter(&rig);
        size_t good = size < 6 ? 0 : size < 10 ? 6 : size < 15 ? 10 : 15;
        check_file(rig.path, whole, good);
        assert_int_equal(rig.node.warnings, good < size ? 1 : 0);
        tear_down(&rig);
    }
}

/* What the process may write runs out in the middle of a record. */
static void takes_a_failed_write_back(void **state)
{
    (void)state;
    struct rig rig;
    struct rlimit before;
    set_up(&rig);
    open_exporter(&rig);
    assert_int_equal(send_one(&rig), HF_OK);
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    struct rlimit tight = {strlen(SPAN_LINE) + 10, before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
    enum hf_status status = send_one(&rig);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(status, HF_IO);
    check_file(rig.path, SPAN_LINE, strlen(SPAN_LINE));
    assert_int_equal(send_one(&rig), HF_OK);
    check_file(rig.path, SPAN_LINE SPAN_LINE, 2 * strlen(SPAN_LINE));
    tear_down(&rig);
}

static void says_full_when_there_is_no_space(void **state)
{
    (void)state;
    struct rig rig;
    set_up(&rig);
    *(const char **)member(&rig, "path") = "/dev/full";
    open_exporter(&rig);
    assert_int_equal(send_one(&rig), HF_FULL);
    tear_down(&rig);
}

static unsigned count_files(const struct rig *rig)
{
    unsigned count = 0;
    DIR *listing = opendir(rig->directory);
    for (struct dirent *entry; (entry = readdir(listing)) != NULL;) {
        count += entry->d_name[0] != '.';
    }
    closedir(listing);
    return count;
}

static void never_cuts_off_what_is_there(void **state)
{
    (void)state;
    struct rig rig;
    set_up(&rig);
    *(bool *)member(&rig, "append") = false;
    put_file(rig.path, SPAN_LINE, strlen(SPAN_LINE));
    open_exporter(&rig);
    check_file(rig.path, "", 0);
    assert_int_equal(count_files(&rig), 2); /* the old one under another name */
    tear_down(&rig);
}

static void goes_on_in_a_new_file_when_the_old_one_was_moved(void **state)
{
    (void)state;
    struct rig rig;
    char moved[160];
    set_up(&rig);
    open_exporter(&rig);
    assert_int_equal(send_one(&rig), HF_OK);
    snprintf(moved, sizeof(moved), "%s.1", rig.path);
    assert_int_equal(rename(rig.path, moved), 0);
    assert_int_equal(send_one(&rig), HF_OK);
    check_file(rig.path, SPAN_LINE, strlen(SPAN_LINE));
    check_file(moved, SPAN_LINE, strlen(SPAN_LINE));
    tear_down(&rig);
}

static void moves_a_full_file_aside_and_keeps_so_many(void **state)
{
    (void)state;
    struct rig rig;
    struct hf_file_output *output = NULL;
    struct hf_file_output_found found;
    char error[HF_FILE_ERROR_MAX] = "";
    set_up(&rig);
    struct hf_file_output_options options = {.path = rig.path, .max_bytes = 25, .max_backups = 2};
    assert_int_equal(hf_file_output_open(&options, &output, &found, error), HF_OK);
    static const unsigned want[] = {1, 1, 2, 2, 3, 3, 3, 3};
    for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
        assert_int_equal(hf_file_output_write(output, hf_slice_text("0123456789\n"), error), HF_OK);
        assert_int_equal(count_files(&rig), want[i]);
    }
    check_file(rig.path, "0123456789\n0123456789\n", 22);
    hf_file_output_close(output);
    tear_down(&rig);
}

static void removes_backups_that_are_too_old(void **state)
{
    (void)state;
    struct rig rig;
    set_up(&rig);
    static const struct {
        const char *name;
        bool kept;
    } rows[] = {
        {"out-2026-01-01T00-00-00.000.json", false},
        {"out-2026-01-07T23-59-59.000.json", false},
        {"out-2026-01-08T00-00-01.000.json", true},
        {"out-2026-01-07T00-00-00.000-size.json", false},
        {"out-2026-01-08T00-00-02.000-size.json", true},
        {"out-2026-01-01T00-00-00.000-time.json", true}, /* not ours */
        {"out-2026-01-01T00-00-00.000.txt", true},       /* not ours */
        {"out-2026-01-01.json", true},
        {"other-2026-01-01T00-00-00.000.json", true},
    };
    char path[256];
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        snprintf(path, sizeof(path), "%s/%s", rig.directory, rows[i].name);
        put_file(path, "x", 1);
    }
    /* 2026-01-10 00:00:00 UTC, less two days. */
    hf_file_backups_trim(
        &(struct hf_file_backups){.path = rig.path, .max_days = 2, .now = 1768003200});
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        snprintf(path, sizeof(path), "%s/%s", rig.directory, rows[i].name);
        assert_int_equal(access(path, F_OK) == 0, rows[i].kept);
    }
    tear_down(&rig);
}

static void says_what_to_do_about_a_missing_directory(void **state)
{
    (void)state;
    struct rig rig;
    char path[160];
    char error[HF_ERROR_MAX] = "";
    set_up(&rig);
    snprintf(path, sizeof(path), "%s/a/b/out.json", rig.directory);
    *(const char **)member(&rig, "path") = path;
    assert_int_equal(hf_exporter_file.open(&rig.node, rig.config, &rig.self, error), HF_IO);
    assert_non_null(strstr(error, path));
    assert_non_null(strstr(error, "create_directory: true"));
    *(bool *)member(&rig, "create_directory") = true;
    open_exporter(&rig);
    assert_int_equal(unlink(path), 0);
    for (int i = 0; i < 2; i++) {
        *strrchr(path, '/') = 0;
        assert_int_equal(rmdir(path), 0);
    }
    tear_down(&rig);
}

/* A resource with `to` as text, or without; a request of one log record in each. */
static struct hf_bytes grouped(const char *const *to, size_t count)
{
    struct hf_bytes bytes = {0};
    struct hf_wire_writer writer = {.out = &bytes};
    for (size_t i = 0; i < count; i++) {
        struct hf_wire_message element = hf_wire_open(&writer, 1, 100);
        struct hf_wire_message resource = hf_wire_open(&writer, 1, 50);
        if (to[i] != NULL) {
            struct hf_wire_message pair = hf_wire_open(&writer, 1, 50);
            hf_wire_put_bytes(&writer, 1, hf_slice_text("to"));
            struct hf_wire_message value = hf_wire_open(&writer, 2, 50);
            hf_wire_put_bytes(&writer, 1, hf_slice_text(to[i]));
            hf_wire_close(&writer, value);
            hf_wire_close(&writer, pair);
        }
        hf_wire_close(&writer, resource);
        struct hf_wire_message scope = hf_wire_open(&writer, 2, 50);
        hf_wire_put_bytes(&writer, 2, HF_EMPTY_SLICE);
        hf_wire_close(&writer, scope);
        hf_wire_close(&writer, element);
    }
    assert_int_equal(hf_wire_status(&writer), HF_OK);
    return bytes;
}

static void fill_grouped(struct rig *rig, struct probe *probe, struct hf_bytes bytes)
{
    fill(rig, probe, HF_LOGS);
    probe->piece.wire = hf_slice_of(bytes.data, bytes.size);
    probe->piece.raw_size = bytes.size;
}

static size_t lines_of(const struct rig *rig, const char *name)
{
    char path[PATH_MAX];
    char text[8192];
    size_t lines = 0;
    snprintf(path, sizeof(path), "%s/%s", rig->directory, name);
    FILE *file = fopen(path, "rb");
    size_t size = file != NULL ? fread(text, 1, sizeof(text), file) : 0;
    if (file != NULL) {
        fclose(file);
    }
    for (size_t i = 0; i < size; i++) {
        lines += text[i] == '\n';
    }
    return lines;
}

static void writes_a_file_for_each_value(void **state)
{
    (void)state;
    static const char *const to[] = {"a", "b", "a", NULL, "/", "c", "d"};
    struct rig rig;
    char path[128];
    struct probe probes[2];
    struct hf_bytes bytes = grouped(to, 7);
    set_up(&rig);
    snprintf(path, sizeof(path), "%s/*", rig.directory);
    group(&rig, path, 2); /* fewer than the values of one request */
    open_exporter(&rig);
    fill_grouped(&rig, &probes[0], bytes);
    fill_grouped(&rig, &probes[1], bytes);
    send_in_one_turn(&rig, probes, 2);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(probes[i].status, HF_OK);
        assert_int_equal(probes[i].rejected, 2);
    }
    static const char *const names[] = {"a", "b", "c", "d"};
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(lines_of(&rig, names[i]), 2);
    }
    hf_bytes_release(&bytes);
    tear_down(&rig);
}

static void takes_back_what_other_files_have_when_one_fails(void **state)
{
    (void)state;
    static const char *const to[] = {"a", "full"};
    struct rig rig;
    char path[128], full[128];
    struct probe probe;
    struct hf_bytes bytes = grouped(to, 2);
    set_up(&rig);
    snprintf(path, sizeof(path), "%s/*", rig.directory);
    snprintf(full, sizeof(full), "%s/full", rig.directory);
    assert_int_equal(symlink("/dev/full", full), 0);
    group(&rig, path, 2);
    open_exporter(&rig);
    fill_grouped(&rig, &probe, bytes);
    send_in_one_turn(&rig, &probe, 1);
    assert_int_equal(probe.status, HF_FULL);
    assert_int_equal(lines_of(&rig, "a"), 0);
    struct hf_bytes alone = grouped(to, 1);
    fill_grouped(&rig, &probe, alone);
    send_in_one_turn(&rig, &probe, 1);
    assert_int_equal(probe.status, HF_OK);
    assert_int_equal(lines_of(&rig, "a"), 1);
    hf_bytes_release(&alone);
    hf_bytes_release(&bytes);
    tear_down(&rig);
}

static void rejects_a_value_that_cannot_name_a_file(void **state)
{
    (void)state;
    static const char *const to[] = {"a", "a/b", "."};
    struct rig rig;
    char path[128];
    struct probe probe;
    struct hf_bytes bytes = grouped(to, 3);
    set_up(&rig);
    snprintf(path, sizeof(path), "%s/*", rig.directory);
    group(&rig, path, 1);
    open_exporter(&rig);
    fill_grouped(&rig, &probe, bytes);
    send_in_one_turn(&rig, &probe, 1);
    assert_int_equal(probe.status, HF_OK);
    assert_int_equal(probe.rejected, 2); /* "a" is a file and no directory */
    assert_int_equal(lines_of(&rig, "a"), 1);
    hf_bytes_release(&bytes);
    tear_down(&rig);
}

static void checks_what_no_single_key_can_tell(void **state)
{
    (void)state;
    struct rig rig;
    set_up(&rig);
    *(const char **)member(&rig, "directory_permissions") = "0798";
    assert_non_null(strstr(hf_exporter_file.check(rig.config), "directory_permissions"));
    *(const char **)member(&rig, "directory_permissions") = "0700";
    group(&rig, rig.path, 2);
    assert_non_null(strstr(hf_exporter_file.check(rig.config), "path: with group_by"));
    group(&rig, "*.json", 2);
    assert_non_null(strstr(hf_exporter_file.check(rig.config), "path: with group_by"));
    group(&rig, "/tmp/*/*.json", 2);
    assert_non_null(strstr(hf_exporter_file.check(rig.config), "path: with group_by"));
    *(const char **)member(&rig, "encoding") = "x";
    assert_non_null(strstr(hf_exporter_file.check(rig.config), "encoding extensions"));
    tear_down(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_a_line_a_request_before_it_answers),
        cmocka_unit_test(joins_the_pieces_of_a_request),
        cmocka_unit_test(puts_the_length_before_messages),
        cmocka_unit_test(compresses_each_request_on_its_own),
        cmocka_unit_test(refuses_a_request_that_does_not_decode),
        cmocka_unit_test(mends_a_torn_end),
        cmocka_unit_test(cuts_a_torn_line_of_any_length),
        cmocka_unit_test(mends_a_torn_frame),
        cmocka_unit_test(takes_a_failed_write_back),
        cmocka_unit_test(says_full_when_there_is_no_space),
        cmocka_unit_test(never_cuts_off_what_is_there),
        cmocka_unit_test(goes_on_in_a_new_file_when_the_old_one_was_moved),
        cmocka_unit_test(moves_a_full_file_aside_and_keeps_so_many),
        cmocka_unit_test(removes_backups_that_are_too_old),
        cmocka_unit_test(says_what_to_do_about_a_missing_directory),
        cmocka_unit_test(writes_a_file_for_each_value),
        cmocka_unit_test(takes_back_what_other_files_have_when_one_fails),
        cmocka_unit_test(rejects_a_value_that_cannot_name_a_file),
        cmocka_unit_test(checks_what_no_single_key_can_tell),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
