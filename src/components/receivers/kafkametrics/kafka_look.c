#include "kafka_look.h"

#include <stdio.h>
#include <string.h>

#include <holdfast/component.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

const struct hf_metric_row kafka_rows[] = {KAFKA_METRICS(HF_METRIC_ROW)};

static bool is_on(const struct kafka_look *look, const char *scraper)
{
    return hf_string_list_has(&look->config->scrapers, hf_slice_text(scraper));
}

static bool wants(const struct kafka_look *look, unsigned id)
{
    return look->config->wanted.metrics[id].enabled;
}

static struct hf_points_attribute text_of(const char *key, const char *text)
{
    return (struct hf_points_attribute){.key = key, .text = hf_slice_text(text)};
}

static struct hf_points_attribute number_of(const char *key, int64_t integer)
{
    return (struct hf_points_attribute){.key = key, .is_integer = true, .integer = integer};
}

static void note(struct kafka_look *look, const char *what, const char *name, const char *why)
{
    hf_scrape_failed(look->scrape, 0, 1, "asking for %s%.128s failed: %s", what, name, why);
}

/* ---- brokers ---- */

static void take_broker_setting(void *user, const char *name, const char *value)
{
    struct kafka_look *look = user;
    const struct hf_points_attribute broker = text_of("broker", look->named);
    int64_t hours;
    if (strcmp(name, "log.retention.hours") == 0 && value != NULL &&
        hf_read_int(hf_slice_text(value), &hours)) {
        hf_points_int(look->points, KAFKA_BROKER_RETENTION, hours * 3600, &broker, 1);
    }
}

/* The settings of one thing. */
static void ask_settings(struct kafka_look *look, rd_kafka_ResourceType_t type, const char *called,
                         void (*take)(void *user, const char *name, const char *value))
{
    char why[HF_ERROR_MAX];
    look->named = called;
    enum hf_status status =
        hf_kafka_admin_settings(look->admin, type, called, &look->patience, take, look, why);
    if (status != HF_OK && status != HF_CLOSED) {
        note(look,
             type == RD_KAFKA_RESOURCE_TOPIC ? "the settings of the topic "
                                             : "the settings of the broker ",
             called, why);
    }
}

static void look_at_brokers(struct kafka_look *look)
{
    hf_points_int(look->points, KAFKA_BROKERS, look->metadata->broker_cnt, NULL, 0);
    for (int i = 0; wants(look, KAFKA_BROKER_RETENTION) && i < look->metadata->broker_cnt; i++) {
        char id[16];
        snprintf(id, sizeof(id), "%d", (int)look->metadata->brokers[i].id);
        ask_settings(look, RD_KAFKA_RESOURCE_BROKER, id, take_broker_setting);
    }
}

/* ---- topics ---- */

static bool matches(const struct kafka_look *look, const struct rd_kafka_metadata_topic *topic)
{
    return topic->err == RD_KAFKA_RESP_ERR_NO_ERROR &&
           hf_regex_matches(look->topics, hf_slice_text(topic->topic));
}

static void take_topic_setting(void *user, const char *name, const char *value)
{
    static const struct {
        const char *name;
        unsigned id;
        int64_t per;
    } settings[] = {{"min.insync.replicas", KAFKA_TOPIC_IN_SYNC, 1},
                    {"retention.ms", KAFKA_TOPIC_RETENTION, 1000},
                    {"retention.bytes", KAFKA_TOPIC_SIZE, 1}};
    struct kafka_look *look = user;
    const struct hf_points_attribute topic = text_of("topic", look->named);
    int64_t number;
    for (size_t i = 0; i < COUNT(settings); i++) {
        if (strcmp(name, settings[i].name) == 0 && value != NULL &&
            hf_read_int(hf_slice_text(value), &number)) {
            hf_points_int(look->points, settings[i].id, number / settings[i].per, &topic, 1);
        }
    }
}

