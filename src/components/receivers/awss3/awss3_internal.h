/*
 * awss3_internal: the receiver as its files see it. Owned by its thread from start until stop, but
 * for the submitter's stop.
 */
#pragma once

#include <pthread.h>

#include <holdfast/node.h>

#include "aws/s3.h"
#include "aws/sqs.h"
#include "awss3_config.h"
#include "support/scrape/submitter.h"
#include "support/settings/confighttp.h"
#include "util/time/zone.h"

#define AWSS3_PREFIX_MAX (HF_S3_KEY_MAX + 64u)
#define AWSS3_PLACE_MAX 1000u
#define AWSS3_WAIT_FIRST_NS (HF_NS_PER_S / 2)
#define AWSS3_WAIT_MAX_NS (30 * HF_NS_PER_S)

/* Behind this object: the time of its partition, and its key without the partition's prefix. */
struct awss3_place {
    int64_t partition_s;
    char tail[AWSS3_PLACE_MAX];
};

struct awss3_receiver {
    struct hf_node *node;
    const struct awss3_receiver_config *config;
    struct hf_aws_role role;
    struct hf_aws_session *session;
    struct hf_s3 *s3;
    struct hf_http_fetcher *fetcher;
    struct hf_http_fetched content;
    struct hf_submitter submit;
    struct hf_s3_call call;
    char user_agent[HF_USER_AGENT_MAX];
    pthread_t thread;
    bool is_running;

    /* awss3_archive.c */
    int64_t start_s, end_s;
    struct hf_zone *zone;
    struct hf_http_fetched listing;
    struct awss3_place place; /* of the signal at hand */
    char prefix[AWSS3_PREFIX_MAX], query[7 * AWSS3_PREFIX_MAX];

    /* awss3_notices.c */
    struct hf_aws_service *service;
    struct hf_sqs sqs;
};

/* ---- awss3_fetch.c ---- */

struct awss3_fetch {
    const char *what; /* for the log: "listing objects" */
    const char *key, *query;
    bool is_patient; /* what is refused is tried again too, but for an object that is not there */
};

/* HF_OK. HF_CLOSED: stopped. HF_NOT_FOUND: there is no such object. Others, logged, only unless it
 * is patient. */
HF_MUST_USE enum hf_status awss3_fetch(struct awss3_receiver *receiver,
                                       const struct awss3_fetch *fetch,
                                       struct hf_http_fetched *fetched);

/* An object as a batch. HF_OK. HF_CLOSED: stopped. HF_NOT_FOUND: it is not there; HF_UNSUPPORTED:
 * its key has another end; others: it cannot be read. All but HF_CLOSED are logged. */
HF_MUST_USE enum hf_status awss3_read(struct awss3_receiver *receiver, enum hf_signal signal,
                                      const struct awss3_fetch *fetch, struct hf_batch **ret_batch);

/* Logs the failure and waits, each time longer. False: stopped. */
HF_MUST_USE bool awss3_back_off(struct awss3_receiver *receiver, uint64_t *wait_ns,
                                const char *what, const char *why);

/* ---- awss3_archive.c, awss3_notices.c ---- */

/* Reads all partitions of the range, or until stopped. */
void awss3_read_archive(struct awss3_receiver *receiver);
/* Reads objects as notifications tell of them, until stopped. */
void awss3_read_notices(struct awss3_receiver *receiver);
