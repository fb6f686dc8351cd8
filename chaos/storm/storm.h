/*
 * storm: the load generator, the sink and the check of holdfast-storm. Each is a mode of one
 * program; options are its words.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <holdfast/batch.h>

struct storm_options {
    const char *target; /* host:port; send: where to; sink: where to listen (port 0 is printed) */
    bool http;          /* else gRPC */
    enum hf_signal signal; /* send */
    enum hf_coding coding;
    unsigned connections, in_flight; /* in_flight a connection */
    uint32_t items;                  /* a request */
    uint64_t requests;               /* send that many; 0: until the time is over */
    double seconds;                  /* send: most; sink: stop after, 0: until SIGTERM */
    double rate;                     /* items a second, 0: as fast as answers come */
    uint64_t first;                  /* number of the first request */
    unsigned
        pool; /* distinct coded bodies to send again and again; 0: every request is renumbered */
    bool keep_refused;       /* send a refused request again until it is taken */
    const char *acked;       /* send, check: file of acknowledged requests */
    const char *arrived;     /* sink, check: file of arrived items */
    uint64_t capacity;       /* marks in a truth file that is made */
    const char *status;      /* file of counters that others may read at any moment */
    const char *commands;    /* sink: a fifo of orders, see sink.c */
    double hold;             /* send: keep idle connections that long at the end */
    bool failed;             /* send: spans whose status is an error */
    uint32_t trace_spans;    /* send: spans of a trace; 0: all requests have the same traces */
    uint32_t trace_requests; /* send: the requests that they are spread over; 0: one or two */
    uint32_t span_names;     /* send: names of spans, 36^4 at most; 0: one */
    uint32_t pod_names;      /* send: k8s.pod.name of resources, 36^4 at most; 0: one */
};

int storm_send(const struct storm_options *options);
int storm_sink(const struct storm_options *options);
int storm_check(const struct storm_options *options);
