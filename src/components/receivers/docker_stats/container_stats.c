#include "container_stats.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#include "util/time/clock.h"
#include "util/time/time_layout.h"

#define SCOPE                                                                                      \
    "github.com/open-telemetry/opentelemetry-collector-contrib/receiver/dockerstatsreceiver"
#define SCHEMA_URL "https://opentelemetry.io/schemas/1.40.0"
#define MEMORY_PREFIX "container.memory."
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

const struct hf_metric_row docker_rows[] = {DOCKER_METRICS(HF_METRIC_ROW)};
static const char *const resource_names[] = {DOCKER_RESOURCES(HF_RESOURCE_NAME)};

static const char *const state_names[DOCKER_STATE_COUNT] = {
    "created", "running", "paused", "restarting", "removing", "exited", "dead"};

/* ---- numbers ---- */

/* The daemon's numbers have 64 bits without a sign; "no limit" is the greatest of them. */
static int64_t integer_of(const struct hf_json *value)
{
    if (value != NULL && value->kind == HF_JSON_DOUBLE) {
        return value->number >= 9223372036854775808.0   ? -1
               : value->number > -9223372036854775808.0 ? (int64_t)value->number
                                                        : 0;
    }
    return hf_json_int(value);
}

static int64_t number(const struct hf_json *object, const char *key)
{
    return integer_of(hf_json_get(object, key));
}

static double decimal(const struct hf_json *object, const char *key)
{
    const struct hf_json *value = hf_json_get(object, key);
    return value != NULL && value->kind == HF_JSON_DOUBLE ? value->number
                                                          : (double)hf_json_int(value);
}

/* ---- points ---- */

struct attribute {
    const char *key;
    struct hf_slice value;
};

/* Opens the metric. False: it is not wanted. */
static bool open_metric(struct docker_writer *writer, unsigned id)
{
    if (writer->wanted->metrics[id].enabled) {
        hf_metric_open(writer->builder, &docker_rows[id]);
    }
    return writer->wanted->metrics[id].enabled;
}

static struct hf_build_point point_of(const struct docker_writer *writer)
{
    return (struct hf_build_point){.start_ns = writer->begun_ns, .time_ns = writer->now_ns};
}

static void add_point(struct docker_writer *writer, int64_t value,
                      const struct attribute *attributes, size_t count)
{
    const struct hf_build_point point = point_of(writer);
    hf_build_point_int(writer->builder, &point, value);
    for (size_t i = 0; i < count; i++) {
        hf_build_attribute_string(writer->builder, hf_slice_text(attributes[i].key),
                                  attributes[i].value);
    }
    hf_build_end(writer->builder);
    writer->points++;
}

static void put_int(struct docker_writer *writer, unsigned id, int64_t value)
{
    if (open_metric(writer, id)) {
        add_point(writer, value, NULL, 0);
    }
}

static void put_double(struct docker_writer *writer, unsigned id, double value)
{
    if (open_metric(writer, id)) {
        const struct hf_build_point point = point_of(writer);
        hf_build_point_double(writer->builder, &point, value);
        hf_build_end(writer->builder);
        writer->points++;
    }
}

/* ---- CPU ---- */

/* Percent of one processor between the daemon's last two looks. */
static double cpu_percent(const struct hf_json *now, const struct hf_json *before)
{
    const struct hf_json *usage = hf_json_get(now, "cpu_usage");
    double used =
        decimal(usage, "total_usage") - decimal(hf_json_get(before, "cpu_usage"), "total_usage");
    double all = decimal(now, "system_cpu_usage") - decimal(before, "system_cpu_usage");
    double cpus = decimal(now, "online_cpus");
    const struct hf_json *core = hf_json_first(hf_json_get(usage, "percpu_usage"));
    for (bool counts = cpus == 0; counts && core != NULL; core = core->next) {
        cpus++;
    }
    return all > 0 && used > 0 ? used / all * cpus * 100 : 0;
}

