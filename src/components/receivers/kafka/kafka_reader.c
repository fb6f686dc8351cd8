#include "kafka_reader.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <holdfast/component.h>

#include "util/metrics/metrics.h"
#include "util/time/clock.h"

/* What may be on its way to the queues of one signal; then nothing more is read. */
#define ENTRIES_MAX 4096u
#define BYTES_MAX ((size_t)8 << 20)
#define WAIT_LEAST_NS UINT64_C(100000000)
#define WAIT_MOST_NS UINT64_C(5000000000)
#define REVOKE_NS UINT64_C(1000000000) /* for the answers, before a partition is given away */

static struct kafka_reader *of(struct hf_kafka_consumer *consumer)
{
    return HF_CONTAINER(consumer, struct kafka_reader, consumer);
}

static void say(void *user, enum hf_log_level level, const char *text)
{
    const struct kafka_reader *reader = user;
    hf_node_log(reader->node, level, "%s", text);
}

/* Reads on or not, by what is on its way. */
static void hold_or_not(struct kafka_reader *reader)
{
    bool is_full = reader->entry_count >= ENTRIES_MAX || reader->entry_bytes >= BYTES_MAX;
    bool has_room = reader->entry_count <= ENTRIES_MAX / 2 && reader->entry_bytes <= BYTES_MAX / 2;
    bool waits = reader->wait_ns != 0;
    if (reader->is_stopping || is_full || waits) {
        hf_kafka_consumer_hold(&reader->consumer, true);
    } else if (has_room) {
        hf_kafka_consumer_hold(&reader->consumer, false);
    }
}

/* ---- to the queues and back ---- */

static void on_answer_task(struct hf_task *task);

static void on_reply(struct hf_reply *reply, enum hf_status status)
{
    struct kafka_entry *entry = HF_CONTAINER(reply, struct kafka_entry, reply);
    struct kafka_reader *reader = entry->owner;
    atomic_store(&entry->answer, status);
    atomic_store(&entry->has_answer, true);
    hf_loop_post(reader->loop, &entry->task);
    atomic_fetch_sub(&reader->unanswered, 1); /* the last that this thread does with it */
}

static void submit(struct kafka_reader *reader, struct kafka_entry *entry)
{
    atomic_store(&entry->has_answer, false);
    entry->is_submitted = true;
    entry->reply.done = on_reply;
    entry->task.run = on_answer_task;
    reader->submitted++;
    atomic_fetch_add(&reader->unanswered, 1);
    hf_submit(reader->node, entry->batch, KAFKA_TRANSPORT, &entry->reply);
}

static void drop_batch(struct kafka_reader *reader, struct kafka_entry *entry)
{
    hf_ref_drop(&entry->batch->ref);
    entry->batch = NULL;
    reader->entry_count--;
    reader->entry_bytes -= entry->bytes;
}

static void store(struct kafka_reader *reader, struct kafka_partition *partition)
{
    int64_t offset = kafka_partition_advance(partition);
    if (offset < 0) {
        return;
    }
    hf_kafka_consumer_store(&reader->consumer, partition->topic, partition->number, offset);
    if (!reader->config->autocommit.enable) {
        hf_kafka_consumer_commit(&reader->consumer);
    }
}

static void wait_and_offer_again(struct kafka_reader *reader)
{
    if (reader->wait_ns != 0 || reader->is_stopping) {
        return; /* it waits already, or for ever */
    }
    reader->wait_ns = WAIT_LEAST_NS;
    enum hf_status status = hf_loop_timer_set(reader->loop, &reader->again,
                                              hf_loop_now_ns(reader->loop) + reader->wait_ns);
    (void)status; /* one of the first 64 timers of a loop: it cannot fail */
}

static bool is_refused_for_now(enum hf_status status)
{
    return hf_status_row(status)->retryable;
}

/* What the queues have said of an entry. */
static void judge(struct kafka_reader *reader, struct kafka_entry *entry)
{
    enum hf_status status = (enum hf_status)atomic_load(&entry->answer);
    entry->is_submitted = false;
    reader->submitted--;
    if (status != HF_OK && is_refused_for_now(status)) {
        wait_and_offer_again(reader);
        return;
    }
    if (status != HF_OK) {
        hf_node_log(reader->node, HF_LOG_ERROR,
                    "a message is skipped, as it was refused for good: %s: %s, partition %d, "
                    "offset %lld",
                    hf_status_row(status)->says,
                    entry->partition != NULL ? entry->partition->topic : "",
                    entry->partition != NULL ? (int)entry->partition->number : -1,
                    (long long)entry->offset);
    }
    drop_batch(reader, entry);
}

