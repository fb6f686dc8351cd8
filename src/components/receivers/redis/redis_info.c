#include "redis_info.h"

#include <inttypes.h>
#include <stdio.h>

const struct hf_metric_row redis_rows[] = {REDIS_METRICS(HF_METRIC_ROW)};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* Keys with one number each. */
static const struct {
    const char *key;
    unsigned id;
    bool is_double;
    const char *state; /* of redis.cpu.time */
} numbers[] = {
    {.key = "blocked_clients", .id = REDIS_BLOCKED},
    {.key = "client_recent_max_input_buffer", .id = REDIS_MAX_INPUT},
    {.key = "client_recent_max_output_buffer", .id = REDIS_MAX_OUTPUT},
    {.key = "cluster_current_epoch", .id = REDIS_CLUSTER_UPTIME},
    {.key = "cluster_enabled", .id = REDIS_CLUSTER_ENABLED},
    {.key = "cluster_known_nodes", .id = REDIS_CLUSTER_KNOWN},
    {.key = "cluster_my_epoch", .id = REDIS_CLUSTER_NODE_UPTIME},
    {.key = "cluster_size", .id = REDIS_CLUSTER_SIZE},
    {.key = "cluster_slots_assigned", .id = REDIS_CLUSTER_ASSIGNED},
    {.key = "cluster_slots_fail", .id = REDIS_CLUSTER_FAILED},
    {.key = "cluster_slots_ok", .id = REDIS_CLUSTER_OK},
    {.key = "cluster_slots_pfail", .id = REDIS_CLUSTER_FAILING},
    {.key = "cluster_stats_messages_received", .id = REDIS_CLUSTER_RECEIVED},
    {.key = "cluster_stats_messages_sent", .id = REDIS_CLUSTER_SENT},
    {.key = "connected_clients", .id = REDIS_CONNECTED},
    {.key = "connected_slaves", .id = REDIS_REPLICAS},
    {.key = "evicted_keys", .id = REDIS_EVICTED},
    {.key = "expired_keys", .id = REDIS_EXPIRED},
    {.key = "instantaneous_ops_per_sec", .id = REDIS_COMMANDS},
    {.key = "keyspace_hits", .id = REDIS_HITS},
    {.key = "keyspace_misses", .id = REDIS_MISSES},
    {.key = "latest_fork_usec", .id = REDIS_FORK},
    {.key = "master_repl_offset", .id = REDIS_OFFSET},
    {.key = "maxmemory", .id = REDIS_MAXMEMORY},
    {.key = "mem_fragmentation_ratio", .id = REDIS_FRAGMENTATION, .is_double = true},
    {.key = "rdb_changes_since_last_save", .id = REDIS_CHANGES},
    {.key = "rejected_connections", .id = REDIS_REJECTED},
    {.key = "repl_backlog_first_byte_offset", .id = REDIS_BACKLOG},
    {.key = "sentinel_masters", .id = REDIS_SENTINEL_MASTERS},
    {.key = "sentinel_running_scripts", .id = REDIS_SENTINEL_SCRIPTS},
    {.key = "sentinel_scripts_queue_length", .id = REDIS_SENTINEL_QUEUE},
    {.key = "sentinel_simulate_failure_flags", .id = REDIS_SENTINEL_SIMULATE},
    {.key = "sentinel_tilt_since_seconds", .id = REDIS_SENTINEL_TILT_SINCE},
    {.key = "sentinel_total_tilt", .id = REDIS_SENTINEL_TILT},
    {.key = "slave_repl_offset", .id = REDIS_REPLICA_OFFSET},
    {.key = "total_cluster_links_buffer_limit_exceeded", .id = REDIS_CLUSTER_LINKS},
    {.key = "total_commands_processed", .id = REDIS_PROCESSED},
    {.key = "total_connections_received", .id = REDIS_RECEIVED},
    {.key = "total_net_input_bytes", .id = REDIS_NET_INPUT},
    {.key = "total_net_output_bytes", .id = REDIS_NET_OUTPUT},
    {.key = "tracking_total_keys", .id = REDIS_TRACKED},
    {.key = "uptime_in_seconds", .id = REDIS_UPTIME},
    {.key = "used_cpu_sys", .id = REDIS_CPU, .is_double = true, .state = "sys"},
    {.key = "used_cpu_sys_children", .id = REDIS_CPU, .is_double = true, .state = "sys_children"},
    {.key = "used_cpu_sys_main_thread",
     .id = REDIS_CPU,
     .is_double = true,
     .state = "sys_main_thread"},
    {.key = "used_cpu_user", .id = REDIS_CPU, .is_double = true, .state = "user"},
    {.key = "used_cpu_user_children", .id = REDIS_CPU, .is_double = true, .state = "user_children"},
    {.key = "used_cpu_user_main_thread",
     .id = REDIS_CPU,
     .is_double = true,
     .state = "user_main_thread"},
    {.key = "used_memory", .id = REDIS_USED},
    {.key = "used_memory_lua", .id = REDIS_LUA},
    {.key = "used_memory_overhead", .id = REDIS_OVERHEAD},
    {.key = "used_memory_peak", .id = REDIS_PEAK},
    {.key = "used_memory_rss", .id = REDIS_RSS},
    {.key = "used_memory_startup", .id = REDIS_STARTUP},
};

