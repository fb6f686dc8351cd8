#include "sample.h"

#include <stdlib.h>

#include "listing.h"
#include "output.h"

/* ---- which ---- */

/* Numbers of records, every `step`-th of those that were met; when there are twice as many as are
 * wanted, every second one goes. */
struct sample {
    struct hf_selection *selection;
    FILE *out;
    uint64_t most, step, met;
    uint64_t *numbers;
    size_t count, room;
    bool no_memory;
};

static bool grow(struct sample *sample)
{
    size_t room = 2 * sample->room + 64;
    uint64_t *numbers = reallocarray(sample->numbers, room, sizeof(*numbers));
    sample->no_memory = numbers == NULL;
    if (numbers != NULL) {
        sample->numbers = numbers;
        sample->room = room;
    }
    return numbers != NULL;
}

static void thin_out(struct sample *sample)
{
    for (size_t i = 0; 2 * i < sample->count; i++) {
        sample->numbers[i] = sample->numbers[2 * i];
    }
    sample->count = (sample->count + 1) / 2;
    sample->step *= 2;
}

static bool take(struct sample *sample, uint64_t number)
{
    if (sample->met++ % sample->step != 0) {
        return true;
    }
    if (sample->count == sample->room && !grow(sample)) {
        return false;
    }
    sample->numbers[sample->count++] = number;
    if (sample->count / 2 >= sample->most) {
        thin_out(sample);
    }
    return true;
}

static bool meet(void *user, const struct wal_record *record, bool damaged)
{
    struct sample *sample = user;
    struct hf_slice chosen;
    uint32_t items = 0;
    if (record->sequence >= hf_selection_end(sample->selection)) {
        return false;
    }
    bool is_chosen = hf_selection_has(sample->selection, record);
    if (is_chosen && !damaged && sample->selection->where != NULL) {
        is_chosen =
            hf_selection_choose(sample->selection, record, true, &chosen, &items) != HF_OK ||
            items != 0;
    }
    return (!is_chosen || take(sample, record->sequence)) &&
           hf_queue_is_read_at(sample->out, record->sequence);
}

/* ---- showing ---- */

struct pick {
    const struct hf_queue_arguments *arguments;
    struct hf_selection *selection;
    FILE *out;
    uint64_t next; /* the number behind the last one shown */
    bool is_exact; /* only the number itself was chosen: it may have left meanwhile */
    bool has_damage;
};

static bool show(void *user, const struct wal_record *record, bool damaged)
{
    struct pick *pick = user;
    if (pick->is_exact && record->sequence != pick->next) {
        return false;
    }
    pick->has_damage |=
        !hf_queue_cat_one(record, damaged, pick->arguments, pick->selection, pick->out);
    pick->next = record->sequence + 1;
    return false;
}

/* The first record at or above `next`. */
static enum wal_status show_next(struct wal *wal, struct pick *pick)
{
    struct wal_record record;
    if (wal_get_alone(wal, pick->next, &record) != WAL_OK) {
        return wal_scan(wal, pick->next, show, pick);
    }
    (void)show(pick, &record, false);
    hf_ref_drop(record.owner);
    return WAL_OK;
}

/* The place of the i-th of `most` among `count`, without an overflow. */
static uint64_t spread(uint64_t count, uint64_t most, uint64_t i)
{
    return count / most * i + count % most * i / most;
}

/* `numbers` NULL: those of the queue. */
static enum wal_status show_spread(struct wal *wal, const uint64_t *numbers, uint64_t count,
                                   struct pick *pick)
{
    struct wal_stat stat;
    wal_stat(wal, &stat);
    pick->is_exact = numbers != NULL;
    uint64_t most = pick->arguments->most < count ? pick->arguments->most : count;
    enum wal_status status = WAL_OK;
    for (uint64_t i = 0; i < most && status == WAL_OK && hf_queue_is_read(pick->out); i++) {
        uint64_t at = spread(count, most, i);
        uint64_t number = numbers != NULL ? numbers[at] : stat.first_sequence + at;
        pick->next = number > pick->next ? number : pick->next;
        status = show_next(wal, pick);
    }
    return status;
}

/* Are all numbers from the oldest record to the newest records that may be chosen? */
static bool is_dense(const struct wal_stat *stat, const struct hf_selection *selection)
{
    return hf_selection_is_all(selection) && selection->reader == NULL &&
           stat->appended.records == stat->next_sequence;
}

enum hf_exit hf_queue_sample(struct wal *wal, const struct hf_queue_arguments *arguments,
                             struct hf_selection *selection, FILE *out)
{
    struct sample sample = {.selection = selection, .out = out, .most = arguments->most, .step = 1};
    struct pick pick = {.arguments = arguments, .selection = selection, .out = out};
    struct wal_stat stat;
    enum wal_status status;
    wal_stat(wal, &stat);
    if (is_dense(&stat, selection)) {
        status = show_spread(wal, NULL, stat.next_sequence - stat.first_sequence, &pick);
    } else {
        status = hf_selection_scan(selection, wal, meet, &sample);
        status = sample.no_memory ? WAL_NOMEM : status;
        if (status == WAL_OK) {
            status = show_spread(wal, sample.numbers, sample.count, &pick);
        }
        free(sample.numbers);
    }
    if (status != WAL_OK) {
        fprintf(out, "error: %s\n", wal_status_text(status));
        return HF_EXIT_FAILED;
    }
    return pick.has_damage ? HF_EXIT_DAMAGED : HF_EXIT_OK;
}
