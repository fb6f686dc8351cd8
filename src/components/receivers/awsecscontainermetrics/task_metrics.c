#include "task_metrics.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "util/time/time_layout.h"

#define LITERAL(text) ((struct hf_slice){(const uint8_t *)(text), sizeof(text) - 1})
#define SCHEMA_URL "https://opentelemetry.io/schemas/1.43.0"
#define MIB (1024.0 * 1024.0)
#define UNITS_PER_CPU 1024.0 /* in which ECS counts the processors of a container */
#define NAME_MAX_BYTES 64

/* In the order in which they are written. X(ID, name, unit, kind); kind: how the number is told. */
#define VALUES(X)                                                                                  \
    X(MEMORY_USAGE, "memory.usage", "Bytes", GAUGE)                                                \
    X(MEMORY_MAX, "memory.usage.max", "Bytes", GAUGE)                                              \
    X(MEMORY_LIMIT, "memory.usage.limit", "Bytes", GAUGE)                                          \
    X(MEMORY_UTILIZED, "memory.utilized", "MiB", GAUGE)                                            \
    X(MEMORY_RESERVED, "memory.reserved", "MiB", GAUGE)                                            \
    X(CPU_TOTAL, "cpu.usage.total", "Nanoseconds", SUM)                                            \
    X(CPU_KERNEL, "cpu.usage.kernelmode", "Nanoseconds", SUM)                                      \
    X(CPU_USER, "cpu.usage.usermode", "Nanoseconds", SUM)                                          \
    X(CPU_CORES, "cpu.cores", "Count", GAUGE)                                                      \
    X(CPU_ONLINE, "cpu.onlines", "Count", GAUGE)                                                   \
    X(CPU_SYSTEM, "cpu.usage.system", "Nanoseconds", SUM)                                          \
    X(CPU_UTILIZED, "cpu.utilized", "None", DOUBLE)                                                \
    X(CPU_RESERVED, "cpu.reserved", "None", DOUBLE)                                                \
    X(CPU_VCPU, "cpu.usage.vcpu", "vCPU", DOUBLE)                                                  \
    X(RATE_RX, "network.rate.rx", "Bytes/Second", DOUBLE)                                          \
    X(RATE_TX, "network.rate.tx", "Bytes/Second", DOUBLE)                                          \
    X(RX_BYTES, "network.io.usage.rx_bytes", "Bytes", SUM)                                         \
    X(RX_PACKETS, "network.io.usage.rx_packets", "Count", SUM)                                     \
    X(RX_ERRORS, "network.io.usage.rx_errors", "Count", SUM)                                       \
    X(RX_DROPPED, "network.io.usage.rx_dropped", "Count", SUM)                                     \
    X(TX_BYTES, "network.io.usage.tx_bytes", "Bytes", SUM)                                         \
    X(TX_PACKETS, "network.io.usage.tx_packets", "Count", SUM)                                     \
    X(TX_ERRORS, "network.io.usage.tx_errors", "Count", SUM)                                       \
    X(TX_DROPPED, "network.io.usage.tx_dropped", "Count", SUM)                                     \
    X(STORAGE_READ, "storage.read_bytes", "Bytes", SUM)                                            \
    X(STORAGE_WRITTEN, "storage.write_bytes", "Bytes", SUM)                                        \
    X(EPHEMERAL_UTILIZED, "ephemeral_storage.utilized", "MiB", GAUGE)                              \
    X(EPHEMERAL_RESERVED, "ephemeral_storage.reserved", "MiB", GAUGE)

enum kind { GAUGE, SUM, DOUBLE };

#define VALUE_ID(id, name_, unit_, kind_) id,
#define VALUE_ROW(id, name_, unit_, kind_) [id] = {(name_), (unit_), (kind_)},
enum value { VALUES(VALUE_ID) VALUE_COUNT };
#define CONTAINER_VALUES EPHEMERAL_UTILIZED /* a container has those before it */