static void add_topic(struct kafka_look *look, const struct rd_kafka_metadata_topic *topic)
{
    const struct hf_points_attribute name = text_of("topic", topic->topic);
    int replicas = topic->partition_cnt != 0 ? topic->partitions[0].replica_cnt : 0;
    hf_points_int(look->points, KAFKA_PARTITIONS, topic->partition_cnt, &name, 1);
    hf_points_int(look->points, KAFKA_FACTOR, replicas, &name, 1);
    for (int i = 0; i < topic->partition_cnt; i++) {
        const struct rd_kafka_metadata_partition *partition = &topic->partitions[i];
        const struct hf_points_attribute attributes[] = {name,
                                                         number_of("partition", partition->id)};
        hf_points_int(look->points, KAFKA_REPLICAS, partition->replica_cnt, attributes, 2);
        hf_points_int(look->points, KAFKA_IN_SYNC, partition->isr_cnt, attributes, 2);
    }
    if (wants(look, KAFKA_TOPIC_IN_SYNC) || wants(look, KAFKA_TOPIC_RETENTION) ||
        wants(look, KAFKA_TOPIC_SIZE)) {
        ask_settings(look, RD_KAFKA_RESOURCE_TOPIC, topic->topic, take_topic_setting);
    }
}

static void add_offsets(struct kafka_look *look, unsigned id,
                        const rd_kafka_topic_partition_list_t *list)
{
    uint32_t missing = 0;
    for (int i = 0; i < list->cnt; i++) {
        const rd_kafka_topic_partition_t *one = &list->elems[i];
        const struct hf_points_attribute attributes[] = {text_of("topic", one->topic),
                                                         number_of("partition", one->partition)};
        if (one->err == RD_KAFKA_RESP_ERR_NO_ERROR && one->offset >= 0) {
            hf_points_int(look->points, id, one->offset, attributes, 2);
        } else {
            missing++;
        }
    }
    if (missing != 0) {
        hf_scrape_failed(look->scrape, 0, missing,
                         "brokers did not tell the offsets of partitions");
    }
}

/* The partitions of all topics that match; the caller's. */
static rd_kafka_topic_partition_list_t *list_partitions(const struct kafka_look *look)
{
    rd_kafka_topic_partition_list_t *list = look->library->topic_partition_list_new(16);
    for (int i = 0; i < look->metadata->topic_cnt; i++) {
        const struct rd_kafka_metadata_topic *topic = &look->metadata->topics[i];
        for (int k = 0; matches(look, topic) && k < topic->partition_cnt; k++) {
            look->library->topic_partition_list_add(list, topic->topic, topic->partitions[k].id);
        }
    }
    return list;
}

/* False: counted and logged, or stopping. */
static bool ask_offsets(struct kafka_look *look, bool oldest,
                        rd_kafka_topic_partition_list_t *partitions)
{
    char why[HF_ERROR_MAX];
    if (partitions->cnt == 0) {
        return true;
    }
    enum hf_status status =
        hf_kafka_admin_offsets(look->admin, oldest, partitions, &look->patience, why);
    if (status != HF_OK && status != HF_CLOSED) {
        note(look, "offsets", "", why);
    }
    return status == HF_OK;
}

static void look_at_topics(struct kafka_look *look)
{
    for (int i = 0; i < look->metadata->topic_cnt; i++) {
        if (matches(look, &look->metadata->topics[i])) {
            add_topic(look, &look->metadata->topics[i]);
        }
    }
    if (look->latest != NULL) {
        add_offsets(look, KAFKA_CURRENT, look->latest);
    }
    if (wants(look, KAFKA_OLDEST)) {
        rd_kafka_topic_partition_list_t *oldest = list_partitions(look);
        if (ask_offsets(look, true, oldest)) {
            add_offsets(look, KAFKA_OLDEST, oldest);
        }
        look->library->topic_partition_list_destroy(oldest);
    }
}

/* ---- consumer groups ---- */

/* What comes next in a partition; -1: not known. Both lists are in the same order. */
static int64_t latest_of(const struct kafka_look *look, const rd_kafka_topic_partition_t *of,
                         int hint)
{
    const rd_kafka_topic_partition_list_t *list = look->latest;
    for (int i = 0; list != NULL && i < list->cnt; i++) {
        const rd_kafka_topic_partition_t *one = &list->elems[(hint + i) % list->cnt];
        if (one->partition == of->partition && strcmp(one->topic, of->topic) == 0) {
            return one->err == RD_KAFKA_RESP_ERR_NO_ERROR ? one->offset : -1;
        }
    }
    return -1;
}

