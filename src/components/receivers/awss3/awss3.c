/*
 * awss3: feeds an archive of telemetry in a bucket back: the objects of a range of time, as the
 * exporter awss3 writes them.
 *
 * A thread reads partition after partition and object after object. Its place is committed with
 * what it read: after a kill it goes on behind the last object that is on disk. It belongs to the
 * range: another one begins at its own start.
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#include "aws/s3.h"
#include "awss3_object.h"
#include "awss3_range.h"
#include "support/probe/probe_s3.h"
#include "support/scrape/submitter.h"
#include "support/sending/object_name.h"
#include "support/settings/confighttp.h"
#include "util/hash.h"
#include "util/thread.h"
#include "util/time/clock.h"
#include "util/time/zone.h"

#define CONTENT_BYTES_MAX ((size_t)64 << 20)
#define TIMEOUT_NS (60 * HF_NS_PER_S)
#define WAIT_FIRST_NS (HF_NS_PER_S / 2)
#define WAIT_MAX_NS (30 * HF_NS_PER_S)
#define PREFIX_MAX (HF_S3_KEY_MAX + 64u)
#define PLACE_MAX 1000u

/* Behind this object: the time of its partition, and its key without the partition's prefix. */
struct place {
    int64_t partition_s;
    char tail[PLACE_MAX];
};

/* Owned by its thread from start until stop, but for the submitter's stop. */
struct awss3_receiver {
    struct hf_node *node;
    const struct awss3_receiver_config *config;
    int64_t start_s, end_s;
    struct hf_aws_role role;
    struct hf_aws_session *session;
    struct hf_s3 *s3;
    struct hf_http_fetcher *fetcher;
    struct hf_http_fetched listing, content;
    struct hf_zone *zone;
    struct hf_submitter submit;
    struct hf_s3_call call;
    struct place place; /* of the signal at hand */
    char prefix[PREFIX_MAX], query[7 * PREFIX_MAX];
    char user_agent[HF_USER_AGENT_MAX];
    pthread_t thread;
    bool is_running;
};

/* ---- the place ---- */

static void place_name(const struct awss3_receiver *receiver, enum hf_signal signal, char room[64])
{
    const struct awss3_receiver_config *config = receiver->config;
    struct hf_hash hash =
        hf_hash_pair(hf_slice_text(config->s3.bucket), hf_slice_text(config->s3.prefix));
    hash =
        hf_hash_mix(hash, hf_hash_pair(hf_slice_text(config->start), hf_slice_text(config->end)));
    hash = hf_hash_mix(hash, hf_hash_of(hf_slice_text(config->s3.file_prefix)));
    snprintf(room, 64, "%s/%016" PRIx64, hf_signal_name(signal), hash.low);
}

static bool read_place(struct hf_slice value, struct place *ret)
{
    char text[PLACE_MAX + 32], *end;
    if (value.size == 0 || value.size >= sizeof(text)) {
        return false;
    }
    memcpy(text, value.data, value.size);
    text[value.size] = '\0';
    ret->partition_s = strtoll(text, &end, 10);
    if (*end != ' ' || strlen(end + 1) >= sizeof(ret->tail)) {
        return false;
    }
    snprintf(ret->tail, sizeof(ret->tail), "%s", end + 1);
    return true;
}

/* The oldest of the queues that have one. */
static void look_at_place(void *user, struct hf_slice value)
{
    struct awss3_receiver *receiver = user;
    struct place *place = &receiver->place, found;
    if (!read_place(value, &found)) {
        return;
    }
    bool is_first = place->partition_s < receiver->start_s;
    bool is_older =
        found.partition_s < place->partition_s ||
        (found.partition_s == place->partition_s && strcmp(found.tail, place->tail) < 0);
    if (is_first || is_older) {
        *place = found;
    }
}

static void find_place(struct awss3_receiver *receiver, enum hf_signal signal)
{
    char name[64];
    receiver->place = (struct place){.partition_s = receiver->start_s - 1};
    place_name(receiver, signal, name);
    if (hf_node_checkpoint_each(receiver->node, hf_slice_text(name), look_at_place, receiver) !=
        HF_OK) {
        receiver->place.tail[0] = '\0';
    }
    if (receiver->place.partition_s < receiver->start_s) {
        receiver->place = (struct place){.partition_s = receiver->start_s};
    }
}

/* ---- reading ---- */

