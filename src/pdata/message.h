/*
 * message: one OTLP message of a request, read and changed over its wire bytes.
 *
 * Nothing is decoded until it is asked for: a field is found when it is read, a child message is
 * made when it is looked at, and writing copies every message that was not changed as it came,
 * unknown fields and their order included. One reader serves every message, by the tables of
 * schema.h; field numbers are those of OTLP.
 *
 * Reading follows protobuf: of a field that is not repeated the last one counts, a message that
 * came in several pieces is all of them joined, and of a oneof the member that came last is there.
 * NULL is a message without fields, so that reading what may be absent needs no check.
 *
 * Messages belong to their document (document.h) and die with its reset; so do the slices that they
 * return. When memory runs out the document notes it: reading then finds nothing, changes are
 * ignored and hf_document_status() tells. Owned by one thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "attributes.h"
#include "schema.h"
#include "wire.h"
#include "wire_find.h"

struct hf_document;
struct hf_message;

/* The parent of a document's root is NULL. */
const struct hf_schema_message *hf_message_type(const struct hf_message *message);
struct hf_message *hf_message_parent(const struct hf_message *message);
struct hf_document *hf_message_document(const struct hf_message *message);

/* Its content as bytes: as it came, or written into the document's memory when it was changed. */
struct hf_slice hf_message_content(struct hf_message *message);

/* ---- messages inside: fields whose type is a message, except attributes and AnyValue ---- */

/* Steps through a repeated field; removed ones are not there. NULL: no more. */
struct hf_message *hf_message_first(struct hf_message *message, uint32_t number);
struct hf_message *hf_message_next(const struct hf_message *child);
size_t hf_message_count(struct hf_message *message, uint32_t number);

/* A field that is not repeated: NULL when it is not there; or made when it is not there. */
struct hf_message *hf_message_one(struct hf_message *message, uint32_t number);
struct hf_message *hf_message_need(struct hf_message *message, uint32_t number);

/* A new empty message behind those of that field. NULL: out of memory. */
struct hf_message *hf_message_append(struct hf_message *message, uint32_t number);

/*
 * Takes a message out of its parent; it may not be used again. Stepping with hf_message_next() from
 * a removed one still finds those behind it.
 */
void hf_message_remove(struct hf_message *child);

/*
 * Puts a copy of `child`, or `child` itself, behind the messages of the field `number` of `parent`,
 * or in place of the one when it is not repeated. The field must be of the same type, the parent in
 * the same document and not inside of `child`. The copy shares the bytes that did not
 * change. Returns what is there now. NULL: out of memory.
 */
struct hf_message *hf_message_copy(struct hf_message *child, struct hf_message *parent,
                                   uint32_t number);
struct hf_message *hf_message_move(struct hf_message *child, struct hf_message *parent,
                                   uint32_t number);

/* ---- fields that are not messages ---- */

/* Is the field there? Of a repeated one: is there one at least? Messages as well. */
bool hf_message_has(struct hf_message *message, uint32_t number);

/* The value, or 0, or nothing when it is not there. Signed ones of any encoding, booleans and
 * enums are read by hf_message_i64(), unsigned ones by hf_message_u64(). */
uint64_t hf_message_u64(struct hf_message *message, uint32_t number);
int64_t hf_message_i64(struct hf_message *message, uint32_t number);
double hf_message_double(struct hf_message *message, uint32_t number);
struct hf_slice hf_message_bytes(struct hf_message *message, uint32_t number);

/* Sets the value; of a oneof the other members go. Bytes are copied. */
void hf_message_set_u64(struct hf_message *message, uint32_t number, uint64_t value);
void hf_message_set_i64(struct hf_message *message, uint32_t number, int64_t value);
void hf_message_set_double(struct hf_message *message, uint32_t number, double value);
void hf_message_set_bytes(struct hf_message *message, uint32_t number, struct hf_slice bytes);

/* Removes a field of any kind, all of a repeated one. */
void hf_message_clear(struct hf_message *message, uint32_t number);

/* Repeated numbers, for hf_wire_next_number(): each its 64 bits, hf_message_as_double() for
 * doubles.
 */
struct hf_wire_numbers hf_message_numbers(struct hf_message *message, uint32_t number);
double hf_message_as_double(uint64_t bits);
void hf_message_set_numbers(struct hf_message *message, uint32_t number, const uint64_t *bits,
                            size_t count);

/* Repeated texts, for hf_wire_each(): the keys of an entity. */
struct hf_wire hf_message_texts(struct hf_message *message, uint32_t number);
void hf_message_add_text(struct hf_message *message, uint32_t number, struct hf_slice text);

/* ---- attributes and values ---- */

/*
 * The field of attributes as a list (attributes.h) that is read once and lives as long as the
 * document; changing it changes the message. Lists of many messages may be open at the same time.
 * NULL: `message` is NULL, or out of memory.
 */
struct hf_attributes *hf_message_attributes(struct hf_message *message, uint32_t number);

/*
 * The bytes of the AnyValue of one attribute, without reading the list when only few are asked for.
 * False: it is not there, or out of memory.
 */
HF_MUST_USE bool hf_message_attribute(struct hf_message *message, uint32_t number,
                                      struct hf_slice key, struct hf_slice *ret_value);

/* The number of the message's field of attributes (of an Exemplar the filtered ones); 0: none. */
uint32_t hf_message_attributes_number(const struct hf_schema_message *type);

/* The bytes of an AnyValue, such as a log record's body; empty when there is none. Setting copies
 * nothing: `value` must live as long as the document. */
struct hf_slice hf_message_any(struct hf_message *message, uint32_t number);
void hf_message_set_any(struct hf_message *message, uint32_t number, struct hf_slice value);
