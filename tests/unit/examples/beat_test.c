/* The receiver of docs/examples, on a loop of its own; the queues are made up. */
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h> /* needs the three before it */

#include "tests/support/node_stub.c"

extern const struct hf_component hf_receiver_beat;

#define PATIENCE_S 20
#define OFFERS_MAX 3

/* What was offered; the loop's thread writes, the test reads after `offered`. */
static struct {
    enum hf_status says[OFFERS_MAX]; /* the answers, one by one; later offers are not answered OK */
    struct hf_batch *batches[OFFERS_MAX];
    size_t count;
    sem_t offered;
} queue;

enum hf_status hf_node_add_transport(struct hf_node *node, const char *name)
{
    (void)node;
    assert_string_equal(name, "timer");
    return HF_OK;
}

void hf_submit(struct hf_node *node, struct hf_batch *batch, const char *transport,
               struct hf_reply *reply)
{
    (void)node;
    (void)transport;
    enum hf_status status = HF_CLOSED;
    if (queue.count < OFFERS_MAX) {
        status = queue.says[queue.count];
        hf_ref_take(&batch->ref);
        queue.batches[queue.count++] = batch;
        sem_post(&queue.offered);
    }
    reply->done(reply, status);
}

static bool has(const struct hf_batch *batch, const char *text)
{
    return memmem(batch->raw.data, batch->raw.size, text, strlen(text)) != NULL;
}

static void run_for_three_offers(void)
{
    static const uint64_t interval_ns = 1000000; /* the whole of the configuration */
    struct hf_node node = {.id = "beat"};
    char error[HF_ERROR_MAX] = "";
    void *self = NULL;
    node_stub_init(&node);
    queue.count = 0;
    sem_init(&queue.offered, 0, 0);
    assert_int_equal(hf_loop_new(&node.loop), HF_OK);
    assert_int_equal(hf_loop_start_thread(node.loop, "beat"), HF_OK);
    assert_int_equal(hf_receiver_beat.open(&node, &interval_ns, &self, error), HF_OK);
    assert_int_equal(hf_receiver_beat.start(self, error), HF_OK);
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += PATIENCE_S;
    for (size_t i = 0; i < OFFERS_MAX; i++) {
        assert_int_equal(sem_timedwait(&queue.offered, &until), 0);
    }
    hf_receiver_beat.stop(self);
    hf_receiver_beat.close(self);
    hf_loop_join(node.loop);
    hf_loop_free(node.loop);
    sem_destroy(&queue.offered);
}

static void drop_batches(void)
{
    for (size_t i = 0; i < OFFERS_MAX; i++) {
        hf_ref_drop(&queue.batches[i]->ref);
    }
}

static void makes_records_with_rising_numbers(void **state)
{
    (void)state;
    memset(queue.says, 0, sizeof(queue.says));
    run_for_three_offers();
    assert_int_equal(queue.batches[0]->signal, HF_LOGS);
    assert_int_equal(queue.batches[0]->items, 1);
    assert_true(has(queue.batches[0], "beat 1"));
    assert_true(has(queue.batches[1], "beat 2"));
    assert_true(has(queue.batches[2], "beat 3"));
    drop_batches();
}

static void offers_again_what_is_refused_for_now(void **state)
{
    (void)state;
    queue.says[0] = HF_FULL;
    queue.says[1] = HF_OK;
    queue.says[2] = HF_INVALID;
    run_for_three_offers();
    assert_ptr_equal(queue.batches[1], queue.batches[0]);
    assert_true(has(queue.batches[2], "beat 2"));
    drop_batches();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(makes_records_with_rising_numbers),
        cmocka_unit_test(offers_again_what_is_refused_for_now),
    };
    return cmocka_run_group_tests_name("beat", tests, NULL, NULL);
}
