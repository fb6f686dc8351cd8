/* What brokers answer, as points: the functions that ask them are the test's own. */
#include "components/receivers/kafkametrics/kafka_look.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include <holdfast/component.h>

#include "tests/support/wanted_all.h"
#include "tests/unit/scrape_stub.h"

/* ---- a cluster of two brokers: the topic `orders` with two partitions, and an inner one ---- */

static int32_t replicas[] = {1, 2};
static struct rd_kafka_metadata_partition partitions[] = {
    {.id = 0, .replica_cnt = 2, .replicas = replicas, .isr_cnt = 1, .isrs = replicas},
    {.id = 1, .replica_cnt = 2, .replicas = replicas, .isr_cnt = 2, .isrs = replicas}};
static struct rd_kafka_metadata_topic topics[] = {
    {.topic = (char[]){"orders"}, .partition_cnt = 2, .partitions = partitions},
    {.topic = (char[]){"_inner"}, .partition_cnt = 1, .partitions = partitions},
    {.topic = (char[]){"gone"}, .err = RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART}};
static struct rd_kafka_metadata_broker brokers[] = {{.id = 1}, {.id = 2}};
static const struct rd_kafka_metadata metadata = {
    .broker_cnt = 2, .brokers = brokers, .topic_cnt = 3, .topics = topics};
static struct rd_kafka_group_info group_infos[] = {{.group = (char[]){"billing"}, .member_cnt = 3},
                                                   {.group = (char[]){"other"}}};
static const struct rd_kafka_group_list groups = {.groups = group_infos, .group_cnt = 2};

static struct {
    enum hf_status metadata, offsets; /* what is answered */
    rd_kafka_resp_err_t partition;    /* of the second partition */
    int lists;                        /* not freed */
} cluster;

enum hf_status hf_kafka_admin_metadata(struct hf_kafka_admin *admin,
                                       const struct hf_patience *patience,
                                       const struct rd_kafka_metadata **ret_metadata, char *reterr)
{
    (void)admin;
    (void)patience;
    snprintf(reterr, HF_ERROR_MAX, "no broker");
    *ret_metadata = &metadata;
    return cluster.metadata;
}

enum hf_status hf_kafka_admin_offsets(struct hf_kafka_admin *admin, bool oldest,
                                      rd_kafka_topic_partition_list_t *list,
                                      const struct hf_patience *patience, char *reterr)
{
    (void)admin;
    (void)patience;
    assert_int_equal(list->cnt, 2); /* of the topic that matches */
    for (int i = 0; i < list->cnt; i++) {
        list->elems[i].offset = oldest ? 10 : 100 + i;
    }
    list->elems[1].err = cluster.partition;
    snprintf(reterr, HF_ERROR_MAX, "no leader");
    return cluster.offsets;
}

enum hf_status hf_kafka_admin_groups(struct hf_kafka_admin *admin,
                                     const struct hf_patience *patience,
                                     const struct rd_kafka_group_list **ret_groups, char *reterr)
{
    (void)admin;
    (void)patience;
    (void)reterr;
    *ret_groups = &groups;
    return HF_OK;
}

enum hf_status
hf_kafka_admin_committed(struct hf_kafka_admin *admin, const char *group,
                         const rd_kafka_topic_partition_list_t *list,
                         const struct hf_patience *patience,
                         void (*take)(void *user, const rd_kafka_topic_partition_list_t *committed),
                         void *user, char *reterr)
{
    rd_kafka_topic_partition_t own[] = {
        {.topic = topics[0].topic, .partition = 0, .offset = 70},
        {.topic = topics[0].topic, .partition = 1, .offset = -1001}};
    const rd_kafka_topic_partition_list_t committed = {.cnt = 2, .size = 2, .elems = own};
    (void)admin;
    (void)patience;
    (void)reterr;
    assert_string_equal(group, "billing");
    assert_int_equal(list->cnt, 2);
    take(user, &committed);
    return HF_OK;
}

enum hf_status hf_kafka_admin_settings(struct hf_kafka_admin *admin, rd_kafka_ResourceType_t type,
                                       const char *called, const struct hf_patience *patience,
                                       void (*take)(void *user, const char *name,
                                                    const char *value),
                                       void *user, char *reterr)
{
    (void)admin;
    (void)patience;
    if (type == RD_KAFKA_RESOURCE_BROKER && called[0] == '2') {
        snprintf(reterr, HF_ERROR_MAX, "not allowed");
        return HF_INVALID;
    }
    take(user, "log.retention.hours", "168");
    take(user, "retention.ms", type == RD_KAFKA_RESOURCE_TOPIC ? "7200000" : NULL);
    take(user, "retention.bytes", "-1");
    take(user, "min.insync.replicas", "many");
    return HF_OK;
}

/* ---- lists, as librdkafka has them ---- */

static rd_kafka_topic_partition_list_t *new_list(int size)
{
    rd_kafka_topic_partition_list_t *list = calloc(1, sizeof(*list));
    list->elems = calloc((size_t)size, sizeof(*list->elems));
    list->size = size;
    cluster.lists++;
    return list;
}

static rd_kafka_topic_partition_t *add_to_list(rd_kafka_topic_partition_list_t *list,
                                               const char *topic, int32_t partition)
{
    rd_kafka_topic_partition_t *added = &list->elems[list->cnt++];
    assert_true(list->cnt <= list->size);
    added->topic = topics[0].topic;
    assert_string_equal(topic, added->topic);
    added->partition = partition;
    return added;
}

static void free_list(rd_kafka_topic_partition_list_t *list)
{
    cluster.lists--;
    free(list->elems);
    free(list);
}

static void free_metadata(const struct rd_kafka_metadata *freed)
{
    assert_ptr_equal(freed, &metadata);
}

