#include "dead_letters.h"

#include <inttypes.h>

#include "output.h"
#include "transfer.h"

static enum hf_exit conclude(const struct hf_transfer *transfer, enum wal_status status,
                             const char *done, const char *exporter, FILE *out)
{
    hf_queue_say(out, "%s %" PRIu64 " dead letters of %s, %" PRIu64 " items\n", done,
                 transfer->gone.records, exporter, transfer->gone.items);
    if (status != WAL_OK) {
        fprintf(out, "error: the rest stays where it is: %s\n", wal_status_text(status));
    }
    return status == WAL_OK ? HF_EXIT_OK : HF_EXIT_FAILED;
}

static struct wal *find_letters(struct hf_storage *store, const char *exporter,
                                const struct hf_letters_choice *choice,
                                struct hf_transfer *transfer, FILE *out)
{
    struct wal_stat stat;
    *transfer =
        (struct hf_transfer){.out = out, .reader = hf_storage_dead_letter_reader(store, exporter)};
    if (transfer->reader == NULL) {
        hf_queue_say(out, "error: %s has no dead letters; holdfast queue stat lists who has\n",
                     exporter);
        return NULL;
    }
    struct wal *wal = hf_storage_dead_letters(store, exporter, &(const struct wal_limits){0});
    transfer->end = hf_transfer_end(wal);
    wal_stat(wal, &stat);
    if (choice != NULL) {
        transfer->selection = choice->selection;
        hf_progress_begin(&transfer->progress, choice->progress,
                          transfer->end - stat.first_sequence, out);
    }
    return wal;
}

enum hf_exit hf_dead_letters_drop(struct hf_storage *store, const char *exporter,
                                  const struct hf_letters_choice *choice, FILE *out)
{
    struct hf_transfer transfer;
    if (find_letters(store, exporter, choice, &transfer, out) == NULL) {
        return HF_EXIT_FAILED;
    }
    enum wal_status status = hf_transfer_drop(&transfer);
    return conclude(&transfer, status, "dropped", exporter, out);
}

enum hf_exit hf_dead_letters_drop_requeued(struct wal *wal, const char *exporter, FILE *out)
{
    struct hf_transfer transfer = {.out = out, .end = hf_transfer_end(wal)};
    const struct wal_consumer_options options = {.name = exporter, .from_oldest = true};
    enum wal_status status = wal_consumer_open(wal, &options, &transfer.reader);
    if (status == WAL_CLOSED) {
        hf_queue_say(out, "error: %s is configured and running: it is sending them\n", exporter);
        return HF_EXIT_FAILED;
    }
    if (status == WAL_OK) {
        status = hf_transfer_drop(&transfer);
        wal_consumer_close(transfer.reader);
    }
    return conclude(&transfer, status, "dropped", exporter, out);
}

enum hf_exit hf_dead_letters_requeue(struct hf_storage *store, const char *exporter,
                                     const struct hf_letters_choice *choice, FILE *out)
{
    struct hf_transfer transfer;
    struct wal *to = NULL;
    char why[HF_ERROR_MAX] = "";
    if (find_letters(store, exporter, choice, &transfer, out) == NULL) {
        return HF_EXIT_FAILED;
    }
    if (hf_storage_requeue(store, exporter, &to, why) != HF_OK) {
        hf_queue_say(out, "error: %s\n", why);
        return HF_EXIT_FAILED;
    }
    enum wal_status status = hf_transfer_move(&transfer, to);
    enum hf_exit code = conclude(&transfer, status, "requeued", exporter, out);
    if (transfer.gone.records != 0 && !hf_storage_is_watched(store, exporter)) {
        hf_queue_say(out, "they wait in requeue:%s until an exporter of that name runs\n",
                     exporter);
    }
    return code;
}