static void put_cpu(struct docker_writer *writer, const struct hf_json *stats)
{
    const struct hf_json *cpu = hf_json_get(stats, "cpu_stats");
    const struct hf_json *usage = hf_json_get(cpu, "cpu_usage");
    const struct hf_json *throttling = hf_json_get(cpu, "throttling_data");
    put_int(writer, CPU_SYSTEM, number(cpu, "system_cpu_usage"));
    put_int(writer, CPU_TOTAL, number(usage, "total_usage"));
    put_int(writer, CPU_KERNEL, number(usage, "usage_in_kernelmode"));
    put_int(writer, CPU_USER, number(usage, "usage_in_usermode"));
    put_int(writer, CPU_THROTTLED, number(throttling, "throttled_periods"));
    put_int(writer, CPU_PERIODS, number(throttling, "periods"));
    put_int(writer, CPU_THROTTLED_TIME, number(throttling, "throttled_time"));
    put_double(writer, CPU_UTILIZATION, cpu_percent(cpu, hf_json_get(stats, "precpu_stats")));
    put_int(writer, CPU_COUNT, number(cpu, "online_cpus"));
    const struct hf_json *core = hf_json_first(hf_json_get(usage, "percpu_usage"));
    bool is_wanted = core != NULL && open_metric(writer, CPU_PER_CORE);
    for (unsigned i = 0; is_wanted && core != NULL; core = core->next, i++) {
        char name[24];
        snprintf(name, sizeof(name), "cpu%u", i);
        add_point(writer, integer_of(core), &(struct attribute){"core", hf_slice_text(name)}, 1);
    }
}

/* ---- memory ---- */

static void put_cgroup(struct docker_writer *writer, const struct hf_json *stats)
{
    const struct hf_json *one = hf_json_first(stats);
    for (; one != NULL; one = one->next) {
        unsigned id = 0;
        while (id < DOCKER_CGROUP_METRICS_END &&
               !hf_slice_is(one->key, docker_rows[id].name + sizeof(MEMORY_PREFIX) - 1)) {
            id++;
        }
        if (id < DOCKER_CGROUP_METRICS_END) {
            put_int(writer, id, integer_of(one));
        }
    }
}

static void put_memory(struct docker_writer *writer, const struct hf_json *memory)
{
    const struct hf_json *cgroup = hf_json_get(memory, "stats");
    int64_t usage = number(memory, "usage");
    const struct hf_json *v1 = hf_json_get(cgroup, "total_inactive_file");
    int64_t cache =
        v1 != NULL && integer_of(v1) < usage ? integer_of(v1) : number(cgroup, "inactive_file");
    double limit = decimal(memory, "limit");
    usage = cache < usage ? usage - cache : usage;
    put_int(writer, MEMORY_USAGE_TOTAL, usage);
    put_int(writer, MEMORY_USAGE_LIMIT, number(memory, "limit"));
    put_double(writer, MEMORY_PERCENT, limit != 0 ? (double)usage / limit * 100 : 0);
    put_int(writer, MEMORY_USAGE_MAX, number(memory, "max_usage"));
    put_int(writer, MEMORY_FAILS, number(memory, "failcnt"));
    put_cgroup(writer, cgroup);
}

/* ---- devices and networks ---- */

static void lower(struct hf_slice text, char *ret_text, size_t room)
{
    size_t i = 0;
    for (; i < text.size && i + 1 < room; i++) {
        ret_text[i] = (char)tolower(text.data[i]);
    }
    ret_text[i] = '\0';
}

static void put_block(struct docker_writer *writer, const struct hf_json *block)
{
    static const struct {
        const char *key;
        unsigned id;
    } table[] = {
        {"io_merged_recursive", IO_MERGED},
        {"io_queue_recursive", IO_QUEUED},
        {"io_service_bytes_recursive", IO_SERVICE_BYTES},
        {"io_service_time_recursive", IO_SERVICE_TIME},
        {"io_serviced_recursive", IO_SERVICED},
        {"io_time_recursive", IO_TIME},
        {"io_wait_time_recursive", IO_WAIT_TIME},
        {"sectors_recursive", IO_SECTORS},
    };
    for (size_t i = 0; i < COUNT(table); i++) {
        const struct hf_json *entry = hf_json_first(hf_json_get(block, table[i].key));
        bool is_wanted = entry != NULL && open_metric(writer, table[i].id);
        for (; is_wanted && entry != NULL; entry = entry->next) {
            char major[24], minor[24], operation[32];
            snprintf(major, sizeof(major), "%" PRId64, number(entry, "major"));
            snprintf(minor, sizeof(minor), "%" PRId64, number(entry, "minor"));
            lower(hf_json_text_of(entry, "op"), operation, sizeof(operation));
            const struct attribute attributes[] = {{"device_major", hf_slice_text(major)},
                                                   {"device_minor", hf_slice_text(minor)},
                                                   {"operation", hf_slice_text(operation)}};
            add_point(writer, number(entry, "value"), attributes, COUNT(attributes));
        }
    }
}