static void on_answer_task(struct hf_task *task)
{
    struct kafka_entry *entry = HF_CONTAINER(task, struct kafka_entry, task);
    struct kafka_reader *reader = entry->owner;
    struct kafka_partition *partition = entry->partition;
    judge(reader, entry);
    if (partition == NULL) {
        /* It was taken away in the meantime: another member reads it again. */
        if (entry->batch != NULL) {
            drop_batch(reader, entry);
        }
        free(entry);
    } else if (!reader->is_stopping) {
        store(reader, partition);
    }
    if (!reader->is_stopping) {
        hold_or_not(reader);
    }
}

static bool offer_waiting(struct kafka_reader *reader)
{
    bool found = false;
    for (struct kafka_partition *partition = reader->partitions; partition != NULL;
         partition = partition->next) {
        for (struct kafka_entry *entry = partition->first; entry != NULL; entry = entry->next) {
            if (entry->batch != NULL && !entry->is_submitted) {
                submit(reader, entry);
                found = true;
            }
        }
    }
    return found;
}

static void on_again(struct hf_timer *timer, uint64_t now_ns)
{
    struct kafka_reader *reader = HF_CONTAINER(timer, struct kafka_reader, again);
    uint64_t next_ns = reader->wait_ns * 2 < WAIT_MOST_NS ? reader->wait_ns * 2 : WAIT_MOST_NS;
    if (!offer_waiting(reader) && reader->submitted == 0) {
        reader->wait_ns = 0;
        hold_or_not(reader);
        return;
    }
    /* Until everything was taken. */
    reader->wait_ns = next_ns;
    enum hf_status status = hf_loop_timer_set(reader->loop, &reader->again, now_ns + next_ns);
    (void)status;
}

/* ---- from the consumer ---- */

static struct kafka_partition **find(struct kafka_reader *reader, const char *topic, int32_t number)
{
    struct kafka_partition **at = &reader->partitions;
    while (*at != NULL && ((*at)->number != number || strcmp((*at)->topic, topic) != 0)) {
        at = &(*at)->next;
    }
    return at;
}

static void note_place(struct kafka_reader *reader, struct kafka_partition *partition,
                       const rd_kafka_message_t *message)
{
    int64_t end = hf_kafka_consumer_end(&reader->consumer, partition->topic, partition->number);
    hf_series_add(partition->records, 1);
    hf_series_add(partition->bytes, (int64_t)message->len);
    hf_series_set(partition->offset, message->offset);
    if (end > message->offset) {
        hf_series_set(partition->lag, end - message->offset - 1);
    }
}

/* The batch of a message. NULL: there is none, because it cannot be read, or has nothing. */
static enum hf_status decode(struct kafka_reader *reader, struct kafka_partition *partition,
                             const rd_kafka_message_t *message, struct hf_batch **ret_batch)
{
    char why[HF_ERROR_MAX] = "";
    enum hf_status status =
        kafka_decode(&reader->decoder, &reader->consumer, message, ret_batch, why);
    if (status == HF_OK && (*ret_batch)->items == 0) {
        hf_ref_drop(&(*ret_batch)->ref);
        *ret_batch = NULL;
    }
    if (status == HF_INVALID) {
        hf_series_add(partition->failed, 1);
        hf_node_log(reader->node, HF_LOG_ERROR,
                    "a message is skipped: %.300s: %s, partition %d, offset %lld", why,
                    partition->topic, (int)partition->number, (long long)message->offset);
        *ret_batch = NULL;
        return HF_OK;
    }
    return status;
}