/* Keys whose value is a word, or a list of numbers for each database. */
enum word { WORD_MODE = 0, WORD_ROLE, WORD_STATE, WORD_VERSION, WORD_RUN_ID, WORD_COUNT };

static const char *const words[WORD_COUNT] = {"redis_mode", "role", "cluster_state",
                                              "redis_version", "run_id"};

/* The values that were found; data NULL: it is not there. */
struct found {
    struct hf_slice numbers[COUNT(numbers)], words[WORD_COUNT], databases[REDIS_DATABASES];
};

struct reading {
    struct found found;
    struct redis_facts *facts;
    struct hf_points *points;
};

static void note_wrong(struct reading *reading, struct hf_slice key)
{
    struct redis_facts *facts = reading->facts;
    if (facts->wrong++ == 0) {
        snprintf(facts->first_wrong, sizeof(facts->first_wrong), "%.*s", (int)key.size,
                 (const char *)key.data);
    }
}

static bool begins(struct hf_slice text, const char *with, struct hf_slice *ret_rest)
{
    size_t size = strlen(with);
    if (text.size <= size || memcmp(text.data, with, size) != 0) {
        return false;
    }
    *ret_rest = hf_slice_of(text.data + size, text.size - size);
    return true;
}

/* Takes what stands before `end`, or all; false: nothing is left. */
static bool take_until(struct hf_slice *rest, uint8_t end, struct hf_slice *ret_part)
{
    if (rest->size == 0) {
        return false;
    }
    const uint8_t *at = memchr(rest->data, end, rest->size);
    size_t size = at != NULL ? (size_t)(at - rest->data) : rest->size;
    size_t used = at != NULL ? size + 1 : size;
    *ret_part = hf_slice_of(rest->data, size);
    *rest = hf_slice_of(rest->data + used, rest->size - used);
    return true;
}

/* "a=1": both sides; false: it is no pair. */
static bool split_pair(struct hf_slice pair, uint8_t by, struct hf_slice *ret_key,
                       struct hf_slice *ret_value)
{
    const uint8_t *at = pair.size != 0 ? memchr(pair.data, by, pair.size) : NULL;
    if (at == NULL) {
        return false;
    }
    size_t size = (size_t)(at - pair.data);
    *ret_key = hf_slice_of(pair.data, size);
    *ret_value = hf_slice_of(at + 1, pair.size - size - 1);
    return ret_value->size == 0 || memchr(ret_value->data, by, ret_value->size) == NULL;
}

