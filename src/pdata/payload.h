/*
 * payload: the body of one export request, made of queued bodies in the coding that the exporter
 * speaks.
 *
 * Export requests concatenate, and so do zstd frames, gzip members and framed snappy streams. So
 * bodies that have the wanted coding already go out as they are, by reference; the others are
 * decoded, encoded, or both, into buffers that the payload keeps for the next request. Owned by one
 * thread: zeroed at first, hf_payload_release() at last.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/batch.h>
#include <holdfast/export.h>
#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "util/compress/compress.h"

struct hf_payload {
    struct hf_slice *slices; /* the body; into the bodies and into `bytes` */
    size_t count, capacity;
    uint64_t size;           /* of all slices */
    struct hf_bytes bytes;   /* what had to be made */
    struct hf_bytes scratch; /* bodies decoded on the way */
};

/*
 * Builds the body in `coding` (`level` as hf_encode(); 0: its default). With `forward_coded`,
 * bodies of that coding are joined without being decoded, where the coding allows it; without, only
 * a piece that is alone is. The body is valid until the next build or release, and as long as the
 * bodies are. HF_CORRUPT: a piece does not decode to its raw_size. HF_NOMEM.
 */
HF_MUST_USE enum hf_status hf_payload_build(struct hf_payload *payload,
                                            const struct hf_export_body *bodies, size_t count,
                                            enum hf_coding coding, int level, bool forward_coded);

/* The same as one OTLP/JSON text. HF_CORRUPT: a piece is no Export request of that signal. */
HF_MUST_USE enum hf_status hf_payload_build_json(struct hf_payload *payload, enum hf_signal signal,
                                                 const struct hf_export_body *bodies, size_t count,
                                                 enum hf_coding coding, int level);

/*
 * For another format than OTLP, in three steps: hf_payload_read() shows the bodies as one Export
 * request in protobuf; the caller appends its own text to `payload->bytes`, which is empty;
 * hf_payload_seal() makes that the body, in `coding`. `ret_raw` is valid until the seal.
 * HF_CORRUPT, HF_NOMEM.
 */
HF_MUST_USE enum hf_status hf_payload_read(struct hf_payload *payload,
                                           const struct hf_export_body *bodies, size_t count,
                                           struct hf_slice *ret_raw);
HF_MUST_USE enum hf_status hf_payload_seal(struct hf_payload *payload, enum hf_coding coding,
                                           int level);

void hf_payload_release(struct hf_payload *payload);
