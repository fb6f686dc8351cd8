#include "fetch.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "util/loop.h"
#include "util/time/clock.h"

struct hf_http_fetcher {
    struct hf_loop *loop;
    struct hf_http_client *client;
    atomic_bool is_stopped;
    struct hf_http_call call;
    struct hf_task begin, cancel;
    bool is_under_way;
    enum hf_status status;
    struct hf_http_fetched *fetched;
};

static struct hf_http_fetcher *of_call(struct hf_http_call *call)
{
    return (struct hf_http_fetcher *)((char *)call - offsetof(struct hf_http_fetcher, call));
}

static void done(struct hf_http_call *call, const struct hf_http_result *result)
{
    struct hf_http_fetcher *fetcher = of_call(call);
    struct hf_http_fetched *fetched = fetcher->fetched;
    fetcher->is_under_way = false;
    fetcher->status = result->status;
    fetched->code = result->code;
    fetched->has_retry_after = result->has_retry_after;
    fetched->retry_after_ns = result->retry_after_ns;
    if (result->status == HF_OK) {
        fetcher->status = hf_bytes_append(&fetched->body, result->body);
    } else {
        snprintf(fetched->why, sizeof(fetched->why), "%s",
                 result->error != NULL ? result->error : "no answer");
    }
    hf_loop_stop(fetcher->loop);
}

static void begin(struct hf_task *task)
{
    struct hf_http_fetcher *fetcher =
        (struct hf_http_fetcher *)((char *)task - offsetof(struct hf_http_fetcher, begin));
    if (atomic_load(&fetcher->is_stopped)) {
        fetcher->status = HF_CLOSED;
        hf_loop_stop(fetcher->loop);
        return;
    }
    fetcher->is_under_way = true;
    hf_http_client_call(fetcher->client, &fetcher->call);
}

static void cancel(struct hf_task *task)
{
    struct hf_http_fetcher *fetcher =
        (struct hf_http_fetcher *)((char *)task - offsetof(struct hf_http_fetcher, cancel));
    if (fetcher->is_under_way) {
        hf_http_client_cancel(fetcher->client, &fetcher->call);
    }
}

enum hf_status hf_http_fetcher_new(const struct hf_http_client_options *options,
                                   struct hf_http_fetcher **ret_fetcher, char *reterr)
{
    struct hf_http_fetcher *fetcher = calloc(1, sizeof(*fetcher));
    struct hf_http_client_options own = *options;
    enum hf_status status = fetcher != NULL ? hf_loop_new(&fetcher->loop) : HF_NOMEM;
    if (status != HF_OK) {
        snprintf(reterr, 512, "no memory for an HTTP client");
        free(fetcher);
        return status;
    }
    own.loop = fetcher->loop;
    fetcher->begin.run = begin;
    fetcher->cancel.run = cancel;
    status = hf_http_client_new(&own, &fetcher->client, reterr);
    if (status != HF_OK) {
        hf_loop_free(fetcher->loop);
        free(fetcher);
        return status;
    }
    *ret_fetcher = fetcher;
    return HF_OK;
}

void hf_http_fetcher_stop(struct hf_http_fetcher *fetcher)
{
    if (!atomic_exchange(&fetcher->is_stopped, true)) {
        hf_loop_post(fetcher->loop, &fetcher->cancel);
    }
}

void hf_http_fetcher_free(struct hf_http_fetcher *fetcher)
{
    if (fetcher != NULL) {
        hf_http_client_free(fetcher->client);
        hf_loop_free(fetcher->loop);
        free(fetcher);
    }
}

enum hf_status hf_http_fetch(struct hf_http_fetcher *fetcher, const struct hf_http_fetch *fetch,
                             struct hf_http_fetched *ret)
{
    ret->body.size = 0;
    ret->why[0] = '\0';
    ret->code = 0;
    ret->has_retry_after = false;
    fetcher->fetched = ret;
    fetcher->status = HF_CLOSED;
    fetcher->call = (struct hf_http_call){
        .method = fetch->method,
        .url = fetch->url,
        .content_type = fetch->content_type,
        .pieces = &fetch->body,
        .piece_count = fetch->content_type != NULL ? 1 : 0,
        .headers = fetch->headers,
        .header_count = fetch->header_count,
        .deadline_ns = hf_clock_monotonic_ns() + fetch->timeout_ns,
        .done = done,
    };
    hf_loop_post(fetcher->loop, &fetcher->begin);
    hf_loop_run(fetcher->loop);
    return fetcher->status;
}
