/*
 * entities: what the objects of a cluster are as entities, for a pipeline of logs: events of their
 * state and of their end, as the Go collector writes them.
 *
 * What an object says of itself is kept as compact bytes from one change to the next. A pod of a
 * replica set or a job belongs to what owns that one, which is looked up when the event is written,
 * since it may come later. Owned by one thread.
 */
#pragma once

#include "record.h"
#include "json/json.h"

/* Appends the entities of an object of that kind ("pods": the pod and its containers) to
 * `entities`; of a kind that has none, nothing. */
void cluster_entities_describe(struct record *entities, const char *kind,
                               const struct hf_json *object);

struct entity_writer {
    struct hf_builder *builder;
    uint64_t now_ns, interval_ns; /* the time to the next event; 0: there is none */
    /* The entities of a replica set or job by its uid; NULL: not known. */
    const struct record *(*find)(void *user, struct hf_slice kind, struct hf_slice uid);
    void *user;
    uint32_t events; /* written so far */
};

/* Opens what holds the events that follow. */
void cluster_entities_begin(struct entity_writer *writer);
/* An event of the state of each. */
void cluster_entities_write(const struct record *entities, struct entity_writer *writer);
/* An event of the end of each. */
void cluster_entities_end(const struct record *entities, struct entity_writer *writer);
/* Copies those of `entities` that are not among `kept` (NULL: all) to `gone`, whose end is to be
 * written. */
void cluster_entities_keep_gone(const struct record *entities, const struct record *kept,
                                struct record *gone);