static void put_networks(struct docker_writer *writer, const struct hf_json *networks)
{
    static const struct {
        const char *key;
        unsigned id;
    } table[] = {{"rx_bytes", RX_BYTES},     {"tx_bytes", TX_BYTES},    {"rx_dropped", RX_DROPPED},
                 {"tx_dropped", TX_DROPPED}, {"rx_errors", RX_ERRORS},  {"tx_errors", TX_ERRORS},
                 {"rx_packets", RX_PACKETS}, {"tx_packets", TX_PACKETS}};
    for (size_t i = 0; i < COUNT(table); i++) {
        const struct hf_json *interface = hf_json_first(networks);
        bool is_wanted = interface != NULL && open_metric(writer, table[i].id);
        for (; is_wanted && interface != NULL; interface = interface->next) {
            add_point(writer, number(interface, table[i].key),
                      &(struct attribute){"interface", interface->key}, 1);
        }
    }
}

/* ---- the container ---- */

/* "0-2,4": 4. 0: it cannot be read. */
static double count_cpus(const char *set)
{
    double count = 0;
    while (*set != '\0') {
        char *end;
        unsigned long first = strtoul(set, &end, 10), last = first;
        if (end == set) {
            return 0;
        }
        if (*end == '-') {
            set = end + 1;
            last = strtoul(set, &end, 10);
        }
        if (end == set || last < first || (*end != ',' && *end != '\0')) {
            return 0;
        }
        count += (double)(last - first) + 1;
        set = *end == ',' ? end + 1 : end;
    }
    return count;
}

double docker_cpu_limit(const struct hf_json *host_config)
{
    double nano = decimal(host_config, "NanoCpus"), quota = decimal(host_config, "CpuQuota");
    double period = decimal(host_config, "CpuPeriod");
    struct hf_slice set = hf_json_text_of(host_config, "CpusetCpus");
    if (nano > 0) {
        return nano / 1e9;
    }
    if (set.size != 0) {
        return count_cpus((const char *)set.data); /* ends with a NUL */
    }
    return quota > 0 ? quota / (period > 0 ? period : 100000) : 0;
}

/* Of a container that has a health check; "none" is none. */
static void put_health(struct docker_writer *writer, struct hf_slice health)
{
    static const char *const states[] = {"starting", "healthy", "unhealthy"};
    bool is_known = false;
    for (size_t i = 0; i < COUNT(states); i++) {
        is_known = is_known || hf_slice_is(health, states[i]);
    }
    bool is_wanted = is_known && open_metric(writer, HEALTH);
    for (size_t i = 0; i < COUNT(states) && is_wanted; i++) {
        add_point(writer, hf_slice_is(health, states[i]),
                  &(struct attribute){"container.state.health.state", hf_slice_text(states[i])}, 1);
    }
}

static void put_container(struct docker_writer *writer, const struct hf_json *container)
{
    const struct hf_json *state = hf_json_get(container, "State");
    const struct hf_json *host_config = hf_json_get(container, "HostConfig");
    double limit = docker_cpu_limit(host_config);
    int64_t started_ns;
    put_int(writer, RESTARTS, number(container, "RestartCount"));
    put_int(writer, CPU_SHARES, number(host_config, "CpuShares"));
    if (limit > 0) {
        put_double(writer, CPU_LIMIT, limit);
    }
    if (hf_time_rfc3339(hf_json_text_of(state, "StartedAt"), &started_ns) &&
        started_ns < (int64_t)writer->now_ns) {
        put_double(writer, UPTIME, (double)((int64_t)writer->now_ns - started_ns) / 1e9);
    }
    put_health(writer, hf_json_text_of(hf_json_get(state, "Health"), "Status"));
}

static void put_processes(struct docker_writer *writer, const struct hf_json *processes)
{
    int64_t current = number(processes, "current"), limit = number(processes, "limit");
    if (current != 0) {
        put_int(writer, PIDS_COUNT, current);
        if (limit != 0) {
            put_int(writer, PIDS_LIMIT, limit);
        }
    }
}

/* ---- the resource ---- */

static void name(struct docker_writer *writer, unsigned id, struct hf_slice value)
{
    if (writer->wanted->resources[id].enabled) {
        hf_build_attribute_string(writer->builder, hf_slice_text(resource_names[id]), value);
    }
}

