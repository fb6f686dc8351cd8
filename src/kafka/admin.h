/*
 * admin: what brokers know of topics, offsets and consumer groups, asked for and waited for, one
 * question at a time.
 *
 * open, start and close: the main thread; the questions: one other thread. A question waits as
 * struct hf_patience says; a stop is noticed within two seconds. Where nothing else is said, HF_OK
 * is the answer; otherwise `reterr` (HF_ERROR_MAX) says why, HF_CLOSED: told to stop.
 */
#pragma once

#include "library.h"
#include "settings.h"
#include "util/patience.h"

struct hf_kafka_admin;

HF_MUST_USE enum hf_status hf_kafka_admin_open(const struct hf_kafka_library *library,
                                               const struct hf_kafka_settings *settings,
                                               struct hf_kafka_admin **ret_admin, char *reterr);
/* Tokens may be asked for from now on, where the client signs in by them. False: `reterr`
 * (HF_ERROR_MAX) says why not. */
HF_MUST_USE bool hf_kafka_admin_start(struct hf_kafka_admin *admin, char *reterr);
/* NULL: nothing. */
void hf_kafka_admin_close(struct hf_kafka_admin *admin);

/* Brokers, topics and partitions; freed by the library's metadata_destroy(). */
HF_MUST_USE enum hf_status hf_kafka_admin_metadata(struct hf_kafka_admin *admin,
                                                   const struct hf_patience *patience,
                                                   const struct rd_kafka_metadata **ret_metadata,
                                                   char *reterr);

/* Sets the offsets of the list's partitions: the oldest, or the one that comes next. A partition's
 * `err` may say that its offset is not known. */
HF_MUST_USE enum hf_status hf_kafka_admin_offsets(struct hf_kafka_admin *admin, bool oldest,
                                                  rd_kafka_topic_partition_list_t *partitions,
                                                  const struct hf_patience *patience, char *reterr);

/* The consumer groups with their members; freed by the library's group_list_destroy(). */
HF_MUST_USE enum hf_status hf_kafka_admin_groups(struct hf_kafka_admin *admin,
                                                 const struct hf_patience *patience,
                                                 const struct rd_kafka_group_list **ret_groups,
                                                 char *reterr);

/* The committed offsets of a group for those partitions, lent to `take`; -1 and less: none. */
HF_MUST_USE enum hf_status
hf_kafka_admin_committed(struct hf_kafka_admin *admin, const char *group,
                         const rd_kafka_topic_partition_list_t *partitions,
                         const struct hf_patience *patience,
                         void (*take)(void *user, const rd_kafka_topic_partition_list_t *committed),
                         void *user, char *reterr);

/* The settings of a topic or broker, each lent to `take`; a value may be NULL. */
HF_MUST_USE enum hf_status
hf_kafka_admin_settings(struct hf_kafka_admin *admin, rd_kafka_ResourceType_t type,
                        const char *called, const struct hf_patience *patience,
                        void (*take)(void *user, const char *name, const char *value), void *user,
                        char *reterr);
