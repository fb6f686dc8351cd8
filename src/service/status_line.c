#include "status_line.h"

#include <string.h>

#include <holdfast/overview.h>

#include "pipeline/graph.h"
#include "storage/storage.h"
#include "util/escape.h"
#include "util/time/clock.h"

struct sums {
    uint64_t received, delivered, queued, oldest_ns;
};

static void add_consumer(void *user, const struct wal_consumer_stat *stat)
{
    struct sums *sums = user;
    sums->delivered += stat->accounting.delivered.items;
    sums->queued += stat->accounting.queued.items;
    if (stat->oldest_time_ns != 0 &&
        (sums->oldest_ns == 0 || stat->oldest_time_ns < sums->oldest_ns)) {
        sums->oldest_ns = stat->oldest_time_ns;
    }
}

static void add_queue(void *user, const char *kind, const char *id, struct wal *wal)
{
    struct sums *sums = user;
    struct wal_stat stat;
    (void)id;
    if (strcmp(kind, "queue") != 0) {
        return;
    }
    wal_stat(wal, &stat);
    sums->received += stat.appended.items;
    enum wal_status seen = wal_consumer_each(wal, add_consumer, sums);
    (void)seen; /* a line that misses one queue */
}

static struct sums sum(struct hf_storage *store)
{
    struct sums sums = {0};
    hf_storage_each(store, add_queue, &sums);
    return sums;
}

void hf_status_line_begin(struct hf_status_line *line, struct hf_storage *store)
{
    const struct sums sums = sum(store);
    *line = (struct hf_status_line){
        .received = sums.received, .delivered = sums.delivered, .at_ns = hf_clock_monotonic_ns()};
}

/* A single request by hand must not show as 0/s. */
static int decimals(double rate)
{
    return rate > 0 && rate < 10 ? 1 : 0;
}

/* An exporter that fails matters more than that nothing came. */
static void print_hint(struct hf_status_line *line, const struct hf_graph *graph, uint64_t received,
                       FILE *out)
{
    struct hf_state_look look;
    uint64_t now_ns = hf_clock_unix_ns();
    const char *failing = hf_graph_find_fault(graph, &look);
    if (failing != NULL) {
        uint64_t since_ns = look.since_unix_ns != 0 && now_ns > look.since_unix_ns
                                ? now_ns - look.since_unix_ns
                                : 0;
        fputs("  ", out);
        hf_escape_print(HF_ESCAPE_LINE, hf_slice_text(failing), out);
        fprintf(out, " has failed for %.0fs: ", (double)since_ns / 1e9);
        hf_escape_print(HF_ESCAPE_LINE, hf_slice_text(look.error), out);
        fputs(look.state == HF_STATE_PERMANENT_ERROR ? " (correct it; the data waits in the queue)"
                                                     : " (the data waits in the queue)",
              out);
    } else if (received == 0 && !line->has_hinted) {
        fputs("  nothing came yet: point a sender to one of the addresses in the log above", out);
        line->has_hinted = true;
    }
}

void hf_status_line_print(struct hf_status_line *line, struct hf_storage *store,
                          const struct hf_graph *graph, FILE *out)
{
    const struct sums sums = sum(store);
    uint64_t now_ns = hf_clock_monotonic_ns();
    uint64_t unix_ns = hf_clock_unix_ns();
    double seconds = (double)(now_ns - line->at_ns) / 1e9;
    uint64_t oldest_ns = sums.queued != 0 && sums.oldest_ns != 0 && unix_ns > sums.oldest_ns
                             ? unix_ns - sums.oldest_ns
                             : 0;
    double received = (double)(sums.received - line->received) / seconds;
    double delivered = (double)(sums.delivered - line->delivered) / seconds;
    fprintf(out, "received %.*f/s  queued %llu  delivered %.*f/s  oldest %.1fs", decimals(received),
            received, (unsigned long long)sums.queued, decimals(delivered), delivered,
            (double)oldest_ns / 1e9);
    print_hint(line, graph, sums.received, out);
    fputc('\n', out);
    line->received = sums.received;
    line->delivered = sums.delivered;
    line->at_ns = now_ns;
}
