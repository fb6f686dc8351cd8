#include "judge.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PERIODS_MAX = 64 };

/* What is known of one number. */
struct known {
    bool submitted, acked, refused, moved;
    uint64_t sequence;
    bool seen[WHO_COUNT];
    uint32_t found[WHO_COUNT]; /* by which look; 0: none */
    uint32_t done[WHO_COUNT];  /* the period in which it was acknowledged; 0: not yet */
};

struct bench {
    const struct judge_rules *rules;
    struct verdict *verdict;
    struct known *known;
    uint32_t period;             /* from one opening to the next */
    bool is_closed[PERIODS_MAX]; /* it ended in good order: its acknowledgements are stored */
    uint32_t look;               /* ends with each end of a mode */
    uint64_t found[WHO_COUNT], last_found[WHO_COUNT]; /* in this look, in the one before */
    uint64_t queued[WHO_COUNT], last_sequence[WHO_COUNT];
    uint64_t checkpoints[TRUTH_CHECKPOINTS];
    bool has_checkpoint[TRUTH_CHECKPOINTS];
};

static void wrong(struct bench *bench, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void wrong(struct bench *bench, const char *format, ...)
{
    va_list rest;

    bench->verdict->faults++;
    if (bench->verdict->words[0] != '\0') {
        return;
    }
    va_start(rest, format);
    vsnprintf(bench->verdict->words, sizeof(bench->verdict->words), format, rest);
    va_end(rest);
}

/* A consumer gets a record that it had got before; its acknowledgement is known to be lost from
 * here on. */
static void repeat(struct bench *bench, const struct truth *truth, struct known *known)
{
    uint32_t done = known->done[truth->who];

    bench->verdict->repeated++;
    if (bench->is_closed[done] && !bench->rules->may_repeat) {
        wrong(bench, "number %lu repeated to %u after a good end", truth->number, truth->who);
    }
    known->done[truth->who] = 0;
    known->seen[truth->who] = false;
}

static void found(struct bench *bench, const struct truth *truth, struct known *known)
{
    unsigned who = truth->who;

    if (bench->found[who]++ > 0 && truth->sequence <= bench->last_sequence[who]) {
        wrong(bench, "sequence %lu after %lu to %u", truth->sequence, bench->last_sequence[who],
              who);
    }
    bench->last_sequence[who] = truth->sequence;
    if (!known->submitted) {
        wrong(bench, "number %lu was never appended", truth->number);
    }
    if (known->found[who] == bench->look) {
        /* A move is made again when its acknowledgement was lost; no other record is there twice.
         */
        bench->verdict->repeated++;
        if (who != WHO_DEAD) {
            wrong(bench, "number %lu is there twice for %u", truth->number, who);
        }
    }
    if (known->seen[who]) {
        repeat(bench, truth, known);
    }
    if (who != WHO_DEAD && known->acked && known->sequence != truth->sequence) {
        wrong(bench, "number %lu has sequence %lu, was %lu", truth->number, truth->sequence,
              known->sequence);
    }
    known->found[who] = bench->look;
}

static void hear_of_number(struct bench *bench, const struct truth *truth, struct known *known)
{
    switch (truth->what) {
    case TRUTH_SUBMITTED:
        known->submitted = true;
        break;
    case TRUTH_ACKED:
        known->acked = true;
        known->sequence = truth->sequence;
        bench->verdict->acked++;
        break;
    case TRUTH_REFUSED:
        known->refused = true;
        break;
    case TRUTH_SEEN:
        if (known->seen[truth->who]) {
            repeat(bench, truth, known);
        }
        known->seen[truth->who] = true;
        break;
    case TRUTH_DONE:
        known->done[truth->who] = bench->period;
        break;
    case TRUTH_MOVED:
        known->moved = true;
        bench->verdict->acked++;
        break;
    case TRUTH_FOUND:
        found(bench, truth, known);
        break;
    case TRUTH_CHECKPOINT:
        bench->checkpoints[truth->who] = truth->number;
        bench->has_checkpoint[truth->who] = true;
        break;
    default:
        break;
    }
}

static void next_look(struct bench *bench)
{
    for (unsigned who = 0; who < WHO_COUNT; who++) {
        bench->last_found[who] = bench->found[who];
        bench->found[who] = 0;
    }
    bench->look++;
}

static void hear(struct bench *bench, const struct truth *truth)
{
    switch (truth->what) {
    case TRUTH_OPENED:
        bench->period += bench->period + 1 < PERIODS_MAX;
        break;
    case TRUTH_CLOSED:
        bench->is_closed[bench->period] = true;
        break;
    case TRUTH_QUEUED:
        bench->queued[truth->who % WHO_COUNT] = truth->number;
        break;
    case TRUTH_DAMAGED:
        if (truth->number != 0) {
            wrong(bench, "%lu records count as damaged", truth->number);
        }
        break;
    case TRUTH_FAULT:
        wrong(bench, "fault %u of %lu", truth->who, truth->number);
        break;
    case TRUTH_END:
        bench->verdict->is_complete = true;
        next_look(bench);
        break;
    case TRUTH_BACK:
        break;
    default:
        if (truth->number >= JUDGE_NUMBERS || truth->who >= WHO_COUNT) {
            wrong(bench, "an impossible number: %lu", truth->number);
            break;
        }
        hear_of_number(bench, truth, &bench->known[truth->number]);
    }
}

static void lose(struct bench *bench, uint64_t number, const char *where)
{
    if (bench->verdict->lost++ == 0) {
        snprintf(bench->verdict->words, sizeof(bench->verdict->words), "LOST number %lu (%s)",
                 number, where);
    }
}

/* The last look found it. */
static bool is_there(const struct bench *bench, const struct known *known, enum truth_who who)
{
    return known->found[who] + 1 == bench->look;
}

/* Has got it or will: NULL. Else who does not. */
static const char *misses(const struct bench *bench, uint64_t number)
{
    const struct known *known = &bench->known[number];
    bool has[WHO_COUNT];

    for (unsigned who = 0; who < WHO_COUNT; who++) {
        has[who] = known->seen[who] || is_there(bench, known, who);
    }
    if (!has[WHO_FAST] && !(TRUTH_IS_BAD(number) && has[WHO_DEAD])) {
        return "fast";
    }
    return has[WHO_SLOW] ? NULL : "slow";
}

/* Everything acknowledged reached each consumer, or is there for it. */
static void look_for(struct bench *bench, uint64_t number)
{
    const struct known *known = &bench->known[number];

    const char *who = known->acked ? misses(bench, number) : NULL;
    if (who != NULL) {
        lose(bench, number, who);
    } else if (known->moved && !known->seen[WHO_DEAD] && !is_there(bench, known, WHO_DEAD)) {
        lose(bench, number, "dead letter");
    }
    if (!known->acked && (is_there(bench, known, WHO_FAST) || is_there(bench, known, WHO_SLOW))) {
        bench->verdict->ghosts += known->refused;
        bench->verdict->extra += !known->refused;
    }
}

/* A checkpoint is never behind an acknowledged record of its own, nor ahead of what is stored. */
static void look_at_checkpoint(struct bench *bench, unsigned index)
{
    uint64_t highest = 0;

    for (uint64_t number = 0; number < JUDGE_NUMBERS; number++) {
        if (number % TRUTH_CHECKPOINTS == index && bench->known[number].acked) {
            highest = number;
        }
    }
    if (!bench->has_checkpoint[index]) {
        if (highest != 0) {
            wrong(bench, "checkpoint %u is gone, was at %lu", index, highest);
        }
        return;
    }
    uint64_t value = bench->checkpoints[index];
    const struct known *known = &bench->known[value % JUDGE_NUMBERS];
    if (value < highest || value >= JUDGE_NUMBERS || value % TRUTH_CHECKPOINTS != index) {
        wrong(bench, "checkpoint %u is %lu, behind %lu", index, value, highest);
    } else if (!known->acked && misses(bench, value) != NULL) {
        wrong(bench, "checkpoint %u is %lu, whose record is not there", index, value);
    }
}

void judge(const struct truth *truths, size_t count, const struct judge_rules *rules,
           struct verdict *ret)
{
    *ret = (struct verdict){0};
    struct bench bench = {.rules = rules, .verdict = ret, .look = 1};
    bench.known = calloc(JUDGE_NUMBERS, sizeof(*bench.known));
    if (bench.known == NULL) {
        abort();
    }
    for (size_t i = 0; i < count; i++) {
        ret->is_complete = false; /* only the last word counts */
        hear(&bench, &truths[i]);
    }
    if (!ret->is_complete) {
        next_look(&bench);
    }
    for (uint64_t number = 0; number < JUDGE_NUMBERS; number++) {
        look_for(&bench, number);
    }
    for (unsigned i = 0; i < TRUTH_CHECKPOINTS; i++) {
        look_at_checkpoint(&bench, i);
    }
    for (unsigned who = 0; who < WHO_COUNT; who++) {
        if (ret->is_complete && bench.queued[who] != bench.last_found[who]) {
            wrong(&bench, "the accounting say %lu queued for %u, %lu are there", bench.queued[who],
                  who, bench.last_found[who]);
        }
    }
    if (ret->extra > rules->extra_max) {
        wrong(&bench, "%lu records more than were in flight", ret->extra);
    }
    if (!ret->is_complete) {
        wrong(&bench, "the verification did not end");
    }
    free(bench.known);
}

bool judge_is_good(const struct verdict *verdict)
{
    return verdict->lost == 0 && verdict->faults == 0;
}