/* Waits after a failure. False: stopped. */
static bool fail(struct awss3_receiver *receiver, const char *what,
                 const struct hf_s3_result *result, uint64_t *wait_ns)
{
    if (result->status == HF_CLOSED) {
        return false;
    }
    hf_node_log(receiver->node, HF_LOG_WARN, "%s failed, and is tried again: %s", what,
                result->message);
    uint64_t now_ns = *wait_ns;
    *wait_ns = 2 * now_ns < WAIT_MAX_NS ? 2 * now_ns : WAIT_MAX_NS;
    return hf_submitter_sleep(&receiver->submit, now_ns);
}

/* False: stopped. */
static bool fetch(struct awss3_receiver *receiver, const char *what, const char *key,
                  const char *query, struct hf_http_fetched *fetched)
{
    uint64_t wait_ns = WAIT_FIRST_NS;
    for (;;) {
        memset(&receiver->call, 0, sizeof(receiver->call));
        receiver->call.bucket = receiver->config->s3.bucket;
        receiver->call.key = key;
        receiver->call.query = query;
        const struct hf_s3_result result =
            hf_s3_fetch(receiver->s3, receiver->fetcher, &receiver->call, TIMEOUT_NS, fetched);
        if (result.status == HF_OK) {
            return true;
        }
        if (!fail(receiver, what, &result, &wait_ns)) {
            return false;
        }
    }
}

/* Hands the object over with its place. False: stopped. */
static bool submit(struct awss3_receiver *receiver, enum hf_signal signal, const char *key,
                   int64_t partition_s, struct hf_batch *batch)
{
    char name[64], value[PLACE_MAX + 32];
    const char *tail = key + strlen(receiver->prefix);
    place_name(receiver, signal, name);
    snprintf(value, sizeof(value), "%" PRId64 " %s", partition_s, tail);
    const struct hf_checkpoint checkpoint = {hf_slice_text(name), hf_slice_text(value)};
    bool fits = strlen(tail) < PLACE_MAX;
    return hf_submitter_add(&receiver->submit, batch, &checkpoint, fits ? 1 : 0);
}

/* An object that cannot be read stays where it is. False: stopped. */
static bool read_object(struct awss3_receiver *receiver, enum hf_signal signal, const char *key,
                        uint64_t size, int64_t partition_s)
{
    char why[256] = "";
    struct hf_batch *batch = NULL;
    if (size > CONTENT_BYTES_MAX) {
        hf_node_log(receiver->node, HF_LOG_ERROR, "object %s is not read: larger than 64 MiB", key);
        return true;
    }
    if (!fetch(receiver, "reading an object", key, NULL, &receiver->content)) {
        return false;
    }
    struct hf_slice content = hf_slice_of(receiver->content.body.data, receiver->content.body.size);
    enum hf_status status = awss3_object_read(key, signal, content, &batch, why);
    if (status != HF_OK) {
        hf_node_log(receiver->node, HF_LOG_ERROR, "object %s is not read: %s", key,
                    status == HF_UNSUPPORTED ? "its key ends neither in .json nor in .binpb"
                    : why[0] != '\0'         ? why
                                             : hf_status_row(status)->says);
        return true;
    }
    return submit(receiver, signal, key, partition_s, batch);
}

/* One page of keys behind `after`, which becomes the last one. False: stopped. */
static bool read_page(struct awss3_receiver *receiver, enum hf_signal signal, int64_t partition_s,
                      char after[HF_S3_KEY_MAX + 1], bool *ret_more)
{
    char key[HF_S3_KEY_MAX + 1], size[32], prefix[3 * PREFIX_MAX], start[3 * PREFIX_MAX];
    *ret_more = false;
    if (!hf_s3_escape(receiver->prefix, prefix, sizeof(prefix)) ||
        !hf_s3_escape(after, start, sizeof(start))) {
        hf_node_log(receiver->node, HF_LOG_ERROR, "the prefix of the keys is too long");
        return true;
    }
    snprintf(receiver->query, sizeof(receiver->query), "list-type=2&prefix=%s%s%s", prefix,
             start[0] != '\0' ? "&start-after=" : "", start);
    if (!fetch(receiver, "listing objects", "", receiver->query, &receiver->listing)) {
        return false;
    }
    struct hf_slice xml = hf_slice_of(receiver->listing.body.data, receiver->listing.body.size);
    while (hf_s3_next_text(&xml, "Key", key, sizeof(key)) &&
           hf_s3_next_text(&xml, "Size", size, sizeof(size))) {
        bool is_below = strncmp(key, receiver->prefix, strlen(receiver->prefix)) == 0;
        if (is_below &&
            !read_object(receiver, signal, key, strtoull(size, NULL, 10), partition_s)) {
            return false;
        }
        memcpy(after, key, sizeof(key));
        *ret_more = true; /* until a page is empty */
    }
    return true;
}

