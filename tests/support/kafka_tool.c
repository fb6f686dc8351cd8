/*
 * kafka_tool: brokers in memory, by librdkafka's own mock cluster, and a client of brokers, for
 * tests in other languages.
 *
 *   kafka_tool mock BROKERS        prints the bootstrap servers; then commands, a line each
 *   kafka_tool client BOOTSTRAP    the same commands, but for those of the cluster
 *
 *   topic NAME PARTITIONS          makes a topic                            (mock only)
 *   down ID | up ID                a broker goes away, comes back           (mock only)
 *   fail TOPIC ERROR               requests about the topic fail; 0: not    (mock only)
 *   produce TOPIC KEY VALUE [NAME=VALUE]...    in hexadecimal, "-" for no key; waits for the answer
 *   dump TOPIC                     all messages: "message PARTITION KEY VALUE NAME=VALUE..."
 *   committed GROUP TOPIC          "committed PARTITION OFFSET" for each partition that has one
 *   synced TOPIC                   "synced N": the fewest replicas in sync of a partition
 *
 * Each command ends with a line "ok" or "error WORDS".
 */
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WAIT_MS 15000
#define WORDS_MAX 32
#define PARTITIONS_MAX 64

struct tool {
    char bootstrap[1024];
    rd_kafka_t *owner; /* of the mock cluster */
    rd_kafka_mock_cluster_t *mock;
    int broker_count;
    rd_kafka_t *producer;
    rd_kafka_resp_err_t report;
    bool has_report;
};

static void die(const char *what)
{
    fprintf(stderr, "kafka_tool: %s\n", what);
    exit(1);
}

static rd_kafka_t *new_client(const struct tool *tool, rd_kafka_type_t type, const char *group,
                              void (*report)(rd_kafka_t *, const rd_kafka_message_t *, void *))
{
    char why[512] = "";
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "log_level", "0", why, sizeof(why));
    rd_kafka_conf_set_opaque(conf, (void *)(uintptr_t)tool);
    if (tool->bootstrap[0] != '\0') {
        rd_kafka_conf_set(conf, "bootstrap.servers", tool->bootstrap, why, sizeof(why));
    }
    if (type == RD_KAFKA_CONSUMER) {
        rd_kafka_conf_set(conf, "group.id", group, why, sizeof(why));
        rd_kafka_conf_set(conf, "enable.auto.commit", "false", why, sizeof(why));
        rd_kafka_conf_set(conf, "enable.partition.eof", "true", why, sizeof(why));
    } else {
        rd_kafka_conf_set_dr_msg_cb(conf, report);
        rd_kafka_conf_set(conf, "message.timeout.ms", "10000", why, sizeof(why));
        rd_kafka_conf_set(conf, "linger.ms", "0", why, sizeof(why));
    }
    rd_kafka_t *made = rd_kafka_new(type, conf, why, sizeof(why));
    if (made == NULL) {
        die(why);
    }
    return made;
}

static int number(const char *text)
{
    return (int)strtol(text, NULL, 10);
}

static void end_with(rd_kafka_resp_err_t error)
{
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) {
        puts("ok");
    } else {
        printf("error %s\n", rd_kafka_err2str(error));
    }
}

/* ---- hexadecimal ---- */

static size_t read_hex(const char *text, uint8_t *room, size_t most)
{
    size_t size = 0;
    unsigned byte;
    while (text[0] != '\0' && text[1] != '\0' && size < most && sscanf(text, "%2x", &byte) == 1) {
        room[size++] = (uint8_t)byte;
        text += 2;
    }
    return size;
}

static void print_hex(const void *data, size_t size)
{
    const uint8_t *bytes = data;
    for (size_t i = 0; i < size; i++) {
        printf("%02x", bytes[i]);
    }
}

/* ---- commands ---- */

static void on_report(rd_kafka_t *handle, const rd_kafka_message_t *message, void *opaque)
{
    struct tool *tool = opaque;
    (void)handle;
    tool->report = message->err;
    tool->has_report = true;
}

