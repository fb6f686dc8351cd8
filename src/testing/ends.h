/*
 * ends: the components of a graph under test: receivers and exporters have ends of the test in
 * their place, with the same keys; extensions do nothing; all others are the real ones.
 *
 * One test runs at a time in the process, since a component's open is told of no user. The ends
 * register with `struct hf_test_ends` of that test. What comes out is kept under its lock.
 */
#pragma once

#include <pthread.h>

#include <holdfast/component.h>

#include "util/compress.h"

/* An Export request that came to an exporter, decoded. */
struct hf_test_output {
    struct hf_test_output *next;
    const char *at; /* the exporter's id, as long as the graph */
    enum hf_signal signal;
    uint32_t items;
    struct hf_bytes bytes;
};

struct hf_test_ends {
    struct hf_node *receivers[256];
    size_t receiver_count;
    pthread_mutex_t lock; /* of what follows */
    struct hf_test_output *first, **last;
    uint64_t items; /* that came out */
    bool failed;    /* memory ran out, or a body does not decode */
};

/* The registry for such graphs, ends with NULL; NULL: out of memory. One block, to be freed. */
const struct hf_component **hf_test_registry(const struct hf_component *const *registry);

/* From now on the ends that are opened register here. */
void hf_test_ends_init(struct hf_test_ends *ends);
/* The graph is gone. */
void hf_test_ends_release(struct hf_test_ends *ends);

/* NULL: no receiver of that id is in a pipeline. */
struct hf_node *hf_test_receiver(const struct hf_test_ends *ends, const char *id);
