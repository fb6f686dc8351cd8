/*
 * cpu: time of the processors in each state, from /proc/stat; how many there are; their frequency.
 *
 * As in the Go collector since 0.160, the times of all processors are one point unless `attributes`
 * of the metric asks for `cpu`.
 */
#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "source.h"
#include "util/checksum.h"

#define CPUS_MAX 8192u /* the kernel's own limit */

#define METRICS(X)                                                                                 \
    X(CPU_FREQUENCY, "system.cpu.frequency", "Hz", GAUGE, off,                                     \
      "Current frequency of the processor.")                                                       \
    X(CPU_LOGICAL, "system.cpu.logical.count", "{cpu}", UPDOWN, on,                                \
      "Number of logical processors.")                                                             \
    X(CPU_PHYSICAL, "system.cpu.physical.count", "{cpu}", UPDOWN, off,                             \
      "Number of physical processors.")                                                            \
    X(CPU_TIME, "system.cpu.time", "s", COUNTER, time,                                             \
      "Seconds that the processors spent in each state.")                                          \
    X(CPU_UTILIZATION, "system.cpu.utilization", "1", GAUGE, utilization,                          \
      "Share of the time since the last scrape that the processors spent in each state.")

enum { METRICS(HF_METRIC_ID) METRIC_COUNT };
static const struct hf_metric_row metrics[] = {METRICS(HF_METRIC_ROW)};

struct cpu_config {
    struct hf_metric_choice metrics[METRIC_COUNT];
};

static const char *const attributes[] = {"cpu", "state", NULL};

#define GROUPED_FIELDS(on_, strategy_)                                                             \
    {.key = "enabled", .type = HF_FIELD_BOOL, .default_text = (on_), .help = "Measure it."},       \
        {.key = "attributes",                                                                      \
         .type = HF_FIELD_STRING_LIST,                                                             \
         .offset = offsetof(struct hf_metric_choice, attributes),                                  \
         .default_text = "state",                                                                  \
         .choices = attributes,                                                                    \
         .help = "Attributes of its points: cpu, state."},                                         \
        {.key = "aggregation_strategy",                                                            \
         .type = HF_FIELD_ENUM,                                                                    \
         .offset = offsetof(struct hf_metric_choice, strategy),                                    \
         .default_text = (strategy_),                                                              \
         .choices = hf_metric_strategies,                                                          \
         .help = "How values are joined that differ in other attributes only."},                   \
        HF_FIELDS_END

static const struct hf_field hf_metric_choice_COUNTER_time[] = {GROUPED_FIELDS("true", "sum")};
static const struct hf_field hf_metric_choice_GAUGE_utilization[] = {
    GROUPED_FIELDS("false", "avg")};
static const struct hf_field metric_fields[] = {METRICS(HF_METRIC_FIELD) HF_FIELDS_END};

/* The states in the order of their points, with their columns in /proc/stat. */
#define STATE_COUNT 8u
static const struct {
    struct hf_slice name;
    unsigned column;
} states[STATE_COUNT] = {
    {HOST_TEXT("user"), 0},      {HOST_TEXT("system"), 2}, {HOST_TEXT("idle"), 3},
    {HOST_TEXT("interrupt"), 5}, {HOST_TEXT("nice"), 1},   {HOST_TEXT("softirq"), 6},
    {HOST_TEXT("steal"), 7},     {HOST_TEXT("wait"), 4},
};

struct cpu_times {
    char name[16]; /* "cpu0" */
    uint64_t ticks[STATE_COUNT];
};

struct cpu_list {
    struct cpu_times *cpus;
    size_t count, capacity;
};

struct cpu {
    const struct cpu_config *config;
    struct cpu_list now, before;
};

static struct cpu_times *add_cpu(struct cpu_list *list)
{
    if (list->count == list->capacity) {
        size_t capacity = list->capacity == 0 ? 16 : list->capacity * 2;
        struct cpu_times *grown =
            capacity <= CPUS_MAX ? reallocarray(list->cpus, capacity, sizeof(*grown)) : NULL;
        if (grown == NULL) {
            return NULL;
        }
        list->cpus = grown;
        list->capacity = capacity;
    }
    return &list->cpus[list->count++];
}

/* The lines "cpu0 ..." of /proc/stat. */
static bool read_times(struct cpu *cpu, struct host *host)
{
    struct hf_slice text, line, word;
    cpu->now.count = 0;
    if (!host_read_proc(host, &text, "stat")) {
        return false;
    }
    while (host_next_line(&text, &line) && host_starts_with(line, "cpu")) {
        if (!host_next_word(&line, &word) || word.size == 3 ||
            word.size >= sizeof(cpu->now.cpus->name)) {
            continue;
        }
        struct cpu_times *times = add_cpu(&cpu->now);
        if (times == NULL) {
            errno = ENOMEM;
            return false;
        }
        *times = (struct cpu_times){0};
        memcpy(times->name, word.data, word.size);
        for (unsigned i = 0; i < STATE_COUNT && host_next_number(&line, &times->ticks[i]); i++) {
        }
    }
    return true;
}