static void produce(struct tool *tool, char **words, size_t count)
{
    static uint8_t value[8 << 20];
    static uint8_t key[4096];
    if (count < 4) {
        puts("error usage");
        return;
    }
    if (tool->producer == NULL) {
        tool->producer = new_client(tool, RD_KAFKA_PRODUCER, NULL, on_report);
    }
    size_t value_size = read_hex(words[3], value, sizeof(value));
    size_t key_size = strcmp(words[2], "-") == 0 ? 0 : read_hex(words[2], key, sizeof(key));
    rd_kafka_headers_t *headers = rd_kafka_headers_new(8);
    for (size_t i = 4; i < count; i++) {
        char *text = strchr(words[i], '=');
        if (text != NULL) {
            *text++ = '\0';
            rd_kafka_header_add(headers, words[i], -1, text, (ssize_t)strlen(text));
        }
    }
    tool->has_report = false;
    rd_kafka_resp_err_t error = rd_kafka_producev(
        tool->producer, RD_KAFKA_V_TOPIC(words[1]), RD_KAFKA_V_VALUE(value, value_size),
        RD_KAFKA_V_KEY(key_size != 0 ? key : NULL, key_size), RD_KAFKA_V_HEADERS(headers),
        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);
    for (int i = 0; error == 0 && !tool->has_report && i < WAIT_MS / 10; i++) {
        rd_kafka_poll(tool->producer, 10);
    }
    end_with(error != 0 ? error : tool->has_report ? tool->report : RD_KAFKA_RESP_ERR__TIMED_OUT);
}

static size_t partitions_of(rd_kafka_t *client, const char *topic)
{
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_topic_t *asked = rd_kafka_topic_new(client, topic, NULL);
    size_t count = 0;
    if (rd_kafka_metadata(client, 0, asked, &metadata, WAIT_MS) == 0) {
        count = metadata->topic_cnt == 1 ? (size_t)metadata->topics[0].partition_cnt : 0;
        rd_kafka_metadata_destroy(metadata);
    }
    rd_kafka_topic_destroy(asked);
    return count < PARTITIONS_MAX ? count : PARTITIONS_MAX;
}

static void print_message(const rd_kafka_message_t *message)
{
    rd_kafka_headers_t *headers = NULL;
    const char *name;
    const void *value;
    size_t size;
    printf("message %d ", message->partition);
    if (message->key != NULL) {
        print_hex(message->key, message->key_len);
    } else {
        putchar('-');
    }
    putchar(' ');
    print_hex(message->payload, message->len);
    if (rd_kafka_message_headers(message, &headers) == 0) {
        for (size_t i = 0; rd_kafka_header_get_all(headers, i, &name, &value, &size) == 0; i++) {
            printf(" %s=%.*s", name, (int)size, (const char *)value);
        }
    }
    putchar('\n');
}

static void dump(const struct tool *tool, const char *topic)
{
    rd_kafka_t *client = new_client(tool, RD_KAFKA_CONSUMER, "kafka-tool-dump", NULL);
    size_t partitions = partitions_of(client, topic);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)partitions);
    for (size_t i = 0; i < partitions; i++) {
        rd_kafka_topic_partition_list_add(list, topic, (int32_t)i)->offset =
            RD_KAFKA_OFFSET_BEGINNING;
    }
    rd_kafka_assign(client, list);
    size_t ended = 0;
    for (int i = 0; ended < partitions && i < WAIT_MS / 100;) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(client, 100);
        if (message == NULL) {
            i++;
            continue;
        }
        ended += message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF;
        if (message->err == 0) {
            print_message(message);
        }
        rd_kafka_message_destroy(message);
    }
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_destroy(client);
    puts(ended == partitions ? "ok" : "error not all could be read");
}

static void committed(const struct tool *tool, const char *group, const char *topic)
{
    rd_kafka_t *client = new_client(tool, RD_KAFKA_CONSUMER, group, NULL);
    size_t partitions = partitions_of(client, topic);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)partitions);
    for (size_t i = 0; i < partitions; i++) {
        rd_kafka_topic_partition_list_add(list, topic, (int32_t)i);
    }
    rd_kafka_resp_err_t error = rd_kafka_committed(client, list, WAIT_MS);
    for (int i = 0; error == 0 && i < list->cnt; i++) {
        if (list->elems[i].offset >= 0) {
            printf("committed %d %lld\n", list->elems[i].partition,
                   (long long)list->elems[i].offset);
        }
    }
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_destroy(client);
    end_with(error);
}

