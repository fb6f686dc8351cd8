/*
 * memory: physical memory by use, from /proc/meminfo.
 *
 * "used" is what new programs could not have: the total without what is available. So the states
 * overlap; the slabs are counted beside them, and what of them is reclaimable in the cache too.
 */
#include <errno.h>
#include <string.h>

#include "source.h"

#define METRICS(X)                                                                                 \
    X(MEMORY_AVAILABLE, "system.linux.memory.available", "By", UPDOWN, off,                        \
      "Estimate of the memory that new programs can have without swapping.")                       \
    X(MEMORY_DIRTY, "system.linux.memory.dirty", "By", UPDOWN, off,                                \
      "Memory that waits to be written to disk.")                                                  \
    X(MEMORY_LIMIT, "system.memory.limit", "By", UPDOWN, off, "Total memory.")                     \
    X(HUGEPAGES_LIMIT, "system.memory.linux.hugepages.limit", "{page}", UPDOWN, off,               \
      "Number of huge pages.")                                                                     \
    X(HUGEPAGES_PAGE_SIZE, "system.memory.linux.hugepages.page_size", "By", UPDOWN, off,           \
      "Size of a huge page.")                                                                      \
    X(HUGEPAGES_RESERVED, "system.memory.linux.hugepages.reserved", "{page}", UPDOWN, off,         \
      "Huge pages that are promised and not yet allocated; counted as free.")                      \
    X(HUGEPAGES_SURPLUS, "system.memory.linux.hugepages.surplus", "{page}", UPDOWN, off,           \
      "Huge pages beyond the persistent pool.")                                                    \
    X(HUGEPAGES_USAGE, "system.memory.linux.hugepages.usage", "{page}", UPDOWN, off,               \
      "Huge pages by state.")                                                                      \
    X(HUGEPAGES_UTILIZATION, "system.memory.linux.hugepages.utilization", "1", GAUGE, off,         \
      "Share of the huge pages by state.")                                                         \
    X(MEMORY_SHARED, "system.memory.linux.shared", "By", UPDOWN, off,                              \
      "Shared memory, tmpfs included.")                                                            \
    X(MEMORY_PAGE_SIZE, "system.memory.page_size", "By", GAUGE, off, "Size of a page.")            \
    X(MEMORY_USAGE, "system.memory.usage", "By", UPDOWN, on, "Memory by use.")                     \
    X(MEMORY_UTILIZATION, "system.memory.utilization", "1", GAUGE, off,                            \
      "Share of the memory by use.")

enum { METRICS(HF_METRIC_ID) METRIC_COUNT };
static const struct hf_metric_row metrics[] = {METRICS(HF_METRIC_ROW)};
static const struct hf_field metric_fields[] = {METRICS(HF_METRIC_FIELD) HF_FIELDS_END};

struct memory_config {
    struct hf_metric_choice metrics[METRIC_COUNT];
};

enum {
    TOTAL,
    FREE,
    AVAILABLE,
    BUFFERS,
    CACHED,
    DIRTY,
    SHARED,
    RECLAIMABLE,
    UNRECLAIMABLE,
    HUGE_TOTAL,
    HUGE_FREE,
    HUGE_RESERVED,
    HUGE_SURPLUS,
    HUGE_SIZE,
    VALUE_COUNT
};

static const struct {
    const char *key;
    uint64_t unit; /* bytes in one */
} rows[VALUE_COUNT] = {
    [TOTAL] = {"MemTotal:", 1024},
    [FREE] = {"MemFree:", 1024},
    [AVAILABLE] = {"MemAvailable:", 1024},
    [BUFFERS] = {"Buffers:", 1024},
    [CACHED] = {"Cached:", 1024},
    [DIRTY] = {"Dirty:", 1024},
    [SHARED] = {"Shmem:", 1024},
    [RECLAIMABLE] = {"SReclaimable:", 1024},
    [UNRECLAIMABLE] = {"SUnreclaim:", 1024},
    [HUGE_TOTAL] = {"HugePages_Total:", 1},
    [HUGE_FREE] = {"HugePages_Free:", 1},
    [HUGE_RESERVED] = {"HugePages_Rsvd:", 1},
    [HUGE_SURPLUS] = {"HugePages_Surp:", 1},
    [HUGE_SIZE] = {"Hugepagesize:", 1024},
};

