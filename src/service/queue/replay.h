/*
 * replay: replays a queue into an OTLP/HTTP endpoint, from any machine that has a copy of the
 * directory.
 */
#pragma once

#include "arguments.h"
#include "service/service.h"
#include "storage/storage.h"

/*
 * Sends the records that are chosen, one request each, in order, to `endpoint`
 * (http://host:4318; /v1/<signal> is appended). Stops at the first that is not taken and says
 * which. The queue is not changed.
 */
enum hf_exit hf_queue_export(struct wal *wal, const struct hf_queue_arguments *arguments,
                             struct hf_selection *selection, FILE *out);
