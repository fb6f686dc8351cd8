/* The debug exporter: its lines, its text, its sampling, and that a slow reader holds nobody up. */
#include <holdfast/component.h>

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h> /* needs those before it */

#include "components/exporters/debug/debug_output.h"
#include <util/compress/compress.h>
#include <util/loop.h>

extern const struct hf_component hf_exporter_debug;

/* What the graph would lend. */
struct hf_node {
    const char *id;
    struct hf_loop *loop;
    unsigned lines;
    char last[256];
};

struct probe {
    struct hf_export export; /* first */
    struct hf_export_body piece;
    enum hf_status status;
    unsigned answers;
};

void hf_node_log(const struct hf_node *node, enum hf_log_level level, const char *format, ...)
{
    struct hf_node *mine = (struct hf_node *)node;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(mine->last, sizeof(mine->last), format, arguments);
    va_end(arguments);
    mine->lines += level == HF_LOG_INFO;
}

const char *hf_node_id(const struct hf_node *node)
{
    return node->id;
}

struct hf_loop *hf_node_own_loop(const struct hf_node *node)
{
    return node->loop;
}

void hf_export_done(struct hf_export *export, const struct hf_outcome *outcome)
{
    struct probe *probe = (struct probe *)export;
    probe->answers++;
    probe->status = outcome->status;
}

struct rig {
    char directory[64], path[128];
    const char *paths[1];
    struct hf_node node;
    void *config;
    void *self;
};

static const struct hf_field *field(const char *key)
{
    const struct hf_field *at = hf_exporter_debug.fields;
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

static bool *present(struct rig *rig, const char *key)
{
    return (bool *)((char *)rig->config + field(key)->present_offset);
}

/* Text goes to a file of the test's own. */
static void set_up(struct rig *rig)
{
    memset(rig, 0, sizeof(*rig));
    rig->node.id = "debug/here";
    snprintf(rig->directory, sizeof(rig->directory), "/tmp/hf_debug_test.XXXXXX");
    assert_non_null(mkdtemp(rig->directory));
    snprintf(rig->path, sizeof(rig->path), "%s/text", rig->directory);
    rig->paths[0] = rig->path;
    assert_int_equal(hf_loop_new(&rig->node.loop), HF_OK);
    rig->config = calloc(1, hf_exporter_debug.config_size);
    assert_non_null(rig->config);
    *(int64_t *)member(rig, "sampling_initial") = 2;
    *(int64_t *)member(rig, "sampling_thereafter") = 500;
    *(struct hf_string_list *)member(rig, "output_paths") = (struct hf_string_list){rig->paths, 1};
}

static void tear_down(struct rig *rig)
{
    hf_exporter_debug.close(rig->self);
    (void)unlink(rig->path);
    rmdir(rig->directory);
    hf_loop_free(rig->node.loop);
    free(rig->config);
}

static void open_exporter(struct rig *rig)
{
    char error[HF_ERROR_MAX] = "";
    if (hf_exporter_debug.open(&rig->node, rig->config, &rig->self, error) != HF_OK) {
        fail_msg("%s", error);
    }
}

/* Resource, scope, and two items without anything in them; of metrics, one metric with two points.
 */
static const uint8_t two_items[] = {0x0a, 6, 0x12, 4, 0x12, 0, 0x12, 0};
static const uint8_t two_points[] = {0x0a, 10, 0x12, 8, 0x12, 6, 0x2a, 4, 0x0a, 0, 0x0a, 0};

static enum hf_status send_piece(struct rig *rig, enum hf_signal signal, struct hf_slice wire)
{
    struct probe probe = {.piece = {.wire = wire, .items = 2, .raw_size = wire.size}};
    probe.export = (struct hf_export){.signal = signal,
                                      .items = 2,
                                      .raw_size = wire.size,
                                      .bodies = &probe.piece,
                                      .body_count = 1};
    hf_exporter_debug.exporter->send(rig->self, &probe.export);
    assert_int_equal(probe.answers, 1);
    return probe.status;
}

static enum hf_status send_one(struct rig *rig, enum hf_signal signal)
{
    static const uint8_t two_samples[] = {0x0a, 0x08, 0x12, 0x06, 0x12,
                                          0x04, 0x12, 0x00, 0x12, 0x00};
    return send_piece(rig, signal,
                      signal == HF_METRICS    ? hf_slice_of(two_points, sizeof(two_points))
                      : signal == HF_PROFILES ? hf_slice_of(two_samples, sizeof(two_samples))
                                              : hf_slice_of(two_items, sizeof(two_items)));
}

static void check_text(const struct rig *rig, const char *want)
{
    char have[4096];
    FILE *file = fopen(rig->path, "rb");
    assert_non_null(file);
    size_t size = fread(have, 1, sizeof(have) - 1, file);
    fclose(file);
    have[size] = 0;
    assert_string_equal(have, want);
}

static void says_in_the_log_how_much_there_was(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "Traces {\"resource spans\": 1, \"spans\": 2}",
        "Metrics {\"resource metrics\": 1, \"metrics\": 1, \"data points\": 2}",
        "Logs {\"resource logs\": 1, \"log records\": 2}",
        "Profiles {\"resource profiles\": 1, \"sample records\": 2}",
    };
    struct rig rig;
    set_up(&rig);
    *(bool *)member(&rig, "use_internal_logger") = true;
    *(int64_t *)member(&rig, "sampling_initial") = 4;
    open_exporter(&rig);
    for (int i = 0; i < HF_SIGNAL_COUNT; i++) {
        assert_int_equal(send_one(&rig, (enum hf_signal)i), HF_OK);
        assert_string_equal(rig.node.last, lines[i]);
    }
    assert_int_equal(rig.node.lines, 4);
    tear_down(&rig);
}