static const struct {
    const char *name, *unit;
    enum kind kind;
} rows[VALUE_COUNT] = {VALUES(VALUE_ROW)};

/* Whole numbers below 2^53 stay as they are. */
struct values {
    double of[VALUE_COUNT];
};

struct writing {
    struct hf_builder *builder;
    const struct hf_json *task;
    uint64_t now_ns;
    uint32_t points;
};

/* ---- numbers ---- */

static double number_of(const struct hf_json *value)
{
    return value == NULL                   ? 0
           : value->kind == HF_JSON_INT    ? (double)value->integer
           : value->kind == HF_JSON_DOUBLE ? value->number
                                           : 0;
}

static double number(const struct hf_json *map, const char *key)
{
    return number_of(hf_json_get(map, key));
}

/* Only numbers that are there: 0 is one. */
static bool limit_of(const struct hf_json *owner, const char *key, double *ret_limit)
{
    const struct hf_json *limit = hf_json_get(hf_json_get(owner, "Limits"), key);
    *ret_limit = number_of(limit);
    return limit != NULL && limit->kind != HF_JSON_NULL;
}

/* Nanoseconds from one time to the other; 0: one of them is none. */
static double between(struct hf_slice from, struct hf_slice to)
{
    int64_t start_ns, end_ns;
    bool good = hf_time_rfc3339(from, &start_ns) && hf_time_rfc3339(to, &end_ns);
    return good ? (double)(end_ns - start_ns) : 0;
}

/* ---- one container ---- */

static void read_memory(const struct hf_json *stats, struct values *values)
{
    const struct hf_json *memory = hf_json_get(stats, "memory_stats");
    double usage = number(memory, "usage");
    double cache = number(hf_json_get(memory, "stats"), "cache");
    values->of[MEMORY_USAGE] = usage;
    values->of[MEMORY_MAX] = number(memory, "max_usage");
    values->of[MEMORY_LIMIT] = number(memory, "limit");
    values->of[MEMORY_UTILIZED] = usage > cache ? (double)(int64_t)((usage - cache) / MIB) : 0;
}

static void read_cpu(const struct hf_json *stats, struct values *values)
{
    const struct hf_json *cpu = hf_json_get(stats, "cpu_stats");
    const struct hf_json *usage = hf_json_get(cpu, "cpu_usage");
    const struct hf_json *before = hf_json_get(hf_json_get(stats, "precpu_stats"), "cpu_usage");
    if (usage == NULL || before == NULL) {
        return;
    }
    double passed_ns = between(hf_json_text_of(stats, "preread"), hf_json_text_of(stats, "read"));
    double used_ns = number(usage, "total_usage") - number(before, "total_usage");
    for (const struct hf_json *core = hf_json_first(hf_json_get(usage, "percpu_usage"));
         core != NULL; core = core->next) {
        values->of[CPU_CORES]++;
    }
    values->of[CPU_TOTAL] = number(usage, "total_usage");
    values->of[CPU_KERNEL] = number(usage, "usage_in_kernelmode");
    values->of[CPU_USER] = number(usage, "usage_in_usermode");
    values->of[CPU_ONLINE] = number(cpu, "online_cpus");
    values->of[CPU_SYSTEM] = number(cpu, "system_cpu_usage");
    values->of[CPU_VCPU] = passed_ns > 0 && used_ns > 0 ? used_ns / passed_ns : 0;
    values->of[CPU_UTILIZED] = values->of[CPU_VCPU] * 100;
}

