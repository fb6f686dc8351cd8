/*
 * texts: what the sources of credentials have in common: texts with a limit, files, answers in JSON
 * or XML. Private to src/aws. Any thread; no state.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "sigv4.h"

/* NULL is "". False: it does not fit, or has control characters. */
bool aws_put_text(const char *text, char *room, size_t size);
bool aws_put_slice(struct hf_slice text, char *room, size_t size);
/* The first line of a file. */
HF_MUST_USE enum hf_status aws_read_line(const char *path, char *room, size_t size, char *reterr);
/* "2026-01-02T03:04:05Z" as Unix seconds; 0: it is none. */
uint64_t aws_read_time(struct hf_slice text);
/* The text between <name> and </name>; empty: there is none. */
struct hf_slice aws_xml_text(struct hf_slice xml, const char *name);

/* AccessKeyId, SecretAccessKey, Token or SessionToken, Expiration. HF_INVALID: they are not there.
 */
HF_MUST_USE enum hf_status aws_credentials_of_json(struct hf_slice json,
                                                   struct hf_aws_credentials *ret);
HF_MUST_USE enum hf_status aws_credentials_of_xml(struct hf_slice xml,
                                                  struct hf_aws_credentials *ret);
