/* Batches are refused while the process has more memory than the soft limit, and only then. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h> /* needs the three before it */

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <holdfast/component.h>

#include "tests/support/node_stub.c"
#include "util/memory.h"

extern const struct hf_component hf_processor_memory_limiter;

#define MIB (UINT64_C(1) << 20)

/* As the component's configuration. */
struct config {
    uint64_t check_interval_ns;
    int64_t limit_mib, spike_limit_mib;
    int64_t limit_percentage, spike_limit_percentage;
    uint64_t min_gc_soft_ns, min_gc_hard_ns;
};

struct fixture {
    struct hf_node node;
    struct hf_loop *loop;
    void *self;
    struct hf_batch *batch;
};

static void open_fixture(struct fixture *fixture, const struct config *config)
{
    char error[HF_ERROR_MAX] = "";
    *fixture =
        (struct fixture){.node = {.id = "memory_limiter/2", .signals = HF_SIGNAL_BIT(HF_TRACES)}};
    node_stub_init(&fixture->node);
    assert_int_equal(hf_metrics_new(&fixture->node.metrics), HF_OK);
    assert_int_equal(hf_loop_new(&fixture->loop), HF_OK);
    fixture->node.loop = fixture->loop;
    assert_null(hf_processor_memory_limiter.check(config));
    if (hf_processor_memory_limiter.open(&fixture->node, config, &fixture->self, error) != HF_OK) {
        fail_msg("%s", error);
    }
    fixture->batch = hf_batch_new(HF_TRACES, 0, HF_EMPTY_SLICE);
    assert_non_null(fixture->batch);
    hf_batch_seal(fixture->batch, 0, 5);
}

static void close_fixture(struct fixture *fixture)
{
    hf_ref_drop(&fixture->batch->ref);
    hf_processor_memory_limiter.close(fixture->self);
    hf_loop_join(fixture->loop);
    hf_loop_free(fixture->loop);
    hf_metrics_free(fixture->node.metrics);
}

static enum hf_status process(struct fixture *fixture)
{
    struct hf_batch *same = NULL;
    enum hf_status status =
        hf_processor_memory_limiter.processor->process(fixture->self, fixture->batch, &same);
    if (status == HF_OK) {
        assert_ptr_equal(same, fixture->batch);
        hf_ref_drop(&same->ref);
    } else {
        assert_null(same);
    }
    return status;
}

static int64_t counted(struct fixture *fixture, const char *name)
{
    const struct hf_metric_family family = {
        .name = name, .type = HF_COUNTER, .unit = "", .help = "the same series"};
    const struct hf_label labels[] = {{"processor", "memory_limiter/2"}, {NULL, NULL}};
    struct hf_series *series = hf_metrics_series(fixture->node.metrics, &family, labels);
    assert_non_null(series);
    return hf_series_get(series);
}

static void lets_pass_below_the_limit(void **state)
{
    const struct config config = {.check_interval_ns = 1000000000, .limit_mib = 1 << 20};
    struct fixture fixture;
    char error[HF_ERROR_MAX];
    (void)state;
    open_fixture(&fixture, &config);
    assert_int_equal(hf_processor_memory_limiter.start(fixture.self, error), HF_OK);
    assert_int_equal(process(&fixture), HF_OK);
    assert_int_equal(process(&fixture), HF_OK);
    assert_int_equal(counted(&fixture, "otelcol_processor_accepted_spans"), 10);
    assert_int_equal(counted(&fixture, "otelcol_processor_refused_spans"), 0);
    hf_processor_memory_limiter.stop(fixture.self);
    close_fixture(&fixture);
}

