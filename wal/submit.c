#include "submit.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

void wal_submit_init(struct wal_submit *submit)
{
    atomic_init(&submit->head, NULL);
    atomic_init(&submit->asleep, 0);
    atomic_init(&submit->called, 0);
}

static void wake(struct wal_submit *submit)
{
    if (atomic_load(&submit->asleep) != 0 && atomic_exchange(&submit->asleep, 0) != 0) {
        (void)syscall(SYS_futex, &submit->asleep, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
    }
}

void wal_submit_push(struct wal_submit *submit, struct wal_append *append)
{
    struct wal_append *head = atomic_load_explicit(&submit->head, memory_order_relaxed);

    do {
        append->next = head;
    } while (!atomic_compare_exchange_weak(&submit->head, &head, append));
    wake(submit);
}

void wal_submit_call(struct wal_submit *submit)
{
    atomic_store(&submit->called, 1);
    wake(submit);
}

struct wal_append *wal_submit_take(struct wal_submit *submit)
{
    struct wal_append *newest = atomic_exchange(&submit->head, NULL);
    struct wal_append *oldest = NULL;

    while (newest != NULL) {
        struct wal_append *next = newest->next;
        newest->next = oldest;
        oldest = newest;
        newest = next;
    }
    return oldest;
}

void wal_submit_wait(struct wal_submit *submit)
{
    for (;;) {
        atomic_store(&submit->asleep, 1);
        if (atomic_exchange(&submit->called, 0) != 0 || atomic_load(&submit->head) != NULL) {
            atomic_store(&submit->asleep, 0);
            return;
        }
        /* Returns at once when a push or a call has set the word to 0 since; a spurious return goes
         * round.
         */
        (void)syscall(SYS_futex, &submit->asleep, FUTEX_WAIT_PRIVATE, 1, NULL, NULL, 0);
    }
}
