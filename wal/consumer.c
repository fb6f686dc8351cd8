/*
 * consumer: opening, closing and acknowledging. Reading is in consumer_read.c.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "amount.h"
#include "internal.h"

struct wal_consumer *wal_consumer_find(struct wal *wal, const char *name)
{
    struct wal_consumer *consumer = wal->consumers;

    while (consumer != NULL && strcmp(consumer->name, name) != 0) {
        consumer = consumer->next;
    }
    return consumer;
}

void wal_consumer_free(struct wal_consumer *consumer)
{
    if (consumer != NULL) {
        wal_cursor_release(&consumer->cursor);
        free(consumer);
    }
}

static void unlink_consumer(struct wal *wal, struct wal_consumer *consumer)
{
    struct wal_consumer **link = &wal->consumers;

    while (*link != consumer) {
        link = &(*link)->next;
    }
    *link = consumer->next;
}

/* Its row goes with the next write. Lock held. */
static void remove_consumer(struct wal *wal, struct wal_consumer *consumer)
{
    unlink_consumer(wal, consumer);
    consumer->next = wal->removed;
    wal->removed = consumer;
    wal_release_drained(wal);
}

/* Lock held. A name that is removed and comes again at once must not lose its new row to the old
 * one's removal. */
static void forget_removal(struct wal *wal, const char *name)
{
    struct wal_consumer **link = &wal->removed;

    while (*link != NULL) {
        struct wal_consumer *removed = *link;
        if (strcmp(removed->name, name) == 0) {
            *link = removed->next;
            wal_consumer_free(removed);
        } else {
            link = &removed->next;
        }
    }
}

/* Lock held. */
static struct wal_consumer *add_consumer(struct wal *wal, struct wal_consumer *consumer)
{
    forget_removal(wal, consumer->name);
    consumer->next = wal->consumers;
    wal->consumers = consumer;
    wal->is_row_pending =
        true; /* until its place is durable: a crash now would make it begin later */
    return consumer;
}

/*
 * One of two cursors of the same consumer: that which stands lower. Its backlog contains the
 * other's, so nothing is missed; what the other had delivered above it is repeated. Lock held.
 */
static struct wal_consumer *adopt(struct wal *wal, struct wal_consumer *mine,
                                  struct wal_consumer *theirs, const char *name)
{
    if (mine == NULL || theirs->cursor.low < mine->cursor.low) {
        struct wal_consumer *spare = mine;
        if (spare == NULL) {
            spare = calloc(1, sizeof(*spare));
            if (spare == NULL) {
                return NULL;
            }
            spare->wal = wal;
            memcpy(spare->name, name, strlen(name) + 1);
            (void)add_consumer(wal, spare);
        }
        struct wal_cursor cursor = spare->cursor;
        spare->cursor = theirs->cursor;
        theirs->cursor = cursor;
        mine = spare;
    }
    wal->is_row_pending = true;
    remove_consumer(wal, theirs);
    return mine;
}

/* Where a new name begins. Without the lock: it may read. */
static enum wal_status find_start(struct wal *wal, bool from_oldest, struct wal_place *ret_place)
{
    pthread_mutex_lock(&wal->lock);
    *ret_place = (struct wal_place){wal->next_sequence, wal->total};
    uint64_t first = wal_first_sequence(wal);
    bool is_oldest = (from_oldest || wal->are_cursors_lost) && first < wal->next_sequence;
    pthread_mutex_unlock(&wal->lock);
    return is_oldest ? wal_locate(wal, first, ret_place, NULL) : WAL_OK;
}

static struct wal_consumer *new_consumer(struct wal *wal, const char *name, struct wal_place place)
{
    struct wal_consumer *consumer = calloc(1, sizeof(*consumer));

    if (consumer != NULL) {
        consumer->wal = wal;
        memcpy(consumer->name, name, strlen(name) + 1);
        wal_cursor_init(&consumer->cursor, place);
    }
    return consumer;
}

/* Lock held. A new name at the present takes the present of now, not of when it was looked for. */
static enum wal_status get_consumer(struct wal *wal, const struct wal_consumer_options *options,
                                    struct wal_place start, struct wal_consumer **ret_consumer)
{
    struct wal_consumer *consumer = wal_consumer_find(wal, options->name);

    if (consumer != NULL && consumer->is_open) {
        return WAL_CLOSED;
    }
    if (options->adopt != NULL && strcmp(options->adopt, options->name) != 0) {
        struct wal_consumer *theirs = wal_consumer_find(wal, options->adopt);
        if (theirs == NULL || theirs->is_open) {
            return WAL_MISSING;
        }
        consumer = adopt(wal, consumer, theirs, options->name);
    } else if (consumer == NULL) {
        if (!options->from_oldest && !wal->are_cursors_lost) {
            start = (struct wal_place){wal->next_sequence, wal->total};
        }
        consumer = new_consumer(wal, options->name, start);
        if (consumer != NULL) {
            (void)add_consumer(wal, consumer);
        }
    }
    *ret_consumer = consumer;
    return consumer == NULL ? WAL_NOMEM : WAL_OK;
}