/* The value of a variable in ["A=b"]; empty: it is not set. */
static struct hf_slice variable_of(const struct hf_json *list, const char *called)
{
    size_t size = strlen(called);
    const struct hf_json *one = hf_json_first(list);
    for (; one != NULL; one = one->next) {
        struct hf_slice text = hf_json_text(one);
        if (text.size > size && memcmp(text.data, called, size) == 0 && text.data[size] == '=') {
            return hf_slice_of(text.data + size + 1, text.size - size - 1);
        }
    }
    return HF_EMPTY_SLICE;
}

static void name_more(struct docker_writer *writer, const struct hf_json *config)
{
    const struct hf_string_map *labels = &writer->wanted->labels;
    const struct hf_string_map *variables = &writer->wanted->variables;
    for (size_t i = 0; i < variables->count; i++) {
        struct hf_slice value = variable_of(hf_json_get(config, "Env"), variables->items[i].key);
        if (value.size != 0) {
            hf_build_attribute_string(writer->builder, hf_slice_text(variables->items[i].value),
                                      value);
        }
    }
    for (size_t i = 0; i < labels->count; i++) {
        struct hf_slice value =
            hf_json_text_of(hf_json_get(config, "Labels"), labels->items[i].key);
        if (value.size != 0) {
            hf_build_attribute_string(writer->builder, hf_slice_text(labels->items[i].value),
                                      value);
        }
    }
}

static void name_command(struct docker_writer *writer, const struct hf_json *command)
{
    char line[4096];
    size_t used = 0;
    const struct hf_json *word = hf_json_first(command);
    for (; word != NULL && used + 1 < sizeof(line); word = word->next) {
        struct hf_slice text = hf_json_text(word);
        int size = snprintf(line + used, sizeof(line) - used, "%s%.*s", used != 0 ? " " : "",
                            (int)text.size, text.size != 0 ? (const char *)text.data : "");
        used += size > 0 ? (size_t)size : 0;
    }
    name(writer, D_COMMAND_LINE,
         hf_slice_of((const uint8_t *)line, used < sizeof(line) ? used : sizeof(line) - 1));
}

static void name_container(struct docker_writer *writer, const struct hf_json *container)
{
    const struct hf_json *config = hf_json_get(container, "Config");
    struct hf_slice called = hf_json_text_of(container, "Name");
    if (called.size > 0 && called.data[0] == '/') {
        called = hf_slice_of(called.data + 1, called.size - 1);
    }
    hf_build_resource(writer->builder, hf_slice_text(SCHEMA_URL));
    name(writer, D_RUNTIME, hf_slice_text("docker"));
    name(writer, D_HOSTNAME, hf_json_text_of(config, "Hostname"));
    name(writer, D_ID, hf_json_text_of(container, "Id"));
    name(writer, D_IMAGE_NAME, hf_json_text_of(config, "Image"));
    name(writer, D_NAME, called);
    name(writer, D_IMAGE_ID, hf_json_text_of(container, "Image"));
    name_command(writer, hf_json_get(config, "Cmd"));
    name_more(writer, config);
    hf_build_scope(writer->builder, hf_slice_text(SCOPE), hf_slice_text(HF_VERSION));
}

void docker_container_write(struct docker_writer *writer, const struct hf_json *container,
                            const struct hf_json *stats)
{
    struct hf_slice state = hf_json_text_of(hf_json_get(container, "State"), "Status");
    for (size_t i = 0; i < DOCKER_STATE_COUNT; i++) {
        writer->states[i] += hf_slice_is(state, state_names[i]) ? 1 : 0;
    }
    name_container(writer, container);
    put_cpu(writer, stats);
    put_memory(writer, hf_json_get(stats, "memory_stats"));
    put_block(writer, hf_json_get(stats, "blkio_stats"));
    put_networks(writer, hf_json_get(stats, "networks"));
    put_processes(writer, hf_json_get(stats, "pids_stats"));
    put_container(writer, container);
}

void docker_states_write(struct docker_writer *writer)
{
    bool is_open = false;
    for (size_t i = 0; i < DOCKER_STATE_COUNT; i++) {
        if (writer->states[i] == 0 || !writer->wanted->metrics[STATUS].enabled) {
            continue;
        }
        if (!is_open) {
            hf_build_resource(writer->builder, hf_slice_text(SCHEMA_URL));
            hf_build_scope(writer->builder, hf_slice_text(SCOPE), hf_slice_text(HF_VERSION));
            is_open = open_metric(writer, STATUS);
        }
        add_point(writer, writer->states[i],
                  &(struct attribute){"container.state.status", hf_slice_text(state_names[i])}, 1);
    }
}