static bool read_values(struct host *host, uint64_t *values)
{
    struct hf_slice text, line, key;
    bool seen[VALUE_COUNT] = {false};
    memset(values, 0, VALUE_COUNT * sizeof(values[0]));
    if (!host_read_proc(host, &text, "meminfo")) {
        return false;
    }
    while (host_next_line(&text, &line)) {
        uint64_t number;
        if (!host_next_word(&line, &key) || !host_next_number(&line, &number)) {
            continue;
        }
        for (unsigned i = 0; i < VALUE_COUNT; i++) {
            if (hf_slice_is(key, rows[i].key)) {
                values[i] = number * rows[i].unit;
                seen[i] = true;
            }
        }
    }
    if (!seen[AVAILABLE]) {
        values[AVAILABLE] = values[CACHED] + values[FREE];
    }
    values[CACHED] += values[RECLAIMABLE];
    return true;
}

static void put_one(struct host_run *run, unsigned id, uint64_t value)
{
    if (host_metric(run, id)) {
        host_int(run, value, NULL, 0);
    }
}

static void put_usage(struct host_run *run, const uint64_t *values)
{
    const struct {
        struct hf_slice state;
        uint64_t bytes;
    } uses[] = {
        {HOST_TEXT("used"), values[TOTAL] - values[AVAILABLE]},
        {HOST_TEXT("free"), values[FREE]},
        {HOST_TEXT("buffered"), values[BUFFERS]},
        {HOST_TEXT("cached"), values[CACHED]},
        {HOST_TEXT("slab_reclaimable"), values[RECLAIMABLE]},
        {HOST_TEXT("slab_unreclaimable"), values[UNRECLAIMABLE]},
    };
    const size_t count = sizeof(uses) / sizeof(uses[0]);
    bool is_on = host_metric(run, MEMORY_USAGE);
    for (size_t i = 0; is_on && i < count; i++) {
        HOST_INT(run, uses[i].bytes, {"state", uses[i].state});
    }
    is_on = host_metric(run, MEMORY_UTILIZATION);
    for (size_t i = 0; is_on && i < count; i++) {
        HOST_DOUBLE(run, host_ratio(uses[i].bytes, values[TOTAL]), {"state", uses[i].state});
    }
}

static void put_huge_pages(struct host_run *run, const uint64_t *values)
{
    static const struct hf_slice states[] = {HOST_TEXT("free"), HOST_TEXT("used")};
    static const char key[] = "system.memory.linux.hugepages.state";
    const uint64_t pages[] = {values[HUGE_FREE], values[HUGE_TOTAL] - values[HUGE_FREE]};
    put_one(run, HUGEPAGES_PAGE_SIZE, values[HUGE_SIZE]);
    put_one(run, HUGEPAGES_LIMIT, values[HUGE_TOTAL]);
    put_one(run, HUGEPAGES_RESERVED, values[HUGE_RESERVED]);
    put_one(run, HUGEPAGES_SURPLUS, values[HUGE_SURPLUS]);
    bool is_on = host_metric(run, HUGEPAGES_USAGE);
    for (unsigned i = 0; is_on && i < 2; i++) {
        HOST_INT(run, pages[i], {key, states[i]});
    }
    is_on = values[HUGE_TOTAL] != 0 && host_metric(run, HUGEPAGES_UTILIZATION);
    for (unsigned i = 0; is_on && i < 2; i++) {
        HOST_DOUBLE(run, host_ratio(pages[i], values[HUGE_TOTAL]), {key, states[i]});
    }
}

static void scrape_memory(void *self, struct host_run *run)
{
    uint64_t values[VALUE_COUNT];
    (void)self;
    if (!read_values(run->host, values)) {
        host_failed(run, 2, "reading meminfo failed: %s", strerror(errno));
        return;
    }
    if (values[TOTAL] == 0) {
        host_failed(run, 2, "meminfo has no MemTotal");
        return;
    }
    put_usage(run, values);
    put_one(run, MEMORY_LIMIT, values[TOTAL]);
    put_one(run, MEMORY_AVAILABLE, values[AVAILABLE]);
    put_one(run, MEMORY_DIRTY, values[DIRTY]);
    put_one(run, MEMORY_SHARED, values[SHARED]);
    put_huge_pages(run, values);
    put_one(run, MEMORY_PAGE_SIZE, run->host->page_size);
}

HOST_CHECK_ROOM(struct memory_config);

const struct hf_field host_memory_fields[] = {
    HOST_METRICS_BLOCK(metric_fields),
    HF_FIELDS_END,
};

const struct host_source host_memory = {
    .name = "memory",
    .metrics = metrics,
    .metric_count = METRIC_COUNT,
    .scrape = scrape_memory,
};
