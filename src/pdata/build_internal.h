/*
 * build_internal: what the builders of logs, metrics and spans share.
 */
#pragma once

#include "build.h"

/* Closes what cannot hold a holder of that level, and opens one. */
void hf_build_open_holder(struct hf_builder *builder, enum hf_build_level level, uint32_t number);

/* Opens an item in the holder of that level, which must be open. */
void hf_build_open_item(struct hf_builder *builder, enum hf_build_level level, uint32_t number,
                        size_t expected_size, uint32_t attributes_field);
/* Opens a part of the open item. */
void hf_build_open_part(struct hf_builder *builder, uint32_t number, uint32_t attributes_field);

/* Fields, left out when they have the default value. */
void hf_build_put_text(struct hf_builder *builder, uint32_t number, struct hf_slice text);
void hf_build_put_bytes(struct hf_builder *builder, uint32_t number, struct hf_slice bytes);
void hf_build_put_number(struct hf_builder *builder, uint32_t number, uint64_t value);
void hf_build_put_time(struct hf_builder *builder, uint32_t number, uint64_t time_ns);
void hf_build_put_flags(struct hf_builder *builder, uint32_t number, uint32_t flags);
/* Always written. */
void hf_build_put_double(struct hf_builder *builder, uint32_t number, double value);

/* The text itself, or a repaired copy in `scratch`. */
struct hf_slice hf_build_good_text(struct hf_builder *builder, struct hf_slice text,
                                   struct hf_bytes *scratch);