static void synced(const struct tool *tool, const char *topic)
{
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_t *client = new_client(tool, RD_KAFKA_PRODUCER, NULL, on_report);
    rd_kafka_topic_t *asked = rd_kafka_topic_new(client, topic, NULL);
    rd_kafka_resp_err_t error = rd_kafka_metadata(client, 0, asked, &metadata, WAIT_MS);
    if (error == 0) {
        int fewest = metadata->topics[0].partition_cnt > 0 ? metadata->broker_cnt : 0;
        for (int i = 0; i < metadata->topics[0].partition_cnt; i++) {
            int count = metadata->topics[0].partitions[i].isr_cnt;
            fewest = count < fewest ? count : fewest;
        }
        printf("synced %d\n", fewest);
        rd_kafka_metadata_destroy(metadata);
    }
    rd_kafka_topic_destroy(asked);
    rd_kafka_destroy(client);
    end_with(error);
}

static bool run_on_mock(struct tool *tool, char **words, size_t count)
{
    if (tool->mock == NULL) {
        return false;
    }
    if (count == 3 && strcmp(words[0], "topic") == 0) {
        end_with(
            rd_kafka_mock_topic_create(tool->mock, words[1], number(words[2]), tool->broker_count));
    } else if (count == 3 && strcmp(words[0], "fail") == 0) {
        rd_kafka_mock_topic_set_error(tool->mock, words[1], (rd_kafka_resp_err_t)number(words[2]));
        puts("ok");
    } else if (count == 2 && strcmp(words[0], "down") == 0) {
        end_with(rd_kafka_mock_broker_set_down(tool->mock, number(words[1])));
    } else if (count == 2 && strcmp(words[0], "up") == 0) {
        end_with(rd_kafka_mock_broker_set_up(tool->mock, number(words[1])));
    } else {
        return false;
    }
    return true;
}

static void run(struct tool *tool, char **words, size_t count)
{
    if (run_on_mock(tool, words, count)) {
        return;
    }
    if (count >= 4 && strcmp(words[0], "produce") == 0) {
        produce(tool, words, count);
    } else if (count == 2 && strcmp(words[0], "dump") == 0) {
        dump(tool, words[1]);
    } else if (count == 3 && strcmp(words[0], "committed") == 0) {
        committed(tool, words[1], words[2]);
    } else if (count == 2 && strcmp(words[0], "synced") == 0) {
        synced(tool, words[1]);
    } else {
        puts("error no such command");
    }
}

int main(int argc, char **argv)
{
    static struct tool tool;
    char *line = NULL;
    size_t room = 0;
    if (argc != 3) {
        die("mock BROKERS, or client BOOTSTRAP");
    }
    if (strcmp(argv[1], "mock") == 0) {
        tool.owner = new_client(&tool, RD_KAFKA_PRODUCER, NULL, on_report);
        tool.broker_count = number(argv[2]);
        tool.mock = rd_kafka_mock_cluster_new(tool.owner, tool.broker_count);
        snprintf(tool.bootstrap, sizeof(tool.bootstrap), "%s",
                 rd_kafka_mock_cluster_bootstraps(tool.mock));
    } else {
        snprintf(tool.bootstrap, sizeof(tool.bootstrap), "%s", argv[2]);
    }
    printf("%s\n", tool.bootstrap);
    fflush(stdout);
    while (getline(&line, &room, stdin) > 0) {
        char *words[WORDS_MAX];
        size_t count = 0;
        line[strcspn(line, "\n")] = '\0';
        for (char *rest = line, *word; count < WORDS_MAX && (word = strsep(&rest, " ")) != NULL;) {
            words[count++] = word;
        }
        run(&tool, words, count);
        fflush(stdout);
    }
    free(line);
    return 0;
}
