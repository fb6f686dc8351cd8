/*
 * main: the words of holdfast-storm.
 */
#include <getopt.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "storm.h"

static const char usage[] =
    "Usage: holdfast-storm send|sink|check [options]\n"
    "\n"
    "  send   --target HOST:PORT [--http] [--signal traces|metrics|logs]\n"
    "         [--coding identity|gzip|zstd] [--connections N] [--in-flight N] [--items N]\n"
    "         [--requests N] [--seconds S] [--rate ITEMS] [--first N] [--pool N] [--retry]\n"
    "         [--hold S] [--failed] [--trace-spans N [--trace-requests N]]\n"
    "         [--span-names N] [--pod-names N]\n"
    "         [--acked FILE --capacity N] [--status FILE]\n"
    "  sink   --target 127.0.0.1:PORT [--http] [--arrived FILE --capacity N] [--commands FIFO]\n"
    "         [--seconds S] [--status FILE]; port 0 is chosen and printed\n"
    "  check  --acked FILE --arrived FILE --items N; exit 1: something acknowledged did not\n"
    "         arrive\n"
    "\n"
    "Each prints one JSON line at its end. Lines for the sink's FIFO:\n"
    "  ok                  take all (the beginning)\n"
    "  code N              refuse with that gRPC or HTTP code\n"
    "  retry N [MS]        the same, with RetryInfo or Retry-After (20 ms; 1 s over HTTP)\n"
    "  some PERCENT N      refuse that share with code N, take the rest\n"
    "  hang                take nothing, never answer\n"
    "  slow MS [N]         answer after MS; with a code other than 0, take nothing\n"
    "  cut [N]             take, then break the connection in mid-answer, at every N-th request\n"
    "  partial N           take, and answer that N items were rejected\n";

enum kind { TEXT, FLAG, NUMBER, LONG_NUMBER, FRACTION, SIGNAL, CODING };

#define AT(member) offsetof(struct storm_options, member)

static const struct option_row {
    const char *name;
    enum kind kind;
    size_t offset;
} rows[] = {
    {"target", TEXT, AT(target)},
    {"http", FLAG, AT(http)},
    {"signal", SIGNAL, AT(signal)},
    {"coding", CODING, AT(coding)},
    {"connections", NUMBER, AT(connections)},
    {"in-flight", NUMBER, AT(in_flight)},
    {"items", NUMBER, AT(items)},
    {"requests", LONG_NUMBER, AT(requests)},
    {"seconds", FRACTION, AT(seconds)},
    {"rate", FRACTION, AT(rate)},
    {"first", LONG_NUMBER, AT(first)},
    {"pool", NUMBER, AT(pool)},
    {"retry", FLAG, AT(keep_refused)},
    {"acked", TEXT, AT(acked)},
    {"arrived", TEXT, AT(arrived)},
    {"capacity", LONG_NUMBER, AT(capacity)},
    {"commands", TEXT, AT(commands)},
    {"status", TEXT, AT(status)},
    {"hold", FRACTION, AT(hold)},
    {"failed", FLAG, AT(failed)},
    {"trace-spans", NUMBER, AT(trace_spans)},
    {"trace-requests", NUMBER, AT(trace_requests)},
    {"span-names", NUMBER, AT(span_names)},
    {"pod-names", NUMBER, AT(pod_names)},
};
enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

static bool find_name(const char *text, const char *(*name)(int), int count, int *ret)
{
    for (int i = 0; i < count; i++) {
        if (strcmp(text, name(i)) == 0) {
            *ret = i;
            return true;
        }
    }
    return false;
}

static const char *signal_name(int i)
{
    return hf_signal_name((enum hf_signal)i);
}

static const char *coding_name(int i)
{
    return hf_coding_name((enum hf_coding)i);
}

static bool take(struct storm_options *options, const struct option_row *row)
{
    void *place = (char *)options + row->offset;
    int found = 0;
    bool is_good = true;
    switch (row->kind) {
    case TEXT:
        *(const char **)place = optarg;
        break;
    case FLAG:
        *(bool *)place = true;
        break;
    case NUMBER:
        *(uint32_t *)place = (uint32_t)strtoul(optarg, NULL, 10);
        break;
    case LONG_NUMBER:
        *(uint64_t *)place = strtoull(optarg, NULL, 10);
        break;
    case FRACTION:
        *(double *)place = strtod(optarg, NULL);
        break;
    case SIGNAL:
        is_good = find_name(optarg, signal_name, HF_SIGNAL_COUNT, &found);
        *(enum hf_signal *)place = (enum hf_signal)found;
        break;
    case CODING:
        is_good = find_name(optarg, coding_name, HF_CODING_COUNT, &found);
        *(enum hf_coding *)place = (enum hf_coding)found;
        break;
    }
    return is_good;
}

static bool read_options(int argc, char **argv, struct storm_options *options)
{
    struct option table[ROWS + 1] = {{NULL}};
    int row;
    for (size_t i = 0; i < ROWS; i++) {
        table[i].name = rows[i].name;
        table[i].has_arg = rows[i].kind == FLAG ? no_argument : required_argument;
        table[i].val = (int)i;
    }
    while ((row = getopt_long(argc, argv, "", table, NULL)) != -1) {
        if (row >= ROWS || !take(options, &rows[row])) {
            return false;
        }
    }
    return true;
}

int main(int argc, char **argv)
{
    struct storm_options options = {.connections = 4, .in_flight = 4, .items = 100};
    const char *mode = argc > 1 ? argv[1] : "";
    bool sane = read_options(argc - 1, argv + 1, &options) && options.connections != 0 && options.in_flight != 0 && options.items != 0;
    if (sane && strcmp(mode, "send") == 0 && options.target != NULL) {
        options.seconds = options.seconds > 0 ? options.seconds : 3600;
        return storm_send(&options);
    }
    if (sane && strcmp(mode, "sink") == 0 && options.target != NULL) {
        return storm_sink(&options);
    }
    if (sane && strcmp(mode, "check") == 0 && options.acked != NULL && options.arrived != NULL) {
        return storm_check(&options);
    }
    fputs(usage, stderr);
    return 2;
}
