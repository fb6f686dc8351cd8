/* How far the messages of a partition are done with. */
#include "components/receivers/kafka/kafka_partition.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "util/metrics/metrics.h"

struct hf_node {
    struct hf_metrics *metrics;
};

struct hf_metrics *hf_node_metrics(const struct hf_node *node)
{
    return node->metrics;
}

const char *hf_node_id(const struct hf_node *node)
{
    (void)node;
    return "kafka";
}

const char *hf_node_counted_id(const struct hf_node *node)
{
    (void)node;
    return "kafka";
}

static struct hf_batch *const some_batch = (struct hf_batch *)8; /* is not looked at */

static struct kafka_entry *add(struct kafka_partition *partition, int64_t offset)
{
    struct kafka_entry *entry = calloc(1, sizeof(*entry));
    assert_non_null(entry);
    entry->offset = offset;
    entry->batch = some_batch;
    entry->is_submitted = true;
    kafka_partition_add(partition, entry);
    return entry;
}

static void finish(struct kafka_entry *entry)
{
    entry->batch = NULL;
    entry->is_submitted = false;
}

static void an_offset_waits_for_those_before_it(void **state)
{
    struct hf_node node;
    (void)state;
    assert_int_equal(hf_metrics_new(&node.metrics), HF_OK);
    struct kafka_partition *partition = kafka_partition_new(&node, HF_LOGS, "t", 3);
    assert_non_null(partition);
    struct kafka_entry *first = add(partition, 10);
    struct kafka_entry *second = add(partition, 11);
    struct kafka_entry *third = add(partition, 15); /* compaction leaves gaps */
    finish(second);
    assert_int_equal(kafka_partition_advance(partition), -1);
    finish(first);
    assert_int_equal(kafka_partition_advance(partition), 12);
    third->is_submitted = false; /* refused for now: it is offered again */
    assert_int_equal(kafka_partition_advance(partition), -1);
    finish(third);
    assert_int_equal(kafka_partition_advance(partition), 16);
    finish(add(partition, 16)); /* the list can be used again */
    assert_int_equal(kafka_partition_advance(partition), 17);
    kafka_partition_free(partition);
    hf_metrics_free(node.metrics);
}

static void stores_nothing_behind_a_message_that_was_not_kept(void **state)
{
    struct hf_node node;
    (void)state;
    assert_int_equal(hf_metrics_new(&node.metrics), HF_OK);
    struct kafka_partition *partition = kafka_partition_new(&node, HF_TRACES, "t", 0);
    assert_non_null(partition);
    partition->is_stuck = true;
    finish(add(partition, 1));
    assert_int_equal(kafka_partition_advance(partition), -1);
    assert_null(partition->first);
    kafka_partition_free(partition);
    hf_metrics_free(node.metrics);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_offset_waits_for_those_before_it),
        cmocka_unit_test(stores_nothing_behind_a_message_that_was_not_kept),
    };
    return cmocka_run_group_tests_name("kafka_partition", tests, NULL, NULL);
}