static void read_network(const struct hf_json *stats, struct values *values)
{
    static const struct {
        enum value value;
        const char *key;
    } counters[] = {{RX_BYTES, "rx_bytes"},   {RX_PACKETS, "rx_packets"},
                    {RX_ERRORS, "rx_errors"}, {RX_DROPPED, "rx_dropped"},
                    {TX_BYTES, "tx_bytes"},   {TX_PACKETS, "tx_packets"},
                    {TX_ERRORS, "tx_errors"}, {TX_DROPPED, "tx_dropped"}};
    const struct hf_json *rate = hf_json_get(stats, "network_rate_stats");
    values->of[RATE_RX] = number(rate, "rx_bytes_per_sec");
    values->of[RATE_TX] = number(rate, "tx_bytes_per_sec");
    for (const struct hf_json *one = hf_json_first(hf_json_get(stats, "networks")); one != NULL;
         one = one->next) {
        for (size_t i = 0; i < sizeof(counters) / sizeof(counters[0]); i++) {
            values->of[counters[i].value] += number(one, counters[i].key);
        }
    }
}

static void read_storage(const struct hf_json *stats, struct values *values)
{
    const struct hf_json *disk = hf_json_get(stats, "blkio_stats");
    for (const struct hf_json *one = hf_json_first(hf_json_get(disk, "io_service_bytes_recursive"));
         one != NULL; one = one->next) {
        struct hf_slice operation = hf_json_text_of(one, "op");
        bool is_read = hf_slice_is(operation, "Read");
        if (is_read || hf_slice_is(operation, "Write")) {
            values->of[is_read ? STORAGE_READ : STORAGE_WRITTEN] += number(one, "value");
        }
    }
}

static struct values read_container(const struct hf_json *container, const struct hf_json *stats)
{
    struct values values = {0};
    double limit;
    read_memory(stats, &values);
    read_cpu(stats, &values);
    read_network(stats, &values);
    read_storage(stats, &values);
    if (limit_of(container, "Memory", &limit)) {
        values.of[MEMORY_RESERVED] = limit;
    }
    if (limit_of(container, "CPU", &limit)) {
        values.of[CPU_RESERVED] = limit;
    }
    if (values.of[CPU_RESERVED] > 0) {
        values.of[CPU_UTILIZED] /= values.of[CPU_RESERVED];
    }
    return values;
}

/* ---- resources ---- */

static void put(struct writing *writing, const char *key, struct hf_slice text)
{
    hf_build_attribute_string(writing->builder, hf_slice_text(key), text);
}

static void put_of(struct writing *writing, const char *key, const struct hf_json *from,
                   const char *member)
{
    put(writing, key, hf_json_text_of(from, member));
}

/* What stands behind the last of those characters; all of it when there is none. */
static struct hf_slice behind_last(struct hf_slice text, char c)
{
    const uint8_t *at = text.size != 0 ? memrchr(text.data, c, text.size) : NULL;
    size_t skipped = at != NULL ? (size_t)(at - text.data) + 1 : 0;
    return hf_slice_of(text.data + skipped, text.size - skipped);
}

/* The part of "arn:aws:ecs:REGION:ACCOUNT:..." of that number; empty: there is none. */
static struct hf_slice arn_part(struct hf_slice arn, unsigned number_of_part)
{
    for (unsigned i = 0;; i++) {
        const uint8_t *colon = arn.size != 0 ? memchr(arn.data, ':', arn.size) : NULL;
        size_t size = colon != NULL ? (size_t)(colon - arn.data) : arn.size;
        if (i == number_of_part) {
            return colon != NULL ? hf_slice_of(arn.data, size) : HF_EMPTY_SLICE;
        }
        if (colon == NULL) {
            return HF_EMPTY_SLICE;
        }
        arn = hf_slice_of(colon + 1, arn.size - size - 1);
    }
}

static bool begins_with(struct hf_slice text, const char *prefix)
{
    size_t size = strlen(prefix);
    return text.size >= size && memcmp(text.data, prefix, size) == 0;
}

static bool is_alike(struct hf_slice text, const char *word)
{
    return text.size == strlen(word) && strncasecmp((const char *)text.data, word, text.size) == 0;
}