static void keeps_the_words_of_logging(void **state)
{
    (void)state;
    struct rig rig;
    set_up(&rig);
    rig.node.id = "logging/here";
    *(int64_t *)member(&rig, "verbosity") = 1;
    *(int64_t *)member(&rig, "sampling_initial") = 3;
    open_exporter(&rig);
    assert_int_equal(send_one(&rig, HF_LOGS), HF_OK);
    /* normal is no more than basic there. */
    check_text(&rig, "LogsExporter {\"resource logs\": 1, \"log records\": 2}\n");
    tear_down(&rig);
}

static void writes_as_much_as_it_was_told_to(void **state)
{
    (void)state;
#define SUMMARY "Logs {\"resource logs\": 1, \"log records\": 2}\n"
#define RECORD                                                                                     \
    "ObservedTimestamp: 1970-01-01 00:00:00 +0000 UTC\n"                                           \
    "Timestamp: 1970-01-01 00:00:00 +0000 UTC\nSeverityText: \nSeverityNumber: Unspecified(0)\n"   \
    "Body: Empty()\nTrace ID: \nSpan ID: \nFlags: 0\n"
    static const struct {
        int64_t verbosity, loglevel;
        bool legacy;
        const char *text;
    } rows[] = {
        {0, 0, false, SUMMARY},
        {1, 0, false, SUMMARY "ResourceLog #0\nScopeLog #0\n\n\n"},
        {2, 0, false,
         SUMMARY "ResourceLog #0\nResource SchemaURL: \nScopeLogs #0\nScopeLogs SchemaURL: \n"
                 "InstrumentationScope  \nLogRecord #0\n" RECORD "LogRecord #1\n" RECORD},
        {0, 0, true,
         SUMMARY "ResourceLog #0\nResource SchemaURL: \nScopeLogs #0\nScopeLogs SchemaURL: \n"
                 "InstrumentationScope  \nLogRecord #0\n" RECORD "LogRecord #1\n" RECORD},
        {0, 1, true, SUMMARY "ResourceLog #0\nScopeLog #0\n\n\n"},
        {0, 2, true, SUMMARY},
        {0, 3, true, SUMMARY},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct rig rig;
        set_up(&rig);
        *(int64_t *)member(&rig, "verbosity") = rows[i].verbosity;
        *(int64_t *)member(&rig, "loglevel") = rows[i].loglevel;
        *present(&rig, "loglevel") = rows[i].legacy;
        open_exporter(&rig);
        assert_int_equal(send_one(&rig, HF_LOGS), HF_OK);
        check_text(&rig, rows[i].text);
        assert_int_equal(rig.node.lines, 0);
        tear_down(&rig);
    }
}

/* No turn of the loop passes, so its clock stands still: all of it is one second. */
static void shows_some_of_the_lines_of_a_second(void **state)
{
    (void)state;
    static const struct {
        int64_t initial, thereafter;
        unsigned want; /* of 12 */
    } rows[] = {{2, 5, 4}, {2, 0, 2}, {0, 1, 12}, {0, 4, 3}, {20, 500, 12}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct rig rig;
        set_up(&rig);
        *(bool *)member(&rig, "use_internal_logger") = true;
        *(int64_t *)member(&rig, "sampling_initial") = rows[i].initial;
        *(int64_t *)member(&rig, "sampling_thereafter") = rows[i].thereafter;
        open_exporter(&rig);
        for (int j = 0; j < 12; j++) {
            assert_int_equal(send_one(&rig, HF_TRACES), HF_OK);
        }
        assert_int_equal(rig.node.lines, rows[i].want);
        tear_down(&rig);
    }
}

static void refuses_a_request_that_does_not_decode(void **state)
{
    (void)state;
    struct rig rig;
    set_up(&rig);
    open_exporter(&rig);
    assert_int_equal(send_piece(&rig, HF_TRACES, hf_slice_of("\x0a\x05", 2)), HF_INVALID);
    tear_down(&rig);
}