static void free_groups(const struct rd_kafka_group_list *freed)
{
    assert_ptr_equal(freed, &groups);
}

static const struct hf_kafka_library library = {.topic_partition_list_new = new_list,
                                                .topic_partition_list_add = add_to_list,
                                                .topic_partition_list_destroy = free_list,
                                                .metadata_destroy = free_metadata,
                                                .group_list_destroy = free_groups};

/* ---- tests ---- */

static void look(struct hf_string_list scrapers)
{
    struct kafkametrics_config config = {.scrapers = scrapers};
    struct hf_regex *topic_match = NULL, *group_match = NULL;
    struct hf_points points;
    const struct hf_metric_set metrics = {kafka_rows, config.wanted.metrics, KAFKA_METRIC_COUNT, 0};
    char why[HF_REGEX_ERROR_MAX];
    WANT_METRICS(config.wanted.metrics);
    assert_int_equal(hf_regex_new("^[^_].*$", &topic_match, why), HF_OK);
    assert_int_equal(hf_regex_new("^b", &group_match, why), HF_OK);
    assert_int_equal(hf_points_init(&points, &metrics), HF_OK);
    struct kafka_look look = {.config = &config,
                              .library = &library,
                              .topics = topic_match,
                              .groups = group_match,
                              .scrape = stub_begin(HF_METRICS),
                              .points = &points};
    kafka_look_run(&look);
    struct hf_server_scraper server = {.points = points};
    hf_build_resource(&stub.builder, HF_EMPTY_SLICE);
    hf_build_scope(&stub.builder, HF_EMPTY_SLICE, HF_EMPTY_SLICE);
    hf_server_scraper_write(&server, &stub.scrape, 1);
    hf_points_release(&server.points);
    stub_end();
    hf_regex_free(topic_match);
    hf_regex_free(group_match);
    assert_int_equal(cluster.lists, 0);
}

static const char *const all[] = {"brokers", "topics", "consumers"};

/* A point of a value with those attributes behind it. */
static bool has_point(const char *value, const char *attributes)
{
    char text[512];
    snprintf(text, sizeof(text), "\"asInt\":\"%s\",\"attributes\":[%s]", value, attributes);
    return stub_has(text);
}

#define TEXT(key, value) "{\"key\":\"" key "\",\"value\":{\"stringValue\":\"" value "\"}}"
#define NUMBER(key, value) "{\"key\":\"" key "\",\"value\":{\"intValue\":\"" value "\"}}"
#define ORDERS TEXT("topic", "orders")
#define BILLING TEXT("group", "billing") "," ORDERS

static void brokers_topics_and_groups_are_points(void **state)
{
    (void)state;
    memset(&cluster, 0, sizeof(cluster));
    look((struct hf_string_list){all, 3});
    assert_true(has_point("604800", TEXT("broker", "1")));
    assert_true(has_point("7200", ORDERS) && has_point("-1", ORDERS) && has_point("2", ORDERS));
    assert_true(has_point("1", ORDERS "," NUMBER("partition", "0"))); /* in sync */
    assert_true(has_point("101", ORDERS "," NUMBER("partition", "1")));
    assert_true(has_point("10", ORDERS "," NUMBER("partition", "1")));
    assert_true(has_point("3", TEXT("group", "billing")));
    assert_true(has_point("70", BILLING "," NUMBER("partition", "0")));
    assert_true(has_point("30", BILLING "," NUMBER("partition", "0")));
    assert_true(has_point("-1", BILLING "," NUMBER("partition", "1")));
    assert_true(has_point("69", BILLING) && has_point("30", BILLING)); /* the sums */
    assert_false(stub_has("_inner") || stub_has("gone") || stub_has("other"));
    assert_int_equal(stub.failures, 1);
    assert_string_equal(stub.sentences, "asking for the settings of the broker 2 failed: not "
                                        "allowed\n");
    hf_bytes_release(&stub.json);
}

static void offsets_that_are_not_known_are_counted_and_the_rest_is_told(void **state)
{
    (void)state;
    memset(&cluster, 0, sizeof(cluster));
    cluster.partition = RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE;
    look((struct hf_string_list){all + 1, 1});
    assert_true(has_point("100", ORDERS "," NUMBER("partition", "0")));
    assert_false(has_point("101", ORDERS "," NUMBER("partition", "1")));
    assert_int_equal(stub.missing, 2); /* the newest and the oldest */
    assert_false(stub_has("kafka.consumer_group") || stub_has("kafka.brokers"));
    hf_bytes_release(&stub.json);
    memset(&cluster, 0, sizeof(cluster));
    cluster.offsets = HF_AGAIN;
    look((struct hf_string_list){all + 2, 1});
    assert_true(has_point("3", TEXT("group", "billing")));
    assert_false(stub_has("kafka.consumer_group.offset")); /* without it there is no lag */
    assert_string_equal(stub.sentences, "asking for offsets failed: no leader\n");
    hf_bytes_release(&stub.json);
}

static void a_cluster_that_does_not_answer_is_told_once(void **state)
{
    (void)state;
    memset(&cluster, 0, sizeof(cluster));
    cluster.metadata = HF_AGAIN;
    look((struct hf_string_list){all, 3});
    assert_string_equal(stub.sentences, "asking for brokers and topics failed: no broker\n");
    assert_int_equal(stub.counted, 0);
    hf_bytes_release(&stub.json);
    cluster.metadata = HF_CLOSED;
    look((struct hf_string_list){all, 3});
    assert_int_equal(stub.failures, 0); /* stopping */
    hf_bytes_release(&stub.json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(brokers_topics_and_groups_are_points),
        cmocka_unit_test(offsets_that_are_not_known_are_counted_and_the_rest_is_told),
        cmocka_unit_test(a_cluster_that_does_not_answer_is_told_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
