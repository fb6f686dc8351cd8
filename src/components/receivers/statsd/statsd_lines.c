/* statsd_lines: from a line to the store. */
#include "statsd_internal.h"
#include "util/time/clock.h"

#define EARLY_BYTES_MAX ((size_t)64 << 20)

static void complain(struct statsd *statsd, const char *sender, const char *why)
{
    hf_series_add(statsd->failed, 1);
    if (hf_log_limiter_allows(&statsd->said, sender, why, hf_clock_coarse_ns())) {
        hf_node_log(statsd->node, HF_LOG_WARN, "a line of %s is dropped: %s",
                    sender[0] != '\0' ? sender : "a sender", why);
    }
}

static void count_line(struct statsd *statsd, const char *sender_text, struct hf_slice text)
{
    const char *wrong = hf_statsd_read(text, statsd->config->simple_tags, &statsd->line);
    if (wrong != NULL) {
        complain(statsd, sender_text, wrong);
        return;
    }
    struct statsd_sender *sender = statsd_store_sender(&statsd->store, sender_text);
    enum hf_status status =
        sender != NULL ? statsd_store_add(&statsd->store, sender, &statsd->line, hf_clock_unix_ns())
                       : HF_FULL;
    if (status == HF_OK) {
        hf_series_add(statsd->parsed, 1);
        statsd->is_dirty = true;
        /* The interval ends before there is no more room. */
        statsd->is_full = statsd->is_full || statsd->store.arena.size > STATSD_BYTES_MAX / 2 ||
                          statsd->store.distribution_bytes > STATSD_BYTES_MAX / 2;
        return;
    }
    statsd->is_full = true;
    complain(statsd, sender_text,
             status == HF_FULL ? "no memory for more series in this interval"
                               : "its tags are longer than 64 KiB");
}

static bool keep_early(struct statsd *statsd, const char *sender, struct hf_slice text)
{
    const uint32_t sizes[] = {(uint32_t)strlen(sender), (uint32_t)text.size};
    return statsd->early.size < EARLY_BYTES_MAX &&
           hf_bytes_append(&statsd->early, hf_slice_of(sizes, sizeof(sizes))) == HF_OK &&
           hf_bytes_append(&statsd->early, hf_slice_text(sender)) == HF_OK &&
           hf_bytes_append(&statsd->early, text) == HF_OK;
}

void statsd_count_early(struct statsd *statsd)
{
    size_t at = 0;
    while (at < statsd->early.size) {
        uint32_t sizes[2];
        char sender[STATSD_SENDER_MAX];
        memcpy(sizes, statsd->early.data + at, sizeof(sizes));
        at += sizeof(sizes);
        memcpy(sender, statsd->early.data + at, sizes[0]);
        sender[sizes[0]] = '\0';
        count_line(statsd, sender, hf_slice_of(statsd->early.data + at + sizes[0], sizes[1]));
        at += (size_t)sizes[0] + sizes[1];
    }
    hf_bytes_release(&statsd->early);
}

void statsd_take_line(struct statsd *statsd, const char *sender, struct hf_slice text)
{
    if (statsd->is_loaded) {
        count_line(statsd, sender, text);
    } else if (!keep_early(statsd, sender, text)) {
        complain(statsd, sender, "no memory for lines before the old configuration has ended");
    }
}
