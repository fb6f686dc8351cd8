/* Which queue of a pipeline gets what: whole requests in turn, or by a key, each item once. */
#include "pipeline/shards.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h> /* needs the three before it */

#define COUNT 3

struct world {
    struct hf_pipeline pipelines[COUNT];
    struct hf_shards *shards;
};

static void begin(struct world *world, enum hf_shard_by by)
{
    memset(world, 0, sizeof(*world));
    world->shards = hf_shards_new(&world->pipelines[0], by);
    assert_non_null(world->shards);
    for (size_t i = 1; i < COUNT; i++) {
        world->shards->queues[world->shards->count++] = &world->pipelines[i];
    }
}

/* Each of `keys` is a resource with an attribute of that letter, and one log record with a trace id
 * of it. */
static struct hf_batch *make_logs(const char *keys)
{
    struct hf_batch *batch = hf_batch_new(HF_LOGS, 64 * strlen(keys), HF_EMPTY_SLICE);
    uint8_t *out = hf_batch_room(batch);
    size_t size = 0;
    for (const char *key = keys; *key != '\0'; key++) {
        const uint8_t group[] = {0x0a, 36,  0x0a, 10, 0x0a, 8, 0x0a,
                                 1,    'k', 0x12, 3,  0x0a, 1, (uint8_t)*key,
                                 0x12, 22,  0x12, 20, 0x4a, 16};
        memcpy(out + size, group, sizeof(group));
        size += sizeof(group);
        memset(out + size, *key, 16);
        size += 16;
        out[size++] = 0x10; /* severity_number */
        out[size++] = 9;
    }
    hf_batch_seal(batch, size, (uint32_t)strlen(keys));
    return batch;
}

static size_t number_of(const struct world *world, const struct hf_shard_part *part)
{
    return (size_t)(part->pipeline - world->pipelines);
}

static void gives_whole_requests_in_turn(void **state)
{
    struct world world;
    struct hf_batch *batch = make_logs("abc");
    (void)state;
    begin(&world, HF_SHARD_ROUND_ROBIN);
    for (size_t i = 0; i < 7; i++) {
        struct hf_shard_parts parts;
        assert_int_equal(hf_shards_divide(world.shards, batch, &parts), HF_OK);
        assert_int_equal(parts.count, 1);
        assert_int_equal(number_of(&world, &parts.items[0]), i % COUNT);
        assert_ptr_equal(parts.items[0].batch, batch);
        hf_shard_parts_release(&parts);
    }
    hf_ref_drop(&batch->ref);
    free(world.shards);
}

/* The shard of a request with that key alone, which is not copied. */
static size_t place_of(struct world *world, char key)
{
    const char keys[] = {key, '\0'};
    struct hf_batch *batch = make_logs(keys);
    struct hf_shard_parts parts;
    assert_int_equal(hf_shards_divide(world->shards, batch, &parts), HF_OK);
    assert_int_equal(parts.count, 1);
    assert_ptr_equal(parts.items[0].batch, batch);
    size_t number = number_of(world, &parts.items[0]);
    hf_shard_parts_release(&parts);
    hf_ref_drop(&batch->ref);
    return number;
}

static void puts_what_has_a_key_into_one_queue(void **state)
{
    static const enum hf_shard_by bys[] = {HF_SHARD_RESOURCE, HF_SHARD_TRACE_ID};
    static const char keys[] = "abcdefghijklmnopqrst";
    (void)state;
    for (size_t b = 0; b < 2; b++) {
        struct world world;
        begin(&world, bys[b]);
        uint32_t alone[COUNT] = {0}, together[COUNT] = {0}, items = 0;
        for (const char *key = keys; *key != '\0'; key++) {
            alone[place_of(&world, *key)]++;
        }
        struct hf_batch *batch = make_logs(keys);
        struct hf_shard_parts parts;
        assert_int_equal(hf_shards_divide(world.shards, batch, &parts), HF_OK);
        assert_int_equal(parts.count, COUNT); /* of 20 keys each has some */
        for (size_t i = 0; i < parts.count; i++) {
            together[number_of(&world, &parts.items[i])] += parts.items[i].batch->items;
            items += parts.items[i].batch->items;
            assert_int_equal(parts.items[i].batch->wire.size,
                             parts.items[i].batch->items * (batch->wire.size / 20));
        }
        assert_int_equal(items, 20);
        assert_memory_equal(alone, together, sizeof(alone));
        hf_shard_parts_release(&parts);
        hf_ref_drop(&batch->ref);
        free(world.shards);
    }
}

/* A resource without items is in one of the parts, though no key says in which. */
static void leaves_out_no_resource_without_items(void **state)
{
    static const uint8_t alone[] = "\x0a\x04\x0a\x02\x10\x03";
    const size_t alone_size = sizeof(alone) - 1;
    struct world world;
    struct hf_batch *full = make_logs("abcdefgh");
    struct hf_batch *batch = hf_batch_new(HF_LOGS, full->raw.size + alone_size, HF_EMPTY_SLICE);
    struct hf_shard_parts parts;
    size_t size = 0;
    (void)state;
    memcpy(hf_batch_room(batch), alone, alone_size);
    memcpy((uint8_t *)hf_batch_room(batch) + alone_size, full->raw.data, full->raw.size);
    hf_batch_seal(batch, full->raw.size + alone_size, full->items);
    begin(&world, HF_SHARD_TRACE_ID);
    assert_int_equal(hf_shards_divide(world.shards, batch, &parts), HF_OK);
    assert_true(parts.count > 1);
    for (size_t i = 0; i < parts.count; i++) {
        size += parts.items[i].batch->raw.size;
    }
    assert_int_equal(size, batch->raw.size);
    assert_memory_equal(parts.items[0].batch->raw.data, alone, alone_size);
    hf_shard_parts_release(&parts);
    hf_ref_drop(&batch->ref);
    hf_ref_drop(&full->ref);
    free(world.shards);
}

/* Nothing may be left out, whatever a document shows of it. */
static void keeps_a_request_whole_that_shows_other_items(void **state)
{
    struct world world;
    struct hf_batch *batch = make_logs("abcdefgh");
    struct hf_shard_parts parts;
    (void)state;
    batch->items = 9;
    begin(&world, HF_SHARD_RESOURCE);
    assert_int_equal(hf_shards_divide(world.shards, batch, &parts), HF_OK);
    assert_int_equal(parts.count, 1);
    assert_ptr_equal(parts.items[0].batch, batch);
    hf_shard_parts_release(&parts);
    hf_ref_drop(&batch->ref);
    free(world.shards);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_whole_requests_in_turn),
        cmocka_unit_test(puts_what_has_a_key_into_one_queue),
        cmocka_unit_test(leaves_out_no_resource_without_items),
        cmocka_unit_test(keeps_a_request_whole_that_shows_other_items),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
