/*
 * awss3_notices: takes notifications of new objects from a queue, reads the objects, and deletes
 * the notifications once what was in the objects is on disk. A notification that is not deleted
 * comes again after the queue's visibility timeout: after a kill, and when its object was refused
 * or cannot be read; the queue's redrive policy says how often.
 */
#include <string.h>

#include "awss3_internal.h"
#include "awss3_notice.h"
#include "util/time/clock.h"

#define ARENA_BYTES ((size_t)16 << 20)

/* What one request for messages came to. */
struct round {
    struct hf_sqs_message received[HF_SQS_MESSAGES_MAX], finished[HF_SQS_MESSAGES_MAX];
    size_t received_count, finished_count;
    struct hf_arena arena; /* of the message at hand */
};

/* HF_OK: it is read and handed over, or there is nothing to read. HF_CLOSED: stopped. Others: its
 * message is to stay. */
static enum hf_status take_object(struct awss3_receiver *receiver, const char *key)
{
    const struct awss3_downloader *s3 = &receiver->config->s3;
    const struct awss3_fetch fetch = {.what = "reading an object", .key = key};
    struct hf_batch *batch = NULL;
    enum hf_signal signal;
    enum hf_status status = awss3_notice_signal(s3, key, hf_node_signals(receiver->node), &signal);
    if (status == HF_INVALID) {
        hf_node_log(receiver->node, HF_LOG_ERROR,
                    "object %s is not read: its key does not name a signal", key);
    }
    if (status != HF_OK) {
        return status == HF_NOT_FOUND ? HF_OK : status;
    }
    status = awss3_read(receiver, signal, &fetch, &batch);
    if (status == HF_NOT_FOUND || status == HF_UNSUPPORTED) {
        return HF_OK; /* it will not be there, or readable, later */
    }
    if (status != HF_OK) {
        return status;
    }
    return hf_submitter_add(&receiver->submit, batch, NULL, 0) ? HF_OK : HF_CLOSED;
}

/* All objects of a message. As above. */
static enum hf_status take_message(struct awss3_receiver *receiver, struct round *round,
                                   struct hf_slice message)
{
    char key[HF_S3_KEY_MAX + 1];
    const struct hf_json *records = NULL;
    hf_arena_reset(&round->arena);
    enum hf_status status = awss3_notice_read(message, &round->arena, &records);
    if (status != HF_OK) {
        hf_node_log(receiver->node, HF_LOG_ERROR,
                    "a message in the queue is not read: it is no notification of S3");
        return status;
    }
    enum hf_status worst = HF_OK;
    while (status != HF_CLOSED && awss3_notice_next(&receiver->config->s3, &records, key)) {
        status = take_object(receiver, key);
        worst = status != HF_OK ? status : worst;
    }
    return worst;
}

/* False: stopped. */
static bool take_messages(struct awss3_receiver *receiver, struct round *round)
{
    round->finished_count = 0;
    for (size_t i = 0; i < round->received_count; i++) {
        enum hf_status status = take_message(receiver, round, round->received[i].body);
        if (status == HF_CLOSED) {
            return false;
        }
        if (status == HF_OK) {
            round->finished[round->finished_count++] = round->received[i];
        }
    }
    return hf_submitter_wait(&receiver->submit);
}

/* What is not deleted comes again: its items are then sent twice. */
static void delete_finished(struct awss3_receiver *receiver, const struct round *round)
{
    if (round->finished_count == 0) {
        return;
    }
    const struct hf_aws_result result =
        hf_sqs_delete(&receiver->sqs, round->finished, round->finished_count);
    if (result.status != HF_OK) {
        hf_node_log(receiver->node, HF_LOG_WARN,
                    "messages are not deleted from the queue, and come again: %s", result.message);
    }
}

/* Waits where the next round would come to the same. False: stopped. */
static bool pause_round(struct awss3_receiver *receiver, const struct round *round,
                        uint64_t *wait_ns)
{
    if (round->received_count != 0 && round->finished_count == 0) {
        return awss3_back_off(receiver, wait_ns, "reading the objects of notifications",
                              "none could be read");
    }
    *wait_ns = AWSS3_WAIT_FIRST_NS;
    bool is_idle = round->received_count == 0 && receiver->config->sqs->wait_s == 0;
    return !is_idle || hf_submitter_sleep(&receiver->submit, AWSS3_WAIT_FIRST_NS);
}

static void read_rounds(struct awss3_receiver *receiver, struct round *round)
{
    const struct awss3_sqs *sqs = receiver->config->sqs;
    uint64_t wait_ns = AWSS3_WAIT_FIRST_NS;
    bool go_on = true;
    while (go_on) {
        const struct hf_aws_result result =
            hf_sqs_receive(&receiver->sqs, (size_t)sqs->messages_max, (unsigned)sqs->wait_s,
                           round->received, &round->received_count);
        if (result.status == HF_CLOSED) {
            return;
        }
        if (result.status != HF_OK) {
            go_on = awss3_back_off(receiver, &wait_ns, "receiving messages", result.message);
            continue;
        }
        if (!take_messages(receiver, round)) {
            return;
        }
        delete_finished(receiver, round);
        go_on = pause_round(receiver, round, &wait_ns);
    }
}

void awss3_read_notices(struct awss3_receiver *receiver)
{
    struct round round = {.arena = {.limit = ARENA_BYTES}};
    read_rounds(receiver, &round);
    hf_arena_release(&round.arena);
}