enum wal_status wal_consumer_open(struct wal *wal, const struct wal_consumer_options *options,
                                  struct wal_consumer **ret_consumer)
{
    assert(options->name != NULL && options->name[0] != '\0');
    struct wal_consumer *consumer = NULL;
    struct wal_place start;

    if (strlen(options->name) > WAL_NAME_BYTES_MAX) {
        return WAL_TOO_LARGE;
    }
    if (wal->options.read_only) {
        return WAL_CLOSED;
    }
    enum wal_status status = find_start(wal, options->from_oldest, &start);
    if (status != WAL_OK) {
        return status;
    }
    pthread_mutex_lock(&wal->lock);
    status = get_consumer(wal, options, start, &consumer);
    if (status == WAL_OK) {
        consumer->is_open = true;
        consumer->options = *options;
        consumer->options.name = NULL;
        consumer->options.adopt = NULL;
        wal_read_position_reset(consumer);
        consumer->is_armed = false;
        consumer->is_blocked = false;
        consumer->is_wake_pending = false;
        if (wal->is_row_pending) {
            consumer->is_dirty = true;
            /* Should it fail, nothing is admitted until a later try succeeds. */
            (void)wal_janitor_flush(wal, true);
        }
        *ret_consumer = consumer;
    }
    pthread_mutex_unlock(&wal->lock);
    return status;
}

void wal_consumer_close(struct wal_consumer *consumer)
{
    struct wal *wal = consumer->wal;

    pthread_mutex_lock(&wal->lock);
    assert(consumer->is_open);
    consumer->is_open = false;
    while (consumer->is_waking) {
        pthread_cond_wait(&wal->janitor.done, &wal->lock);
    }
    consumer->options = (struct wal_consumer_options){0};
    if (consumer->is_dirty) {
        (void)wal_janitor_flush(wal, false);
    }
    pthread_mutex_unlock(&wal->lock);
}

/*
 * The position never stands in a range: its total would not be known. So it goes over a record that
 * is acknowledged right where it stands (read before a rewind), and over the range behind that,
 * before the record joins a range. Lock held.
 */
static void make_way(struct wal_consumer *consumer, const struct wal_ack *ack)
{
    struct wal_place *position = &consumer->backlog.position;

    if (ack->sequence != position->sequence || wal_cursor_has(&consumer->cursor, ack->sequence)) {
        return;
    }
    position->sequence++;
    position->total =
        wal_amount_add(position->total, (struct wal_amount){1, ack->items, ack->raw_bytes});
    (void)wal_cursor_skip(&consumer->cursor, position);
    if (consumer->backlog.look < position->sequence) {
        consumer->backlog.look = position->sequence;
    }
}

void wal_consumer_ack(struct wal_consumer *consumer, const struct wal_ack *acks, size_t count)
{
    assert(count == 0 || acks != NULL);
    struct wal *wal = consumer->wal;
    struct wal_cursor *cursor = &consumer->cursor;
    bool is_changed = false;

    pthread_mutex_lock(&wal->lock);
    uint64_t low = cursor->low;
    for (size_t i = 0; i < count; i++) {
        if (acks[i].sequence >= wal->next_sequence) {
            continue;
        }
        make_way(consumer, &acks[i]);
        if (wal_cursor_ack(cursor, &acks[i])) {
            is_changed = true;
            consumer->in_flight -= consumer->in_flight > 0;
        }
    }
    if (is_changed) {
        wal_mark_dirty(wal, consumer);
    }
    if (cursor->low != low && wal->segment_count > 0 && cursor->low >= wal->segments[0]->end) {
        wal_release_drained(wal);
    }
    if (cursor->low != low && cursor->low == wal->next_sequence && wal->janitor.is_idle) {
        wal->janitor.is_idle = false; /* drained while nothing is appended: it may look again */
        wal_janitor_call(wal);
    }
    if (consumer->is_blocked &&
        (cursor->range_count < WAL_RANGES_MAX / 2 || consumer->in_flight == 0)) {
        consumer->is_blocked = false;
        consumer->is_wake_pending = true;
        wal_submit_call(&wal->submit);
    }
    pthread_mutex_unlock(&wal->lock);
}

void wal_consumer_rewind(struct wal_consumer *consumer)
{
    assert(consumer->is_open);
    struct wal *wal = consumer->wal;

    pthread_mutex_lock(&wal->lock);
    wal_read_position_reset(consumer);
    pthread_mutex_unlock(&wal->lock);
}

enum wal_status wal_consumer_remove(struct wal *wal, const char *name)
{
    assert(name != NULL);
    pthread_mutex_lock(&wal->lock);
    struct wal_consumer *consumer = wal_consumer_find(wal, name);
    enum wal_status status = WAL_MISSING;
    if (consumer != NULL && !consumer->is_open && !wal->options.read_only) {
        remove_consumer(wal, consumer);
        status = wal_janitor_flush(wal, true);
    }
    pthread_mutex_unlock(&wal->lock);
    return status;
}