static void wants_one_of_verbosity_and_loglevel(void **state)
{
    (void)state;
    struct rig rig;
    set_up(&rig);
    *present(&rig, "verbosity") = true;
    *present(&rig, "loglevel") = true;
    assert_non_null(strstr(hf_exporter_debug.check(rig.config), "loglevel"));
    tear_down(&rig);
}

/* ---- a reader that does not read ---- */

struct reader {
    struct hf_task task;
    struct hf_loop *loop;
    struct hf_debug_output *output;
    struct hf_timer pause;
    int fd;
    struct hf_bytes text;
    size_t lines;
};

#define LINE "0123456789012345678901234567890123456789012345678901234567890123456789012345678\n"
#define LINES_SENT 30000u /* 2.4 MB: more than a pipe and the buffer hold */

/* Reads a little in each turn until it is told what was left out. */
static void read_some(struct hf_timer *timer, uint64_t now_ns)
{
    struct reader *reader = HF_CONTAINER(timer, struct reader, pause);
    char chunk[65536];
    ssize_t size = read(reader->fd, chunk, sizeof(chunk));
    if (size > 0) {
        assert_int_equal(hf_bytes_append(&reader->text, hf_slice_of(chunk, (size_t)size)), HF_OK);
        if (memmem(reader->text.data, reader->text.size, "too slow\n", 9) != NULL) {
            hf_loop_stop(reader->loop);
            return;
        }
    }
    assert_int_equal(hf_loop_timer_set(reader->loop, timer, now_ns + 1), HF_OK);
}

static void write_much(struct hf_task *task)
{
    struct reader *reader = HF_CONTAINER(task, struct reader, task);
    for (unsigned i = 0; i < LINES_SENT / 100; i++) {
        char text[100 * (sizeof(LINE) - 1)];
        for (unsigned j = 0; j < 100; j++) {
            memcpy(text + j * (sizeof(LINE) - 1), LINE, sizeof(LINE) - 1);
        }
        hf_debug_output_write(reader->output, hf_slice_of(text, sizeof(text)));
    }
    reader->pause.fire = read_some; /* only now is anything read */
    assert_int_equal(hf_loop_timer_set(reader->loop, &reader->pause, 1), HF_OK);
}

static void never_waits_for_a_slow_reader(void **state)
{
    (void)state;
    struct reader reader = {.task.run = write_much};
    struct rig rig;
    set_up(&rig);
    assert_int_equal(mkfifo(rig.path, 0600), 0);
    reader.fd = open(rig.path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    assert_true(reader.fd >= 0);
    reader.loop = rig.node.loop;
    assert_int_equal(hf_debug_output_open(reader.loop, rig.path, &reader.output), HF_OK);
    hf_loop_post(reader.loop, &reader.task);
    hf_loop_run(reader.loop);

    /* Whole lines all the way, and the last one tells how many are missing. */
    char *at = (char *)reader.text.data;
    assert_int_equal(hf_bytes_append(&reader.text, hf_slice_of("", 1)), HF_OK);
    for (at = (char *)reader.text.data; strncmp(at, LINE, sizeof(LINE) - 1) == 0;
         at += sizeof(LINE) - 1) {
        reader.lines++;
    }
    char want[96];
    snprintf(want, sizeof(want), "... %u lines left out: this output is too slow\n",
             (unsigned)(LINES_SENT - reader.lines));
    assert_true(reader.lines >= HF_DEBUG_WAITING_MAX / sizeof(LINE) - 100);
    assert_true(reader.lines < LINES_SENT);
    assert_string_equal(at, want);
    hf_debug_output_close(reader.output);
    hf_bytes_release(&reader.text);
    close(reader.fd);
    tear_down(&rig);
}

static void does_not_mind_a_reader_that_left(void **state)
{
    (void)state;
    struct rig rig;
    struct hf_debug_output *output = NULL;
    set_up(&rig);
    assert_int_equal(mkfifo(rig.path, 0600), 0);
    int fd = open(rig.path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    assert_int_equal(hf_debug_output_open(rig.node.loop, rig.path, &output), HF_OK);
    close(fd);
    signal(SIGPIPE, SIG_IGN); /* as the program does */
    hf_debug_output_write(output, hf_slice_text(LINE));
    hf_debug_output_close(output);
    tear_down(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(says_in_the_log_how_much_there_was),
        cmocka_unit_test(keeps_the_words_of_logging),
        cmocka_unit_test(writes_as_much_as_it_was_told_to),
        cmocka_unit_test(shows_some_of_the_lines_of_a_second),
        cmocka_unit_test(refuses_a_request_that_does_not_decode),
        cmocka_unit_test(wants_one_of_verbosity_and_loglevel),
        cmocka_unit_test(never_waits_for_a_slow_reader),
        cmocka_unit_test(does_not_mind_a_reader_that_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
