/*
 * truth: what the victim tells the world outside of its directory, one line of fixed size a fact.
 * Who judges knows nothing else.
 *
 * A record is known by its number: unique, ascending, never used twice for one directory.
 */
#pragma once

#include <stdint.h>

enum truth_what {
    TRUTH_SUBMITTED =
        1,         /* number: about to be handed over; epoch 1: it may go to the dead letters too */
    TRUTH_ACKED,   /* number, sequence: the queue said it is durable */
    TRUTH_REFUSED, /* number, sequence: the status */
    TRUTH_SEEN,    /* who, number, sequence: read by a consumer that acknowledges it next */
    TRUTH_DONE,    /* who, number: acknowledged by that consumer */
    TRUTH_MOVED,   /* number, sequence: durable in the dead letters */
    TRUTH_CLOSED,  /* the queues were closed in good order */
    TRUTH_FOUND,   /* who, number, sequence: read, not acknowledged */
    TRUTH_CHECKPOINT, /* who: its name, number: its value; nothing when there is none */
    TRUTH_QUEUED,     /* who, number: records queued by the accounting */
    TRUTH_DAMAGED,    /* number: records dropped as damaged, by any count of the queue's */
    TRUTH_FAULT,      /* who: enum truth_fault; number: of what */
    TRUTH_BACK,       /* full service after the fault that was injected */
    TRUTH_END,        /* all that was asked is done */
    TRUTH_OPENED,     /* a period begins, which ends with TRUTH_CLOSED or with the process */
};

enum truth_fault {
    FAULT_OPEN = 1, /* number: the status */
    FAULT_BODY,     /* number: content or sizes are not those appended */
    FAULT_BOOKS,    /* who's accounting do not balance */
    FAULT_READ,     /* number: the status */
    FAULT_STUCK,    /* an append was never completed, or the queue never came back */
};

enum truth_who { WHO_FAST = 0, WHO_SLOW, WHO_DEAD, WHO_COUNT };

struct truth {
    uint32_t what, who;
    uint64_t number, sequence, epoch;
};

/* Numbers that the fast consumer moves to the dead letters. */
#define TRUTH_IS_BAD(number) ((number) % 17 == 3)
#define TRUTH_CHECKPOINTS 3u
