/*
 * sqs: messages of a queue of SQS, for a thread that waits for them.
 *
 * A message that was received is hidden from other receivers for the queue's visibility timeout,
 * and comes again unless it was deleted. Owned by one thread.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <holdfast/slice.h>

#include "service.h"
#include "util/arena.h"

#define HF_SQS_MESSAGES_MAX 10u /* of one answer; what SQS allows */
#define HF_SQS_WAIT_S_MAX 20u   /* likewise, until a message comes */

struct hf_sqs {
    struct hf_aws_service *service; /* of the name "sqs"; made for hf_aws_fetch() */
    struct hf_http_fetcher *fetcher;
    const char *queue_url;

    /* The client's. */
    struct hf_arena arena; /* of what was received */
    struct hf_http_fetched fetched;
    struct hf_aws_call call;
};

struct hf_sqs_message {
    struct hf_slice body, receipt; /* JSON strings' texts, until the next hf_sqs_receive() */
};

/* A struct with the members above, and else zeroed, is ready for use; this frees its memory. */
void hf_sqs_release(struct hf_sqs *sqs);

/* Waits up to `wait_s` for messages; none may come. Not HF_OK: none was received. */
struct hf_aws_result hf_sqs_receive(struct hf_sqs *sqs, size_t messages_max, unsigned wait_s,
                                    struct hf_sqs_message ret_messages[HF_SQS_MESSAGES_MAX],
                                    size_t *ret_count);

/* Deletes at most HF_SQS_MESSAGES_MAX messages. HF_AGAIN: some are not deleted; `message` says why
 * the first of them is not. */
struct hf_aws_result hf_sqs_delete(struct hf_sqs *sqs, const struct hf_sqs_message *messages,
                                   size_t count);