/* ---- points ---- */

struct joined {
    double value;
    size_t count;
};

static void join(struct joined *joined, int64_t strategy, double value)
{
    if (joined->count == 0) {
        joined->value = value;
    } else if (strategy == HF_STRATEGY_MIN) {
        joined->value = value < joined->value ? value : joined->value;
    } else if (strategy == HF_STRATEGY_MAX) {
        joined->value = value > joined->value ? value : joined->value;
    } else {
        joined->value += value;
    }
    joined->count++;
}

static void put_joined(struct host_run *run, int64_t strategy, struct joined *joined,
                       const struct host_attribute *with, size_t count)
{
    if (joined->count != 0) {
        double divisor = strategy == HF_STRATEGY_AVERAGE ? (double)joined->count : 1;
        host_double(run, joined->value / divisor, with, count);
    }
    *joined = (struct joined){0};
}

static bool has(const struct hf_metric_choice *choice, const char *attribute)
{
    return hf_string_list_has(&choice->attributes, hf_slice_text(attribute));
}

/* A value of a processor in a state; false: it has none. */
typedef bool cpu_value(const struct cpu *cpu, const struct host *host, size_t index,
                       unsigned column, double *ret_value);

static void put_grouped(const struct cpu *cpu, struct host_run *run,
                        const struct hf_metric_choice *choice, cpu_value *value_of)
{
    struct joined joined[STATE_COUNT] = {{0, 0}};
    bool by_cpu = has(choice, "cpu"), by_state = has(choice, "state");
    for (size_t i = 0; i < cpu->now.count; i++) {
        for (unsigned k = 0; k < STATE_COUNT; k++) {
            double value;
            if (value_of(cpu, run->host, i, states[k].column, &value)) {
                join(&joined[by_state ? k : 0], choice->strategy, value);
            }
        }
        for (unsigned k = 0; (by_cpu || i + 1 == cpu->now.count) && k < STATE_COUNT; k++) {
            struct host_attribute with[2];
            size_t count = 0;
            if (by_cpu) {
                with[count++] =
                    (struct host_attribute){"cpu", hf_slice_text(cpu->now.cpus[i].name)};
            }
            if (by_state) {
                with[count++] = (struct host_attribute){"state", states[k].name};
            }
            put_joined(run, choice->strategy, &joined[k], with, count);
        }
    }
}

static bool time_of(const struct cpu *cpu, const struct host *host, size_t index, unsigned column,
                    double *ret_value)
{
    *ret_value = (double)cpu->now.cpus[index].ticks[column] / host->ticks;
    return true;
}

static const struct cpu_times *find_cpu(const struct cpu_list *list, const char *name)
{
    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(list->cpus[i].name, name) == 0) {
            return &list->cpus[i];
        }
    }
    return NULL;
}

static double total(const struct cpu_times *times)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < STATE_COUNT; i++) {
        sum += times->ticks[i];
    }
    return (double)sum;
}

/* A processor that came since the last scrape has none. */
static bool utilization_of(const struct cpu *cpu, const struct host *host, size_t index,
                           unsigned column, double *ret_value)
{
    const struct cpu_times *now = &cpu->now.cpus[index];
    const struct cpu_times *before = find_cpu(&cpu->before, now->name);
    (void)host;
    if (before == NULL) {
        return false;
    }
    double elapsed = total(now) - total(before);
    double spent = (double)now->ticks[column] - (double)before->ticks[column];
    *ret_value = elapsed > 0 ? spent / elapsed : 0;
    return true;
}

static void put_times(struct cpu *cpu, struct host_run *run)
{
    if (host_metric(run, CPU_TIME)) {
        put_grouped(cpu, run, &cpu->config->metrics[CPU_TIME], time_of);
    }
    if (host_metric(run, CPU_UTILIZATION)) {
        put_grouped(cpu, run, &cpu->config->metrics[CPU_UTILIZATION], utilization_of);
    }
    struct cpu_list kept = cpu->before;
    cpu->before = cpu->now;
    cpu->now = kept;
}

