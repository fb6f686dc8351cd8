/*
 * awss3_fetch: what is asked of the store, again and again until it answers.
 */
#include <string.h>

#include "awss3_internal.h"
#include "awss3_object.h"
#include "util/time/clock.h"

#define TIMEOUT_NS (60 * HF_NS_PER_S)

bool awss3_back_off(struct awss3_receiver *receiver, uint64_t *wait_ns, const char *what,
                    const char *why)
{
    hf_node_log(receiver->node, HF_LOG_WARN, "%s failed, and is tried again: %s", what, why);
    uint64_t now_ns = *wait_ns;
    *wait_ns = 2 * now_ns < AWSS3_WAIT_MAX_NS ? 2 * now_ns : AWSS3_WAIT_MAX_NS;
    return hf_submitter_sleep(&receiver->submit, now_ns);
}

/* HF_NOT_FOUND is about the object alone: without the bucket, or before another server, it may come
 * later. */
static enum hf_status status_of(const struct hf_s3_result *result)
{
    bool is_elsewhere = result->status == HF_NOT_FOUND && strcmp(result->error, "NoSuchKey") != 0;
    return is_elsewhere ? HF_FORBIDDEN : result->status;
}

static bool is_final(const struct awss3_fetch *fetch, enum hf_status status)
{
    bool is_refused = !hf_status_row(status)->retryable && status != HF_UNAUTHENTICATED;
    return status == HF_OK || status == HF_NOT_FOUND || (is_refused && !fetch->is_patient);
}

enum hf_status awss3_fetch(struct awss3_receiver *receiver, const struct awss3_fetch *fetch,
                           struct hf_http_fetched *fetched)
{
    uint64_t wait_ns = AWSS3_WAIT_FIRST_NS;
    for (;;) {
        memset(&receiver->call, 0, sizeof(receiver->call));
        receiver->call.bucket = receiver->config->s3.bucket;
        receiver->call.key = fetch->key;
        receiver->call.query = fetch->query;
        const struct hf_s3_result result =
            hf_s3_fetch(receiver->s3, receiver->fetcher, &receiver->call, TIMEOUT_NS, fetched);
        enum hf_status status = status_of(&result);
        if (is_final(fetch, status)) {
            if (status != HF_OK) {
                hf_node_log(receiver->node, HF_LOG_ERROR, "object %s is not read: %s", fetch->key,
                            result.message);
            }
            return status;
        }
        if (status == HF_CLOSED ||
            !awss3_back_off(receiver, &wait_ns, fetch->what, result.message)) {
            return HF_CLOSED;
        }
    }
}

enum hf_status awss3_read(struct awss3_receiver *receiver, enum hf_signal signal,
                          const struct awss3_fetch *fetch, struct hf_batch **ret_batch)
{
    char why[256] = "";
    enum hf_status status = awss3_fetch(receiver, fetch, &receiver->content);
    if (status != HF_OK) {
        return status;
    }
    struct hf_slice content = hf_slice_of(receiver->content.body.data, receiver->content.body.size);
    status = awss3_object_read(fetch->key, signal, content, ret_batch, why);
    if (status != HF_OK) {
        hf_node_log(receiver->node, HF_LOG_ERROR, "object %s is not read: %s", fetch->key,
                    status == HF_UNSUPPORTED ? "its key ends neither in .json nor in .binpb"
                    : why[0] != '\0'         ? why
                                             : hf_status_row(status)->says);
    }
    return status;
}
