#include "testing.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench.h"
#include "config/read_file.h"
#include "expect.h"
#include "results.h"
#include "util/escape.h"

#define SOURCES_MAX 64u

/* One file of tests. */
struct running {
    const struct hf_testing_options *options;
    const struct hf_component *const *registry; /* with ends */
    const char *path;
    char folder[4096];
    struct hf_test_file file;
    const struct hf_config *config;
    struct hf_test_results *results;
};

/* Real time: that of a test is its own. */
static uint64_t real_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* ---- one test ---- */

static bool check_step(struct hf_test_bench *bench, const struct hf_test_step *step, char *reterr)
{
    const struct hf_test_expect *expects = step->expect.items;
    for (size_t i = 0; i < step->expect.count; i++) {
        struct hf_test_place place;
        char why[HF_TEST_WHY_MAX];
        if (hf_test_bench_find(bench, expects[i].at, expects[i].pipeline, &place, why) != HF_OK) {
            snprintf(reterr, HF_TEST_WHY_MAX, "expect[%zu]: %.500s", i, why);
            return false;
        }
        if (!hf_test_expect(hf_test_bench_ends(bench), &place, &expects[i], why)) {
            bool needs_time = place.kind == HF_TEST_EXPORTER && step->advance_ns == 0 &&
                              hf_test_bench_has_batching(bench);
            snprintf(reterr, HF_TEST_WHY_MAX, "at %.200s: %.1800s%s", place.id, why,
                     needs_time ? "; time stood still: what batch holds needs advance" : "");
            return false;
        }
    }
    return true;
}

static bool run_step(const struct running *running, struct hf_test_bench *bench,
                     const struct hf_test_step *step, char *reterr)
{
    const struct hf_test_input *inputs = step->input.items;
    char why[HF_ERROR_MAX];
    for (size_t i = 0; i < step->input.count; i++) {
        if (hf_test_bench_put(bench, &inputs[i], running->folder, why) != HF_OK) {
            snprintf(reterr, HF_TEST_WHY_MAX, "input[%zu]: %s", i, why);
            return false;
        }
    }
    hf_test_bench_settle(bench);
    if (step->advance_ns != 0) {
        hf_test_bench_advance(bench, step->advance_ns);
        hf_test_bench_settle(bench);
    }
    return check_step(bench, step, reterr);
}

static bool run_steps(const struct running *running, const struct hf_test *test, char *reterr)
{
    struct hf_test_bench *bench = NULL;
    char why[HF_ERROR_MAX];
    if (hf_test_bench_open(running->config, running->options->log, &bench, why) != HF_OK) {
        snprintf(reterr, HF_TEST_WHY_MAX, "%s", why);
        return false;
    }
    const struct hf_test_step *steps = test->steps.items;
    bool good = run_step(running, bench, &test->first, reterr);
    for (size_t i = 0; i < test->steps.count && good; i++) {
        char inner[HF_TEST_WHY_MAX];
        good = run_step(running, bench, &steps[i], inner);
        if (!good) {
            snprintf(reterr, HF_TEST_WHY_MAX, "steps[%zu]: %.2000s", i, inner);
        }
    }
    hf_test_bench_close(bench);
    return good;
}

/* ---- one file ---- */

static bool tell_findings(struct hf_finding *findings, size_t count)
{
    bool failed = false;
    for (size_t i = 0; i < count; i++) {
        bool error = findings[i].kind == HF_FINDING_ERROR;
        failed = failed || error;
        if (error) {
            fputs("error: ", stderr);
            hf_escape_print(HF_ESCAPE_LINE, hf_slice_text(findings[i].text), stderr);
            fputc('\n', stderr);
        }
    }
    hf_findings_free(findings, count);
    return !failed;
}

/* The configuration that the file names, with its paths from the file's folder. */
static struct hf_config *load(const struct running *running)
{
    struct hf_config_source sources[SOURCES_MAX];
    char *paths[SOURCES_MAX] = {NULL};
    struct hf_finding *findings = NULL;
    size_t finding_count = 0;
    size_t count = 0;
    for (; count < running->file.config.count && count < SOURCES_MAX; count++) {
        const char *name = running->file.config.items[count];
        bool is_path = name[0] != '/' && strchr(name, ':') == NULL;
        if (asprintf(&paths[count], "%s%s%s", is_path ? running->folder : "", is_path ? "/" : "",
                     name) < 0) {
            paths[count] = NULL;
            break;
        }
        sources[count] = (struct hf_config_source){.uri = paths[count]};
    }
    const struct hf_config_options options = {
        .sources = sources,
        .source_count = count,
        .sets = running->file.set.items,
        .set_count = running->file.set.count,
        .components = running->registry,
    };
    struct hf_config *config = hf_config_load(&options, &findings, &finding_count);
    bool good = tell_findings(findings, finding_count);
    while (count > 0) {
        free(paths[--count]);
    }
    if (config != NULL && !good) {
        hf_config_free(config);
        config = NULL;
    }
    return config;
}

static void run_tests(struct running *running)
{
    const struct hf_test *tests = running->file.tests.items;
    const char *only = running->options->only;
    for (size_t i = 0; i < running->file.tests.count; i++) {
        char why[HF_TEST_WHY_MAX] = "";
        uint64_t begun_ns = real_ns();
        if (only != NULL && strstr(tests[i].name, only) == NULL) {
            continue;
        }
        bool good = run_steps(running, &tests[i], why);
        if (!hf_test_results_add(running->results, running->path, tests[i].name, good ? NULL : why,
                                 real_ns() - begun_ns)) {
            fputs("error: out of memory\n", stderr);
        }
    }
}

static bool run_file(struct running *running)
{
    struct hf_config_memory *memory = NULL;
    struct hf_finding *findings = NULL;
    size_t count = 0;
    const char *slash = strrchr(running->path, '/');
    snprintf(running->folder, sizeof(running->folder), "%.*s",
             slash != NULL ? (int)(slash - running->path) : 1, slash != NULL ? running->path : ".");
    bool good = hf_config_read_file(running->path, hf_test_file_fields, &running->file, &memory,
                                    &findings, &count);
    good = tell_findings(findings, count) && good;
    struct hf_config *config = good ? load(running) : NULL;
    running->config = config;
    if (config != NULL) {
        run_tests(running);
    }
    hf_config_free(config);
    hf_config_file_free(memory);
    return config != NULL;
}

enum hf_testing_verdict hf_testing_run(const struct hf_testing_options *options)
{
    const struct hf_component **registry = hf_test_registry(options->components);
    struct hf_test_results results = {0};
    bool usable = registry != NULL;
    for (size_t i = 0; i < options->file_count && registry != NULL; i++) {
        struct running running = {
            .options = options,
            .registry = registry,
            .path = options->files[i],
            .results = &results,
        };
        usable = run_file(&running) && usable;
    }
    hf_test_results_print(&results, options->out);
    if (options->junit != NULL && !hf_test_results_junit(&results, options->junit)) {
        fprintf(stderr, "error: cannot write %s: %s\n", options->junit, strerrordesc_np(errno));
        usable = false;
    }
    enum hf_testing_verdict verdict = !usable               ? HF_TESTING_UNUSABLE
                                      : results.failed != 0 ? HF_TESTING_FAILED
                                                            : HF_TESTING_PASSED;
    hf_test_results_release(&results);
    free(registry);
    return verdict;
}