/* ---- lines of commands ---- */

static struct hf_points_attribute text_of(const char *key, struct hf_slice text)
{
    return (struct hf_points_attribute){.key = key, .text = text};
}

/* cmdstat_get:calls=1,usec=6,usec_per_call=6.00,... */
static void add_command(struct reading *reading, struct hf_slice command, struct hf_slice value)
{
    const struct hf_points_attribute attribute = text_of("cmd", command);
    struct hf_slice pair, key, number;
    int64_t integer;
    while (take_until(&value, ',', &pair)) {
        if (!split_pair(pair, '=', &key, &number) || !hf_read_int(number, &integer)) {
            continue;
        }
        if (hf_slice_is(key, "calls")) {
            hf_points_int(reading->points, REDIS_COMMAND_CALLS, integer, &attribute, 1);
        } else if (hf_slice_is(key, "usec")) {
            hf_points_int(reading->points, REDIS_COMMAND_TIME, integer, &attribute, 1);
        }
    }
}

/* latency_percentiles_usec_get:p50=1.003,p99=1.003,p99.9=1.003 */
static void add_latency(struct reading *reading, struct hf_slice command, struct hf_slice value)
{
    static const char *const percentiles[] = {"p50", "p99", "p99.9"};
    struct hf_slice pair, key, number;
    double us;
    while (take_until(&value, ',', &pair)) {
        if (!split_pair(pair, '=', &key, &number) || !hf_read_double(number, &us)) {
            continue;
        }
        for (size_t i = 0; i < COUNT(percentiles); i++) {
            if (hf_slice_is(key, percentiles[i])) {
                const struct hf_points_attribute attributes[] = {text_of("cmd", command),
                                                                 text_of("percentile", key)};
                hf_points_double(reading->points, REDIS_COMMAND_LATENCY, us / 1e6, attributes, 2);
            }
        }
    }
}

/* ---- what is found at the end ---- */

static void add_number(struct reading *reading, size_t number)
{
    struct hf_slice value = reading->found.numbers[number];
    const char *state = numbers[number].state;
    const struct hf_points_attribute attribute =
        text_of("state", hf_slice_text(state != NULL ? state : ""));
    size_t attribute_count = state != NULL ? 1 : 0;
    int64_t integer;
    double real;
    if (numbers[number].is_double && hf_read_double(value, &real)) {
        hf_points_double(reading->points, numbers[number].id, real, &attribute, attribute_count);
    } else if (!numbers[number].is_double && hf_read_int(value, &integer)) {
        hf_points_int(reading->points, numbers[number].id, integer, &attribute, attribute_count);
    } else {
        note_wrong(reading, hf_slice_text(numbers[number].key));
    }
}

/* keys=1,expires=2,avg_ttl=3 */
static void add_database(struct reading *reading, size_t number)
{
    static const char *const keys[] = {"keys", "expires", "avg_ttl"};
    static const unsigned ids[] = {REDIS_DB_KEYS, REDIS_DB_EXPIRES, REDIS_DB_TTL};
    struct hf_slice value = reading->found.databases[number], pair, key, text;
    int64_t integers[COUNT(keys)] = {0};
    char name[16];
    int size = snprintf(name, sizeof(name), "db%zu", number);
    struct hf_slice whole = hf_slice_of(name, (size_t)size);
    bool is_good = value.size != 0;
    while (take_until(&value, ',', &pair) && is_good) {
        is_good = split_pair(pair, '=', &key, &text);
        for (size_t i = 0; i < COUNT(keys) && is_good; i++) {
            is_good = !hf_slice_is(key, keys[i]) || hf_read_int(text, &integers[i]);
        }
    }
    if (!is_good) {
        note_wrong(reading, whole);
        return;
    }
    const struct hf_points_attribute attribute =
        text_of("db", hf_slice_of(whole.data + 2, whole.size - 2));
    for (size_t i = 0; i < COUNT(keys); i++) {
        hf_points_int(reading->points, ids[i], integers[i], &attribute, 1);
    }
}

