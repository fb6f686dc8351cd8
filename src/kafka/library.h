/*
 * library: librdkafka, loaded when the first Kafka component is opened, so that a process without
 * one has neither the library nor what it depends on in memory. See docs/decisions/librdkafka.md.
 *
 * The functions are members under their names without "rd_kafka_". Immutable once loaded; any
 * thread.
 */
#pragma once

#include <librdkafka/rdkafka.h>

/* Every function that is used. */
#define HF_KAFKA_FUNCTIONS(X)                                                                      \
    X(AdminOptions_destroy)                                                                        \
    X(AdminOptions_new)                                                                            \
    X(AdminOptions_set_request_timeout)                                                            \
    X(assign)                                                                                      \
    X(assignment)                                                                                  \
    X(commit)                                                                                      \
    X(conf_destroy)                                                                                \
    X(conf_new)                                                                                    \
    X(conf_enable_sasl_queue)                                                                      \
    X(conf_set)                                                                                    \
    X(conf_set_dr_msg_cb)                                                                          \
    X(conf_set_error_cb)                                                                           \
    X(conf_set_log_cb)                                                                             \
    X(conf_set_oauthbearer_token_refresh_cb)                                                       \
    X(conf_set_opaque)                                                                             \
    X(conf_set_rebalance_cb)                                                                       \
    X(ConfigEntry_name)                                                                            \
    X(ConfigEntry_value)                                                                           \
    X(ConfigResource_configs)                                                                      \
    X(ConfigResource_destroy)                                                                      \
    X(ConfigResource_error)                                                                        \
    X(ConfigResource_error_string)                                                                 \
    X(ConfigResource_new)                                                                          \
    X(consumer_close_queue)                                                                        \
    X(consumer_closed)                                                                             \
    X(consumer_poll)                                                                               \
    X(DescribeConfigs)                                                                             \
    X(DescribeConfigs_result_resources)                                                            \
    X(destroy_flags)                                                                               \
    X(err2str)                                                                                     \
    X(error_code)                                                                                  \
    X(error_destroy)                                                                               \
    X(event_DescribeConfigs_result)                                                                \
    X(event_destroy)                                                                               \
    X(event_error)                                                                                 \
    X(event_error_string)                                                                          \
    X(event_ListConsumerGroupOffsets_result)                                                       \
    X(fatal_error)                                                                                 \
    X(get_watermark_offsets)                                                                       \
    X(group_list_destroy)                                                                          \
    X(group_result_error)                                                                          \
    X(group_result_partitions)                                                                     \
    X(header_get_all)                                                                              \
    X(incremental_assign)                                                                          \
    X(incremental_unassign)                                                                        \
    X(list_groups)                                                                                 \
    X(ListConsumerGroupOffsets)                                                                    \
    X(ListConsumerGroupOffsets_destroy)                                                            \
    X(ListConsumerGroupOffsets_new)                                                                \
    X(ListConsumerGroupOffsets_result_groups)                                                      \
    X(message_destroy)                                                                             \
    X(message_errstr)                                                                              \
    X(message_headers)                                                                             \
    X(metadata)                                                                                    \
    X(metadata_destroy)                                                                            \
    X(new)                                                                                         \
    X(oauthbearer_set_token)                                                                       \
    X(oauthbearer_set_token_failure)                                                               \
    X(offsets_for_times)                                                                           \
    X(offsets_store)                                                                               \
    X(opaque)                                                                                      \
    X(pause_partitions)                                                                            \
    X(poll)                                                                                        \
    X(poll_set_consumer)                                                                           \
    X(produceva)                                                                                   \
    X(purge)                                                                                       \
    X(queue_destroy)                                                                               \
    X(queue_get_consumer)                                                                          \
    X(queue_get_main)                                                                              \
    X(queue_io_event_enable)                                                                       \
    X(queue_new)                                                                                   \
    X(queue_poll)                                                                                  \
    X(rebalance_protocol)                                                                          \
    X(resume_partitions)                                                                           \
    X(sasl_background_callbacks_enable)                                                            \
    X(subscribe)                                                                                   \
    X(topic_name)                                                                                  \
    X(topic_partition_list_add)                                                                    \
    X(topic_partition_list_destroy)                                                                \
    X(topic_partition_list_new)                                                                    \
    X(version)                                                                                     \
    X(version_str)

struct hf_kafka_library {
#define HF_KAFKA_MEMBER(name) __typeof__(rd_kafka_##name) *name;
    HF_KAFKA_FUNCTIONS(HF_KAFKA_MEMBER)
#undef HF_KAFKA_MEMBER
};

/* NULL: it cannot be loaded; `reterr` (HF_ERROR_MAX) says what to do. It is never unloaded. Main
 * thread. */
const struct hf_kafka_library *hf_kafka_library(char *reterr);