static void refuses_at_the_limit(void **state)
{
    /* Any program has more than a fifth of a MiB. */
    const struct config config = {
        .check_interval_ns = 1000000000, .limit_mib = 1, .min_gc_soft_ns = 10000000000};
    struct fixture fixture;
    char error[HF_ERROR_MAX];
    (void)state;
    open_fixture(&fixture, &config);
    void *room = mmap(NULL, 4 * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(room, MAP_FAILED);
    memset(room, 1, 4 * MIB);
    assert_int_equal(process(&fixture), HF_OK); /* nothing was measured yet */
    assert_int_equal(hf_processor_memory_limiter.start(fixture.self, error), HF_OK);
    assert_int_equal(process(&fixture), HF_BUSY);
    assert_int_equal(counted(&fixture, "otelcol_processor_accepted_spans"), 5);
    assert_int_equal(counted(&fixture, "otelcol_processor_refused_spans"), 5);
    assert_non_null(strstr(fixture.node.log, "Refusing data"));
    hf_processor_memory_limiter.stop(fixture.self);
    munmap(room, 4 * MIB);
    close_fixture(&fixture);
}

static uint64_t used_now(void)
{
    uint64_t used = 0;
    int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(hf_memory_used(fd, &used), HF_OK);
    close(fd);
    return used;
}

static void resumes_when_memory_is_there_again(void **state)
{
    const size_t much = 64 * MIB;
    const int64_t spike = 16;
    /* Half of what will be taken is left below the soft limit. */
    const struct config config = {.check_interval_ns = 20000000,
                                  .limit_mib = (int64_t)((used_now() + much / 2) / MIB) + spike,
                                  .spike_limit_mib = spike,
                                  .min_gc_soft_ns = 10000000000};
    struct fixture fixture;
    char error[HF_ERROR_MAX];
    (void)state;
    open_fixture(&fixture, &config);
    assert_int_equal(hf_loop_start_thread(fixture.loop, "loop"), HF_OK);
    assert_int_equal(hf_processor_memory_limiter.start(fixture.self, error), HF_OK);
    void *room = mmap(NULL, much, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(room, MAP_FAILED);
    memset(room, 1, much);
    assert_true(node_stub_wait_log(&fixture.node, "Refusing data"));
    assert_int_equal(process(&fixture), HF_BUSY);
    munmap(room, much);
    assert_true(node_stub_wait_log(&fixture.node, "Resuming normal operation"));
    assert_int_equal(process(&fixture), HF_OK);
    hf_processor_memory_limiter.stop(fixture.self);
    close_fixture(&fixture);
}

static void takes_percentages_of_what_there_is(void **state)
{
    const struct config config = {
        .check_interval_ns = 1000000000, .limit_percentage = 75, .spike_limit_percentage = 25};
    struct fixture fixture;
    char error[HF_ERROR_MAX];
    char expected[128];
    uint64_t available = 0;
    (void)state;
    assert_int_equal(hf_memory_available("", &available), HF_OK);
    uint64_t part = available / 100;
    snprintf(expected, sizeof(expected), "\"limit_mib\":%llu,\"spike_limit_mib\":%llu",
             (unsigned long long)(part * 75 / MIB), (unsigned long long)(part * 25 / MIB));
    open_fixture(&fixture, &config);
    assert_int_equal(hf_processor_memory_limiter.start(fixture.self, error), HF_OK);
    assert_non_null(strstr(fixture.node.log, expected));
    hf_processor_memory_limiter.stop(fixture.self);
    close_fixture(&fixture);
}

static void says_which_setting_is_wrong(void **state)
{
    static const struct {
        struct config config;
        const char *says;
    } cases[] = {
        {{.limit_mib = 10}, "check_interval must be greater than zero"},
        {{.check_interval_ns = 1}, "limit_mib or limit_percentage must be greater than zero"},
        {{.check_interval_ns = 1, .limit_mib = 10, .spike_limit_mib = 10},
         "spike_limit_mib must be smaller than limit_mib"},
        {{.check_interval_ns = 1, .limit_percentage = 10, .spike_limit_percentage = 11},
         "spike_limit_percentage must be smaller than limit_percentage"},
        {{.check_interval_ns = 1, .limit_mib = 10, .min_gc_hard_ns = 1},
         "min_gc_interval_when_soft_limited should be larger than "
         "min_gc_interval_when_hard_limited"},
        {{.check_interval_ns = 1, .limit_mib = 10, .spike_limit_mib = 9}, NULL},
        {{.check_interval_ns = 1, .limit_percentage = 100, .spike_limit_percentage = 99}, NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *says = hf_processor_memory_limiter.check(&cases[i].config);
        if (cases[i].says == NULL) {
            assert_null(says);
        } else {
            assert_string_equal(says, cases[i].says);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lets_pass_below_the_limit),
        cmocka_unit_test(refuses_at_the_limit),
        cmocka_unit_test(resumes_when_memory_is_there_again),
        cmocka_unit_test(takes_percentages_of_what_there_is),
        cmocka_unit_test(says_which_setting_is_wrong),
    };
    return cmocka_run_group_tests_name("memory_limiter", tests, NULL, NULL);
}
