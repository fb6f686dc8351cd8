#include "probe_s3.h"

#include <stdlib.h>

#include <holdfast/component.h>

#include "aws/s3.h"
#include "probe_server.h"

/* What a look at a bucket needs. */
struct look {
    const struct hf_probe_s3 *store;
    struct hf_aws_role role;
    struct hf_aws_session *session;
    struct hf_http_fetcher *fetcher;
    struct hf_s3 *s3;
    struct hf_s3_call call;
    struct hf_http_fetched fetched;
    char user_agent[HF_USER_AGENT_MAX];
};

static const char *bucket_of(const struct hf_probe_s3 *store)
{
    return store->bucket != NULL ? store->bucket : "";
}

static enum hf_status open_look(struct look *look, const struct hf_probe_s3 *store, char *reterr)
{
    const struct hf_aws_session_options session = {.role = &look->role};
    const struct hf_http_client_options http = {.user_agent = look->user_agent,
                                                .follow = HF_HTTP_FOLLOW_NONE,
                                                .response_bytes_max = (size_t)1 << 20};
    look->store = store;
    hf_user_agent(look->user_agent);
    enum hf_status status = hf_aws_session_new(&session, &look->session, reterr);
    status = status == HF_OK ? hf_http_fetcher_new(&http, &look->fetcher, reterr) : status;
    const struct hf_s3_options options = {.session = look->session,
                                          .region = store->region,
                                          .endpoint = store->endpoint,
                                          .force_path_style = store->force_path_style,
                                          .disable_ssl = store->disable_ssl};
    return status == HF_OK ? hf_s3_new(&options, &look->s3, reterr) : status;
}

static void close_look(struct look *look)
{
    hf_s3_free(look->s3);
    if (look->fetcher != NULL) {
        hf_http_fetcher_stop(look->fetcher);
    }
    hf_http_fetcher_free(look->fetcher);
    hf_aws_session_free(look->session);
    hf_bytes_release(&look->fetched.body);
    free(look);
}

static void look_at_server(struct hf_probe *probe, const struct look *look)
{
    char url[HF_S3_URL_MAX];
    if (hf_s3_url(look->s3, bucket_of(look->store), "", "", url) == HF_OK) {
        const struct hf_http_client_config http = {.endpoint = url};
        hf_probe_http_client(probe, &http, NULL);
    }
}

static void look_at_bucket(struct hf_probe *probe, struct look *look)
{
    const char *bucket = bucket_of(look->store);
    char why[HF_ERROR_MAX] = "";
    if (hf_aws_session_start(look->session, why) != HF_OK) {
        hf_probe_say(probe, "bucket", bucket, HF_PROBE_FAILED, "%s", why);
        return;
    }
    look->call = (struct hf_s3_call){
        .method = "GET", .bucket = bucket, .key = "", .query = "list-type=2&max-keys=0"};
    const struct hf_s3_result result =
        hf_s3_fetch(look->s3, look->fetcher, &look->call, probe->timeout_ns, &look->fetched);
    if (result.status == HF_OK) {
        hf_probe_say(probe, "bucket", bucket, HF_PROBE_OK, "may be listed");
    } else {
        hf_probe_say(probe, "bucket", bucket, HF_PROBE_FAILED, "%s", result.message);
    }
    hf_aws_session_stop(look->session);
}

static void probe_store(struct hf_probe *probe, const struct hf_probe_s3 *store, bool lists)
{
    char why[HF_ERROR_MAX] = "out of memory";
    struct look *look = calloc(1, sizeof(*look));
    if (look == NULL || open_look(look, store, why) != HF_OK) {
        hf_probe_say(probe, "bucket", bucket_of(store), HF_PROBE_FAILED, "%s", why);
    } else {
        look_at_server(probe, look);
        if (lists && !probe->has_failed) {
            look_at_bucket(probe, look);
        }
    }
    if (look != NULL) {
        close_look(look);
    }
}

void hf_probe_s3_server(struct hf_probe *probe, const struct hf_probe_s3 *store)
{
    probe_store(probe, store, false);
}

void hf_probe_s3_bucket(struct hf_probe *probe, const struct hf_probe_s3 *store)
{
    probe_store(probe, store, true);
}
