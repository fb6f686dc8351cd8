/* What becomes of a request whose backend answers for each item, and of requests of an exporter
 * with limits of its own. */
#include "delivery_world.h"

#define CALLS_MAX 64

/* An exporter that answers for each item by its name, 'a' + number in its record. */
struct picky {
    struct backend unused; /* where the world expects one */
    pthread_mutex_t lock;
    const char *again, *never; /* names that are refused: at the first call only, and always */
    size_t calls;
    char names[CALLS_MAX][128]; /* of the items of each call, in order */
    uint64_t bytes[CALLS_MAX];
    char places[CALLS_MAX][128]; /* of the items: record:first+count, the first record is 0 */
    uint64_t first_sequence;
};

static struct picky picky;

static void read_places(const struct hf_export *export, char *places)
{
    size_t size = 0;
    uint32_t items = 0;
    if (picky.first_sequence == 0) {
        picky.first_sequence = export->ranges[0].sequence;
    }
    for (size_t i = 0; i < export->range_count; i++) {
        const struct hf_export_range *range = &export->ranges[i];
        size += (size_t)snprintf(places + size, 128 - size, "%s%u:%u+%u", i == 0 ? "" : " ",
                                 (unsigned)(range->sequence - picky.first_sequence), range->first,
                                 range->count);
        assert_true(range->received_ns != 0);
        items += range->count;
    }
    assert_int_equal(items, export->items);
    assert_string_equal(export->queue, "traces");
}

static void send_picky(void *self, struct hf_export *export)
{
    struct hf_item_outcome items[128];
    struct hf_outcome outcome = {.status = HF_OK, .items = items};
    (void)self;
    pthread_mutex_lock(&picky.lock);
    size_t call = picky.calls++;
    assert_true(call < CALLS_MAX);
    char *names = picky.names[call];
    picky.bytes[call] = export->raw_size;
    names[read_names(export, names)] = '\0';
    read_places(export, picky.places[call]);
    for (uint32_t i = 0; names[i] != '\0'; i++) {
        bool is_again = call == 0 && picky.again != NULL && strchr(picky.again, names[i]) != NULL;
        bool is_never = picky.never != NULL && strchr(picky.never, names[i]) != NULL;
        if (is_again || is_never) {
            items[outcome.item_count++] =
                (struct hf_item_outcome){.first = i,
                                         .count = 1,
                                         .status = is_again ? HF_BUSY : HF_INVALID,
                                         .message = is_again ? "slow down" : "not this one"};
        }
    }
    pthread_mutex_unlock(&picky.lock);
    hf_export_done(export, &outcome);
}

static const struct hf_component picky_exporter = {
    .type = "picky",
    .kind = HF_EXPORTER,
    .exporter = &(const struct hf_exporter_ops){.send = send_picky}};

static struct world *make_picky_world(const struct hf_component *exporter, const char *again,
                                      const char *never)
{
    struct world *world = make_world();
    memset(&picky, 0, sizeof(picky));
    pthread_mutex_init(&picky.lock, NULL);
    picky.again = again;
    picky.never = never;
    world->config.queue.num_consumers = 1;
    world->node.component = exporter;
    return world;
}

static void run(struct world *world)
{
    start(world);
    (void)wait_until_empty(world);
}

static struct wal_accounting dead_letters(struct world *world)
{
    const struct wal_limits limits = {.max_bytes = 16 << 20};
    struct wal *wal = hf_storage_dead_letters(world->host.store, "made_up", &limits);
    struct wal_stat stat;
    assert_non_null(wal);
    wal_stat(wal, &stat);
    return (struct wal_accounting){.accepted = stat.appended};
}

static void takes_the_others_and_sends_some_again(void **state)
{
    (void)state;
    struct world *world = make_picky_world(&picky_exporter, "bcf", NULL);
    open_delivery(world);
    put(world, 4); /* abcd */
    put(world, 6); /* abcdef */
    run(world);
    struct wal_accounting accounting = accounting_of(world);
    assert_int_equal(accounting.delivered.items, 10);
    assert_int_equal(picky.calls, 2);
    assert_string_equal(picky.names[0], "abcdabcdef");
    assert_string_equal(picky.names[1], "bcbcf"); /* of two records, in one request */
    /* An item has the same place at every attempt. */
    assert_string_equal(picky.places[0], "0:0+4 1:0+6");
    assert_string_equal(picky.places[1], "0:1+1 0:2+1 1:1+1 1:2+1 1:5+1");
    end_world(world);
}

