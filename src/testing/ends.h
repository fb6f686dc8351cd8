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

#include "node/node.h"
#include "util/compress/compress.h"

/* Where something came out, or is looked for. */
struct hf_test_place {
    enum hf_test_place_kind {
        HF_TEST_EXPORTER = 0,
        HF_TEST_PROCESSOR,
        HF_TEST_CONNECTOR,
        HF_TEST_QUEUE /* its id is that of its pipeline */
    } kind;
    const char *id;       /* as long as the graph */
    const char *pipeline; /* of a processor; NULL: not known, or any */
};

/* A request that came to an exporter or a queue, or out of a processor, decoded. */
struct hf_test_output {
    struct hf_test_output *next;
    struct hf_test_place place;
    enum hf_signal signal;
    uint32_t items;
    struct hf_bytes bytes;
};

struct hf_test_ends {
    struct hf_node *receivers[256];
    size_t receiver_count;
    pthread_mutex_t lock; /* of what follows */
    struct hf_test_output *first, **last;
    uint64_t items; /* that came out, at all places */
    bool failed;    /* memory ran out, or a body does not decode */
};

/* The registry for such graphs, ends with NULL; NULL: out of memory. One block, to be freed. */
const struct hf_component **hf_test_registry(const struct hf_component *const *registry);

/* From now on the ends that are opened register here. */
void hf_test_ends_init(struct hf_test_ends *ends);
/* The graph is gone. */
void hf_test_ends_release(struct hf_test_ends *ends);

/* What passes within the graph, for a tap (node/taps.h). `user`: the struct hf_test_ends. */
void hf_test_see(void *user, const struct hf_node *node, const struct hf_pipeline *pipeline,
                 struct hf_batch *batch);

/* NULL: no receiver of that id is in a pipeline. */
struct hf_node *hf_test_receiver(const struct hf_test_ends *ends, const char *id);
