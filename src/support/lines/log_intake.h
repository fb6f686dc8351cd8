/*
 * log_intake: texts that a receiver gets from peers, through its operators, as batches of log
 * records. Owned by the receiver's thread after open.
 */
#pragma once

#include <sys/socket.h>

#include <holdfast/field.h>
#include <holdfast/node.h>

#include "log_entries.h"

/* The keys that such receivers share; embed it with HF_LOG_INTAKE_FIELDS. */
struct hf_log_intake_config {
    struct hf_log_entries_config entries;
};

struct hf_log_intake {
    struct hf_log_entries entries;
    uint64_t due_ns; /* when operators are to be asked for what they hold; UINT64_MAX: never */
};

/* `before`: operators that entries pass before those of the configuration; borrowed, as `config`,
 * until close. HF_INVALID with a sentence in `reterr` (HF_ERROR_MAX). HF_NOMEM. */
HF_MUST_USE enum hf_status hf_log_intake_open(struct hf_log_intake *intake, struct hf_node *node,
                                              const struct hf_log_intake_config *config,
                                              const struct hf_value *before, size_t before_count,
                                              char *reterr);
void hf_log_intake_close(struct hf_log_intake *intake);

/* The two ends of a connection, for the attributes of its entries; in numbers, never asked of a
 * name server. */
struct hf_log_peers {
    const char *transport; /* "IP.TCP", "IP.UDP" */
    struct sockaddr_storage local, remote;
};

/* One text; borrowed. `peers` NULL: no attributes of them. `source`: whom it came from, for
 * operators that join entries. */
void hf_log_intake_take(struct hf_log_intake *intake, struct hf_slice text, bool is_bytes,
                        const struct hf_log_peers *peers, void *source);
/* The source is gone: entries that operators hold of it are given out. */
void hf_log_intake_forget(struct hf_log_intake *intake, const void *source);

/* What is ready: the next batch, NULL: none. `is_last`: entries that operators hold are given out
 * too. */
struct hf_batch *hf_log_intake_collect(struct hf_log_intake *intake, uint64_t now_ns, bool is_last);

/* clang-format off */
#define HF_LOG_INTAKE_FIELDS(owner, at)                                                            \
    HF_LOG_ENTRIES_FIELDS(owner, at.entries),                                                      \
    {.key = "id", .type = HF_FIELD_IGNORED, .help = "Without effect."},                            \
    {.key = "type", .type = HF_FIELD_IGNORED, .help = "Without effect."},                          \
    {.key = "output", .type = HF_FIELD_IGNORED, .help = "Without effect: the first operator."},    \
    {.key = "storage", .type = HF_FIELD_IGNORED, .help = "There is no place to keep."},            \
    {.key = "retry_on_failure",                                                                    \
     .type = HF_FIELD_IGNORED,                                                                     \
     .help = "Refused batches are kept and offered again in any case."}
/* clang-format on */