/* The hashes of files that list a core's threads: one for each core. */
static uint64_t count_contents(struct host *host, const char *file)
{
    char pattern[HOST_PATH_MAX + 96];
    glob_t found;
    uint32_t seen[CPUS_MAX / 8];
    size_t count = 0;
    snprintf(pattern, sizeof(pattern), "%s/devices/system/cpu/cpu[0-9]*/topology/%s", host->sys,
             file);
    if (glob(pattern, GLOB_NOSORT, NULL, &found) != 0) {
        return 0;
    }
    for (size_t i = 0; i < found.gl_pathc; i++) {
        struct hf_slice text;
        if (!host_read(host, found.gl_pathv[i], &text)) {
            continue;
        }
        uint32_t hash = hf_crc32c(0, text.data, text.size);
        size_t k = 0;
        while (k < count && seen[k] != hash) {
            k++;
        }
        if (k == count && count < sizeof(seen) / sizeof(seen[0])) {
            seen[count++] = hash;
        }
    }
    globfree(&found);
    return count;
}

/* The value behind the colon of a line of /proc/cpuinfo with that key. */
static bool info_value(struct hf_slice line, const char *key, struct hf_slice *ret_value)
{
    const uint8_t *colon = line.size != 0 ? memchr(line.data, ':', line.size) : NULL;
    if (colon == NULL || !host_starts_with(line, key)) {
        return false;
    }
    struct hf_slice rest = hf_slice_of(colon + 1, (size_t)(line.data + line.size - colon - 1));
    struct hf_slice before =
        hf_slice_of(line.data + strlen(key), (size_t)(colon - line.data) - strlen(key));
    struct hf_slice word;
    return !host_next_word(&before, &word) && host_next_word(&rest, ret_value);
}

static void put_frequency(struct host_run *run)
{
    struct hf_slice text, line, value;
    struct hf_slice processor = HF_EMPTY_SLICE;
    if (!host_wants(run, CPU_FREQUENCY)) {
        return;
    }
    if (!host_read_proc(run->host, &text, "cpuinfo")) {
        host_failed(run, 1, "reading cpuinfo failed: %s", strerror(errno));
        return;
    }
    bool is_on = host_metric(run, CPU_FREQUENCY);
    while (is_on && host_next_line(&text, &line)) {
        char number[32], name[24];
        if (info_value(line, "processor", &value)) {
            processor = value;
        } else if (info_value(line, "cpu MHz", &value) && value.size < sizeof(number) &&
                   processor.size < 16) {
            memcpy(number, value.data, value.size);
            number[value.size] = '\0';
            snprintf(name, sizeof(name), "cpu%.*s", (int)processor.size,
                     (const char *)processor.data);
            HOST_DOUBLE(run, strtod(number, NULL) * 1e6, {"cpu", hf_slice_text(name)});
        }
    }
}

static void put_counts(struct host_run *run)
{
    if (host_wants(run, CPU_PHYSICAL)) {
        uint64_t count = count_contents(run->host, "core_cpus_list");
        count = count != 0 ? count : count_contents(run->host, "thread_siblings_list");
        if (count != 0 && host_metric(run, CPU_PHYSICAL)) {
            host_int(run, count, NULL, 0);
        } else {
            host_failed(run, 1, "no topology of the processors in %s/devices/system/cpu",
                        run->host->sys);
        }
    }
    if (host_wants(run, CPU_LOGICAL)) {
        uint64_t count = host_logical_cpus(run->host);
        if (host_metric(run, CPU_LOGICAL)) {
            host_int(run, count, NULL, 0);
        }
    }
}

static void scrape_cpu(void *self, struct host_run *run)
{
    struct cpu *cpu = self;
    if (!read_times(cpu, run->host)) {
        host_failed(run, 2, "reading stat failed: %s", strerror(errno));
    } else {
        put_times(cpu, run);
    }
    put_counts(run);
    put_frequency(run);
}

static enum hf_status open_cpu(const void *config, struct host *host, void **ret_self, char *reterr)
{
    (void)host;
    struct cpu *cpu = calloc(1, sizeof(*cpu));
    if (cpu == NULL) {
        snprintf(reterr, HF_ERROR_MAX, "out of memory");
        return HF_NOMEM;
    }
    cpu->config = config;
    *ret_self = cpu;
    return HF_OK;
}

static void close_cpu(void *self)
{
    struct cpu *cpu = self;
    free(cpu->now.cpus);
    free(cpu->before.cpus);
    free(cpu);
}

HOST_CHECK_ROOM(struct cpu_config);

const struct hf_field host_cpu_fields[] = {
    HOST_METRICS_BLOCK(metric_fields),
    HF_FIELDS_END,
};

const struct host_source host_cpu = {
    .name = "cpu",
    .metrics = metrics,
    .metric_count = METRIC_COUNT,
    .joined = 1u << CPU_TIME | 1u << CPU_UTILIZATION,
    .open = open_cpu,
    .scrape = scrape_cpu,
    .close = close_cpu,
};