static void put_task(struct writing *writing)
{
    const struct hf_json *task = writing->task;
    struct hf_slice arn = hf_json_text_of(task, "TaskARN");
    struct hf_slice cluster = hf_json_text_of(task, "Cluster");
    struct hf_slice launch = hf_json_text_of(task, "LaunchType");
    bool is_ecs = begins_with(arn, "arn:aws:ecs") && arn_part(arn, 4).size != 0;
    put(writing, "aws.ecs.cluster.name",
        begins_with(cluster, "arn:aws") ? behind_last(cluster, '/') : cluster);
    put(writing, "aws.ecs.task.arn", arn);
    put(writing, "aws.ecs.task.id", is_ecs ? behind_last(arn, '/') : HF_EMPTY_SLICE);
    put_of(writing, "aws.ecs.task.family", task, "Family");
    put_of(writing, "aws.ecs.task.version", task, "Revision");
    put_of(writing, "aws.ecs.task.revision", task, "Revision");
    put_of(writing, "aws.ecs.service.name", task, "ServiceName");
    put_of(writing, "cloud.availability_zone", task, "AvailabilityZone");
    put_of(writing, "aws.ecs.task.pull_started_at", task, "PullStartedAt");
    put_of(writing, "aws.ecs.task.pull_stopped_at", task, "PullStoppedAt");
    put_of(writing, "aws.ecs.task.known_status", task, "KnownStatus");
    put(writing, "aws.ecs.task.launch_type", launch);
    if (is_alike(launch, "ec2") || is_alike(launch, "fargate")) {
        put(writing, "aws.ecs.launchtype",
            is_alike(launch, "ec2") ? LITERAL("ec2") : LITERAL("fargate"));
    }
    put(writing, "cloud.region", is_ecs ? arn_part(arn, 3) : HF_EMPTY_SLICE);
    put(writing, "cloud.account.id", is_ecs ? arn_part(arn, 4) : HF_EMPTY_SLICE);
}

/* "registry:5000/name:tag@sha256:digest" */
static void put_image(struct writing *writing, struct hf_slice image)
{
    const uint8_t *digest = image.size != 0 ? memchr(image.data, '@', image.size) : NULL;
    image.size = digest != NULL ? (size_t)(digest - image.data) : image.size;
    struct hf_slice last = behind_last(image, '/');
    const uint8_t *colon = last.size != 0 ? memchr(last.data, ':', last.size) : NULL;
    size_t size = colon != NULL ? (size_t)(colon - image.data) : image.size;
    struct hf_slice tag = image.size == 0 ? HF_EMPTY_SLICE
                          : colon != NULL ? hf_slice_of(colon + 1, image.size - size - 1)
                                          : LITERAL("latest");
    put(writing, "container.image.name", hf_slice_of(image.data, size));
    put(writing, "container.image.tag", tag);
}

static void put_container(struct writing *writing, const struct hf_json *container)
{
    const struct hf_json *exit_code = hf_json_get(container, "ExitCode");
    put_of(writing, "container.name", container, "Name");
    put_of(writing, "container.id", container, "DockerId");
    put_of(writing, "aws.ecs.docker.name", container, "DockerName");
    put_image(writing, hf_json_text_of(container, "Image"));
    put_of(writing, "aws.ecs.container.image.id", container, "ImageID");
    put_of(writing, "aws.ecs.container.created_at", container, "CreatedAt");
    put_of(writing, "aws.ecs.container.started_at", container, "StartedAt");
    if (hf_json_text_of(container, "FinishedAt").size != 0) {
        put_of(writing, "aws.ecs.container.finished_at", container, "FinishedAt");
    }
    put_of(writing, "aws.ecs.container.know_status", container, "KnownStatus");
    if (exit_code != NULL && exit_code->kind != HF_JSON_NULL) {
        hf_build_attribute_int(writing->builder, LITERAL("aws.ecs.container.exit_code"),
                               hf_json_int(exit_code));
    }
}

static void begin_resource(struct writing *writing, const struct hf_json *container,
                           struct hf_slice schema_url)
{
    hf_build_resource(writing->builder, schema_url);
    if (container != NULL) {
        put_container(writing, container);
    }
    put_task(writing);
    hf_build_scope(writing->builder, HF_EMPTY_SLICE, HF_EMPTY_SLICE);
}