/* The prefix of a signal's keys in the partition of that time. False: it does not fit. */
static bool make_prefix(struct awss3_receiver *receiver, enum hf_signal signal, int64_t time_s,
                        char room[PREFIX_MAX])
{
    const struct awss3_downloader *s3 = &receiver->config->s3;
    char partition[HF_OBJECT_PARTITION_MAX];
    if (!hf_object_partition(receiver->zone, awss3_layout(receiver->config),
                             (uint64_t)time_s * HF_NS_PER_S, partition)) {
        return false;
    }
    size_t size = strlen(s3->prefix);
    const char *slash = size != 0 && s3->prefix[size - 1] != '/' ? "/" : "";
    int made =
        snprintf(room, PREFIX_MAX, "%s%s%s%s%s%s%s", s3->prefix, slash, partition,
                 partition[0] != '\0' ? "/" : "", s3->file_prefix,
                 s3->includes_type ? hf_signal_name(signal) : "", s3->includes_type ? "_" : "");
    return made > 0 && (size_t)made < PREFIX_MAX;
}

/* False: stopped. */
static bool read_partition(struct awss3_receiver *receiver, enum hf_signal signal, int64_t time_s)
{
    char after[HF_S3_KEY_MAX + 1] = "";
    bool more = true;
    if (time_s == receiver->place.partition_s && receiver->place.tail[0] != '\0') {
        int made = snprintf(after, sizeof(after), "%s%s", receiver->prefix, receiver->place.tail);
        if (made < 0 || (size_t)made >= sizeof(after)) {
            after[0] = '\0'; /* no key is that long */
        }
    }
    while (more) {
        if (!read_page(receiver, signal, time_s, after, &more)) {
            return false;
        }
    }
    return true;
}

/* False: stopped. */
static bool read_signal(struct awss3_receiver *receiver, enum hf_signal signal)
{
    int64_t step_s = awss3_step_s(receiver->config);
    char last[PREFIX_MAX] = "";
    find_place(receiver, signal);
    for (int64_t at = receiver->place.partition_s; at < receiver->end_s; at += step_s) {
        if (!make_prefix(receiver, signal, at, receiver->prefix)) {
            hf_node_log(receiver->node, HF_LOG_ERROR, "the prefix of the keys is too long");
            return true;
        }
        if (strcmp(receiver->prefix, last) == 0) {
            continue; /* the same partition */
        }
        memcpy(last, receiver->prefix, sizeof(last));
        if (!read_partition(receiver, signal, at)) {
            return false;
        }
    }
    return hf_submitter_wait(&receiver->submit);
}

static void *run(void *user)
{
    struct awss3_receiver *receiver = user;
    for (int signal = 0; signal < HF_SIGNAL_COUNT; signal++) {
        bool is_wanted = (hf_node_signals(receiver->node) & HF_SIGNAL_BIT(signal)) != 0;
        if (is_wanted && !read_signal(receiver, (enum hf_signal)signal)) {
            bool is_done = hf_submitter_wait(&receiver->submit);
            (void)is_done; /* stopped */
            return NULL;
        }
    }
    hf_node_log(receiver->node, HF_LOG_INFO, "the range from %s to %s is read",
                receiver->config->start, receiver->config->end);
    return NULL;
}

/* ---- life ---- */

static void on_failed(void *user, const char *why)
{
    const struct awss3_receiver *receiver = user;
    hf_node_log(receiver->node, HF_LOG_WARN, "no credentials of AWS: %s", why);
}

static enum hf_status start_receiver(void *self, char *reterr)
{
    struct awss3_receiver *receiver = self;
    enum hf_status status = hf_aws_session_start(receiver->session, reterr);
    if (status == HF_OK && hf_thread_start(&receiver->thread, NULL, run, receiver) != 0) {
        snprintf(reterr, HF_ERROR_MAX, "no thread for the receiver");
        status = HF_NOMEM;
    }
    receiver->is_running = status == HF_OK;
    return status;
}