static void moves_what_is_never_taken_to_the_dead_letters(void **state)
{
    (void)state;
    struct world *world = make_picky_world(&picky_exporter, "a", "cd");
    open_delivery(world);
    put(world, 5); /* abcde */
    put(world, 3); /* abc */
    run(world);
    struct wal_accounting accounting = accounting_of(world);
    assert_string_equal(picky.names[0], "abcdeabc");
    assert_string_equal(picky.names[1], "aa");
    assert_int_equal(picky.calls, 2);
    assert_int_equal(accounting.accepted.items, 8);
    assert_int_equal(accounting.queued.items, 0);
    assert_int_equal(accounting.delivered.items, 5);
    assert_int_equal(accounting.dead_lettered.items, 3);
    assert_int_equal(dead_letters(world).accepted.items, 3);
    assert_int_equal(dead_letters(world).accepted.records, 2); /* one for each record */
    end_world(world);
}

static void drops_what_is_never_taken_without_dead_letters(void **state)
{
    (void)state;
    struct world *world = make_picky_world(&picky_exporter, NULL, "b");
    world->config.queue.dead_letter.enabled = false;
    open_delivery(world);
    put(world, 3);
    run(world);
    struct wal_accounting accounting = accounting_of(world);
    assert_int_equal(accounting.delivered.items, 2);
    assert_int_equal(accounting.dropped[WAL_DROP_REJECTED].items, 1);
    end_world(world);
}

static void can_refuse_every_item(void **state)
{
    (void)state;
    struct world *world = make_picky_world(&picky_exporter, "abcdef", NULL);
    open_delivery(world);
    put(world, 6);
    run(world);
    assert_int_equal(picky.calls, 2);
    assert_string_equal(picky.names[1], "abcdef");
    assert_int_equal(accounting_of(world).delivered.items, 6);
    end_world(world);
}

static const struct hf_component small_exporter = {
    .type = "small",
    .kind = HF_EXPORTER,
    .exporter = &(const struct hf_exporter_ops){
        .send = send_picky, .request_bytes_max = 40, .wait_ns_max = 1}};

static const struct hf_component few_exporter = {
    .type = "few",
    .kind = HF_EXPORTER,
    .exporter = &(const struct hf_exporter_ops){.send = send_picky, .request_items_max = 3}};

static void keeps_requests_below_the_exporters_own_bytes(void **state)
{
    (void)state;
    struct world *world = make_picky_world(&small_exporter, NULL, NULL);
    const struct hf_queue_batch_config batch = {.flush_timeout_ns = UINT64_C(3600000000000),
                                                .min_size = 1000};
    world->config.queue.batch = &batch; /* would wait an hour for more */
    open_delivery(world);
    put(world, 20);
    put(world, 1);
    run(world);
    assert_int_equal(accounting_of(world).delivered.items, 21);
    for (size_t i = 0; i < picky.calls; i++) {
        assert_true(picky.bytes[i] <= 40);
    }
    assert_true(picky.calls > 3);
    end_world(world);
}

static void keeps_requests_below_the_exporters_own_items(void **state)
{
    (void)state;
    struct world *world = make_picky_world(&few_exporter, NULL, NULL);
    const struct hf_queue_batch_config batch = {.flush_timeout_ns = 1000000, .min_size = 1000};
    world->config.queue.batch = &batch;
    open_delivery(world);
    put(world, 7);
    put(world, 2);
    run(world);
    for (size_t i = 0; i < picky.calls; i++) {
        assert_true(strlen(picky.names[i]) <= 3);
    }
    assert_int_equal(accounting_of(world).delivered.items, 9);
    end_world(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_the_others_and_sends_some_again),
        cmocka_unit_test(moves_what_is_never_taken_to_the_dead_letters),
        cmocka_unit_test(drops_what_is_never_taken_without_dead_letters),
        cmocka_unit_test(can_refuse_every_item),
        cmocka_unit_test(keeps_requests_below_the_exporters_own_bytes),
        cmocka_unit_test(keeps_requests_below_the_exporters_own_items),
    };
    return cmocka_run_group_tests_name("item_outcomes", tests, NULL, NULL);
}
