#include "sqs.h"

#include <stdio.h>
#include <stdlib.h>

#include "util/time/clock.h"
#include "json/json.h"
#include "json/json_out.h"

#define CONTENT_TYPE "application/x-amz-json-1.0"
#define ARENA_BYTES ((size_t)16 << 20)
#define TIMEOUT_NS (30 * HF_NS_PER_S) /* besides the wait for messages */

void hf_sqs_release(struct hf_sqs *sqs)
{
    hf_arena_release(&sqs->arena);
    hf_bytes_release(&sqs->fetched.body);
}

/* ---- requests ---- */

/* The text of a request, which begins with the queue's URL. */
struct request {
    struct hf_json_out json;
    char *text;
    size_t size;
};

static struct hf_aws_result no_memory(void)
{
    struct hf_aws_result result = {.status = HF_NOMEM};
    snprintf(result.message, sizeof(result.message), "out of memory");
    return result;
}

static bool begin(const struct hf_sqs *sqs, struct request *request)
{
    *request = (struct request){.text = NULL};
    request->json.out = open_memstream(&request->text, &request->size);
    if (request->json.out == NULL) {
        return false;
    }
    hf_json_out_map(&request->json, NULL);
    hf_json_out_text(&request->json, "QueueUrl", sqs->queue_url);
    return true;
}

/* Ends the text and sends it. */
static struct hf_aws_result send(struct hf_sqs *sqs, struct request *request, const char *target,
                                 uint64_t timeout_ns)
{
    hf_json_out_end_map(&request->json);
    bool is_good = ferror(request->json.out) == 0;
    is_good = fclose(request->json.out) == 0 && is_good;
    const struct hf_slice piece = hf_slice_of(request->text, request->size);
    sqs->call = (struct hf_aws_call){.path = "/",
                                     .target = target,
                                     .content_type = CONTENT_TYPE,
                                     .pieces = &piece,
                                     .piece_count = 1};
    struct hf_aws_result result =
        is_good ? hf_aws_fetch(sqs->service, sqs->fetcher, &sqs->call, timeout_ns, &sqs->fetched)
                : no_memory();
    free(request->text);
    return result;
}

/* The answer as a tree; NULL with a changed result: it is none. */
static const struct hf_json *read_answer(struct hf_arena *arena, struct hf_aws_result *result)
{
    char why[HF_JSON_ERROR_MAX];
    const struct hf_json *root = NULL;
    enum hf_status status = hf_json_read(result->body, arena, &root, why);
    if (status == HF_OK) {
        return root;
    }
    result->status = status == HF_NOMEM ? HF_NOMEM : HF_AGAIN;
    snprintf(result->message, sizeof(result->message), "the answer is no JSON: %.200s", why);
    return NULL;
}

/* ---- the two calls ---- */

struct hf_aws_result hf_sqs_receive(struct hf_sqs *sqs, size_t messages_max, unsigned wait_s,
                                    struct hf_sqs_message ret_messages[HF_SQS_MESSAGES_MAX],
                                    size_t *ret_count)
{
    struct request request;
    *ret_count = 0;
    if (!begin(sqs, &request)) {
        return no_memory();
    }
    hf_json_out_number(&request.json, "MaxNumberOfMessages", messages_max);
    hf_json_out_number(&request.json, "WaitTimeSeconds", wait_s);
    struct hf_aws_result result =
        send(sqs, &request, "AmazonSQS.ReceiveMessage", wait_s * HF_NS_PER_S + TIMEOUT_NS);
    if (result.status != HF_OK) {
        return result;
    }
    sqs->arena.limit = ARENA_BYTES;
    hf_arena_reset(&sqs->arena);
    const struct hf_json *root = read_answer(&sqs->arena, &result);
    const struct hf_json *message = hf_json_first(hf_json_get(root, "Messages"));
    for (; message != NULL && *ret_count < HF_SQS_MESSAGES_MAX; message = message->next) {
        ret_messages[(*ret_count)++] = (struct hf_sqs_message){
            hf_json_text_of(message, "Body"), hf_json_text_of(message, "ReceiptHandle")};
    }
    return result;
}

struct hf_aws_result hf_sqs_delete(struct hf_sqs *sqs, const struct hf_sqs_message *messages,
                                   size_t count)
{
    struct request request;
    if (!begin(sqs, &request)) {
        return no_memory();
    }
    hf_json_out_list(&request.json, "Entries");
    for (size_t i = 0; i < count; i++) {
        char id[] = {(char)('0' + i), '\0'};
        hf_json_out_map(&request.json, NULL);
        hf_json_out_text(&request.json, "Id", id);
        hf_json_out_slice(&request.json, "ReceiptHandle", messages[i].receipt);
        hf_json_out_end_map(&request.json);
    }
    hf_json_out_end_list(&request.json);
    struct hf_aws_result result = send(sqs, &request, "AmazonSQS.DeleteMessageBatch", TIMEOUT_NS);
    if (result.status != HF_OK) {
        return result;
    }
    struct hf_arena arena = {.limit = ARENA_BYTES};
    const struct hf_json *root = read_answer(&arena, &result);
    const struct hf_json *failed = hf_json_first(hf_json_get(root, "Failed"));
    if (failed != NULL) {
        struct hf_slice code = hf_json_text_of(failed, "Code");
        result.status = HF_AGAIN;
        snprintf(result.message, sizeof(result.message), "%.*s",
                 (int)(code.size < 200 ? code.size : 200), (const char *)code.data);
    }
    hf_arena_release(&arena);
    return result;
}
