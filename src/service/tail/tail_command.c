#include "tail_command.h"

#include <inttypes.h>
#include <time.h>

#include "pdata/json.h"
#include "pdata/text.h"
#include "service/queue/output.h"
#include "service/where.h"
#include "tail_share.h"
#include "tail_words.h"
#include "util/escape.h"
#include "util/time/clock.h"
#include "util/time/thread_clock.h"
#include "json/json_out.h"

/* How long a reader that has gone is not noticed while nothing passes. */
#define LOOK_MS 200u
#define DECODED_BYTES_MAX ((size_t)256 << 20)

struct tail {
    struct hf_tail_words words;
    struct hf_where *where; /* NULL: everything */
    struct hf_tap *tap;
    FILE *out;
    uint64_t shown;
    struct hf_bytes decoded, chosen, text; /* of one batch, used again */
};

static const char *kind_name(enum hf_kind kind)
{
    static const char *const names[HF_KIND_COUNT] = {[HF_RECEIVER] = "receiver",
                                                     [HF_PROCESSOR] = "processor",
                                                     [HF_EXPORTER] = "exporter",
                                                     [HF_EXTENSION] = "extension",
                                                     [HF_CONNECTOR] = "connector"};
    return names[kind];
}

static void put_head(const struct tail *tail, const struct hf_tapped *tapped, uint32_t items)
{
    hf_queue_say(tail->out, "-- %s %s: %s, %" PRIu32 " items\n", kind_name(tapped->kind),
                 tapped->id, hf_signal_name(tapped->batch->signal), items);
}

static void put_json(const struct tail *tail, const struct hf_tapped *tapped, uint32_t items)
{
    struct hf_json_out json = {.out = tail->out};
    hf_json_out_map(&json, NULL);
    hf_json_out_text(&json, "kind", kind_name(tapped->kind));
    hf_json_out_text(&json, "component", tapped->id);
    hf_json_out_text(&json, "signal", hf_signal_name(tapped->batch->signal));
    hf_json_out_seconds(&json, "time_seconds", tapped->time_ns);
    hf_json_out_number(&json, "items", items);
    hf_json_out_key(&json, "data");
    hf_escape_print(HF_ESCAPE_MADE_JSON, hf_slice_of(tail->text.data, tail->text.size), tail->out);
    hf_json_out_end_map(&json);
    fputc('\n', tail->out);
}

/* What is left of a batch, as text. HF_OK with no items: nothing is. */
static enum hf_status make_text(struct tail *tail, struct hf_batch *batch, uint32_t *ret_items)
{
    struct hf_slice raw = batch->wire;
    enum hf_status status = HF_OK;
    if (batch->coding != HF_IDENTITY) {
        status = hf_decode(batch->coding, batch->wire, DECODED_BYTES_MAX, &tail->decoded);
        raw = hf_slice_of(tail->decoded.data, tail->decoded.size);
    }
    if (status == HF_OK) {
        status = hf_where_choose(tail->where, batch->signal, raw, &tail->chosen, ret_items);
    }
    struct hf_slice chosen = hf_slice_of(tail->chosen.data, tail->chosen.size);
    if (status != HF_OK || *ret_items == 0) {
        return status;
    }
    return tail->words.json ? hf_json_from_proto(batch->signal, chosen, &tail->text)
                            : hf_text_print(batch->signal, chosen, HF_TEXT_FULL, &tail->text);
}

static void show(struct tail *tail, const struct hf_tapped *tapped)
{
    uint32_t items = 0;
    tail->decoded.size = tail->chosen.size = tail->text.size = 0;
    enum hf_status status = make_text(tail, tapped->batch, &items);
    if (status != HF_OK) {
        hf_queue_say(tail->out, tail->words.json ? "{\"error\":\"%s\"}\n" : "-- not shown: %s\n",
                     hf_status_row(status)->says);
    } else if (items != 0 && tail->words.json) {
        put_json(tail, tapped, items);
    } else if (items != 0) {
        put_head(tail, tapped, items);
        fwrite(tail->text.data, 1, tail->text.size, tail->out);
    }
    tail->shown += items != 0 || status != HF_OK ? 1 : 0;
}

