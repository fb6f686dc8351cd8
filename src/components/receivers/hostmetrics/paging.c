/*
 * paging: swap areas, from /proc/swaps, and page operations and faults, from /proc/vmstat.
 *
 * Operations and faults are multiplied by 4096, as the Go collector does, so that dashboards show
 * the same after a change of collectors.
 */
#include <errno.h>
#include <string.h>

#include "source.h"

#define GO_FACTOR 4096u

#define METRICS(X)                                                                                 \
    X(PAGING_FAULTS, "system.paging.faults", "{faults}", COUNTER, on, "Page faults, times 4096.")  \
    X(PAGING_OPERATIONS, "system.paging.operations", "{operations}", COUNTER, on,                  \
      "Paging operations, times 4096.")                                                            \
    X(PAGING_USAGE, "system.paging.usage", "By", UPDOWN, on, "Use of the swap areas.")             \
    X(PAGING_UTILIZATION, "system.paging.utilization", "1", GAUGE, off, "Share of the swap areas.")

enum { METRICS(HF_METRIC_ID) METRIC_COUNT };
static const struct hf_metric_row metrics[] = {METRICS(HF_METRIC_ROW)};
static const struct hf_field metric_fields[] = {METRICS(HF_METRIC_FIELD) HF_FIELDS_END};

struct paging_config {
    struct hf_metric_choice metrics[METRIC_COUNT];
};

/* ---- swap areas ---- */

struct area {
    struct hf_slice device;
    uint64_t total, used; /* bytes */
};

/* Filename, Type, Size, Used, ... in KiB. */
static bool read_area(struct hf_slice line, struct area *area)
{
    if (!host_next_word(&line, &area->device) || !host_skip_words(&line, 1) ||
        !host_next_number(&line, &area->total) || !host_next_number(&line, &area->used)) {
        return false;
    }
    area->total *= 1024;
    area->used *= 1024;
    return area->used <= area->total;
}

static bool is_head(struct hf_slice line)
{
    struct hf_slice name, size, used;
    return host_next_word(&line, &name) && host_skip_words(&line, 1) &&
           host_next_word(&line, &size) && host_next_word(&line, &used) &&
           hf_slice_is(name, "Filename") && hf_slice_is(size, "Size") && hf_slice_is(used, "Used");
}

static void put_area(struct host_run *run, unsigned id, const struct area *area)
{
    uint64_t left = area->total - area->used;
    if (id == PAGING_USAGE) {
        HOST_INT(run, area->used, {"device", area->device}, {"state", HOST_TEXT("used")});
        HOST_INT(run, left, {"device", area->device}, {"state", HOST_TEXT("free")});
    } else {
        HOST_DOUBLE(run, (double)area->used / (double)area->total, {"device", area->device},
                    {"state", HOST_TEXT("used")});
        HOST_DOUBLE(run, (double)left / (double)area->total, {"device", area->device},
                    {"state", HOST_TEXT("free")});
    }
}

static void put_areas(struct host_run *run, unsigned id, struct hf_slice text)
{
    struct hf_slice line;
    bool is_on = host_metric(run, id);
    while (is_on && host_next_line(&text, &line)) {
        struct area area;
        if (read_area(line, &area)) {
            put_area(run, id, &area);
        } else {
            host_failed(run, 1, "a row of swaps is malformed");
        }
    }
}

static void scrape_areas(struct host_run *run)
{
    struct hf_slice text, line;
    if (!host_read_proc(run->host, &text, "swaps")) {
        host_failed(run, 2, "reading swaps failed: %s", strerror(errno));
        return;
    }
    if (!host_next_line(&text, &line) || !is_head(line)) {
        host_failed(run, 2, "the head of swaps is not Filename, Type, Size, Used");
        return;
    }
    put_areas(run, PAGING_USAGE, text);
    put_areas(run, PAGING_UTILIZATION, text);
}

/* ---- operations ---- */

enum { SWAP_IN, SWAP_OUT, PAGE_IN, PAGE_OUT, FAULTS, MAJOR_FAULTS, COUNTER_COUNT };

static const char *const counter_names[COUNTER_COUNT] = {"pswpin",  "pswpout", "pgpgin",
                                                         "pgpgout", "pgfault", "pgmajfault"};

static bool read_counters(struct host *host, uint64_t *counters)
{
    struct hf_slice text, line, key;
    memset(counters, 0, COUNTER_COUNT * sizeof(counters[0]));
    if (!host_read_proc(host, &text, "vmstat")) {
        return false;
    }
    while (host_next_line(&text, &line)) {
        uint64_t number;
        if (!host_next_word(&line, &key) || !host_next_number(&line, &number)) {
            continue;
        }
        for (unsigned i = 0; i < COUNTER_COUNT; i++) {
            if (hf_slice_is(key, counter_names[i])) {
                counters[i] = number * GO_FACTOR;
            }
        }
    }
    return true;
}

static void scrape_counters(struct host_run *run)
{
    uint64_t counters[COUNTER_COUNT];
    if (!read_counters(run->host, counters)) {
        host_failed(run, 2, "reading vmstat failed: %s", strerror(errno));
        return;
    }
    if (host_metric(run, PAGING_OPERATIONS)) {
        HOST_INT(run, counters[SWAP_IN], {"direction", HOST_TEXT("page_in")},
                 {"type", HOST_TEXT("major")});
        HOST_INT(run, counters[SWAP_OUT], {"direction", HOST_TEXT("page_out")},
                 {"type", HOST_TEXT("major")});
        HOST_INT(run, counters[PAGE_IN], {"direction", HOST_TEXT("page_in")},
                 {"type", HOST_TEXT("minor")});
        HOST_INT(run, counters[PAGE_OUT], {"direction", HOST_TEXT("page_out")},
                 {"type", HOST_TEXT("minor")});
    }
    if (host_metric(run, PAGING_FAULTS)) {
        HOST_INT(run, counters[MAJOR_FAULTS], {"type", HOST_TEXT("major")});
        HOST_INT(run, counters[FAULTS] - counters[MAJOR_FAULTS], {"type", HOST_TEXT("minor")});
    }
}

static void scrape_paging(void *self, struct host_run *run)
{
    (void)self;
    scrape_areas(run);
    scrape_counters(run);
}

HOST_CHECK_ROOM(struct paging_config);

const struct hf_field host_paging_fields[] = {
    HOST_METRICS_BLOCK(metric_fields),
    HF_FIELDS_END,
};

const struct host_source host_paging = {
    .name = "paging",
    .metrics = metrics,
    .metric_count = METRIC_COUNT,
    .scrape = scrape_paging,
};