/* ---- points ---- */

static void put_value(struct writing *writing, const char *name, const char *unit, enum kind kind,
                      double value)
{
    const struct hf_build_point point = {.time_ns = writing->now_ns};
    const struct hf_build_metric metric = {.name = hf_slice_text(name),
                                           .unit = hf_slice_text(unit),
                                           .kind = kind == SUM ? HF_BUILD_SUM : HF_BUILD_GAUGE,
                                           .temporality = HF_BUILD_CUMULATIVE};
    hf_build_metric(writing->builder, &metric);
    if (kind == DOUBLE) {
        hf_build_point_double(writing->builder, &point, value);
    } else {
        hf_build_point_int(writing->builder, &point, value < 9e18 ? (int64_t)value : INT64_MAX);
    }
    hf_build_end(writing->builder);
    writing->points++;
}

static void put_values(struct writing *writing, const char *prefix, const struct values *values,
                       unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        char name[NAME_MAX_BYTES];
        snprintf(name, sizeof(name), "%s%s", prefix, rows[i].name);
        put_value(writing, name, rows[i].unit, rows[i].kind, values->of[i]);
    }
}

static void write_container(struct writing *writing, const struct hf_json *container,
                            const struct hf_json *stats, struct values *sums)
{
    struct hf_slice id = hf_json_text_of(container, "DockerId");
    struct hf_slice started = hf_json_text_of(container, "StartedAt");
    struct hf_slice finished = hf_json_text_of(container, "FinishedAt");
    const struct hf_json *own = id.size != 0 ? hf_json_get(stats, (const char *)id.data) : NULL;
    if (hf_json_text_of(own, "id").size != 0) {
        struct values values = read_container(container, own);
        begin_resource(writing, container, LITERAL(SCHEMA_URL));
        put_values(writing, "container.", &values, CONTAINER_VALUES);
        for (unsigned i = 0; i < CONTAINER_VALUES; i++) {
            sums->of[i] += i != CPU_UTILIZED ? values.of[i] : 0;
        }
    } else if (started.size != 0 && finished.size != 0) {
        begin_resource(writing, container, HF_EMPTY_SLICE);
        put_value(writing, "container.duration", "Seconds", DOUBLE,
                  between(started, finished) / 1e9);
    }
}

/* Limits of the task count more than the sums of its containers'. */
static void apply_limits(const struct hf_json *task, struct values *sums)
{
    const struct hf_json *storage = hf_json_get(task, "EphemeralStorageMetrics");
    double limit;
    if (limit_of(task, "Memory", &limit)) {
        sums->of[MEMORY_RESERVED] = limit;
    }
    if (limit_of(task, "CPU", &limit)) {
        sums->of[CPU_RESERVED] = limit * UNITS_PER_CPU;
    }
    if (sums->of[CPU_RESERVED] > 0) {
        sums->of[CPU_UTILIZED] = sums->of[CPU_VCPU] * UNITS_PER_CPU;
    }
    sums->of[EPHEMERAL_UTILIZED] = number(storage, "Utilized");
    sums->of[EPHEMERAL_RESERVED] = number(storage, "Reserved");
}

uint32_t ecs_task_write(struct hf_builder *builder, const struct hf_json *task,
                        const struct hf_json *stats, uint64_t now_ns)
{
    struct writing writing = {.builder = builder, .task = task, .now_ns = now_ns};
    struct values sums = {0};
    for (const struct hf_json *one = hf_json_first(hf_json_get(task, "Containers")); one != NULL;
         one = one->next) {
        write_container(&writing, one, stats, &sums);
    }
    apply_limits(task, &sums);
    begin_resource(&writing, NULL, LITERAL(SCHEMA_URL));
    put_values(&writing, "ecs.task.", &sums, VALUE_COUNT);
    return writing.points;
}
