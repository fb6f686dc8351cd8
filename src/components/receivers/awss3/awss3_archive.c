/*
 * awss3_archive: reads partition after partition and object after object. The place is committed
 * with what was read: after a kill it goes on behind the last object that is on disk. It belongs to
 * the range: another one begins at its own start.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "awss3_internal.h"
#include "support/sending/object_name.h"
#include "util/hash.h"
#include "util/time/clock.h"

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

static bool read_place(struct hf_slice value, struct awss3_place *ret)
{
    char text[AWSS3_PLACE_MAX + 32], *end;
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
    struct awss3_place *place = &receiver->place, found;
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
    receiver->place = (struct awss3_place){.partition_s = receiver->start_s - 1};
    place_name(receiver, signal, name);
    if (hf_node_checkpoint_each(receiver->node, hf_slice_text(name), look_at_place, receiver) !=
        HF_OK) {
        receiver->place.tail[0] = '\0';
    }
    if (receiver->place.partition_s < receiver->start_s) {
        receiver->place = (struct awss3_place){.partition_s = receiver->start_s};
    }
}

/* ---- reading ---- */

/* Hands the object over with its place. False: stopped. */
static bool submit(struct awss3_receiver *receiver, enum hf_signal signal, const char *key,
                   int64_t partition_s, struct hf_batch *batch)
{
    char name[64], value[AWSS3_PLACE_MAX + 32];
    const char *tail = key + strlen(receiver->prefix);
    place_name(receiver, signal, name);
    snprintf(value, sizeof(value), "%" PRId64 " %s", partition_s, tail);
    const struct hf_checkpoint checkpoint = {hf_slice_text(name), hf_slice_text(value)};
    bool fits = strlen(tail) < AWSS3_PLACE_MAX;
    return hf_submitter_add(&receiver->submit, batch, &checkpoint, fits ? 1 : 0);
}

/* An object that cannot be read stays where it is. False: stopped. */
static bool read_object(struct awss3_receiver *receiver, enum hf_signal signal, const char *key,
                        uint64_t size, int64_t partition_s)
{
    struct hf_batch *batch = NULL;
    if (size > AWSS3_CONTENT_BYTES_MAX) {
        hf_node_log(receiver->node, HF_LOG_ERROR, "object %s is not read: larger than 64 MiB", key);
        return true;
    }
    const struct awss3_fetch fetch = {"reading an object", key, NULL, .is_patient = true};
    enum hf_status status = awss3_read(receiver, signal, &fetch, &batch);
    return status == HF_OK ? submit(receiver, signal, key, partition_s, batch)
                           : status != HF_CLOSED;
}

/* One page of keys behind `after`, which becomes the last one. False: stopped. */
static bool read_page(struct awss3_receiver *receiver, enum hf_signal signal, int64_t partition_s,
                      char after[HF_S3_KEY_MAX + 1], bool *ret_more)
{
    char key[HF_S3_KEY_MAX + 1], size[32], prefix[3 * AWSS3_PREFIX_MAX],
        start[3 * AWSS3_PREFIX_MAX];
    *ret_more = false;
    if (!hf_s3_escape(receiver->prefix, prefix, sizeof(prefix)) ||
        !hf_s3_escape(after, start, sizeof(start))) {
        hf_node_log(receiver->node, HF_LOG_ERROR, "the prefix of the keys is too long");
        return true;
    }
    snprintf(receiver->query, sizeof(receiver->query), "list-type=2&prefix=%s%s%s", prefix,
             start[0] != '\0' ? "&start-after=" : "", start);
    const struct awss3_fetch fetch = {"listing objects", "", receiver->query, .is_patient = true};
    if (awss3_fetch(receiver, &fetch, &receiver->listing) != HF_OK) {
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
                        char room[AWSS3_PREFIX_MAX])
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
        snprintf(room, AWSS3_PREFIX_MAX, "%s%s%s%s%s%s%s", s3->prefix, slash, partition,
                 partition[0] != '\0' ? "/" : "", s3->file_prefix,
                 s3->includes_type ? hf_signal_name(signal) : "", s3->includes_type ? "_" : "");
    return made > 0 && (size_t)made < AWSS3_PREFIX_MAX;
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
    char last[AWSS3_PREFIX_MAX] = "";
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

void awss3_read_archive(struct awss3_receiver *receiver)
{
    for (int signal = 0; signal < HF_SIGNAL_COUNT; signal++) {
        bool is_wanted = (hf_node_signals(receiver->node) & HF_SIGNAL_BIT(signal)) != 0;
        if (is_wanted && !read_signal(receiver, (enum hf_signal)signal)) {
            return;
        }
    }
    hf_node_log(receiver->node, HF_LOG_INFO, "the range from %s to %s is read",
                receiver->config->start, receiver->config->end);
}