static void on_message(struct hf_kafka_consumer *consumer, rd_kafka_message_t *message)
{
    struct kafka_reader *reader = of(consumer);
    struct kafka_partition *partition =
        *find(reader, consumer->client.library->topic_name(message->rkt), message->partition);
    struct kafka_entry *entry = partition != NULL ? calloc(1, sizeof(*entry)) : NULL;
    struct hf_batch *batch = NULL;
    enum hf_status status = entry != NULL ? HF_OK : HF_NOMEM;
    if (entry != NULL) {
        status = decode(reader, partition, message, &batch);
    }
    if (status != HF_OK) {
        hf_node_log(reader->node, HF_LOG_ERROR,
                    "out of memory for a message of Kafka: it is read again after the next start");
        if (partition != NULL) {
            partition->is_stuck = true;
        }
        free(entry);
        hf_kafka_consumer_drop(consumer, message);
        return;
    }
    entry->owner = reader;
    entry->offset = message->offset;
    entry->batch = batch;
    entry->bytes = batch != NULL ? batch->wire.size : 0;
    kafka_partition_add(partition, entry);
    note_place(reader, partition, message);
    hf_kafka_consumer_drop(consumer, message);
    if (batch == NULL) {
        store(reader, partition);
        return;
    }
    reader->entry_count++;
    reader->entry_bytes += entry->bytes;
    if (reader->wait_ns == 0) {
        submit(reader, entry);
    }
    hold_or_not(reader);
}

static void on_assigned(struct hf_kafka_consumer *consumer, const char *topic, int32_t number)
{
    struct kafka_reader *reader = of(consumer);
    struct kafka_partition **at = find(reader, topic, number);
    if (*at == NULL) {
        *at = kafka_partition_new(reader->node, reader->decoder.signal, topic, number);
    }
    if (*at == NULL) {
        hf_node_log(reader->node, HF_LOG_ERROR, "out of memory: partition %d of %s is not stored",
                    (int)number, topic);
        return;
    }
    hf_series_add(reader->starts, 1);
}

/* Waits for the answers to what was submitted. The committers give them on their threads. */
static void wait_for_answers(const struct kafka_reader *reader, uint64_t most_ns)
{
    const struct timespec pause = {0, 1000000};
    uint64_t until_ns = hf_clock_monotonic_ns() + most_ns;
    while (atomic_load(&reader->unanswered) != 0 && hf_clock_monotonic_ns() < until_ns) {
        nanosleep(&pause, NULL);
    }
}

/* The offset behind the messages at the front that are on disk, though their answers were not
 * handled yet; -1: none. */
static int64_t answered_until(const struct kafka_partition *partition)
{
    int64_t behind = -1;
    for (const struct kafka_entry *entry = partition->first; entry != NULL; entry = entry->next) {
        enum hf_status answer = (enum hf_status)atomic_load(&entry->answer);
        bool is_done = entry->batch == NULL;
        bool is_answered = entry->is_submitted && atomic_load(&entry->has_answer) &&
                           (answer == HF_OK || !is_refused_for_now(answer));
        if (!is_done && !is_answered) {
            break;
        }
        behind = entry->offset + 1;
    }
    return partition->is_stuck ? -1 : behind;
}

/* The entries of a partition that goes: those without an answer free themselves with it. */
static void let_go(struct kafka_reader *reader, struct kafka_partition *partition)
{
    while (partition->first != NULL) {
        struct kafka_entry *entry = partition->first;
        partition->first = entry->next;
        entry->partition = NULL;
        if (entry->is_submitted && entry->batch != NULL) {
            continue;
        }
        if (entry->batch != NULL) {
            drop_batch(reader, entry);
        }
        free(entry);
    }
    kafka_partition_free(partition);
}

static void on_revoked(struct hf_kafka_consumer *consumer, const char *topic, int32_t number)
{
    struct kafka_reader *reader = of(consumer);
    struct kafka_partition **at = find(reader, topic, number);
    struct kafka_partition *partition = *at;
    if (partition == NULL) {
        return;
    }
    wait_for_answers(reader, REVOKE_NS);
    int64_t offset = answered_until(partition);
    if (offset >= 0) {
        hf_kafka_consumer_store(consumer, topic, number, offset);
    }
    hf_series_add(reader->closes, 1);
    *at = partition->next;
    let_go(reader, partition);
}

/* ---- life ---- */

static struct hf_series *count_of(const struct hf_node *node, const char *name, const char *help)
{
    const struct hf_metric_family family = {.name = name, .type = HF_COUNTER, .help = help};
    const struct hf_label labels[] = {{"receiver", hf_node_counted_id(node)}, {NULL, NULL}};
    return hf_metrics_series(hf_node_metrics(node), &family, labels);
}

static enum hf_status choose_strategies(struct kafka_reader *reader, char *reterr)
{
    int version = reader->consumer.client.library->version();
    const char *names = kafka_receiver_strategies(reader->config, version, reader->strategy_room,
                                                  sizeof(reader->strategy_room));
    reader->strategies = names;
    if (names == NULL) {
        snprintf(reterr, HF_ERROR_MAX,
                 "group_rebalance_strategy: sticky and cooperative-sticky need librdkafka 2.3 or "
                 "newer, here is %x.%x: use range or roundrobin",
                 (unsigned)version >> 24, (unsigned)version >> 16 & 0xff);
        return HF_UNSUPPORTED;
    }
    return HF_OK;
}