static void add_words(struct reading *reading)
{
    static const char *const modes[] = {"cluster", "sentinel", "standalone"};
    const struct hf_slice *found = reading->found.words;
    for (size_t i = 0; i < COUNT(modes); i++) {
        if (hf_slice_is(found[WORD_MODE], modes[i])) {
            const struct hf_points_attribute mode = text_of("mode", found[WORD_MODE]);
            hf_points_int(reading->points, REDIS_MODE, 1, &mode, 1);
        }
    }
    if (found[WORD_ROLE].data != NULL) {
        bool is_primary = hf_slice_is(found[WORD_ROLE], "master");
        const struct hf_points_attribute role =
            text_of("role", hf_slice_text(is_primary ? "primary" : "replica"));
        hf_points_int(reading->points, REDIS_ROLE, 1, &role, 1);
    }
    if (found[WORD_STATE].data != NULL) {
        bool is_ok = hf_slice_is(found[WORD_STATE], "ok");
        const struct hf_points_attribute state =
            text_of("cluster_state", hf_slice_text(is_ok ? "ok" : "fail"));
        hf_points_int(reading->points, REDIS_CLUSTER_STATE, 1, &state, 1);
    }
    reading->facts->version = found[WORD_VERSION];
    reading->facts->run_id = found[WORD_RUN_ID];
}

/* ---- lines ---- */

static void find_database(struct found *found, struct hf_slice key, struct hf_slice value)
{
    struct hf_slice digits;
    int64_t number;
    if (begins(key, "db", &digits) && hf_read_int(digits, &number) && number >= 0 &&
        number < REDIS_DATABASES) {
        found->databases[number] = value;
    }
}

static void read_line(struct reading *reading, struct hf_slice line)
{
    struct found *found = &reading->found;
    struct hf_slice key, value, command;
    if (line.size == 0 || line.data[0] == '#' || !split_pair(line, ':', &key, &value)) {
        return;
    }
    if (begins(key, "cmdstat_", &command)) {
        add_command(reading, command, value);
        return;
    }
    if (begins(key, "latency_percentiles_usec_", &command)) {
        add_latency(reading, command, value);
        return;
    }
    for (size_t i = 0; i < COUNT(numbers); i++) {
        if (hf_slice_is(key, numbers[i].key)) {
            found->numbers[i] = value;
        }
    }
    for (size_t i = 0; i < WORD_COUNT; i++) {
        if (hf_slice_is(key, words[i])) {
            found->words[i] = value;
        }
    }
    find_database(found, key, value);
}

void redis_info_read(struct hf_slice text, struct redis_facts *ret_facts, struct hf_points *points)
{
    struct reading reading = {.facts = ret_facts, .points = points};
    struct hf_slice line;
    *ret_facts = (struct redis_facts){.is_info = false};
    while (take_until(&text, '\n', &line)) {
        if (line.size != 0 && line.data[line.size - 1] == '\r') {
            line.size--;
        }
        read_line(&reading, line);
    }
    for (size_t i = 0; i < COUNT(numbers); i++) {
        struct hf_slice value = reading.found.numbers[i];
        if (value.data == NULL) {
            continue;
        }
        add_number(&reading, i);
        if (numbers[i].id == REDIS_UPTIME) {
            ret_facts->is_info = hf_read_int(value, &ret_facts->uptime_s);
        } else if (numbers[i].id == REDIS_CLUSTER_ENABLED) {
            ret_facts->is_cluster = hf_slice_is(value, "1");
        }
    }
    for (size_t i = 0; i < REDIS_DATABASES; i++) {
        if (reading.found.databases[i].data != NULL) {
            add_database(&reading, i);
        }
    }
    add_words(&reading);
}