/* One topic of a group: those partitions of the list. */
static void add_consumed(struct kafka_look *look, const rd_kafka_topic_partition_list_t *list,
                         int first, int end)
{
    const char *topic = list->elems[first].topic;
    struct hf_points_attribute attributes[] = {text_of("group", look->named),
                                               text_of("topic", topic), number_of("partition", 0)};
    int64_t lag_sum = 0, offset_sum = 0;
    for (int i = first; i < end; i++) {
        const rd_kafka_topic_partition_t *one = &list->elems[i];
        int64_t offset = one->offset >= 0 ? one->offset : -1;
        int64_t latest = latest_of(look, one, i);
        int64_t lag = offset >= 0 && latest >= 0 ? latest - offset : -1;
        attributes[2].integer = one->partition;
        hf_points_int(look->points, KAFKA_GROUP_OFFSET, offset, attributes, 3);
        hf_points_int(look->points, KAFKA_GROUP_LAG, lag, attributes, 3);
        offset_sum += offset;
        lag_sum += offset >= 0 && latest >= 0 ? lag : 0;
    }
    hf_points_int(look->points, KAFKA_GROUP_OFFSET_SUM, offset_sum, attributes, 2);
    hf_points_int(look->points, KAFKA_GROUP_LAG_SUM, lag_sum, attributes, 2);
}

/* Topics of which the group has no offset are not its own. */
static void take_committed(void *user, const rd_kafka_topic_partition_list_t *committed)
{
    int first = 0;
    for (int i = 0; committed != NULL && i < committed->cnt; i++) {
        bool is_last = i + 1 == committed->cnt ||
                       strcmp(committed->elems[i].topic, committed->elems[i + 1].topic) != 0;
        bool is_consumed = false;
        for (int k = first; is_last && k <= i; k++) {
            is_consumed = is_consumed || committed->elems[k].offset >= 0;
        }
        if (is_consumed) {
            add_consumed(user, committed, first, i + 1);
        }
        first = is_last ? i + 1 : first;
    }
}

/* False: the scrape is to end. */
static bool look_at_group(struct kafka_look *look, const struct rd_kafka_group_info *group)
{
    const struct hf_points_attribute name = text_of("group", group->group);
    char why[HF_ERROR_MAX];
    look->named = group->group;
    if (group->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        note(look, "the consumer group ", group->group, look->library->err2str(group->err));
        return true;
    }
    hf_points_int(look->points, KAFKA_GROUP_MEMBERS, group->member_cnt, &name, 1);
    if (look->latest == NULL || look->latest->cnt == 0) {
        return true;
    }
    enum hf_status status = hf_kafka_admin_committed(look->admin, group->group, look->latest,
                                                     &look->patience, take_committed, look, why);
    if (status != HF_OK && status != HF_CLOSED) {
        note(look, "the offsets of the consumer group ", group->group, why);
    }
    return status != HF_CLOSED;
}

static void look_at_groups(struct kafka_look *look)
{
    char why[HF_ERROR_MAX];
    const struct rd_kafka_group_list *groups = NULL;
    enum hf_status status = hf_kafka_admin_groups(look->admin, &look->patience, &groups, why);
    if (status != HF_OK) {
        if (status != HF_CLOSED) {
            note(look, "consumer groups", "", why);
        }
        return;
    }
    bool is_good = true;
    for (int i = 0; i < groups->group_cnt && is_good; i++) {
        if (hf_regex_matches(look->groups, hf_slice_text(groups->groups[i].group))) {
            is_good = look_at_group(look, &groups->groups[i]);
        }
    }
    look->library->group_list_destroy(groups);
}

void kafka_look_run(struct kafka_look *look)
{
    char why[HF_ERROR_MAX];
    enum hf_status status =
        hf_kafka_admin_metadata(look->admin, &look->patience, &look->metadata, why);
    if (status != HF_OK) {
        if (status != HF_CLOSED) {
            note(look, "brokers and topics", "", why);
        }
        return;
    }
    if (is_on(look, "brokers")) {
        look_at_brokers(look);
    }
    if (is_on(look, "topics") || is_on(look, "consumers")) {
        look->latest = list_partitions(look);
        if (!ask_offsets(look, false, look->latest)) {
            look->library->topic_partition_list_destroy(look->latest);
            look->latest = NULL;
        }
    }
    if (is_on(look, "topics")) {
        look_at_topics(look);
    }
    if (is_on(look, "consumers")) {
        look_at_groups(look);
    }
    if (look->latest != NULL) {
        look->library->topic_partition_list_destroy(look->latest);
    }
    look->library->metadata_destroy(look->metadata);
}