static void tell_drops(const struct tail *tail)
{
    uint64_t drops = hf_tap_take_drops(tail->tap);
    if (drops == 0) {
        return;
    }
    fprintf(tail->out,
            tail->words.json ? "{\"dropped_batches\":%" PRIu64 "}\n"
                             : "-- %" PRIu64 " batches passed and are not shown\n",
            drops);
}

static bool goes_on(const struct tail *tail, uint64_t began_ns)
{
    return tail->shown < tail->words.limit && hf_queue_is_read(tail->out) &&
           hf_clock_monotonic_ns() - began_ns < tail->words.for_ns;
}

/* What passes meanwhile is not waited for; a reader that goes is noticed. */
static void rest(uint64_t wait_ns)
{
    uint64_t most_ns = LOOK_MS * HF_NS_PER_MS;
    const struct timespec pause = {.tv_nsec = (long)(wait_ns < most_ns ? wait_ns : most_ns)};
    nanosleep(&pause, NULL);
}

static struct hf_tail_clocks read_clocks(void)
{
    return (struct hf_tail_clocks){.now_ns = hf_clock_monotonic_ns(),
                                   .process_ns = hf_process_clock_ns(),
                                   .own_ns = hf_thread_clock_ns()};
}

static void run(struct tail *tail)
{
    uint64_t began_ns = hf_clock_monotonic_ns(), wait_ns;
    struct hf_tail_share share;
    hf_tail_share_init(&share, tail->words.percent, read_clocks());
    while (goes_on(tail, began_ns)) {
        struct hf_tapped tapped;
        wait_ns = hf_tail_share_wait_ns(&share, read_clocks());
        if (wait_ns != 0) {
            rest(wait_ns);
        } else if (hf_tap_next(tail->tap, LOOK_MS, &tapped)) {
            show(tail, &tapped);
            hf_ref_drop(&tapped.batch->ref);
        }
        tell_drops(tail);
        fflush(tail->out);
    }
}

/* An answer that can only be given as a whole has to end. */
static bool is_endless(const struct hf_tail_words *words, FILE *out)
{
    return fileno(out) < 0 && words->limit == UINT64_MAX && words->for_ns == UINT64_MAX;
}

enum hf_exit hf_tail_command(const struct hf_host *host, int count, char *const *words, FILE *out)
{
    struct tail tail = {.out = out};
    char why[HF_ERROR_MAX] = "out of memory";
    if (!hf_tail_parse(count, words, &tail.words, why) || is_endless(&tail.words, out)) {
        hf_queue_say(out, "error: %s\n",
                     is_endless(&tail.words, out) ? "tail needs --limit or --for here" : why);
        return HF_EXIT_USAGE;
    }
    enum hf_status status =
        tail.words.where != NULL ? hf_where_new(tail.words.where, &tail.where, why) : HF_OK;
    if (status != HF_OK) {
        hf_queue_say(out, "error: %s\n", why);
        return status == HF_INVALID ? HF_EXIT_USAGE : HF_EXIT_FAILED;
    }
    status = hf_tap_open(host, &tail.words.point, &tail.tap);
    if (status == HF_OK) {
        run(&tail);
        hf_tap_close(tail.tap);
    } else {
        hf_queue_say(out, "error: %u others look on already; end one of them\n", HF_TAPS_MAX);
    }
    hf_where_free(tail.where);
    hf_bytes_release(&tail.decoded);
    hf_bytes_release(&tail.chosen);
    hf_bytes_release(&tail.text);
    return status == HF_OK ? HF_EXIT_OK : HF_EXIT_FAILED;
}
