/*
 * exporters: the section of `status` about the exporters: what each does now, what went wrong, and
 * its outages.
 */
#include <string.h>

#include "delivery/delivery.h"
#include "node/exporter_history.h"
#include "node/node.h"
#include "sections.h"
#include "storage/storage.h"
#include "words.h"

/* What is queued for one exporter, in all queues of a kind. */
struct sum {
    const char *kind, *consumer;
    const char *id; /* of the queue; NULL: any */
    struct wal_amount amount;
};

static void add_consumer(void *user, const struct wal_consumer_stat *stat)
{
    struct sum *sum = user;
    if (strcmp(stat->name, sum->consumer) == 0) {
        const struct wal_amount *queued = &stat->accounting.queued;
        sum->amount.records += queued->records;
        sum->amount.items += queued->items;
        sum->amount.bytes += queued->bytes;
    }
}

static void add_queue(void *user, const char *kind, const char *id, struct wal *wal)
{
    struct sum *sum = user;
    if (strcmp(kind, sum->kind) == 0 && (sum->id == NULL || strcmp(id, sum->id) == 0)) {
        enum wal_status seen = wal_consumer_each(wal, add_consumer, sum);
        (void)seen; /* a number that misses one queue */
    }
}

static void write_sum(struct hf_json_out *json, const char *key, struct hf_storage *store,
                      struct sum sum)
{
    hf_storage_each(store, add_queue, &sum);
    hf_status_amount(json, key, &sum.amount);
}

static void write_failure(struct hf_json_out *json, const char *key,
                          const struct hf_exporter_failure *failure)
{
    if (failure->time_ns == 0) {
        hf_json_out_text(json, key, NULL);
        return;
    }
    const struct hf_status_row *row = hf_status_row(failure->status);
    bool is_said = failure->status == HF_AGAIN || strcmp(row->says, failure->message) == 0;
    hf_json_out_map(json, key);
    hf_json_out_seconds(json, "time_seconds", failure->time_ns);
    hf_json_out_text(json, "status", row->name);
    hf_json_out_text(json, "cause", is_said ? NULL : row->says);
    hf_json_out_integer(json, "code", failure->code);
    hf_json_out_text(json, "message", failure->message);
    hf_json_out_end_map(json);
}

static void write_outages(struct hf_json_out *json, const struct hf_exporter_look *look)
{
    hf_json_out_list(json, "outages");
    for (size_t i = 0; i < look->outage_count; i++) {
        const struct hf_exporter_outage *outage = &look->outages[i];
        hf_json_out_map(json, NULL);
        hf_json_out_seconds(json, "from_seconds", outage->from_ns);
        if (outage->to_ns != 0) {
            hf_json_out_seconds(json, "to_seconds", outage->to_ns);
            hf_json_out_number(json, "held_items", outage->held_items);
        } else {
            hf_json_out_text(json, "to_seconds", NULL);
            hf_json_out_text(json, "held_items", NULL);
        }
        hf_json_out_end_map(json);
    }
    hf_json_out_end_list(json);
}

/* The worst that is true. */
static const char *state_of(const struct hf_delivery_look *look)
{
    if (look->is_unhealthy && look->dead_letters_waiting == 0) {
        return "unhealthy";
    }
    if (look->dead_letters_waiting != 0 || look->held_records != 0) {
        return "held";
    }
    return look->is_failing ? "retrying" : "working";
}

static const char *held_by(const struct hf_delivery_look *look)
{
    if (look->dead_letters_waiting != 0) {
        return "dead_letters_full";
    }
    return look->held_records != 0 ? "one_of_its_backends" : NULL;
}

static void write_state(struct hf_json_out *json, const struct hf_delivery_look *look)
{
    hf_json_out_text(json, "state", state_of(look));
    hf_json_out_text(json, "held_by", held_by(look));
    hf_json_out_number(json, "in_flight", look->in_flight);
    hf_json_out_number(json, "in_flight_max", look->window);
    hf_json_out_number(json, "isolated", look->isolated);
    hf_json_out_number(json, "held_records", look->held_records);
    hf_json_out_number(json, "waiting_for_dead_letters", look->dead_letters_waiting);
}

struct writing {
    const struct hf_status_source *source;
    struct hf_json_out *json;
};

static void write_exporter(void *user, const struct hf_node *node)
{
    const struct writing *writing = user;
    struct hf_json_out *json = writing->json;
    struct hf_storage *store = writing->source->host->store;
    struct hf_delivery_look look;
    struct hf_exporter_look history;
    if (node->delivery == NULL) {
        return;
    }
    hf_delivery_look(node->delivery, &look);
    hf_exporter_history_look(hf_exporter_history_of(writing->source->host->histories, node->id),
                             &history);
    hf_json_out_map(json, NULL);
    hf_json_out_text(json, "id", node->id);
    write_state(json, &look);
    if (history.next_attempt_ns != 0) {
        hf_json_out_seconds(json, "next_attempt_seconds", history.next_attempt_ns);
    } else {
        hf_json_out_text(json, "next_attempt_seconds", NULL);
    }
    hf_json_out_number(json, "attempts_failed", history.is_out ? history.attempts_failed : 0);
    write_failure(json, "last_error", &history.last_error);
    write_failure(json, "last_refusal", &history.last_refusal);
    write_sum(json, "queued", store, (struct sum){HF_STORAGE_QUEUE, node->id, NULL, {0}});
    write_sum(json, "requeued", store, (struct sum){HF_STORAGE_REQUEUE, node->id, node->id, {0}});
    write_sum(json, "dead_letters", store,
              (struct sum){HF_STORAGE_DEAD_LETTERS, HF_DEAD_LETTER_READER, node->id, {0}});
    write_outages(json, &history);
    hf_json_out_end_map(json);
}

void hf_status_exporters(const struct hf_status_source *source, struct hf_json_out *json)
{
    struct writing writing = {source, json};
    hf_json_out_list(json, "exporters");
    if (source->graph != NULL) {
        hf_graph_each_node(source->graph, write_exporter, &writing);
    }
    hf_json_out_end_list(json);
}
