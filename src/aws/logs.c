#include "logs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/arena.h"
#include "json/json.h"
#include "json/json_out.h"

#define CONTENT_TYPE "application/x-amz-json-1.1"
#define PREFIX "Logs_20140328."
#define ANSWER_ARENA_BYTES ((size_t)16 << 10)

enum step { STEP_PUT = 0, STEP_STREAM, STEP_GROUP, STEP_RETENTION, STEP_STREAM_AGAIN };

static void end(struct hf_aws_logs_put *put, const struct hf_aws_result *result,
                const struct hf_aws_logs_rejected *rejected)
{
    const struct hf_aws_logs_rejected none = {.new_start = SIZE_MAX};
    free(put->made);
    put->made = NULL;
    put->done(put, result, rejected != NULL ? rejected : &none);
}

static void end_without_memory(struct hf_aws_logs_put *put)
{
    struct hf_aws_result result = {.status = HF_NOMEM};
    snprintf(result.message, sizeof(result.message), "no memory for the request");
    end(put, &result, NULL);
}

/* ---- what the service left out ---- */

static size_t index_of(const struct hf_json *info, const char *key, size_t otherwise)
{
    const struct hf_json *found = hf_json_get(info, key);
    return found != NULL && found->kind == HF_JSON_INT && found->integer >= 0
               ? (size_t)found->integer
               : otherwise;
}

static struct hf_aws_logs_rejected read_rejected(struct hf_slice body)
{
    struct hf_aws_logs_rejected rejected = {.new_start = SIZE_MAX};
    struct hf_arena arena = {.limit = ANSWER_ARENA_BYTES};
    const struct hf_json *root = NULL;
    char why[HF_JSON_ERROR_MAX];
    if (body.size != 0 && hf_json_read(body, &arena, &root, why) == HF_OK) {
        const struct hf_json *info = hf_json_get(root, "rejectedLogEventsInfo");
        rejected.old_end = index_of(info, "tooOldLogEventEndIndex", 0);
        rejected.expired_end = index_of(info, "expiredLogEventEndIndex", 0);
        rejected.new_start = index_of(info, "tooNewLogEventStartIndex", SIZE_MAX);
    }
    hf_arena_release(&arena);
    return rejected;
}

/* ---- the steps ---- */

static void on_done(struct hf_aws_call *call, const struct hf_aws_result *result);

static void ask(struct hf_aws_logs_put *put, const char *target, const char *format)
{
    put->call.path = "/";
    put->call.target = target;
    put->call.format = format;
    put->call.content_type = CONTENT_TYPE;
    put->call.pieces = &put->piece;
    put->call.piece_count = 1;
    put->call.deadline_ns = put->deadline_ns;
    put->call.done = on_done;
    hf_aws_call(put->logs->service, &put->call);
}

static void put_tags(struct hf_json_out *json, const struct hf_string_map *tags)
{
    if (tags == NULL || tags->count == 0) {
        return;
    }
    hf_json_out_map(json, "tags");
    for (size_t i = 0; i < tags->count; i++) {
        hf_json_out_text(json, tags->items[i].key, tags->items[i].value);
    }
    hf_json_out_end_map(json);
}

static bool write_body(struct hf_aws_logs_put *put)
{
    size_t size = 0;
    free(put->made);
    put->made = NULL;
    FILE *out = open_memstream(&put->made, &size);
    if (out == NULL) {
        return false;
    }
    struct hf_json_out json = {.out = out};
    hf_json_out_map(&json, NULL);
    hf_json_out_text(&json, "logGroupName", put->group);
    if (put->step == STEP_STREAM || put->step == STEP_STREAM_AGAIN) {
        hf_json_out_text(&json, "logStreamName", put->stream);
    } else if (put->step == STEP_GROUP) {
        put_tags(&json, put->logs->tags);
    } else {
        hf_json_out_integer(&json, "retentionInDays", put->logs->retention_days);
    }
    hf_json_out_end_map(&json);
    bool is_good = ferror(out) == 0;
    is_good = fclose(out) == 0 && is_good;
    put->piece = hf_slice_of(put->made, size);
    return is_good;
}

static void go(struct hf_aws_logs_put *put, enum step step)
{
    static const char *const targets[] = {
        [STEP_PUT] = PREFIX "PutLogEvents",
        [STEP_STREAM] = PREFIX "CreateLogStream",
        [STEP_GROUP] = PREFIX "CreateLogGroup",
        [STEP_RETENTION] = PREFIX "PutRetentionPolicy",
        [STEP_STREAM_AGAIN] = PREFIX "CreateLogStream",
    };
    put->step = (int)step;
    if (step == STEP_PUT) {
        put->piece = put->body;
        ask(put, targets[step], "json/emf");
    } else if (write_body(put)) {
        ask(put, targets[step], NULL);
    } else {
        end_without_memory(put);
    }
}

static void on_put(struct hf_aws_logs_put *put, const struct hf_aws_result *result)
{
    struct hf_aws_result known = *result;
    if (result->status == HF_NOT_FOUND && !put->was_made) {
        put->was_made = true;
        go(put, STEP_STREAM);
        return;
    }
    if (result->status == HF_EXISTS) { /* this very put came before */
        known.status = HF_OK;
    }
    const struct hf_aws_logs_rejected rejected =
        result->status == HF_OK ? read_rejected(result->body)
                                : (struct hf_aws_logs_rejected){.new_start = SIZE_MAX};
    end(put, &known, &rejected);
}

static void on_made(struct hf_aws_logs_put *put, const struct hf_aws_result *result)
{
    bool is_there = result->status == HF_OK || result->status == HF_EXISTS;
    switch ((enum step)put->step) {
    case STEP_STREAM:
        if (result->status == HF_NOT_FOUND) {
            go(put, STEP_GROUP);
            return;
        }
        break;
    case STEP_GROUP:
        if (is_there) {
            bool is_ours = result->status == HF_OK && put->logs->retention_days != 0;
            go(put, is_ours ? STEP_RETENTION : STEP_STREAM_AGAIN);
            return;
        }
        break;
    case STEP_RETENTION:
        /* The group is there, and that it keeps its events longer loses none. */
        is_there = is_there || result->status == HF_FORBIDDEN || result->status == HF_INVALID;
        if (is_there) {
            go(put, STEP_STREAM_AGAIN);
            return;
        }
        break;
    default:
        break;
    }
    if (is_there) {
        go(put, STEP_PUT);
    } else {
        end(put, result, NULL);
    }
}

static void on_done(struct hf_aws_call *call, const struct hf_aws_result *result)
{
    struct hf_aws_logs_put *put = HF_CONTAINER(call, struct hf_aws_logs_put, call);
    if (put->step == STEP_PUT) {
        on_put(put, result);
    } else {
        on_made(put, result);
    }
}

void hf_aws_logs_put(const struct hf_aws_logs *logs, struct hf_aws_logs_put *put)
{
    put->logs = logs;
    put->made = NULL;
    put->was_made = false;
    go(put, STEP_PUT);
}

bool hf_aws_logs_is_retention(int64_t days)
{
    static const int64_t known[] = {0,    1,    3,    5,    7,    14,   30,  60,
                                    90,   120,  150,  180,  365,  400,  545, 731,
                                    1096, 1827, 2192, 2557, 2922, 3288, 3653};
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (known[i] == days) {
            return true;
        }
    }
    return false;
}
