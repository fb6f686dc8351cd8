/*
 * writer: a tree of values as text: YAML, JSON, or a line for each value with its place. Main
 * thread.
 */
#pragma once

#include <stdbool.h>

#include "tree.h"

struct hf_writer;

/* NULL: out of memory. */
struct hf_writer *hf_writer_new(bool json);
/* "receivers::otlp::protocols::grpc::endpoint = localhost:4317    # gateway.yaml:4", a line each.
 * The keys that are written are borrowed until the text is taken. NULL: out of memory. */
struct hf_writer *hf_writer_new_lines(void);
/* Of lines: where the next value, map or list was written; borrowed. Otherwise nothing. */
void hf_writer_place(struct hf_writer *writer, struct hf_yaml_place place);
void hf_writer_map(struct hf_writer *writer);
void hf_writer_list(struct hf_writer *writer);
void hf_writer_end(struct hf_writer *writer); /* of the map or list begun last */
void hf_writer_key(struct hf_writer *writer, const char *key);
/* `type` decides the quotes: a STRING that looks like a number stays a string. A NULL `text` of
 * another type than null means that memory ran out; the writer then fails as a whole. */
void hf_writer_scalar(struct hf_writer *writer, const char *text, enum hf_scalar_type type);
/* The text, malloc'd; NULL: out of memory on the way. Frees the writer. */
char *hf_writer_take(struct hf_writer *writer);
