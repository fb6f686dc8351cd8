/*
 * ch_values: the values of rows in JSONEachRow that logs, spans and points have in common. Any
 * thread; no state.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "pdata/json_write.h"
#include "pdata/message.h"
#include "pdata/walk.h"

struct hf_attributes *ch_attributes(struct hf_message *owner);

/* A time with its zone: "2026-01-02T03:04:05.000000006Z". */
void ch_put_time(struct hf_json_writer *writer, uint64_t time_ns);
/* In hexadecimal; one of zeros, or of another size, is "". */
void ch_put_id(struct hf_json_writer *writer, struct hf_slice id);
/* NaN and the infinities too, which JSON has not. */
void ch_put_double(struct hf_json_writer *writer, double value);
/* The value as text, as the Go collector writes it. */
void ch_put_any_text(struct hf_json_writer *writer, struct hf_slice value);
/* A map from text to text; or, `as_json`, the attributes with their types. */
void ch_put_attributes(struct hf_json_writer *writer, struct hf_message *owner, bool as_json);
/* The keys of attributes, those of maps inside with a point between, in order and each once. */
void ch_put_keys(struct hf_json_writer *writer, struct hf_message *owner);
/* The attribute service.name of a resource as text. */
void ch_put_service(struct hf_json_writer *writer, struct hf_message *resource);