/* Are the settings such that the library takes them? */
static enum hf_status try_settings(const struct kafka_reader *reader, char *reterr)
{
    struct hf_kafka_settings settings = {0};
    rd_kafka_conf_t *conf = NULL;
    const struct hf_kafka_library *library = reader->consumer.client.library;
    kafka_receiver_set(reader->config, &reader->decoder.plan, reader->strategies, &settings);
    enum hf_status status = hf_kafka_conf_new(library, &settings, &conf, reterr);
    hf_kafka_settings_release(&settings);
    if (status == HF_OK) {
        library->conf_destroy(conf);
    }
    return status;
}

enum hf_status kafka_reader_new(struct hf_node *node, const struct kafka_config *config,
                                const struct hf_kafka_library *library, enum hf_signal signal,
                                struct kafka_reader **ret_reader, char *reterr)
{
    struct kafka_reader *reader = calloc(1, sizeof(*reader));
    if (reader == NULL) {
        return HF_NOMEM;
    }
    reader->node = node;
    reader->config = config;
    reader->again.fire = on_again;
    reader->consumer =
        (struct hf_kafka_consumer){.client = {.library = library, .say = say, .user = reader},
                                   .message = on_message,
                                   .assigned = on_assigned,
                                   .revoked = on_revoked};
    reader->decoder = (struct kafka_decoder){.node = node, .config = config, .signal = signal};
    const char *why = kafka_receiver_plan(config, signal, &reader->decoder.plan);
    enum hf_status status = why == NULL ? kafka_decoder_init(&reader->decoder) : HF_INVALID;
    if (why != NULL || status == HF_UNSUPPORTED) {
        snprintf(reterr, HF_ERROR_MAX, "%s",
                 why != NULL ? why : "encoding: no such encoding of characters");
    }
    reader->starts = count_of(node, "otelcol_kafka_receiver_partition_start",
                              "Partitions that the group has given.");
    reader->closes = count_of(node, "otelcol_kafka_receiver_partition_close",
                              "Partitions that the group has taken away.");
    if (status == HF_OK && (reader->starts == NULL || reader->closes == NULL)) {
        status = HF_NOMEM;
    }
    if (status == HF_OK) {
        status = choose_strategies(reader, reterr);
    }
    if (status == HF_OK) {
        status = try_settings(reader, reterr);
    }
    if (status != HF_OK) {
        kafka_reader_free(reader);
        return status;
    }
    *ret_reader = reader;
    return HF_OK;
}

enum hf_status kafka_reader_start(struct kafka_reader *reader, struct hf_loop *loop, char *reterr)
{
    struct hf_kafka_settings settings = {0};
    const struct kafka_plan *plan = &reader->decoder.plan;
    reader->loop = loop;
    reader->consumer.client.loop = loop;
    kafka_receiver_set(reader->config, plan, reader->strategies, &settings);
    settings.tokens = reader->tokens;
    enum hf_status status = hf_kafka_consumer_open(&reader->consumer, &settings, plan->topics.items,
                                                   plan->topics.count, reterr);
    hf_kafka_settings_release(&settings);
    return status;
}

void kafka_reader_stop(struct kafka_reader *reader)
{
    reader->is_stopping = true;
    if (reader->consumer.client.handle == NULL) {
        return;
    }
    hf_loop_timer_stop(reader->loop, &reader->again);
    /* Every submitted batch is answered: a commit always ends. */
    wait_for_answers(reader, UINT64_MAX / 2);
    for (struct kafka_partition *partition = reader->partitions; partition != NULL;
         partition = partition->next) {
        int64_t offset = answered_until(partition);
        if (offset >= 0) {
            hf_kafka_consumer_store(&reader->consumer, partition->topic, partition->number, offset);
        }
    }
    hf_kafka_consumer_close(&reader->consumer);
}

void kafka_reader_free(struct kafka_reader *reader)
{
    while (reader->partitions != NULL) {
        struct kafka_partition *partition = reader->partitions;
        reader->partitions = partition->next;
        let_go(reader, partition);
    }
    kafka_decoder_release(&reader->decoder);
    free(reader);
}
