/*
 * main: the words of holdfast-storm.
 */
#include <getopt.h>
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

enum option_code {
    TARGET = 1,
    HTTP,
    SIGNAL,
    CODING,
    CONNECTIONS,
    IN_FLIGHT,
    ITEMS,
    REQUESTS,
    SECONDS,
    RATE,
    FIRST,
    POOL,
    RETRY,
    ACKED,
    ARRIVED,
    CAPACITY,
    COMMANDS,
    STATUS,
    HOLD,
    FAILED,
    TRACE_SPANS,
    TRACE_REQUESTS,
    SPAN_NAMES,
    POD_NAMES,
};

static const struct option options_table[] = {
    {"target", required_argument, NULL, TARGET},
    {"http", no_argument, NULL, HTTP},
    {"signal", required_argument, NULL, SIGNAL},
    {"coding", required_argument, NULL, CODING},
    {"connections", required_argument, NULL, CONNECTIONS},
    {"in-flight", required_argument, NULL, IN_FLIGHT},
    {"items", required_argument, NULL, ITEMS},
    {"requests", required_argument, NULL, REQUESTS},
    {"seconds", required_argument, NULL, SECONDS},
    {"rate", required_argument, NULL, RATE},
    {"first", required_argument, NULL, FIRST},
    {"pool", required_argument, NULL, POOL},
    {"retry", no_argument, NULL, RETRY},
    {"acked", required_argument, NULL, ACKED},
    {"arrived", required_argument, NULL, ARRIVED},
    {"capacity", required_argument, NULL, CAPACITY},
    {"commands", required_argument, NULL, COMMANDS},
    {"status", required_argument, NULL, STATUS},
    {"hold", required_argument, NULL, HOLD},
    {"failed", no_argument, NULL, FAILED},
    {"trace-spans", required_argument, NULL, TRACE_SPANS},
    {"trace-requests", required_argument, NULL, TRACE_REQUESTS},
    {"span-names", required_argument, NULL, SPAN_NAMES},
    {"pod-names", required_argument, NULL, POD_NAMES},
    {NULL, 0, NULL, 0},
};

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

static bool take(struct storm_options *options, int option)
{
    int found = 0;
    switch (option) {
    case TARGET:
        options->target = optarg;
        return true;
    case HTTP:
        options->http = true;
        return true;
    case SIGNAL:
        if (!find_name(optarg, signal_name, HF_SIGNAL_COUNT, &found)) {
            return false;
        }
        options->signal = (enum hf_signal)found;
        return true;
    case CODING:
        if (!find_name(optarg, coding_name, HF_CODING_COUNT, &found)) {
            return false;
        }
        options->coding = (enum hf_coding)found;
        return true;
    case CONNECTIONS:
        options->connections = (unsigned)strtoul(optarg, NULL, 10);
        return true;
    case IN_FLIGHT:
        options->in_flight = (unsigned)strtoul(optarg, NULL, 10);
        return true;
    case ITEMS:
        options->items = (uint32_t)strtoul(optarg, NULL, 10);
        return true;
    case REQUESTS:
        options->requests = strtoull(optarg, NULL, 10);
        return true;
    case SECONDS:
        options->seconds = strtod(optarg, NULL);
        return true;
    case RATE:
        options->rate = strtod(optarg, NULL);
        return true;
    case FIRST:
        options->first = strtoull(optarg, NULL, 10);
        return true;
    case POOL:
        options->pool = (unsigned)strtoul(optarg, NULL, 10);
        return true;
    case RETRY:
        options->keep_refused = true;
        return true;
    case ACKED:
        options->acked = optarg;
        return true;
    case ARRIVED:
        options->arrived = optarg;
        return true;
    case CAPACITY:
        options->capacity = strtoull(optarg, NULL, 10);
        return true;
    case COMMANDS:
        options->commands = optarg;
        return true;
    case STATUS:
        options->status = optarg;
        return true;
    case HOLD:
        options->hold = strtod(optarg, NULL);
        return true;
    case FAILED:
        options->failed = true;
        return true;
    case TRACE_SPANS:
        options->trace_spans = (uint32_t)strtoul(optarg, NULL, 10);
        return true;
    case SPAN_NAMES:
        options->span_names = (uint32_t)strtoul(optarg, NULL, 10);
        return true;
    case POD_NAMES:
        options->pod_names = (uint32_t)strtoul(optarg, NULL, 10);
        return true;
    case TRACE_REQUESTS:
        options->trace_requests = (uint32_t)strtoul(optarg, NULL, 10);
        return true;
    default:
        return false;
    }
}

int main(int argc, char **argv)
{
    struct storm_options options = {.connections = 4, .in_flight = 4, .items = 100};
    const char *mode = argc > 1 ? argv[1] : "";
    int option;
    while ((option = getopt_long(argc - 1, argv + 1, "", options_table, NULL)) != -1) {
        if (!take(&options, option)) {
            fputs(usage, stderr);
            return 2;
        }
    }
    bool sane = options.connections != 0 && options.in_flight != 0 && options.items != 0;
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