static void stop_receiver(void *self)
{
    struct awss3_receiver *receiver = self;
    if (receiver->is_running) {
        hf_submitter_stop(&receiver->submit);
        hf_http_fetcher_stop(receiver->fetcher);
        pthread_join(receiver->thread, NULL);
        receiver->is_running = false;
    }
    hf_aws_session_stop(receiver->session);
}

static void close_receiver(void *self)
{
    struct awss3_receiver *receiver = self;
    hf_s3_free(receiver->s3);
    hf_http_fetcher_free(receiver->fetcher);
    hf_aws_session_free(receiver->session);
    hf_zone_close(receiver->zone);
    hf_bytes_release(&receiver->listing.body);
    hf_bytes_release(&receiver->content.body);
    hf_submitter_release(&receiver->submit);
    free(receiver);
}

static enum hf_status open_parts(struct awss3_receiver *receiver, char *reterr)
{
    const struct awss3_downloader *s3 = &receiver->config->s3;
    const char *zone = s3->time_zone != NULL ? s3->time_zone : "";
    const struct hf_aws_session_options session = {
        .role = &receiver->role, .on_failed = on_failed, .user = receiver};
    const struct hf_http_client_options http = {.user_agent = receiver->user_agent,
                                                .follow = HF_HTTP_FOLLOW_NONE,
                                                .response_bytes_max = CONTENT_BYTES_MAX};
    enum hf_status status = hf_zone_open(zone, &receiver->zone);
    if (status != HF_OK) {
        snprintf(reterr, HF_ERROR_MAX, "the time zone \"%.100s\" is not known on this machine",
                 zone);
        return status;
    }
    status = hf_aws_session_new(&session, &receiver->session, reterr);
    status = status == HF_OK ? hf_http_fetcher_new(&http, &receiver->fetcher, reterr) : status;
    const struct hf_s3_options options = {.session = receiver->session,
                                          .region = s3->region,
                                          .endpoint = s3->endpoint,
                                          .force_path_style = s3->force_path_style};
    return status == HF_OK ? hf_s3_new(&options, &receiver->s3, reterr) : status;
}

static enum hf_status open_receiver(struct hf_node *node, const void *config, void **ret_self,
                                    char *reterr)
{
    struct awss3_receiver *receiver = calloc(1, sizeof(*receiver));
    if (receiver == NULL) {
        snprintf(reterr, HF_ERROR_MAX, "no memory for the receiver");
        return HF_NOMEM;
    }
    receiver->node = node;
    receiver->config = config;
    hf_submitter_init(&receiver->submit, node);
    receiver->submit.transport = "s3";
    receiver->submit.wait_first_ns = WAIT_FIRST_NS;
    receiver->submit.wait_max_ns = WAIT_MAX_NS;
    hf_user_agent(receiver->user_agent);
    bool is_range = awss3_time(receiver->config->start, &receiver->start_s) &&
                    awss3_time(receiver->config->end, &receiver->end_s);
    enum hf_status status = is_range ? hf_node_add_transport(node, "s3") : HF_INVALID;
    status = status == HF_OK ? open_parts(receiver, reterr) : status;
    if (status != HF_OK) {
        close_receiver(receiver);
        return status;
    }
    *ret_self = receiver;
    return HF_OK;
}

static void probe_outside(const void *from, struct hf_probe *probe)
{
    const struct awss3_receiver_config *config = from;
    const struct awss3_downloader *s3 = &config->s3;
    const struct hf_probe_s3 store = {.region = s3->region,
                                      .endpoint = s3->endpoint,
                                      .bucket = s3->bucket,
                                      .force_path_style = s3->force_path_style};
    hf_probe_s3_bucket(probe, &store);
}

const struct hf_component hf_receiver_awss3 = {
    .type = "awss3",
    .aliases = (const char *const[]){"aws_s3", NULL},
    .help = "Feeds an archive in a bucket of S3 back, as the exporter awss3 writes it.",
    .kind = HF_RECEIVER,
    .signals = HF_ALL_SIGNALS,
    .config_size = sizeof(struct awss3_receiver_config),
    .fields = awss3_receiver_fields,
    .check = awss3_receiver_check,
    .probe = probe_outside,
    .open = open_receiver,
    .start = start_receiver,
    .stop = stop_receiver,
    .close = close_receiver,
};
